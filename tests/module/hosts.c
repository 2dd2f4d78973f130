/*
 * Hostile hosts, with unusual signals, descriptors, limits and children. In each of them the module
 * works or denies, and it changes nothing of the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/module/harness.h"

#define ASK	     "hello\nrecv\nsend P|1|Code: \nrecv\n"
#define RESULT(word) "send R|" word "|x|y\n"

enum { MANY = 20 };

static char socket_arg[160];

static const struct play good = {.name = "good",
    .script = ASK RESULT("ok"),
    .reply = {"1234"},
    .expect = PAM_SUCCESS,
    .got = "S\nA|1234\n"};
static const struct play bad = {.name = "bad",
    .script = ASK RESULT("denied"),
    .reply = {"1234"},
    .expect = PAM_AUTH_ERR,
    .got = "S\nA|1234\n"};

static bool
good_and_bad(void)
{
	for (int i = 0; i < MANY; i++)
		if (!play(&good) || !play(&bad))
			return false;
	return true;
}

static bool
sigchld_ignored(void)
{
	(void)signal(SIGCHLD, SIG_IGN);
	return good_and_bad();
}

static bool
sigchld_nocldwait(void)
{
	const struct sigaction a = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};

	(void)sigaction(SIGCHLD, &a, NULL);
	return good_and_bad();
}

static volatile sig_atomic_t signals;

static void
count_signal(int n)
{
	(void)n;
	signals++;
}

static bool
sigchld_handler(void)
{
	const struct sigaction a = {.sa_handler = count_signal};

	(void)sigaction(SIGCHLD, &a, NULL);
	return good_and_bad() && signals == 0;
}

static volatile bool reaping;
static volatile int reaped;

static void *
reap(void *arg)
{
	(void)arg;
	while (reaping)
		if (waitpid(-1, NULL, 0) > 0)
			reaped++;
	return NULL;
}

static bool
reaping_thread(void)
{
	pthread_t thread;
	bool r;

	reaping = true;
	if (pthread_create(&thread, NULL, reap, NULL))
		return false;
	r = good_and_bad();
	reaping = false;
	return pthread_join(thread, NULL) == 0 && r && reaped == 0;
}

static unsigned closed; /* bit n: descriptor n is closed */

static void
still_closed(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (closed & 1U << fd && fcntl(fd, F_GETFD) != -1)
			play_spoil("a descriptor below 3 is used");
}

static void
close_low(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (closed & 1U << fd)
			(void)close(fd);
}

static bool
all_blocked(void)
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	return good_and_bad();
}

static const struct play clean_start = {.name = "a clean start",
    .script = "start\nhello\nrecv\n" RESULT("ok"),
    .expect = PAM_SUCCESS,
    .got = "argv0=otp-helper argc=3 env=none fds=socket,null,null more=0 blocked=none ignored=0 "
	   "leader=parent\nS\n"};

static void
open_more(void)
{
	/* Without close-on-exec, so that the helper would inherit them. */
	for (int fd = 20; fd < 1000; fd += 70)
		(void)dup2(STDERR_FILENO, fd);
}

/* Q33, C2, C9: the helper inherits nothing of what exec would pass on. */
static bool
inheritance(void)
{
	sigset_t all;

	for (int n = 1; n < NSIG; n++)
		(void)signal(n, SIG_IGN);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)setenv("LD_DEBUG", "all", 1);
	(void)setenv("https_proxy", "http://192.0.2.1:9/", 1);
	(void)setenv("SSLKEYLOGFILE", "/tmp/otp-test-keys", 1);
	open_more();
	return play(&clean_start);
}

static void
start_ticking(pam_handle_t *pamh)
{
	const struct itimerval often = {{0, 1000}, {0, 1000}};
	const struct sigaction a = {.sa_handler = count_signal}; /* no SA_RESTART */

	(void)pamh;
	(void)sigaction(SIGALRM, &a, NULL);
	(void)setitimer(ITIMER_REAL, &often, NULL);
}

static void
stop_ticking(void)
{
	const struct itimerval never = {0};
	const struct sigaction dfl = {.sa_handler = SIG_DFL};

	(void)setitimer(ITIMER_REAL, &never, NULL);
	(void)sigaction(SIGALRM, &dfl, NULL);
}

/* Q23, U44: the host's own alarms go on, and interrupt no call of the module. */
static bool
ticking(void)
{
	const struct play p = {.name = "a signal each millisecond",
	    .reply = {"1234"},
	    .script = "sleep 100\nhello\nrecv\nsleep 100\nsend P|1|x\nrecv\nsleep "
		      "100\n" RESULT("ok") "sleep 100\n",
	    .expect = PAM_SUCCESS,
	    .prepare = start_ticking,
	    .restore = stop_ticking};

	return play(&p) && signals > 50;
}

static struct rlimit before_limit;
static int limit_kind;
static rlim_t limit_value;

static void
set_limit(pam_handle_t *pamh)
{
	struct rlimit l;

	(void)pamh;
	(void)getrlimit((__rlimit_resource_t)limit_kind, &before_limit);
	l = before_limit;
	l.rlim_cur = limit_value;
	(void)setrlimit((__rlimit_resource_t)limit_kind, &l);
}

static void
restore_limit(void)
{
	(void)setrlimit((__rlimit_resource_t)limit_kind, &before_limit);
}

/* With fewer free descriptors than needed it denies; with enough it signs in. */
static bool
few_descriptors(const char *only_args, unsigned needed)
{
	struct play p = good;
	int first = fcntl(STDERR_FILENO, F_DUPFD, 0);

	(void)close(first);
	p.prepare = set_limit;
	p.restore = restore_limit;
	p.only_args = only_args;
	limit_kind = RLIMIT_NOFILE;
	for (unsigned n = 0; n < needed + 3; n++) {
		limit_value = (rlim_t)first + n;
		p.expect = n < needed ? PLAY_FAILED : PAM_SUCCESS;
		p.reply[0] = n < needed ? NULL : "1234";
		p.logged = n < needed ? "Too many open files" : NULL;
		p.got = n < needed || only_args ? "" : "S\nA|1234\n";
		if (!play(&p))
			return false;
	}
	return true;
}

static bool
emfile_spawned(void)
{
	return few_descriptors(NULL, 4);
}

static bool
emfile_socket(void)
{
	return few_descriptors(socket_arg, 2);
}

static bool
no_processes(void)
{
	struct play p = {.name = "no process may be made",
	    .script = ASK RESULT("ok"),
	    .expect = PAM_PERM_DENIED,
	    .prepare = set_limit,
	    .restore = restore_limit,
	    .got = "",
	    .logged = "otp-helper: Resource temporarily unavailable"};

	limit_kind = RLIMIT_NPROC;
	limit_value = 0;
	return play(&p) && play(&good);
}

static bool
big_host(void)
{
	enum { SIZE = 500 << 20 };
	char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long began;

	if (memory == MAP_FAILED)
		return false;
	memset(memory, 1, SIZE);
	began = now_ms();
	for (int i = 0; i < 5; i++)
		if (!play(&good))
			return false;
	return now_ms() - began < 10 * 1000;
}

static pid_t
supervisor_of(pid_t host)
{
	pid_t pid[8];

	return children_of(host, pid, COUNT(pid)) == 1 ? pid[0] : -1;
}

static void
signal_supervisor(int n)
{
	pid_t pid = supervisor_of(getpid());

	if (pid < 0 || kill(pid, n))
		play_spoil("not one supervisor");
	nap_ms(200);
}

static void
kill_supervisor(void)
{
	signal_supervisor(SIGKILL);
}

static void
stop_supervisor(void)
{
	signal_supervisor(SIGSTOP);
}

static void
terminate_supervisor(void)
{
	signal_supervisor(SIGTERM);
}

static void
kill_helper(void)
{
	pid_t helper = supervisor_of(supervisor_of(getpid()));

	if (helper < 0 || kill(helper, SIGKILL))
		play_spoil("not one helper");
	nap_ms(200);
}

static void
test_body(void **state)
{
	assert_true(apart((bool (*)(void))(uintptr_t)*state));
}

static void
test_closed_descriptors(void **state)
{
	struct play p = good;
	char path[SOCKET_NAME];
	pid_t manager;

	(void)state;
	p.during = still_closed;
	for (closed = 0; closed < 8; closed++)
		assert_true(play_apart(&p, close_low));
	p = clean_start;
	for (closed = 0; closed < 8; closed++)
		assert_true(play_apart(&p, close_low));
	manager = socket_open(good.script, 5, 0, path);
	(void)snprintf(socket_arg, sizeof(socket_arg), "socket=%s", path);
	p = good;
	p.got = NULL;
	p.only_args = socket_arg;
	p.during = still_closed;
	for (closed = 0; closed < 8; closed++)
		assert_true(play_apart(&p, close_low));
	socket_close(manager);
}

static void
test_emfile_socket(void **state)
{
	char path[SOCKET_NAME];
	pid_t manager = socket_open(good.script, 5, 0, path);

	(void)state;
	(void)snprintf(socket_arg, sizeof(socket_arg), "socket=%s", path);
	assert_true(apart(emfile_socket));
	socket_close(manager);
}

static void
test_no_processes(void **state)
{
	(void)state;
	if (geteuid() == 0) {
		print_message("skipped: the limit does not bind root\n");
		skip();
	}
	assert_true(apart(no_processes));
}

static void
test_big_host(void **state)
{
	struct sysinfo info;

	(void)state;
	if (sysinfo(&info) || (info.freeram + info.bufferram) * info.mem_unit < 800UL << 20) {
		print_message("skipped: less than 800 MB of memory are free\n");
		skip();
	}
	assert_true(apart(big_host));
}

/* The caller of sudo may signal supervisor and helper. Their death ends in failure. */
static void
test_signalled(void **state)
{
	struct play p = good;

	(void)state;
	p.name = "SIGKILL to the supervisor";
	p.during = kill_supervisor;
	p.expect = PAM_PERM_DENIED;
	p.got = "S\n";
	assert_true(play(&p));
	p.name = "SIGKILL to the helper";
	p.during = kill_helper;
	assert_true(play(&p));
	p = good;
	p.name = "SIGSTOP to the supervisor";
	p.during = stop_supervisor;
	assert_true(play(&p));
	p.name = "SIGTERM to the supervisor";
	p.during = terminate_supervisor;
	assert_true(play(&p));
}

static void
test_small_stack(void **state)
{
	struct play p = good;

	(void)state;
	if (harness_sanitized()) {
		print_message("skipped: a sanitizer needs more stack\n");
		skip();
	}
	p.thread_stack = 96 * 1024;
	assert_true(play(&p));
}

static bool
gone_soon(pid_t pid)
{
	for (int i = 0; i < 200 && process_lives(pid); i++)
		nap_ms(10);
	return !process_lives(pid);
}

static void
wait_forever(void)
{
	for (;;)
		(void)pause();
}

/* Kills a host that waits for its helper. Supervisor and helper must end too. */
static void
kill_host(const char *script, int with)
{
	const struct play p = {
	    .name = "a host that dies", .script = script, .reply = {"1"}, .during = wait_forever};
	pid_t host, supervisor = -1, helper = -1;

	(void)fflush(NULL);
	host = fork();
	if (host == 0)
		_exit(play(&p));
	assert_true(host > 0);
	for (int i = 0; i < 500 && helper < 0; i++) {
		nap_ms(10);
		supervisor = supervisor_of(host);
		helper = supervisor < 0 ? -1 : supervisor_of(supervisor);
	}
	assert_true(helper > 0);
	nap_ms(300);
	assert_true(process_lives(supervisor) && process_lives(helper));
	assert_int_equal(kill(host, with), 0);
	assert_int_equal(waitpid(host, NULL, 0), host);
	assert_true(gone_soon(supervisor));
	assert_true(gone_soon(helper));
}

static void
test_killed_host(void **state)
{
	static const char *const script[] = {"deaf\n", "hang\n", "hello\nrecv\ndeaf\n",
	    "hello\nrecv\nhang\n", "hello\nrecv\nsend P|1|x\ndeaf\n",
	    "hello\nrecv\nsend P|1|x\nhang\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(script); i++)
		kill_host(script[i], SIGKILL);
	/* Q3: sshd sends SIGTERM to its child when the client leaves. */
	kill_host(script[4], SIGTERM);
}

/* The helper may work on after its result, and the host does not wait for that. */
static void
test_helper_outlives(void **state)
{
	const struct play p = {.name = "clean-up after the result",
	    .script = "hello\nrecv\n" RESULT("ok") "orphan\nclose\nsleep 700\nmark\n",
	    .expect = PAM_SUCCESS,
	    .got = "S\n"};
	long began = now_ms();

	(void)state;
	(void)unlink("mark");
	assert_true(play(&p));
	assert_true(now_ms() - began < 600);
	assert_int_not_equal(access("mark", F_OK), 0);
	for (int i = 0; i < 300 && access("mark", F_OK); i++)
		nap_ms(10);
	assert_int_equal(access("mark", F_OK), 0);
}

#define BODY(f)                                                   \
	{                                                         \
#f, test_body, NULL, NULL, (void *)(uintptr_t)(f) \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    BODY(sigchld_ignored),
	    BODY(sigchld_nocldwait),
	    BODY(sigchld_handler),
	    BODY(reaping_thread),
	    BODY(all_blocked),
	    BODY(inheritance),
	    BODY(ticking),
	    BODY(emfile_spawned),
	    cmocka_unit_test(test_emfile_socket),
	    cmocka_unit_test(test_closed_descriptors),
	    cmocka_unit_test(test_no_processes),
	    cmocka_unit_test(test_big_host),
	    cmocka_unit_test(test_signalled),
	    cmocka_unit_test(test_small_stack),
	    cmocka_unit_test(test_killed_host),
	    cmocka_unit_test(test_helper_outlives),
	};
	int failed;

	harness_begin(false, NULL);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	harness_end();
	return failed != 0;
}
