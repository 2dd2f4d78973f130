/* Takes a file of contacts into an edit, line by line. */
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "helpers/contacts/notes.h"
#include "helpers/base/log.h"

/* The old contact with the address of a line. */
struct old {
	int64_t id; /* 0: there is none */
	char label[CONTACT_LABEL_MAX + 1];
	int64_t verified_at;
	bool preferred;
	int64_t line; /* the earlier line that names it, or 0 */
};

static int
find_old(struct contacts_edit *e, const struct contact *c, const char *kind, struct old *out)
{
	int rc =
	    contacts_prepare(e, EDIT_FIND, sql_text(c->user), sql_text(kind), sql_text(c->address));
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
		otp_log(LOG_ERR, "contacts %s: a row is malformed; restore the file from a backup",
		    e->path);
		return -OTP_ESTORE;
	}
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : contacts_sql_error(e);
}

/* Finds the earlier line that has the user's preferred contact of the kind; *line is 0 if none. */
static int
find_preferred(struct contacts_edit *e, const struct contact *c, const char *kind, int64_t *line)
{
	int rc = contacts_prepare(e, EDIT_PREFERRED, sql_text(c->user), sql_text(kind));

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
	    contacts_run(e, EDIT_ADD, sql_text(c->user), sql_text(kind), sql_text(c->address),
		sql_text(c->label), sql_int(c->verified_at), sql_int(c->preferred),
		sql_int(time(NULL))))
		return contacts_sql_error(e);
	id = sqlite3_last_insert_rowid(e->db);
	if (contacts_note_added(e, c) ||
	    contacts_run(e, EDIT_SEEN, sql_int(id), sql_int(l->number), sql_int(c->preferred)) ||
	    (c->preferred &&
		contacts_run(e, EDIT_ALONE, sql_text(c->user), sql_text(kind), sql_int(id))))
		return contacts_sql_error(e);
	return 0;
}

/* Changes an old contact to what its line says, unless the mode keeps it as it is. */
static int
import_old(struct contacts_edit *e, const struct contact_line *l, const char *kind,
    const struct old *old, enum import_mode mode, enum imported *what)
{
	const struct contact *c = &l->contact;
	const char *label = l->has_label ? c->label : old->label;
	int64_t verified_at = l->has_verified ? c->verified_at : old->verified_at;
	bool preferred = l->has_preferred ? c->preferred : old->preferred;

	*what = IMPORTED_SAME;
	if (contacts_run(e, EDIT_SEEN, sql_int(old->id), sql_int(l->number), sql_int(c->preferred)))
		return contacts_sql_error(e);
	if (mode == IMPORT_ADD || (!strcmp(label, old->label) && verified_at == old->verified_at &&
				      preferred == old->preferred))
		return 0;
	*what = IMPORTED_CHANGED;
	if (contacts_note_first(e, c->user) ||
	    contacts_run(e, EDIT_CHANGE, sql_int(old->id), sql_text(label), sql_int(verified_at),
		sql_int(preferred)) ||
	    (preferred &&
		contacts_run(e, EDIT_ALONE, sql_text(c->user), sql_text(kind), sql_int(old->id))))
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
	/*
	 * contacts_note_first() has noted the users whose contacts a line changed. For the others,
	 * the first contact is the old first: new ones have higher ids.
	 */
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
