/*
 * What the files of an edit share. edit.c begins, changes, saves and ends an edit, import.c fills
 * it from a file, and notes.c notes what it does to the addresses of users.
 */
#ifndef OTP_CONTACTS_NOTES_H
#define OTP_CONTACTS_NOTES_H

#include <limits.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "helpers/contacts/contacts.h"
#include "helpers/base/sql.h"

/* The statements that an import runs for each line. They are prepared once. */
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
	struct stat was; /* owner, group and mode of the old file */
	sqlite3 *db;
	sqlite3_stmt *stmt[EDIT_STATEMENTS];
	int64_t newest; /* the highest contact.id before this edit */
};

/* Logs SQLite's last error. Always -OTP_ESTORE, never 0. */
int contacts_sql_error(const struct contacts_edit *e);
/* Checks user, address and label of a new contact. 0 or -OTP_EINVAL. */
int contacts_check_new(const struct contact *c);
/*
 * Makes the temporary tables of notes, which contacts_edit_old() reads. Returns an SQLite result
 * code.
 */
int contacts_make_notes(sqlite3 *db);
/*
 * Binds the values to a statement of the edit. The caller steps and resets it. Returns an SQLite
 * result code.
 */
int contacts_prepare_n(
    struct contacts_edit *e, enum edit_stmt which, const struct sql_value *v, size_t n);
#define contacts_prepare(e, which, ...) contacts_prepare_n((e), (which), SQL_VALUES(__VA_ARGS__))
/* Runs a statement of the edit that gives no rows. Returns an SQLite result code. */
int contacts_run_n(
    struct contacts_edit *e, enum edit_stmt which, const struct sql_value *v, size_t n);
#define contacts_run(e, which, ...) contacts_run_n((e), (which), SQL_VALUES(__VA_ARGS__))
/*
 * Notes which of the user's old addresses is the first of its kind, before the edit may change
 * that. Returns an SQLite result code.
 */
int contacts_note_first(struct contacts_edit *e, const char *user);
/*
 * Notes a new address of a user who had an address already. The caller has called
 * contacts_note_first() before. Returns an SQLite result code.
 */
int contacts_note_added(struct contacts_edit *e, const struct contact *c);

#endif
