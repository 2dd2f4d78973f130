/* The report on a configuration: rows with a severity, which no caller needs to find in the text.
 */
#include "tests/unit/unit.h"

#include "tests/unit/report.h"

enum { REPORT_MAX = 4096 };

static void
a_row_has_the_file_and_line_that_are_known(void **state)
{
	static const struct {
		enum conf_severity severity;
		const char *file;
		unsigned line;
		const char *message, *text;
	} rows[] = {
	    {CONF_ERROR, "/etc/x", 7, "[otp] tries: bad", "/etc/x:7: [otp] tries: bad\n"},
	    {CONF_WARNING, "/etc/x", 7, "old", "/etc/x:7: warning: old\n"},
	    {CONF_ERROR, "/etc/x", 0, "is a folder", "/etc/x: is a folder\n"},
	    {CONF_WARNING, "/etc/x", 0, "odd", "/etc/x: warning: odd\n"},
	    {CONF_ERROR, NULL, 0, "no channel", "no channel\n"},
	    {CONF_WARNING, NULL, 0, "not read", "warning: not read\n"},
	    /* A drop-in file may have any name. */
	    {CONF_ERROR, "/etc/x.d/a\nb\033.conf", 1, "bad", "/etc/x.d/a?b?.conf:1: bad\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_auto_report struct conf_report rep = {.max = REPORT_MAX};

		if (rows[i].severity == CONF_ERROR)
			conf_error(&rep, rows[i].file, rows[i].line, "%s", rows[i].message);
		else
			conf_warn(&rep, rows[i].file, rows[i].line, "%s", rows[i].message);
		assert_string_equal(report_text(&rep), rows[i].text);
	}
}

static void
rows_keep_severity_file_and_line(void **state)
{
	_auto_report struct conf_report rep = {.max = REPORT_MAX};

	(void)state;
	conf_warn(&rep, "/etc/x", 3, "%s", "first");
	assert_false(rep.failed);
	/* An error whose value contains "warning: " is still an error. */
	conf_error(&rep, NULL, 0, "users: \"a: warning: b\"\n");
	assert_true(rep.failed);
	assert_int_equal(rep.n, 2);
	assert_int_equal(rep.row[0].severity, CONF_WARNING);
	assert_string_equal(rep.row[0].file, "/etc/x");
	assert_int_equal(rep.row[0].line, 3);
	assert_string_equal(rep.row[0].message, "first");
	assert_int_equal(rep.row[1].severity, CONF_ERROR);
	assert_string_equal(rep.row[1].file, "");
	assert_string_equal(rep.row[1].message, "users: \"a: warning: b\"?");
	conf_report_clear(&rep);
	assert_int_equal(rep.n, 0);
	assert_int_equal(rep.max, REPORT_MAX);
	assert_false(rep.failed);
}

static void
a_report_never_outgrows_its_maximum(void **state)
{
	(void)state;
	for (size_t max = 0; max < 600; max++) {
		_auto_report struct conf_report rep = {.max = max};
		size_t n = 0;

		for (; !rep.full; n++)
			conf_error(&rep, "/etc/x", 1, "row %zu", n);
		/* The rows that fit, and one more row, which says that others follow. */
		assert_int_equal(rep.n, n);
		assert_string_equal(
		    rep.row[n - 1].message, "(more errors follow; these are the first)");
		conf_error(&rep, "/etc/x", 1, "late");
		assert_int_equal(rep.n, n);
		assert_true(n == 1 || strlen(report_text(&rep)) <= max);
	}
}

/* A report that is full still notes that the configuration is wrong. */
static void
errors_that_a_full_report_leaves_out_count(void **state)
{
	_auto_report struct conf_report rep = {.max = 0};

	(void)state;
	conf_warn(&rep, "/etc/x", 1, "first");
	assert_true(rep.full);
	assert_false(rep.failed);
	conf_error(&rep, "/etc/x", 2, "second");
	assert_true(rep.failed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_row_has_the_file_and_line_that_are_known),
	    cmocka_unit_test(rows_keep_severity_file_and_line),
	    cmocka_unit_test(a_report_never_outgrows_its_maximum),
	    cmocka_unit_test(errors_that_a_full_report_leaves_out_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
