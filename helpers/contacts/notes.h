/*
 * The inside of an edit, and its notes of what it does to users. edit.c begins, saves and
 * ends an edit, import.c fills it from a file.
 */
#ifndef OTP_CONTACTS_NOTES_H
#define OTP_CONTACTS_NOTES_H

#include <limits.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "helpers/contacts/contacts.h"
#include "helpers/base/sql.h"

/* Statements that an import runs for each of its lines: prepared once. */
enum edit_stmt {
	EDIT_FIND,
	EDIT_ADD,
	EDIT_CHANGE,
	EDIT_SEEN,
	EDIT_PREFERRED,
	EDIT_ALONE,
	EDIT_FIRST,
	EDIT_ADDED,
	EDIT_STATEMENTS,
};

struct contacts_edit {
	char path[PATH_MAX]; /* for the log */
	char name[NAME_MAX + 1];
	char lock_name[NAME_MAX + 1];
	char new_name[NAME_MAX + 1];
	int dir;
	int lock;
	struct stat was;
	sqlite3 *db;
	sqlite3_stmt *stmt[EDIT_STATEMENTS];
	int64_t newest; /* the last id before this edit */
};

/* Logs what SQLite says. -OTP_ESTORE */
int contacts_sql_error(const struct contacts_edit *e);
/* Well-formed? 0 or -OTP_EINVAL */
int contacts_check_new(const struct contact *c);
/*
 * Makes the tables of notes beside the contacts, in memory; contacts_edit_old() reads them. This
 * and the next ones return an SQLite result code.
 */
int contacts_make_notes(sqlite3 *db);
/* The statement with its values, before its first step; the caller resets it. */
int contacts_prepare_n(
    struct contacts_edit *e, enum edit_stmt which, const struct sql_value *v, size_t n);
#define contacts_prepare(e, which, ...) contacts_prepare_n((e), (which), SQL_VALUES(__VA_ARGS__))
/* Runs one that gives no rows. */
int contacts_run_n(
    struct contacts_edit *e, enum edit_stmt which, const struct sql_value *v, size_t n);
#define contacts_run(e, which, ...) contacts_run_n((e), (which), SQL_VALUES(__VA_ARGS__))
/* Keeps which of the user's addresses came first, before that may change. */
int contacts_note_first(struct contacts_edit *e, const char *user);
/* Behind that: keeps that a user who had an address has this one, too. */
int contacts_note_added(struct contacts_edit *e, const struct contact *c);

#endif
