/*
 * Writes contacts to an SQLite file. Only otpctl does so, usually as root.
 *
 * MUST:
 *  - nothing is opened in a folder that anyone but root and the caller can write to;
 *  - no symbolic link is followed, and names are used relative to the checked folder;
 *  - the file itself is never written: a complete new file gets its name after it is on disk;
 *  - one process at a time writes; a process that died cannot keep the lock.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "common/trust.h"
#include "helpers/contacts/notes.h"
#include "helpers/contacts/read.h"
#include "helpers/base/log.h"
#include "helpers/base/sql.h"

static const char schema[] = "CREATE TABLE contact ("
			     " id INTEGER PRIMARY KEY,"
			     " user TEXT NOT NULL,"
			     " kind TEXT NOT NULL CHECK (kind IN ('phone', 'email')),"
			     " address TEXT NOT NULL COLLATE NOCASE,"
			     " label TEXT NOT NULL,"
			     " verified_at INTEGER NOT NULL,"
			     " preferred INTEGER NOT NULL,"
			     " added_at INTEGER NOT NULL,"
			     " UNIQUE (user, kind, address)"
			     ") STRICT;"
			     "CREATE TABLE attribute ("
			     " user TEXT NOT NULL, provider TEXT NOT NULL, name TEXT NOT NULL,"
			     " value TEXT NOT NULL, PRIMARY KEY (user, provider, name)"
			     ") STRICT, WITHOUT ROWID;";

static void
edit_free(struct contacts_edit *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < EDIT_STATEMENTS; i++)
		(void)sqlite3_finalize(e->stmt[i]);
	(void)sqlite3_close(e->db);
	own_close(&e->lock);
	own_close(&e->dir);
	free(e);
}

static void
own_edit(struct contacts_edit **e)
{
	edit_free(*e);
}

#define _auto_edit __attribute__((cleanup(own_edit)))

static int
sys_error(const struct contacts_edit *e, const char *what)
{
	otp_log(LOG_ERR, "contacts %s: %s: %s", e->path, what, strerror(errno));
	return -OTP_ESTORE;
}

static int
open_dir(struct contacts_edit *e, const char *dir)
{
	char culprit[PATH_MAX];
	int r = trust_path(dir, geteuid(), culprit, sizeof(culprit));

	if (r) {
		otp_logr(LOG_ERR, r,
		    "contacts: folder %s: every folder of this path must belong to root or uid "
		    "%ld, "
		    "and nobody else may write there; at fault: %s",
		    dir, (long)geteuid(), culprit);
		return r == -OTP_ESYS ? -OTP_ESTORE : r;
	}
	e->dir = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return e->dir < 0 ? sys_error(e, "folder") : 0;
}

static int
take_lock(struct contacts_edit *e)
{
	e->lock = openat(
	    e->dir, e->lock_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (e->lock < 0)
		return sys_error(e, "lock file");
	if (!flock(e->lock, LOCK_EX | LOCK_NB))
		return 0;
	if (errno == EWOULDBLOCK)
		otp_log(LOG_NOTICE, "contacts %s: waiting for another otpctl", e->path);
	while (flock(e->lock, LOCK_EX))
		if (errno != EINTR)
			return sys_error(e, "lock file");
	return 0;
}

static int
set_names(struct contacts_edit *e, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? strlen(slash + 1) : 0;

	if (len == 0 || len + sizeof(".lock") > sizeof(e->name) ||
	    strlen(path) >= sizeof(e->path)) {
		otp_log(LOG_ERR, "contacts %s: must be the absolute path of a file", path);
		return -OTP_EINVAL;
	}
	(void)snprintf(e->path, sizeof(e->path), "%s", path);
	(void)snprintf(e->name, sizeof(e->name), "%s", slash + 1);
	(void)snprintf(e->lock_name, sizeof(e->lock_name), "%.*s.lock", (int)len, slash + 1);
	(void)snprintf(e->new_name, sizeof(e->new_name), "%.*s.new", (int)len, slash + 1);
	return 0;
}

/* Checks and opens the folder, and takes the lock. */
static int
edit_new(const char *path, struct contacts_edit **out)
{
	_auto_edit struct contacts_edit *e = calloc(1, sizeof(*e));
	char dir[PATH_MAX];
	int r;

	if (!e)
		return -OTP_ENOMEM;
	e->dir = e->lock = -1;
	r = set_names(e, path);
	if (r)
		return r;
	(void)snprintf(dir, sizeof(dir), "%.*s", (int)(strlen(path) - strlen(e->name) - 1), path);
	r = open_dir(e, dir);
	if (!r)
		r = take_lock(e);
	if (r)
		return r;
	*out = take(&e);
	return 0;
}

static int
write_all(int fd, const unsigned char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -OTP_ESYS;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Writes the image to the file e->new_name, and to disk. */
static int
write_new(struct contacts_edit *e, const unsigned char *image, size_t size, const struct stat *like)
{
	_auto_close int fd = -1;

	/* We hold the lock, so a file of this name was left by a process that died. */
	if (unlinkat(e->dir, e->new_name, 0) && errno != ENOENT)
		return sys_error(e, "old copy");
	fd =
	    openat(e->dir, e->new_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || write_all(fd, image, size) || fchown(fd, like->st_uid, like->st_gid) ||
	    fchmod(fd, like->st_mode & 07777) || fsync(fd)) {
		int r = sys_error(e, "new copy");

		(void)unlinkat(e->dir, e->new_name, 0);
		return r;
	}
	return 0;
}

static int
save(struct contacts_edit *e, const struct stat *like)
{
	sqlite3_int64 size = 0;
	/* If SQLite's own memory is in one piece, no copy is made: the file may be large. */
	unsigned char *copy = NULL,
		      *image = sqlite3_serialize(e->db, "main", &size, SQLITE_SERIALIZE_NOCOPY);
	int r;

	if (!image)
		image = copy = sqlite3_serialize(e->db, "main", &size, 0);
	r = image ? write_new(e, image, (size_t)size, like) : -OTP_ENOMEM;
	sqlite3_free(copy);
	return r;
}

int
contacts_sqlite_create(const char *path, uid_t owner, gid_t group)
{
	_auto_edit struct contacts_edit *e = NULL;
	const struct stat like = {.st_uid = owner, .st_gid = group, .st_mode = 0640};
	char sql[sizeof(schema) + 128];
	int r = edit_new(path, &e);

	if (r)
		return r;
	if (!fstatat(e->dir, e->name, &e->was, AT_SYMLINK_NOFOLLOW))
		return -OTP_EEXIST;
	(void)snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d; %s",
	    CONTACTS_APPLICATION_ID, CONTACTS_SCHEMA, schema);
	if (sqlite3_open_v2(":memory:", &e->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, NULL) ||
	    sql_script(e->db, sql))
		return contacts_sql_error(e);
	r = save(e, &like);
	if (r)
		return r;
	/* linkat(2), because it never replaces an existing file. */
	if (linkat(e->dir, e->new_name, e->dir, e->name, 0))
		r = errno == EEXIST ? -OTP_EEXIST : sys_error(e, "link");
	if (unlinkat(e->dir, e->new_name, 0) || fsync(e->dir))
		r = r ? r : sys_error(e, "folder");
	return r;
}

static int
load(struct contacts_edit *e)
{
	_auto_close int fd = openat(e->dir, e->name, CONTACTS_OPEN_FLAGS);
	unsigned char *image;
	size_t size, got = 0;
	int r;

	if (fd < 0)
		return contacts_open_error(errno, e->path);
	r = contacts_judge(fd, geteuid(), e->path, &e->was);
	if (r)
		return r;
	size = (size_t)e->was.st_size;
	image = sqlite3_malloc64(size);
	if (!image)
		return -OTP_ENOMEM;
	while (got < size) {
		ssize_t n = pread(fd, image + got, size - got, (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			sqlite3_free(image);
			return sys_error(e, "read");
		}
		got += (size_t)n;
	}
	/* From sqlite3_deserialize() on, SQLite frees the image, also after an error. */
	if (sqlite3_open_v2(":memory:", &e->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, NULL)) {
		sqlite3_free(image);
		return contacts_sql_error(e);
	}
	if (sqlite3_deserialize(e->db, "main", image, (sqlite3_int64)size, (sqlite3_int64)size,
		SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE) ||
	    sql_harden(e->db))
		return contacts_sql_error(e);
	r = contacts_judge_db(e->db, e->path);
	/* One transaction for the whole edit makes a long import several times faster. */
	return !r && (contacts_make_notes(e->db) ||
			 sql_number(
			     e->db, "SELECT coalesce(max(id), 0) FROM contact", &e->newest) ||
			 sql_script(e->db, "BEGIN"))
		   ? contacts_sql_error(e)
		   : r;
}

int
contacts_edit_begin(const char *path, struct contacts_edit **out)
{
	_auto_edit struct contacts_edit *e = NULL;
	int r = edit_new(path, &e);

	if (!r)
		r = load(e);
	if (r)
		return r;
	*out = take(&e);
	return 0;
}

int
contacts_edit_add(struct contacts_edit *e, const struct contact *c)
{
	const char *kind = contact_kind_name(c->kind);
	int rc, r = contacts_check_new(c);

	if (r)
		return r;
	if (contacts_note_first(e, c->user))
		return contacts_sql_error(e);
	rc = sql_run(e->db,
	    "INSERT INTO contact (user, kind, address, label, verified_at, preferred, added_at) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	    sql_text(c->user), sql_text(kind), sql_text(c->address), sql_text(c->label),
	    sql_int(c->verified_at), sql_int(c->preferred), sql_int(time(NULL)));
	if ((rc & 0xff) == SQLITE_CONSTRAINT)
		return -OTP_EEXIST;
	if (rc != SQLITE_OK || contacts_note_added(e, c))
		return contacts_sql_error(e);
	if (c->preferred &&
	    sql_run(e->db,
		"UPDATE contact SET preferred = 0 WHERE user = ?1 AND kind = ?2 AND address <> ?3",
		sql_text(c->user), sql_text(kind), sql_text(c->address)) != SQLITE_OK)
		return contacts_sql_error(e);
	return 0;
}

int
contacts_edit_verified(struct contacts_edit *e, const struct contact *c, int64_t at)
{
	if (sql_run(e->db,
		"UPDATE contact SET verified_at = ?4 WHERE user = ?1 AND kind = ?2 AND address = "
		"?3",
		sql_text(c->user), sql_text(contact_kind_name(c->kind)), sql_text(c->address),
		sql_int(at)) != SQLITE_OK)
		return contacts_sql_error(e);
	return sqlite3_changes(e->db) ? 0 : -OTP_ENOENT;
}

int
contacts_edit_remove(struct contacts_edit *e, const char *user, const char *address, int *removed)
{
	if (contacts_note_first(e, user) ||
	    sql_run(e->db,
		"INSERT INTO temp.gone SELECT user, kind, address FROM contact "
		"WHERE user = ?1 AND (?2 IS NULL OR address = ?2)",
		sql_text(user), sql_text(address)) != SQLITE_OK)
		return contacts_sql_error(e);
	if (sql_run(e->db, "DELETE FROM contact WHERE user = ?1 AND (?2 IS NULL OR address = ?2)",
		sql_text(user), sql_text(address)) != SQLITE_OK)
		return contacts_sql_error(e);
	*removed = sqlite3_changes(e->db);
	return 0;
}

/* Checks that a template can name the attribute, as ${attr.NAME}. */
static bool
is_attribute_name(const char *name)
{
	size_t len = strlen(name);

	return len && len <= ATTRIBUTE_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

int
contacts_edit_attribute(struct contacts_edit *e, const char *user, const char *provider,
    const char *name, const char *value)
{
	int rc;

	if (!*user || strlen(user) > CONTACT_USER_MAX || !*provider || !is_attribute_name(name) ||
	    (value && (!*value || strlen(value) > ATTRIBUTE_VALUE_MAX)))
		return -OTP_EINVAL;
	for (const char *p = value; p && *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return -OTP_EINVAL;
	if (value)
		rc = sql_run(e->db,
		    "INSERT INTO attribute (user, provider, name, value) VALUES (?1, ?2, ?3, ?4) "
		    "ON CONFLICT (user, provider, name) DO UPDATE SET value = excluded.value",
		    sql_text(user), sql_text(provider), sql_text(name), sql_text(value));
	else
		rc = sql_run(e->db,
		    "DELETE FROM attribute WHERE user = ?1 AND provider = ?2 AND name = ?3",
		    sql_text(user), sql_text(provider), sql_text(name));
	if (rc != SQLITE_OK)
		return contacts_sql_error(e);
	return value || sqlite3_changes(e->db) ? 0 : -OTP_ENOENT;
}

int
contacts_edit_commit(struct contacts_edit *edit)
{
	_auto_edit struct contacts_edit *e = edit;
	int r = sql_script(e->db, "COMMIT") ? contacts_sql_error(e) : save(e, &e->was);

	if (r)
		return r;
	if (renameat(e->dir, e->new_name, e->dir, e->name)) {
		r = sys_error(e, "rename");
		(void)unlinkat(e->dir, e->new_name, 0);
		return r;
	}
	/* The change is made. If this were an error, otpctl would not report the change. */
	if (fsync(e->dir))
		otp_log(LOG_WARNING,
		    "contacts %s: was changed, but a crash may undo it: cannot write the folder to "
		    "disk: %s",
		    e->path, strerror(errno));
	return 0;
}

void
contacts_edit_abort(struct contacts_edit *e)
{
	edit_free(e);
}
