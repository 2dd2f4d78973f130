/* One transaction of the store in SQLite, and what every operation does inside of one. */
#ifndef OTP_STORE_SQLITE_TRANSACT_H
#define OTP_STORE_SQLITE_TRANSACT_H

#include "helpers/store/sqlite/file.h"

/*
 * What an operation does in its transaction. 0: committed. Negative: rolled back, the error is the
 * operation's. Positive, an OTP_E*: committed, and the operation returns its negative: what must be
 * counted although the answer is no. May be called twice: see store_sqlite_transact().
 */
typedef int store_op_fn(struct sqlite_store *s, const struct instant *now, const void *arg);

/*
 * One BEGIN IMMEDIATE transaction; on a full disk once more, with the spare given up. Some old rows
 * go with it, unless now is NULL. 0, -OTP_ESTORE, or what fn answered.
 */
int store_sqlite_transact(
    struct sqlite_store *s, const struct instant *now, store_op_fn *fn, const void *arg);
/* 1 a row, 0 none, or -OTP_ESTORE, logged. stmt may be NULL: it could not be prepared. */
int store_sqlite_step(struct sqlite_store *s, sqlite3_stmt *stmt, const char *what);

/* Copies a column of exactly len bytes; false when it is anything else. */
bool store_sqlite_copy_blob(sqlite3_stmt *stmt, int column, void *dst, size_t len);
/* STORE_ID_LEN lower-case hexadecimal digits? */
bool store_sqlite_is_id(const char *id);

#endif
