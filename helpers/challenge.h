/* Codes and what proves them: random, keyed, compared in constant time. OpenSSL does the work. */
#ifndef OTP_CHALLENGE_H
#define OTP_CHALLENGE_H

#include <stdint.h>
#include <sys/types.h>

#include "common/secret.h"
#include "helpers/store.h"

enum { HOST_KEY_MIN = 32, CODE_DIGITS_MIN = 6, CODE_DIGITS_MAX = 10, CODE_TYPED_MAX = 16 };

/*
 * The host key, of a file that is root's or also's and secret, of HOST_KEY_MIN bytes or more.
 * -OTP_EINVAL: it is too short; else as trust_read().
 */
int host_key_read(const char *path, uid_t also, struct secret *out);

/* len random bytes, 64 at most, as 2*len hexadecimal digits and a NUL. 0 or -OTP_ESYS. */
int random_id(char *hex, size_t len);

/* A code of so many decimal digits, each value equally likely. 0, -OTP_EINVAL, -OTP_ECRYPTO. */
int code_make(int digits, struct secret *out);

/*
 * Makes *out the code that a person typed: its plain text (typed_plain()) without blanks and
 * dashes, from least to most decimal digits. 0, or with an empty *out -OTP_EINVAL (this is no such
 * code), -OTP_ETOOBIG or -OTP_ENOMEM.
 */
int code_read(const char *typed, int least, int most, struct secret *out);

/* HMAC-SHA-256 under the host key of id, user, service and code, into c->mac. */
int challenge_seal(struct challenge *c, const struct secret *host_key, const char *code);
/* A seal that no code opens: for decoys. */
int challenge_seal_nothing(struct challenge *c);
/* What the code would have to be sealed with, for the store to compare. 0 or -OTP_ECRYPTO. */
int challenge_mac(const struct challenge *c, const struct secret *host_key, const char *code,
    unsigned char mac[STORE_MAC_LEN]);

/* A number that depends on the host key, a purpose and a text, and looks random. */
int keyed_number(
    const struct secret *host_key, const char *purpose, const char *text, uint64_t *out);

#endif
