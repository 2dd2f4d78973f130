/*
 * A file of contacts, taken into an edit line by line, and what an edit does to users. Its notes
 * are temporary tables in memory: `seen`, the lines of the file; `first_was`, the addresses that
 * came first; `gone`, those that were removed; `added`, those that users have beside them.
 */
#include <time.h>

#include "common/err.h"
#include "helpers/contacts_edit.h"
#include "helpers/log.h"
#include "helpers/sql.h"

static const char *const edit_sql[EDIT_STATEMENTS] = {
    [EDIT_FIND] = "SELECT c.id, c.label, c.verified_at, c.preferred, s.line FROM contact c "
		  "LEFT JOIN temp.seen s ON s.id = c.id "
		  "WHERE c.user = ?1 AND c.kind = ?2 AND c.address = ?3",
    [EDIT_ADD] = "INSERT INTO contact (user, kind, address, label, verified_at, preferred, "
		 "added_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [EDIT_CHANGE] = "UPDATE contact SET label = ?2, verified_at = ?3, preferred = ?4 WHERE id = ?1",
    [EDIT_SEEN] = "INSERT INTO temp.seen (id, line, preferred) VALUES (?1, ?2, ?3)",
    [EDIT_PREFERRED] = "SELECT s.line FROM contact c JOIN temp.seen s ON s.id = c.id "
		       "WHERE c.user = ?1 AND c.kind = ?2 AND s.preferred LIMIT 1",
    [EDIT_ALONE] = "UPDATE contact SET preferred = 0 WHERE user = ?1 AND kind = ?2 AND id <> ?3 "
		   "AND preferred",
    [EDIT_FIRST] =
	"INSERT OR IGNORE INTO temp.first_was SELECT user, kind, address FROM contact c "
	"WHERE user = ?1 AND id <= ?2 AND NOT EXISTS (SELECT 1 FROM contact b "
	"WHERE b.user = c.user AND b.kind = c.kind AND b.id <= ?2 "
	"AND (b.preferred > c.preferred OR (b.preferred = c.preferred AND b.id < c.id)))",
    [EDIT_ADDED] = "INSERT INTO temp.added SELECT ?1, ?2, ?3 "
		   "WHERE EXISTS (SELECT 1 FROM temp.first_was WHERE user = ?1)",
};

int
contacts_make_notes(sqlite3 *db)
{
	return sql_script(db,
	    "PRAGMA temp_store = MEMORY;"
	    "CREATE TEMP TABLE seen (id INTEGER PRIMARY KEY, line INTEGER NOT NULL,"
	    " preferred INTEGER NOT NULL);"
	    "CREATE TEMP TABLE first_was (user TEXT, kind TEXT, address TEXT COLLATE NOCASE,"
	    " PRIMARY KEY (user, kind)) WITHOUT ROWID;"
	    "CREATE TEMP TABLE gone (user TEXT, kind TEXT, address TEXT COLLATE NOCASE);"
	    "CREATE TEMP TABLE added (user TEXT, kind TEXT, address TEXT COLLATE NOCASE)");
}

#define prepare(e, which, ...) sql_again((e)->db, &(e)->stmt[which], edit_sql[which], __VA_ARGS__)

static int
run_n(struct contacts_edit *e, enum edit_stmt which, const struct sql_value *v, size_t n)
{
	int rc = sql_again_n(e->db, &e->stmt[which], edit_sql[which], v, n);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(e->stmt[which]);
	(void)sqlite3_reset(e->stmt[which]);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

#define run(e, which, ...) run_n((e), (which), SQL_VALUES(__VA_ARGS__))

int
contacts_note_first(struct contacts_edit *e, const char *user)
{
	return run(e, EDIT_FIRST, sql_text(user), sql_int(e->newest));
}

int
contacts_note_added(struct contacts_edit *e, const struct contact *c)
{
	return run(e, EDIT_ADDED, sql_text(c->user), sql_text(contact_kind_name(c->kind)),
	    sql_text(c->address));
}

/* What is there of a line's contact. */
struct old {
	int64_t id; /* 0: nothing */
	char label[CONTACT_LABEL_MAX + 1];
	int64_t verified_at;
	bool preferred;
	int64_t line; /* 0: none of this file */
};

static int
find_old(struct contacts_edit *e, const struct contact *c, const char *kind, struct old *out)
{
	int rc = prepare(e, EDIT_FIND, sql_text(c->user), sql_text(kind), sql_text(c->address));
	sqlite3_stmt *stmt = e->stmt[EDIT_FIND];
	bool fits = true;

	*out = (struct old){0};
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		out->id = sqlite3_column_int64(stmt, 0);
		fits = sql_copy_text(stmt, 1, out->label, sizeof(out->label));
		out->verified_at = sqlite3_column_int64(stmt, 2);
		out->preferred = sqlite3_column_int(stmt, 3) != 0;
		out->line = sqlite3_column_int64(stmt, 4);
	}
	(void)sqlite3_reset(stmt);
	if (!fits) {
		otp_log(LOG_ERR, "contacts %s: a row is malformed", e->path);
		return -OTP_ESTORE;
	}
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : contacts_sql_error(e);
}

/* The line that said which one of the user's is preferred, or 0. */
static int
find_preferred(struct contacts_edit *e, const struct contact *c, const char *kind, int64_t *line)
{
	int rc = prepare(e, EDIT_PREFERRED, sql_text(c->user), sql_text(kind));

	*line = 0;
	if (rc == SQLITE_OK)
		rc = sqlite3_step(e->stmt[EDIT_PREFERRED]);
	if (rc == SQLITE_ROW)
		*line = sqlite3_column_int64(e->stmt[EDIT_PREFERRED], 0);
	(void)sqlite3_reset(e->stmt[EDIT_PREFERRED]);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : contacts_sql_error(e);
}

static int
import_new(struct contacts_edit *e, const struct contact_line *l, const char *kind)
{
	const struct contact *c = &l->contact;
	int64_t id;

	if (contacts_note_first(e, c->user) ||
	    run(e, EDIT_ADD, sql_text(c->user), sql_text(kind), sql_text(c->address),
		sql_text(c->label), sql_int(c->verified_at), sql_int(c->preferred),
		sql_int(time(NULL))))
		return contacts_sql_error(e);
	id = sqlite3_last_insert_rowid(e->db);
	if (contacts_note_added(e, c) ||
	    run(e, EDIT_SEEN, sql_int(id), sql_int(l->number), sql_int(c->preferred)) ||
	    (c->preferred && run(e, EDIT_ALONE, sql_text(c->user), sql_text(kind), sql_int(id))))
		return contacts_sql_error(e);
	return 0;
}

/* The old contact, and what it becomes. */
static int
import_old(struct contacts_edit *e, const struct contact_line *l, const char *kind,
    const struct old *old, enum import_mode mode, enum imported *what)
{
	const struct contact *c = &l->contact;
	const char *label = l->says_label ? c->label : old->label;
	int64_t verified_at = l->says_verified ? c->verified_at : old->verified_at;
	bool preferred = l->says_preferred ? c->preferred : old->preferred;

	*what = IMPORTED_SAME;
	if (run(e, EDIT_SEEN, sql_int(old->id), sql_int(l->number), sql_int(c->preferred)))
		return contacts_sql_error(e);
	if (mode == IMPORT_ADD || (!strcmp(label, old->label) && verified_at == old->verified_at &&
				      preferred == old->preferred))
		return 0;
	*what = IMPORTED_CHANGED;
	if (contacts_note_first(e, c->user) ||
	    run(e, EDIT_CHANGE, sql_int(old->id), sql_text(label), sql_int(verified_at),
		sql_int(preferred)) ||
	    (preferred && run(e, EDIT_ALONE, sql_text(c->user), sql_text(kind), sql_int(old->id))))
		return contacts_sql_error(e);
	return 0;
}

int
contacts_edit_import(struct contacts_edit *e, const struct contact_line *l, enum import_mode mode,
    enum imported *what, int64_t *earlier)
{
	const struct contact *c = &l->contact;
	const char *kind = contact_kind_name(c->kind);
	struct old old;
	int r = contacts_check_new(c);

	*earlier = 0;
	if (!r)
		r = find_old(e, c, kind, &old);
	if (r)
		return r;
	*what = IMPORTED_TWICE;
	*earlier = old.line;
	if (old.line)
		return 0;
	*what = IMPORTED_TWO_PREFERRED;
	if (c->preferred)
		r = find_preferred(e, c, kind, earlier);
	if (r || *earlier)
		return r;
	*what = IMPORTED_NEW;
	return old.id ? import_old(e, l, kind, &old, mode, what) : import_new(e, l, kind);
}

int
contacts_edit_import_rest(struct contacts_edit *e, int64_t *removed)
{
	/* Those that an import has moved were noted before; new ones come behind the old. */
	static const char sql[] =
	    "CREATE TEMP TABLE doomed AS SELECT id FROM contact WHERE id NOT IN "
	    "(SELECT id FROM temp.seen) AND user IN (SELECT c.user FROM contact c "
	    "JOIN temp.seen s ON s.id = c.id);"
	    "INSERT OR IGNORE INTO temp.first_was SELECT c.user, c.kind, (SELECT address "
	    "FROM contact f WHERE f.user = c.user AND f.kind = c.kind "
	    "ORDER BY preferred DESC, id LIMIT 1) FROM contact c "
	    "WHERE c.id IN (SELECT id FROM temp.doomed) GROUP BY c.user, c.kind;"
	    "INSERT INTO temp.gone SELECT user, kind, address FROM contact "
	    "WHERE id IN (SELECT id FROM temp.doomed);"
	    "DELETE FROM contact WHERE id IN (SELECT id FROM temp.doomed)";

	if (sql_script(e->db, sql) ||
	    sql_number(e->db, "SELECT count(*) FROM temp.doomed", removed) ||
	    sql_script(e->db, "DROP TABLE temp.doomed"))
		return contacts_sql_error(e);
	return 0;
}

/* The last column is an enum contact_fate. */
static const char old_sql[] =
    "WITH lost (user, kind, address, fate) AS ("
    "SELECT g.user, g.kind, g.address, EXISTS (SELECT 1 FROM contact c WHERE c.user = g.user "
    "AND c.kind = g.kind) FROM temp.gone g WHERE NOT EXISTS (SELECT 1 FROM contact c "
    "WHERE c.user = g.user AND c.kind = g.kind AND c.address = g.address) "
    "UNION "
    "SELECT f.user, f.kind, f.address, 1 FROM temp.first_was f WHERE EXISTS (SELECT 1 "
    "FROM contact c WHERE c.user = f.user AND c.kind = f.kind AND c.address = f.address) "
    "AND f.address <> (SELECT c.address FROM contact c WHERE c.user = f.user "
    "AND c.kind = f.kind ORDER BY c.preferred DESC, c.id LIMIT 1)) "
    "SELECT user, kind, address, fate FROM lost "
    "UNION ALL "
    "SELECT user, kind, address, 2 FROM (SELECT user, kind, address FROM temp.first_was "
    "EXCEPT SELECT user, kind, address FROM lost) "
    "WHERE user IN (SELECT user FROM (SELECT user, kind, address FROM temp.added "
    "EXCEPT SELECT user, kind, address FROM temp.gone)) "
    "ORDER BY 1, 2, 3";
_Static_assert(CONTACT_REMOVED == 0 && CONTACT_REPLACED == 1 && CONTACT_JOINED == 2, "old_sql");

int
contacts_edit_old(struct contacts_edit *e, contact_old_fn *fn, void *arg)
{
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int r = 0, rc = sqlite3_prepare_v2(e->db, old_sql, -1, &stmt, NULL);

	while (rc == SQLITE_OK && !r && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct contact c = {.user = ""};
		char kind[8];

		if (!sql_copy_text(stmt, 0, c.user, sizeof(c.user)) ||
		    !sql_copy_text(stmt, 1, kind, sizeof(kind)) ||
		    !sql_copy_text(stmt, 2, c.address, sizeof(c.address)))
			return -OTP_ESTORE;
		c.kind =
		    strcmp(kind, contact_kind_name(CONTACT_PHONE)) ? CONTACT_EMAIL : CONTACT_PHONE;
		r = fn(&c, (enum contact_fate)sqlite3_column_int(stmt, 3), arg);
		rc = SQLITE_OK;
	}
	return r || rc == SQLITE_DONE ? r : contacts_sql_error(e);
}
