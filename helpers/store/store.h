/*
 * The store keeps everything that must outlive a sign-in: challenges, counts of messages and of
 * failures, known sources, remembered sign-ins, recovery codes, and tokens of providers.
 *
 * What costs something is counted before it is done. So a crash never gives a free message or a
 * free guess.
 *
 * MUST:
 *  - each operation is one transaction; when it returns 0, or an error that counts something, the
 *    change is on disk;
 *  - a challenge is consumed at most once, even if many sign-ins try it at the same moment;
 *  - a try is counted before the code is sent to a provider, or in the transaction that compares
 *    the code;
 *  - a clock that is set back frees nothing: an event with a time in the future still counts;
 *  - an operation that cannot write returns -OTP_ESTORE and has changed nothing.
 *
 * The interface is a struct of functions, so that another engine can be used instead of SQLite.
 * Times that end in wall_ms are milliseconds of the wall clock since 1970. Times that end in
 * boot_ms are milliseconds since the machine started. Pointers are borrowed for the call. Each
 * operation that returns -OTP_ESTORE has logged the cause.
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
#include "helpers/store/trial.h"

/* A code that was sent, or that a decoy pretends to have sent, and that may still be used. */
struct challenge {
	char id[STORE_ID_LEN + 1]; /* random, hexadecimal */
	char user[256];		   /* canonical name */
	char service[256];
	char source[STORE_KEY_MAX + 1]; /* the joining source: key of struct source */
	char channel[64];
	char provider[64];
	char address[CONTACT_ADDRESS_MAX + 1]; /* where the code was sent */
	/* The HMAC of the code, if the helper and not the provider checks it. */
	unsigned char mac[STORE_MAC_LEN];
	bool has_mac;
	/* What was captured from the answer to the send: JSON, sealed by the caller; owned; or
	 * NULL.
	 */
	char *captures;
	/*
	 * The address as the provider knows it, if it ties a code to the address alone: then only
	 * one live challenge may have it, whoever the user is. "": the code is tied to more.
	 */
	char identity[STORE_KEY_MAX + 1];
	bool known;	/* the sign-in comes from a known source */
	bool pretended; /* nothing was sent to the address, which is real: no code is right */
	int64_t expires_boot_ms;
	int64_t sent_wall_ms;
	int tries; /* counted so far, in all sign-ins together */
};

void challenge_clear(struct challenge *c); /* wipes *c and frees what it owns */

enum send_mode {
	SEND_RETURNS,	 /* counted; a sign-in that ends in success gives the message back */
	SEND_STAYS,	 /* counted for good: the message was sent, whatever came of it */
	SEND_CHECK_ONLY, /* refused at the limit but not counted, because a decoy sends nothing */
};

/* One budget that a send is counted against, and its limits. */
struct send_count {
	struct budget budget;
	struct conf_windows windows;
	enum send_mode mode;
};

/* Why a reservation was refused. */
struct store_refusal {
	char kind[24]; /* of the budget that stays full the longest */
	int64_t until_wall_ms;
};

enum { HASH_PLACES = 4 };

enum { RECOVERY_CODES = 10, RECOVERY_SALT_LEN = 16, RECOVERY_HASH_LEN = 32 };

/*
 * One set of recovery codes, which a user was given together. recovery_put() reads the hashes of n
 * codes. recovery_find() leaves the hashes zero, and n is the number of unused codes.
 */
struct recovery {
	char id[STORE_ID_LEN + 1]; /* of the set: random, hexadecimal */
	unsigned char salt[RECOVERY_SALT_LEN];
	unsigned char hash[RECOVERY_CODES][RECOVERY_HASH_LEN];
	int n;
	int64_t issued_wall_ms; /* set by recovery_find(); recovery_put() stores `now` */
};

/* How one real send or check went. A decoy imitates the last ones. */
struct sample {
	int64_t at_wall_ms;
	int64_t took_ms;
	int outcome; /* a number of the caller's */
};
enum { SAMPLES_KEPT = 64 };

enum fact_kind {
	FACT_FAILURES,	  /* n failures in a row on the budget, the last at at_wall_ms */
	FACT_SEND,	  /* one send, counted against the budget at at_wall_ms */
	FACT_CHALLENGE,	  /* live, n tries, sent at at_wall_ms; "SERVICE CHANNEL PROVIDER" */
	FACT_SOURCE,	  /* budget.known_source; the last sign-in from there was at at_wall_ms */
	FACT_RECOVERY,	  /* n unused recovery codes, issued at at_wall_ms */
	FACT_RETRY_AFTER, /* the provider named in detail takes no request for owner until
			     at_wall_ms */
};

/* One thing that the store holds about a user, for an administrator. Borrowed for the call. */
struct store_fact {
	enum fact_kind kind;
	/* FACT_FAILURES and FACT_SEND fill it whole. For the others kind is "", and owner is the
	 * user; for FACT_RETRY_AFTER owner is the address. */
	struct budget budget;
	int64_t n;
	int64_t at_wall_ms;
	const char *detail; /* never NULL */
};

/* Takes one fact. 0 to go on, or any -OTP_E..., which ends the listing. */
typedef int fact_fn(const struct store_fact *f, void *arg);

/*
 * Takes how many messages a provider reported to be left on a channel, and when it did. 0 to go
 * on, or any -OTP_E..., which ends the listing.
 */
typedef int credits_fn(const char *provider, const char *channel, int64_t credits,
    int64_t reported_wall_ms, void *arg);

/* How long after a sign-in its source stays known. Of each user the newest ones are kept. */
#define SOURCE_KNOWN_MS (INT64_C(30) * 24 * 60 * 60 * 1000)
enum { SOURCES_KEPT = 32 };

/* No sign-in is remembered longer than this. */
#define REMEMBER_MOST_MS (INT64_C(24) * 60 * 60 * 1000)

/* Takes one remembered sign-in. 0 to go on, or any -OTP_E..., which ends the listing. */
typedef int remembered_fn(const char *user, const char *key, int64_t made_wall_ms, void *arg);

struct store;
struct store_ops {
	/*
	 * Counts a send that is still to be made against each of n budgets, or against none if one
	 * of them is at its limit. *id then names the reservation.
	 * 0; -OTP_ELIMIT: refused, see *why; -OTP_EINVAL: a kind is empty or a window makes no
	 * sense; -OTP_ESTORE.
	 */
	int (*send_reserve)(struct store *s, const struct instant *now,
	    const struct send_count *count, size_t n, int64_t *id, struct store_refusal *why);
	/*
	 * Gives a whole reservation back, because nothing was sent. An unknown id changes nothing.
	 * 0 or -OTP_ESTORE.
	 */
	int (*send_return)(struct store *s, int64_t id);
	/*
	 * Takes the send lock of a number: of all sign-ins with this number one at a time may send.
	 * A store holds at most one. It ends with send_lock_release() or with the process.
	 * 0; -OTP_EBUSY: another process holds it; -OTP_ESTORE: there is no locking here.
	 */
	int (*send_lock_take)(struct store *s, uint64_t number);
	void (*send_lock_release)(struct store *s);

	/*
	 * Stores a new challenge, with the reservation of its send. Every older live challenge of
	 * the same user, service and source dies.
	 * 0; -OTP_EINVAL: c has a malformed id or no user, or now has no boot id; -OTP_ESTORE.
	 */
	int (*challenge_put)(struct store *s, const struct instant *now, const struct challenge *c,
	    int64_t reservation);
	/*
	 * Finds the live challenge. The caller calls challenge_clear(out).
	 * 0, -OTP_ENOENT or -OTP_ESTORE.
	 */
	int (*challenge_find)(struct store *s, const struct instant *now, const char *user,
	    const char *service, const char *source, struct challenge *out);
	/*
	 * Checks whether a code that must not be ended is live at an address: a new code there
	 * would end it, because the provider ties its codes to the address alone. `identity` is the
	 * address as the provider knows it, `address` as it is in the contacts. It must not be
	 * ended by an unknown source if its sign-in comes from a known one. It must not be ended by
	 * a program that runs as a user (peer_user; else NULL) unless it is that user's and of such
	 * a program.
	 * 0: there is none; -OTP_EBUSY: there is one; -OTP_ESTORE.
	 */
	int (*challenge_spared)(struct store *s, const struct instant *now, const char *identity,
	    const char *address, const char *peer_user);
	/*
	 * Ends a challenge without use, for example because its tries are spent. An unknown id
	 * changes nothing. 0 or -OTP_ESTORE.
	 */
	int (*challenge_kill)(struct store *s, const char *id);

	/*
	 * Tries a code that is checked here. One transaction compares it in constant time. If the
	 * code is right, it does what consume() does; if not, it counts the try against the
	 * challenge and the budget. If many sign-ins try the right code at once, one is let in, and
	 * the others get -OTP_EUSED. Reads id, proof, budget, rule and effects.
	 *
	 *   0		  right: the challenge is consumed
	 *   -OTP_EWRONG  wrong: the try is counted; out->left tries of the challenge are left
	 * Nothing is compared or counted:
	 *   -OTP_EUSED	  a concurrent sign-in has consumed the challenge
	 *   -OTP_ENOENT  the challenge is expired, dead or unknown
	 *   -OTP_ELIMIT  the budget is locked until out->until_wall_ms; if that is 0, the challenge
	 *		  has no tries left
	 *   -OTP_EINVAL  a member is missing or makes no sense, or the challenge has no MAC
	 *   -OTP_ESTORE
	 */
	int (*try_mac)(struct store *s, const struct instant *now, const struct trial *trial,
	    struct trial_result *out);
	/*
	 * Counts the try of a code before it is sent to the provider, which checks it. It also
	 * takes a lease: for lease_ms, or until consume(), check_end() or try_return(), concurrent
	 * sign-ins wait for the answer instead of spending the remaining tries. Reads id, budget,
	 * rule and lease_ms.
	 * 0: counted, with out->left; -OTP_EBUSY: a concurrent sign-in has the lease, and nothing
	 * is counted; -OTP_EUSED, -OTP_ENOENT, -OTP_ELIMIT, -OTP_EINVAL or -OTP_ESTORE as in
	 * try_mac().
	 */
	int (*try_count)(struct store *s, const struct instant *now, const struct trial *trial,
	    struct trial_result *out);
	/*
	 * Ends the lease after the provider's answer that the code is not right. A lease that
	 * another store object took stays. 0 or -OTP_ESTORE.
	 */
	int (*check_end)(struct store *s, const char *id);
	/*
	 * Ends the lease and takes the try back, because the code never reached the network. It
	 * works once for each try_count(). If a concurrent sign-in has taken the lease over, it
	 * changes nothing. Reads id and budget. 0, -OTP_EINVAL or -OTP_ESTORE.
	 */
	int (*try_return)(struct store *s, const struct trial *trial);
	/*
	 * Lets the user in, because the provider proved the code right. One durable transaction
	 * consumes the challenge, resets the failures of the budget, gives the send back (except
	 * what SEND_STAYS counted) and writes the effects. Reads id, budget and effects.
	 * 0; -OTP_EUSED: a concurrent sign-in was first; -OTP_ENOENT: the challenge is dead or
	 * expired; -OTP_EINVAL; -OTP_ESTORE.
	 */
	int (*consume)(struct store *s, const struct instant *now, const struct trial *trial);
	/*
	 * Checks whether the budget is locked now. Counts nothing. Reads budget and rule.
	 * 0: it is not; -OTP_ELIMIT: until out->until_wall_ms; -OTP_EINVAL; -OTP_ESTORE.
	 */
	int (*locked)(struct store *s, const struct instant *now, const struct trial *trial,
	    struct trial_result *out);
	/*
	 * Checks whether the challenge is consumed. 0: it is not; -OTP_EUSED: it is; -OTP_ESTORE.
	 */
	int (*challenge_used)(struct store *s, const char *id);

	/*
	 * Checks whether the user signed in from this source within SOURCE_KNOWN_MS.
	 * 0: yes; -OTP_ENOENT: no; -OTP_ESTORE.
	 */
	int (*source_known)(
	    struct store *s, const struct instant *now, const char *user, const char *known_source);

	/*
	 * Finds how long ago a sign-in of the user was remembered under the key. If both times are
	 * of one boot, *age_ms is the longer of wall clock and boot clock, because the wall clock
	 * can be set.
	 * 0; -OTP_ENOENT: none, or its time is in the future; -OTP_ESTORE.
	 */
	int (*remembered_find)(struct store *s, const struct instant *now, const char *user,
	    const char *key, int64_t *age_ms);
	/*
	 * Calls fn for each remembered sign-in of the user, or of all users if user is NULL. The
	 * newest comes first. 0, -OTP_ESTORE or the error of fn.
	 */
	int (*remembered_each)(struct store *s, const char *user, remembered_fn *fn, void *arg);
	/*
	 * Forgets the remembered sign-ins of the user, or of all users if user is NULL. *removed is
	 * their number. 0 or -OTP_ESTORE.
	 */
	int (*remembered_drop)(struct store *s, const char *user, int *removed);

	/*
	 * Stores a new set of recovery codes and deletes the user's older set.
	 * 0; -OTP_EINVAL: no user, a malformed id, or n is not 1 to RECOVERY_CODES; -OTP_ESTORE.
	 */
	int (*recovery_put)(
	    struct store *s, const struct instant *now, const char *user, const struct recovery *r);
	/*
	 * Finds the user's set of recovery codes. out->n is 0 if every code was used.
	 * 0; -OTP_ENOENT: the user has no set; -OTP_ESTORE.
	 */
	int (*recovery_find)(struct store *s, const char *user, struct recovery *out);
	/*
	 * Takes a place for the slow hash of a recovery code, so that hashes never use up the
	 * processors. There are HASH_PLACES on this machine, half of them for known sources, and of
	 * the sign-ins with the same number one at a time has one. A store holds at most one place.
	 * It ends with hash_place_release() or with the process.
	 * 0; -OTP_EBUSY: others hold the places; -OTP_ESTORE: there is no locking here.
	 */
	int (*hash_place_take)(struct store *s, uint64_t number, bool known);
	void (*hash_place_release)(struct store *s);
	/*
	 * Tries a recovery code. One durable transaction compares it in constant time. If the code
	 * is right, it marks the code used, resets the budget, writes the effects and ends every
	 * live challenge of the user. If not, it counts a failure on the budget. No number of
	 * failures locks recovery codes: whoever fails on purpose could keep out the user who has
	 * one. Reads all members but lease_ms. The id "" stands for a user without codes, for whom
	 * every code is wrong.
	 *
	 *   0		  right: the code is used now; out->left unused codes are left
	 *   -OTP_EWRONG  wrong: the failure is counted; out->in_a_row
	 * Nothing is counted:
	 *   -OTP_EUSED	  this code was used before
	 *   -OTP_ENOENT  the set of codes is gone
	 *   -OTP_EINVAL  a member is missing or makes no sense
	 *   -OTP_ESTORE
	 */
	int (*recovery_use)(struct store *s, const struct instant *now, const struct trial *trial,
	    struct trial_result *out);
	/*
	 * Deletes the user's set of recovery codes, and forgets the user's remembered sign-ins,
	 * which may have come from it; recovery_put() does so, too.
	 * 0; -OTP_ENOENT: there was no set; -OTP_ESTORE.
	 */
	int (*recovery_drop)(struct store *s, const char *user);

	/*
	 * Keeps how a real send or check went. `what` names a kind of request, such as "send sms".
	 * 0 or -OTP_ESTORE; the caller may ignore it, for a lost sample does no harm.
	 */
	int (*sample_put)(struct store *s, const struct instant *now, const char *what,
	    int64_t took_ms, int outcome);
	/* Reads the samples, the newest first; *n may be 0. 0 or -OTP_ESTORE. */
	int (*samples)(
	    struct store *s, const char *what, struct sample out[SAMPLES_KEPT], size_t *n);

	/*
	 * Keeps that a provider wants no request for the address before until_wall_ms. An earlier
	 * time never replaces a later one. 0 or -OTP_ESTORE.
	 */
	int (*retry_after_put)(struct store *s, const struct instant *now, const char *provider,
	    const char *address, int64_t until_wall_ms);
	/*
	 * Finds the time that retry_after_put() has kept. 0; -OTP_ENOENT: there is none, or it has
	 * passed; -OTP_ESTORE.
	 */
	int (*retry_after_find)(struct store *s, const struct instant *now, const char *provider,
	    const char *address, int64_t *until_wall_ms);

	/*
	 * Calls fn for each fact about the user and their n addresses; with the user "", for each
	 * about this host. The facts of one budget follow each other.
	 * 0, -OTP_ESTORE or the error of fn.
	 */
	int (*facts)(struct store *s, const struct instant *now, const char *user,
	    const char *const *address, size_t n, fact_fn *fn, void *arg);
	/*
	 * Forgets failures and counted sends of the user, from every source, and of their n
	 * addresses, and the retry-after times of these. Ends the live challenges of the user from
	 * unknown sources. Those of known ones, known sources and recovery codes stay. *removed is
	 * the number of rows. 0 or -OTP_ESTORE.
	 */
	int (*unlock)(
	    struct store *s, const char *user, const char *const *address, size_t n, int *removed);

	/*
	 * Reads the token of a provider, which the caller has sealed.
	 * 0; -OTP_ENOENT: none, or not to be kept any longer; -OTP_ETOOBIG; -OTP_ENOMEM;
	 * -OTP_ESTORE.
	 */
	int (*token_get)(
	    struct store *s, const struct instant *now, const char *key, struct secret *sealed);
	/* Keeps a sealed token until keep_wall_ms, in place of an older one. 0 or -OTP_ESTORE. */
	int (*token_put)(struct store *s, const struct instant *now, const char *key,
	    const char *sealed, int64_t keep_wall_ms);
	/* Deletes a token, if there is one. 0 or -OTP_ESTORE. */
	int (*token_drop)(struct store *s, const char *key);
	/* Keeps how many messages a provider reported to be left on a channel. 0 or -OTP_ESTORE. */
	int (*credits_put)(struct store *s, const struct instant *now, const char *provider,
	    const char *channel, int64_t credits);
	/*
	 * Calls fn for each number of messages that credits_put() has kept. 0, -OTP_ESTORE or the
	 * error of fn.
	 */
	int (*credits_each)(struct store *s, credits_fn *fn, void *arg);

	void (*close)(struct store *s);
};
struct store {
	const struct store_ops *ops;
};

/*
 * Called again and again, every few milliseconds, while another process has the database locked.
 * It sleeps, and watches the peer while it does. 0 to go on waiting; any -OTP_E... ends the wait,
 * and the operation returns -OTP_ESTORE.
 */
typedef int store_wait_fn(void *arg);

/*
 * Opens dir/store.db. It never makes a database: the file must exist and be a store of pam_otp
 * (application_id, schema version). A store of an older schema is upgraded. dir and file must be
 * owned by the effective uid and writable by nobody else. dir/reserve is a file that is released
 * when the disk is full. If wait is NULL, a locked database is waited for at most 10 s.
 * The caller owns *out and calls close().
 * 0; -OTP_EPERM: wrong owner, mode or kind of file; -OTP_EINVAL: dir is too long; -OTP_ENOMEM;
 * -OTP_ESTORE. All errors but -OTP_EINVAL and -OTP_ENOMEM are logged.
 */
int store_sqlite_open(const char *dir, store_wait_fn *wait, void *arg, struct store **out);
/*
 * Makes an empty store for `otpctl init`, which runs this as the user who will own it.
 * 0; -OTP_EEXIST: there is a store; -OTP_EPERM, -OTP_EINVAL or -OTP_ESTORE as
 * store_sqlite_open().
 */
int store_sqlite_create(const char *dir);
/*
 * Upgrades a store of an older pam_otp, for `otpctl init`. Counts, codes and the rest stay. 0, also
 * if there was nothing to do; or the errors of store_sqlite_open().
 */
int store_sqlite_migrate(const char *dir);

/* --- store.c: the same for every engine --------------------------------------------------- */

enum { STORE_RESERVE = 256 * 1024 }; /* bytes of the reserve file */

/*
 * Makes the reserve file, or makes it whole again, if the disk has plenty of room. Failures are
 * ignored: then there is less to release later.
 */
void reserve_keep(int dir);
/* Empties the reserve file, so that its bytes are free. True if there were any. */
bool reserve_release(int dir);

#endif
