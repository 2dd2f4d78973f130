/* What the parts of the SQLite store share. Functions return 0 or -OTP_E*. */
#ifndef OTP_STORE_SQLITE_H
#define OTP_STORE_SQLITE_H

#include <sqlite3.h>

#include "helpers/store.h"

struct sqlite_store {
	struct store base;
	sqlite3 *db;
	int dir;
	int turns; /* the file of the turn that was taken, or -1 */
	store_wait_fn *wait;
	void *arg;
	int64_t self; /* random, not 0: whose lease it is */
	bool full;    /* the last failure was for want of space */
};

extern const struct store_ops store_sqlite_ops;

enum {
	STORE_APPLICATION_ID = 0x6f747073, /* "otps" */
	STORE_SCHEMA = 3,
};
#define STORE_DB "store.db"

/*
 * What an operation does in its transaction. 0: committed. Negative: rolled back, the error is the
 * operation's. Positive, an OTP_E*: committed, and the operation returns its negative: what must be
 * counted although the answer is no. May be called twice: see store_sqlite_transact().
 */
typedef int store_op_fn(struct sqlite_store *s, const struct instant *now, const void *arg);

/*
 * One BEGIN IMMEDIATE transaction; on a full disk once more, with the spare given up. Some old rows
 * go with it, unless now is NULL.
 */
int store_sqlite_transact(
    struct sqlite_store *s, const struct instant *now, store_op_fn *fn, const void *arg);
/* 1 a row, 0 none, or -OTP_ESTORE, logged. stmt may be NULL: it could not be prepared. */
int store_sqlite_step(struct sqlite_store *s, sqlite3_stmt *stmt, const char *what);
/* Logs SQLite's last error, notes whether it was for want of space. Returns -OTP_ESTORE. */
int store_sqlite_failed(struct sqlite_store *s, const char *what);
/* Was it for want of space, and were there spare bytes to give up for one more attempt? */
bool store_sqlite_make_room(struct sqlite_store *s);
void store_sqlite_close(struct store *base);

/* Copies a column of exactly len bytes; false when it is anything else. */
bool store_sqlite_copy_blob(sqlite3_stmt *stmt, int column, void *dst, size_t len);
/* STORE_ID_LEN lower-case hexadecimal digits? */
bool store_sqlite_is_id(const char *id);

/* --- opening: store_sqlite_open.c ---------------------------------------------------------- */

/* The folder, judged; -OTP_EPERM or -OTP_ESTORE, logged, as of the next ones. */
int store_sqlite_open_dir(const char *path, int *out);
/* The database, and the companions that SQLite opens with it. */
int store_sqlite_judge_files(int dir);
/* s->db, hardened, with the waiting of s; it is closed by whoever owns s, also on an error. */
int store_sqlite_connect(struct sqlite_store *s, const char *path);
/*
 * A store of this schema is left alone, one of an older schema becomes one of this, in one durable
 * transaction; any other is -OTP_ESTORE, logged. In store_sqlite_make.c.
 */
int store_sqlite_bring_along(struct sqlite_store *s);
/* Is it a store of pam_otp? Of which schema? */
int store_sqlite_judge(struct sqlite_store *s, int64_t *version);
bool store_sqlite_is_wal(sqlite3 *db);
/* What is committed from now on is on disk. */
int store_sqlite_be_durable(struct sqlite_store *s);

/* --- inside a transaction ------------------------------------------------------------------ */

/* store_sqlite_budget.c */
/* -OTP_ELIMIT and *until (wall ms) where the budget is locked; else *until is 0. */
int store_sqlite_budget_check(struct sqlite_store *s, const struct instant *now,
    const struct budget *b, const struct try_rule *rule, int64_t *until);
/* One failure more. */
int store_sqlite_budget_add(struct sqlite_store *s, const struct instant *now,
    const struct budget *b, const struct try_rule *rule);
/* One failure less. */
int store_sqlite_budget_take_back(struct sqlite_store *s, const struct budget *b);
int store_sqlite_budget_reset(struct sqlite_store *s, const struct budget *b);

/* store_sqlite_send.c: what a sign-in that ends in ok gives back. */
int store_sqlite_give_back(struct sqlite_store *s, int64_t reservation);

/* store_sqlite_remember.c: what a sign-in that ends in ok leaves behind. */
int store_sqlite_on_ok(
    struct sqlite_store *s, const struct instant *now, const char *user, const struct on_ok *then);

/* store_sqlite_known.c: "" for no place. */
int store_sqlite_place_put(
    struct sqlite_store *s, const struct instant *now, const char *user, const char *place);

/* --- the operations ------------------------------------------------------------------------ */

/* store_sqlite_send.c */
int store_sqlite_send_reserve(struct store *base, const struct instant *now,
    const struct send_count *count, size_t n, int64_t *id, struct store_refusal *why);
int store_sqlite_send_return(struct store *base, int64_t id);

/* store_sqlite_turn.c */
int store_sqlite_turn_take(struct store *base, uint64_t number);
void store_sqlite_turn_end(struct store *base);

/* store_sqlite_challenge.c */
int store_sqlite_challenge_put(
    struct store *base, const struct instant *now, const struct challenge *c, int64_t reservation);
int store_sqlite_challenge_find(struct store *base, const struct instant *now, const char *user,
    const char *service, const char *source, struct challenge *out);
int store_sqlite_challenge_kill(struct store *base, const char *id);
int store_sqlite_challenge_used(struct store *base, const char *id);

/* store_sqlite_try.c */
int store_sqlite_try_mac(struct store *base, const struct instant *now, const char *id,
    const unsigned char mac[STORE_MAC_LEN], const struct budget *budget,
    const struct try_rule *rule, const struct on_ok *then, int *left, int64_t *until_wall_ms);
int store_sqlite_try_count(struct store *base, const struct instant *now, const char *id,
    const struct budget *budget, const struct try_rule *rule, int64_t lease_ms, int *left,
    int64_t *until_wall_ms);
int store_sqlite_check_end(struct store *base, const char *id);
int store_sqlite_try_return(struct store *base, const char *id, const struct budget *budget);
int store_sqlite_consume(struct store *base, const struct instant *now, const char *id,
    const struct budget *budget, const struct on_ok *then);

/* store_sqlite_budget.c */
int store_sqlite_locked(struct store *base, const struct instant *now, const struct budget *budget,
    const struct try_rule *rule, int64_t *until_wall_ms);

/* store_sqlite_recovery.c */
int store_sqlite_recovery_put(
    struct store *base, const struct instant *now, const char *user, const struct recovery *r);
int store_sqlite_recovery_find(struct store *base, const char *user, struct recovery *out);
int store_sqlite_recovery_use(struct store *base, const struct instant *now, const char *user,
    const char *id, const unsigned char hash[RECOVERY_HASH_LEN], const struct budget *budget,
    const struct try_rule *rule, const struct on_ok *then, int *left, int64_t *until_wall_ms);
int store_sqlite_recovery_drop(struct store *base, const char *user);

/* store_sqlite_remember.c */
int store_sqlite_remembered_find(struct store *base, const struct instant *now, const char *user,
    const char *key, int64_t *age_ms);
int store_sqlite_remembered_each(
    struct store *base, const char *user, remembered_fn *fn, void *arg);
int store_sqlite_remembered_drop(struct store *base, const char *user, int *removed);

/* store_sqlite_known.c */
int store_sqlite_place_known(
    struct store *base, const struct instant *now, const char *user, const char *place);
int store_sqlite_facts(struct store *base, const struct instant *now, const char *user,
    const char *const *address, size_t n, fact_fn *fn, void *arg);
int store_sqlite_unlock(
    struct store *base, const char *user, const char *const *address, size_t n, int *removed);

/* store_sqlite_provider.c */
int store_sqlite_sample_put(
    struct store *base, const struct instant *now, const char *what, int64_t took_ms, int outcome);
int store_sqlite_samples(
    struct store *base, const char *what, struct sample out[SAMPLES_KEPT], size_t *n);
int store_sqlite_pause_put(struct store *base, const struct instant *now, const char *provider,
    const char *address, int64_t until_wall_ms);
int store_sqlite_pause_find(struct store *base, const struct instant *now, const char *provider,
    const char *address, int64_t *until_wall_ms);
int store_sqlite_session_get(
    struct store *base, const struct instant *now, const char *key, struct secret *sealed);
int store_sqlite_session_put(struct store *base, const struct instant *now, const char *key,
    const char *sealed, int64_t keep_wall_ms);
int store_sqlite_session_drop(struct store *base, const char *key);
int store_sqlite_credits_put(struct store *base, const struct instant *now, const char *provider,
    const char *channel, int64_t credits);
int store_sqlite_credits_each(struct store *base, credits_fn *fn, void *arg);

#endif
