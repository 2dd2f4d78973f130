/* Reads from /proc and the kernel what a host can find out about itself and its children. */
#include "tests/module/harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

long
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
nap_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

size_t
children_of(pid_t parent, pid_t *out, size_t max)
{
	DIR *d = opendir("/proc");
	size_t n = 0;

	for (struct dirent *e; d && n < max && (e = readdir(d));) {
		char path[300], line[1024] = "";
		const char *p;
		int ppid = -1;
		FILE *f;

		if (atoi(e->d_name) <= 0)
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
		f = fopen(path, "re");
		if (f && fgets(line, sizeof(line), f) && (p = strrchr(line, ')')) &&
		    sscanf(p + 1, " %*c %d", &ppid) == 1 && ppid == parent)
			out[n++] = atoi(e->d_name);
		if (f)
			(void)fclose(f);
	}
	if (d)
		(void)closedir(d);
	return n;
}

bool
process_lives(pid_t pid)
{
	char path[64], line[1024] = "";
	const char *p;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	(void)fclose(f);
	p = strrchr(line, ')');
	return p && p[1] && p[2] != 'Z' && p[2] != 'X';
}

static size_t
count_threads(void)
{
	DIR *d = opendir("/proc/self/task");
	size_t n = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	if (d)
		(void)closedir(d);
	return n;
}

/* A flag of sigaction(2) that the C library sets by itself. */
static const unsigned SIGNAL_RESTORER = 0x04000000;

void
describe_self(char *out, size_t size)
{
	char target[PATH_MAX];
	struct itimerval timer;
	struct rlimit limit;
	mode_t mode = umask(0);
	pid_t child[64];
	sigset_t mask;
	size_t n, len = 0;

	for (int fd = 0; fd < 1024; fd++) {
		char path[64];
		ssize_t got;

		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		got = readlink(path, target, sizeof(target) - 1);
		if (got < 0)
			continue;
		target[got] = '\0';
		len += (size_t)snprintf(
		    out + len, size - len, "fd %d %s %d\n", fd, target, fcntl(fd, F_GETFD));
	}
	(void)sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int s = 1; s < NSIG; s++) {
		struct sigaction a;

		if (sigaction(s, NULL, &a))
			continue;
		len += (size_t)snprintf(out + len, size - len, "signal %d %p %x %d\n", s,
		    (void *)(unsigned long)a.sa_handler, (unsigned)a.sa_flags & ~SIGNAL_RESTORER,
		    sigismember(&mask, s));
	}
	for (char **e = environ; e && *e; e++)
		len += (size_t)snprintf(out + len, size - len, "env %s\n", *e);
	(void)getitimer(ITIMER_REAL, &timer);
	len +=
	    (size_t)snprintf(out + len, size - len, "timer %d\n", timer.it_interval.tv_usec != 0);
	(void)umask(mode);
	len += (size_t)snprintf(out + len, size - len, "umask %o\nnice %d\nthreads %zu\n",
	    (unsigned)mode, getpriority(PRIO_PROCESS, 0), count_threads());
	for (int i = 0; i < (int)RLIM_NLIMITS; i++)
		if (!getrlimit((__rlimit_resource_t)i, &limit))
			len += (size_t)snprintf(out + len, size - len, "limit %d %lu %lu\n", i,
			    (unsigned long)limit.rlim_cur, (unsigned long)limit.rlim_max);
	if (!getcwd(target, sizeof(target)))
		(void)snprintf(target, sizeof(target), "?");
	len += (size_t)snprintf(out + len, size - len, "cwd %s\n", target);
	n = children_of(getpid(), child, COUNT(child));
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(out + len, size - len, "child %d\n", child[i]);
}
