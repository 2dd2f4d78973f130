/*
 * The store in SQLite: a new one is made, and one of an older schema is upgraded to this one.
 *
 * MUST:
 *  - a database appears under its name when it is complete and on disk, or not at all;
 *  - an upgrade is one transaction and loses no count and no code;
 *  - a database that is not a store of pam_otp is left as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "helpers/base/log.h"
#include "helpers/base/sql.h"
#include "helpers/store/sqlite/sqlite.h"

static const char new_name[] = STORE_DB ".new";

/* Schema 2 had other columns here. */
#define REMEMBERED                                                                    \
	"CREATE TABLE remembered ("                                                   \
	" user TEXT NOT NULL, key TEXT NOT NULL, made_ms INTEGER NOT NULL,"           \
	" boot_id TEXT NOT NULL DEFAULT '', made_boot_ms INTEGER NOT NULL DEFAULT 0," \
	" PRIMARY KEY (user, key)) STRICT, WITHOUT ROWID;"                            \
	"CREATE INDEX remembered_made ON remembered (made_ms);"

/*
 * Schema 3 did not have these columns. They stand last in their table, where ALTER TABLE adds them.
 * Then a helper of the version before, which still runs, can go on.
 */
#define CHALLENGE_KNOWN	    "known INTEGER NOT NULL DEFAULT 0 CHECK (known IN (0, 1))"
#define CHALLENGE_IDENTITY  "identity TEXT NOT NULL DEFAULT ''"
#define CHALLENGE_PRETENDED "pretended INTEGER NOT NULL DEFAULT 0 CHECK (pretended IN (0, 1))"

/*
 * The names of tables and columns are those that stores in use have; another name needs another
 * schema version. `place` and `known_place` are of known sources, `pause` of retry-after times and
 * `provider_session` of tokens. Times are milliseconds of the wall clock; those with "boot" in
 * their name are of the boot clock. A row may be pruned after keep_ms. Until lease_boot_ms of its
 * boot, the challenge is leased to lease_by.
 */
static const char schema[] =
    "CREATE TABLE send_event ("
    " reservation INTEGER NOT NULL, kind TEXT NOT NULL, owner TEXT NOT NULL, place TEXT NOT NULL,"
    " returns INTEGER NOT NULL CHECK (returns IN (0, 1)),"
    " at_ms INTEGER NOT NULL, keep_ms INTEGER NOT NULL) STRICT;"
    "CREATE INDEX send_event_window ON send_event (kind, owner, place, at_ms);"
    "CREATE INDEX send_event_reservation ON send_event (reservation);"
    "CREATE INDEX send_event_keep ON send_event (keep_ms);"
    "CREATE TABLE challenge ("
    " id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL CHECK (state IN ('live', 'used', 'dead')),"
    " user TEXT NOT NULL, service TEXT NOT NULL, source TEXT NOT NULL,"
    " channel TEXT NOT NULL, provider TEXT NOT NULL, address TEXT NOT NULL,"
    " mac BLOB, captures TEXT, boot_id TEXT NOT NULL, expires_boot_ms INTEGER NOT NULL,"
    " sent_ms INTEGER NOT NULL, tries INTEGER NOT NULL, reservation INTEGER NOT NULL,"
    " lease_by INTEGER NOT NULL, lease_boot_ms INTEGER NOT NULL,"
    " keep_ms INTEGER NOT NULL, " CHALLENGE_KNOWN ", " CHALLENGE_PRETENDED ", " CHALLENGE_IDENTITY
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX challenge_owner ON challenge (user, service, source, state);"
    "CREATE INDEX challenge_identity ON challenge (identity, state);"
    "CREATE INDEX challenge_keep ON challenge (keep_ms);"
    "CREATE TABLE budget ("
    " kind TEXT NOT NULL, owner TEXT NOT NULL, place TEXT NOT NULL,"
    " failures INTEGER NOT NULL, last_ms INTEGER NOT NULL, keep_ms INTEGER NOT NULL,"
    " PRIMARY KEY (kind, owner, place)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX budget_keep ON budget (keep_ms);"
    "CREATE TABLE known_place ("
    " user TEXT NOT NULL, place TEXT NOT NULL, seen_ms INTEGER NOT NULL,"
    " PRIMARY KEY (user, place)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX known_place_seen ON known_place (seen_ms);"
    "CREATE TABLE recovery ("
    " user TEXT NOT NULL PRIMARY KEY, id TEXT NOT NULL UNIQUE, salt BLOB NOT NULL,"
    " issued_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE recovery_code ("
    " issue TEXT NOT NULL, nr INTEGER NOT NULL, hash BLOB NOT NULL,"
    " used INTEGER NOT NULL CHECK (used IN (0, 1)),"
    " PRIMARY KEY (issue, nr)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE sample ("
    " nr INTEGER PRIMARY KEY, what TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " took_ms INTEGER NOT NULL, outcome INTEGER NOT NULL) STRICT;"
    "CREATE INDEX sample_what ON sample (what, nr);"
    "CREATE TABLE pause ("
    " address TEXT NOT NULL, provider TEXT NOT NULL, until_ms INTEGER NOT NULL,"
    " PRIMARY KEY (address, provider)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX pause_until ON pause (until_ms);"
    "CREATE TABLE provider_credits ("
    " provider TEXT NOT NULL, channel TEXT NOT NULL, credits INTEGER NOT NULL,"
    " said_ms INTEGER NOT NULL, PRIMARY KEY (provider, channel)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE provider_session ("
    " key TEXT NOT NULL PRIMARY KEY, sealed BLOB NOT NULL, keep_ms INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID;" REMEMBERED;

/* --- a new store --------------------------------------------------------------------------- */

/* Makes the complete database at path, which has the temporary name, and flushes it to disk. */
static int
create_new(const char *path)
{
	struct sqlite_store s = {.dir = -1, .send_lock = -1, .hash_place = -1};
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
	    !store_sqlite_is_wal(s.db) || sql_script(s.db, sql))
		r = store_sqlite_failed(&s, path);
	/* The last close moves all from the write-ahead log into the database. */
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
	int r = store_sqlite_open_dir(dir, &fd);

	if (r)
		return r;
	/* With this lock, a file under the temporary name was left by a process that died. */
	if (flock(fd, LOCK_EX)) {
		otp_logr(LOG_ERR, -OTP_ESYS, "store: %s", dir);
		return -OTP_ESTORE;
	}
	if (!fstatat(fd, STORE_DB, &st, AT_SYMLINK_NOFOLLOW))
		return -OTP_EEXIST;
	if (snprintf(path, sizeof(path), "%s/%s", dir, new_name) >= (int)sizeof(path))
		return -OTP_EINVAL;
	remove_new(fd);
	r = create_new(path);
	if (!r && linkat(fd, new_name, fd, STORE_DB, 0)) {
		otp_logr(LOG_ERR, -OTP_ESYS, "store: %s", path);
		r = -OTP_ESTORE;
	}
	remove_new(fd);
	if (!r && fsync(fd)) {
		otp_logr(LOG_ERR, -OTP_ESYS, "store: %s", dir);
		r = -OTP_ESTORE;
	}
	if (!r)
		reserve_keep(fd);
	return r;
}

/* --- from schema 1 ------------------------------------------------------------------------- */

/*
 * Schema 1 was different. A key was "KIND:OWNER". The kind "peer", of a sign-in through a host that
 * is not root, is "peer-user" now. The table known_source was always empty. There were no leases
 * and no `place`. A success gave every send back, so `returns` becomes 1.
 */
static const char move_aside_1[] =
    "DROP INDEX send_event_window; DROP INDEX send_event_reservation;"
    "DROP INDEX send_event_keep; DROP INDEX challenge_owner;"
    "DROP INDEX challenge_address; DROP INDEX challenge_keep;"
    "DROP INDEX budget_keep;"
    "ALTER TABLE send_event RENAME TO send_event_1;"
    "ALTER TABLE challenge RENAME TO challenge_1;"
    "ALTER TABLE budget RENAME TO budget_1;"
    "ALTER TABLE provider_credits RENAME TO provider_credits_1;"
    "ALTER TABLE provider_session RENAME TO provider_session_1;";

#define KIND_OF_KEY                                                           \
	"CASE substr(key, 1, instr(key, ':')) WHEN 'peer:' THEN 'peer-user' " \
	"WHEN 'peer-decoy:' THEN 'peer-user-decoy' WHEN '' THEN key "         \
	"ELSE substr(key, 1, instr(key, ':') - 1) END"
#define OWNER_OF_KEY "CASE WHEN instr(key, ':') THEN substr(key, instr(key, ':') + 1) ELSE '' END"

static const char copy_1[] =
    "INSERT INTO send_event (reservation, kind, owner, place, returns, at_ms, keep_ms)"
    " SELECT reservation, " KIND_OF_KEY ", " OWNER_OF_KEY ", '', 1, at_ms, keep_ms"
    " FROM send_event_1;"
    "INSERT INTO challenge (id, state, user, service, source, channel, provider, address, mac,"
    " captures, boot_id, expires_boot_ms, sent_ms, tries, reservation, lease_by, lease_boot_ms,"
    " keep_ms) SELECT id, state, user, service, source, channel, provider, address, mac,"
    " captures, boot_id, expires_boot_ms, sent_ms, tries, reservation, 0, 0, keep_ms"
    " FROM challenge_1;"
    "INSERT INTO budget (kind, owner, place, failures, last_ms, keep_ms)"
    " SELECT " KIND_OF_KEY ", " OWNER_OF_KEY ", '', failures, last_ms, keep_ms FROM budget_1;"
    "INSERT INTO known_place (user, place, seen_ms) SELECT user, source, seen_ms"
    " FROM known_source;"
    "INSERT INTO provider_credits SELECT provider, channel, credits, said_ms"
    " FROM provider_credits_1;"
    "INSERT INTO provider_session SELECT key, sealed, keep_ms FROM provider_session_1;"
    "DROP TABLE send_event_1; DROP TABLE challenge_1; DROP TABLE budget_1;"
    "DROP TABLE known_source; DROP TABLE provider_credits_1; DROP TABLE provider_session_1;";

/* --- from schema 2 ------------------------------------------------------------------------- */

/* Schema 2 did not keep the boot of a remembered sign-in. So everyone is asked once more. */
static const char from_2[] = "DROP TABLE remembered; " REMEMBERED;

/* --- from schema 3 ------------------------------------------------------------------------- */

static const char from_3[] =
    "ALTER TABLE challenge ADD COLUMN " CHALLENGE_KNOWN
    "; ALTER TABLE challenge ADD COLUMN " CHALLENGE_PRETENDED
    "; ALTER TABLE challenge ADD COLUMN " CHALLENGE_IDENTITY "; DROP INDEX challenge_address;"
    "CREATE INDEX challenge_identity ON challenge (identity, state);";

/* --- from any older schema ----------------------------------------------------------------- */

/* Returns the schema version if the store needs an upgrade, 0 if not, or -OTP_ESTORE. */
static int
old_version(struct sqlite_store *s)
{
	int64_t version;
	int r = store_sqlite_judge(s, &version);

	if (r || version == STORE_SCHEMA)
		return r;
	if (version >= 1 && version < STORE_SCHEMA)
		return (int)version;
	otp_log(LOG_ERR,
	    "store: %s: has schema %" PRId64 " of another version of pam_otp; this version reads 1 "
	    "to %d; install the version that made it",
	    STORE_DB, version, STORE_SCHEMA);
	return -OTP_ESTORE;
}

static int
op_migrate(struct sqlite_store *s, const struct instant *now, const void *arg)
{
	char pragma[64];
	int r = old_version(s);

	(void)now;
	(void)arg;
	if (r <= 0)
		return r;
	(void)snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", STORE_SCHEMA);
	if (r == 1 && (sql_script(s->db, move_aside_1) || sql_script(s->db, schema) ||
			  sql_script(s->db, copy_1)))
		return store_sqlite_failed(s, "upgrading");
	if ((r == 2 && sql_script(s->db, from_2)) || (r > 1 && sql_script(s->db, from_3)) ||
	    sql_script(s->db, pragma))
		return store_sqlite_failed(s, "upgrading");
	return 0;
}

int
store_sqlite_upgrade(struct sqlite_store *s)
{
	/* Checked before the first change: to set the journal mode is one. */
	int r = old_version(s);

	if (r <= 0)
		return r;
	r = store_sqlite_be_durable(s);
	if (!r)
		r = store_sqlite_transact(s, NULL, op_migrate, NULL);
	if (!r)
		otp_log(LOG_NOTICE, "store: %s: upgraded to schema %d", STORE_DB, STORE_SCHEMA);
	return r;
}

int
store_sqlite_migrate(const char *dir)
{
	struct sqlite_store s = {.dir = -1, .send_lock = -1, .hash_place = -1};
	_auto_close int fd = -1;
	char path[PATH_MAX];
	int r = store_sqlite_open_dir(dir, &fd);

	if (!r)
		r = store_sqlite_judge_files(fd);
	if (r)
		return r;
	if (snprintf(path, sizeof(path), "%s/%s", dir, STORE_DB) >= (int)sizeof(path))
		return -OTP_EINVAL;
	s.dir = fd;
	r = store_sqlite_connect(&s, path);
	if (!r)
		r = store_sqlite_upgrade(&s);
	(void)sqlite3_close(s.db);
	return r;
}
