/*
 * The store in SQLite: made, judged and opened.
 *
 * MUST:
 *  - opened only as its owner: the folder and the file are judged first, links are not followed;
 *  - a sign-in never makes a database, and never uses one that is not ours;
 *  - synchronous=FULL, read back: what is committed is on disk;
 *  - waiting for a sibling goes through the caller's wait function and nowhere else.
 */
#include "helpers/store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "common/trust.h"
#include "helpers/log.h"
#include "helpers/sql.h"

enum {
	STORE_APPLICATION_ID = 0x6f747073, /* "otps" */
	STORE_SCHEMA = 1,
	WAIT_MS = 2,
	WAIT_TIMES = 5000,	/* without a wait function: 10 s */
	CHECKPOINT_PAGES = 256, /* a log of 1 MiB: short to recover, short to write back */
};

static const char db_name[] = "store.db";
static const char new_name[] = "store.db.new";

/*
 * All times are milliseconds of the wall clock, but for expires_boot_ms. keep_ms is when a row may
 * be pruned. known_source waits for what will fill it.
 */
static const char schema[] =
    "CREATE TABLE send_event ("
    " reservation INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,"
    " at_ms INTEGER NOT NULL, keep_ms INTEGER NOT NULL) STRICT;"
    "CREATE INDEX send_event_window ON send_event (kind, key, at_ms);"
    "CREATE INDEX send_event_reservation ON send_event (reservation);"
    "CREATE INDEX send_event_keep ON send_event (keep_ms);"
    "CREATE TABLE challenge ("
    " id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL CHECK (state IN ('live', 'used', 'dead')),"
    " user TEXT NOT NULL, service TEXT NOT NULL, source TEXT NOT NULL,"
    " channel TEXT NOT NULL, provider TEXT NOT NULL, address TEXT NOT NULL,"
    " mac BLOB, captures TEXT, boot_id TEXT NOT NULL, expires_boot_ms INTEGER NOT NULL,"
    " sent_ms INTEGER NOT NULL, tries INTEGER NOT NULL, reservation INTEGER NOT NULL,"
    " keep_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX challenge_owner ON challenge (user, service, source, state);"
    "CREATE INDEX challenge_address ON challenge (provider, address, state);"
    "CREATE INDEX challenge_keep ON challenge (keep_ms);"
    "CREATE TABLE budget ("
    " key TEXT NOT NULL PRIMARY KEY, failures INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
    " keep_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX budget_keep ON budget (keep_ms);"
    "CREATE TABLE known_source ("
    " user TEXT NOT NULL, source TEXT NOT NULL, seen_ms INTEGER NOT NULL,"
    " PRIMARY KEY (user, source)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE provider_credits ("
    " provider TEXT NOT NULL, channel TEXT NOT NULL, credits INTEGER NOT NULL,"
    " said_ms INTEGER NOT NULL, PRIMARY KEY (provider, channel)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE provider_session ("
    " key TEXT NOT NULL PRIMARY KEY, sealed BLOB NOT NULL, keep_ms INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID;";

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
	if (!s->full || !spare_give_up(s->dir))
		return false;
	otp_log(
	    LOG_CRIT, "store: the disk is full; the spare bytes were given up: free some space");
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

static void
store_free(struct sqlite_store *s)
{
	if (!s)
		return;
	(void)sqlite3_close(s->db);
	own_close(&s->dir);
	free(s);
}

static void
own_store(struct sqlite_store **s)
{
	store_free(*s);
}

void
store_sqlite_close(struct store *base)
{
	store_free((struct sqlite_store *)base);
}

/* The folder, judged; -OTP_EPERM or -OTP_ESTORE. */
static int
open_dir(const char *path, int *out)
{
	char culprit[PATH_MAX];
	struct stat st;
	int r = trust_path(path, geteuid(), culprit, sizeof(culprit));

	if (r) {
		otp_logr(LOG_ERR, r, "store: folder %s: at fault: %s", path, culprit);
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

/* By O_PATH: closing any other descriptor of the file would drop the locks of this process. */
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
		otp_log(LOG_ERR, "store: %s: not a regular file with one name", name);
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

/* The database, and the companions that SQLite opens with it. */
static int
judge_files(int dir)
{
	static const char *const companion[] = {"store.db-wal", "store.db-shm", "store.db-journal"};
	struct stat st;
	int r = judge_file(dir, db_name, &st);

	if (r == -OTP_ENOENT) {
		otp_log(LOG_ERR, "store: %s: missing; run: otpctl init", db_name);
		return -OTP_ESTORE;
	}
	if (!r && st.st_size == 0) {
		otp_log(LOG_ERR, "store: %s: empty; remove it and run: otpctl init", db_name);
		return -OTP_ESTORE;
	}
	for (size_t i = 0; !r && i < sizeof(companion) / sizeof(companion[0]); i++) {
		r = judge_file(dir, companion[i], &st);
		if (r == -OTP_ENOENT)
			r = 0;
	}
	return r;
}

static bool
is_wal(sqlite3 *db)
{
	_auto_stmt sqlite3_stmt *stmt = NULL;
	const char *mode;

	if (sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL) ||
	    sqlite3_step(stmt) != SQLITE_ROW)
		return false;
	mode = (const char *)sqlite3_column_text(stmt, 0);
	return mode && !strcmp(mode, "wal");
}

static int
judge_db(struct sqlite_store *s)
{
	enum sql_ours ours = SQL_EMPTY;

	if (sql_judge(s->db, STORE_APPLICATION_ID, STORE_SCHEMA, &ours))
		return store_sqlite_failed(s, db_name);
	if (ours == SQL_OURS)
		return 0;
	otp_log(LOG_ERR, "store: %s: %s", db_name,
	    ours == SQL_OTHER_VERSION ? "made by another version of pam_otp"
				      : "not a store of pam_otp");
	return -OTP_ESTORE;
}

static int
open_db(struct sqlite_store *s, const char *path)
{
	enum { FULL = 2 };
	char pragma[64];
	int64_t synchronous = -1;
	int on = 1, r;

	s->full = false;
	(void)snprintf(pragma, sizeof(pragma), "PRAGMA wal_autocheckpoint = %d", CHECKPOINT_PAGES);
	if (sqlite3_open_v2(path, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
		    SQLITE_OPEN_EXRESCODE,
		NULL) ||
	    sqlite3_busy_handler(s->db, busy, s) || sql_harden(s->db) ||
	    /* The log outlives the last close, and closing does not wait for the disk. */
	    sqlite3_file_control(s->db, "main", SQLITE_FCNTL_PERSIST_WAL, &on) ||
	    sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL))
		return store_sqlite_failed(s, "open");
	r = judge_db(s);
	if (r)
		return r;
	if (!is_wal(s->db) || sql_script(s->db, "PRAGMA synchronous = FULL") ||
	    sql_number(s->db, "PRAGMA synchronous", &synchronous) || synchronous != FULL ||
	    sql_script(s->db, pragma))
		return store_sqlite_failed(s, "settings");
	return 0;
}

int
store_sqlite_open(const char *dir, store_wait_fn *wait, void *arg, struct store **out)
{
	__attribute__((cleanup(own_store))) struct sqlite_store *s = calloc(1, sizeof(*s));
	char path[PATH_MAX];
	int r;

	if (!s)
		return -OTP_ENOMEM;
	*s = (struct sqlite_store){
	    .base.ops = &store_sqlite_ops, .dir = -1, .wait = wait, .arg = arg};
	r = open_dir(dir, &s->dir);
	if (!r)
		r = judge_files(s->dir);
	if (r)
		return r;
	if (snprintf(path, sizeof(path), "%s/%s", dir, db_name) >= (int)sizeof(path))
		return -OTP_EINVAL;
	r = open_db(s, path);
	if (r == -OTP_ESTORE && store_sqlite_make_room(s)) {
		(void)sqlite3_close(take(&s->db));
		r = open_db(s, path);
	}
	if (r)
		return r;
	spare_keep(s->dir);
	*out = &take(&s)->base;
	return 0;
}

/* The complete database under its temporary name, on disk. */
static int
create_new(const char *path)
{
	struct sqlite_store s = {.dir = -1};
	char sql[sizeof(schema) + 128];
	_auto_close int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = 0;

	if (fd < 0) {
		otp_logr(LOG_ERR, -OTP_ESYS, "store: %s", path);
		return -OTP_ESTORE;
	}
	(void)snprintf(sql, sizeof(sql),
	    "BEGIN; PRAGMA application_id = %d; PRAGMA user_version = %d; %s COMMIT;",
	    STORE_APPLICATION_ID, STORE_SCHEMA, schema);
	if (sqlite3_open_v2(path, &s.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL) ||
	    !is_wal(s.db) || sql_script(s.db, sql))
		r = store_sqlite_failed(&s, path);
	/* The last close writes the log back and removes it. */
	if (sqlite3_close(s.db) && !r)
		r = store_sqlite_failed(&s, path);
	if (!r && fsync(fd)) {
		otp_logr(LOG_ERR, -OTP_ESYS, "store: %s", path);
		r = -OTP_ESTORE;
	}
	return r;
}

static void
remove_new(int dir)
{
	static const char *const suffix[] = {"", "-wal", "-shm", "-journal"};
	char name[sizeof(new_name) + 16];

	for (size_t i = 0; i < sizeof(suffix) / sizeof(suffix[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", new_name, suffix[i]);
		(void)unlinkat(dir, name, 0);
	}
}

int
store_sqlite_create(const char *dir)
{
	_auto_close int fd = -1;
	char path[PATH_MAX];
	struct stat st;
	int r = open_dir(dir, &fd);

	if (r)
		return r;
	/* One maker at a time; what a dead one left is nobody's. */
	if (flock(fd, LOCK_EX)) {
		otp_logr(LOG_ERR, -OTP_ESYS, "store: %s", dir);
		return -OTP_ESTORE;
	}
	if (!fstatat(fd, db_name, &st, AT_SYMLINK_NOFOLLOW))
		return -OTP_EEXIST;
	if (snprintf(path, sizeof(path), "%s/%s", dir, new_name) >= (int)sizeof(path))
		return -OTP_EINVAL;
	remove_new(fd);
	r = create_new(path);
	if (!r && linkat(fd, new_name, fd, db_name, 0)) {
		otp_logr(LOG_ERR, -OTP_ESYS, "store: %s", path);
		r = -OTP_ESTORE;
	}
	remove_new(fd);
	if (!r && fsync(fd)) {
		otp_logr(LOG_ERR, -OTP_ESYS, "store: %s", dir);
		r = -OTP_ESTORE;
	}
	if (!r)
		spare_keep(fd);
	return r;
}
