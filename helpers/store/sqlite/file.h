/*
 * The database file of the store, and room for it on the disk. Each error that a function returns
 * is logged.
 */
#ifndef OTP_STORE_SQLITE_FILE_H
#define OTP_STORE_SQLITE_FILE_H

#include <sqlite3.h>

#include "helpers/store/store.h"

struct sqlite_store {
	struct store base;
	sqlite3 *db;
	int dir;
	int send_lock;	/* the file of the send lock that is held, or -1 */
	int hash_place; /* the file of the place for a hash that is held, or -1 */
	store_wait_fn *wait;
	void *arg;
	int64_t lease_owner; /* random, not 0: marks the leases that this object took */
	bool full;	     /* the last failure was that the disk is full */
};

enum {
	STORE_APPLICATION_ID = 0x6f747073, /* "otps" */
	STORE_SCHEMA = 4,
};
#define STORE_DB "store.db"

/* Logs SQLite's last error; sets s->full if the disk was full. Always -OTP_ESTORE, never 0. */
int store_sqlite_failed(struct sqlite_store *s, const char *what);
/*
 * Releases the reserve file if the last failure was that the disk is full. True if that freed some
 * bytes: then one more attempt makes sense.
 */
bool store_sqlite_make_room(struct sqlite_store *s);

/*
 * Checks and opens the folder. The caller closes *out, also after an error.
 * 0; -OTP_EPERM: wrong owner or mode; -OTP_ESTORE.
 */
int store_sqlite_open_dir(const char *path, int *out);
/*
 * Checks owner, mode and kind of the database and of the files that SQLite opens beside it.
 * 0; -OTP_EPERM: one of them is wrong; -OTP_ESTORE: the database is missing or empty.
 */
int store_sqlite_judge_files(int dir);
/*
 * Opens s->db, hardened (sql_harden()). If it is locked, s->wait is called. The owner of s closes
 * s->db, also after an error. 0 or -OTP_ESTORE.
 */
int store_sqlite_connect(struct sqlite_store *s, const char *path);
/* Checks that s->db is a store of pam_otp, and reads its schema version. 0 or -OTP_ESTORE. */
int store_sqlite_judge(struct sqlite_store *s, int64_t *version);
/* Sets the journal mode to WAL. True if it is WAL now. Logs nothing. */
bool store_sqlite_is_wal(sqlite3 *db);
/* Makes every later commit durable: it is on disk when it returns. 0 or -OTP_ESTORE. */
int store_sqlite_be_durable(struct sqlite_store *s);

#endif
