/*
 * A host that is root, or set-user-ID root. These tests show which files and listeners the module
 * trusts, what the caller may do to its processes, and when it starts a helper. They need root.
 */
#include <dirent.h>
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

#define FLOW "hello\nrecv\nsend P|1|Code: \nrecv\nsend R|ok|x|y\n"

enum { SKIPPED = 77, CALLER = 65533 };

static const struct play good = {
    .name = "root", .script = FLOW, .reply = {"1234"}, .expect = PAM_SUCCESS, .got = "S\nA|1234\n"};

static void
test_spawned(void **state)
{
	(void)state;
	assert_true(play(&good));
}

static bool
file_begins(const char *name, const char *text)
{
	char start[1024] = "";
	FILE *f = fopen(name, "re");

	if (f) {
		start[fread(start, 1, sizeof(start) - 1, f)] = '\0';
		(void)fclose(f);
	}
	return !strncmp(start, text, strlen(text));
}

static void
deny_untrusted(const char *name, const char *args)
{
	const struct play p = {.name = name,
	    .only_args = args,
	    .expect = PAM_PERM_DENIED,
	    .logged = "must be no symbolic link, belong to root"};

	assert_true(play(&p));
	assert_int_not_equal(access("config.got", F_OK), 0);
}

/* Files of another user are refused, also if that user called a set-user-ID program. */
static void
test_foreign_files(void **state)
{
	char args[1024];

	(void)state;
	(void)snprintf(args, sizeof(args), "helper=%s/otp-helper config=%s/config", harness_dir(),
	    harness_dir());
	assert_int_equal(chown("config", CALLER, (gid_t)-1), 0);
	deny_untrusted("a config of another user's", args);
	assert_int_equal(chown("config", 0, (gid_t)-1), 0);
	assert_int_equal(chown("otp-helper", CALLER, (gid_t)-1), 0);
	deny_untrusted("a helper of another user's", args);
	assert_int_equal(chown("otp-helper", 0, (gid_t)-1), 0);
	assert_int_equal(chown(".", CALLER, (gid_t)-1), 0);
	deny_untrusted("a folder of another user's", args);
	assert_int_equal(chown(".", 0, (gid_t)-1), 0);
	assert_int_equal(chmod(".", 0775), 0);
	deny_untrusted("a folder that a group may write", args);
	assert_int_equal(chmod(".", 0755), 0);
}

static void
test_socket(void **state)
{
	char path[SOCKET_NAME], args[160];
	pid_t manager = socket_open(FLOW, 5, 0, path);
	const struct play p = {.name = "socket",
	    .only_args = args,
	    .reply = {"1234"},
	    .expect = PAM_SUCCESS,
	    .shown = "on:Code: \n"};

	(void)state;
	(void)snprintf(args, sizeof(args), "socket=%s", path);
	assert_true(play(&p));
	socket_close(manager);
}

/* Root must listen. The owner of the socket's file does not count. */
static void
test_foreign_listener(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "foreign"};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char args[512];
	const struct play p = {.name = "a foreign listener",
	    .only_args = args,
	    .expect = PAM_PERM_DENIED,
	    .logged = "/foreign: wrong owner, mode or peer"};

	(void)state;
	assert_true(fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at)));
	assert_true(!seteuid(CALLER) && !listen(fd, 5) && !seteuid(0));
	(void)snprintf(args, sizeof(args), "socket=%s/foreign", harness_dir());
	assert_true(play(&p));
	(void)close(fd);
}

/* The module starts the default helper, without an argument, and the sign-in succeeds. */
static void
sign_in_spawned(const char *name, const char *args)
{
	const struct play p = {.name = name,
	    .module = HERE_MODULE,
	    .only_args = args,
	    .reply = {"1234"},
	    .expect = PAM_SUCCESS,
	    .shown = "on:Code: \n"};

	put_file(HERE_SCRIPT, "start\n" FLOW, 0644);
	(void)unlink(HERE_SCRIPT ".got");
	assert_true(play(&p));
	assert_true(file_begins(HERE_SCRIPT ".got",
	    "argv0=otp-helper argc=1 env=none fds=socket,null,null more=0 blocked=none ignored=0 "
	    "leader=parent\nS\n"));
}

static void
test_fallback(void **state)
{
	static const char *const script[] = {"exit 0\n", "die 9\n", "sleep 200\nexit 0\n"};
	char args[512], path[SOCKET_NAME];

	(void)state;
	(void)unlink(HERE_SOCKET);
	sign_in_spawned("nothing at the default path", "");
	(void)snprintf(args, sizeof(args), "socket=%s/absent", harness_dir());
	sign_in_spawned("no such socket", args);
	for (size_t i = 0; i < COUNT(script); i++) {
		pid_t manager = socket_open(script[i], 5, 0, path);

		(void)snprintf(args, sizeof(args), "debug socket=%s", path);
		sign_in_spawned("end-of-file before H", args);
		assert_non_null(strstr(play_log(), "so the module starts one itself"));
		socket_close(manager);
		sign_in_spawned("connection refused", args);
	}
}

/* With config= or helper= the module never uses the socket, because its policy may differ. */
static void
test_forced_spawned(void **state)
{
	pid_t manager = socket_open_at(HERE_SOCKET, "hello\nrecv\nsend R|denied|socket used|x\n");
	char args[512];
	struct play p = {.module = HERE_MODULE,
	    .only_args = args,
	    .reply = {"1234"},
	    .expect = PAM_SUCCESS,
	    .unlogged = "socket"};

	(void)state;
	p.name = "config= alone";
	(void)snprintf(args, sizeof(args), "config=%s/config", harness_dir());
	assert_true(play(&p));
	p.name = "helper= alone";
	put_file(HERE_SCRIPT, FLOW, 0644);
	(void)snprintf(args, sizeof(args), "helper=%s/otp-helper", harness_dir());
	assert_true(play(&p));
	p.name = "neither";
	p.only_args = "";
	p.reply[0] = NULL;
	p.expect = PAM_AUTH_ERR;
	p.unlogged = NULL;
	p.logged = "socket used";
	assert_true(play(&p));
	socket_close(manager);
}

/* After any other failure at the socket, the module starts no helper. */
static void
test_no_fallback(void **state)
{
	static const char *const script[] = {"raw ff\n", "raw \nsleep 500\n", "send H|2|3\nrecv\n",
	    "send R|ok|x|y\n", "hello\nrecv\nexit 0\n", "hello\nrecv\nsend P|1|Code: \nexit 0\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(script); i++) {
		char args[512], path[SOCKET_NAME];
		pid_t manager = socket_open(script[i], 5, 0, path);
		const struct play p = {.name = script[i],
		    .only_args = args,
		    .module = HERE_MODULE,
		    .reply = {i == 5 ? "1234" : NULL},
		    .expect = PAM_PERM_DENIED,
		    .unlogged = "starts one itself"};

		(void)snprintf(args, sizeof(args), "debug socket=%s", path);
		assert_true(play(&p));
		socket_close(manager);
	}
}

static int caller_signal;
static bool caller_could;

/*
 * The supervisor closes its end of the socket once the helper runs. If it is stopped earlier, the
 * module never sees end-of-file, so it lets nobody in.
 */
static bool
holds_descriptors(pid_t pid)
{
	char path[64];
	DIR *dir;
	int n = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir && readdir(dir))
		n++;
	if (dir)
		(void)closedir(dir);
	return n > 2; /* "." and ".." */
}

/* The person who typed "sudo" can do this from another terminal. */
static void
signal_as_caller(void)
{
	pid_t supervisor, other;
	int status = 0;

	if (children_of(getpid(), &supervisor, 1) != 1)
		play_spoil("not one supervisor");
	for (int i = 0; i < 1000 && holds_descriptors(supervisor); i++)
		nap_ms(10);
	other = fork();
	if (other == 0) {
		if (setresuid(CALLER, CALLER, CALLER))
			_exit(2);
		_exit(kill(supervisor, caller_signal) ? 1 : 0);
	}
	if (other < 0 || waitpid(other, &status, 0) != other)
		play_spoil("no process to signal it");
	caller_could = status == 0;
	nap_ms(200);
}

static bool
set_user_id_host(void)
{
	struct play p = good;

	if (setresuid(CALLER, 0, 0))
		return false;
	if (!play(&p))
		return false;
	p.during = signal_as_caller;
	caller_signal = SIGSTOP;
	if (!play(&p) || !caller_could)
		return false;
	caller_signal = SIGKILL;
	p.expect = PAM_PERM_DENIED;
	p.got = "S\n";
	return play(&p) && caller_could;
}

static void
test_set_user_id_host(void **state)
{
	(void)state;
	assert_true(apart(set_user_id_host));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_spawned),
	    cmocka_unit_test(test_foreign_files),
	    cmocka_unit_test(test_socket),
	    cmocka_unit_test(test_foreign_listener),
	    cmocka_unit_test(test_fallback),
	    cmocka_unit_test(test_forced_spawned),
	    cmocka_unit_test(test_no_fallback),
	    cmocka_unit_test(test_set_user_id_host),
	};
	int failed;

	if (geteuid() != 0) {
		print_message("skipped: only root can be a host that is root\n");
		return SKIPPED;
	}
	harness_begin(true, NULL);
	put_file("config", FLOW, 0644);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	harness_end();
	return failed != 0;
}
