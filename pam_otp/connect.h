/* The socket: a service manager listens there and starts one helper for each connection. */
#ifndef OTP_PAM_CONNECT_H
#define OTP_PAM_CONNECT_H

#include <sys/types.h>

#include "common/deadline.h"

/*
 * Connects to the socket at path before dl, and checks that root or second_owner listens there.
 * While the backlog is full it retries. *fd becomes the connection: above 2, close-on-exec, and the
 * caller closes it.
 * 0. -OTP_ENOENT: there is no socket, or nobody listens. -OTP_EPERM: another user listens.
 * -OTP_ETIME: the backlog stayed full. -OTP_ETOOBIG: the path is too long for a socket. -OTP_ESYS:
 * anything else, for example that the host may not connect.
 */
int connect_socket(const char *path, uid_t second_owner, struct deadline dl, int *fd);

#endif
