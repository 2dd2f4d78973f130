/*
 * The store in SQLite. Each kind of data has a file of its own, such as budget.c. This header
 * declares the functions that these files call in each other, and the operations that ops.c puts
 * into its table. Errors are logged where they occur.
 */
#ifndef OTP_STORE_SQLITE_H
#define OTP_STORE_SQLITE_H

#include "helpers/store/sqlite/transact.h"

/*
 * make.c: upgrades a store of an older schema, in one durable transaction. A store of this schema
 * stays as it is. 0, or -OTP_ESTORE for any other database.
 */
int store_sqlite_upgrade(struct sqlite_store *s);

/* --- called inside a transaction ----------------------------------------------------------- */

/* budget.c */
/* Checks whether the budget is locked. 0; -OTP_ELIMIT, until *until (wall ms); -OTP_ESTORE. */
int store_sqlite_budget_check(struct sqlite_store *s, const struct instant *now,
    const struct budget *b, const struct try_rule *rule, int64_t *until);
/* Counts a failure. 0 or -OTP_ESTORE. */
int store_sqlite_budget_add(struct sqlite_store *s, const struct instant *now,
    const struct budget *b, const struct try_rule *rule);
/* Reads how many failures there are in a row. 0 or -OTP_ESTORE. */
int store_sqlite_budget_failures(struct sqlite_store *s, const struct budget *b, int64_t *failures);
/* Lowers the count of failures by one. 0 or -OTP_ESTORE. */
int store_sqlite_budget_take_back(struct sqlite_store *s, const struct budget *b);
/* Forgets the failures. 0 or -OTP_ESTORE. */
int store_sqlite_budget_reset(struct sqlite_store *s, const struct budget *b);

/*
 * send.c: gives back the messages that were counted with SEND_RETURNS, after a success. 0 or
 * -OTP_ESTORE.
 */
int store_sqlite_give_back(struct sqlite_store *s, int64_t reservation);

/* remember.c: writes what a success leaves behind for the user. 0 or -OTP_ESTORE. */
int store_sqlite_success_effects(struct sqlite_store *s, const struct instant *now,
    const char *user, const struct success_effects *effects);

/* known.c: makes a source known; NULL or "" for none. 0 or -OTP_ESTORE. */
int store_sqlite_source_put(
    struct sqlite_store *s, const struct instant *now, const char *user, const char *known_source);

/* The arguments of an operation that tries a code, handed through its transaction. */
struct trial_args {
	const struct trial *trial;
	struct trial_result *out;
};

/* --- the operations ------------------------------------------------------------------------ */

/* send.c: each function works as the operation of its name in store.h */
int store_sqlite_send_reserve(struct store *base, const struct instant *now,
    const struct send_count *count, size_t n, int64_t *id, struct store_refusal *why);
int store_sqlite_send_return(struct store *base, int64_t id);

/* locks.c: each function works as the operation of its name in store.h */
int store_sqlite_send_lock_take(struct store *base, uint64_t number);
void store_sqlite_send_lock_release(struct store *base);
int store_sqlite_hash_place_take(struct store *base, uint64_t number, bool known);
void store_sqlite_hash_place_release(struct store *base);

/* challenge.c: each function works as the operation of its name in store.h */
int store_sqlite_challenge_put(
    struct store *base, const struct instant *now, const struct challenge *c, int64_t reservation);
int store_sqlite_challenge_find(struct store *base, const struct instant *now, const char *user,
    const char *service, const char *source, struct challenge *out);
int store_sqlite_challenge_spared(struct store *base, const struct instant *now,
    const char *identity, const char *address, const char *peer_user);
int store_sqlite_challenge_kill(struct store *base, const char *id);
int store_sqlite_challenge_used(struct store *base, const char *id);

/* try.c: each function works as the operation of its name in store.h */
int store_sqlite_try_mac(struct store *base, const struct instant *now, const struct trial *trial,
    struct trial_result *out);
int store_sqlite_try_count(struct store *base, const struct instant *now, const struct trial *trial,
    struct trial_result *out);
int store_sqlite_check_end(struct store *base, const char *id);
int store_sqlite_try_return(struct store *base, const struct trial *trial);
int store_sqlite_consume(struct store *base, const struct instant *now, const struct trial *trial);

/* budget.c: each function works as the operation of its name in store.h */
int store_sqlite_locked(struct store *base, const struct instant *now, const struct trial *trial,
    struct trial_result *out);

/* recovery.c: each function works as the operation of its name in store.h */
int store_sqlite_recovery_put(
    struct store *base, const struct instant *now, const char *user, const struct recovery *r);
int store_sqlite_recovery_find(struct store *base, const char *user, struct recovery *out);
int store_sqlite_recovery_use(struct store *base, const struct instant *now,
    const struct trial *trial, struct trial_result *out);
int store_sqlite_recovery_drop(struct store *base, const char *user);

/* remember.c: each function works as the operation of its name in store.h */
int store_sqlite_remembered_find(struct store *base, const struct instant *now, const char *user,
    const char *key, int64_t *age_ms);
int store_sqlite_remembered_each(
    struct store *base, const char *user, remembered_fn *fn, void *arg);
int store_sqlite_remembered_drop(struct store *base, const char *user, int *removed);

/* known.c: each function works as the operation of its name in store.h */
int store_sqlite_source_known(
    struct store *base, const struct instant *now, const char *user, const char *known_source);
int store_sqlite_facts(struct store *base, const struct instant *now, const char *user,
    const char *const *address, size_t n, fact_fn *fn, void *arg);
int store_sqlite_unlock(
    struct store *base, const char *user, const char *const *address, size_t n, int *removed);

/* provider.c: each function works as the operation of its name in store.h */
int store_sqlite_sample_put(
    struct store *base, const struct instant *now, const char *what, int64_t took_ms, int outcome);
int store_sqlite_samples(
    struct store *base, const char *what, struct sample out[SAMPLES_KEPT], size_t *n);
int store_sqlite_retry_after_put(struct store *base, const struct instant *now,
    const char *provider, const char *address, int64_t until_wall_ms);
int store_sqlite_retry_after_find(struct store *base, const struct instant *now,
    const char *provider, const char *address, int64_t *until_wall_ms);
int store_sqlite_token_get(
    struct store *base, const struct instant *now, const char *key, struct secret *sealed);
int store_sqlite_token_put(struct store *base, const struct instant *now, const char *key,
    const char *sealed, int64_t keep_wall_ms);
int store_sqlite_token_drop(struct store *base, const char *key);
int store_sqlite_credits_put(struct store *base, const struct instant *now, const char *provider,
    const char *channel, int64_t credits);
int store_sqlite_credits_each(struct store *base, credits_fn *fn, void *arg);

#endif
