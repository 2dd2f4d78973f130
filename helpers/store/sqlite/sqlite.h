/*
 * What the nouns of the SQLite store give each other and the table of operations. Functions return
 * 0 or -OTP_E*; the operations are described in store.h.
 */
#ifndef OTP_STORE_SQLITE_H
#define OTP_STORE_SQLITE_H

#include "helpers/store/sqlite/transact.h"

/*
 * make.c: a store of this schema is left alone, one of an older schema becomes one of
 * this, in one durable transaction; any other is -OTP_ESTORE, logged.
 */
int store_sqlite_bring_along(struct sqlite_store *s);

/* --- inside a transaction ------------------------------------------------------------------ */

/* budget.c */
/* -OTP_ELIMIT and *until (wall ms) where the budget is locked; else *until is 0. */
int store_sqlite_budget_check(struct sqlite_store *s, const struct instant *now,
    const struct budget *b, const struct try_rule *rule, int64_t *until);
/* One failure more. */
int store_sqlite_budget_add(struct sqlite_store *s, const struct instant *now,
    const struct budget *b, const struct try_rule *rule);
/* One failure less. */
int store_sqlite_budget_take_back(struct sqlite_store *s, const struct budget *b);
int store_sqlite_budget_reset(struct sqlite_store *s, const struct budget *b);

/* send.c: what a sign-in that ends in ok gives back. */
int store_sqlite_give_back(struct sqlite_store *s, int64_t reservation);

/* remember.c: what a sign-in that ends in ok leaves behind. */
int store_sqlite_success_effects(struct sqlite_store *s, const struct instant *now,
    const char *user, const struct success_effects *effects);

/* known.c: NULL or "" for no place. */
int store_sqlite_source_put(
    struct sqlite_store *s, const struct instant *now, const char *user, const char *known_source);

/* What an operation gives to its transaction. */
struct trying {
	const struct trial *trial;
	struct trial_result *out;
};

/* --- the operations ------------------------------------------------------------------------ */

/* send.c */
int store_sqlite_send_reserve(struct store *base, const struct instant *now,
    const struct send_count *count, size_t n, int64_t *id, struct store_refusal *why);
int store_sqlite_send_return(struct store *base, int64_t id);

/* send_lock.c */
int store_sqlite_send_lock_take(struct store *base, uint64_t number);
void store_sqlite_send_lock_release(struct store *base);

/* challenge.c */
int store_sqlite_challenge_put(
    struct store *base, const struct instant *now, const struct challenge *c, int64_t reservation);
int store_sqlite_challenge_find(struct store *base, const struct instant *now, const char *user,
    const char *service, const char *source, struct challenge *out);
int store_sqlite_challenge_kill(struct store *base, const char *id);
int store_sqlite_challenge_used(struct store *base, const char *id);

/* try.c */
int store_sqlite_try_mac(struct store *base, const struct instant *now, const struct trial *trial,
    struct trial_result *out);
int store_sqlite_try_count(struct store *base, const struct instant *now, const struct trial *trial,
    struct trial_result *out);
int store_sqlite_check_end(struct store *base, const char *id);
int store_sqlite_try_return(struct store *base, const struct trial *trial);
int store_sqlite_consume(struct store *base, const struct instant *now, const struct trial *trial);

/* budget.c */
int store_sqlite_locked(struct store *base, const struct instant *now, const struct trial *trial,
    struct trial_result *out);

/* recovery.c */
int store_sqlite_recovery_put(
    struct store *base, const struct instant *now, const char *user, const struct recovery *r);
int store_sqlite_recovery_find(struct store *base, const char *user, struct recovery *out);
int store_sqlite_recovery_use(struct store *base, const struct instant *now,
    const struct trial *trial, struct trial_result *out);
int store_sqlite_recovery_drop(struct store *base, const char *user);

/* remember.c */
int store_sqlite_remembered_find(struct store *base, const struct instant *now, const char *user,
    const char *key, int64_t *age_ms);
int store_sqlite_remembered_each(
    struct store *base, const char *user, remembered_fn *fn, void *arg);
int store_sqlite_remembered_drop(struct store *base, const char *user, int *removed);

/* known.c */
int store_sqlite_source_known(
    struct store *base, const struct instant *now, const char *user, const char *known_source);
int store_sqlite_facts(struct store *base, const struct instant *now, const char *user,
    const char *const *address, size_t n, fact_fn *fn, void *arg);
int store_sqlite_unlock(
    struct store *base, const char *user, const char *const *address, size_t n, int *removed);

/* provider.c */
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
