/* What the reader and the writer of the SQLite contacts share. */
#ifndef OTP_CONTACTS_READ_H
#define OTP_CONTACTS_READ_H

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "helpers/contacts/contacts.h"

enum {
	CONTACTS_APPLICATION_ID = 0x6f747063, /* "otpc" */
	CONTACTS_SCHEMA = 1,
	CONTACTS_OPEN_FLAGS = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
};

/* Each function logs what is wrong and what mends it; path is for the log. */

/*
 * Checks an open file: it is a regular file that is not empty, belongs to root or to second_owner,
 * and group and others cannot write it. 0; -OTP_EPERM: owner, mode or kind is wrong; -OTP_ESTORE.
 */
int contacts_judge(int fd, uid_t second_owner, const char *path, struct stat *st);
/* Logs why an open failed. -OTP_EPERM if the file is a symbolic link, else -OTP_ESTORE; never 0. */
int contacts_open_error(int err, const char *path);
/* Checks that the database is one of contacts, of this schema. 0 or -OTP_ESTORE. */
int contacts_judge_db(sqlite3 *db, const char *path);

#endif
