/*
 * SQLite as contacts and store use it. Values are bound, never written into the SQL. Only a
 * database with the right application_id counts as one of pam_otp. SQLite runs no code that is
 * stored in a database file.
 */
#ifndef OTP_BASE_SQL_H
#define OTP_BASE_SQL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct sql_value {
	int type; /* SQLITE_INTEGER, SQLITE_TEXT, SQLITE_BLOB or SQLITE_NULL */
	int64_t number;
	const void *bytes; /* borrowed until the statement is finalized or gets other values */
	size_t len;
};

static inline struct sql_value
sql_int(int64_t n)
{
	return (struct sql_value){.type = SQLITE_INTEGER, .number = n};
}

/* The pointer NULL is the NULL of SQL. */
static inline struct sql_value
sql_text(const char *s)
{
	return (struct sql_value){
	    .type = s ? SQLITE_TEXT : SQLITE_NULL, .bytes = s, .len = s ? strlen(s) : 0};
}

static inline struct sql_value
sql_blob(const void *bytes, size_t len)
{
	return (struct sql_value){
	    .type = bytes ? SQLITE_BLOB : SQLITE_NULL, .bytes = bytes, .len = len};
}

static inline void
sql_own_stmt(sqlite3_stmt **stmt)
{
	(void)sqlite3_finalize(*stmt);
}

#define _auto_stmt __attribute__((cleanup(sql_own_stmt)))

/*
 * Prepares a statement and binds n values. The caller steps and finalizes it. *stmt is NULL after
 * an error. Returns an SQLite result code. sql_prepare() takes the values as arguments.
 */
int sql_prepare_n(
    sqlite3 *db, sqlite3_stmt **stmt, const char *sql, const struct sql_value *v, size_t n);
/*
 * Runs a statement to its end and ignores its rows. Returns an SQLite result code. sql_run() takes
 * the values as arguments, at least one: sql_run(db, "...?1...", sql_text(a), ...).
 */
int sql_run_n(sqlite3 *db, const char *sql, const struct sql_value *v, size_t n);
#define SQL_VALUES(...)                          \
	(const struct sql_value[]){__VA_ARGS__}, \
	    sizeof((struct sql_value[]){__VA_ARGS__}) / sizeof(struct sql_value)
#define sql_run(db, sql, ...)		sql_run_n((db), (sql), SQL_VALUES(__VA_ARGS__))
#define sql_prepare(db, stmt, sql, ...) sql_prepare_n((db), (stmt), (sql), SQL_VALUES(__VA_ARGS__))

/*
 * Binds new values to a statement that is used many times. The first call, with *stmt NULL,
 * prepares it. The caller resets it while the values are still valid, and finalizes it at the end.
 * Returns an SQLite result code.
 */
int sql_again_n(
    sqlite3 *db, sqlite3_stmt **stmt, const char *sql, const struct sql_value *v, size_t n);
#define sql_again(db, stmt, sql, ...) sql_again_n((db), (stmt), (sql), SQL_VALUES(__VA_ARGS__))

/* Runs statements to which no values are bound, separated by ";". Returns an SQLite result code. */
int sql_script(sqlite3 *db, const char *sql);
/* Reads one number with a statement to which no values are bound. Returns an SQLite result code. */
int sql_number(sqlite3 *db, const char *sql, int64_t *out);
/*
 * Makes SQLite run nothing that a file holds: no views, no triggers, no functions of its schema.
 * Returns an SQLite result code.
 */
int sql_harden(sqlite3 *db);

enum sql_ours {
	SQL_OURS,
	SQL_EMPTY,
	SQL_FOREIGN,	   /* another application_id */
	SQL_OTHER_VERSION, /* another schema version */
};
/*
 * Finds whether the database is one of pam_otp, with this schema version. Returns an SQLite result
 * code; *ours is valid if it is SQLITE_OK.
 */
int sql_judge(sqlite3 *db, int64_t application_id, int64_t version, enum sql_ours *ours);
/* Copies a column of text. False if it is not text, has a NUL in it or does not fit. */
bool sql_copy_text(sqlite3_stmt *stmt, int column, char *dst, size_t size);

#endif
