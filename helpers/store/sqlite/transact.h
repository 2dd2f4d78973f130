/* Transactions of the store in SQLite, and what the operations do inside of them. */
#ifndef OTP_STORE_SQLITE_TRANSACT_H
#define OTP_STORE_SQLITE_TRANSACT_H

#include "helpers/store/sqlite/file.h"

/*
 * What an operation does in its transaction. It may be called twice: see store_sqlite_transact().
 *
 *   0		  the transaction is committed
 *   -OTP_E...	  it is rolled back, and the operation returns this error
 *   OTP_E...	  (positive) it is committed, and the operation returns this error as a negative
 *		  number: so a count stays although the operation refuses something
 */
typedef int store_op_fn(struct sqlite_store *s, const struct instant *now, const void *arg);

/*
 * Runs fn in a BEGIN IMMEDIATE transaction. If the disk is full, it releases the reserve file and
 * tries once more. Unless now is NULL, the transaction also deletes some expired rows.
 * 0, -OTP_ESTORE or the error of fn.
 */
int store_sqlite_transact(
    struct sqlite_store *s, const struct instant *now, store_op_fn *fn, const void *arg);
/*
 * Takes one step. 1: there is a row; 0: there is none; -OTP_ESTORE, logged. stmt is NULL if it
 * could not be prepared: this is an error, too.
 */
int store_sqlite_step(struct sqlite_store *s, sqlite3_stmt *stmt, const char *what);

/* Copies a blob of exactly len bytes. False if the column is anything else. */
bool store_sqlite_copy_blob(sqlite3_stmt *stmt, int column, void *dst, size_t len);
/* True if id is STORE_ID_LEN lower-case hexadecimal digits. */
bool store_sqlite_is_id(const char *id);

#endif
