/*
 * The store in SQLite: known sources, and what an administrator can list about a user or forget.
 * The column `place` has a known source.
 */
#include "common/err.h"
#include "helpers/base/sql.h"
#include "helpers/store/sqlite/sqlite.h"

enum { PRUNED_AT_ONCE = 32, KINDS = 4 };

/* The kinds of budgets whose owner is a user, an address, this host. No budget has the kind "". */
static const char *const user_kinds[KINDS] = {"user", "peer-user", "recovery", "peer-recovery"};
static const char *const address_kinds[KINDS] = {"address", "peer-address", "message", ""};
static const char *const host_kinds[KINDS] = {"host", "", "", ""};

/* --- known sources ------------------------------------------------------------------------- */

int
store_sqlite_source_put(
    struct sqlite_store *s, const struct instant *now, const char *user, const char *known_source)
{
	if (!known_source || !*known_source)
		return 0;
	if (sql_run(s->db,
		"INSERT INTO known_place (user, place, seen_ms) VALUES (?1, ?2, ?3) "
		"ON CONFLICT (user, place) DO UPDATE SET seen_ms = max(seen_ms, excluded.seen_ms)",
		sql_text(user), sql_text(known_source), sql_int(now->wall_ms)) ||
	    sql_run(s->db,
		"DELETE FROM known_place WHERE user = ?1 AND place IN (SELECT place "
		"FROM known_place WHERE user = ?1 ORDER BY seen_ms DESC LIMIT -1 OFFSET ?2)",
		sql_text(user), sql_int(SOURCES_KEPT)) ||
	    sql_run(s->db,
		"DELETE FROM known_place WHERE (user, place) IN "
		"(SELECT user, place FROM known_place WHERE seen_ms <= ?1 LIMIT ?2)",
		sql_int(now->wall_ms - SOURCE_KNOWN_MS), sql_int(PRUNED_AT_ONCE)))
		return store_sqlite_failed(s, "keeping a known source");
	return 0;
}

int
store_sqlite_source_known(
    struct store *base, const struct instant *now, const char *user, const char *known_source)
{
	struct sqlite_store *s = (struct sqlite_store *)base;
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int r;

	(void)sql_prepare(s->db, &stmt,
	    "SELECT 1 FROM known_place WHERE user = ?1 AND place = ?2 AND seen_ms > ?3",
	    sql_text(user), sql_text(known_source), sql_int(now->wall_ms - SOURCE_KNOWN_MS));
	r = store_sqlite_step(s, stmt, "finding a known source");
	return r > 0 ? 0 : r ? r : -OTP_ENOENT;
}

/* --- listing ------------------------------------------------------------------------------- */

struct listing {
	struct sqlite_store *s;
	const struct instant *now;
	fact_fn *fn;
	void *arg;
};

/* Calls fn for each row, whose columns are kind, owner, place, n, at, detail. Finalizes rows. */
static int
list_rows(const struct listing *l, enum fact_kind kind, sqlite3_stmt *rows)
{
	_auto_stmt sqlite3_stmt *stmt = rows;
	int r;

	while ((r = store_sqlite_step(l->s, stmt, "listing facts")) > 0) {
		struct store_fact f = {.kind = kind,
		    .n = sqlite3_column_int64(stmt, 3),
		    .at_wall_ms = sqlite3_column_int64(stmt, 4),
		    .detail = (const char *)sqlite3_column_text(stmt, 5)};

		if (!f.detail || !sql_copy_text(stmt, 0, f.budget.kind, sizeof(f.budget.kind)) ||
		    !sql_copy_text(stmt, 1, f.budget.owner, sizeof(f.budget.owner)) ||
		    !sql_copy_text(stmt, 2, f.budget.known_source, sizeof(f.budget.known_source)))
			return store_sqlite_failed(l->s, "listing facts");
		r = l->fn(&f, l->arg);
		if (r)
			return r;
	}
	return r;
}

static int
list_budgets(const struct listing *l, const char *const kind[KINDS], const char *owner)
{
	sqlite3_stmt *stmt = NULL;
	int r;

	(void)sql_prepare(l->s->db, &stmt,
	    "SELECT kind, owner, place, failures, last_ms, '' FROM budget "
	    "WHERE kind IN (?1, ?2, ?3, ?4) AND owner = ?5 ORDER BY kind, place",
	    sql_text(kind[0]), sql_text(kind[1]), sql_text(kind[2]), sql_text(kind[3]),
	    sql_text(owner));
	r = list_rows(l, FACT_FAILURES, stmt);
	if (r)
		return r;
	stmt = NULL;
	(void)sql_prepare(l->s->db, &stmt,
	    "SELECT kind, owner, place, 1, at_ms, '' FROM send_event "
	    "WHERE kind IN (?1, ?2, ?3, ?4) AND owner = ?5 AND keep_ms > ?6 "
	    "ORDER BY kind, place, at_ms",
	    sql_text(kind[0]), sql_text(kind[1]), sql_text(kind[2]), sql_text(kind[3]),
	    sql_text(owner), sql_int(l->now->wall_ms));
	return list_rows(l, FACT_SEND, stmt);
}

static int
list_user(const struct listing *l, const char *user)
{
	sqlite3_stmt *stmt = NULL;
	int r = list_budgets(l, user_kinds, user);

	if (r)
		return r;
	(void)sql_prepare(l->s->db, &stmt,
	    "SELECT '', user, '', tries, sent_ms, service || ' ' || channel || ' ' || provider "
	    "FROM challenge WHERE user = ?1 AND state = 'live' AND pretended = 0 AND "
	    "boot_id = ?2 AND expires_boot_ms > ?3 ORDER BY sent_ms",
	    sql_text(user), sql_text(l->now->boot_id), sql_int(l->now->boot_ms));
	r = list_rows(l, FACT_CHALLENGE, stmt);
	if (r)
		return r;
	stmt = NULL;
	(void)sql_prepare(l->s->db, &stmt,
	    "SELECT '', user, place, 1, seen_ms, '' FROM known_place "
	    "WHERE user = ?1 AND seen_ms > ?2 ORDER BY seen_ms DESC",
	    sql_text(user), sql_int(l->now->wall_ms - SOURCE_KNOWN_MS));
	r = list_rows(l, FACT_SOURCE, stmt);
	if (r)
		return r;
	stmt = NULL;
	(void)sql_prepare(l->s->db, &stmt,
	    "SELECT '', user, '', "
	    "(SELECT count(*) FROM recovery_code c WHERE c.issue = r.id AND c.used = 0), "
	    "issued_ms, '' FROM recovery r WHERE user = ?1",
	    sql_text(user));
	return list_rows(l, FACT_RECOVERY, stmt);
}

static int
list_address(const struct listing *l, const char *address)
{
	sqlite3_stmt *stmt = NULL;
	int r = list_budgets(l, address_kinds, address);

	if (r)
		return r;
	(void)sql_prepare(l->s->db, &stmt,
	    "SELECT '', address, '', 1, until_ms, provider FROM pause "
	    "WHERE address = ?1 AND until_ms > ?2 ORDER BY provider",
	    sql_text(address), sql_int(l->now->wall_ms));
	return list_rows(l, FACT_RETRY_AFTER, stmt);
}

int
store_sqlite_facts(struct store *base, const struct instant *now, const char *user,
    const char *const *address, size_t n, fact_fn *fn, void *arg)
{
	struct sqlite_store *s = (struct sqlite_store *)base;
	const struct listing l = {.s = s, .now = now, .fn = fn, .arg = arg};
	int r;

	/* All facts are of one moment. */
	if (sql_script(s->db, "BEGIN"))
		return store_sqlite_failed(s, "begin");
	r = *user ? list_user(&l, user) : list_budgets(&l, host_kinds, "");
	for (size_t i = 0; !r && i < n; i++)
		r = list_address(&l, address[i]);
	if (!sqlite3_get_autocommit(s->db))
		(void)sql_script(s->db, "ROLLBACK");
	return r;
}

/* --- unlocking ----------------------------------------------------------------------------- */

struct unlock_args {
	const char *user;
	const char *const *address;
	size_t n;
	int *removed;
};

static int
forget_budgets(
    struct sqlite_store *s, const char *const kind[KINDS], const char *owner, int *removed)
{
	static const char *const sql[] = {
	    "DELETE FROM budget WHERE kind IN (?1, ?2, ?3, ?4) AND owner = ?5",
	    "DELETE FROM send_event WHERE kind IN (?1, ?2, ?3, ?4) AND owner = ?5"};

	for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
		if (sql_run(s->db, sql[i], sql_text(kind[0]), sql_text(kind[1]), sql_text(kind[2]),
			sql_text(kind[3]), sql_text(owner)))
			return store_sqlite_failed(s, "unlocking");
		*removed += sqlite3_changes(s->db);
	}
	return 0;
}

static int
op_unlock(struct sqlite_store *s, const struct instant *now, const void *arg)
{
	const struct unlock_args *o = arg;
	int r;

	(void)now;
	*o->removed = 0;
	r = forget_budgets(s, user_kinds, o->user, o->removed);
	/* Otherwise whoever guessed would get the tries of such a code a second time. */
	if (!r && sql_run(s->db,
		      "UPDATE challenge SET state = 'dead', mac = NULL, captures = NULL "
		      "WHERE user = ?1 AND state = 'live' AND known = 0",
		      sql_text(o->user)))
		r = store_sqlite_failed(s, "unlocking");
	for (size_t i = 0; !r && i < o->n; i++) {
		r = forget_budgets(s, address_kinds, o->address[i], o->removed);
		if (!r &&
		    sql_run(s->db, "DELETE FROM pause WHERE address = ?1", sql_text(o->address[i])))
			r = store_sqlite_failed(s, "unlocking");
		if (!r)
			*o->removed += sqlite3_changes(s->db);
	}
	return r;
}

int
store_sqlite_unlock(
    struct store *base, const char *user, const char *const *address, size_t n, int *removed)
{
	const struct unlock_args o = {.user = user, .address = address, .n = n, .removed = removed};
	int r = store_sqlite_transact((struct sqlite_store *)base, NULL, op_unlock, &o);

	if (r)
		*removed = 0;
	return r;
}
