/* The module connects to the socket, or starts a helper, and checks who listens. */
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
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/module/harness.h"

#define FLOW	"hello\nrecv\nsend P|1|Code: \nrecv\nsend R|ok|x|y\n"
#define FOREIGN "foreign"

enum { FOREIGN_UID = 65533 };

static int foreign = -1;

/* Lets another user listen. Only root can become that user; for others there is no listener. */
static void
listen_as_other(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = FOREIGN};
	int fd;

	if (geteuid() != 0)
		return;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || chmod(FOREIGN, 0666) ||
	    seteuid(FOREIGN_UID) || listen(fd, 5) || seteuid(0)) {
		perror(FOREIGN);
		exit(99);
	}
	foreign = fd;
}

static const char *
socket_arg(const char *path)
{
	static char arg[256];

	(void)snprintf(arg, sizeof(arg), "socket=%s", path);
	return arg;
}

static const char *
in_folder(const char *name)
{
	static char arg[512];

	(void)snprintf(arg, sizeof(arg), "socket=%s/%s", harness_dir(), name);
	return arg;
}

/* Signs in through a socket whose helper runs this script. */
static void
through_socket(struct play *p, const char *script, int backlog, int delay_ms)
{
	char path[SOCKET_NAME];
	pid_t manager = socket_open(script, backlog, delay_ms, path);

	p->only_args = socket_arg(path);
	assert_true(play(p));
	socket_close(manager);
}

static void
test_flow(void **state)
{
	struct play p = {.name = "socket",
	    .reply = {"1234"},
	    .expect = PAM_SUCCESS,
	    .shown = "on:Code: \n",
	    .logged = "result=ok request=\"y\" reason=\"x\""};

	(void)state;
	through_socket(&p, FLOW, 5, 0);
}

static void
test_denied(void **state)
{
	struct play p = {.name = "socket, denied", .reply = {"1234"}, .expect = PAM_AUTH_ERR};

	(void)state;
	through_socket(&p, "hello\nrecv\nsend P|1|x\nrecv\nsend R|denied|x|y\n", 5, 0);
}

static void
test_helper_that_dies_or_breaks_the_protocol(void **state)
{
	static const char *const script[] = {"die 9\n", "hello\ndie 9\n", "hello\nrecv\ndie 9\n",
	    "hello\nrecv\nsend I|x\ndie 9\n", "raw ff\n", "raw \nsleep 500\n", "send H|2|2\nrecv\n",
	    "hello\nrecv\nsend R|ok|x|y\nsend R|ok|x|y\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(script); i++) {
		struct play p = {.name = script[i], .expect = PAM_PERM_DENIED};

		through_socket(&p, script[i], 5, 0);
	}
}

/* Only a host that is root starts a helper instead: another helper would have another policy. */
static void
test_end_of_file_before_hello(void **state)
{
	struct play p = {.name = "end-of-file before H",
	    .expect = PAM_PERM_DENIED,
	    .logged = "no valid first message from the helper at the socket"};

	(void)state;
	through_socket(&p, "exit 0\n", 5, 0);
	p.name = "end-of-file before H, later";
	through_socket(&p, "sleep 300\nexit 0\n", 5, 0);
}

static void
test_nobody_listens(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "refuses"};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct play p = {
	    .name = "no such socket", .expect = PAM_PERM_DENIED, .logged = ": not found"};

	(void)state;
	p.only_args = in_folder("absent");
	assert_true(play(&p));
	assert_true(fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at)) && !close(fd));
	p.name = "connection refused";
	p.only_args = in_folder("refuses");
	assert_true(play(&p));
	p.name = "a file, no socket";
	p.only_args = in_folder("pam_otp.so");
	p.logged = "cannot connect to the socket";
	assert_true(play(&p));
}

static void
test_no_permission(void **state)
{
	char path[SOCKET_NAME];
	pid_t manager = socket_open(FLOW, 5, 0, path);
	const struct play p = {.name = "no permission to connect",
	    .only_args = socket_arg(path),
	    .expect = PAM_PERM_DENIED,
	    .logged = ": Permission denied"};

	(void)state;
	assert_int_equal(chmod(path, 0), 0);
	assert_true(play(&p));
	socket_close(manager);
}

/* A stream socket does not keep the bounds of messages, so it is refused. */
static void
test_wrong_kind(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "stream"};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct play p = {
	    .name = "a stream socket", .only_args = in_folder("stream"), .expect = PAM_PERM_DENIED};

	(void)state;
	assert_true(fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at)) && !listen(fd, 5));
	assert_true(play(&p));
	(void)close(fd);
}

/* C38, U50: the kernel says who listens. The owner of the socket's file does not count. */
static void
test_foreign_listener(void **state)
{
	const struct play p = {.name = "a foreign listener",
	    .only_args = in_folder(FOREIGN),
	    .expect = PAM_PERM_DENIED,
	    .logged = "wrong owner, mode or peer",
	    .shown = ""};

	(void)state;
	if (foreign < 0) {
		print_message("skipped: only root can make another user listen\n");
		skip();
	}
	assert_true(play(&p));
}

/* Everybody who can rename a file in the socket's folder could put another socket there. */
static void
test_untrusted_folder(void **state)
{
	const struct play p = {.name = "a folder that others may write",
	    .only_args = in_folder("open/sock"),
	    .expect = PAM_PERM_DENIED,
	    .logged = "/open must be no symbolic link, belong"};

	(void)state;
	assert_true(!mkdir("open", 0777) && !chmod("open", 0777));
	assert_true(play(&p));
	assert_int_equal(rmdir("open"), 0);
}

/* The service manager accepts nobody for a while, and other connections fill its backlog. */
static void
test_full_backlog(void **state)
{
	char path[SOCKET_NAME];
	pid_t manager = socket_open(FLOW, 0, 700, path);
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const struct play p = {.name = "a full backlog",
	    .only_args = socket_arg(path),
	    .reply = {"1234"},
	    .expect = PAM_SUCCESS};
	int fd[64];
	size_t n = 0;
	long began = now_ms();

	(void)state;
	(void)strcpy(at.sun_path, path);
	for (; n < COUNT(fd); n++) {
		fd[n] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		assert_true(fd[n] >= 0);
		if (connect(fd[n], (struct sockaddr *)&at, sizeof(at)))
			break;
	}
	assert_true(n < COUNT(fd) && errno == EAGAIN);
	assert_true(play(&p));
	assert_in_range(now_ms() - began, 400, 8000);
	for (size_t i = 0; i <= n; i++)
		(void)close(fd[i]);
	socket_close(manager);
}

/* The service manager dies while the module waits in its backlog. That is like end-of-file. */
static void
test_manager_dies(void **state)
{
	char path[SOCKET_NAME];
	pid_t manager = socket_open(FLOW, 5, 60000, path), killer;
	const struct play p = {.name = "the manager dies",
	    .only_args = socket_arg(path),
	    .expect = PAM_PERM_DENIED,
	    .logged = "no valid first message from the helper at the socket"};

	(void)state;
	(void)fflush(NULL);
	killer = fork();
	if (killer == 0) {
		nap_ms(300);
		_exit(kill(manager, SIGKILL) ? 1 : 0);
	}
	assert_true(killer > 0);
	assert_true(play_apart(&p, NULL));
	assert_int_equal(waitpid(killer, NULL, 0), killer);
	socket_close(manager);
}

/* At the default path only root may listen, and only a host that is root starts a helper. */
static void
test_default_path(void **state)
{
	struct play p = {.name = "the host's own user listens at the default path",
	    .module = HERE_MODULE,
	    .only_args = "",
	    .expect = PAM_PERM_DENIED,
	    .shown = "",
	    .logged = ": wrong owner, mode or peer"};
	pid_t manager;

	(void)state;
	put_file(HERE_SCRIPT, FLOW, 0644);
	manager = socket_open_at(HERE_SOCKET, FLOW);
	assert_true(play(&p));
	socket_close(manager);
	p.name = "connection refused at the default path";
	p.logged = ": not found";
	assert_true(play(&p));
	assert_int_equal(unlink(HERE_SOCKET), 0);
	p.name = "nothing at the default path";
	assert_true(play(&p));
	assert_int_not_equal(access(HERE_SCRIPT ".got", F_OK), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_flow),
	    cmocka_unit_test(test_denied),
	    cmocka_unit_test(test_helper_that_dies_or_breaks_the_protocol),
	    cmocka_unit_test(test_end_of_file_before_hello),
	    cmocka_unit_test(test_nobody_listens),
	    cmocka_unit_test(test_no_permission),
	    cmocka_unit_test(test_wrong_kind),
	    cmocka_unit_test(test_foreign_listener),
	    cmocka_unit_test(test_untrusted_folder),
	    cmocka_unit_test(test_full_backlog),
	    cmocka_unit_test(test_manager_dies),
	    cmocka_unit_test(test_default_path),
	};
	int failed;

	harness_begin(false, listen_as_other);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	harness_end();
	return failed != 0;
}
