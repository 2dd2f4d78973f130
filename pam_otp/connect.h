/* Door 1: a service manager listens and starts one helper for each connection. */
#ifndef OTP_PAM_CONNECT_H
#define OTP_PAM_CONNECT_H

#include <sys/types.h>

#include "common/deadline.h"

/*
 * Connects to the socket at path and checks that its listener is root, or `also`. Never blocks; a
 * full backlog is tried again until dl. *fd is the caller's to close, close-on-exec, above 2.
 * 0; -OTP_ENOENT when nobody listens there; -OTP_EPERM for a wrong listener; -OTP_ETIME;
 * -OTP_ETOOBIG for a path that no socket can have; -OTP_ESYS.
 */
int connect_socket(const char *path, uid_t second_owner, struct deadline dl, int *fd);

#endif
