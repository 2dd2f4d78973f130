/*
 * The store in SQLite: what is kept about providers. That is tokens (sealed by the caller), how
 * many messages are left, how long requests took, and retry-after times. If a row is lost, the
 * worst is one more request to the provider.
 */
#include "common/err.h"
#include "helpers/base/sql.h"
#include "helpers/store/sqlite/sqlite.h"

enum { PRUNED_AT_ONCE = 32 };

/* --- samples of real requests -------------------------------------------------------------- */

struct sample_args {
	const char *what;
	int64_t took_ms;
	int outcome;
};

static int
op_sample_put(struct sqlite_store *s, const struct instant *now, const void *arg)
{
	const struct sample_args *o = arg;

	if (sql_run(s->db,
		"INSERT INTO sample (what, at_ms, took_ms, outcome) VALUES (?1, ?2, ?3, ?4)",
		sql_text(o->what), sql_int(now->wall_ms), sql_int(o->took_ms),
		sql_int(o->outcome)) ||
	    sql_run(s->db,
		"DELETE FROM sample WHERE what = ?1 AND nr <= "
		"(SELECT nr FROM sample WHERE what = ?1 ORDER BY nr DESC LIMIT 1 OFFSET ?2)",
		sql_text(o->what), sql_int(SAMPLES_KEPT)))
		return store_sqlite_failed(s, "keeping a sample");
	return 0;
}

int
store_sqlite_sample_put(
    struct store *base, const struct instant *now, const char *what, int64_t took_ms, int outcome)
{
	const struct sample_args o = {.what = what, .took_ms = took_ms, .outcome = outcome};

	return store_sqlite_transact((struct sqlite_store *)base, now, op_sample_put, &o);
}

int
store_sqlite_samples(
    struct store *base, const char *what, struct sample out[SAMPLES_KEPT], size_t *n)
{
	struct sqlite_store *s = (struct sqlite_store *)base;
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int r;

	*n = 0;
	(void)sql_prepare(s->db, &stmt,
	    "SELECT at_ms, took_ms, outcome FROM sample WHERE what = ?1 ORDER BY nr DESC LIMIT ?2",
	    sql_text(what), sql_int(SAMPLES_KEPT));
	while ((r = store_sqlite_step(s, stmt, "reading samples")) > 0 && *n < SAMPLES_KEPT)
		out[(*n)++] = (struct sample){.at_wall_ms = sqlite3_column_int64(stmt, 0),
		    .took_ms = sqlite3_column_int64(stmt, 1),
		    .outcome = sqlite3_column_int(stmt, 2)};
	if (r < 0)
		*n = 0;
	return r < 0 ? r : 0;
}

/* --- retry-after, in the table `pause` ----------------------------------------------------- */

struct retry_after_args {
	const char *provider;
	const char *address;
	int64_t until;
};

static int
op_retry_after_put(struct sqlite_store *s, const struct instant *now, const void *arg)
{
	const struct retry_after_args *o = arg;

	if (sql_run(s->db,
		"INSERT INTO pause (address, provider, until_ms) VALUES (?1, ?2, ?3) "
		"ON CONFLICT (address, provider) "
		"DO UPDATE SET until_ms = max(until_ms, excluded.until_ms)",
		sql_text(o->address), sql_text(o->provider), sql_int(o->until)) ||
	    sql_run(s->db,
		"DELETE FROM pause WHERE (address, provider) IN "
		"(SELECT address, provider FROM pause WHERE until_ms <= ?1 LIMIT ?2)",
		sql_int(now->wall_ms), sql_int(PRUNED_AT_ONCE)))
		return store_sqlite_failed(s, "keeping a retry-after time");
	return 0;
}

int
store_sqlite_retry_after_put(struct store *base, const struct instant *now, const char *provider,
    const char *address, int64_t until_wall_ms)
{
	const struct retry_after_args o = {
	    .provider = provider, .address = address, .until = until_wall_ms};

	return store_sqlite_transact((struct sqlite_store *)base, now, op_retry_after_put, &o);
}

int
store_sqlite_retry_after_find(struct store *base, const struct instant *now, const char *provider,
    const char *address, int64_t *until_wall_ms)
{
	struct sqlite_store *s = (struct sqlite_store *)base;
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int r;

	*until_wall_ms = 0;
	(void)sql_prepare(s->db, &stmt,
	    "SELECT until_ms FROM pause WHERE address = ?1 AND provider = ?2 AND until_ms > ?3",
	    sql_text(address), sql_text(provider), sql_int(now->wall_ms));
	r = store_sqlite_step(s, stmt, "finding a retry-after time");
	if (r <= 0)
		return r ? r : -OTP_ENOENT;
	*until_wall_ms = sqlite3_column_int64(stmt, 0);
	return 0;
}

/* --- tokens (table `provider_session`) and credits ----------------------------------------- */

int
store_sqlite_token_get(
    struct store *base, const struct instant *now, const char *key, struct secret *sealed)
{
	struct sqlite_store *s = (struct sqlite_store *)base;
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int rc = sql_prepare(s->db, &stmt,
	    "SELECT sealed FROM provider_session WHERE key = ?1 AND keep_ms > ?2", sql_text(key),
	    sql_int(now->wall_ms));

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_DONE)
		return -OTP_ENOENT;
	if (rc != SQLITE_ROW)
		return store_sqlite_failed(s, "reading a token");
	return secret_set(
	    sealed, sqlite3_column_blob(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0));
}

int
store_sqlite_token_put(struct store *base, const struct instant *now, const char *key,
    const char *sealed, int64_t keep_wall_ms)
{
	struct sqlite_store *s = (struct sqlite_store *)base;

	if (sql_run(s->db,
		"INSERT INTO provider_session (key, sealed, keep_ms) VALUES (?1, ?2, ?3) "
		"ON CONFLICT (key) DO UPDATE SET sealed = excluded.sealed, "
		"keep_ms = excluded.keep_ms",
		sql_text(key), sql_blob(sealed, strlen(sealed)), sql_int(keep_wall_ms)) ||
	    sql_run(
		s->db, "DELETE FROM provider_session WHERE keep_ms <= ?1", sql_int(now->wall_ms)))
		return store_sqlite_failed(s, "keeping a token");
	return 0;
}

int
store_sqlite_token_drop(struct store *base, const char *key)
{
	struct sqlite_store *s = (struct sqlite_store *)base;

	if (sql_run(s->db, "DELETE FROM provider_session WHERE key = ?1", sql_text(key)))
		return store_sqlite_failed(s, "dropping a token");
	return 0;
}

int
store_sqlite_credits_put(struct store *base, const struct instant *now, const char *provider,
    const char *channel, int64_t credits)
{
	struct sqlite_store *s = (struct sqlite_store *)base;

	if (sql_run(s->db,
		"INSERT INTO provider_credits (provider, channel, credits, said_ms) "
		"VALUES (?1, ?2, ?3, ?4) ON CONFLICT (provider, channel) "
		"DO UPDATE SET credits = excluded.credits, said_ms = excluded.said_ms",
		sql_text(provider), sql_text(channel), sql_int(credits), sql_int(now->wall_ms)))
		return store_sqlite_failed(s, "keeping credits");
	return 0;
}

int
store_sqlite_credits_each(struct store *base, credits_fn *fn, void *arg)
{
	struct sqlite_store *s = (struct sqlite_store *)base;
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int rc = sql_prepare(s->db, &stmt,
	    "SELECT provider, channel, credits, said_ms FROM provider_credits WHERE ?1 "
	    "ORDER BY provider, channel",
	    sql_int(1));
	int r = 0;

	while (rc == SQLITE_OK && !r && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		char provider[64], channel[64];

		if (!sql_copy_text(stmt, 0, provider, sizeof(provider)) ||
		    !sql_copy_text(stmt, 1, channel, sizeof(channel)))
			return -OTP_ESTORE;
		r = fn(provider, channel, sqlite3_column_int64(stmt, 2),
		    sqlite3_column_int64(stmt, 3), arg);
		rc = SQLITE_OK;
	}
	if (!r && rc != SQLITE_DONE)
		return store_sqlite_failed(s, "listing credits");
	return r;
}
