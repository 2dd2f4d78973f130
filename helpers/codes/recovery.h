/*
 * Recovery codes, which a user keeps on paper for the day when no message arrives. They are look-up
 * secrets of NIST SP 800-63B: each is used once, and with less than 112 bits it is stored as a
 * salted hash that is slow to guess (also OWASP ASVS 6.5.2). From 64 bits on the standard demands
 * no limit of tries, but here there is one. These codes have 80 random bits, and the hash is
 * scrypt.
 *
 * A code is the prefix "rc-" and 16 characters of Crockford's base32 in groups of four:
 * rc-7k2m-9xqd-4hvt-w3np. By the prefix the helper knows it from every other answer, and never
 * sends it to a provider. Its canonical form is the 16 characters alone, in lower case.
 */
#ifndef OTP_CODES_RECOVERY_H
#define OTP_CODES_RECOVERY_H

#include <stdbool.h>

#include "common/secret.h"
#include "helpers/store/store.h"

enum {
	RECOVERY_CODE_MAX = 40, /* bytes of room for a code as it is shown */
	RECOVERY_SYMBOLS = 16,	/* characters of the canonical form */
};

/*
 * True if the plain text (typed_plain()) of an answer begins with "rc". Such an answer counts as a
 * recovery code even if its form is wrong. Only recovery_read() may read it.
 */
bool recovery_is(const char *typed);

/*
 * Writes the canonical form of an answer into *out. It drops the prefix, blanks and dashes, and
 * reads o as 0, i and l as 1. 0; -OTP_EINVAL: this is not "rc-" and RECOVERY_SYMBOLS letters or
 * digits; -OTP_ETOOBIG; -OTP_ENOMEM. After an error *out is empty.
 */
int recovery_read(const char *typed, struct secret *out);

/*
 * Makes a new code as it is shown. Every code is equally likely. 0, -OTP_ECRYPTO, -OTP_ETOOBIG or
 * -OTP_ENOMEM.
 */
int recovery_make(struct secret *code);

/* Makes the salt for the hashes of one set of recovery codes. 0 or -OTP_ECRYPTO. */
int recovery_salt(unsigned char salt[RECOVERY_SALT_LEN]);

/*
 * Computes the hash that is stored: scrypt with N = 2^14, r = 8, p = 1, which takes about 50 ms and
 * 16 MiB. 0; -OTP_EINVAL: the code is not canonical; -OTP_ECRYPTO: also if memory is short. After
 * an error the hash is wiped.
 */
int recovery_hash(const struct secret *canonical, const unsigned char salt[RECOVERY_SALT_LEN],
    unsigned char hash[RECOVERY_HASH_LEN]);

#endif
