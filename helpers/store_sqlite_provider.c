/*
 * What providers have us keep: tokens, sealed by the caller, and how many messages are left. Each
 * write is one statement, so a transaction of its own. Losing one costs a request, nothing more.
 */
#include "common/err.h"
#include "helpers/sql.h"
#include "helpers/store_sqlite.h"

int
store_sqlite_session_get(
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
store_sqlite_session_put(struct store *base, const struct instant *now, const char *key,
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
store_sqlite_session_drop(struct store *base, const char *key)
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
