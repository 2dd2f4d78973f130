/* The grammar of a configuration file: which sections a text gives, and each error with its line.
 */
#include "tests/unit/unit.h"

#include <inttypes.h>

#include "common/buf.h"
#include "common/err.h"
#include "helpers/conf/ini.h"
#include "helpers/conf/file.h"
#include "tests/unit/report.h"

/* How many allocations succeed before one fails; 0: none fails. fail_next: the same, for the next
 * parsing. */
static int fail_at, fail_next;

static bool
fails(void)
{
	return fail_at && !--fail_at;
}

#define WRAP(type, name, params, args)                      \
	type __real_##name params;                          \
	type __wrap_##name params;                          \
	type __wrap_##name params                           \
	{                                                   \
		return fails() ? NULL : __real_##name args; \
	}
WRAP(void *, malloc, (size_t size), (size))
WRAP(void *, calloc, (size_t n, size_t size), (n, size))
WRAP(void *, reallocarray, (void *old, size_t n, size_t size), (old, n, size))
WRAP(char *, strdup, (const char *s), (s))
WRAP(char *, strndup, (const char *s, size_t n), (s, n))

/* The result of parsing one text, or several of which later ones override earlier ones. */
struct reading {
	int r; /* of the last */
	struct conf_sections sections;
	struct conf_report report;
	bool was_short; /* of memory */
};

static void
read_more(struct reading *to, const char *path, const char *bytes, size_t len)
{
	char *text = malloc(len + 1);

	assert_non_null(text);
	memcpy(text, bytes, len);
	text[len] = '\0';
	fail_at = fail_next;
	to->r = conf_ini_parse(path, text, len, &to->sections, &to->report);
	to->was_short = fail_next && !fail_at;
	fail_at = 0;
	free(text);
}

static void
read_bytes(struct reading *to, const char *bytes, size_t len)
{
	*to = (struct reading){.report.max = 256 * 1024};
	read_more(to, "F", bytes, len);
}

static const char *
errors_of(const struct reading *got)
{
	return report_text(&got->report);
}

static void
forget(struct reading *to)
{
	conf_sections_free(&to->sections);
	conf_report_clear(&to->report);
}

/* Writes the sections as a file that reads as the same sections. */
static void
print_sections(const struct conf_sections *s, struct buf *to)
{
	for (size_t i = 0; i < s->n; i++) {
		assert_int_equal(buf_putf(to, "[%s]\n", s->item[i].name), 0);
		for (size_t k = 0; k < s->item[i].nsettings; k++)
			assert_int_equal(buf_putf(to, "%s = %s\n", s->item[i].setting[k].key,
					     s->item[i].setting[k].value),
			    0);
	}
	assert_int_equal(buf_puts(to, ""), 0);
}

struct row {
	const char *text;
	const char *errors;   /* beginnings of lines without "F:"; "" for none */
	const char *sections; /* the sections, as print_sections() prints them */
};

static void
run_rows(const struct row *row, size_t n)
{
	for (; n--; row++) {
		struct buf sections = BUF_INIT(1 << 16);
		const char *want = row->errors, *line;
		struct reading got;

		read_bytes(&got, row->text, strlen(row->text));
		assert_int_equal(got.r, 0);
		for (line = errors_of(&got); *line; line += strcspn(line, "\n") + 1) {
			size_t len = strcspn(want, "\n");

			if (!len || strncmp(line, "F:", 2) != 0 ||
			    strncmp(line + 2, want, len) != 0)
				fail_msg("row \"%s\": %s", row->text, line);
			want += len + (want[len] == '\n');
		}
		if (*want)
			fail_msg("row \"%s\": not reported: %s", row->text, want);
		assert_true(got.report.failed == (*row->errors != '\0'));
		print_sections(&got.sections, &sections);
		if (strcmp(buf_str(&sections), row->sections) != 0)
			fail_msg("row \"%s\": %s", row->text, buf_str(&sections));
		buf_free(&sections);
		forget(&got);
	}
}

static void
test_lines_that_are_right(void **state)
{
	static const struct row rows[] = {
	    {"", "", ""},
	    {"\n\r\n \t\n# a\n;b\r\n#", "", ""},
	    {"[a]", "", "[a]\n"},
	    {"[ a  b ]  \r\n", "", "[a b]\n"},
	    {"[[]\n[]]\n[a]b]\n", "", "[[]\n[]]\n[a]b]\n"},
	    {"[a]\nk=v\n", "", "[a]\nk = v\n"},
	    {"[a]\n  k\t=\tv  \r\n", "", "[a]\nk = v\n"},
	    {"[a]\nk = \nl =", "", "[a]\nk = \nl = \n"},
	    {"[a]\nk = = [b] # c ; d \" ' \\\nl = \\", "",
		"[a]\nk = = [b] # c ; d \" ' \\\nl = \\\n"},
	    {"[a]\nk = a\tb  c\n", "", "[a]\nk = a\tb  c\n"},
	    {"[a]\nk = \u00a0\u00e9\u00a0\n# \u00e9\n", "", "[a]\nk = \u00a0\u00e9\u00a0\n"},
	    {"[a]\nk k = v\n\"k\" = w\n", "", "[a]\nk k = v\n\"k\" = w\n"},
	    {"[a]\nk = 1\n[b]\nk = 2\n", "", "[a]\nk = 1\n[b]\nk = 2\n"},
	};

	(void)state;
	run_rows(rows, COUNT(rows));
}

#define BEFORE	      "this line is before the first [section]"
#define NEITHER	      "expected KEY = VALUE, a [section] or a # comment"
#define HINT	      " (this line has a no-break space or another character outside ASCII)"
#define FOREIGN	      " must not have a no-break space or another character outside ASCII"
#define HEADING	      "expected the heading of a section, [NAME] and nothing after it; a comment needs"
#define SECTION_TWICE "stands twice in this file, first on line "
#define KEY_TWICE     "this key stands twice in the section, first on line "
#define CONTROL	      "this line has a control character"

static void
test_lines_that_are_wrong(void **state)
{
	static const struct row rows[] = {
	    {"k = 1\nx\n[a]\n", "1: " BEFORE "\n2: " BEFORE, "[a]\n"},
	    {"[a]\nx\n = 1\n", "2: " NEITHER "\n3: expected KEY = VALUE; there is no key", "[a]\n"},
	    {"[a]\nk! = 1\nk\tk = 2\n!\n",
		"2: the name of a key must not have a tab or '!'\n3: the name of a key must not\n"
		"4: " NEITHER,
		"[a]\n"},
	    {"[a]\n # x\n\t;\n", "2: a comment must begin in\n3: a comment must begin in", "[a]\n"},
	    {"[a]\nk = \x1b\n#\x7f\nl = \r1\n", "2: " CONTROL "\n3: " CONTROL "\n4: " CONTROL,
		"[a]\n"},
	    {"[a]\nk = \xff\n# \xc0\x80\n", "2: this line is not UTF-8\n3: this line is not UTF-8",
		"[a]\n"},
	    /* A no-break space looks like a blank, and a byte order mark is invisible. */
	    {"[a]\n\u00a0k = 1\nk\u00a0= 1\n", "2: the name of a key" FOREIGN "\n3: the name of",
		"[a]\n"},
	    {"[a]\n\u00a0\n", "2: " NEITHER HINT, "[a]\n"},
	    {"[a]\n\u00a0# x\n", "2: a comment must begin in the first column" HINT, "[a]\n"},
	    {"[a\u00a0b]\n[c]\u00a0\n", "1: the heading" FOREIGN "\n2: " HEADING, ""},
	    {"\ufeff[a]\n", "1: the heading of a section must begin in the first column" HINT, ""},
	};

	(void)state;
	run_rows(rows, COUNT(rows));
}

/* A key below a wrong heading belongs to no section. Its line is still checked. */
static void
test_keys_below_a_wrong_heading_are_not_taken(void **state)
{
	static const struct row rows[] = {
	    {"[a]\nk = 1\n[b\nk = 2\nx\n[c]\nk = 3\n", "3: " HEADING "\n5: " NEITHER,
		"[a]\nk = 1\n[c]\nk = 3\n"},
	    {"[b] # x\nk = 1\n", "1: " HEADING, ""},
	    {"[\nk = 1\n", "1: " HEADING, ""},
	    {"[]\nk = 1\n[ ]\nk = 1\n", "1: expected the name of a sec\n3: expected the name", ""},
	    {"[a]\n [b]\nk = 1\n", "2: the heading of a section must begin in the", "[a]\n"},
	    {"[a]\n[b!]\nk = 1\n", "2: the heading must not have a tab or '!'", "[a]\n"},
	    {"[a]\n[b]\t\nk = 1\n", "2: the heading must not have a tab or '!'", "[a]\n"},
	    {"[a]\n[\u00e9]\nk = 1\n", "2: the heading" FOREIGN, "[a]\n"},
	    {"[a]\n\u00a0[b]\nk = 1\n", "2: the heading of a section must begin in the", "[a]\n"},
	    {"[a]\n[b\x01]\nk = 1\n", "2: " CONTROL, "[a]\n"},
	    {"[\xff]\nk = 1\n", "1: this line is not UTF-8", ""},
	};

	(void)state;
	run_rows(rows, COUNT(rows));
}

static void
test_what_stands_twice(void **state)
{
	static const struct row rows[] = {
	    {"[a]\nk = 1\nl = 2\nK = 3\nk = 4\n",
		"4: [a] K: " KEY_TWICE "2\n5: [a] k: " KEY_TWICE "2", "[a]\nk = 1\nl = 2\n"},
	    {"[a]\nk = 1\n[b]\n[A]\nk = 2\nl = 3\n",
		"4: [A] " SECTION_TWICE "1\n5: [a] k: " KEY_TWICE "2", "[a]\nk = 1\nl = 3\n[b]\n"},
	    /* With other blanks it is the same section. */
	    {"[a b]\nk = 1\n[ a   b ]\nk = 2\n",
		"3: [a b] " SECTION_TWICE "1\n4: [a b] k: " KEY_TWICE "2", "[a b]\nk = 1\n"},
	};

	(void)state;
	run_rows(rows, COUNT(rows));
}

/* A name has at most 1023 bytes. A value and a comment may be as long as the file. */
static void
test_long_lines(void **state)
{
	static const struct {
		const char *before;
		int len;
		const char *behind;
		const char *errors;
	} rows[] = {
	    {"[a]\n", 1023, " = 1\n", ""},
	    {"[a]\n", 1024, " = 1\n", "F:2: the name of a key is longer than 1023 bytes\n"},
	    {"[", 1021, "]\nk = 1\n", ""},
	    {"[", 1022, "]\nk = 1\n", "F:1: the heading is longer than 1023 bytes\n"},
	    {"[a]\nk = ", CONF_FILE_MAX - 16, "\n", ""},
	    {"# ", CONF_FILE_MAX - 16, "\n", ""},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf text = BUF_INIT(CONF_FILE_MAX);
		struct reading got;

		assert_int_equal(buf_puts(&text, rows[i].before), 0);
		for (int k = 0; k < rows[i].len; k++)
			assert_int_equal(buf_putc(&text, 'n'), 0);
		assert_int_equal(buf_puts(&text, rows[i].behind), 0);
		read_bytes(&got, buf_str(&text), text.len);
		assert_int_equal(got.r, 0);
		assert_string_equal(errors_of(&got), rows[i].errors);
		forget(&got);
		buf_free(&text);
	}
}

/* conf_file_read() refuses a NUL earlier. If a caller does not, the NUL is still an error. */
static void
test_a_nul_ends_no_line(void **state)
{
	static const char text[] = "[a]\nk = 1\0 2\n\0[b]\n[c\0]\n";
	struct reading got;

	(void)state;
	read_bytes(&got, text, sizeof(text) - 1);
	assert_string_equal(errors_of(&got),
	    "F:2: this line has a control character; only tabs are allowed\n"
	    "F:3: this line has a control character; only tabs are allowed\n"
	    "F:4: this line has a control character; only tabs are allowed\n");
	assert_int_equal(got.sections.n, 1);
	assert_int_equal(got.sections.item[0].nsettings, 0);
	forget(&got);
}

/* A later file overrides single keys of an earlier one, with its own lines. */
static void
test_later_files_go_over_earlier_ones(void **state)
{
	static const char first[] = "[a]\nk = 1\nl = 2\n", second[] = "\n[b]\n[a]\nl = 3\n";
	const struct conf_section *a;
	struct reading got;

	(void)state;
	read_bytes(&got, first, strlen(first));
	read_more(&got, "G", second, strlen(second));
	assert_int_equal(got.r, 0);
	assert_string_equal(errors_of(&got), "");
	assert_int_equal(got.sections.n, 2);
	a = conf_sections_find(&got.sections, "a");
	assert_int_equal(a->line, 1);
	assert_string_equal(a->file, "F");
	assert_string_equal(conf_section_get(a, "k")->file, "F");
	assert_string_equal(conf_section_get(a, "l")->value, "3");
	assert_string_equal(conf_section_get(a, "l")->file, "G");
	assert_int_equal(conf_section_get(a, "l")->line, 4);
	assert_int_equal(conf_sections_find(&got.sections, "b")->line, 2);
	forget(&got);
}

/* Random texts, made of pieces of the grammar, of nearly right pieces, and of single bytes. */
static size_t
make_text(char *text, size_t size, uint64_t *seed)
{
	static const char *const piece[] = {"[otp]\n", "[Otp]\n", "[service a b]\n", "[ b  c ]\n",
	    "[", "]", "[]", "=", " = ", "\n", "\n", "\r\n", " ", "\t", "#", ";", "!", "\\\n", "k",
	    "K", "tries", "tries = 2\n", "a = b # c\n", " k = v\n", "# c\n", "\u00a0", "\ufeff",
	    "\u00e9", "\u202e", "\xff", "\xc2", "\x01", "\x7f", "\"", "'", "$"};
	size_t len = 0;

	for (uint64_t n = fixed_random(seed) % 24; n--;) {
		uint64_t which = fixed_random(seed) % (COUNT(piece) + 2);
		char byte[2] = {(char)fixed_random(seed), '\0'};
		const char *add = which < COUNT(piece) ? piece[which] : byte;

		len += (size_t)snprintf(text + len, size - len, "%s", add);
		if (which == COUNT(piece))
			text[len++] = '\0';
	}
	return len;
}

static void
assert_lines_are_inside(const char *text, size_t len, const char *errors)
{
	unsigned lines = 1, line;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	for (; *errors; errors += strcspn(errors, "\n") + 1) {
		assert_int_equal(sscanf(errors, "F:%u: ", &line), 1);
		assert_in_range(line, 1, lines);
	}
}

static void
test_random_texts(void **state)
{
	uint64_t seed = 20261201, start;
	size_t taken = 0;

	(void)state;
	print_message("seed %" PRIu64 "\n", seed);
	for (int i = rounds(50000); i; i--) {
		struct buf once = BUF_INIT(1 << 16), twice = BUF_INIT(1 << 16);
		struct reading got, again;
		char text[512];
		size_t len;

		start = seed;
		len = make_text(text, sizeof(text), &seed);
		read_bytes(&got, text, len);
		assert_int_equal(got.r, 0);
		assert_true(got.report.failed == (*errors_of(&got) != '\0'));
		assert_lines_are_inside(text, len, errors_of(&got));
		/* The sections that were taken must read as the same again, even if other lines are
		 * wrong. */
		print_sections(&got.sections, &once);
		read_bytes(&again, buf_str(&once), once.len);
		print_sections(&again.sections, &twice);
		if (again.report.failed || strcmp(buf_str(&once), buf_str(&twice)) != 0)
			fail_msg("seed %" PRIu64 ": %s", start, buf_str(&once));
		taken += !got.report.failed && got.sections.n;
		forget(&got);
		forget(&again);
		buf_free(&once);
		buf_free(&twice);
	}
	/* Enough of the random texts must be right. */
	assert_true(taken > (size_t)rounds(500));
}

static void
test_short_memory(void **state)
{
	/* The text has an error, so that the report needs memory, too. */
	static const char text[] = "[a]\nk = 1\n[b]\nk = 1\nl = 2\nx\n[a]\n";
	struct reading got;
	bool was_short;

	(void)state;
	do {
		fail_next++;
		read_bytes(&got, text, strlen(text));
		was_short = got.was_short;
		assert_true(!was_short || got.r == -OTP_ENOMEM || got.report.no_memory);
		assert_true(was_short || got.r == 0);
		forget(&got);
	} while (was_short);
	assert_true(fail_next > 20);
	fail_next = 0;
}

#define MINIMAL "[channel sms]\nproviders = p\n[provider p]\ntoken = file:/x\n"

static void
test_a_load_with_short_memory_fails(void **state)
{
	struct folder dir;
	const char *path;
	int n = 0, r;

	(void)state;
	folder_make(&dir);
	path = folder_write(&dir, "pam_otp.conf", MINIMAL "[service cron]\ntries = 1\n", 0644);
	do {
		_auto_report struct conf_report report = {.max = 4096};
		struct conf *c = NULL;

		fail_at = ++n;
		r = conf_load(path, geteuid(), &c, &report);
		if (!fail_at) {
			assert_int_equal(r, -OTP_ENOMEM);
			assert_null(c);
		}
		conf_free(c);
	} while (!fail_at);
	fail_at = 0;
	assert_true(n > 100);
	assert_int_equal(r, 0);
	folder_drop(&dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines_that_are_right),
	    cmocka_unit_test(test_lines_that_are_wrong),
	    cmocka_unit_test(test_keys_below_a_wrong_heading_are_not_taken),
	    cmocka_unit_test(test_what_stands_twice),
	    cmocka_unit_test(test_long_lines),
	    cmocka_unit_test(test_a_nul_ends_no_line),
	    cmocka_unit_test(test_later_files_go_over_earlier_ones),
	    cmocka_unit_test(test_random_texts),
	    cmocka_unit_test(test_short_memory),
	    cmocka_unit_test(test_a_load_with_short_memory_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
