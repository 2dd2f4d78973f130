/*
 * SQLite as contacts and store use it: values are bound, never pasted; a database is ours only with
 * our application_id and schema version, and nothing inside the file is run.
 * Functions return an SQLite result code.
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
	const void *bytes; /* borrowed until the statement is finalized */
	size_t len;
};

static inline struct sql_value
sql_int(int64_t n)
{
	return (struct sql_value){.type = SQLITE_INTEGER, .number = n};
}

/* NULL is SQL's NULL. */
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

int sql_prepare_n(
    sqlite3 *db, sqlite3_stmt **stmt, const char *sql, const struct sql_value *v, size_t n);
int sql_run_n(sqlite3 *db, const char *sql, const struct sql_value *v, size_t n);
#define SQL_VALUES(...)                          \
	(const struct sql_value[]){__VA_ARGS__}, \
	    sizeof((struct sql_value[]){__VA_ARGS__}) / sizeof(struct sql_value)
/* sql_run(db, "...?1...", sql_text(a), ...): all rows are stepped over. At least one value. */
#define sql_run(db, sql, ...) sql_run_n((db), (sql), SQL_VALUES(__VA_ARGS__))
/* The statement with its values, before its first step; the caller finalizes it. NULL on error. */
#define sql_prepare(db, stmt, sql, ...) sql_prepare_n((db), (stmt), (sql), SQL_VALUES(__VA_ARGS__))

/*
 * The same statement again and again: prepared where *stmt is NULL, else reset, with new values.
 * The caller resets it before they go, and finalizes it at the end.
 */
int sql_again_n(
    sqlite3 *db, sqlite3_stmt **stmt, const char *sql, const struct sql_value *v, size_t n);
#define sql_again(db, stmt, sql, ...) sql_again_n((db), (stmt), (sql), SQL_VALUES(__VA_ARGS__))

/* Without values; several statements may follow each other. */
int sql_script(sqlite3 *db, const char *sql);
/* One number from a statement without values. */
int sql_number(sqlite3 *db, const char *sql, int64_t *out);
/* Nothing that stands in the file is run: no views, no triggers, no functions from its schema. */
int sql_harden(sqlite3 *db);

enum sql_ours { SQL_OURS, SQL_EMPTY, SQL_FOREIGN, SQL_OTHER_VERSION };
/* SQLITE_OK and whose it is in *ours, or why it cannot be read. */
int sql_judge(sqlite3 *db, int64_t application_id, int64_t version, enum sql_ours *ours);
/* Copies a text column; false when it is no text or does not fit. */
bool sql_copy_text(sqlite3_stmt *stmt, int column, char *dst, size_t size);

#endif
