/*
 * MUST:
 *  - a code and the bytes it is made of are wiped before a function returns, also after an error;
 *  - every code is equally likely: each character has five bits of random bytes;
 *  - an answer that is not exactly one code is refused; nothing is cut off or guessed.
 */
#include "helpers/codes/recovery.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "common/err.h"
#include "helpers/base/typed.h"

enum {
	RANDOM_LEN = 10, /* bytes: 16 characters of 5 bits each */
	GROUP = 4,
	SCRYPT_N = 1 << 14,
	SCRYPT_R = 8,
	SCRYPT_P = 1,
	SCRYPT_MEMORY_MAX = 32 * 1024 * 1024,
};

_Static_assert(RANDOM_LEN * 8 == RECOVERY_SYMBOLS * 5, "no bit too many, none too few");

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
static const char prefix[] = "rc";

enum { PREFIX = sizeof(prefix) - 1 };

static bool
has_prefix(const struct secret *plain)
{
	return !strncmp(secret_str(plain), prefix, PREFIX);
}

bool
recovery_is(const char *typed)
{
	_auto_secret struct secret plain = {0};

	return !typed_plain(typed, &plain) && has_prefix(&plain);
}

/* Returns the symbol of Crockford's base32, which reads o, i and l as digits, or '\0' if none. */
static char
symbol(char c)
{
	if (c == 'o')
		return '0';
	if (c == 'i' || c == 'l')
		return '1';
	return c && strchr(alphabet, c) ? c : '\0';
}

/* Reads plain text that begins with the prefix into its canonical form. */
static int
read_symbols(struct secret *plain, struct secret *out)
{
	int r;

	typed_join(plain);
	if (plain->len != PREFIX + RECOVERY_SYMBOLS)
		return -OTP_EINVAL;
	r = secret_set(out, plain->bytes + PREFIX, RECOVERY_SYMBOLS);
	for (size_t i = 0; !r && i < RECOVERY_SYMBOLS; i++) {
		out->bytes[i] = symbol(out->bytes[i]);
		if (!out->bytes[i])
			r = -OTP_EINVAL;
	}
	return r;
}

int
recovery_read(const char *typed, struct secret *out)
{
	_auto_secret struct secret plain = {0};
	int r = typed_plain(typed, &plain);

	secret_clear(out);
	if (!r)
		r = has_prefix(&plain) ? read_symbols(&plain, out) : -OTP_EINVAL;
	if (r)
		secret_clear(out);
	return r;
}

/* Writes the code as it is shown. Returns its length. */
static size_t
write_code(const unsigned char bytes[RANDOM_LEN], char text[RECOVERY_CODE_MAX])
{
	size_t len = PREFIX;

	memcpy(text, prefix, PREFIX);
	for (size_t i = 0; i < RECOVERY_SYMBOLS; i++) {
		size_t bit = i * 5;
		unsigned two = (unsigned)bytes[bit / 8] << 8;

		if (bit / 8 + 1 < RANDOM_LEN)
			two |= bytes[bit / 8 + 1];
		if (i % GROUP == 0)
			text[len++] = '-';
		text[len++] = alphabet[two >> (11 - bit % 8) & 31];
	}
	return len;
}

int
recovery_make(struct secret *code)
{
	unsigned char bytes[RANDOM_LEN];
	char text[RECOVERY_CODE_MAX];
	int r = -OTP_ECRYPTO;

	secret_clear(code);
	if (RAND_priv_bytes(bytes, sizeof(bytes)) == 1)
		r = secret_set(code, text, write_code(bytes, text));
	otp_wipe_array(bytes);
	otp_wipe_array(text);
	return r;
}

int
recovery_salt(unsigned char salt[RECOVERY_SALT_LEN])
{
	return RAND_bytes(salt, RECOVERY_SALT_LEN) == 1 ? 0 : -OTP_ECRYPTO;
}

int
recovery_hash(const struct secret *canonical, const unsigned char salt[RECOVERY_SALT_LEN],
    unsigned char hash[RECOVERY_HASH_LEN])
{
	OPENSSL_cleanse(hash, RECOVERY_HASH_LEN);
	if (canonical->len != RECOVERY_SYMBOLS ||
	    strspn(secret_str(canonical), alphabet) != RECOVERY_SYMBOLS)
		return -OTP_EINVAL;
	if (EVP_PBE_scrypt(canonical->bytes, canonical->len, salt, RECOVERY_SALT_LEN, SCRYPT_N,
		SCRYPT_R, SCRYPT_P, SCRYPT_MEMORY_MAX, hash, RECOVERY_HASH_LEN) == 1)
		return 0;
	OPENSSL_cleanse(hash, RECOVERY_HASH_LEN);
	return -OTP_ECRYPTO;
}
