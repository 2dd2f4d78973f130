/*
 * A host that a test controls. It runs PAM calls, passes every prompt to the test and takes its
 * answer, and reports what the calls left behind. Installed set-user-ID, it is a host like sudo.
 *
 *   pamdrive [OPTION...] SERVICE USER [CALL...]      calls: auth (default), acct, setcred
 *
 *   --confdir=DIR        pam_start_confdir(3) with DIR
 *   --item=NAME=VALUE    rhost, tty or ruser
 *   --pamenv=NAME=VALUE  sets a variable of the PAM environment
 *   --silent             PAM_SILENT
 *   --host=MODE          is a hostile host; may be repeated: sigchld-ignored, sigchld-handler,
 *                        wait-thread, fds-closed, fds-full, big
 *   --session            calls setsid() first, and so is a source of its own
 *   --terminal           talks to a person, without events, like pamtester(1) with --confdir
 *
 * Events go to standard output as lines of JSON. After a prompt one line is read from standard
 * input: "=TEXT" an answer, "n COUNT" an answer of this many letters, "x HEX" an answer in
 * hexadecimal, "0" success without an answer, "!" PAM_CONV_ERR, "q" the host exits, "k" the host is
 * killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <security/pam_appl.h>
#include <security/pam_misc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { BIG_MB = 500, CHANNEL_FD = 100, FDS_SEEN = 1024 };

static FILE *in, *out;
static volatile sig_atomic_t sigchld_seen;
static volatile int reaped;

static struct {
	bool sigchld_ignored, sigchld_handler, wait_thread, fds_closed, fds_full, big;
} host;

static void
die(const char *what)
{
	fprintf(stderr, "pamdrive: %s: %s\n", what, strerror(errno));
	exit(99);
}

static void
json_string(const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void
event_text(const char *event, int echo, const char *text)
{
	fprintf(out, "{\"event\": \"%s\", \"echo\": %d, \"text\": ", event, echo);
	json_string(text);
	fputs("}\n", out);
	fflush(out);
}

/* --- what a module must not change --- */

/* Opens no file, because all descriptors may be in use. */
static void
snap_fds(void)
{
	const char *comma = "";

	fputs("\"fds\": [", out);
	for (int fd = 0; fd < FDS_SEEN; fd++) {
		char link[64], target[4096];
		int flags = fcntl(fd, F_GETFD);
		if (flags < 0)
			continue;
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		ssize_t n = readlink(link, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		fprintf(out, "%s[%d, %d, %d, ", comma, fd, flags, fcntl(fd, F_GETFL));
		json_string(target);
		fputc(']', out);
		comma = ", ";
	}
	fputs("], ", out);
}

static void
snap_signals(void)
{
	sigset_t mask;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	fputs("\"signals\": [", out);
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction sa = {0};
		if (sigaction(sig, NULL, &sa) < 0)
			continue;
		fprintf(out, "%s[%d, %d, \"%p\", %d]", sig > 1 ? ", " : "", sig,
		    sigismember(&mask, sig), *(void **)&sa.sa_handler, sa.sa_flags);
	}
	fputs("], ", out);
}

static void
snap_strings(const char *name, char **list)
{
	fprintf(out, "\"%s\": [", name);
	for (char **s = list; s && *s; s++) {
		if (s != list)
			fputs(", ", out);
		json_string(*s);
	}
	fputs("], ", out);
}

static void
snap_limits(void)
{
	fputs("\"limits\": [", out);
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit l = {0};
		getrlimit((enum __rlimit_resource)i, &l);
		fprintf(out, "%s[%lu, %lu]", i ? ", " : "", (unsigned long)l.rlim_cur,
		    (unsigned long)l.rlim_max);
	}
	fputs("], ", out);
}

static const char *
children(void)
{
	siginfo_t si = {0};
	if (waitid(P_ALL, 0, &si, WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WALL) < 0)
		return errno == ECHILD ? "none" : "error";
	return "some";
}

static void
snap(const char *when)
{
	char cwd[4096] = "";
	struct itimerval it = {0};
	mode_t mask = umask(0);
	umask(mask);
	getitimer(ITIMER_REAL, &it);

	fprintf(out, "{\"event\": \"snap\", \"when\": \"%s\", ", when);
	snap_fds();
	snap_signals();
	snap_strings("environment", environ);
	snap_limits();
	fputs("\"cwd\": ", out);
	json_string(getcwd(cwd, sizeof(cwd)) ? cwd : "?");
	fprintf(out, ", \"umask\": %d, \"timer\": %ld, \"children\": \"%s\", \"ids\": [%d, %d]}\n",
	    (int)mask, (long)it.it_value.tv_sec, children(), (int)getsid(0), (int)getpgrp());
	fflush(out);
}

/* --- the conversation --- */

static char *
answer_letters(size_t n)
{
	char *s = malloc(n + 1);
	if (!s)
		die("malloc");
	memset(s, 'a', n);
	s[n] = '\0';
	return s;
}

static char *
answer_hex(const char *hex)
{
	size_t n = strlen(hex) / 2;
	char *s = calloc(1, n + 1);
	unsigned byte;
	for (size_t i = 0; s && i < n && sscanf(hex + 2 * i, "%2x", &byte) == 1; i++)
		s[i] = (char)byte;
	return s;
}

static int
answer_take(char **resp)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n = getline(&line, &room, in);
	int rc = PAM_SUCCESS;

	if (n < 0)
		_exit(98);
	line[strcspn(line, "\n")] = '\0';
	switch (line[0]) {
	case '=':
		*resp = strdup(line + 1);
		break;
	case 'n':
		*resp = answer_letters(strtoul(line + 1, NULL, 10));
		break;
	case 'x':
		*resp = answer_hex(line + 2);
		break;
	case '0':
		break;
	case 'q':
		_exit(0);
	case 'k':
		raise(SIGKILL);
		break;
	default:
		rc = PAM_CONV_ERR;
	}
	free(line);
	return rc;
}

static int
converse(int n, const struct pam_message **msg, struct pam_response **resp, void *arg)
{
	(void)arg;
	struct pam_response *r = calloc((size_t)n, sizeof(*r));
	int rc = PAM_SUCCESS;

	if (!r)
		return PAM_BUF_ERR;
	for (int i = 0; i < n && rc == PAM_SUCCESS; i++) {
		switch (msg[i]->msg_style) {
		case PAM_PROMPT_ECHO_ON:
		case PAM_PROMPT_ECHO_OFF:
			event_text("prompt", msg[i]->msg_style == PAM_PROMPT_ECHO_ON, msg[i]->msg);
			rc = answer_take(&r[i].resp);
			break;
		case PAM_TEXT_INFO:
			event_text("info", 1, msg[i]->msg);
			break;
		default:
			event_text("error", 1, msg[i]->msg);
		}
	}
	if (rc != PAM_SUCCESS) {
		free(r);
		r = NULL;
	}
	*resp = r;
	return rc;
}

/* --- hostile hosts --- */

static void
sigchld_count(int sig)
{
	(void)sig;
	sigchld_seen++;
}

static void *
reap_forever(void *arg)
{
	(void)arg;
	for (;;) {
		if (waitpid(-1, NULL, 0) > 0)
			reaped++;
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
	return NULL;
}

static void
host_become(void)
{
	pthread_t thread;

	if (host.sigchld_ignored)
		signal(SIGCHLD, SIG_IGN);
	if (host.sigchld_handler)
		signal(SIGCHLD, sigchld_count);
	if (host.wait_thread && pthread_create(&thread, NULL, reap_forever, NULL) != 0)
		die("thread");
	if (host.fds_closed)
		for (int fd = 0; fd < 3; fd++)
			close(fd);
	if (host.big) {
		char *p = malloc((size_t)BIG_MB << 20);
		if (!p)
			die("malloc");
		memset(p, 1, (size_t)BIG_MB << 20);
		*(char *volatile *)&p = p;
	}
}

/* One descriptor stays free, because libpam itself fails if it cannot open its audit socket. */
static void
fds_fill(void)
{
	struct rlimit few = {.rlim_cur = CHANNEL_FD + 2, .rlim_max = CHANNEL_FD + 2};
	int last = -1, fd;

	setrlimit(RLIMIT_NOFILE, &few);
	while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		last = fd;
	if (last >= 0)
		close(last);
}

static void
channel_make(void)
{
	int i = dup3(STDIN_FILENO, CHANNEL_FD, O_CLOEXEC);
	int o = dup3(STDOUT_FILENO, CHANNEL_FD + 1, O_CLOEXEC);

	in = i < 0 ? NULL : fdopen(i, "r");
	out = o < 0 ? NULL : fdopen(o, "w");
	if (!in || !out)
		die("channel");
}

/* --- the calls --- */

static int
call(pam_handle_t *pamh, const char *name, int flags)
{
	struct timespec t0, t1;
	int rc = PAM_SYSTEM_ERR;

	clock_gettime(CLOCK_MONOTONIC, &t0);
	if (strcmp(name, "auth") == 0)
		rc = pam_authenticate(pamh, flags);
	else if (strcmp(name, "acct") == 0)
		rc = pam_acct_mgmt(pamh, flags);
	else if (strcmp(name, "setcred") == 0)
		rc = pam_setcred(pamh, flags | PAM_ESTABLISH_CRED);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	fprintf(out, "{\"event\": \"result\", \"call\": \"%s\", \"code\": %d, \"ms\": %ld}\n", name,
	    rc, (t1.tv_sec - t0.tv_sec) * 1000 + (t1.tv_nsec - t0.tv_nsec) / 1000000);
	fflush(out);
	return rc;
}

static void
item_set(pam_handle_t *pamh, const char *pair)
{
	static const struct {
		const char *name;
		int item;
	} items[] = {
	    {"rhost=", PAM_RHOST},
	    {"tty=", PAM_TTY},
	    {"ruser=", PAM_RUSER},
	};
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		size_t n = strlen(items[i].name);
		if (strncmp(pair, items[i].name, n) != 0)
			continue;
		if (pam_set_item(pamh, items[i].item, pair + n) != PAM_SUCCESS)
			break;
		return;
	}
	errno = EINVAL;
	die(pair);
}

static void
mode_set(const char *name)
{
	static const struct {
		const char *name;
		bool *on;
	} modes[] = {
	    {"sigchld-ignored", &host.sigchld_ignored},
	    {"sigchld-handler", &host.sigchld_handler},
	    {"wait-thread", &host.wait_thread},
	    {"fds-closed", &host.fds_closed},
	    {"fds-full", &host.fds_full},
	    {"big", &host.big},
	};
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(name, modes[i].name) == 0) {
			*modes[i].on = true;
			return;
		}
	}
	errno = EINVAL;
	die(name);
}

enum { PAIRS_MAX = 16 };
static struct {
	const char *confdir;
	int flags;
	bool session, terminal;
	const char *item[PAIRS_MAX], *env[PAIRS_MAX];
	size_t nitem, nenv;
} opt;

static void
options(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"confdir", required_argument, NULL, 'c'},
	    {"item", required_argument, NULL, 'i'},
	    {"pamenv", required_argument, NULL, 'e'},
	    {"silent", no_argument, NULL, 's'},
	    {"host", required_argument, NULL, 'h'},
	    {"session", no_argument, NULL, 'S'},
	    {"terminal", no_argument, NULL, 't'},
	    {0},
	};
	int c;
	while ((c = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		if (c == 'c')
			opt.confdir = optarg;
		else if (c == 'i' && opt.nitem < PAIRS_MAX)
			opt.item[opt.nitem++] = optarg;
		else if (c == 'e' && opt.nenv < PAIRS_MAX)
			opt.env[opt.nenv++] = optarg;
		else if (c == 's')
			opt.flags |= PAM_SILENT;
		else if (c == 'h')
			mode_set(optarg);
		else if (c == 'S')
			opt.session = true;
		else if (c == 't')
			opt.terminal = true;
		else
			exit(99);
	}
	if (argc - optind < 2) {
		fputs("usage: pamdrive [OPTION...] SERVICE USER [CALL...]\n", stderr);
		exit(99);
	}
}

static pam_handle_t *
start(const char *service, const char *user, const struct pam_conv *conv)
{
	pam_handle_t *pamh = NULL;
	int rc = opt.confdir ? pam_start_confdir(service, user, conv, opt.confdir, &pamh)
			     : pam_start(service, user, conv, &pamh);

	if (rc != PAM_SUCCESS)
		die("pam_start");
	return pamh;
}

static int
terminal(const char *service, const char *user)
{
	const struct pam_conv conv = {.conv = misc_conv};
	pam_handle_t *pamh = start(service, user, &conv);
	int rc = pam_authenticate(pamh, opt.flags);

	printf("pamdrive: %s\n",
	    rc == PAM_SUCCESS ? "successfully authenticated" : pam_strerror(pamh, rc));
	pam_end(pamh, rc);
	return rc == PAM_SUCCESS ? 0 : 1;
}

int
main(int argc, char **argv)
{
	const struct pam_conv conv = {.conv = converse};
	pam_handle_t *pamh;
	int rc = PAM_SYSTEM_ERR;

	options(argc, argv);
	argv += optind;
	if (opt.terminal)
		return terminal(argv[0], argv[1]);
	channel_make();
	if (opt.session)
		setsid();
	pamh = start(argv[0], argv[1], &conv);
	for (size_t i = 0; i < opt.nitem; i++)
		item_set(pamh, opt.item[i]);
	for (size_t i = 0; i < opt.nenv; i++)
		pam_putenv(pamh, opt.env[i]);
	/* libc keeps its connection to the log. Open it now, or it would look like the module's. */
	syslog(LOG_AUTHPRIV | LOG_DEBUG, "pamdrive starts");
	host_become();
	if (host.fds_full)
		fds_fill();

	snap("before");
	if (!argv[2])
		rc = call(pamh, "auth", opt.flags);
	for (char **name = argv + 2; *name; name++)
		rc = call(pamh, *name, opt.flags);
	snap("after");
	fprintf(out, "{\"event\": \"host\", \"sigchld\": %d, \"reaped\": %d}\n", (int)sigchld_seen,
	    reaped);
	fflush(out);
	pam_end(pamh, rc);
	snap("ended");
	return rc == PAM_SUCCESS ? 0 : 1;
}
