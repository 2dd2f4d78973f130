/*
 * Files that decide who signs in are judged before they are believed: opened once, by descriptor,
 * with no symbolic link at the end, a regular file of a trusted owner that nobody else may write.
 */
#ifndef OTP_TRUST_H
#define OTP_TRUST_H

#include <stddef.h>
#include <sys/types.h>

#include "common/secret.h"

enum trust_secrecy {
	TRUST_PUBLIC, /* others may read it */
	TRUST_SECRET, /* others may not; the group may */
};

/*
 * Judges an absolute path and every directory above it: no "." or "..", no symbolic link, owned by
 * root or by `also`, writable by no one else (a sticky directory of root's may be). The last
 * component may be missing. 0; -OTP_EINVAL (not absolute or not normal), -OTP_EPERM or -OTP_ESYS,
 * with the component at fault in *culprit (size bytes) for the log.
 */
int trust_path(const char *path, uid_t second_owner, char *culprit, size_t size);

/*
 * Reads a whole file of at most max bytes into *out. It must be a regular file owned by root or by
 * `also`, not writable by group or others, and not readable by others when it is a secret.
 * A fifo or a device is refused without waiting on it.
 * 0, -OTP_ENOENT, -OTP_EPERM (owner, mode, kind), -OTP_ETOOBIG, -OTP_ENOMEM or -OTP_ESYS.
 */
int trust_read(const char *path, uid_t second_owner, enum trust_secrecy secrecy, size_t max,
    struct secret *out);

#endif
