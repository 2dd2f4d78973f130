/* The files that every sign-in opens before it asks anybody: host key, contacts and store. */
#ifndef OTP_LOGIN_FILES_H
#define OTP_LOGIN_FILES_H

#include "common/secret.h"
#include "helpers/conf/conf.h"
#include "helpers/contacts/contacts.h"
#include "helpers/store/store.h"

struct login_files {
	struct secret host_key;
	struct contacts *contacts;
	struct store *store;
	const char *key; /* the key of [paths] that is being opened, for whoever reads the log */
};

/*
 * Opens all three, also after one has failed. Each one that cannot be used is logged with the
 * command that mends it. A sign-in and `otpctl config check` both call this. The caller closes them
 * with login_files_close(), also after a failure. 0, or the first of the errors of host_key_read(),
 * contacts_sqlite_open() and store_sqlite_open(), such as -OTP_EPERM.
 */
int login_files_open(const struct conf *c, uid_t second_owner, store_wait_fn *wait, void *arg,
    struct login_files *out);
void login_files_close(struct login_files *f);

#endif
