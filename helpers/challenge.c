#include "helpers/challenge.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"

int
random_id(char *hex, size_t len)
{
	unsigned char bytes[64];

	if (len > sizeof(bytes) || RAND_bytes(bytes, (int)len) != 1)
		return -OTP_ECRYPTO;
	for (size_t i = 0; i < len; i++)
		(void)sprintf(hex + 2 * i, "%02x", bytes[i]);
	return 0;
}

/* A digit 0-9: bytes from 250 on are thrown away, for they would favour the small digits. */
static int
random_digit(char *digit)
{
	unsigned char byte = 0;
	int r;

	do {
		r = RAND_priv_bytes(&byte, 1) == 1 ? 0 : -OTP_ECRYPTO;
	} while (!r && byte >= 250);
	*digit = (char)('0' + byte % 10);
	OPENSSL_cleanse(&byte, 1);
	return r;
}

int
code_make(int digits, struct secret *out)
{
	char code[CODE_DIGITS_MAX];
	int r = 0;

	if (digits < CODE_DIGITS_MIN || digits > CODE_DIGITS_MAX)
		return -OTP_EINVAL;
	for (int i = 0; !r && i < digits; i++)
		r = random_digit(&code[i]);
	if (!r)
		r = secret_set(out, code, (size_t)digits);
	otp_wipe_array(code);
	return r;
}

int
code_read(const char *typed, int least, int most, struct secret *out)
{
	char code[CODE_TYPED_MAX];
	int n = 0, r = -OTP_EINVAL;

	secret_clear(out);
	for (; *typed; typed++) {
		if (strchr(" \t-", *typed))
			continue;
		if (*typed < '0' || *typed > '9' || n == most || n == CODE_TYPED_MAX)
			goto out;
		code[n++] = *typed;
	}
	if (n >= least)
		r = secret_set(out, code, (size_t)n);
out:
	otp_wipe_array(code);
	return r;
}

/* The parts are joined by NULs, which none of them holds: no two lists give one text. */
static int
keyed_mac(
    const struct secret *key, const char *const *part, size_t n, unsigned char mac[STORE_MAC_LEN])
{
	_auto_buf struct buf text = BUF_INIT(4096);
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		buf_put(&text, part[i], strlen(part[i]) + 1);
	if (buf_err(&text))
		return buf_err(&text);
	if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key->bytes, key->len, text.bytes,
		text.len, mac, STORE_MAC_LEN, &len) ||
	    len != STORE_MAC_LEN)
		return -OTP_ECRYPTO;
	return 0;
}

static int
code_mac(const struct challenge *c, const struct secret *host_key, const char *code,
    unsigned char mac[STORE_MAC_LEN])
{
	const char *const part[] = {"code", c->id, c->user, c->service, code};

	return keyed_mac(host_key, part, sizeof(part) / sizeof(*part), mac);
}

int
challenge_seal(struct challenge *c, const struct secret *host_key, const char *code)
{
	int r = code_mac(c, host_key, code, c->mac);

	c->has_mac = !r;
	return r;
}

int
challenge_seal_nothing(struct challenge *c)
{
	c->has_mac = RAND_bytes(c->mac, sizeof(c->mac)) == 1;
	return c->has_mac ? 0 : -OTP_ECRYPTO;
}

int
challenge_open(const struct challenge *c, const struct secret *host_key, const char *code)
{
	unsigned char mac[STORE_MAC_LEN];
	int r = c->has_mac ? code_mac(c, host_key, code, mac) : -OTP_EINVAL;

	if (!r && CRYPTO_memcmp(mac, c->mac, sizeof(mac)))
		r = -OTP_EINVAL;
	OPENSSL_cleanse(mac, sizeof(mac));
	return r;
}

int
keyed_number(const struct secret *host_key, const char *purpose, const char *text, uint64_t *out)
{
	const char *const part[] = {purpose, text};
	unsigned char mac[STORE_MAC_LEN];
	int r = keyed_mac(host_key, part, 2, mac);

	*out = 0;
	for (size_t i = 0; !r && i < sizeof(*out); i++)
		*out = *out << 8 | mac[i];
	return r;
}
