/* Each wrong module argument is logged and ends the sign-in in failure, before a helper starts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/module/harness.h"

#define FLOW "hello\nrecv\nsend P|1|Code: \nrecv\nsend R|ok|x|y\n"
#define GOOD "helper=@/otp-helper config=@/good "

/* "@" stands for the folder of the test. */
static const struct {
	const char *args, *logged;
} wrong[] = {
    {GOOD "debg", "unknown module argument: debg"},
    {GOOD "fail_open", "unknown module argument: fail_open"},
    {GOOD "Debug", "unknown module argument: Debug"},
    {GOOD "DEBUG", "unknown module argument: DEBUG"},
    {GOOD "debug=1", "debug=1: expected no value"},
    {GOOD "debugger", "debugger"},
    {GOOD "debug debug", "debug: expected no value, and only once"},
    {GOOD "no_warn", "unknown module argument: no_warn"},
    {GOOD "use_first_pass", "unknown module argument: use_first_pass"},
    {GOOD "token=secret", "unknown module argument: token=secret"},
    {GOOD "timeout", "unknown module argument: timeout"},
    {GOOD "timeout=", "timeout="},
    {GOOD "timeout=0", "timeout=0"},
    {GOOD "timeout=9", "timeout=9: expected 10 to 600 seconds"},
    {GOOD "timeout=601", "timeout=601"},
    {GOOD "timeout=1000", "timeout=1000"},
    {GOOD "timeout=4294967316", "timeout=4294967316"},
    {GOOD "timeout=-20", "timeout=-20"},
    {GOOD "timeout=+20", "timeout=+20"},
    {GOOD "timeout=20s", "timeout=20s"},
    {GOOD "timeout=020", "timeout=020"},
    {GOOD "timeout=0x20", "timeout=0x20"},
    {GOOD "timeout=20.5", "timeout=20.5"},
    {GOOD "timeout=20 timeout=30", "timeout=30: expected 10 to 600 seconds, and only once"},
    {GOOD "config=@/good", "/good: expected a path, and only once"},
    {GOOD "helper=@/otp-helper", "/otp-helper: expected a path, and only once"},
    {"config=@/good", "needs both helper= and config="},
    {"helper=@/otp-helper", "needs both helper= and config="},
    {"helper=@/otp-helper config=", "config="},
    {"helper= config=@/good", "helper="},
    {"socket=", "socket="},
    {GOOD "socket=@/sock", "cannot be combined with helper= or config="},
    {"socket=@/sock socket=@/sock", "/sock: expected a path, and only once"},
    {"socket=sock", "socket=: expected an absolute path"},
    {"socket=@/../sock", "socket=: expected an absolute path"},
    {"socket=@//sock", "socket=: expected an absolute path"},
    {"socket=@/sock/", "socket=: expected an absolute path"},
    {"socket=@/a-name-that-is-longer-than-any-socket-in-the-file-system-can-have-which-ends-at-"
     "one-hundred-and-eight",
	"too long"},
    {"helper=otp-helper config=@/good", "helper=: expected an absolute path"},
    {"helper=./otp-helper config=@/good", "helper=: expected an absolute path"},
    {"helper=@/./otp-helper config=@/good", "helper=: expected an absolute path"},
    {"helper=@/otp-helper config=good", "config=: expected an absolute path"},
    {"helper=@/link config=@/good", "/link must be no symbolic link"},
    {"helper=@/otp-helper config=@/link-config", "/link-config must be no symbolic link"},
    {"helper=@/otp-helper config=@/writable", "/writable must be no symbolic link, belong"},
    {"helper=@/open/otp-helper config=@/good", "/open must be no symbolic link, belong"},
    {"helper=@/otp-helper config=@/open/good", "/open must be no symbolic link, belong"},
    {"helper=@/otp-helper config=@/absent/good", "/absent: No such file or directory"},
    {"helper=@/good/otp-helper config=@/good", "/good must be no symbolic link, belong"},
};

static const struct {
	const char *args;
} right[] = {
    {GOOD},
    {GOOD "debug"},
    {GOOD "timeout=10"},
    {GOOD "timeout=600"},
    {"config=@/good timeout=110 debug helper=@/otp-helper"},
};

static void
put_link(const char *to, const char *name)
{
	if (symlink(to, name)) {
		perror(name);
		exit(99);
	}
}

/* Replaces each "@" by the folder of the test. */
static const char *
expand(const char *args)
{
	static char out[8 * 1024];
	char *p = out;

	for (; *args; args++)
		if (*args == '@')
			p += sprintf(p, "%s", harness_dir());
		else
			*p++ = *args;
	*p = '\0';
	return out;
}

static void
test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		const struct play p = {.name = wrong[i].args,
		    .only_args = expand(wrong[i].args),
		    .expect = PAM_PERM_DENIED,
		    .shown = "",
		    .logged = wrong[i].logged};

		assert_true(play(&p));
		assert_non_null(strstr(play_log(), "<3>"));
		assert_int_not_equal(access("good.got", F_OK), 0);
	}
}

static void
test_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(right); i++) {
		const struct play p = {.name = right[i].args,
		    .only_args = expand(right[i].args),
		    .reply = {"1234"},
		    .expect = PAM_SUCCESS,
		    .shown = "on:Code: \n"};

		assert_true(play(&p));
		assert_int_equal(unlink("good.got"), 0);
	}
}

/* A line in pam.d may contain anything. Its control characters do not reach the log. */
static void
test_wrong_is_cleaned(void **state)
{
	const struct play p = {.name = "control characters",
	    .only_args = "a\x1b[2Jb\"\xff",
	    .expect = PAM_PERM_DENIED,
	    .logged = "reason=\"unknown module argument: a?[2Jb'?\"\n"};

	(void)state;
	assert_true(play(&p));
}

static void
test_missing_helper(void **state)
{
	static const struct {
		const char *args, *logged;
	} at[] = {
	    {"helper=@/absent config=@/good", "cannot execute the helper"},
	    {"helper=@/good config=@/good", "cannot execute the helper"},
	    {"helper=@/otp-helper config=@/absent", "status 103"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(at); i++) {
		const struct play p = {.name = at[i].args,
		    .only_args = expand(at[i].args),
		    .expect = PAM_PERM_DENIED,
		    .logged = at[i].logged};

		assert_true(play(&p));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_wrong),
	    cmocka_unit_test(test_right),
	    cmocka_unit_test(test_wrong_is_cleaned),
	    cmocka_unit_test(test_missing_helper),
	};
	int failed;

	harness_begin(false, NULL);
	put_file("good", FLOW, 0644);
	put_file("writable", FLOW, 0666);
	put_link("otp-helper", "link");
	put_link("good", "link-config");
	if (mkdir("open", 0700) || chmod("open", 0777) || link("otp-helper", "open/otp-helper") ||
	    link("good", "open/good")) {
		perror("open");
		return 99;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink("open/otp-helper");
	(void)unlink("open/good");
	(void)rmdir("open");
	harness_end();
	return failed != 0;
}
