#include "helpers/http/peer.h"

#include <errno.h>
#include <sys/socket.h>

#include "common/err.h"
#include "helpers/http/transfer.h"

int
peer_check(int peer)
{
	char byte;
	ssize_t n = peer < 0 ? 1 : recv(peer, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return peer < 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)) ? 0 : -OTP_EGONE;
}

/* Opens a socket as libcurl would, and notes a failure, because this machine caused it. */
curl_socket_t
transfer_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *t = arg;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	(void)purpose;
	if (fd < 0 && errno != EAFNOSUPPORT)
		t->socket_errno = errno;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}
