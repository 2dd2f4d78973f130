/*
 * One try of a code: what is compared, what pays for it, when failures lock, and what follows if
 * the code is right. The operations of store.h that try a code take this.
 */
#ifndef OTP_STORE_TRIAL_H
#define OTP_STORE_TRIAL_H

#include <stdint.h>

enum { STORE_ID_LEN = 32, STORE_MAC_LEN = 32, STORE_KEY_MAX = 512 };

/*
 * What failures in a row and messages are counted against. Each budget has counts of its own.
 *
 * The owner is a user, an address, a client, or one of the numbered buckets that names without an
 * account share. A budget of a known source, or one for failures from a network that is only seen,
 * belongs to sign-ins from there alone; with known_source "", all other sources share it. The kind
 * must not be empty.
 */
struct budget {
	char kind[24];
	char owner[256];
	char known_source[STORE_KEY_MAX + 1];
};

/* Used in place of a time: the lock lasts until an administrator ends it. */
#define STORE_FOREVER INT64_MAX

/*
 * When failures in a row lock a budget. The first lock comes with `failures` in a row and lasts
 * backoff_first_ms; each further failure doubles it, up to backoff_most_ms. With `most` in a row
 * the lock has no end until the budget is unlocked or reset.
 */
struct try_rule {
	int failures;
	int most;
	int64_t backoff_first_ms;
	int64_t backoff_most_ms;
	int per_challenge; /* tries of one challenge, in all sign-ins together */
};

/*
 * What a sign-in that ends in success leaves behind for its user. The transaction that lets the
 * user in also writes this.
 */
struct success_effects {
	const char *known_source; /* is known or seen from now on; NULL or "" for none */
	/* Where the user is not asked again for a while (struct source, remember); NULL or "" for
	 * nowhere. */
	const char *remember;
};

/*
 * One try of a code: what is compared, which budget pays for it, and what follows if it is right.
 * Each operation names the members that it reads; the others may stay zero.
 */
struct trial {
	const char *id;		    /* of the challenge, or of the set of recovery codes */
	const char *user;	    /* owner of the recovery codes */
	const unsigned char *proof; /* STORE_MAC_LEN or RECOVERY_HASH_LEN bytes */
	const struct budget *budget;
	struct try_rule rule;
	struct success_effects effects;
	int64_t lease_ms; /* how long other sign-ins wait for the provider's answer */
};

/* What an operation found. It sets all members, to 0 where they have no meaning. */
struct trial_result {
	int left;	       /* tries of the challenge, or unused codes of the set */
	int64_t until_wall_ms; /* when the lock of the budget ends */
	int64_t in_a_row;      /* recovery_use(): failures of the budget, with this one */
};

/* store.c: the same for every engine */

/*
 * Returns until when (wall ms) a budget is locked after so many failures in a row, the last of them
 * at last_wall_ms. It is 0 if they are too few for a lock, and STORE_FOREVER from rule->most on.
 */
int64_t try_locked_until(const struct try_rule *rule, int64_t failures, int64_t last_wall_ms);
/*
 * Checks that a trial has a budget with a kind, and a rule that makes sense: counts and times are
 * positive, and the first back-off is not longer than the longest. 0 or -OTP_EINVAL.
 */
int trial_check(const struct trial *t);

#endif
