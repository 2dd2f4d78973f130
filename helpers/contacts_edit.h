/* The inside of an edit: contacts_edit.c begins, saves and ends it, contacts_import.c fills it. */
#ifndef OTP_CONTACTS_EDIT_H
#define OTP_CONTACTS_EDIT_H

#include <limits.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "helpers/contacts.h"

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
 * Beside the contacts, in memory: what this edit does to users, and what an import has read.
 * An SQLite result code.
 */
int contacts_make_notes(sqlite3 *db);
/* Keeps which of the user's addresses came first, before that may change. An SQLite result code. */
int contacts_note_first(struct contacts_edit *e, const char *user);
/* Behind that: keeps that a user who had an address has this one, too. An SQLite result code. */
int contacts_note_added(struct contacts_edit *e, const struct contact *c);

#endif
