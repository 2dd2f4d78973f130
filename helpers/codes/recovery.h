/*
 * Recovery codes: what a person has on paper for the day when no message comes. They are look-up
 * secrets as NIST SP 800-63B calls them: each is used once, and below 112 bits they are stored as a
 * salted hash that is slow to guess (ASVS 6.5.2 says the same); from 64 bits on, online guessing
 * needs no limit of its own, yet here it has one. These have 80 random bits and scrypt.
 *
 * A code is the prefix "rc-" and 16 characters of Crockford's base32 in groups of four:
 * rc-7k2m-9xqd-4hvt-w3np. The prefix tells it from every other answer, so that it is never sent to
 * a provider. Its canonical form is the 16 characters alone, lower case.
 */
#ifndef OTP_CODES_RECOVERY_H
#define OTP_CODES_RECOVERY_H

#include <stdbool.h>

#include "common/secret.h"
#include "helpers/store/store.h"

enum {
	RECOVERY_CODE_MAX = 40, /* bytes of a code as it is shown, with room */
	RECOVERY_SYMBOLS = 16,	/* of the canonical form */
};

/*
 * True if the plain text (typed_plain()) of what was typed begins with "rc". recovery_read() alone
 * reads such an answer: it is a recovery code, or one of the wrong form, and never another answer.
 */
bool recovery_is(const char *typed);

/*
 * Makes *out the canonical form of what was typed: its plain text without the prefix, blanks and
 * dashes, o read as 0, i and l as 1. 0, or with an empty *out -OTP_EINVAL (a recovery code is
 * "rc-" and RECOVERY_SYMBOLS letters or digits, and this has another form), -OTP_ETOOBIG or
 * -OTP_ENOMEM.
 */
int recovery_read(const char *typed, struct secret *out);

/* A new code as it is shown; every one is equally likely. 0, -OTP_ECRYPTO, -OTP_ENOMEM. */
int recovery_make(struct secret *code);

/* The salt of an issue. 0 or -OTP_ECRYPTO. */
int recovery_salt(unsigned char salt[RECOVERY_SALT_LEN]);

/*
 * scrypt, N = 2^14, r = 8, p = 1: some 50 ms and 16 MiB. 0, -OTP_EINVAL for what is not canonical,
 * -OTP_ECRYPTO (no memory, too), with a hash that is wiped.
 */
int recovery_hash(const struct secret *canonical, const unsigned char salt[RECOVERY_SALT_LEN],
    unsigned char hash[RECOVERY_HASH_LEN]);

#endif
