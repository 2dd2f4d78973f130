#include "helpers/http/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/own.h"

enum { PROBES = 5 };

/*
 * True if the kernel can give a new socket a port. connect(2) makes it look for one. If the
 * connection is refused, the kernel had found a port.
 */
static bool
port_is_free(int family, int type)
{
	struct sockaddr_in v4 = {
	    .sin_family = AF_INET,
	    .sin_port = htons(9), /* discard */
	    .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
	};
	struct sockaddr_in6 v6 = {
	    .sin6_family = AF_INET6,
	    .sin6_port = htons(9),
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	_auto_close int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	/* A machine without IPv6 has no IPv6 loopback either. */
	if (fd < 0)
		return family == AF_INET6 && errno == EAFNOSUPPORT;
	r = family == AF_INET6 ? connect(fd, (struct sockaddr *)&v6, sizeof(v6))
			       : connect(fd, (struct sockaddr *)&v4, sizeof(v4));
	if (r && family == AF_INET6 && (errno == EADDRNOTAVAIL || errno == ENETUNREACH))
		return true;
	return !r || errno == EINPROGRESS || errno == ECONNREFUSED;
}

static void *
nothing(void *arg)
{
	return arg;
}

static bool
thread_starts(void)
{
	pthread_t t;

	return !pthread_create(&t, NULL, nothing, NULL) && !pthread_join(t, NULL);
}

bool
probe_machine(void)
{
	const struct timespec nap = {.tv_nsec = 10 * 1000 * 1000};

	/* Tries several times, because a user who holds all ports may free one for a moment. */
	for (int i = 0; i < PROBES; i++) {
		if (i)
			(void)nanosleep(&nap, NULL);
		if (!port_is_free(AF_INET, SOCK_STREAM) || !port_is_free(AF_INET, SOCK_DGRAM) ||
		    !port_is_free(AF_INET6, SOCK_DGRAM) || !thread_starts())
			return false;
	}
	return true;
}

bool
probe_errno_is_local(int err)
{
	static const int local[] = {
	    EADDRNOTAVAIL, EADDRINUSE, EAGAIN, ENOBUFS, ENOMEM, EMFILE, ENFILE, EPERM, EACCES};

	for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++)
		if (err == local[i])
			return true;
	return false;
}

void
pace_begin(struct pace *p)
{
	*p = (struct pace){0, clock_ms(CLOCK_MONOTONIC), clock_ms(CLOCK_PROCESS_CPUTIME_ID)};
}

/* Adds the time since the last call, minus own_ms, to the lost time. */
static void
pace_add(struct pace *p, int64_t own_ms)
{
	int64_t wall = clock_ms(CLOCK_MONOTONIC), took = wall - p->wall_ms;

	if (took > own_ms)
		p->lost_ms += took - own_ms;
	p->wall_ms = wall;
	p->cpu_ms = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
}

void
pace_worked(struct pace *p)
{
	pace_add(p, clock_ms(CLOCK_PROCESS_CPUTIME_ID) - p->cpu_ms + 1);
}

void
pace_waited(struct pace *p, int64_t wait_ms)
{
	pace_add(p, wait_ms + 1);
}
