/*
 * MUST:
 *  - a code and whatever it is made of are wiped in here, on every way out;
 *  - every code is equally likely: whole random bytes, five bits a character;
 *  - what is not exactly one code is refused: nothing is cut off, nothing is guessed.
 */
#include "helpers/recovery.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "common/err.h"

enum {
	RANDOM_LEN = 10, /* bytes: 80 bits, 16 characters of 5 */
	GROUP = 4,
	SCRYPT_N = 1 << 14,
	SCRYPT_R = 8,
	SCRYPT_P = 1,
	SCRYPT_MEMORY_MAX = 32 * 1024 * 1024,
};

_Static_assert(RANDOM_LEN * 8 == RECOVERY_SYMBOLS * 5, "no bit too many, none too few");

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
static const char prefix[] = "rc";

/* What keyboards of phones and input methods put in the place of a blank or a dash. */
static const struct {
	const char *bytes;
	char ascii;
} look_alikes[] = {
    {"\xc2\xa0", ' '},	   /* no-break space */
    {"\xe2\x80\xaf", ' '}, /* narrow no-break space */
    {"\xe3\x80\x80", ' '}, /* ideographic space */
    {"\xc2\xad", '-'},	   /* soft hyphen */
    {"\xe2\x80\x90", '-'}, /* hyphen */
    {"\xe2\x80\x91", '-'}, /* non-breaking hyphen */
    {"\xe2\x80\x92", '-'}, /* figure dash */
    {"\xe2\x80\x93", '-'}, /* en dash */
    {"\xe2\x80\x94", '-'}, /* em dash */
    {"\xe2\x88\x92", '-'}, /* minus sign */
    {"\xe3\x83\xbc", '-'}, /* prolonged sound mark: the dash key of a Japanese keyboard */
    {"\xef\xbd\xb0", '-'}, /* the same, half-width */
};

/* The full-width form of an ASCII character, U+FF01 to U+FF5E; '\0' where it is none. */
static char
full_width(const unsigned char *s)
{
	if (s[0] != 0xef)
		return '\0';
	if (s[1] == 0xbc && s[2] >= 0x81 && s[2] <= 0xbf)
		return (char)(s[2] - 0x81 + '!');
	if (s[1] == 0xbd && s[2] >= 0x80 && s[2] <= 0x9e)
		return (char)(s[2] - 0x80 + '`');
	return '\0';
}

/* The next character as lower-case ASCII, '\0' at the end, '?' for what stands for none. */
static char
next_char(const char **at)
{
	const unsigned char *s = (const unsigned char *)*at;
	char c = (char)s[0];
	size_t len = s[0] ? 1 : 0;

	if (s[0] >= 0x80) {
		c = full_width(s);
		len = c ? 3 : 1;
		for (size_t i = 0; !c && i < sizeof(look_alikes) / sizeof(*look_alikes); i++)
			if (!strncmp(*at, look_alikes[i].bytes, strlen(look_alikes[i].bytes))) {
				c = look_alikes[i].ascii;
				len = strlen(look_alikes[i].bytes);
			}
		if (!c)
			c = '?';
	}
	*at += len;
	if (c == '\t')
		return ' ';
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Behind the prefix, or NULL where it does not begin so. */
static const char *
behind_prefix(const char *typed)
{
	char c;

	do
		c = next_char(&typed);
	while (c == ' ');
	for (const char *p = prefix; *p; p++) {
		if (c != *p)
			return NULL;
		if (p[1])
			c = next_char(&typed);
	}
	return typed;
}

bool
recovery_is(const char *typed)
{
	return behind_prefix(typed) != NULL;
}

/* Crockford's: letters that look like digits are those digits. '\0' for what is no symbol. */
static char
symbol(char c)
{
	if (c == 'o')
		return '0';
	if (c == 'i' || c == 'l')
		return '1';
	return c && strchr(alphabet, c) ? c : '\0';
}

int
recovery_read(const char *typed, struct secret *out)
{
	const char *at = behind_prefix(typed);
	char code[RECOVERY_SYMBOLS], c;
	int r = -OTP_EINVAL;
	size_t n = 0;

	secret_clear(out);
	while (at && (c = next_char(&at))) {
		if (c == ' ' || c == '-')
			continue;
		c = symbol(c);
		if (!c || n == sizeof(code))
			goto out;
		code[n++] = c;
	}
	if (n == sizeof(code))
		r = secret_set(out, code, n);
out:
	OPENSSL_cleanse(&c, sizeof(c));
	otp_wipe_array(code);
	return r;
}

/* As it is shown; returns its length. */
static size_t
write_code(const unsigned char bytes[RANDOM_LEN], char text[RECOVERY_CODE_MAX])
{
	size_t len = strlen(prefix);

	memcpy(text, prefix, len);
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
