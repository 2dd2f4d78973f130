/*
 * The file of the store in SQLite, its lock and its room on the disk; see file.c. Functions return
 * 0, -OTP_EPERM (wrong owner, mode or kind of file) or -OTP_ESTORE, both logged.
 */
#ifndef OTP_STORE_SQLITE_FILE_H
#define OTP_STORE_SQLITE_FILE_H

#include <sqlite3.h>

#include "helpers/store/store.h"

struct sqlite_store {
	struct store base;
	sqlite3 *db;
	int dir;
	int turns; /* the file of the turn that was taken, or -1 */
	store_wait_fn *wait;
	void *arg;
	int64_t self; /* random, not 0: whose lease it is */
	bool full;    /* the last failure was for want of space */
};

enum {
	STORE_APPLICATION_ID = 0x6f747073, /* "otps" */
	STORE_SCHEMA = 3,
};
#define STORE_DB "store.db"

/* Logs SQLite's last error, notes whether it was for want of space. Returns -OTP_ESTORE. */
int store_sqlite_failed(struct sqlite_store *s, const char *what);
/* Was it for want of space, and were there spare bytes to give up for one more attempt? */
bool store_sqlite_make_room(struct sqlite_store *s);

/* Opens the folder, judged, in *out, which is closed by the caller, also on an error. */
int store_sqlite_open_dir(const char *path, int *out);
/* Judges the database, and the companions that SQLite opens with it. */
int store_sqlite_judge_files(int dir);
/* s->db, hardened, with the waiting of s; it is closed by whoever owns s, also on an error. */
int store_sqlite_connect(struct sqlite_store *s, const char *path);
/* Is it a store of pam_otp? Of which schema? 0 or -OTP_ESTORE. */
int store_sqlite_judge(struct sqlite_store *s, int64_t *version);
/* Sets the journal's mode; false where it is not WAL then. Logs nothing. */
bool store_sqlite_is_wal(sqlite3 *db);
/* What is committed from now on is on disk. 0 or -OTP_ESTORE. */
int store_sqlite_be_durable(struct sqlite_store *s);

#endif
