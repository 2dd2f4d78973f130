/*
 * Checks of files that decide who may sign in. Only root, or a second trusted user whom the caller
 * names, may be able to change such a file or replace it.
 */
#ifndef OTP_TRUST_H
#define OTP_TRUST_H

#include <stddef.h>
#include <sys/types.h>

#include "common/secret.h"

enum trust_secrecy {
	TRUST_PUBLIC, /* everybody may read the file */
	TRUST_SECRET, /* only the owner and the group may read it */
};

/*
 * Checks an absolute path and every directory above it. Each component must belong to root or to
 * second_owner, be no symbolic link, and be writable by no one else. Two exceptions: a sticky
 * directory of root's, and a socket, because connecting to one needs write permission. The last
 * component may be missing.
 *
 * 0. -OTP_EINVAL: the path is not absolute, too long, ends in '/', or has a component "", "." or
 * "..". -OTP_EPERM: wrong owner, mode or kind. -OTP_ESYS: a component cannot be looked up. After an
 * error, culprit (size bytes) names the component, uncleaned.
 */
int trust_path(const char *path, uid_t second_owner, char *culprit, size_t size);

/*
 * Reads a whole file of at most max bytes into *out. All checks are made on the open descriptor.
 * The file must be a regular one, belong to root or to second_owner, and not be writable by group
 * or others. A secret file must not be readable by others. A fifo or a device is refused without
 * waiting for it. The directories above are not checked: trust_path() does that.
 *
 * 0. -OTP_ENOENT: there is no such file. -OTP_EPERM: wrong owner, mode or kind, or a symbolic link.
 * -OTP_ETOOBIG: more than max bytes. -OTP_ENOMEM. -OTP_ESYS: it cannot be opened or read. After an
 * error *out is unchanged.
 */
int trust_read(const char *path, uid_t second_owner, enum trust_secrecy secrecy, size_t max,
    struct secret *out);

#endif
