/*
 * Deadlines. The module leaves a helper that is silent, slow or endless after the time of timeout=.
 * If the user takes longer than that, a result of the helper still counts. All cases run at once.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/module/harness.h"

#define RESULT(word) "send R|" word "|x|y\n"
#define DRIP	     "send I|x\nsleep 900\n"
#define DRIPS	     DRIP DRIP DRIP DRIP DRIP DRIP DRIP DRIP DRIP DRIP DRIP DRIP

enum { LEAST_MS = 9900, MOST_MS = 13500, THINK_MS = 10500 };

static void
think_long(void)
{
	nap_ms(THINK_MS);
}

static void
stop_helper(void)
{
	pid_t supervisor, helper;

	if (children_of(getpid(), &supervisor, 1) != 1 ||
	    children_of(supervisor, &helper, 1) != 1 || kill(helper, SIGSTOP))
		play_spoil("not one helper");
}

static const struct play plays[] = {
    {"silent before H", .script = "hang\n", .expect = PAM_PERM_DENIED,
	.logged = "otp-helper: deadline passed"},
    {"deaf before H", .script = "deaf\n", .expect = PAM_PERM_DENIED},
    {"silent before H, a longer timeout", .args = "timeout=600", .script = "hang\n",
	.expect = PAM_PERM_DENIED, .logged = "otp-helper: deadline passed"},
    {"silent after H", .script = "hello\nhang\n", .expect = PAM_PERM_DENIED,
	.logged = "no valid result from the helper: deadline passed"},
    {"silent after S", .script = "hello\nrecv\ndeaf\n", .expect = PAM_PERM_DENIED},
    {"silent after A", .script = "hello\nrecv\nsend P|1|x\nrecv\ndeaf\n", .reply = {"1"},
	.expect = PAM_PERM_DENIED, .got = "S\nA|1\n"},
    {"SIGSTOP to the helper", .script = "hello\nrecv\nsend P|1|x\nrecv\n" RESULT("ok"),
	.reply = {"1"}, .during = stop_helper, .expect = PAM_PERM_DENIED, .got = "S\n"},
    {"drip", .script = "hello\nrecv\n" DRIPS RESULT("ok"), .expect = PAM_PERM_DENIED},
    {"flood", .script = "hello\nrecv\nflood I|x\n", .expect = PAM_PERM_DENIED},
    {"a slow person and a helper that prompts again", .reply = {"1"}, .during = think_long,
	.script = "hello\nrecv\nsend P|1|x\nrecv\nsend P|1|y\nrecv\n" RESULT("ok"),
	.expect = PAM_PERM_DENIED, .shown = "on:x\n"},
    {"a result during a long prompt is read", .reply = {"1"}, .during = think_long,
	.script = "hello\nrecv\nsend P|1|x\nsleep 8000\n" RESULT("locked"), .expect = PAM_MAXTRIES,
	.got = "S\n"},
    {"ok during a long prompt is no ok", .reply = {"1"}, .during = think_long,
	.script = "hello\nrecv\nsend P|1|x\nsleep 8000\n" RESULT("ok"), .expect = PAM_PERM_DENIED,
	.got = "S\n"},
    {"ok and more during a long prompt", .reply = {"1"}, .during = think_long,
	.script = "hello\nrecv\nsend P|1|x\nsleep 8000\n" RESULT("ok") RESULT("ok"),
	.expect = PAM_PERM_DENIED},
};

static bool
play_timed(const struct play *p)
{
	long began = now_ms(), took;
	bool good = play(p);

	took = now_ms() - began;
	if (took >= LEAST_MS && took <= MOST_MS)
		return good;
	(void)fprintf(stderr, "# %s: took %ld ms\n", p->name, took);
	return false;
}

static pid_t
start(const struct play *p)
{
	struct play timed = *p;
	pid_t pid;

	if (!timed.args)
		timed.args = "timeout=10";
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(play_timed(&timed) ? 0 : 1);
	assert_true(pid > 0);
	return pid;
}

static void
finish(pid_t pid, const char *name)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		print_error("not as expected: %s\n", name);
	assert_int_equal(status, 0);
}

static size_t
fill_backlog(const char *path, int *fd, size_t max)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t n = 0;

	(void)strcpy(at.sun_path, path);
	for (; n < max; n++) {
		fd[n] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		assert_true(fd[n] >= 0);
		if (connect(fd[n], (struct sockaddr *)&at, sizeof(at)))
			break;
	}
	assert_true(n < max && errno == EAGAIN);
	return n + 1;
}

static void
test_all(void **state)
{
	char silent_path[SOCKET_NAME], full_path[SOCKET_NAME], silent_args[160], full_args[160];
	pid_t manager[] = {
	    socket_open("hang\n", 5, 0, silent_path), socket_open("", 0, 60 * 1000, full_path)};
	const struct play at_socket[] = {
	    {"socket, silent before H", .only_args = silent_args, .expect = PAM_PERM_DENIED,
		.logged = "the helper at the socket"},
	    {"socket, a backlog that stays full", .only_args = full_args, .expect = PAM_PERM_DENIED,
		.logged = ": deadline passed"},
	};
	pid_t pid[COUNT(plays)], socket_pid[COUNT(at_socket)];
	int fd[64];
	size_t fds = fill_backlog(full_path, fd, COUNT(fd));

	(void)state;
	(void)snprintf(silent_args, sizeof(silent_args), "timeout=10 socket=%s", silent_path);
	(void)snprintf(full_args, sizeof(full_args), "timeout=10 socket=%s", full_path);
	for (size_t i = 0; i < COUNT(plays); i++)
		pid[i] = start(&plays[i]);
	for (size_t i = 0; i < COUNT(at_socket); i++)
		socket_pid[i] = start(&at_socket[i]);
	for (size_t i = 0; i < COUNT(plays); i++)
		finish(pid[i], plays[i].name);
	for (size_t i = 0; i < COUNT(at_socket); i++)
		finish(socket_pid[i], at_socket[i].name);
	for (size_t i = 0; i < fds; i++)
		(void)close(fd[i]);
	for (size_t i = 0; i < COUNT(manager); i++)
		socket_close(manager[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};
	int failed;

	harness_begin(false, NULL);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	harness_end();
	return failed != 0;
}
