/*
 * Each edit of the contacts uses temporary tables. They record what the edit does to the addresses
 * of users:
 *  - seen: which contact each line of an imported file names;
 *  - first_was: the old address that was the first of its user and kind;
 *  - gone: addresses that were removed;
 *  - added: new addresses of users who had one already.
 */
#include "helpers/contacts/notes.h"

#include <string.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/base/log.h"

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
contacts_sql_error(const struct contacts_edit *e)
{
	otp_log(LOG_ERR, "contacts %s: %s", e->path, sqlite3_errmsg(e->db));
	return -OTP_ESTORE;
}

int
contacts_check_new(const struct contact *c)
{
	const char *why;
	char clean[CONTACT_LABEL_MAX + 1];

	if (!c->user[0] || contact_check(c->kind, c->address, &why))
		return -OTP_EINVAL;
	if (strcmp(text_clean(clean, sizeof(clean), c->label), c->label))
		return -OTP_EINVAL;
	return 0;
}

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

int
contacts_prepare_n(
    struct contacts_edit *e, enum edit_stmt which, const struct sql_value *v, size_t n)
{
	return sql_again_n(e->db, &e->stmt[which], edit_sql[which], v, n);
}

int
contacts_run_n(struct contacts_edit *e, enum edit_stmt which, const struct sql_value *v, size_t n)
{
	int rc = contacts_prepare_n(e, which, v, n);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(e->stmt[which]);
	(void)sqlite3_reset(e->stmt[which]);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int
contacts_note_first(struct contacts_edit *e, const char *user)
{
	return contacts_run(e, EDIT_FIRST, sql_text(user), sql_int(e->newest));
}

int
contacts_note_added(struct contacts_edit *e, const struct contact *c)
{
	return contacts_run(e, EDIT_ADDED, sql_text(c->user), sql_text(contact_kind_name(c->kind)),
	    sql_text(c->address));
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
