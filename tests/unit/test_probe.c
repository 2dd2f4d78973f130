/*
 * Failures of this machine differ from a network that is down: no free ports, no threads, no
 * processor time. Time counts as lost only if the process was kept from running.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "helpers/http/probe.h"

static void
some_errors_are_local(void **state)
{
	static const struct {
		int err;
		bool local;
	} rows[] = {{EADDRNOTAVAIL, true}, {EADDRINUSE, true}, {EAGAIN, true}, {ENOBUFS, true},
	    {ENOMEM, true}, {EMFILE, true}, {ENFILE, true}, {EPERM, true}, {EACCES, true},
	    {0, false}, {ECONNREFUSED, false}, {ECONNRESET, false}, {ETIMEDOUT, false},
	    {ENETUNREACH, false}, {EHOSTUNREACH, false}, {ENETDOWN, false}, {EPIPE, false},
	    {EINPROGRESS, false}, {-1, false}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		ROW(probe_errno_is_local(rows[i].err) == rows[i].local, strerror(rows[i].err));
}

static int64_t
ms_of(clockid_t clock)
{
	struct timespec t;

	assert_int_equal(clock_gettime(clock, &t), 0);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
a_normal_wait_loses_nothing(void **state)
{
	enum { WAITS = 20, WAIT_MS = 15 };
	int64_t began = ms_of(CLOCK_MONOTONIC), took;
	struct pace p;

	(void)state;
	pace_begin(&p);
	assert_int_equal(p.lost_ms, 0);
	for (int i = 0; i < WAITS; i++) {
		usleep(WAIT_MS * 1000);
		pace_waited(&p, WAIT_MS);
	}
	took = ms_of(CLOCK_MONOTONIC) - began;
	/* On a busy machine a wait takes longer. Not more than that counts as lost. */
	assert_in_range(p.lost_ms, 0, took - (int64_t)WAITS * WAIT_MS);
	/* A wait that ends early does not reduce the lost time. */
	p.lost_ms = 7;
	pace_waited(&p, 60000);
	assert_int_equal(p.lost_ms, 7);
}

static void
a_longer_wait_loses_the_rest(void **state)
{
	int64_t began = ms_of(CLOCK_MONOTONIC), took;
	struct pace p;

	(void)state;
	pace_begin(&p);
	usleep(300000);
	pace_waited(&p, 100);
	took = ms_of(CLOCK_MONOTONIC) - began;
	assert_in_range(p.lost_ms, 195, took - 100);
	/* The lost time is counted once. */
	pace_waited(&p, 100);
	assert_in_range(p.lost_ms, 195, took - 100);
}

/* Work is the time in which the process used the processor. The rest of the time was lost. */
static void
work_is_measured_by_processor_time(void **state)
{
	int64_t wall = ms_of(CLOCK_MONOTONIC), cpu = ms_of(CLOCK_PROCESS_CPUTIME_ID);
	int64_t until = cpu + 200, before;
	struct pace p;

	(void)state;
	pace_begin(&p);
	while (ms_of(CLOCK_PROCESS_CPUTIME_ID) < until)
		;
	pace_worked(&p);
	wall = ms_of(CLOCK_MONOTONIC) - wall;
	cpu = ms_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	assert_in_range(p.lost_ms, 0, wall - cpu + 3);
	before = p.lost_ms;
	usleep(200000);
	pace_worked(&p);
	assert_true(p.lost_ms - before >= 195);
}

/* Exit statuses of the child that simulates a machine. NOT_PLAYED: it lacks the privilege for it.
 */
enum { PLAYED_WRONG = 1, NOT_PLAYED = 77 };

static void
write_or_end(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		_exit(NOT_PLAYED);
	(void)close(fd);
}

/* A network namespace with loopback and two ports. */
static void
two_ports(void)
{
	struct ifreq lo = {.ifr_name = "lo"};
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		_exit(NOT_PLAYED);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &lo))
		_exit(NOT_PLAYED);
	lo.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &lo))
		_exit(NOT_PLAYED);
	(void)close(fd);
	write_or_end("/proc/sys/net/ipv4/ip_local_port_range", "40000 40001");
}

static void
take_port(int family, int type, int port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	int one = 1, fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		_exit(NOT_PLAYED);
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)))
		_exit(NOT_PLAYED);
	if (family == AF_INET ? bind(fd, (struct sockaddr *)&v4, sizeof(v4))
			      : bind(fd, (struct sockaddr *)&v6, sizeof(v6)))
		_exit(NOT_PLAYED);
	if (type == SOCK_STREAM && listen(fd, 1))
		_exit(NOT_PLAYED);
}

static void
take_both(int family, int type)
{
	take_port(family, type, 40000);
	take_port(family, type, 40001);
}

static void
no_tcp_port(void)
{
	take_both(AF_INET, SOCK_STREAM);
}

static void
no_udp_port(void)
{
	take_both(AF_INET, SOCK_DGRAM);
}

static void
no_udp6_port(void)
{
	take_both(AF_INET6, SOCK_DGRAM);
}

static void
one_port_left(void)
{
	take_port(AF_INET, SOCK_DGRAM, 40000);
	take_port(AF_INET, SOCK_STREAM, 40001);
}

/* No thread can start, because its stack would be larger than the memory. */
static void
no_thread(void)
{
	pthread_attr_t attr;

	if (pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, (size_t)1 << 46) ||
	    pthread_setattr_default_np(&attr))
		_exit(NOT_PLAYED);
}

static void
nothing_taken(void)
{
}

static void
a_machine_without_ports_or_threads_is_noticed(void **state)
{
	static const struct {
		const char *name;
		void (*take)(void);
		bool healthy;
	} rows[] = {{"nothing taken", nothing_taken, true}, {"one port left", one_port_left, true},
	    {"no TCP port", no_tcp_port, false}, {"no UDP port", no_udp_port, false},
	    {"no UDP port of IPv6", no_udp6_port, false}, {"no thread", no_thread, false}};
	int played = 0;

	(void)state;
	assert_true(probe_machine());
	for (size_t i = 0; i < COUNT(rows); i++) {
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (!pid) {
			two_ports();
			rows[i].take();
			_exit(probe_machine() == rows[i].healthy ? 0 : PLAYED_WRONG);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		ROW(WIFEXITED(status), rows[i].name);
		if (WEXITSTATUS(status) == NOT_PLAYED) {
			print_message("%s: not allowed to play it here\n", rows[i].name);
			continue;
		}
		ROW(!WEXITSTATUS(status), rows[i].name);
		played++;
	}
	if (!played)
		skip(); /* no privilege for a network namespace */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(some_errors_are_local),
	    cmocka_unit_test(a_normal_wait_loses_nothing),
	    cmocka_unit_test(a_longer_wait_loses_the_rest),
	    cmocka_unit_test(work_is_measured_by_processor_time),
	    cmocka_unit_test(a_machine_without_ports_or_threads_is_noticed),
	};

	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
