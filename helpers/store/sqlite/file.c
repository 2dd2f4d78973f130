/*
 * The database file of the store, and room for it on the disk. Nothing here depends on the tables.
 *
 * MUST:
 *  - only the owner of folder and files uses them: both are checked before SQLite opens them, and
 *    no symbolic link is followed;
 *  - synchronous is set to FULL and read back, so that a commit is on disk when it returns;
 *  - if another process has the database locked, only the caller's wait function waits.
 */
#include "helpers/store/sqlite/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "common/trust.h"
#include "helpers/base/log.h"
#include "helpers/base/sql.h"

enum {
	WAIT_MS = 2,
	WAIT_TIMES = 5000, /* if there is no wait function: 10 s in all */
};

static bool
is_full(const struct sqlite_store *s)
{
	int basic = sqlite3_errcode(s->db) & 0xff, err = sqlite3_system_errno(s->db);

	if (basic == SQLITE_FULL)
		return true;
	return (basic == SQLITE_IOERR || basic == SQLITE_CANTOPEN) &&
	       (err == ENOSPC || err == EDQUOT);
}

int
store_sqlite_failed(struct sqlite_store *s, const char *what)
{
	s->full = is_full(s);
	otp_log(LOG_ERR, "store: %s: %s (%d)", what, sqlite3_errmsg(s->db),
	    sqlite3_extended_errcode(s->db));
	return -OTP_ESTORE;
}

bool
store_sqlite_make_room(struct sqlite_store *s)
{
	if (!s->full || !reserve_release(s->dir))
		return false;
	otp_log(LOG_CRIT, "store: the disk is full; the reserve file was released for one more "
			  "write; free some space on this disk");
	return true;
}

static int
busy(void *arg, int times)
{
	struct sqlite_store *s = arg;
	const struct timespec ts = {.tv_nsec = WAIT_MS * 1000 * 1000};

	if (s->wait)
		return s->wait(s->arg) == 0;
	(void)nanosleep(&ts, NULL);
	return times < WAIT_TIMES;
}

int
store_sqlite_open_dir(const char *path, int *out)
{
	char culprit[PATH_MAX];
	struct stat st;
	int r = trust_path(path, geteuid(), culprit, sizeof(culprit));

	if (r) {
		otp_logr(LOG_ERR, r,
		    "store: folder %s: every folder of this path must belong to root or uid %ld, "
		    "and nobody else may write there; at fault: %s",
		    path, (long)geteuid(), culprit);
		return r == -OTP_ESYS ? -OTP_ESTORE : -OTP_EPERM;
	}
	*out = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*out < 0 || fstat(*out, &st)) {
		otp_log(LOG_ERR, "store: folder %s: %s; run: otpctl init", path, strerror(errno));
		return -OTP_ESTORE;
	}
	if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH)) {
		otp_log(LOG_ERR,
		    "store: folder %s: owned by uid %ld with mode %o; wanted: uid %ld, "
		    "mode 700",
		    path, (long)st.st_uid, st.st_mode & 07777, (long)geteuid());
		return -OTP_EPERM;
	}
	return 0;
}

/*
 * Checks a file by an O_PATH descriptor. To close any other descriptor of the file would drop the
 * POSIX locks that SQLite holds in this process.
 */
static int
judge_file(int dir, const char *name, struct stat *st)
{
	_auto_close int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return -OTP_ENOENT;
	if (fd < 0 || fstat(fd, st)) {
		otp_log(LOG_ERR, "store: %s: %s", name, strerror(errno));
		return -OTP_ESTORE;
	}
	if (!S_ISREG(st->st_mode) || st->st_nlink != 1) {
		otp_log(LOG_ERR, "store: %s: must be a regular file with one hard link", name);
		return -OTP_EPERM;
	}
	if (st->st_uid != geteuid() || st->st_mode & (S_IWGRP | S_IWOTH)) {
		otp_log(LOG_ERR,
		    "store: %s: owned by uid %ld with mode %o; wanted: uid %ld, mode 600", name,
		    (long)st->st_uid, st->st_mode & 07777, (long)geteuid());
		return -OTP_EPERM;
	}
	return 0;
}

int
store_sqlite_judge_files(int dir)
{
	static const char *const companion[] = {"store.db-wal", "store.db-shm", "store.db-journal"};
	struct stat st;
	int r = judge_file(dir, STORE_DB, &st);

	if (r == -OTP_ENOENT) {
		otp_log(LOG_ERR, "store: %s: missing; run: otpctl init", STORE_DB);
		return -OTP_ESTORE;
	}
	if (!r && st.st_size == 0) {
		otp_log(LOG_ERR, "store: %s: empty; remove it and run: otpctl init", STORE_DB);
		return -OTP_ESTORE;
	}
	for (size_t i = 0; !r && i < sizeof(companion) / sizeof(companion[0]); i++) {
		r = judge_file(dir, companion[i], &st);
		if (r == -OTP_ENOENT)
			r = 0;
	}
	return r;
}

bool
store_sqlite_is_wal(sqlite3 *db)
{
	_auto_stmt sqlite3_stmt *stmt = NULL;
	const char *mode;

	if (sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL) ||
	    sqlite3_step(stmt) != SQLITE_ROW)
		return false;
	mode = (const char *)sqlite3_column_text(stmt, 0);
	return mode && !strcmp(mode, "wal");
}

int
store_sqlite_judge(struct sqlite_store *s, int64_t *version)
{
	enum sql_ours ours = SQL_EMPTY;

	*version = 0;
	if (sql_judge(s->db, STORE_APPLICATION_ID, STORE_SCHEMA, &ours) ||
	    sql_number(s->db, "PRAGMA user_version", version))
		return store_sqlite_failed(s, STORE_DB);
	if (ours == SQL_OURS || ours == SQL_OTHER_VERSION)
		return 0;
	otp_log(LOG_ERR, "store: %s: not a store of pam_otp; move it away and run: otpctl init",
	    STORE_DB);
	return -OTP_ESTORE;
}

int
store_sqlite_connect(struct sqlite_store *s, const char *path)
{
	s->full = false;
	if (sqlite3_open_v2(path, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
		    SQLITE_OPEN_EXRESCODE,
		NULL) ||
	    sqlite3_busy_handler(s->db, busy, s) || sql_harden(s->db))
		return store_sqlite_failed(s, "open");
	return 0;
}

int
store_sqlite_be_durable(struct sqlite_store *s)
{
	enum { FULL = 2 };
	int64_t synchronous = -1;

	if (!store_sqlite_is_wal(s->db) || sql_script(s->db, "PRAGMA synchronous = FULL") ||
	    sql_number(s->db, "PRAGMA synchronous", &synchronous) || synchronous != FULL)
		return store_sqlite_failed(s, "settings");
	return 0;
}
