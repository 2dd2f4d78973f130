/* The bounded buffer, secrets, errors and deadlines: what everything else stands on (C25). */
#include "tests/unit/unit.h"

#include <limits.h>

#include "common/buf.h"
#include "common/deadline.h"
#include "common/err.h"
#include "common/own.h"
#include "common/secret.h"

static void
a_buffer_keeps_its_maximum(void **state)
{
	_auto_buf struct buf b = BUF_INIT(10);

	(void)state;
	assert_string_equal(buf_str(&b), "");
	assert_int_equal(buf_puts(&b, "01234"), 0);
	assert_int_equal(buf_putf(&b, "%s%d", "567", 89), 0);
	assert_string_equal(buf_str(&b), "0123456789");
	assert_int_equal(buf_putc(&b, 'x'), -OTP_ETOOBIG);
	assert_null(buf_str(&b));
}

static void
the_first_failure_sticks(void **state)
{
	_auto_buf struct buf b = BUF_INIT(4);

	(void)state;
	assert_int_equal(buf_puts(&b, "12345"), -OTP_ETOOBIG);
	assert_int_equal(buf_putc(&b, '1'), -OTP_ETOOBIG);
	assert_int_equal(buf_put(&b, "", 0), -OTP_ETOOBIG);
	assert_int_equal(buf_putf(&b, "%d", 1), -OTP_ETOOBIG);
	assert_int_equal(buf_err(&b), -OTP_ETOOBIG);
	assert_int_equal(b.len, 0);
	buf_reset(&b);
	assert_int_equal(buf_err(&b), 0);
	assert_int_equal(buf_puts(&b, "1234"), 0);
	assert_string_equal(buf_str(&b), "1234");
	assert_int_equal(buf_put(&b, "x", SIZE_MAX), -OTP_ETOOBIG);
}

static void
a_formatted_put_is_whole_or_not_at_all(void **state)
{
	_auto_buf struct buf b = BUF_INIT(6);

	(void)state;
	assert_int_equal(buf_putf(&b, "%s", "abc"), 0);
	assert_int_equal(buf_putf(&b, "%s", "defg"), -OTP_ETOOBIG);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.bytes, "abc", 3);
}

static void
growth_keeps_every_byte(void **state)
{
	_auto_buf struct buf b = BUF_INIT(100000);
	uint64_t seed = 7, again = 7;

	(void)state;
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf_putc(&b, (char)fixed_random(&seed)), 0);
	assert_int_equal(b.len, 100000);
	for (size_t i = 0; i < b.len; i++)
		assert_int_equal(b.bytes[i], (unsigned char)fixed_random(&again));
	assert_non_null(buf_str(&b));
}

static void
reset_wipes(void **state)
{
	_auto_buf struct buf b = BUF_INIT(64);

	(void)state;
	assert_int_equal(buf_puts(&b, "secret"), 0);
	buf_reset(&b);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(b.bytes[i], 0);
	buf_free(&b);
	assert_null(b.bytes);
	buf_free(&b);
}

static void
secrets_copy_replace_and_clear(void **state)
{
	_auto_secret struct secret s = {0};
	static char big[SECRET_MAX + 1];

	(void)state;
	assert_string_equal(secret_str(&s), "");
	assert_int_equal(secret_set(&s, "first", 5), 0);
	assert_int_equal(secret_set(&s, secret_str(&s) + 2, 3), 0);
	assert_string_equal(secret_str(&s), "rst");
	assert_int_equal(s.len, 3);
	assert_int_equal(secret_set(&s, big, sizeof(big)), -OTP_ETOOBIG);
	assert_string_equal(secret_str(&s), "rst");
	assert_int_equal(secret_set(&s, big, SECRET_MAX), 0);
	assert_int_equal(secret_set(&s, NULL, 0), 0);
	assert_string_equal(secret_str(&s), "");
	secret_clear(&s);
	assert_null(s.bytes);
	secret_str_free(NULL);
	secret_str_free(strdup("x"));
}

static void
equal_is_equal(void **state)
{
	static const char *const words[] = {"", "a", "b", "aa", "ab", "aaa", "abab", "password"};

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++)
		for (size_t k = 0; k < COUNT(words); k++)
			ROW(!secret_str_equal(words[i], words[k]) == (i != k), words[i]);
}

static void
wipes_reach_every_byte(void **state)
{
	struct {
		char a[5];
		int b;
	} object = {"1234", 5};
	char array[4] = "abc";

	(void)state;
	otp_wipe(object);
	otp_wipe_array(array);
	assert_memory_equal(&object, (char[sizeof(object)]){0}, sizeof(object));
	assert_memory_equal(array, "\0\0\0", 4);
}

static void
every_error_has_a_text(void **state)
{
	(void)state;
	for (int e = 0; e < OTP_E_END; e++) {
		assert_string_not_equal(otp_strerror(-e), "unknown error");
		for (int other = 0; other < e; other++)
			assert_string_not_equal(otp_strerror(-e), otp_strerror(-other));
	}
	assert_string_equal(otp_strerror(-OTP_E_END), "unknown error");
	assert_string_equal(otp_strerror(1), "unknown error");
	assert_string_equal(otp_strerror(INT_MIN), "unknown error");
	assert_string_equal(otp_strerror(INT_MAX), "unknown error");
}

static void
deadlines_fit_poll(void **state)
{
	struct deadline past = deadline_in(-5000), soon = deadline_in(60000);

	(void)state;
	assert_true(deadline_passed(past));
	assert_true(deadline_passed(deadline_in(0)));
	assert_int_equal(deadline_left(past), 0);
	assert_false(deadline_passed(soon));
	assert_in_range(deadline_left(soon), 50000, 60000);
	assert_int_equal(deadline_left(deadline_in((int64_t)INT_MAX * 1000)), INT_MAX);
	assert_int_equal(deadline_first(past, soon).at_ms, past.at_ms);
	assert_int_equal(deadline_first(soon, past).at_ms, past.at_ms);
}

static void
ownership_is_handed_over_once(void **state)
{
	char *p = strdup("x"), *q = take(&p);
	int fd = 7;

	(void)state;
	assert_null(p);
	assert_string_equal(q, "x");
	free(q);
	assert_int_equal(take_fd(&fd), 7);
	assert_int_equal(fd, -1);
	own_close(&fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_buffer_keeps_its_maximum),
	    cmocka_unit_test(the_first_failure_sticks),
	    cmocka_unit_test(a_formatted_put_is_whole_or_not_at_all),
	    cmocka_unit_test(growth_keeps_every_byte),
	    cmocka_unit_test(reset_wipes),
	    cmocka_unit_test(secrets_copy_replace_and_clear),
	    cmocka_unit_test(equal_is_equal),
	    cmocka_unit_test(wipes_reach_every_byte),
	    cmocka_unit_test(every_error_has_a_text),
	    cmocka_unit_test(deadlines_fit_poll),
	    cmocka_unit_test(ownership_is_handed_over_once),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
