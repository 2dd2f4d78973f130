/* The configuration: every option of the table, every refusal with its file and line. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/err.h"
#include "helpers/conf/conf.h"
#include "helpers/conf/parse.h"
#include "helpers/conf/table.h"
#include "tests/unit/report.h"

enum { REPORT_MAX = 64 * 1024 };

/* 2026-06-15 12:00 UTC: the time of all tests. */
static const int64_t noon = 1781524800;

/* What every test has: a folder of its own, the loaded configuration and its report. */
struct fixture {
	char dir[64];
	char path[96];
	struct conf *c;
	struct buf report;
	int r;
	size_t fds;
};

static size_t
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->fds = count_fds();
	f->report = (struct buf)BUF_INIT(REPORT_MAX);
	strcpy(f->dir, "/tmp/test_conf.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(chmod(f->dir, 0755), 0);
	(void)snprintf(f->path, sizeof(f->path), "%s/pam_otp.conf", f->dir);
	*state = f;
	return 0;
}

static void
remove_all(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[512];

	assert_non_null(d);
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (unlink(path) && errno == EISDIR)
			remove_all(path);
	}
	closedir(d);
	(void)rmdir(dir);
}

static void
forget(struct fixture *f)
{
	conf_free(f->c);
	f->c = NULL;
	buf_free(&f->report);
	f->report = (struct buf)BUF_INIT(REPORT_MAX);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	forget(f);
	remove_all(f->dir);
	/* However the load ended, no descriptor may stay open. */
	assert_int_equal(count_fds(), f->fds);
	free(f);
	return 0;
}

static void
write_bytes(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, 0644), 0);
	close(fd);
}

static void
put_dropin(struct fixture *f, const char *name, const char *text)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s.d", f->path);
	assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
	(void)snprintf(path, sizeof(path), "%s.d/%s", f->path, name);
	write_bytes(path, text, strlen(text));
}

static const char *
load_as(struct fixture *f, uid_t second_owner)
{
	_auto_report struct conf_report rows = {.max = REPORT_MAX};

	forget(f);
	f->r = conf_load_at(f->path, second_owner, noon, &f->c, &rows);
	assert_int_equal(buf_puts(&f->report, report_text(&rows)), 0);
	assert_true((f->r == 0) == (f->c != NULL));
	assert_non_null(buf_str(&f->report));
	return buf_str(&f->report);
}

static const char *
load(struct fixture *f)
{
	return load_as(f, geteuid());
}

static const char *
load_text(struct fixture *f, const char *text)
{
	write_bytes(f->path, text, strlen(text));
	return load(f);
}

static void
assert_has(const char *report, const char *needle)
{
	if (!strstr(report, needle))
		fail_msg("no \"%s\" in:\n%s", needle, report);
}

static void
assert_lacks(const char *report, const char *needle)
{
	if (strstr(report, needle))
		fail_msg("\"%s\" in:\n%s", needle, report);
}

/* The report must have "FILE:LINE: text" about the main file. */
static void
assert_reported(struct fixture *f, unsigned line, const char *text)
{
	char needle[1024];

	assert_in_range(snprintf(needle, sizeof(needle), "%s:%u: %s", f->path, line, text), 1,
	    sizeof(needle) - 1);
	assert_has(buf_str(&f->report), needle);
}

static void
refused(struct fixture *f, const char *text, unsigned line, const char *message)
{
	load_text(f, text);
	if (f->r != -OTP_ECONF)
		fail_msg("not refused (%d): %s", f->r, text);
	assert_reported(f, line, message);
}

/* The shortest valid configuration. */
#define MINIMAL                    \
	"[channel sms]\n"          \
	"providers = tingting\n"   \
	"[provider tingting]\n"    \
	"token = file:/etc/x\n"    \
	"[channel alternative]\n"  \
	"providers = tingting\n"   \
	"[provider alternative]\n" \
	"token = file:/etc/x\n"

static void
assert_windows(const struct conf_windows *w, const char *text)
{
	struct conf_windows want;

	assert_int_equal(conf_windows(text, &want), 0);
	assert_int_equal(w->n, want.n);
	for (size_t i = 0; i < want.n; i++) {
		assert_int_equal(w->item[i].count, want.item[i].count);
		assert_int_equal(w->item[i].span, want.item[i].span);
	}
}

static void
test_minimal_has_the_defaults(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(load_text(f, MINIMAL), "");
	assert_int_equal(f->r, 0);
	assert_int_equal(f->c->signin.channels.n, 1);
	assert_string_equal(f->c->signin.channels.item[0], "sms");
	assert_int_equal(f->c->signin.code_length, 6);
	assert_int_equal(f->c->signin.code_ttl, 5 * 60 * 1000);
	assert_int_equal(f->c->signin.tries, 3);
	assert_int_equal(f->c->signin.ask_first, ASK_AUTO);
	assert_int_equal(f->c->signin.interactive_services.n, 5);
	assert_string_equal(f->c->signin.interactive_services.item[4], "login");
	assert_int_equal(f->c->signin.never_prompt_services.n, 19);
	assert_string_equal(f->c->signin.never_prompt_services.item[0], "dovecot");
	assert_int_equal(f->c->signin.unregistered, UNREGISTERED_DENY);
	assert_int_equal(f->c->signin.require_verified, REQUIRE_VERIFIED_NO);
	assert_int_equal(f->c->signin.identity, IDENTITY_TARGET);
	assert_int_equal(f->c->signin.fallback, FALLBACK_YES);
	assert_int_equal(f->c->signin.send_timeout, 10000);
	assert_int_equal(f->c->signin.attempt_timeout, 4000);
	assert_int_equal(f->c->signin.verify_timeout, 8000);
	assert_int_equal(f->c->signin.login_timeout, 100000);
	assert_int_equal(f->c->limits.resend_wait, 30000);
	assert_int_equal(f->c->limits.sends_per_user.n, 2);
	assert_int_equal(f->c->limits.sends_per_user.item[0].count, 5);
	assert_int_equal(f->c->limits.sends_per_user.item[0].span, 15 * 60 * 1000);
	assert_int_equal(f->c->limits.sends_per_user.item[1].count, 20);
	assert_int_equal(f->c->limits.sends_per_user.item[1].span, 24 * 60 * 60 * 1000);
	assert_windows(&f->c->limits.sends_per_address, "5/15m, 20/1d");
	assert_windows(&f->c->limits.sends_per_client, "60/1h");
	assert_windows(&f->c->limits.sends_per_host, "300/1h");
	assert_windows(&f->c->limits.messages_per_address, "100/1h");
	assert_int_equal(f->c->limits.prefixes.n, 0);
	assert_int_equal(f->c->limits.failures, 10);
	assert_int_equal(f->c->limits.backoff_first, 30000);
	assert_int_equal(f->c->limits.backoff_most, 60 * 60 * 1000);
	assert_string_equal(f->c->paths.contacts, OTP_CONTACTS);
	assert_string_equal(f->c->paths.state, OTP_STATE);
	assert_string_equal(f->c->paths.host_key, OTP_HOST_KEY);
	assert_int_equal(f->c->paths.profiles.n, 2);
	assert_string_equal(f->c->paths.profiles.item[0], OTP_PROFILES_ETC);
	assert_string_equal(f->c->paths.profiles.item[1], OTP_PROFILES_DATA);
	assert_string_equal(conf_channel(f->c, "sms")->message, "");
	assert_string_equal(conf_provider(f->c, "tingting")->profile, "tingting");
	assert_null(conf_provider(f->c, "tingting")->ca);
	assert_null(conf_channel(f->c, "voice"));
	assert_null(conf_provider(f->c, "crego"));
}

/* Every option is set to a value other than its default. */

/* The heading of the section in which the tests set an option. */
static const char *
heading_of(enum conf_kind kind)
{
	static const char *const heading[CONF_NKINDS] = {
	    [CONF_OTP] = "otp",
	    [CONF_LIMITS] = "limits",
	    [CONF_PATHS] = "paths",
	    [CONF_CHANNEL] = "channel flipped",
	    [CONF_PROVIDER] = "provider flipped",
	    [CONF_EXEMPT] = "exempt flipped",
	};

	return heading[kind];
}

static void *
base_of(struct conf *c, enum conf_kind kind)
{
	switch (kind) {
	case CONF_OTP:
		return &c->signin;
	case CONF_LIMITS:
		return &c->limits;
	case CONF_PATHS:
		return &c->paths;
	case CONF_CHANNEL:
		return (void *)conf_channel(c, "flipped");
	case CONF_PROVIDER:
		return (void *)conf_provider(c, "flipped");
	case CONF_EXEMPT:
		assert_int_equal(c->nexempts, 1);
		return &c->exempt[0];
	default:
		fail();
		return NULL;
	}
}

/* Writes MINIMAL, and the option's section with the option last, or without it if value is NULL.
 * Returns the line of the option. */
static unsigned
write_option(struct fixture *f, const char *heading, const struct conf_option *o, const char *value)
{
	char text[2048];
	int len = snprintf(text, sizeof(text), "%s[%s]\n", MINIMAL, heading);
	unsigned line = 1;

	if (o->kind == CONF_CHANNEL && strcmp(o->key, "providers") != 0)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "providers = tingting\n");
	if (o->kind == CONF_EXEMPT) {
		len += snprintf(text + len, sizeof(text) - (size_t)len, "%s = a\n",
		    strcmp(o->key, "users") != 0 ? "users" : "groups");
		if (strcmp(o->key, "reason") != 0)
			len += snprintf(text + len, sizeof(text) - (size_t)len, "reason = b\n");
		if (strcmp(o->key, "until") != 0)
			len += snprintf(
			    text + len, sizeof(text) - (size_t)len, "until = 2027-01-01\n");
	}
	for (const char *p = text; *p; p++)
		line += *p == '\n';
	if (value)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "%s = %s\n", o->key, value);
	assert_true((size_t)len < sizeof(text));
	write_bytes(f->path, text, strlen(text));
	return line;
}

/* Makes a valid value that is not the default; it depends on the option's type only. */
static void
other_value(const struct conf_option *o, bool most, char *dst, size_t size)
{
	static const char *const fixed[] = {
	    [CONF_NAME] = "2024",
	    [CONF_OWN_NAME] = "alternative",
	    [CONF_TEXT] = "Other text: ${code} = 1",
	    [CONF_PATH] = "/other/place.d",
	    [CONF_PROXY] = "http://proxy.example.com:3128",
	    [CONF_NAMES] = "alternative",
	    [CONF_SERVICES] = "sshd, gdm-password",
	    [CONF_USERS] = "robot, EXAMPLE\\domain user",
	    [CONF_GROUPS] = "robots",
	    [CONF_FOLDERS] = "/other/one, /other/two",
	    [CONF_PREFIXES] = "+977, +91, +1",
	    [CONF_WINDOWS] = "1/1m, 1000/31d, 2/1h, 3/90s",
	    [CONF_NETWORKS] = "10.0.0.0/8, 2001:db8::/32, 192.0.2.7",
	    [CONF_REQUIRES] = "publickey",
	    [CONF_DATE] = "2027-06-30",
	};
	char duration[CONF_DURATION_TEXT];

	if (o->type == CONF_NUMBER)
		(void)snprintf(dst, size, "%" PRId64, most ? o->max : o->min);
	else if (o->type == CONF_DURATION)
		(void)snprintf(
		    dst, size, "%s", conf_duration_text(most ? o->max : o->min, duration));
	else if (o->type == CONF_WORD)
		(void)snprintf(dst, size, "%s", o->words[strcmp(o->words[0], o->def) == 0 ? 1 : 0]);
	else
		(void)snprintf(dst, size, "%s", fixed[o->type]);
}

static bool
lists_equal(const struct strlist *a, const struct strlist *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->item[i], b->item[i]) != 0)
			return false;
	return true;
}

static bool
strings_equal(const char *a, const char *b)
{
	return (!a && !b) || (a && b && !strcmp(a, b));
}

static bool
same_value(const struct conf_option *o, void *a, void *b)
{
	void *pa = (char *)a + o->offset, *pb = (char *)b + o->offset;

	switch (o->type) {
	case CONF_NUMBER:
		return *(int *)pa == *(int *)pb;
	case CONF_WORD:
		return *(unsigned *)pa == *(unsigned *)pb;
	case CONF_DURATION:
	case CONF_DATE:
		return *(int64_t *)pa == *(int64_t *)pb;
	case CONF_REQUIRES:
		return *(bool *)pa == *(bool *)pb;
	case CONF_WINDOWS:
		return !memcmp(pa, pb, sizeof(struct conf_windows));
	case CONF_NETWORKS:
		return ((struct conf_exempt *)a)->nnetworks == ((struct conf_exempt *)b)->nnetworks;
	case CONF_NAME:
	case CONF_OWN_NAME:
	case CONF_TEXT:
	case CONF_PATH:
	case CONF_PROXY:
		return strings_equal(*(char **)pa, *(char **)pb);
	default:
		return lists_equal(pa, pb);
	}
}

struct sought {
	const char *section, *key;
	char value[512], file[128];
	unsigned line;
	int found;
};

static void
seek(const struct conf_shown *shown, void *arg)
{
	struct sought *s = arg;

	if (strcmp(shown->section, s->section) != 0 || strcmp(shown->key, s->key) != 0)
		return;
	s->found++;
	(void)snprintf(s->value, sizeof(s->value), "%s", shown->value);
	(void)snprintf(s->file, sizeof(s->file), "%s", shown->file);
	s->line = shown->line;
}

static struct sought
shown(const struct conf *c, const char *service, const char *section, const char *key)
{
	struct sought s = {.section = section, .key = key};

	conf_show(c, service, seek, &s);
	assert_int_equal(s.found, 1);
	return s;
}

/* Loads a second configuration and keeps the first. */
static struct conf *
load_kept(struct fixture *f)
{
	struct conf *c;

	load(f);
	c = f->c;
	f->c = NULL;
	return c;
}

static void
flip(struct fixture *f, const struct conf_option *o)
{
	const char *heading = heading_of(o->kind);
	char value[256];
	struct conf *before;
	struct sought s;
	unsigned line;

	/* A required option cannot be missing before, so it has another value. */
	write_option(f, heading, o,
	    !o->required	    ? NULL
	    : o->type == CONF_DATE  ? "2027-01-01"
	    : o->type == CONF_NAMES ? "tingting"
				    : "before");
	before = load_kept(f);
	assert_non_null(before);

	/* If one end of the range conflicts with another option, the other end does not. */
	other_value(o, true, value, sizeof(value));
	line = write_option(f, heading, o, value);
	load(f);
	if (f->r) {
		other_value(o, false, value, sizeof(value));
		line = write_option(f, heading, o, value);
		load(f);
	}
	if (f->r)
		fail_msg("[%s] %s = %s: %s", heading, o->key, value, buf_str(&f->report));
	assert_true(!o->def || strcmp(o->def, value) != 0);
	if (same_value(o, base_of(before, o->kind), base_of(f->c, o->kind)))
		fail_msg("[%s] %s = %s changed nothing", heading, o->key, value);
	s = shown(f->c, NULL, heading, o->key);
	assert_string_equal(s.value, value);
	assert_string_equal(s.file, f->path);
	assert_int_equal(s.line, line);
	conf_free(before);
}

static void
test_every_option_flips(void **state)
{
	for (size_t i = 0; i < conf_table_n; i++)
		flip(*state, &conf_table[i]);
}

static void
test_every_option_of_otp_flips_for_a_service(void **state)
{
	struct fixture *f = *state;
	char value[256];

	for (size_t i = 0; i < conf_table_n; i++) {
		const struct conf_option *o = &conf_table[i];
		struct sought s;

		if (o->kind != CONF_OTP)
			continue;
		other_value(o, true, value, sizeof(value));
		write_option(f, "service cron atd", o, value);
		load(f);
		if (f->r) {
			other_value(o, false, value, sizeof(value));
			write_option(f, "service cron atd", o, value);
			load(f);
		}
		assert_int_equal(f->r, 0);
		assert_ptr_equal(conf_signin_for(f->c, "sshd"), &f->c->signin);
		assert_ptr_equal(conf_signin_for(f->c, "cron"), conf_signin_for(f->c, "atd"));
		assert_false(same_value(o, &f->c->signin, (void *)conf_signin_for(f->c, "atd")));
		s = shown(f->c, "atd", "service cron atd", o->key);
		assert_string_equal(s.value, value);
		s = shown(f->c, "sshd", "otp", o->key);
		assert_string_equal(s.value, o->def);
		assert_string_equal(s.file, "default");
		assert_int_equal(s.line, 0);
	}
}

static void
refuse_value(struct fixture *f, const struct conf_option *o, const char *value)
{
	char message[1024], expects[CONF_EXPECTS_MAX], wrong[CONF_WRONG_MAX];
	bool is_list = o->type >= CONF_NAMES && o->type <= CONF_NETWORKS;
	unsigned line = write_option(f, heading_of(o->kind), o, value);

	load(f);
	if (f->r != -OTP_ECONF)
		fail_msg("%s = %s: %d", o->key, value, f->r);
	(void)snprintf(message, sizeof(message), "[%s] %s: %s", heading_of(o->kind), o->key,
	    conf_wrong(o, value, wrong));
	assert_reported(f, line, message);
	if (!is_list)
		assert_has(buf_str(&f->report), conf_expects(o, expects));
}

static void
test_values_outside_their_range_are_refused(void **state)
{
	struct fixture *f = *state;
	char value[64], d[CONF_DURATION_TEXT];

	for (size_t i = 0; i < conf_table_n; i++) {
		const struct conf_option *o = &conf_table[i];
		struct conf_signin s = {0};
		struct conf_limits l = {0};
		void *base = o->kind == CONF_OTP ? (void *)&s : (void *)&l;

		if (o->type == CONF_NUMBER) {
			(void)snprintf(value, sizeof(value), "%" PRId64, o->max + 1);
			refuse_value(f, o, value);
			(void)snprintf(value, sizeof(value), "%" PRId64, o->min - 1);
			refuse_value(f, o, value);
			(void)snprintf(value, sizeof(value), "%" PRId64, o->max);
			assert_int_equal(conf_set(o, base, value), 0);
			(void)snprintf(value, sizeof(value), "%" PRId64, o->min);
			assert_int_equal(conf_set(o, base, value), 0);
		}
		if (o->type == CONF_DURATION) {
			refuse_value(f, o, conf_duration_text(o->max + 1, d));
			if (o->min)
				refuse_value(f, o, conf_duration_text(o->min - 1, d));
			assert_int_equal(conf_set(o, base, conf_duration_text(o->max, d)), 0);
			assert_int_equal(conf_set(o, base, conf_duration_text(o->min, d)), 0);
		}
		if (o->type == CONF_WINDOWS) {
			(void)snprintf(value, sizeof(value), "1/1h, %" PRId64 "/1d", o->max + 1);
			refuse_value(f, o, value);
			(void)snprintf(value, sizeof(value), "%" PRId64 "/1d", o->min - 1);
			refuse_value(f, o, value);
			(void)snprintf(value, sizeof(value), "%" PRId64 "/1m", o->max);
			assert_int_equal(conf_set(o, base, value), 0);
		}
	}
}

static void
test_bad_values_are_refused_for_every_type(void **state)
{
	static const struct {
		enum conf_type type;
		const char *bad[16];
	} cases[] = {
	    {CONF_NUMBER, {"", "x", "6.0", "+6", "-6", "06", "0x6", "6 7", "6;", "６"}},
	    {CONF_DURATION, {"", "5", "5 m", "m", "5M", "5min", "-5m", "5m0s", "1.5m", "05m",
				"99999999999999m", "9999999999999999999m"}},
	    {CONF_WORD, {"", "Auto", "maybe", "auto,", "auto auto", "Yes", "true", "1"}},
	    {CONF_NAME, {"", "A", "a b", "../x", "-a", "_a", "a.b", "a/b"}},
	    {CONF_OWN_NAME, {"", "A", "a b", "../x", "-a", "a.json"}},
	    {CONF_PATH, {"", "a", "a/b", "/", "/a/", "/a//b", "/a/./b", "/a/../b", "/..", "~/a",
			    "/a ; why", "/a # why"}},
	    {CONF_PROXY, {"", "proxy:3128", "ftp://a", "http://", "http://u:geheim@h", "http://h/p",
			     "http://h:0", "http://h:65536", "http://h:", "http://:80",
			     "http://[::1", "http://a b"}},
	    {CONF_NAMES,
		{"", ",", "sms,", ",sms", "sms,,x", "sms sms", "sms, sms", "SMS", "sms;x"}},
	    {CONF_SERVICES, {"Sudo", "a b", "a,", "a, a", "/a", "-a", "a/b"}},
	    {CONF_USERS, {"", ",", "a,", "a,a", "a:b", "a/b", "a # why", "\"a\""}},
	    {CONF_GROUPS, {"", ",", "a,", "a,a", "#100"}},
	    {CONF_FOLDERS, {"", "a", "/a, b", "/a,", "/a,/a", "/a/.."}},
	    {CONF_PREFIXES, {"", ",", "977", "+", "+0", "+0977", "+977,", "+977 +91", "+977, +977",
				"+977-1", "+97 7", "00977", "+1234567890123456", "+*", "nepal"}},
	    {CONF_WINDOWS,
		{"", "5", "5/", "/5m", "0/1m", "1000001/1m", "1/59s", "1/32d", "1/1", "1/1m,",
		    "1/1m 2/2m", "1/1m,1/1m,1/1m,1/1m,1/1m", "99999999999/1m", "-1/1m"}},
	    {CONF_NETWORKS,
		{"", "host.example", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/0", "10.0.0.0/-1",
		    "10.0.0.0/08", "10.0/16", "010.0.0.0/8", "::/0", "2001:db8::1/64",
		    "fe80::1%eth0", "::/129", "10.0.0.0/", "10.0.0.0/255.0.0.0"}},
	    {CONF_REQUIRES, {"", "password", "publickey, x", "yes"}},
	    {CONF_DATE, {"", "2026-02-30", "2026-13-01", "2026-00-01", "26-01-01", "2026-1-01",
			    "2026-06-3", "2026-06-300", "30.06.2027", "2026-06-31", "2025-02-29",
			    "9999-99-99", "2026- 6-01"}},
	};

	for (size_t i = 0; i < conf_table_n; i++) {
		const struct conf_option *o = &conf_table[i];
		size_t tried = 0;

		for (size_t j = 0; j < sizeof(cases) / sizeof(cases[0]); j++)
			for (size_t k = 0; cases[j].type == o->type && k < 16 && cases[j].bad[k];
			     k++) {
				refuse_value(*state, o, cases[j].bad[k]);
				tried++;
			}
		assert_true(tried > 0 || o->type == CONF_TEXT);
	}
}

static void
test_values_that_must_be_taken(void **state)
{
	static const struct {
		const char *key;
		enum conf_kind kind;
		const char *good;
	} cases[] = {
	    {"interactive_services", CONF_OTP, ""},
	    {"proxy", CONF_PROVIDER, "http://[2001:db8::1]:3128"},
	    {"proxy", CONF_PROVIDER, "socks5h://proxy"},
	    {"until", CONF_EXEMPT, "2028-02-29"},
	    {"until", CONF_EXEMPT, "2027-12-31"},
	    {"networks", CONF_EXEMPT, "::ffff:10.0.0.0/104, ::1, 2600::/16, fc00::/7"},
	    {"ca", CONF_PROVIDER, "/etc/ssl/some ca.pem"},
	    {"resend_wait", CONF_LIMITS, "0s"},
	    {"code_ttl", CONF_OTP, "600000ms"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct conf_option *o = conf_option(cases[i].kind, cases[i].key);

		write_option(*state, heading_of(o->kind), o, cases[i].good);
		assert_string_equal(load(*state), "");
	}
}

#define EIGHTY                                                                          \
	"10.0.0.0/8, 10.1.0.0/16, 10.2.0.0/16, 10.3.0.0/16, 10.4.0.0/16, 10.5.0.0/16, " \
	"10.6.0.0/16, "
#define WIDE "no single owner has a network wider than "

/* A wrong list is reported with its first wrong item and the reason. */
static void
test_lists_name_the_item_and_the_cause(void **state)
{
	static const struct {
		enum conf_kind kind;
		const char *key, *value, *message;
	} rows[] = {
	    {CONF_EXEMPT, "networks", "10.0.0.1/8",
		"\"10.0.0.1/8\": bits after /8 are set; did you mean 10.0.0.0/8?\n"},
	    {CONF_EXEMPT, "networks", "10.0.0.0/8, 2001:db8::1/64",
		"\"2001:db8::1/64\": bits after /64 are set; did you mean 2001:db8::/64?\n"},
	    {CONF_EXEMPT, "networks", "::ffff:10.1.2.3/104",
		"\"::ffff:10.1.2.3/104\": bits after /104 are set; did you mean 10.0.0.0/8?\n"},
	    {CONF_EXEMPT, "networks", EIGHTY "10.7.0.1/16",
		"\"10.7.0.1/16\": bits after /16 are set; did you mean 10.7.0.0/16?\n"},
	    {CONF_EXEMPT, "networks", "10.0.0.0/8, ::/0", "\"::/0\": " WIDE "/16; list the"},
	    {CONF_EXEMPT, "networks", "0.0.0.0/0", "\"0.0.0.0/0\": " WIDE "/8; list the"},
	    {CONF_EXEMPT, "networks", "0.0.0.0/1, 128.0.0.0/1", "\"0.0.0.0/1\": " WIDE "/8; list"},
	    {CONF_EXEMPT, "networks", "10.0.0.1/7", "\"10.0.0.1/7\": " WIDE "/8; list"},
	    {CONF_EXEMPT, "networks", "::ffff:0:0/96", "\"::ffff:0:0/96\": " WIDE "/8; list"},
	    {CONF_EXEMPT, "networks", "8000::/1", "\"8000::/1\": " WIDE "/16; list"},
	    {CONF_EXEMPT, "networks", "2600::/15", "\"2600::/15\": " WIDE "/16; list"},
	    {CONF_EXEMPT, "networks", "fc00::/6", "\"fc00::/6\": " WIDE "/16; list"},
	    {CONF_EXEMPT, "networks", "fe80::/9", "\"fe80::/9\": " WIDE "/16; list"},
	    {CONF_EXEMPT, "networks", "::1, office.example, 10.0.0.1/8",
		"\"office.example\": expected a numeric address, or a network like 10.0.0.0/8\n"},
	    {CONF_EXEMPT, "networks", "::1, ::1", "\"::1\": stands twice in the list\n"},
	    {CONF_EXEMPT, "networks", "::1,",
		"\"\": an item is empty; is there a comma too many?\n"},
	    {CONF_EXEMPT, "users", "a,, b", "\"\": an item is empty; is there a comma too many?\n"},
	    {CONF_EXEMPT, "users", "a, b, a", "\"a\": stands twice in the list\n"},
	    {CONF_EXEMPT, "users", "a, b:c", "\"b:c\": expected a user, without : / # ;"},
	    {CONF_EXEMPT, "users", "", "\"\": expected a list of users (there is nothing after"},
	    {CONF_EXEMPT, "groups", "#100", "\"#100\": expected a group, without : / # ;"},
	    {CONF_EXEMPT, "services", "sshd, Sudo", "\"Sudo\": expected a PAM service, in lower"},
	    {CONF_OTP, "channels", "sms, SMS", "\"SMS\": expected a name of a-z, 0-9, _ and -\n"},
	    {CONF_PATHS, "profiles", "/a, b", "\"b\": expected an absolute path\n"},
	    {CONF_LIMITS, "prefixes", "+977, 91", "\"91\": expected a number prefix like +977\n"},
	    {CONF_LIMITS, "sends_per_user", "5/15m, 20/1w", "\"20/1w\": expected up to 4 limits"},
	    {CONF_LIMITS, "sends_per_user", "5/15m, 0/1d", "\"0/1d\": expected up to 4 limits"},
	    {CONF_LIMITS, "sends_per_user", "1/1h, 1/1h, 1/1h, 1/1h, 1/1h",
		"there are more than 4 items\n"},
	    {CONF_LIMITS, "sends_per_user", "5/15m,", "\"\": an item is empty"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct conf_option *o = conf_option(rows[i].kind, rows[i].key);
		const char *heading = heading_of(o->kind);
		unsigned line = write_option(f, heading, o, rows[i].value);
		char message[256];

		load(f);
		assert_int_equal(f->r, -OTP_ECONF);
		(void)snprintf(
		    message, sizeof(message), "[%s] %s: %s", heading, o->key, rows[i].message);
		assert_reported(f, line, message);
	}
}

/* Writes a list of n items "PREFIX1, PREFIX2 ..."; its error must be the given one. */
static void
refused_many(struct fixture *f, const char *before, const char *prefix, int n, const char *message)
{
	struct buf text = BUF_INIT(64 * 1024);

	assert_int_equal(buf_putf(&text, "[exempt x]\n%s", before), 0);
	for (int i = 0; i < n; i++)
		assert_int_equal(buf_putf(&text, "%s%s%d", i ? ", " : "", prefix, i), 0);
	refused(f, buf_str(&text), 2, message);
	buf_free(&text);
}

static void
test_lists_have_their_most(void **state)
{
	struct fixture *f = *state;
	char text[2048], item[128];

	refused_many(f, "networks = ", "2001:db8::", 257, "[exempt x] networks: there are more");
	assert_has(buf_str(&f->report), "more than 256 items\n");
	refused_many(f, "users = ", "u", 257, "[exempt x] users: there are more than 256 items\n");
	refused_many(
	    f, "services = ", "s", 65, "[exempt x] services: there are more than 64 items\n");
	/* A long item is cut, and the dots show that. */
	memset(item, 'A', 100);
	item[100] = '\0';
	(void)snprintf(text, sizeof(text), "[exempt x]\nservices = sshd, %s\n", item);
	refused(f, text, 2, "[exempt x] services: \"AAAA");
	assert_has(buf_str(&f->report), "AAA...\": expected a PAM service");
	(void)snprintf(text, sizeof(text), "[exempt x]\nreason = %01042d\n", 0);
	refused(f, text, 2, "[exempt x] reason: it has 1042 bytes, expected at most 160\n");
}

/* C30: prefixes stop toll fraud, because messages go to no other numbers. */
static void
test_prefixes_say_where_messages_may_go(void **state)
{
	static const struct {
		const char *prefixes, *phone;
		bool allowed;
	} rows[] = {
	    {NULL, "+9779800000019", true},
	    {NULL, "+8825000000000", true},
	    {"+977, +91", "+9779800000019", true},
	    {"+977, +91", "+919876543219", true},
	    {"+977, +91", "+97698765432", false},
	    {"+977, +91", "+9198", true},
	    {"+977, +91", "+9", false},
	    {"+977, +91", "+977", true},
	    {"+977, +91", "9779800000019", false},
	    {"+977, +91", " +9779800000019", false},
	    {"+977, +91", "+1977977", false},
	    {"+97798", "+9779800000019", true},
	    {"+97798", "+9779700000019", false},
	    {"+1", "+12025550123", true},
	    {"+123456789012345", "+12345678901234", false},
	    {"+123456789012345", "+123456789012345", true},
	};
	struct fixture *f = *state;
	char text[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(text, sizeof(text), MINIMAL "[limits]\n%s%s\n",
		    rows[i].prefixes ? "prefixes = " : "",
		    rows[i].prefixes ? rows[i].prefixes : "");
		assert_string_equal(load_text(f, text), "");
		if (conf_allows_number(f->c, rows[i].phone) != rows[i].allowed)
			fail_msg("%s for \"%s\"", rows[i].phone, text);
	}
}

/* Each error has its line. */

static void
test_all_errors_of_all_files_come_in_one_report(void **state)
{
	struct fixture *f = *state;
	char needle[256];

	write_bytes(f->path, "[otp]\ntries = 9\nnonsense\nask_first = x\n[limits]\nfailures = 0\n",
	    strlen("[otp]\ntries = 9\nnonsense\nask_first = x\n[limits]\nfailures = 0\n"));
	put_dropin(f, "a.conf", "[otp]\ncode_length = 5\n");
	load(f);
	assert_int_equal(f->r, -OTP_ECONF);
	assert_reported(f, 2, "[otp] tries: \"9\": expected a number from 1 to 5");
	assert_reported(f, 3, "expected KEY = VALUE, a [section] or a # comment");
	assert_reported(f, 4, "[otp] ask_first: \"x\": expected one of auto, always, never");
	assert_reported(f, 6, "[limits] failures: \"0\": expected a number from 1 to 100");
	(void)snprintf(needle, sizeof(needle), "%s.d/a.conf:2: [otp] code_length", f->path);
	assert_has(buf_str(&f->report), needle);
}

static void
test_unknown_names_are_errors_with_a_suggestion(void **state)
{
	struct fixture *f = *state;

	refused(f, MINIMAL "[otp]\ncode_lenght = 6\n", 10,
	    "[otp] code_lenght: there is no such key; did you mean code_length?");
	refused(f, MINIMAL "[otp]\nTries = 2\n", 10,
	    "[otp] Tries: there is no such key; did you mean tries?");
	refused(f, MINIMAL "[otp]\nzzzzzz = 2\n", 10, "[otp] zzzzzz: there is no such key\n");
	refused(
	    f, MINIMAL "[otp]\nfailures = 2\n", 10, "[otp] failures: this key belongs to [limits]");
	refused(f, MINIMAL "[chanel voice]\nproviders = tingting\n", 9,
	    "[chanel voice]: there is no such section; did you mean [channel]?");
	refused(f, MINIMAL "[OTP]\n", 9, "[OTP]: there is no such section; did you mean [otp]?");
	refused(f, MINIMAL "[qqqqq]\n", 9, "[qqqqq]: there is no such section\n");
	/* A key of a later version is unknown. */
	refused(f, MINIMAL "[otp]\nenrol = yes\n", 10, "[otp] enrol: there is no such key");
	refused(f, MINIMAL "[exempt x]\nuser = a\n", 10,
	    "[exempt x] user: there is no such key; did you mean users?");
	refused(f, MINIMAL "[channel voice]\nprovider = tingting\n", 10,
	    "[channel voice] provider: there is no such key; did you mean providers?");
	refused(f, MINIMAL "[service cron]\ntried = 1\n", 10,
	    "[service cron] tried: there is no such key; did you mean tries?");
}

static void
test_names_of_sections(void **state)
{
	struct fixture *f = *state;

	refused(f, MINIMAL "[channel]\n", 9, "[channel]: a name must follow");
	refused(f, MINIMAL "[provider a b]\n", 9, "[provider a b]: a name is made of");
	refused(f, MINIMAL "[provider Big]\n", 9, "[provider Big]: a name is made of");
	refused(f, MINIMAL "[exempt a/b]\n", 9, "[exempt a/b]: a name is made of");
	refused(f, MINIMAL "[service]\n", 9, "[service]: the names of services must follow");
	refused(f, MINIMAL "[otp x]\n", 9, "[otp x]: expected [otp], without a name");
	refused(f, MINIMAL "[service Sudo]\n", 9, "[service Sudo]: \"Sudo\" is not the name");
	refused(f, MINIMAL "[service a b a]\n", 9,
	    "[service a b a]: the service a has a section already");
	refused(f, MINIMAL "[service a b]\n[service c b]\n", 10,
	    "[service c b]: the service b has a section already, [service a b] on line 9");
	assert_string_equal(load_text(f, MINIMAL "[ service   a  b ]\ntries = 1\n"), "");
	assert_int_equal(conf_signin_for(f->c, "b")->tries, 1);
}

static void
test_what_stands_twice_is_an_error(void **state)
{
	struct fixture *f = *state;

	refused(f, MINIMAL "[otp]\ntries = 2\ncode_length = 6\ntries = 2\n", 12,
	    "[otp] tries: this key stands twice in the section, first on line 10");
	refused(f, MINIMAL "[otp]\ntries = 2\nTRIES = 2\n", 11,
	    "[otp] TRIES: this key stands twice in the section, first on line 10");
	refused(f, MINIMAL "[otp]\ntries = 2\n[limits]\n[otp]\ncode_length = 6\n", 12,
	    "[otp] stands twice in this file, first on line 9");
	refused(f, MINIMAL "[otp]\n[Otp]\n", 10, "[Otp] stands twice in this file");
	/* All duplicates are reported, not only the first. */
	refused(f, "[otp]\ntries = 2\ntries = 1\ntries = 3\n[limits]\nfailures = 1\nfailures = 2\n",
	    3, "[otp] tries: this key stands twice");
	assert_reported(f, 4, "[otp] tries: this key stands twice");
	assert_reported(f, 7, "[limits] failures: this key stands twice");
}

static void
test_lines_that_would_be_misread_are_errors(void **state)
{
	struct fixture *f = *state;

	refused(f, "tries = 2\n" MINIMAL, 1, "this line is before the first [section]");
	refused(f, MINIMAL "  [otp]\ntries = 2\n", 9, "the heading of a section must begin");
	refused(f, MINIMAL "[otp]\n # tries = 2\n", 10, "a comment must begin in the first column");
	refused(f, MINIMAL "[otp]\n\t; tries\n", 10, "a comment must begin in the first column");
	refused(f, MINIMAL "[otp]\ntries = 2 ; why\n", 10, "[otp] tries: \"2 ; why\"");
	assert_has(buf_str(&f->report), "text after a value is part of it");
	refused(f, MINIMAL "[otp]\ntries = \"2\"\n", 10, "[otp] tries: \"\"2\"\"");
	assert_has(buf_str(&f->report), "quotes are part of a value");
	refused(f, MINIMAL "[otp]\ntries =\n", 10, "[otp] tries: \"\"");
	assert_has(buf_str(&f->report), "nothing after the =");
	refused(f, MINIMAL "[otp\ntries = 2\n", 9, "expected the heading of a section");
	refused(f, MINIMAL "[otp] # why\n", 9,
	    "expected the heading of a section, [NAME] and nothing after it");
	refused(f, MINIMAL "[]\n", 9, "expected the name of a section");
	refused(f, MINIMAL "[  ]\n", 9, "");
	refused(
	    f, MINIMAL "[otp]\n= 2\n", 10, "expected KEY = VALUE; there is no key before the '='");
	refused(f, MINIMAL "[otp]\ntries 2\n", 10, "expected KEY = VALUE, a [section]");
	refused(f, MINIMAL "[otp]\n/* tries = 2 */\n", 10, "[otp] /* tries: there is no such key");
	refused(
	    f, MINIMAL "[otp]\ntr!es = 2\n", 10, "the name of a key must not have a tab or '!'");
	refused(
	    f, MINIMAL "[otp]\ntr\tes = 2\n", 10, "the name of a key must not have a tab or '!'");
	refused(f, MINIMAL "[otp!]\ntries = 2\n", 9, "the heading must not have a tab or '!'");
	refused(f, MINIMAL "[provider x]\nTo ken = 2\n", 10, "[provider x] To ken: a key is made");
	/* There are no continuation lines: an indented key is a key. */
	assert_string_equal(load_text(f, MINIMAL "[otp]\ntries = 2\n   code_length = 7\n"), "");
	assert_int_equal(f->c->signin.code_length, 7);
	assert_int_equal(f->c->signin.tries, 2);
}

static void
test_bytes_that_are_no_text_are_errors(void **state)
{
	static const char nul[] = "[otp]\n# a\ntries = 2\0 3\n";
	struct fixture *f = *state;

	write_bytes(f->path, nul, sizeof(nul) - 1);
	load(f);
	assert_int_equal(f->r, -OTP_ECONF);
	assert_reported(f, 3, "this line has a NUL byte");
	refused(f, "\xef\xbb\xbf" MINIMAL, 1, "the file begins with a byte order mark");
	refused(f, MINIMAL "# \xff\n", 9, "this line is not UTF-8");
	refused(f, MINIMAL "[otp]\ntries = 2\x1b[31m\n", 10, "this line has a control character");
	refused(f, MINIMAL "[otp]\ntries = 2\rx\n", 10, "this line has a control character");
	refused(f, MINIMAL "# \x7f\n", 9, "this line has a control character");
	/* CR LF, as other systems end lines, is accepted. */
	assert_string_equal(load_text(f, MINIMAL "[otp]\r\ntries = 2\r\n"), "");
	assert_int_equal(f->c->signin.tries, 2);
	/* The report has no characters that control a terminal. */
	refused(f, MINIMAL "[otp]\ntries = \xe2\x80\xae\xc2\x9b\n", 10, "[otp] tries: \"??\"");
}

static void
test_long_lines_and_many_errors(void **state)
{
	struct fixture *f = *state;
	size_t size = 64 * 1024, len;
	char *text = malloc(size + 64);

	assert_non_null(text);
	len = (size_t)sprintf(text, MINIMAL "[channel voice]\nproviders = tingting\nmessage = ");
	memset(text + len, '1', 50000);
	strcpy(text + len + 1000, "\n");
	assert_string_equal(load_text(f, text), "");
	text[len + 1000] = '1';
	strcpy(text + len + 1001, "\n");
	refused(f, text, 11, "[channel voice] message: it has 1001 bytes, expected at most 1000\n");
	text[len + 1001] = text[len + 1002] = '1';
	strcpy(text + len + 50000, "\n");
	refused(
	    f, text, 11, "[channel voice] message: it has 50000 bytes, expected at most 1000\n");

	/* If the report is full, it has the first errors and a note that more follow. */
	len = (size_t)sprintf(text, "[otp]\n");
	while (len < size / 2)
		len += (size_t)sprintf(text + len, "x%zu = 1\n", len);
	load_text(f, text);
	assert_int_equal(f->r, -OTP_ECONF);
	assert_reported(f, 2, "[otp] x6: there is no such key");
	assert_has(buf_str(&f->report), "(more errors follow");
	free(text);
}

static void
test_empty_files_and_comments(void **state)
{
	struct fixture *f = *state;

	/* An empty file is no syntax error, but it has no channel. */
	load_text(f, "");
	assert_int_equal(f->r, -OTP_ECONF);
	assert_has(buf_str(&f->report), "there is no [channel sms]");
	load_text(f, "# nothing\n\n;\n");
	assert_has(buf_str(&f->report), "there is no [channel sms]");
	write_bytes(f->path, MINIMAL, strlen(MINIMAL));
	put_dropin(f, "empty.conf", "");
	put_dropin(f, "comment.conf", "# only this");
	assert_string_equal(load(f), "");
}

/* Options that depend on each other. */

static void
test_references_must_lead_somewhere(void **state)
{
	struct fixture *f = *state;

	refused(f, MINIMAL "[otp]\nchannels = sms, voice\n", 10,
	    "[otp] channels: there is no [channel voice]; add that section, with a line providers "
	    "= "
	    "NAME\n");
	refused(f, MINIMAL "[service cron]\nchannels = voice\n", 10,
	    "[service cron] channels: there is no [channel voice]");
	refused(f, MINIMAL "[channel voice]\nproviders = tingting, crego\n", 10,
	    "[channel voice] providers: there is no [provider crego]");
	refused(f, MINIMAL "[channel voice]\n", 9,
	    "[channel voice] providers is missing; expected a list of names\n");
}

static void
test_timeouts_must_nest(void **state)
{
	struct fixture *f = *state;

	refused(f, MINIMAL "[otp]\nattempt_timeout = 11s\n", 10,
	    "[otp] attempt_timeout: attempt_timeout (11s) must not be longer than send_timeout "
	    "(10s)");
	refused(f, MINIMAL "[otp]\nsend_timeout = 3s\n", 10,
	    "[otp] send_timeout: attempt_timeout (4s) must not be longer than send_timeout (3s)");
	refused(f, MINIMAL "[otp]\nsend_timeout = 60s\nlogin_timeout = 59s\n", 10,
	    "[otp] send_timeout: send_timeout (1m) must not be longer than login_timeout (59s)");
	refused(f, MINIMAL "[otp]\nverify_timeout = 60s\n[service login]\nlogin_timeout = 50s\n",
	    12, "[service login] login_timeout: verify_timeout (1m) must not be longer");
	refused(f, MINIMAL "[limits]\nbackoff_first = 1h\nbackoff_most = 30m\n", 10,
	    "[limits] backoff_first: backoff_first (1h) must not be longer than backoff_most "
	    "(30m)");
	/* An error in [otp] is reported once, not for every service. */
	load_text(f, MINIMAL "[otp]\nattempt_timeout = 11s\n[service login]\ntries = 1\n");
	assert_int_equal(f->r, -OTP_ECONF);
	assert_lacks(buf_str(&f->report), "[service login]");
}

static void
test_a_service_inherits_from_otp(void **state)
{
	struct fixture *f = *state;
	struct sought s;

	assert_string_equal(load_text(f, MINIMAL "[service login]\nlogin_timeout = 50s\n"
						 "[otp]\ntries = 5\nlogin_timeout = 90s\n"),
	    "");
	assert_int_equal(conf_signin_for(f->c, "login")->tries, 5);
	assert_int_equal(conf_signin_for(f->c, "login")->login_timeout, 50000);
	assert_int_equal(conf_signin_for(f->c, "sshd")->login_timeout, 90000);
	s = shown(f->c, "login", "otp", "tries");
	assert_string_equal(s.value, "5");
	assert_int_equal(s.line, 12);
	s = shown(f->c, NULL, "service login", "login_timeout");
	assert_string_equal(s.value, "50s");
}

static void
test_exempt_rules_need_a_condition_a_reason_and_an_end(void **state)
{
	struct fixture *f = *state;

	refused(f, MINIMAL "[exempt x]\nusers = a\nuntil = 2027-01-01\n", 9,
	    "[exempt x] reason is missing; expected text\n");
	refused(f, MINIMAL "[exempt x]\nusers = a\nreason = b\n", 9, "[exempt x] until is missing");
	refused(f, MINIMAL "[exempt x]\nusers = a\nreason =\nuntil = 2027-01-01\n", 11,
	    "[exempt x] reason: \"\"");
	refused(f, MINIMAL "[exempt x]\nreason = b\nuntil = 2027-01-01\n", 9,
	    "[exempt x] would exempt everyone");
	refused(f, MINIMAL "[exempt x]\nrequires = publickey\nreason = b\nuntil = 2027-01-01\n", 9,
	    "[exempt x] would exempt everyone");
	assert_string_equal(
	    load_text(f, MINIMAL "[exempt x]\nservices = sshd\nreason = b\nuntil = 2027-01-01\n"),
	    "");
}

static void
test_exempt_rules_are_warned_of_around_their_end(void **state)
{
	struct fixture *f = *state;

#define RULE(until) MINIMAL "[exempt x]\nusers = a\nreason = b\nuntil = " until "\n"
	load_text(f, RULE("2026-06-14"));
	assert_int_equal(f->r, 0);
	assert_reported(f, 12, "warning: [exempt x] expired at the end of 2026-06-14");
	load_text(f, RULE("2026-06-15"));
	assert_int_equal(f->r, 0);
	assert_reported(f, 12, "warning: [exempt x] expires at the end of 2026-06-15");
	load_text(f, RULE("2026-06-27"));
	assert_int_equal(f->r, 0);
	assert_reported(f, 12, "warning: [exempt x] expires at the end of 2026-06-27");
	assert_string_equal(load_text(f, RULE("2026-06-30")), "");
#undef RULE
}

static void
test_until_is_the_end_of_the_day_in_local_time(void **state)
{
	int64_t end;

	(void)state;
	setenv("TZ", "NPT-5:45", 1);
	tzset();
	assert_int_equal(conf_date("2026-06-15", &end), 0);
	assert_int_equal(end, noon + 12 * 3600 - (5 * 3600 + 45 * 60));
	setenv("TZ", "UTC0", 1);
	tzset();
	assert_int_equal(conf_date("2026-06-15", &end), 0);
	assert_int_equal(end, noon + 12 * 3600);
}

/* Drop-in files. */

static void
test_later_files_win_in_version_order(void **state)
{
	struct fixture *f = *state;
	char want[256];
	struct sought s;

	write_bytes(f->path, MINIMAL "[otp]\ntries = 1\ncode_length = 7\n",
	    strlen(MINIMAL "[otp]\ntries = 1\ncode_length = 7\n"));
	put_dropin(f, "10-b.conf", "\n[otp]\ntries = 4\n");
	put_dropin(f, "9-a.conf", "[otp]\ntries = 3\ncode_ttl = 1m\n");
	put_dropin(f, "README", "not read");
	put_dropin(f, "x.conf.bak", "not read");
	put_dropin(f, ".hidden.conf", "not read");
	put_dropin(f, ".conf", "not read");
	assert_string_equal(load(f), "");
	assert_int_equal(f->c->signin.tries, 4);
	assert_int_equal(f->c->signin.code_ttl, 60000);
	assert_int_equal(f->c->signin.code_length, 7);
	s = shown(f->c, NULL, "otp", "tries");
	(void)snprintf(want, sizeof(want), "%s.d/10-b.conf", f->path);
	assert_string_equal(s.file, want);
	assert_int_equal(s.line, 3);
	s = shown(f->c, NULL, "otp", "code_ttl");
	(void)snprintf(want, sizeof(want), "%s.d/9-a.conf", f->path);
	assert_string_equal(s.file, want);
	s = shown(f->c, NULL, "otp", "code_length");
	assert_string_equal(s.file, f->path);
	s = shown(f->c, NULL, "otp", "ask_first");
	assert_string_equal(s.file, "default");
}

static void
test_free_keys_of_a_provider_keep_their_origin(void **state)
{
	struct fixture *f = *state;
	const struct conf_provider *p;
	char want[256];

	write_bytes(f->path, MINIMAL, strlen(MINIMAL));
	put_dropin(f, "a.conf", "[provider tingting]\ncompany_name = Example\ntoken = cred:tt\n");
	assert_string_equal(load(f), "");
	p = conf_provider(f->c, "tingting");
	assert_int_equal(p->nvars, 2);
	assert_string_equal(p->vars[0].key, "token");
	assert_string_equal(p->vars[0].value, "cred:tt");
	assert_int_equal(p->vars[0].line, 3);
	assert_string_equal(p->vars[1].key, "company_name");
	(void)snprintf(want, sizeof(want), "%s.d/a.conf", f->path);
	assert_string_equal(p->vars[1].file, want);
	assert_string_equal(p->file, f->path);
	assert_int_equal(p->line, 3);
	/* Text that looks like a comment is part of the value, with a warning. */
	load_text(f, MINIMAL "[provider x]\ntoken = file:/x ; why\n");
	assert_int_equal(f->r, 0);
	assert_reported(f, 10, "warning: [provider x] token: check this value (text after a value");
	assert_string_equal(conf_provider(f->c, "x")->vars[0].value, "file:/x ; why");
}

static void
test_a_bad_dropin_breaks_the_whole(void **state)
{
	struct fixture *f = *state;
	char path[256];

	write_bytes(f->path, MINIMAL, strlen(MINIMAL));
	put_dropin(f, "a.conf", "[otp]\ntries = 2\n");
	(void)snprintf(path, sizeof(path), "%s.d/a.conf", f->path);
	assert_int_equal(chmod(path, 0664), 0);
	assert_has(load(f), "a.conf: may be written by others");
	assert_int_equal(f->r, -OTP_ECONF);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(f->path, path), 0);
	assert_has(load(f), "a.conf: is a symbolic link");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/nowhere", path), 0);
	assert_has(load(f), "a.conf: is a symbolic link");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_has(load(f), "a.conf: is not a regular file");
	assert_int_equal(rmdir(path), 0);
	assert_string_equal(load(f), "");
}

static void
test_the_folder_of_dropins_is_judged(void **state)
{
	struct fixture *f = *state;
	char folder[128], other[128];

	(void)snprintf(folder, sizeof(folder), "%s.d", f->path);
	(void)snprintf(other, sizeof(other), "%s/other", f->dir);
	write_bytes(f->path, MINIMAL, strlen(MINIMAL));
	assert_int_equal(mkdir(folder, 0777), 0);
	assert_int_equal(chmod(folder, 0777), 0);
	assert_has(load(f), ".d: may be written by others than its owner (mode 0777)");
	assert_int_equal(rename(folder, other), 0);
	assert_int_equal(chmod(other, 0755), 0);
	assert_int_equal(symlink(other, folder), 0);
	assert_has(load(f), ".d: is a symbolic link");
	assert_int_equal(unlink(folder), 0);
	write_bytes(folder, "", 0);
	assert_has(load(f), ".d: is not a folder");
	assert_int_equal(f->r, -OTP_ECONF);
}

/* Files that are not trusted. */

static void
test_files_that_strangers_could_have_written(void **state)
{
	struct fixture *f = *state;
	char other[128];

	(void)snprintf(other, sizeof(other), "%s/other", f->dir);
	assert_has(load(f), "pam_otp.conf: there is no such file");
	assert_int_equal(f->r, -OTP_ECONF);
	write_bytes(f->path, MINIMAL, strlen(MINIMAL));
	assert_string_equal(load(f), "");
	assert_int_equal(chmod(f->path, 0664), 0);
	assert_has(load(f), "may be written by others than its owner (mode 0664)");
	assert_int_equal(chmod(f->path, 0646), 0);
	assert_has(load(f), "may be written by others than its owner (mode 0646)");
	assert_int_equal(chmod(f->path, 0644), 0);
	assert_int_equal(rename(f->path, other), 0);
	assert_int_equal(symlink(other, f->path), 0);
	assert_has(load(f), "is a symbolic link");
	assert_int_equal(f->r, -OTP_ECONF);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(mkdir(f->path, 0755), 0);
	assert_has(load(f), "is not a regular file");
	assert_int_equal(f->r, -OTP_ECONF);
}

static void
test_a_fifo_is_refused_without_waiting(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifo(f->path, 0644), 0);
	alarm(5);
	assert_has(load(f), "is not a regular file");
	alarm(0);
	assert_int_equal(f->r, -OTP_ECONF);
}

static void
test_a_file_of_another_user_is_refused(void **state)
{
	struct fixture *f = *state;
	uid_t owner = geteuid(), trusted = geteuid();

	write_bytes(f->path, MINIMAL, strlen(MINIMAL));
	/* root changes the file's owner. Others cannot, so they name another second owner. */
	if (owner == 0) {
		owner = 4242;
		assert_int_equal(chown(f->path, owner, (gid_t)-1), 0);
	} else {
		trusted = owner + 1;
	}
	assert_has(load_as(f, trusted), "pam_otp.conf: belongs to uid ");
	assert_int_equal(f->r, -OTP_ECONF);
	assert_string_equal(load_as(f, owner), "");
}

static void
test_a_file_that_cannot_be_read_is_an_error(void **state)
{
	struct fixture *f = *state;
	bool root = geteuid() == 0;

	write_bytes(f->path, MINIMAL, strlen(MINIMAL));
	assert_int_equal(chmod(f->path, root ? 0600 : 0), 0);
	if (root)
		assert_int_equal(seteuid(65534), 0);
	load_as(f, 0);
	if (root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(f->r, -OTP_ECONF);
	assert_has(buf_str(&f->report), "cannot be read: Permission denied");
}

static void
test_the_size_has_a_limit(void **state)
{
	struct fixture *f = *state;
	size_t size = 256 * 1024;
	char *text = malloc(size + 1);

	assert_non_null(text);
	memset(text, '#', size + 1);
	for (size_t i = 79; i < size; i += 80)
		text[i] = '\n';
	memcpy(text, MINIMAL, strlen(MINIMAL));
	text[strlen(MINIMAL)] = '\n';
	write_bytes(f->path, text, size);
	assert_string_equal(load(f), "");
	write_bytes(f->path, text, size + 1);
	assert_has(load(f), "is too large, expected at most 256 KiB");
	assert_int_equal(f->r, -OTP_ECONF);
	free(text);
}

/* What no error repeats. */

static void
test_secrets_are_not_repeated_in_errors(void **state)
{
	struct fixture *f = *state;

	refused(f, MINIMAL "[provider x]\nproxy = http://u:geheim@proxy\n", 10,
	    "[provider x] proxy: expected a URL");
	assert_lacks(buf_str(&f->report), "geheim");
	refused(f, MINIMAL "[otp]\ntoken = geheim\n", 10, "[otp] token: there is no such key");
	assert_lacks(buf_str(&f->report), "geheim");
	refused(f, MINIMAL "[provider x]\ntoken geheim\n", 10, "expected KEY = VALUE");
	assert_lacks(buf_str(&f->report), "geheim");
	refused(f, MINIMAL "[provider x]\nTOKEN = geheim\n", 10, "[provider x] TOKEN: a key");
	assert_lacks(buf_str(&f->report), "geheim");
	refused(
	    f, MINIMAL "[provider x]\ntoken = geheim\ntoken = geheim\n", 11, "[provider x] tok");
	assert_lacks(buf_str(&f->report), "geheim");
}

/* Parsers of single values. */

static void
test_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {{"0s", 0}, {"0ms", 0}, {"1ms", 1}, {"100ms", 100}, {"30s", 30000},
	    {"5m", 300000}, {"1h", 3600000}, {"2d", 172800000}, {"1000000d", 86400000000000}};
	char text[CONF_DURATION_TEXT];
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(conf_duration(good[i].text, &ms), 0);
		assert_int_equal(ms, good[i].ms);
		assert_int_equal(conf_duration(conf_duration_text(ms, text), &ms), 0);
		assert_int_equal(ms, good[i].ms);
	}
	ms = 7;
	assert_int_equal(conf_duration("", &ms), -OTP_EINVAL);
	assert_int_equal(conf_duration("999999999999999d", &ms), -OTP_EINVAL);
	assert_int_equal(conf_duration("1w", &ms), -OTP_EINVAL);
	assert_int_equal(ms, 7);
	assert_string_equal(conf_duration_text(90000, text), "90s");
	assert_string_equal(conf_duration_text(120000, text), "2m");
	assert_string_equal(conf_duration_text(1500, text), "1500ms");
}

static void
test_suggestions(void **state)
{
	static const char *const words[] = {"tries", "code_length", "users", "ca"};

	(void)state;
	assert_string_equal(conf_suggest("trise", words, 4), "tries");
	assert_string_equal(conf_suggest("TRIES", words, 4), "tries");
	assert_string_equal(conf_suggest("codelength", words, 4), "code_length");
	assert_string_equal(conf_suggest("user", words, 4), "users");
	assert_null(conf_suggest("x", words, 4));
	assert_null(conf_suggest("completely", words, 4));
	assert_null(conf_suggest("", words, 4));
	assert_null(conf_suggest("tries", words, 0));
	assert_null(
	    conf_suggest("0123456789012345678901234567890123456789012345678901234567890123456"
			 "789",
		words, 4));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_minimal_has_the_defaults),
	    TEST(test_every_option_flips),
	    TEST(test_every_option_of_otp_flips_for_a_service),
	    TEST(test_values_outside_their_range_are_refused),
	    TEST(test_bad_values_are_refused_for_every_type),
	    TEST(test_values_that_must_be_taken),
	    TEST(test_lists_name_the_item_and_the_cause),
	    TEST(test_lists_have_their_most),
	    TEST(test_prefixes_say_where_messages_may_go),
	    TEST(test_all_errors_of_all_files_come_in_one_report),
	    TEST(test_unknown_names_are_errors_with_a_suggestion),
	    TEST(test_names_of_sections),
	    TEST(test_what_stands_twice_is_an_error),
	    TEST(test_lines_that_would_be_misread_are_errors),
	    TEST(test_bytes_that_are_no_text_are_errors),
	    TEST(test_long_lines_and_many_errors),
	    TEST(test_empty_files_and_comments),
	    TEST(test_references_must_lead_somewhere),
	    TEST(test_timeouts_must_nest),
	    TEST(test_a_service_inherits_from_otp),
	    TEST(test_exempt_rules_need_a_condition_a_reason_and_an_end),
	    TEST(test_exempt_rules_are_warned_of_around_their_end),
	    cmocka_unit_test(test_until_is_the_end_of_the_day_in_local_time),
	    TEST(test_later_files_win_in_version_order),
	    TEST(test_free_keys_of_a_provider_keep_their_origin),
	    TEST(test_a_bad_dropin_breaks_the_whole),
	    TEST(test_the_folder_of_dropins_is_judged),
	    TEST(test_files_that_strangers_could_have_written),
	    TEST(test_a_fifo_is_refused_without_waiting),
	    TEST(test_a_file_of_another_user_is_refused),
	    TEST(test_a_file_that_cannot_be_read_is_an_error),
	    TEST(test_the_size_has_a_limit),
	    TEST(test_secrets_are_not_repeated_in_errors),
	    cmocka_unit_test(test_durations),
	    cmocka_unit_test(test_suggestions),
	};

	/* Dates are in local time: the tests use UTC. */
	setenv("TZ", "UTC0", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
