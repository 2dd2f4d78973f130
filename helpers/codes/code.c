#include "helpers/codes/code.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/trust.h"
#include "helpers/base/typed.h"

enum { HOST_KEY_MAX = 4096 };

int
host_key_read(const char *path, uid_t second_owner, struct secret *out)
{
	int r = trust_read(path, second_owner, TRUST_SECRET, HOST_KEY_MAX, out);

	return !r && out->len < HOST_KEY_MIN ? -OTP_EINVAL : r;
}

int
random_id(char *hex, size_t len)
{
	unsigned char bytes[64];

	/*
	 * OpenSSL is not used: its generator takes a millisecond to start, and a sign-in without a
	 * code does not need OpenSSL otherwise. For up to 256 bytes, getrandom(2) returns all that
	 * were asked for.
	 */
	if (len > sizeof(bytes) || getrandom(bytes, len, 0) != (ssize_t)len)
		return -OTP_ESYS;
	for (size_t i = 0; i < len; i++)
		(void)sprintf(hex + 2 * i, "%02x", bytes[i]);
	return 0;
}

/* Makes a random digit. Bytes from 250 on are dropped, because they would favour 0 to 5. */
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
	int r = typed_plain(typed, out);
	size_t digits;

	if (r)
		return r;
	typed_join(out);
	digits = strspn(secret_str(out), "0123456789");
	if (digits == out->len && out->len <= CODE_TYPED_MAX && (int)digits >= least &&
	    (int)digits <= most)
		return 0;
	secret_clear(out);
	return -OTP_EINVAL;
}

/* Computes the HMAC of the parts. Each ends in a NUL, so that no two lists have the same text. */
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

int
challenge_mac(const struct challenge *c, const struct secret *host_key, const char *code,
    unsigned char mac[STORE_MAC_LEN])
{
	const char *const part[] = {"code", c->id, c->user, c->service, code};

	return keyed_mac(host_key, part, sizeof(part) / sizeof(*part), mac);
}

int
challenge_seal(struct challenge *c, const struct secret *host_key, const char *code)
{
	int r = challenge_mac(c, host_key, code, c->mac);

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
