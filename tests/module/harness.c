#include "tests/module/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

/* With clang and _FORTIFY_SOURCE it is a macro. */
#undef syslog

enum { TEST_UID = 65534, TEXT_MAX = 128 * 1024, DIR_MAX = 200 };

const char reply_nothing[] = "(nothing)";
const char reply_untouched[] = "(untouched)";
const char reply_fails[] = "(fails)";
const char reply_fails_full[] = "(fails full) " PLAY_SECRET;

static char dir[DIR_MAX + 32];
static char logged[TEXT_MAX];

/* The state of a play that the conversation sees. */
static struct {
	const struct play *play;
	size_t replies;
	char shown[TEXT_MAX];
	bool odd;
} host;

__attribute__((format(printf, 1, 2))) static bool
odd(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fprintf(stderr, "# %s: ", host.play ? host.play->name : "harness");
	(void)vfprintf(stderr, fmt, ap);
	(void)fprintf(stderr, "\n");
	va_end(ap);
	return false;
}

void
give_up(const char *what)
{
	(void)odd("%s: %s", what, strerror(errno));
	_exit(99);
}

bool
harness_sanitized(void)
{
#ifdef __SANITIZE_ADDRESS__
	return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
	return true;
#endif
#endif
	return false;
}

/* libpam and the module log through these, because the program's symbols come first. */
static void __attribute__((format(printf, 2, 0)))
log_line(int priority, const char *fmt, va_list ap)
{
	size_t len = strlen(logged);

	(void)snprintf(logged + len, sizeof(logged) - len, "<%d>", LOG_PRI(priority));
	len = strlen(logged);
	(void)vsnprintf(logged + len, sizeof(logged) - len, fmt, ap);
	len = strlen(logged);
	(void)snprintf(logged + len, sizeof(logged) - len, "\n");
}

void
syslog(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(priority, fmt, ap);
	va_end(ap);
}

void __syslog_chk(int priority, int flag, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

void
__syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;

	(void)flag;
	va_start(ap, fmt);
	log_line(priority, fmt, ap);
	va_end(ap);
}

const char *
play_log(void)
{
	return logged;
}

static void
copy_file(const char *from, const char *name)
{
	char block[64 * 1024], to[DIR_MAX + 128];
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	ssize_t n;

	(void)snprintf(to, sizeof(to), "%s/%s", dir, name);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (in < 0 || out < 0)
		give_up(from);
	while ((n = read(in, block, sizeof(block))) > 0)
		if (write(out, block, (size_t)n) != n)
			give_up(to);
	if (n < 0 || close(in) || close(out))
		give_up(to);
}

static void
become_nobody(void)
{
	static const char *const mine[] = {
	    ".", "pam_otp.so", HERE_MODULE, "pam_stage.so", "otp-helper"};

	for (size_t i = 0; i < COUNT(mine); i++)
		if (chown(mine[i], TEST_UID, TEST_UID))
			give_up(mine[i]);
	if (setgroups(0, NULL) || setresgid(TEST_UID, TEST_UID, TEST_UID) ||
	    setresuid(TEST_UID, TEST_UID, TEST_UID) || setuid(0) == 0)
		give_up("becoming nobody");
	/* After a change of user ID, /proc/self belongs to root unless this is set. */
	if (prctl(PR_SET_DUMPABLE, 1))
		give_up("PR_SET_DUMPABLE");
}

void
harness_begin(bool stay_root, void (*before_drop)(void))
{
	const char *base = getenv("TMPDIR");
	char real[PATH_MAX];

	(void)umask(022);
	if (!realpath(base && *base ? base : "/tmp", real))
		give_up("TMPDIR");
	if (strlen(real) > DIR_MAX)
		give_up("TMPDIR is too long");
	(void)snprintf(dir, sizeof(dir), "%.200s/otp-module.XXXXXX", real);
	if (!mkdtemp(dir) || chmod(dir, 0755) || chdir(dir))
		give_up(dir);
	copy_file(TEST_MODULE, "pam_otp.so");
	copy_file(TEST_HERE, HERE_MODULE);
	copy_file(TEST_STAGE, "pam_stage.so");
	copy_file(TEST_HELPER, "otp-helper");
	if (before_drop)
		before_drop();
	if (!stay_root && geteuid() == 0)
		become_nobody();
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	/* If the parent belongs to root, an empty folder stays behind. */
	if (remove(path) && at->level > 0)
		give_up(path);
	return 0;
}

void
harness_end(void)
{
	if (chdir("/") || nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS))
		give_up(dir);
}

const char *
harness_dir(void)
{
	return dir;
}

void
put_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || fchmod(fd, mode) || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
	    close(fd))
		give_up(path);
}

/* Without the lines "EOF", because the helper may be killed before it writes that one. */
static void
read_record(const char *script, char *out, size_t size)
{
	char path[DIR_MAX + 128], line[16 * 1024];
	FILE *f;
	size_t len = 0;

	(void)snprintf(path, sizeof(path), "%s.got", script);
	out[0] = '\0';
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (strcmp(line, "EOF\n") != 0)
			len += (size_t)snprintf(out + len, size - len, "%s", line);
	if (f)
		(void)fclose(f);
}

void
play_spoil(const char *why)
{
	host.odd = !odd("%s", why);
}

static int
reply_with(const char *reply, struct pam_response **resp)
{
	if (reply == reply_fails)
		return PAM_CONV_ERR;
	if (reply == reply_untouched)
		return PAM_SUCCESS;
	*resp = calloc(1, sizeof(**resp));
	if (!*resp)
		return PAM_BUF_ERR;
	if (reply != reply_nothing)
		(*resp)->resp = strdup(reply);
	return reply == reply_fails_full ? PAM_CONV_ERR : PAM_SUCCESS;
}

static int
converse(int n, const struct pam_message **msg, struct pam_response **resp, void *data)
{
	static const char *const styles[] = {
	    [PAM_PROMPT_ECHO_OFF] = "off",
	    [PAM_PROMPT_ECHO_ON] = "on",
	    [PAM_ERROR_MSG] = "error",
	    [PAM_TEXT_INFO] = "info",
	};
	size_t len = strlen(host.shown);
	const char *reply;

	(void)data;
	if (n != 1 || !resp || *resp) {
		host.odd = !odd("%d messages in one call, response %p", n, (void *)resp);
		return PAM_CONV_ERR;
	}
	(void)snprintf(host.shown + len, sizeof(host.shown) - len, "%s:%s\n",
	    styles[msg[0]->msg_style], msg[0]->msg);
	if (msg[0]->msg_style != PAM_PROMPT_ECHO_ON && msg[0]->msg_style != PAM_PROMPT_ECHO_OFF)
		return PAM_SUCCESS;
	if (host.play->during)
		host.play->during();
	reply = host.replies < PLAY_REPLIES ? host.play->reply[host.replies] : NULL;
	if (!reply) {
		host.odd = !odd("a prompt nobody expected: %s", msg[0]->msg);
		return PAM_CONV_ERR;
	}
	host.replies++;
	return reply_with(reply, resp);
}

/* Each process has its own pam.d folder, because plays may run at the same time. */
static const char *
stack_folder(void)
{
	static char path[DIR_MAX + 64];

	(void)snprintf(path, sizeof(path), "%s/pam.d.%d", dir, (int)getpid());
	return path;
}

static void
write_stack_file(const char *text)
{
	char path[DIR_MAX + 96];

	if (mkdir(stack_folder(), 0755) && errno != EEXIST)
		give_up(stack_folder());
	(void)snprintf(path, sizeof(path), "%s/otp-test", stack_folder());
	put_file(path, text, 0644);
}

static void
write_stack(const struct play *p, const char *script)
{
	char args[4 * 1024], stack[16 * 1024], stage[1024] = "";

	if (p->only_args)
		(void)snprintf(args, sizeof(args), "%s", p->only_args);
	else
		(void)snprintf(args, sizeof(args), "helper=%s/otp-helper config=%s %s", dir, script,
		    p->args ? p->args : "");
	if (p->stage)
		(void)snprintf(
		    stage, sizeof(stage), "auth required %s/pam_stage.so %s\n", dir, p->stage);
	(void)snprintf(stack, sizeof(stack),
	    "%sauth [success=done ignore=ignore default=die] %s/%s %s\n"
	    "auth required %s/pam_stage.so return=%d\n",
	    stage, dir, p->module ? p->module : "pam_otp.so", args, dir, PLAY_IGNORED);
	write_stack_file(stack);
}

int
call_service(int (*service)(pam_handle_t *, int), const char *type)
{
	const struct pam_conv conv = {converse, NULL};
	pam_handle_t *pamh = NULL;
	char stack[DIR_MAX * 4];
	int rc;

	(void)snprintf(stack, sizeof(stack),
	    "%s [success=done ignore=ignore default=die] %s/pam_otp.so\n"
	    "%s required %s/pam_stage.so return=%d\n",
	    type, dir, type, dir, PLAY_IGNORED);
	write_stack_file(stack);
	rc = pam_start_confdir("otp-test", "alice", &conv, stack_folder(), &pamh);
	if (!rc)
		rc = service(pamh, 0);
	(void)pam_end(pamh, rc);
	return rc;
}

/* True if both are equal. Else prints both from the first line that differs. */
static bool
same_text(const char *what, const char *expected, const char *seen)
{
	size_t i = 0, line = 0;

	if (!expected || !strcmp(expected, seen))
		return true;
	for (; expected[i] && expected[i] == seen[i]; i++)
		if (expected[i] == '\n')
			line = i + 1;
	return odd("%s\nexpected: %.500s\nseen:     %.500s", what, expected + line, seen + line);
}

/* True if exactly one line of the log has the result. */
static bool
one_outcome(void)
{
	const char *p = strstr(logged, "\" result=");

	if (p && !strstr(p + 1, "\" result="))
		return true;
	return odd("not one outcome in the log: %s", logged);
}

static bool
judge(const struct play *p, const char *script, int rc)
{
	static char got[TEXT_MAX];
	bool good = !host.odd;

	read_record(script, got, sizeof(got));
	if (p->expect == PLAY_FAILED ? rc == PAM_SUCCESS || rc == PLAY_IGNORED : rc != p->expect)
		good = odd("expected %d, got %d; log: %s", p->expect, rc, logged);
	if (host.replies < PLAY_REPLIES && p->reply[host.replies])
		good = odd("a reply was not asked for: %s", p->reply[host.replies]);
	good = same_text("shown", p->shown, host.shown) && good;
	good = same_text("helper's record", p->got, got) && good;
	good = one_outcome() && good;
	if (strstr(got, "unknown command"))
		good = odd("the script has a mistake: %s", got);
	if (p->logged && !strstr(logged, p->logged))
		good = odd("not in the log: %s\n%s", p->logged, logged);
	if (p->unlogged && strstr(logged, p->unlogged))
		good = odd("in the log: %s\n%s", p->unlogged, logged);
	return good;
}

/* A call of pam_authenticate(), perhaps in another thread. */
struct call {
	pam_handle_t *pamh;
	int flags, rc;
};

static void *
call_authenticate(void *arg)
{
	struct call *c = arg;

	c->rc = pam_authenticate(c->pamh, c->flags);
	return NULL;
}

static int
authenticate(const struct play *p, pam_handle_t *pamh)
{
	struct call c = {pamh, p->flags, PAM_ABORT};
	pthread_attr_t attr;
	pthread_t thread;

	if (!p->thread_stack) {
		(void)call_authenticate(&c);
		return c.rc;
	}
	if (pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, p->thread_stack) ||
	    pthread_create(&thread, &attr, call_authenticate, &c) || pthread_join(thread, NULL))
		give_up("thread");
	(void)pthread_attr_destroy(&attr);
	return c.rc;
}

bool
play(const struct play *p)
{
	static char before[TEXT_MAX], after[TEXT_MAX];
	static unsigned count;
	const struct pam_conv conv = {converse, NULL};
	pam_handle_t *pamh = NULL;
	char script[DIR_MAX + 96];
	int rc;

	memset(&host, 0, sizeof(host));
	host.play = p;
	logged[0] = '\0';
	(void)snprintf(script, sizeof(script), "%s/script.%d.%u", dir, (int)getpid(), count++);
	put_file(script, p->script ? p->script : "", 0644);
	write_stack(p, script);
	if (pam_start_confdir(
		"otp-test", p->user ? p->user : "alice", &conv, stack_folder(), &pamh))
		return odd("pam_start_confdir failed");
	/* This loads the module now, because what the loader changes is not of interest. */
	(void)pam_acct_mgmt(pamh, 0);
	describe_self(before, sizeof(before));
	if (p->prepare)
		p->prepare(pamh);
	rc = authenticate(p, pamh);
	if (p->restore)
		p->restore();
	describe_self(after, sizeof(after));
	(void)pam_end(pamh, rc);
	return judge(p, script, rc) && same_text("the host", before, after);
}

static bool
ended_well(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			give_up("waitpid");
	return status == 0;
}

bool
apart(bool (*body)(void))
{
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(body() ? 0 : 1);
	if (pid < 0)
		give_up("fork");
	return ended_well(pid);
}

bool
play_apart(const struct play *p, void (*before)(void))
{
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (before)
			before();
		_exit(play(p) ? 0 : 1);
	}
	if (pid < 0)
		give_up("fork");
	return ended_well(pid);
}
