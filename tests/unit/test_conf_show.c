/*
 * If the rows of conf_show() are written to a file and read again, they give the same
 * configuration. This is tested for random configurations with every option of the table and every
 * character that a value may have.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <inttypes.h>

#include "common/buf.h"
#include "common/err.h"
#include "helpers/conf/conf.h"
#include "helpers/conf/parse.h"
#include "helpers/conf/table.h"
#include "tests/unit/report.h"

enum { TEXT_MAX = 1024 * 1024, OPTIONS_MOST = 128 };

static uint64_t seed = 20261202;

static uint64_t
below(uint64_t n)
{
	return fixed_random(&seed) % n;
}

static int64_t
within(int64_t least, int64_t most)
{
	return least + (int64_t)below((uint64_t)(most - least) + 1);
}

/* A random configuration while it is written. */
struct draft {
	struct buf text;
	size_t nproviders, nchannels;
	bool set[OPTIONS_MOST]; /* of conf_table */
};

static void
put(struct draft *d, const char *s)
{
	assert_int_equal(buf_puts(&d->text, s), 0);
}

#define PUTF(d, ...) assert_int_equal(buf_putf(&(d)->text, __VA_ARGS__), 0)

/* Random blanks, which have no meaning around keys and values. */
static void
put_blanks(struct draft *d)
{
	static const char *const blanks[] = {"", " ", "\t", " \t "};

	put(d, blanks[below(COUNT(blanks))]);
}

static void
put_some(struct draft *d, const char *const *piece, size_t npieces, size_t least, size_t most)
{
	for (size_t n = (size_t)within((int64_t)least, (int64_t)most); n--;)
		put(d, piece[below(npieces)]);
}

/* Text that a parser may mistake for grammar: comments, headings, quotes, blanks of other scripts.
 */
static void
put_odd_text(struct draft *d)
{
	static const char *const piece[] = {"#", ";", " # ", " ; ", "\"", "'", "=", " = ", "[otp]",
	    "\\", "$", "${code}", "%", "!", ",", "/", ":", " ", "  ", "\t", "a", "Z", "0", "\u00e9",
	    "\u00a0", "\u2028", "\u202e", "\ufeff", "\xc2\x85", "\U0001f511", "default",
	    "(hidden)"};

	put_some(d, piece, COUNT(piece), 1, 20);
	/* Not only blanks: that would be an empty value. */
	put(d, "\u00a0");
}

/* Without the characters that a user or group must not have. */
static void
put_account(struct draft *d, size_t i)
{
	static const char *const piece[] = {"a", "Z", "0", "\\", "@", "=", "[", "]", "!", "'", "$",
	    ".", "-", "_", "a b", "\u00e9", "\u00a0", "(hidden)"};

	PUTF(d, "u%zu", i);
	put_some(d, piece, COUNT(piece), 0, 6);
}

static void
put_path(struct draft *d, size_t i)
{
	static const char *const piece[] = {
	    "a", "b c", ".d", "#", ";", "=", "[x]", "\\", "\"", "\u00e9"};

	for (size_t n = 1 + below(3); n--;) {
		PUTF(d, "/p%zu", i);
		put_some(d, piece, COUNT(piece), 0, 3);
	}
}

static void
put_network(struct draft *d, size_t i)
{
	switch (below(4)) {
	case 0:
		PUTF(d, "10.%zu.0.0/16", i);
		break;
	case 1:
		PUTF(d, "192.0.2.%zu", i + 1);
		break;
	case 2:
		PUTF(d, "2001:db8:%zx::/48", i + 1);
		break;
	default:
		PUTF(d, "2001:DB8::%zX", i + 1);
	}
}

static void
put_window(struct draft *d, const struct conf_option *o)
{
	static const char *const span[] = {"1m", "90s", "60000ms", "1h", "36h", "31d"};

	PUTF(d, "%" PRId64 "/%s", within(o->min, o->max), span[below(COUNT(span))]);
}

/* Makes item i of a list. Two items of a list are never equal. */
static void
put_item(struct draft *d, const struct conf_option *o, size_t i)
{
	switch (o->type) {
	case CONF_NAMES:
		PUTF(d, "%s-%zu", o->kind == CONF_OTP ? "c" : "p", i);
		break;
	case CONF_SERVICES:
		/* No service may be in both lists of services. */
		PUTF(d, "%c.%zu+_@-", o->key[0], i);
		break;
	case CONF_USERS:
	case CONF_GROUPS:
		put_account(d, i);
		break;
	case CONF_FOLDERS:
		put_path(d, i);
		break;
	case CONF_PREFIXES:
		PUTF(d, "+%zu", i + 1);
		break;
	case CONF_NETWORKS:
		put_network(d, i);
		break;
	default:
		put_window(d, o);
	}
}

static size_t
most_items(const struct draft *d, const struct conf_option *o)
{
	if (o->type == CONF_WINDOWS)
		return CONF_WINDOWS_MAX;
	if (o->type == CONF_NAMES)
		return o->kind == CONF_OTP ? d->nchannels : d->nproviders;
	return o->max < 8 ? (size_t)o->max : 8;
}

static void
put_list(struct draft *d, const struct conf_option *o)
{
	static const char *const comma[] = {",", ", ", "\t,", " ,  "};
	bool may_be_empty = o->type == CONF_SERVICES && !o->min;
	size_t n = (size_t)within(may_be_empty ? 0 : 1, (int64_t)most_items(d, o));

	for (size_t i = 0; i < n; i++) {
		put(d, i ? comma[below(COUNT(comma))] : "");
		put_item(d, o, i);
	}
}

/* Within the range, and so that no timeout is longer than the one that contains it. */
static void
put_duration(struct draft *d, const struct conf_option *o)
{
	char text[CONF_DURATION_TEXT];
	int64_t least = o->min, most = o->max, ms;

	if (!strcmp(o->key, "attempt_timeout"))
		most = 10 * 1000;
	if (!strcmp(o->key, "send_timeout"))
		least = 10 * 1000;
	if (!strcmp(o->key, "login_timeout"))
		least = 60 * 1000;
	if (!strcmp(o->key, "backoff_first"))
		most = 60 * 60 * 1000;
	if (!strcmp(o->key, "backoff_most"))
		least = 60 * 60 * 1000;
	ms = within(least, most);
	if (below(2))
		ms -= ms % 1000 && ms - ms % 1000 >= least ? ms % 1000 : 0;
	put(d, below(2) ? conf_duration_text(ms, text)
			: (snprintf(text, sizeof(text), "%" PRId64 "ms", ms), text));
}

static void
put_value(struct draft *d, const struct conf_option *o)
{
	static const char *const proxy[] = {
	    "http://proxy.example:3128", "socks5h://[2001:db8::1]:1"};
	size_t words = 0;

	switch (o->type) {
	case CONF_NUMBER:
		PUTF(d, "%" PRId64, within(o->min, o->max));
		break;
	case CONF_DURATION:
		put_duration(d, o);
		break;
	case CONF_WORD:
		while (o->words[words])
			words++;
		put(d, o->words[below(words)]);
		break;
	case CONF_NAME:
	case CONF_OWN_NAME:
		PUTF(d, "%zu_x-y", (size_t)below(1000));
		break;
	case CONF_TEXT:
		if (o->min || below(4))
			put_odd_text(d);
		break;
	case CONF_PATH:
		put_path(d, 0);
		break;
	case CONF_PROXY:
		put(d, proxy[below(COUNT(proxy))]);
		break;
	case CONF_REQUIRES:
		put(d, "publickey");
		break;
	case CONF_DATE:
		PUTF(d, "20%02zu-%02zu-%02zu", (size_t)below(90) + 10, (size_t)below(12) + 1,
		    (size_t)below(28) + 1);
		break;
	default:
		put_list(d, o);
	}
}

static void
put_setting(struct draft *d, const struct conf_option *o)
{
	put_blanks(d);
	put(d, o->key);
	put_blanks(d);
	put(d, "=");
	put_blanks(d);
	put_value(d, o);
	put_blanks(d);
	put(d, below(8) ? "\n" : "\r\n\n# x\n");
	d->set[o - conf_table] = true;
}

/* Writes random options of the kind; for a rule, the required ones, too. */
static void
put_settings(struct draft *d, enum conf_kind kind)
{
	bool conditions = false;

	for (size_t i = 0; i < conf_table_n; i++) {
		const struct conf_option *o = &conf_table[i];
		bool condition = o->kind == CONF_EXEMPT && !o->required && o->type != CONF_REQUIRES;
		bool last_chance =
		    o->kind == CONF_EXEMPT && !strcmp(o->key, "services") && !conditions;

		/* With this option rules with networks or requires could never match. */
		if (o->kind != kind || (!strcmp(o->key, "identity") && below(2)))
			continue;
		if (!o->required && !last_chance && below(2))
			continue;
		put_setting(d, o);
		conditions |= condition;
	}
}

static void
put_free_keys(struct draft *d)
{
	for (size_t n = below(4); n--;) {
		PUTF(d, "%zu-free_key", n);
		put_blanks(d);
		put(d, "=");
		put_blanks(d);
		if (below(8))
			put_odd_text(d);
		put(d, "\n");
	}
}

static void
write_draft(struct draft *d)
{
	d->nproviders = 1 + below(3);
	d->nchannels = 1 + below(3);
	if (below(4)) {
		put(d, "[otp]\n");
		put_settings(d, CONF_OTP);
	}
	/* The default channel of [otp]. */
	put(d, "[channel sms]\nproviders = p-0\n");
	for (size_t i = 0; i < d->nchannels; i++) {
		PUTF(d, "[channel c-%zu]\n", i);
		put_settings(d, CONF_CHANNEL);
	}
	for (size_t i = below(4); i--;) {
		PUTF(d, "[ service  s%zu.x   t%zu ]\n", i, i);
		put_settings(d, CONF_OTP);
	}
	for (size_t i = 0; i < d->nproviders; i++) {
		PUTF(d, "[provider p-%zu]\n", i);
		put_settings(d, CONF_PROVIDER);
		put_free_keys(d);
	}
	if (below(2)) {
		put(d, "[limits]\n");
		put_settings(d, CONF_LIMITS);
	}
	if (below(2)) {
		put(d, "[paths]\n");
		put_settings(d, CONF_PATHS);
	}
	for (size_t i = below(4); i--;) {
		PUTF(d, "[exempt e%zu]\n", i);
		put_settings(d, CONF_EXEMPT);
	}
}

/* Loads a file. Returns the configuration, or NULL; *text is its report. */
static struct conf *
load(const char *path, struct buf *text)
{
	struct conf *c = NULL;
	_auto_report struct conf_report rows = {.max = TEXT_MAX / 4};

	buf_reset(text);
	(void)conf_load(path, geteuid(), &c, &rows);
	(void)buf_puts(text, report_text(&rows));
	return c;
}

/* Writes a row as a line. A value that no file sets differs from an empty one. */
static void
add_row(const struct conf_shown *shown, void *arg)
{
	assert_int_equal(buf_putf(arg, "[%s] %s %s\"%s\"\n", shown->section, shown->key,
			     *shown->value || shown->line ? "=" : "is not set ", shown->value),
	    0);
}

/* Writes all rows, without a service and for each service that may have a section. */
static void
all_rows(const struct conf *c, struct buf *to)
{
	static const char *const service[] = {NULL, "t0", "t1", "s2.x"};

	for (size_t i = 0; i < COUNT(service); i++)
		conf_show(c, service[i], add_row, to);
}

struct folders {
	struct folder dir;
	char dropin[400];
};

static void
assert_says_the_same(struct folders *at, const struct conf *c)
{
	struct buf text = BUF_INIT(TEXT_MAX), rows = BUF_INIT(TEXT_MAX), again = BUF_INIT(TEXT_MAX);
	struct buf report = BUF_INIT(TEXT_MAX);
	struct conf_show_text to = {.out = &text};
	struct conf *second;

	conf_show(c, NULL, conf_show_text, &to);
	all_rows(c, &rows);
	assert_int_equal(buf_err(&text), 0);
	second = load(folder_write(&at->dir, "shown", buf_str(&text), 0644), &report);
	if (!second)
		fail_msg("%s\nis refused: %s", buf_str(&text), buf_str(&report));
	all_rows(second, &again);
	if (strcmp(buf_str(&rows), buf_str(&again)) != 0)
		fail_msg("%s\nis read as\n%s", buf_str(&text), buf_str(&again));
	conf_free(second);
	buf_free(&text);
	buf_free(&rows);
	buf_free(&again);
	buf_free(&report);
}

/* Writes the draft as two files: the drop-in file overrides keys of the main file. */
static struct conf *
load_draft(struct folders *at, struct draft *d, struct draft *over, struct buf *report)
{
	assert_int_equal(unlink(at->dropin) && errno != ENOENT, 0);
	if (over)
		(void)folder_write(&at->dir, "pam_otp.conf.d/x.conf", buf_str(&over->text), 0644);
	return load(folder_write(&at->dir, "pam_otp.conf", buf_str(&d->text), 0644), report);
}

static void
setup(struct folders *at)
{
	folder_make(&at->dir);
	assert_int_equal(mkdir(folder_at(&at->dir, "pam_otp.conf.d"), 0755), 0);
	(void)snprintf(at->dropin, sizeof(at->dropin), "%s/x.conf", at->dir.file);
}

static void
test_what_is_shown_is_read_as_the_same(void **state)
{
	struct buf report = BUF_INIT(TEXT_MAX);
	size_t times_set[OPTIONS_MOST] = {0};
	int taken = 0, n = rounds(1000);
	struct folders at;

	(void)state;
	print_message("seed %" PRIu64 "\n", seed);
	assert_true(conf_table_n <= OPTIONS_MOST);
	setup(&at);
	for (int i = 0; i < n; i++) {
		struct draft d = {.text = BUF_INIT(TEXT_MAX)}, over = {.text = BUF_INIT(TEXT_MAX)};
		struct conf *c;

		write_draft(&d);
		if (below(2))
			write_draft(&over);
		c = load_draft(&at, &d, over.text.len ? &over : NULL, &report);
		if (c) {
			taken++;
			for (size_t k = 0; k < conf_table_n; k++)
				times_set[k] += d.set[k] || over.set[k];
			assert_says_the_same(&at, c);
		}
		conf_free(c);
		buf_free(&d.text);
		buf_free(&over.text);
	}
	/* The other drafts have rules that can never match, which are errors. */
	assert_in_range(taken, n / 2, n);
	for (size_t k = 0; k < conf_table_n; k++)
		ROW(times_set[k] > 0, conf_table[k].key);
	folder_drop(&at.dir);
	buf_free(&report);
}

#define MINIMAL "[channel sms]\nproviders = p\n[provider p]\ntoken = file:/x\n"

/* Names with characters that would end a comment. */
static void
test_origins_are_comments_whatever_the_file_is_called(void **state)
{
	struct buf text = BUF_INIT(TEXT_MAX), report = BUF_INIT(TEXT_MAX);
	struct conf_show_text to = {.out = &text};
	struct folders at;
	struct conf *c;

	(void)state;
	setup(&at);
	c = load(folder_write(&at.dir, "a\n[otp]\ntries = 5\n\xff", MINIMAL, 0644), &report);
	assert_non_null(c);
	conf_show(c, NULL, conf_show_text, &to);
	assert_non_null(strstr(buf_str(&text), "/a?[otp]?tries = 5??:4\ntoken = file:/x\n"));
	assert_non_null(strstr(buf_str(&text), "\n\n[limits]\n# default\nresend_wait = 30s\n"));
	assert_non_null(strstr(buf_str(&text), "\n# prefixes is not set\nfailures = 10\n"));
	assert_says_the_same(&at, c);
	conf_free(c);
	buf_free(&text);
	buf_free(&report);
	folder_drop(&at.dir);
}

/* If the caller hides a value that may be a secret, the key is shown without it. */
static void
test_a_hidden_value_is_a_comment(void **state)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	struct conf_show_text to = {.out = &text};
	struct conf_shown row = {.section = "provider p", .key = "token", .file = "F", .line = 2};

	(void)state;
	conf_show_text(&row, &to);
	row.key = "name";
	row.value = "x";
	row.line = 3;
	conf_show_text(&row, &to);
	row.value = "";
	row.line = 4;
	conf_show_text(&row, &to);
	assert_string_equal(
	    buf_str(&text), "[provider p]\n# token = (hidden)\n# F:3\nname = x\n# F:4\nname =\n");
	buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_is_shown_is_read_as_the_same),
	    cmocka_unit_test(test_origins_are_comments_whatever_the_file_is_called),
	    cmocka_unit_test(test_a_hidden_value_is_a_comment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
