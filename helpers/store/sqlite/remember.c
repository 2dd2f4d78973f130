/*
 * The store in SQLite: remembered sign-ins, and what a success leaves behind for its user.
 *
 * MUST:
 *  - a sign-in is remembered only in the transaction that consumes its code.
 */
#include "common/err.h"
#include "helpers/base/sql.h"
#include "helpers/store/sqlite/sqlite.h"

enum { PRUNED_AT_ONCE = 32 };

static int
remember(struct sqlite_store *s, const struct instant *now, const char *user, const char *key)
{
	if (!key || !*key)
		return 0;
	/* REPLACE, because an older row may have a time in the future if the clock was set back. */
	if (sql_run(s->db,
		"INSERT OR REPLACE INTO remembered (user, key, made_ms, boot_id, made_boot_ms) "
		"VALUES (?1, ?2, ?3, ?4, ?5)",
		sql_text(user), sql_text(key), sql_int(now->wall_ms), sql_text(now->boot_id),
		sql_int(now->boot_ms)) ||
	    sql_run(s->db,
		"DELETE FROM remembered WHERE (user, key) IN "
		"(SELECT user, key FROM remembered WHERE made_ms <= ?1 LIMIT ?2)",
		sql_int(now->wall_ms - REMEMBER_MOST_MS), sql_int(PRUNED_AT_ONCE)))
		return store_sqlite_failed(s, "remembering a sign-in");
	return 0;
}

int
store_sqlite_success_effects(struct sqlite_store *s, const struct instant *now, const char *user,
    const struct success_effects *effects)
{
	int r = store_sqlite_source_put(s, now, user, effects->known_source);

	return r ? r : remember(s, now, user, effects->remember);
}

int
store_sqlite_remembered_find(struct store *base, const struct instant *now, const char *user,
    const char *key, int64_t *age_ms)
{
	struct sqlite_store *s = (struct sqlite_store *)base;
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int r;

	(void)sql_prepare(s->db, &stmt,
	    "SELECT max(?3 - made_ms, iif(boot_id = ?4, ?5 - made_boot_ms, 0)) FROM remembered "
	    "WHERE user = ?1 AND key = ?2 AND made_ms <= ?3 "
	    "AND boot_id <> '' AND (boot_id <> ?4 OR made_boot_ms <= ?5)",
	    sql_text(user), sql_text(key), sql_int(now->wall_ms), sql_text(now->boot_id),
	    sql_int(now->boot_ms));
	r = store_sqlite_step(s, stmt, "finding a remembered sign-in");
	if (r <= 0)
		return r ? r : -OTP_ENOENT;
	*age_ms = sqlite3_column_int64(stmt, 0);
	return 0;
}

int
store_sqlite_remembered_each(struct store *base, const char *user, remembered_fn *fn, void *arg)
{
	struct sqlite_store *s = (struct sqlite_store *)base;
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int r;

	(void)sql_prepare(s->db, &stmt,
	    "SELECT user, key, made_ms FROM remembered WHERE ?1 = '' OR user = ?1 "
	    "ORDER BY made_ms DESC",
	    sql_text(user ? user : ""));
	while ((r = store_sqlite_step(s, stmt, "listing remembered sign-ins")) > 0) {
		char name[256], key[STORE_KEY_MAX + 1];

		if (!sql_copy_text(stmt, 0, name, sizeof(name)) ||
		    !sql_copy_text(stmt, 1, key, sizeof(key)))
			return store_sqlite_failed(s, "listing remembered sign-ins");
		r = fn(name, key, sqlite3_column_int64(stmt, 2), arg);
		if (r)
			return r;
	}
	return r;
}

struct drop_args {
	const char *user;
	int *removed;
};

static int
op_drop(struct sqlite_store *s, const struct instant *now, const void *arg)
{
	const struct drop_args *o = arg;

	(void)now;
	if (sql_run(s->db, "DELETE FROM remembered WHERE ?1 = '' OR user = ?1",
		sql_text(o->user ? o->user : "")))
		return store_sqlite_failed(s, "forgetting remembered sign-ins");
	*o->removed = sqlite3_changes(s->db);
	return 0;
}

int
store_sqlite_remembered_drop(struct store *base, const char *user, int *removed)
{
	const struct drop_args o = {.user = user, .removed = removed};
	int r;

	*removed = 0;
	r = store_sqlite_transact((struct sqlite_store *)base, NULL, op_drop, &o);
	if (r)
		*removed = 0;
	return r;
}
