/*
 * Reads contacts from an SQLite file.
 *
 * MUST:
 *  - the file is opened once, and the open follows no symbolic link and waits on no fifo;
 *  - the file is checked by its descriptor, and SQLite reads the bytes of this descriptor; it opens
 *    no path itself;
 *  - nothing is written;
 *  - a file that is missing, empty, foreign or of another schema is an error, never "no contacts".
 */
#include "helpers/contacts/read.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "helpers/base/log.h"
#include "helpers/base/sql.h"

struct sqlite_contacts {
	struct contacts base;
	sqlite3 *db;
	void *image;
	size_t size;
	struct stat was; /* of the file, whose inode the image keeps */
	uid_t second_owner;
	char path[PATH_MAX];
};

int
contacts_judge(int fd, uid_t second_owner, const char *path, struct stat *st)
{
	if (fstat(fd, st)) {
		otp_logr(LOG_ERR, -OTP_ESYS, "contacts %s", path);
		return -OTP_ESTORE;
	}
	if (!S_ISREG(st->st_mode)) {
		otp_log(LOG_ERR, "contacts %s: must be a regular file", path);
		return -OTP_EPERM;
	}
	if (st->st_uid != 0 && st->st_uid != second_owner) {
		otp_log(LOG_ERR, "contacts %s: is owned by uid %ld; run: chown root %s", path,
		    (long)st->st_uid, path);
		return -OTP_EPERM;
	}
	if (st->st_mode & (S_IWGRP | S_IWOTH)) {
		otp_log(LOG_ERR,
		    "contacts %s: can be written by group or others; run: chmod 0640 %s", path,
		    path);
		return -OTP_EPERM;
	}
	if (st->st_size == 0) {
		otp_log(LOG_ERR, "contacts %s: is empty; remove it and run: otpctl init", path);
		return -OTP_ESTORE;
	}
	return 0;
}

int
contacts_open_error(int err, const char *path)
{
	if (err == ELOOP) {
		otp_log(LOG_ERR, "contacts %s: must not be a symbolic link", path);
		return -OTP_EPERM;
	}
	if (err == ENOENT)
		otp_log(LOG_ERR, "contacts %s: is missing; run: otpctl init", path);
	else
		otp_log(LOG_ERR, "contacts %s: %s", path, strerror(err));
	return -OTP_ESTORE;
}

int
contacts_judge_db(sqlite3 *db, const char *path)
{
	enum sql_ours ours = SQL_EMPTY;
	int rc = sql_judge(db, CONTACTS_APPLICATION_ID, CONTACTS_SCHEMA, &ours);

	if (rc != SQLITE_OK)
		otp_log(
		    LOG_ERR, "contacts %s: %s; restore it from a backup", path, sqlite3_errmsg(db));
	else if (ours == SQL_OTHER_VERSION)
		otp_log(LOG_ERR,
		    "contacts %s: has the schema of another version of pam_otp; install that "
		    "version, or restore the file from a backup",
		    path);
	else if (ours != SQL_OURS)
		otp_log(LOG_ERR,
		    "contacts %s: not a contacts database of pam_otp; move it away and run: otpctl "
		    "init",
		    path);
	return rc == SQLITE_OK && ours == SQL_OURS ? 0 : -OTP_ESTORE;
}

static void
sqlite_contacts_free(struct sqlite_contacts *c)
{
	if (!c)
		return;
	(void)sqlite3_close(c->db);
	if (c->image)
		(void)munmap(c->image, c->size);
	free(c);
}

static void
own_contacts(struct sqlite_contacts **c)
{
	sqlite_contacts_free(*c);
}

static void
close_contacts(struct contacts *base)
{
	sqlite_contacts_free((struct sqlite_contacts *)base);
}

static bool
contact_of_row(sqlite3_stmt *stmt, struct contact *c)
{
	char kind[8];

	*c = (struct contact){0};
	if (!sql_copy_text(stmt, 0, c->user, sizeof(c->user)) ||
	    !sql_copy_text(stmt, 1, kind, sizeof(kind)) ||
	    !sql_copy_text(stmt, 2, c->address, sizeof(c->address)) ||
	    !sql_copy_text(stmt, 3, c->label, sizeof(c->label)))
		return false;
	if (strcmp(kind, "phone") && strcmp(kind, "email"))
		return false;
	c->kind = strcmp(kind, "phone") ? CONTACT_EMAIL : CONTACT_PHONE;
	c->verified_at = sqlite3_column_int64(stmt, 4);
	c->preferred = sqlite3_column_int(stmt, 5) != 0;
	return true;
}

/* Calls fn for each row of stmt. */
static int
each_row(sqlite3 *db, sqlite3_stmt *stmt, contact_fn *fn, void *arg)
{
	int r = 0, rc;

	while (!r && (rc = sqlite3_step(stmt)) != SQLITE_DONE) {
		struct contact c;

		if (rc != SQLITE_ROW) {
			otp_log(LOG_ERR, "contacts: %s", sqlite3_errmsg(db));
			r = -OTP_ESTORE;
		} else if (!contact_of_row(stmt, &c)) {
			otp_log(LOG_ERR,
			    "contacts: a row is malformed; restore the file from a backup");
			r = -OTP_ESTORE;
		} else {
			r = fn(&c, arg);
		}
	}
	return r;
}

static int
list_add(const struct contact *c, void *arg)
{
	struct contact_list *l = arg;
	struct contact *item = reallocarray(l->item, l->n + 1, sizeof(*item));

	if (!item)
		return -OTP_ENOMEM;
	l->item = item;
	l->item[l->n++] = *c;
	return 0;
}

#define COLUMNS "SELECT user, kind, address, label, verified_at, preferred FROM contact "

static int
find(struct contacts *base, const char *user, struct contact_list *out)
{
	struct sqlite_contacts *c = (struct sqlite_contacts *)base;
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int r;

	*out = (struct contact_list){0};
	if (sql_prepare(c->db, &stmt, COLUMNS "WHERE user = ?1 ORDER BY preferred DESC, id",
		sql_text(user)) != SQLITE_OK) {
		otp_log(LOG_ERR, "contacts: %s", sqlite3_errmsg(c->db));
		return -OTP_ESTORE;
	}
	r = each_row(c->db, stmt, list_add, out);
	if (r)
		contact_list_free(out);
	return r;
}

/* Reads the first contact of the kind from an id on. An OFFSET would read all rows before. */
static int
first_from(struct sqlite_contacts *c, enum contact_kind kind, int64_t id, struct contact_list *out)
{
	_auto_stmt sqlite3_stmt *stmt = NULL;

	if (sql_prepare(c->db, &stmt, COLUMNS "WHERE kind = ?1 AND id >= ?2 ORDER BY id LIMIT 1",
		sql_text(contact_kind_name(kind)), sql_int(id)) != SQLITE_OK) {
		otp_log(LOG_ERR, "contacts: %s", sqlite3_errmsg(c->db));
		return -OTP_ESTORE;
	}
	return each_row(c->db, stmt, list_add, out);
}

static int
any(struct contacts *base, enum contact_kind kind, uint64_t pick, struct contact *out)
{
	struct sqlite_contacts *c = (struct sqlite_contacts *)base;
	struct contact_list one = {0};
	int64_t last = 0;
	int r;

	if (sql_number(c->db, "SELECT ifnull(max(id), 0) FROM contact", &last) != SQLITE_OK) {
		otp_log(LOG_ERR, "contacts: %s", sqlite3_errmsg(c->db));
		return -OTP_ESTORE;
	}
	r = first_from(c, kind, (int64_t)(pick % (uint64_t)(last + 1)), &one);
	if (!r && !one.n)
		r = first_from(c, kind, 0, &one);
	if (!r && !one.n)
		r = -OTP_ENOENT;
	if (!r)
		*out = one.item[0];
	contact_list_free(&one);
	return r;
}

static int
attributes(
    struct contacts *base, const char *user, const char *provider, attribute_fn *fn, void *arg)
{
	struct sqlite_contacts *c = (struct sqlite_contacts *)base;
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int rc = sql_prepare(c->db, &stmt,
	    "SELECT name, value FROM attribute WHERE user = ?1 AND provider = ?2", sql_text(user),
	    sql_text(provider));
	int r = 0;

	while (rc == SQLITE_OK && !r && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		char name[ATTRIBUTE_NAME_MAX + 1], value[ATTRIBUTE_VALUE_MAX + 1];

		if (!sql_copy_text(stmt, 0, name, sizeof(name)) ||
		    !sql_copy_text(stmt, 1, value, sizeof(value)))
			return -OTP_ESTORE;
		r = fn(name, value, arg);
		explicit_bzero(value, sizeof(value));
		rc = SQLITE_OK;
	}
	if (r || rc == SQLITE_DONE)
		return r;
	otp_log(LOG_ERR, "contacts: %s", sqlite3_errmsg(c->db));
	return -OTP_ESTORE;
}

static int refresh(struct contacts *base);

static const struct contacts_ops sqlite_ops = {.find = find,
    .any = any,
    .attributes = attributes,
    .refresh = refresh,
    .close = close_contacts};

/*
 * Maps the checked file, and lets SQLite read the mapping. If SQLite got a path, it would open it a
 * second time, and the file may have been replaced by then. A path in /proc/self/fd does not help,
 * because SQLite resolves it to the name of the file first.
 */
static int
map_image(struct sqlite_contacts *c, int fd, size_t size, const char *path)
{
	c->image = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (c->image == MAP_FAILED) {
		c->image = NULL;
		otp_logr(LOG_ERR, -OTP_ESYS, "contacts %s", path);
		return -OTP_ESTORE;
	}
	c->size = size;
	if (sqlite3_open_v2(":memory:", &c->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX, NULL) ||
	    sqlite3_deserialize(c->db, "main", c->image, (sqlite3_int64)size, (sqlite3_int64)size,
		SQLITE_DESERIALIZE_READONLY) ||
	    sql_harden(c->db)) {
		otp_log(LOG_ERR, "contacts %s: %s", path, sqlite3_errmsg(c->db));
		return -OTP_ESTORE;
	}
	return contacts_judge_db(c->db, path);
}

static int
open_reader(const char *path, uid_t second_owner, struct sqlite_contacts **out)
{
	_auto_close int fd = open(path, CONTACTS_OPEN_FLAGS);
	__attribute__((cleanup(own_contacts))) struct sqlite_contacts *c = NULL;
	struct stat st;
	int r;

	if (fd < 0)
		return contacts_open_error(errno, path);
	r = contacts_judge(fd, second_owner, path, &st);
	if (r)
		return r;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -OTP_ENOMEM;
	c->base.ops = &sqlite_ops;
	c->was = st;
	c->second_owner = second_owner;
	if (snprintf(c->path, sizeof(c->path), "%s", path) >= (int)sizeof(c->path))
		return -OTP_EPERM;
	r = map_image(c, fd, (size_t)st.st_size, path);
	if (r)
		return r;
	*out = take(&c);
	return 0;
}

/* A change gives the name to another inode: see the MUST of edit.c. */
static int
refresh(struct contacts *base)
{
	struct sqlite_contacts *c = (struct sqlite_contacts *)base, *fresh, old;
	struct stat st;
	int r;

	if (!lstat(c->path, &st) && st.st_dev == c->was.st_dev && st.st_ino == c->was.st_ino)
		return 0;
	r = open_reader(c->path, c->second_owner, &fresh);
	if (r)
		return r;
	old = *c;
	*c = *fresh;
	*fresh = old;
	sqlite_contacts_free(fresh);
	return 0;
}

int
contacts_sqlite_open(const char *path, uid_t second_owner, struct contacts **out)
{
	struct sqlite_contacts *c;
	int r = open_reader(path, second_owner, &c);

	if (!r)
		*out = &c->base;
	return r;
}

int
contacts_sqlite_each(const char *path, const char *user, contact_fn *fn, void *arg)
{
	__attribute__((cleanup(own_contacts))) struct sqlite_contacts *c = NULL;
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int r = open_reader(path, geteuid(), &c);

	if (r)
		return r;
	if (sql_prepare(c->db, &stmt,
		COLUMNS "WHERE ?1 IS NULL OR user = ?1 ORDER BY user, preferred DESC, id",
		sql_text(user)) != SQLITE_OK) {
		otp_log(LOG_ERR, "contacts %s: %s", path, sqlite3_errmsg(c->db));
		return -OTP_ESTORE;
	}
	return each_row(c->db, stmt, fn, arg);
}
