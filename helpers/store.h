/*
 * The store: everything that must outlive a sign-in. Reserve, then act: what costs something is
 * counted before it is done, so that a crash never gives a free message or a free guess.
 *
 * MUST:
 *  - every operation is one transaction, and durable (on disk) when it returns 0;
 *  - a challenge is consumed at most once, whoever races;
 *  - a try is counted before the code is compared;
 *  - a clock that goes back frees nothing: events "in the future" still count;
 *  - an operation that cannot write returns -OTP_ESTORE and has changed nothing.
 *
 * The interface is a struct of functions, so that another engine can stand beside SQLite.
 */
#ifndef OTP_STORE_H
#define OTP_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/secret.h"
#include "helpers/conf.h"
#include "helpers/contacts.h"

/* Now, read once per operation by the caller. Injected in tests. */
struct instant {
	int64_t wall_ms;  /* CLOCK_REALTIME: windows */
	int64_t boot_ms;  /* CLOCK_BOOTTIME: expiry of challenges */
	char boot_id[40]; /* of the running kernel: a challenge of another boot is dead */
};

enum { STORE_ID_LEN = 32, STORE_MAC_LEN = 32, STORE_KEY_MAX = 512 };

/* A code that was sent and may still be used. */
struct challenge {
	char id[STORE_ID_LEN + 1]; /* random, hexadecimal */
	char user[256];		   /* canonical name */
	char service[256];
	char source[STORE_KEY_MAX + 1]; /* who asked: see login.c */
	char channel[64];
	char provider[64];
	char address[CONTACT_ADDRESS_MAX + 1]; /* where it went */
	unsigned char mac[STORE_MAC_LEN];      /* of the code, when it is checked here */
	bool has_mac;
	char *
	    captures; /* JSON object of the send's captures, sealed by the caller; owned; or NULL */
	/* At the provider the code belongs to the address: no other live one may stand beside it.
	 */
	bool alone_at_address;
	int64_t expires_boot_ms;
	int64_t sent_wall_ms;
	int tries; /* counted so far, all sign-ins together */
};

void challenge_clear(struct challenge *c); /* wipes and frees what it owns */

/* What a send must be counted against, all or nothing. */
struct send_count {
	char kind[16]; /* "user"; later "address", "client", "host" */
	char key[STORE_KEY_MAX + 1];
	struct conf_windows windows;
};

/* Why a reservation was refused, and until when (wall ms) it will be. */
struct store_refusal {
	char kind[16];
	int64_t until_wall_ms;
};

/* Failures in a row on one budget, then a back-off that doubles. */
struct try_rule {
	int failures;
	int64_t backoff_first_ms;
	int64_t backoff_most_ms;
	int per_challenge; /* tries on one challenge, across sign-ins */
};

/* What a provider said, when (wall, ms). 0 to go on, or an error that ends the listing. */
typedef int credits_fn(
    const char *provider, const char *channel, int64_t credits, int64_t said_wall_ms, void *arg);

struct store;
struct store_ops {
	/*
	 * Counts a send against every entry, in one transaction, before it is made. *id names the
	 * reservation. -OTP_ELIMIT with *why; -OTP_ESTORE.
	 */
	int (*send_reserve)(struct store *s, const struct instant *now,
	    const struct send_count *count, size_t n, int64_t *id, struct store_refusal *why);
	/* Gives a reservation back: nothing was sent, or the challenge ended in ok. */
	int (*send_return)(struct store *s, int64_t id);

	/*
	 * Stores a new challenge under its send's reservation; every older live one of the same
	 * user, service and source is dead from now on.
	 */
	int (*challenge_put)(struct store *s, const struct instant *now, const struct challenge *c,
	    int64_t reservation);
	/* The live, unconsumed one, or -OTP_ENOENT. */
	int (*challenge_find)(struct store *s, const struct instant *now, const char *user,
	    const char *service, const char *source, struct challenge *out);
	/* Dead without use, e.g. because its tries are spent. Unknown ids are fine. */
	int (*challenge_kill)(struct store *s, const char *id);

	/*
	 * Counts a try against the challenge and against the budget, before the code is compared.
	 * -OTP_EUSED: consumed by a sibling, nothing counted; -OTP_ENOENT: expired, dead or gone,
	 * nothing counted; -OTP_ELIMIT: the budget is locked (*until_wall_ms, nothing counted) or
	 * the challenge has no tries left (*until_wall_ms = 0). On 0, *left is how many tries this
	 * challenge still has after this one.
	 */
	int (*try_count)(struct store *s, const struct instant *now, const char *id,
	    const char *budget, const struct try_rule *rule, int *left, int64_t *until_wall_ms);
	/*
	 * Counts a failure where there is no challenge (a decoy, a malformed code). -OTP_ELIMIT as
	 * above when the budget is locked already.
	 */
	int (*failure_count)(struct store *s, const struct instant *now, const char *budget,
	    const struct try_rule *rule, int64_t *until_wall_ms);
	/* Is the budget locked now? 0 (not), -OTP_ELIMIT with *until_wall_ms. Counts nothing. */
	int (*locked)(struct store *s, const struct instant *now, const char *budget,
	    const struct try_rule *rule, int64_t *until_wall_ms);

	/*
	 * The code was right: consumes the challenge, resets the budget's failures and gives its
	 * send back, in one durable transaction. -OTP_EUSED when a sibling was first,
	 * -OTP_ENOENT when it is dead or expired.
	 */
	int (*consume)(
	    struct store *s, const struct instant *now, const char *id, const char *budget);

	/*
	 * Takes back the last try on a challenge: it was not compared, and never reached a wire.
	 */
	int (*try_return)(struct store *s, const char *id, const char *budget);
	/* -OTP_EUSED when the challenge is consumed, else 0. */
	int (*challenge_used)(struct store *s, const char *id);

	/* Tokens of providers, sealed by the caller, kept until keep_wall_ms. */
	int (*session_get)(struct store *s, const struct instant *now, const char *key,
	    struct secret *sealed); /* or -OTP_ENOENT */
	int (*session_put)(struct store *s, const struct instant *now, const char *key,
	    const char *sealed, int64_t keep_wall_ms);
	int (*session_drop)(struct store *s, const char *key);
	/* How many messages a provider said are left on a channel. */
	int (*credits_put)(struct store *s, const struct instant *now, const char *provider,
	    const char *channel, int64_t credits);
	int (*credits_each)(struct store *s, credits_fn *fn, void *arg);

	void (*close)(struct store *s);
};
struct store {
	const struct store_ops *ops;
};

/*
 * Called while the database is locked by a sibling, every few milliseconds; sleeps by polling the
 * peer. 0 to go on waiting, anything else gives up (-OTP_ESTORE).
 */
typedef int store_wait_fn(void *arg);

/*
 * dir/store.db must exist, be ours (application_id, schema version) and be owned by the caller's
 * effective uid, and dir must not be writable by others. dir/reserve is a file of spare bytes that
 * is given up when the disk is full. Never creates a database. wait may be NULL: then a lock is
 * waited for for at most 10 s.
 * 0, -OTP_ESTORE, -OTP_EPERM. The cause is logged.
 */
int store_sqlite_open(const char *dir, store_wait_fn *wait, void *arg, struct store **out);
/* For otpctl init, as the user who will own it: -OTP_EEXIST when there is one. */
int store_sqlite_create(const char *dir);

/* What every engine has in common: store.c. */

/*
 * Until when (wall ms) a budget is locked after so many failures in a row, the last of them at
 * last_wall_ms; 0 where there are too few for a lock.
 */
int64_t try_locked_until(const struct try_rule *rule, int64_t failures, int64_t last_wall_ms);
/* Does the rule make sense (counts and times positive, first <= most)? 0 or -OTP_EINVAL. */
int try_rule_check(const struct try_rule *rule);

enum { STORE_SPARE = 256 * 1024 }; /* bytes of the spare file */

/*
 * Makes the spare file whole where it is missing or short and the disk has plenty of room. Best
 * effort: a failure only means that there is less to give up later.
 */
void spare_keep(int dir);
/* Gives its bytes back to the disk: true when there were any. */
bool spare_give_up(int dir);

#endif
