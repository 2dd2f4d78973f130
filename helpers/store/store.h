/*
 * The store: everything that must outlive a sign-in. Reserve, then act: what costs something is
 * counted before it is done, so that a crash never gives a free message or a free guess.
 *
 * MUST:
 *  - every operation is one transaction, and durable (on disk) when it returns 0 or has counted;
 *  - a challenge is consumed at most once, whoever races;
 *  - a try is counted before the code goes anywhere, or in the transaction that compares it;
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
#include "helpers/conf/conf.h"
#include "helpers/contacts/contacts.h"
#include "helpers/base/instant.h"

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

/*
 * Who pays: failures in a row and messages are counted apart for each. The owner is a user, an
 * address, a client, a bucket of unknown users; the place is where a user has signed in before,
 * or "" for all strangers together. The kind is never empty (-OTP_EINVAL).
 */
struct budget {
	char kind[24];
	char owner[256];
	char known_source[STORE_KEY_MAX + 1];
};

enum send_mode {
	SEND_RETURNS, /* a sign-in that ends in ok gives it back */
	SEND_STAYS,   /* it does not: what was sent was sent */
	SEND_LOOKS,   /* must have room, but is not charged: a decoy sends nothing */
};

/* What a send must be counted against, all or nothing. */
struct send_count {
	struct budget budget;
	struct conf_windows windows;
	enum send_mode mode;
};

/* Why a reservation was refused, and until when (wall ms) it will be. */
struct store_refusal {
	char kind[24]; /* of the budget that is longest spent */
	int64_t until_wall_ms;
};

#define STORE_FOREVER INT64_MAX /* as a time: until somebody unlocks it */

/*
 * Failures in a row on one budget, then a back-off that doubles, then the end: `most` in a row and
 * no more, until the budget is unlocked or reset.
 */
struct try_rule {
	int failures;
	int most;
	int64_t backoff_first_ms;
	int64_t backoff_most_ms;
	int per_challenge; /* tries on one challenge, across sign-ins */
};

/* One issue of recovery codes. Found: the salt, and n, how many are not used yet; no hashes. */
enum { RECOVERY_CODES = 10, RECOVERY_SALT_LEN = 16, RECOVERY_HASH_LEN = 32 };

struct recovery {
	char id[STORE_ID_LEN + 1]; /* of the issue: random, hexadecimal */
	unsigned char salt[RECOVERY_SALT_LEN];
	unsigned char hash[RECOVERY_CODES][RECOVERY_HASH_LEN];
	int n;
	int64_t issued_wall_ms; /* when found: recovery_put()'s now */
};

/* How a real send or check went, newest first: what decoys are made to look like. */
struct sample {
	int64_t at_wall_ms;
	int64_t took_ms;
	int outcome; /* the caller's */
};
enum { SAMPLES_KEPT = 64 };

/* What holds for one user, for who looks after it. Borrowed for the call. */
enum fact_kind {
	FACT_FAILURES,	  /* n in a row on the budget, the last at at_wall_ms */
	FACT_SEND,	  /* counted against the budget at at_wall_ms */
	FACT_CHALLENGE,	  /* live; n tries; detail: "SERVICE CHANNEL PROVIDER"; at: when sent */
	FACT_SOURCE,	  /* known since a sign-in at at_wall_ms: budget.place */
	FACT_RECOVERY,	  /* n codes left of those issued at at_wall_ms */
	FACT_RETRY_AFTER, /* detail: a provider that wants no request for owner until at_wall_ms */
};

struct store_fact {
	enum fact_kind kind;
	struct budget budget; /* of failures, sends and places; a pause: owner is the address */
	int64_t n;
	int64_t at_wall_ms;
	const char *detail; /* never NULL */
};

/* 0 to go on, or an error that ends the listing. */
typedef int fact_fn(const struct store_fact *f, void *arg);

/* What a provider said, when (wall, ms). 0 to go on, or an error that ends the listing. */
typedef int credits_fn(
    const char *provider, const char *channel, int64_t credits, int64_t said_wall_ms, void *arg);

/* A place counts as known for so long after a sign-in from it; of each user the newest are kept. */
#define SOURCE_KNOWN_MS (INT64_C(30) * 24 * 60 * 60 * 1000)
enum { SOURCES_KEPT = 32 };

/* What a sign-in that ends in ok leaves behind, in the transaction that lets it in. Borrowed. */
struct success_effects {
	const char *known_source; /* known from now on for the user; NULL or "" for none */
	const char *remember;	  /* not asked again there for a while; NULL or "" for nowhere */
};

/*
 * A try of a code: what is compared, what pays for it, and what follows when it is right. Each
 * operation names the members that it reads; the others may stay zero. Pointers are borrowed for
 * the call.
 */
struct trial {
	const char *id;		    /* of the challenge, or of the issue of recovery codes */
	const char *user;	    /* whose recovery codes */
	const unsigned char *proof; /* STORE_MAC_LEN or RECOVERY_HASH_LEN bytes */
	const struct budget *budget;
	struct try_rule rule;
	struct success_effects effects;
	int64_t lease_ms;
};

/* What a trial came to. Each operation sets both, to 0 where they mean nothing. */
struct trial_result {
	int left;	       /* tries of the challenge, or recovery codes of the issue */
	int64_t until_wall_ms; /* the budget is locked until then */
};

/* The longest that anything is remembered. */
#define REMEMBER_MOST_MS (INT64_C(24) * 60 * 60 * 1000)

/* A remembered sign-in. 0 to go on, or an error that ends the listing. */
typedef int remembered_fn(const char *user, const char *key, int64_t made_wall_ms, void *arg);

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
	 * Of those with the same number one at a time, until it ends its turn or its process ends;
	 * at most one turn a store. 0; -OTP_EBUSY: it is another's; -OTP_ESTORE, logged: turns
	 * cannot be taken here.
	 */
	int (*send_lock_take)(struct store *s, uint64_t number);
	void (*send_lock_release)(struct store *s);

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
	 * A code that is checked here. In one transaction: counts the try against the challenge and
	 * the budget, compares in constant time and, if the code is right, does what consume()
	 * does. Of many that try the right code at once, one is let in; the others find it used,
	 * and no try is counted for them. Reads id, proof, budget, rule and effects.
	 * 0: right, and consumed. -OTP_EWRONG: wrong, counted; out->left is how many tries the
	 * challenge still has. Nothing is counted in the other cases. -OTP_EUSED: a sibling has
	 * consumed it. -OTP_ENOENT: it is expired, dead or gone. -OTP_ELIMIT: the budget is locked
	 * until out->until_wall_ms; where that is 0, the challenge has no tries left. -OTP_EINVAL:
	 * a member is missing or senseless, or the challenge has no MAC. -OTP_ESTORE.
	 */
	int (*try_mac)(struct store *s, const struct instant *now, const struct trial *trial,
	    struct trial_result *out);
	/*
	 * A code that the provider checks: counts the try before it goes out, and holds the
	 * challenge for lease_ms (until consume(), check_end() or try_return()), so that siblings
	 * wait for the answer instead of spending the tries at once. Reads id, budget, rule and
	 * lease_ms. 0: counted, with out->left. -OTP_EBUSY: a sibling's check is under way, and
	 * nothing is counted. Else as try_mac(), but never -OTP_EWRONG.
	 */
	int (*try_count)(struct store *s, const struct instant *now, const struct trial *trial,
	    struct trial_result *out);
	/*
	 * The provider has answered, and it was not right: the next sibling may check. Ends no
	 * lease but the one that this s took. 0 or -OTP_ESTORE.
	 */
	int (*check_end)(struct store *s, const char *id);
	/*
	 * As check_end(), and takes the try back: it never reached a wire. Once for each
	 * try_count(); nothing where a sibling has taken the lease over. Reads id and budget.
	 * 0, -OTP_EINVAL or -OTP_ESTORE.
	 */
	int (*try_return)(struct store *s, const struct trial *trial);
	/*
	 * The provider proved the code right: consumes the challenge, resets the budget's failures,
	 * gives its send back (but what SEND_STAYS) and leaves the effects for the challenge's
	 * user, in one durable transaction. Reads id, budget and effects. 0; -OTP_EUSED: a sibling
	 * was first; -OTP_ENOENT: it is dead or expired; -OTP_EINVAL; -OTP_ESTORE.
	 */
	int (*consume)(struct store *s, const struct instant *now, const struct trial *trial);
	/*
	 * Is the budget locked now? Counts nothing. Reads budget and rule. 0: it is not;
	 * -OTP_ELIMIT with out->until_wall_ms; -OTP_EINVAL; -OTP_ESTORE.
	 */
	int (*locked)(struct store *s, const struct instant *now, const struct trial *trial,
	    struct trial_result *out);
	/* -OTP_EUSED when the challenge is consumed, else 0. */
	int (*challenge_used)(struct store *s, const char *id);

	/* Has the user signed in from there within SOURCE_KNOWN_MS? 0, or -OTP_ENOENT. */
	int (*source_known)(
	    struct store *s, const struct instant *now, const char *user, const char *known_source);

	/*
	 * How long ago the user's sign-in was remembered under the key, by the wall clock or,
	 * within one boot, by the clock that nobody sets, whichever is longer. -OTP_ENOENT, also
	 * for what was made in the future.
	 */
	int (*remembered_find)(struct store *s, const struct instant *now, const char *user,
	    const char *key, int64_t *age_ms);
	/* Of one user, or of all where user is NULL; the newest first. Or fn's error. */
	int (*remembered_each)(struct store *s, const char *user, remembered_fn *fn, void *arg);
	/* Forgets them, of one user or of all where user is NULL; *removed counts. */
	int (*remembered_drop)(struct store *s, const char *user, int *removed);

	/* A new issue takes the place of every older one of the user. */
	int (*recovery_put)(
	    struct store *s, const struct instant *now, const char *user, const struct recovery *r);
	/* The user's issue; n may be 0 when every code was used. -OTP_ENOENT. */
	int (*recovery_find)(struct store *s, const char *user, struct recovery *out);
	/*
	 * Counts a failure on the budget, compares and, if it is right, uses the code up, resets
	 * the budget, leaves the effects and ends every live challenge of the user, in one durable
	 * transaction. Reads all but lease_ms. The id "" is the issue of who has none: every code
	 * is wrong, and counted.
	 * 0 with out->left. -OTP_EWRONG: wrong, counted. Nothing is counted in the other cases.
	 * -OTP_EUSED: that code was used before. -OTP_ENOENT: the issue is gone. -OTP_ELIMIT: the
	 * budget is locked until out->until_wall_ms. -OTP_EINVAL. -OTP_ESTORE.
	 */
	int (*recovery_use)(struct store *s, const struct instant *now, const struct trial *trial,
	    struct trial_result *out);
	/* 0 or -OTP_ENOENT where there was none. */
	int (*recovery_drop)(struct store *s, const char *user);

	/* How a real send or check went; what: "send sms". Losing one costs nothing. */
	int (*sample_put)(struct store *s, const struct instant *now, const char *what,
	    int64_t took_ms, int outcome);
	/* Newest first. *n is 0 where there is none. */
	int (*samples)(
	    struct store *s, const char *what, struct sample out[SAMPLES_KEPT], size_t *n);

	/* A provider asked not to be asked about the address before until_wall_ms. */
	int (*retry_after_put)(struct store *s, const struct instant *now, const char *provider,
	    const char *address, int64_t until_wall_ms);
	/* 0 with *until_wall_ms; -OTP_ENOENT where there is none, or it is over. */
	int (*retry_after_find)(struct store *s, const struct instant *now, const char *provider,
	    const char *address, int64_t *until_wall_ms);

	/*
	 * What holds for the user and for their addresses, or with the user "" for the host: fn for
	 * each fact, those of one budget one after the other. Or fn's error.
	 */
	int (*facts)(struct store *s, const struct instant *now, const char *user,
	    const char *const *address, size_t n, fact_fn *fn, void *arg);
	/*
	 * Forgets failures, counted sends and pauses of the user, in every place, and of their
	 * addresses; challenges, known places and recovery codes stay. *removed counts rows.
	 */
	int (*unlock)(
	    struct store *s, const char *user, const char *const *address, size_t n, int *removed);

	/* Tokens of providers, sealed by the caller, kept until keep_wall_ms. */
	int (*token_get)(struct store *s, const struct instant *now, const char *key,
	    struct secret *sealed); /* or -OTP_ENOENT */
	int (*token_put)(struct store *s, const struct instant *now, const char *key,
	    const char *sealed, int64_t keep_wall_ms);
	int (*token_drop)(struct store *s, const char *key);
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
/*
 * For otpctl init, too: brings a store of an older pam_otp to this one's schema, in one
 * transaction; what it has counted and keeps stays. 0 also when there was nothing to do. Errors as
 * of opening.
 */
int store_sqlite_migrate(const char *dir);

/* What every engine has in common: store.c. */

/*
 * Until when (wall ms) a budget is locked after so many failures in a row, the last of them at
 * last_wall_ms; 0 where there are too few for a lock, STORE_FOREVER where there are `most`.
 */
int64_t try_locked_until(const struct try_rule *rule, int64_t failures, int64_t last_wall_ms);
/*
 * Has the trial a budget with a kind and a rule that makes sense (counts and times positive,
 * first <= most)? 0 or -OTP_EINVAL.
 */
int trial_check(const struct trial *t);

enum { STORE_RESERVE = 256 * 1024 }; /* bytes of the spare file */

/*
 * Makes the spare file whole where it is missing or short and the disk has plenty of room. Best
 * effort: a failure only means that there is less to give up later.
 */
void reserve_keep(int dir);
/* Gives its bytes back to the disk: true when there were any. */
bool reserve_release(int dir);

#endif
