/*
 * Codes that the helper makes and checks, the HMAC by which the store compares them, and other
 * values that are random or depend on the host key. OpenSSL does the cryptography.
 */
#ifndef OTP_CODES_CODE_H
#define OTP_CODES_CODE_H

#include <stdint.h>
#include <sys/types.h>

#include "common/secret.h"
#include "helpers/store/store.h"

enum {
	HOST_KEY_MIN = 32, /* bytes */
	CODE_DIGITS_MIN = 6,
	CODE_DIGITS_MAX = 10, /* of a code that the helper makes */
	CODE_TYPED_MAX = 16,  /* of any code that a user types */
};

/*
 * Reads the host key into *out: a secret file of HOST_KEY_MIN bytes or more that belongs to root or
 * to second_owner. 0, -OTP_EINVAL if it is too short, or the errors of trust_read().
 */
int host_key_read(const char *path, uid_t second_owner, struct secret *out);

/* Writes len random bytes, at most 64, as 2*len hexadecimal digits and a NUL. 0 or -OTP_ESYS. */
int random_id(char *hex, size_t len);

/*
 * Makes a code of so many decimal digits; each value is equally likely. 0, -OTP_EINVAL (digits is
 * below CODE_DIGITS_MIN or above CODE_DIGITS_MAX), -OTP_ECRYPTO or -OTP_ENOMEM.
 */
int code_make(int digits, struct secret *out);

/*
 * Reads the code that the user typed into *out. Its plain text (typed_plain()), without blanks and
 * dashes, must consist of decimal digits: at least `least`, at most `most`.
 * 0; -OTP_EINVAL: it is not such a code; -OTP_ETOOBIG; -OTP_ENOMEM. After an error *out is empty.
 */
int code_read(const char *typed, int least, int most, struct secret *out);

/*
 * Writes the HMAC-SHA-256 under the host key of id, user, service and code into mac, for the store
 * to compare. 0, -OTP_ETOOBIG, -OTP_ENOMEM or -OTP_ECRYPTO.
 */
int challenge_mac(const struct challenge *c, const struct secret *host_key, const char *code,
    unsigned char mac[STORE_MAC_LEN]);
/* Writes that HMAC into c->mac. 0 or the errors of challenge_mac(). */
int challenge_seal(struct challenge *c, const struct secret *host_key, const char *code);
/* Writes random bytes into c->mac, so that every code is wrong: for decoys. 0 or -OTP_ECRYPTO. */
int challenge_seal_nothing(struct challenge *c);

/*
 * Makes *out a number that depends on the host key, a purpose and a text, and that looks random. 0
 * or the errors of challenge_mac(), with *out 0.
 */
int keyed_number(
    const struct secret *host_key, const char *purpose, const char *text, uint64_t *out);

#endif
