/*
 * A helper for tests: it does what a script says, and records what it receives.
 *
 *	otp-helper [--config FILE]
 *
 * FILE, or "default-script" in the current folder, is the script, one command a line. The record
 * goes to FILE.got. In a text, \n and \xHH are bytes, and | ends a field.
 *
 *	hello			sends H, version 1 only
 *	send TYPE|FIELD|...	sends a message, each field ended by NUL
 *	raw HEX			sends a datagram of these bytes, which may be none
 *	fill TYPE N		sends a datagram of N bytes that is one long field
 *	recv			receives a message and records it; of an S only the type
 *	recv-all		as recv, but records all fields of an S
 *	recv-field N		receives a message and records only its field N
 *	freeze, thaw		stops the host, lets it continue
 *	linger			records all messages until end-of-file
 *	hang			sends nothing, ends at end-of-file
 *	deaf			sends nothing and ignores end-of-file; dies with its parent
 *	drop			receives a message and does not record it
 *	orphan			no longer dies with its parent
 *	mark			creates the file "mark" in the current folder
 *	flood TYPE|FIELD|...	sends that message without end
 *	close			closes the socket and continues
 *	sleep MS		waits
 *	die N			kills itself with signal N
 *	exit N			ends with this status
 *	start			records how it was started
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BYTES_MAX = 256 * 1024 };

extern char **environ;

static const char *record_path;
static char bytes[BYTES_MAX];

static void __attribute__((format(printf, 1, 2))) record(const char *fmt, ...)
{
	char line[8 * 1024];
	int fd = open(record_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (fd < 0 || n < 0 || n >= (int)sizeof(line) - 1)
		exit(100);
	line[n] = '\n';
	if (write(fd, line, (size_t)n + 1) != n + 1)
		exit(101);
	(void)close(fd);
}

static size_t
unescape(char *out, const char *s)
{
	char *p = out;
	unsigned byte;

	for (; *s; p++) {
		if (s[0] == '\\' && s[1] == 'n') {
			*p = '\n';
			s += 2;
		} else if (s[0] == '\\' && s[1] == 'x' && sscanf(s + 2, "%2x", &byte) == 1) {
			*p = (char)byte;
			s += 4;
		} else {
			*p = *s == '|' ? '\0' : *s;
			s++;
		}
	}
	return (size_t)(p - out);
}

/* An error is ignored: the module may have closed its end. */
static void
send_bytes(size_t len)
{
	(void)send(0, bytes, len, MSG_NOSIGNAL);
}

static void
send_message(const char *text)
{
	char plain[8 * 1024] = "";
	size_t len = unescape(plain, text);

	bytes[0] = plain[0];
	if (len >= 2)
		memcpy(bytes + 1, plain + 2, len - 2);
	bytes[len < 2 ? 1 : len - 1] = '\0';
	send_bytes(len < 2 ? 2 : len);
}

static void
send_raw(const char *hex)
{
	size_t len = 0;
	unsigned byte;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		bytes[len++] = (char)byte;
	send_bytes(len);
}

static void
send_filled(const char *what)
{
	size_t len = (size_t)atoi(what + 2);

	memset(bytes, 'x', len);
	bytes[0] = what[0];
	bytes[len - 1] = '\0';
	send_bytes(len);
}

static void
record_field(ssize_t len, int number)
{
	const char *p = bytes + 1;

	for (; number > 0 && p < bytes + len; number--)
		p += strlen(p) + 1;
	record("%s", p < bytes + len ? p : "no such field");
}

static void
record_message(ssize_t len, int whole)
{
	char text[8 * 1024], *p = text;

	*p++ = bytes[0];
	if (bytes[0] == 'S' && !whole)
		len = 0;
	/* Each field ends in a NUL, and is recorded with a bar before it. */
	for (ssize_t i = 1; i < len && p < text + sizeof(text) - 8; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (bytes[i - 1] == '\0' || i == 1)
			*p++ = '|';
		if (c != '\0' && (c < 0x20 || c >= 0x7f))
			p += sprintf(p, "\\x%02x", c);
		else if (c != '\0')
			*p++ = (char)c;
	}
	*p = '\0';
	record("%s", text);
}

/* Returns 0 at end-of-file. */
static int
receive(int whole)
{
	ssize_t n = recv(0, bytes, sizeof(bytes), 0);

	if (n <= 0) {
		record("EOF");
		return 0;
	}
	record_message(n, whole);
	return 1;
}

/* Signals the host: it is the parent of our parent, the supervisor. */
static void
signal_host(int sig)
{
	char path[64], line[1024] = "";
	const char *p;
	int host = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)getppid());
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f) || !(p = strrchr(line, ')')) ||
	    sscanf(p + 1, " %*c %d", &host) != 1 || kill(host, sig))
		record("no host");
	if (f)
		(void)fclose(f);
}

static const char *
kind_of(int fd)
{
	struct stat st;
	char path[64], target[64] = "";

	if (fstat(fd, &st))
		return "closed";
	if (S_ISSOCK(st.st_mode))
		return "socket";
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, target, sizeof(target) - 1) > 0 && !strcmp(target, "/dev/null"))
		return "null";
	return "other";
}

/* Records, as one line, how the helper was started. */
static void
record_start(int argc, char **argv)
{
	DIR *d = opendir("/proc/self/fd");
	sigset_t mask, none;
	int above = 0, ignored = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		above += atoi(e->d_name) > 2 && atoi(e->d_name) != dirfd(d);
	if (d)
		(void)closedir(d);
	for (int n = 1; n < NSIG; n++) {
		struct sigaction a;

		ignored += !sigaction(n, NULL, &a) && a.sa_handler == SIG_IGN;
	}
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_BLOCK, NULL, &mask);
	record("argv0=%s argc=%d env=%s fds=%s,%s,%s more=%d blocked=%s ignored=%d leader=%s",
	    argv[0], argc, environ && *environ ? *environ : "none", kind_of(0), kind_of(1),
	    kind_of(2), above - 1, memcmp(&mask, &none, 8) ? "some" : "none", ignored,
	    getppid() == getsid(0) ? "parent" : "other");
}

static void
wait_for_end(void)
{
	struct pollfd p = {.fd = 0, .events = 0};

	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	record("EOF");
}

static void
nap(int ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

static void
obey(const char *verb, const char *rest, int argc, char **argv)
{
	if (!strcmp(verb, "hello"))
		send_message("H|1|1");
	else if (!strcmp(verb, "send"))
		send_message(rest);
	else if (!strcmp(verb, "raw"))
		send_raw(rest);
	else if (!strcmp(verb, "fill"))
		send_filled(rest);
	else if (!strcmp(verb, "recv"))
		(void)receive(0);
	else if (!strcmp(verb, "recv-all"))
		(void)receive(1);
	else if (!strcmp(verb, "recv-field"))
		record_field(recv(0, bytes, sizeof(bytes), 0), atoi(rest));
	else if (!strcmp(verb, "freeze"))
		signal_host(SIGSTOP);
	else if (!strcmp(verb, "thaw"))
		signal_host(SIGCONT);
	else if (!strcmp(verb, "linger"))
		while (receive(0))
			;
	else if (!strcmp(verb, "hang"))
		wait_for_end();
	else if (!strcmp(verb, "deaf"))
		for (;;)
			(void)pause();
	else if (!strcmp(verb, "drop"))
		(void)recv(0, bytes, sizeof(bytes), 0);
	else if (!strcmp(verb, "orphan"))
		(void)prctl(PR_SET_PDEATHSIG, 0);
	else if (!strcmp(verb, "mark"))
		(void)close(open("mark", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	else if (!strcmp(verb, "flood"))
		for (;;)
			send_message(rest);
	else if (!strcmp(verb, "close"))
		(void)close(0);
	else if (!strcmp(verb, "sleep"))
		nap(atoi(rest));
	else if (!strcmp(verb, "die"))
		(void)raise(atoi(rest));
	else if (!strcmp(verb, "exit"))
		exit(atoi(rest));
	else if (!strcmp(verb, "start"))
		record_start(argc, argv);
	else
		record("unknown command: %s", verb);
}

int
main(int argc, char **argv)
{
	char path[4096], line[8 * 1024];
	const char *name;
	FILE *script;

	if (argc != 1 && (argc != 3 || strcmp(argv[1], "--config") != 0))
		return 102;
	name = argc == 1 ? "default-script" : argv[2];
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(path, sizeof(path), "%s.got", name);
	record_path = path;
	script = fopen(name, "re");
	if (!script)
		return 103;
	while (fgets(line, sizeof(line), script)) {
		char *rest = line + strcspn(line, " \n");
		char *end = line + strcspn(line, "\n");

		*end = '\0';
		if (rest < end)
			*rest++ = '\0';
		obey(line, rest, argc, argv);
	}
	return 0;
}
