/* C25: an answer is wiped before its memory is freed, however the sign-in ends. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/module/harness.h"

#define SECRET PLAY_SECRET

#ifndef __has_feature
#define __has_feature(x) 0
#endif

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer)
enum { CAN_WATCH = 1 };

static volatile bool watching;
static volatile unsigned freed, freed_unwiped;

void __libc_free(void *p);

/* libpam and the module use this free() too, because the program's symbols come first. */
void
free(void *p)
{
	size_t size = p && watching ? malloc_usable_size(p) : 0;

	freed += watching;
	if (size >= sizeof(SECRET) && memmem(p, size, SECRET, sizeof(SECRET) - 1))
		freed_unwiped++;
	__libc_free(p);
}
#else
enum { CAN_WATCH = 0 };

static volatile bool watching;
static volatile unsigned freed, freed_unwiped;
#endif

#define ASK "hello\nrecv\nsend P|1|x\ndrop\n"

static const struct play plays[] = {
    {"answered", .script = ASK "send R|denied|x|y\n", .reply = {SECRET}, .expect = PAM_AUTH_ERR},
    {"right", .script = ASK "send R|ok|x|y\n", .reply = {SECRET}, .expect = PAM_SUCCESS},
    {"a password instead", .script = ASK "send R|gone|x|y\n", .stage = "authtok=" SECRET,
	.reply = {SECRET}, .expect = PAM_CONV_ERR},
    {"too long", .script = ASK "send R|gone|x|y\n", .expect = PAM_CONV_ERR,
	.reply = {SECRET SECRET SECRET SECRET SECRET SECRET SECRET SECRET SECRET SECRET SECRET
		SECRET SECRET SECRET SECRET SECRET SECRET SECRET SECRET SECRET}},
    {"the conversation fails and answers", .script = ASK "send R|gone|x|y\n",
	.reply = {reply_fails_full}, .expect = PAM_CONV_ERR},
    {"the helper is gone", .script = "hello\nrecv\nsend P|1|x\ndie 9\n", .reply = {SECRET},
	.expect = PAM_PERM_DENIED},
    {"the helper sends garbage", .script = ASK "raw ff\n", .reply = {SECRET},
	.expect = PAM_PERM_DENIED},
    {"the helper locks", .script = "hello\nrecv\nsend P|1|x\nsend R|locked|x|y\n",
	.reply = {SECRET}, .expect = PAM_MAXTRIES},
};

/* Only during pam_authenticate(), because libpam does not wipe the text of a pam.d file. */
static void
watch(pam_handle_t *pamh)
{
	(void)pamh;
	freed = freed_unwiped = 0;
	watching = true;
}

static void
watch_no_more(void)
{
	watching = false;
}

/* The watch finds a secret that is freed without a wipe. */
static void
test_watch(void **state)
{
	char *volatile p = strdup(SECRET);

	(void)state;
	watch(NULL);
	free(p);
	watch_no_more();
	assert_int_equal(freed_unwiped, 1);
}

static void
test_wiped(void **state)
{
	struct play p = *(const struct play *)*state;

	p.prepare = watch;
	p.restore = watch_no_more;
	assert_true(play(&p));
	assert_int_not_equal(freed, 0);
	assert_int_equal(freed_unwiped, 0);
}

int
main(void)
{
	struct CMUnitTest tests[COUNT(plays) + 1];
	int failed;

	if (!CAN_WATCH) {
		print_message(
		    "skipped: free() cannot be watched with a sanitizer, or without glibc\n");
		return 77;
	}
	tests[COUNT(plays)] = (struct CMUnitTest)cmocka_unit_test(test_watch);
	for (size_t i = 0; i < COUNT(plays); i++)
		tests[i] =
		    (struct CMUnitTest){plays[i].name, test_wiped, NULL, NULL, (void *)&plays[i]};
	harness_begin(false, NULL);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	harness_end();
	return failed != 0;
}
