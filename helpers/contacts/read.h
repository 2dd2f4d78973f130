/* What reader and writer of the SQLite contacts share. */
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

/* Each logs what is wrong and what to do; path is for the log. */

/* A regular file, not empty, of root's or also's, nobody else's to write? 0, -OTP_EPERM,
 * -OTP_ESTORE */
int contacts_judge(int fd, uid_t second_owner, const char *path, struct stat *st);
/* What the errno of a failed open means: -OTP_EPERM or -OTP_ESTORE. */
int contacts_open_error(int err, const char *path);
/* Ours, and of this schema? 0 or -OTP_ESTORE. */
int contacts_judge_db(sqlite3 *db, const char *path);

#endif
