#include "pam_otp/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"

enum { BACKLOG_NAP_MS = 20 };

static int
connect_patiently(int fd, const struct sockaddr_un *to, struct deadline dl)
{
	while (connect(fd, (const struct sockaddr *)to, sizeof(*to))) {
		int left = deadline_left(dl);

		if (errno == EINTR)
			continue;
		if (errno == ENOENT || errno == ECONNREFUSED)
			return -OTP_ENOENT;
		if (errno != EAGAIN)
			return -OTP_ESYS;
		if (left == 0)
			return -OTP_ETIME;
		(void)poll(NULL, 0, left < BACKLOG_NAP_MS ? left : BACKLOG_NAP_MS);
	}
	return 0;
}

/* Asks the kernel which user called listen(2). The owner of the socket's file proves nothing. */
static int
check_listener(int fd, uid_t second_owner)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) || len != sizeof(peer))
		return -OTP_ESYS;
	return peer.uid == 0 || peer.uid == second_owner ? 0 : -OTP_EPERM;
}

int
connect_socket(const char *path, uid_t second_owner, struct deadline dl, int *fd)
{
	_auto_close int low = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/*
	 * The socket must not become descriptor 0, 1 or 2: a host that has closed these would take
	 * it for its own standard input or output.
	 */
	_auto_close int s = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int r;

	if (s < 0)
		return -OTP_ESYS;
	if (strlen(path) >= sizeof(to.sun_path))
		return -OTP_ETOOBIG;
	strcpy(to.sun_path, path);
	r = connect_patiently(s, &to, dl);
	if (!r)
		r = check_listener(s, second_owner);
	if (!r)
		*fd = take_fd(&s);
	return r;
}
