#include "pam_otp/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/own.h"

enum { STAT_STARTTIME = 22 }; /* proc_pid_stat(5) */

/* Reads a small file of /proc as a string, empty if it cannot be read. */
static void
read_proc(const char *path, char *out, size_t size)
{
	_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = -1;

	out[0] = '\0';
	if (fd < 0)
		return;
	do
		n = read(fd, out, size - 1);
	while (n < 0 && errno == EINTR);
	out[n > 0 ? n : 0] = '\0';
}

static void
leader_start(pid_t leader, char *out, size_t size)
{
	char path[64], line[1024];
	const char *p;
	size_t len;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)leader);
	read_proc(path, line, sizeof(line));
	/* The second field, a name in brackets, may itself contain brackets and blanks. */
	p = strrchr(line, ')');
	for (int field = 2; p && field < STAT_STARTTIME; field++)
		p = strchr(p + 1, ' ');
	if (!p)
		return;
	len = strspn(++p, "0123456789");
	if (p[len] == ' ' && len < size)
		(void)snprintf(out, size, "%.*s", (int)len, p);
}

void
session_read(struct session *s)
{
	pid_t leader = getsid(0);

	*s = (struct session){0};
	read_proc("/proc/sys/kernel/random/boot_id", s->boot_id, sizeof(s->boot_id));
	s->boot_id[strcspn(s->boot_id, "\n")] = '\0';
	/* 0: the leader is outside this PID namespace. */
	if (leader <= 0)
		return;
	(void)snprintf(s->id, sizeof(s->id), "%d", (int)leader);
	leader_start(leader, s->start, sizeof(s->start));
}
