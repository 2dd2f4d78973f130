/*
 * Transactions of the store in SQLite.
 *
 * MUST:
 *  - every operation that writes is one BEGIN IMMEDIATE transaction, so that no other process can
 *    change what the operation has read;
 *  - an operation that fails is rolled back whole;
 *  - an operation that counts something answers only after the count is committed.
 */
#include "helpers/store/sqlite/transact.h"

#include <string.h>

#include "common/err.h"
#include "helpers/base/sql.h"

enum { PRUNED_AT_ONCE = 32 };

static int
prune(struct sqlite_store *s, const struct instant *now)
{
	if (sql_run(s->db,
		"DELETE FROM send_event WHERE rowid IN "
		"(SELECT rowid FROM send_event WHERE keep_ms < ?1 LIMIT ?2)",
		sql_int(now->wall_ms), sql_int(PRUNED_AT_ONCE)) ||
	    sql_run(s->db,
		"DELETE FROM challenge WHERE id IN (SELECT id FROM challenge WHERE keep_ms < ?1 "
		"AND (state <> 'live' OR boot_id <> ?3 OR expires_boot_ms <= ?4) LIMIT ?2)",
		sql_int(now->wall_ms), sql_int(PRUNED_AT_ONCE), sql_text(now->boot_id),
		sql_int(now->boot_ms)) ||
	    sql_run(s->db,
		"DELETE FROM budget WHERE (kind, owner, place) IN "
		"(SELECT kind, owner, place FROM budget WHERE keep_ms < ?1 LIMIT ?2)",
		sql_int(now->wall_ms), sql_int(PRUNED_AT_ONCE)))
		return store_sqlite_failed(s, "pruning");
	return 0;
}

static int
transact_once(struct sqlite_store *s, const struct instant *now, store_op_fn *fn, const void *arg)
{
	int r, answer = 0;

	s->full = false;
	if (sql_script(s->db, "BEGIN IMMEDIATE"))
		return store_sqlite_failed(s, "begin");
	r = fn(s, now, arg);
	if (r > 0) {
		answer = -r;
		r = 0;
	}
	if (!r && now)
		r = prune(s, now);
	if (!r && sql_script(s->db, "COMMIT"))
		r = store_sqlite_failed(s, "commit");
	if (r && !sqlite3_get_autocommit(s->db))
		(void)sql_script(s->db, "ROLLBACK");
	return r ? r : answer;
}

int
store_sqlite_transact(
    struct sqlite_store *s, const struct instant *now, store_op_fn *fn, const void *arg)
{
	int r = transact_once(s, now, fn, arg);

	if (r != -OTP_ESTORE || !store_sqlite_make_room(s))
		return r;
	return transact_once(s, now, fn, arg);
}

int
store_sqlite_step(struct sqlite_store *s, sqlite3_stmt *stmt, const char *what)
{
	int rc = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : store_sqlite_failed(s, what);
}

bool
store_sqlite_copy_blob(sqlite3_stmt *stmt, int column, void *dst, size_t len)
{
	const void *bytes = NULL;

	if (sqlite3_column_type(stmt, column) == SQLITE_BLOB)
		bytes = sqlite3_column_blob(stmt, column);
	if (!bytes || (size_t)sqlite3_column_bytes(stmt, column) != len)
		return false;
	memcpy(dst, bytes, len);
	return true;
}

bool
store_sqlite_is_id(const char *id)
{
	return strspn(id, "0123456789abcdef") == STORE_ID_LEN && !id[STORE_ID_LEN];
}
