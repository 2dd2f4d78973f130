/*
 * The store in SQLite: failures in a row, and the lock that follows from them.
 *
 * MUST:
 *  - a budget with `most` failures stays locked until it is unlocked: its row is never pruned;
 *  - the time of the last failure never moves back.
 */
#include "common/err.h"
#include "helpers/base/sql.h"
#include "helpers/store/sqlite/sqlite.h"

/* A budget that is not locked for good is forgotten this long after its last failure. */
#define BUDGET_KEEP_MS (INT64_C(30) * 24 * 60 * 60 * 1000)

int
store_sqlite_budget_check(struct sqlite_store *s, const struct instant *now, const struct budget *b,
    const struct try_rule *rule, int64_t *until)
{
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int64_t locked;
	int r;

	*until = 0;
	(void)sql_prepare(s->db, &stmt,
	    "SELECT failures, last_ms FROM budget WHERE kind = ?1 AND owner = ?2 AND place = ?3",
	    sql_text(b->kind), sql_text(b->owner), sql_text(b->known_source));
	r = store_sqlite_step(s, stmt, "reading a budget");
	if (r <= 0)
		return r;
	locked =
	    try_locked_until(rule, sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1));
	if (locked <= now->wall_ms)
		return 0;
	*until = locked;
	return -OTP_ELIMIT;
}

int
store_sqlite_budget_add(struct sqlite_store *s, const struct instant *now, const struct budget *b,
    const struct try_rule *rule)
{
	size_t len = strlen(b->kind);
	/* Nobody unlocks a bucket of unknown users, so its lock must end by itself. */
	bool decoy = len > 6 && !strcmp(b->kind + len - 6, "-decoy");
	int64_t most = decoy ? INT64_MAX : rule->most, keep = BUDGET_KEEP_MS;

	if (rule->backoff_most_ms > keep)
		keep = rule->backoff_most_ms;
	if (sql_run(s->db,
		"INSERT INTO budget (kind, owner, place, failures, last_ms, keep_ms) VALUES "
		"(?1, ?2, ?3, 1, ?4, CASE WHEN ?6 <= 1 THEN ?7 ELSE ?4 + ?5 END) "
		"ON CONFLICT (kind, owner, place) DO UPDATE SET failures = failures + 1, "
		"last_ms = max(last_ms, excluded.last_ms), keep_ms = "
		"CASE WHEN failures + 1 >= ?6 THEN ?7 ELSE max(keep_ms, excluded.keep_ms) END",
		sql_text(b->kind), sql_text(b->owner), sql_text(b->known_source),
		sql_int(now->wall_ms), sql_int(keep), sql_int(most), sql_int(STORE_FOREVER)))
		return store_sqlite_failed(s, "counting a failure");
	return 0;
}

int
store_sqlite_budget_failures(struct sqlite_store *s, const struct budget *b, int64_t *failures)
{
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int r;

	*failures = 0;
	(void)sql_prepare(s->db, &stmt,
	    "SELECT failures FROM budget WHERE kind = ?1 AND owner = ?2 AND place = ?3",
	    sql_text(b->kind), sql_text(b->owner), sql_text(b->known_source));
	r = store_sqlite_step(s, stmt, "reading a budget");
	if (r > 0)
		*failures = sqlite3_column_int64(stmt, 0);
	return r < 0 ? r : 0;
}

/*
 * Takes one failure back, but keeps the time of the last failure. At worst, the user waits once
 * more for the back-off of the failure before it.
 */
int
store_sqlite_budget_take_back(struct sqlite_store *s, const struct budget *b)
{
	if (sql_run(s->db,
		"UPDATE budget SET failures = failures - 1, keep_ms = "
		"CASE keep_ms WHEN ?4 THEN last_ms + ?5 ELSE keep_ms END "
		"WHERE kind = ?1 AND owner = ?2 AND place = ?3",
		sql_text(b->kind), sql_text(b->owner), sql_text(b->known_source),
		sql_int(STORE_FOREVER), sql_int(BUDGET_KEEP_MS)) ||
	    sql_run(s->db,
		"DELETE FROM budget WHERE kind = ?1 AND owner = ?2 AND place = ?3 "
		"AND failures <= 0",
		sql_text(b->kind), sql_text(b->owner), sql_text(b->known_source)))
		return store_sqlite_failed(s, "taking a failure back");
	return 0;
}

int
store_sqlite_budget_reset(struct sqlite_store *s, const struct budget *b)
{
	if (sql_run(s->db, "DELETE FROM budget WHERE kind = ?1 AND owner = ?2 AND place = ?3",
		sql_text(b->kind), sql_text(b->owner), sql_text(b->known_source)))
		return store_sqlite_failed(s, "resetting a budget");
	return 0;
}

int
store_sqlite_locked(struct store *base, const struct instant *now, const struct trial *trial,
    struct trial_result *out)
{
	*out = (struct trial_result){0};
	if (trial_check(trial))
		return -OTP_EINVAL;
	return store_sqlite_budget_check(
	    (struct sqlite_store *)base, now, trial->budget, &trial->rule, &out->until_wall_ms);
}
