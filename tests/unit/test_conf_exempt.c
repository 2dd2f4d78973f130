/* An [exempt] rule that can never match is an error. One that expired or never decides is not. */
#include "tests/unit/unit.h"

#include <time.h>

#include "common/err.h"
#include "helpers/conf/conf.h"
#include "tests/unit/report.h"

#define CHANNEL                  \
	"[channel sms]\n"        \
	"providers = tingting\n" \
	"[provider tingting]\n"  \
	"token = file:/etc/x\n"
/* A rule whose heading is line 5. Its further keys begin at line 8. */
#define RULE(more)           \
	"[exempt x]\n"       \
	"reason = because\n" \
	"until = 2030-12-31\n" more "\n"
#define SECOND(name, until, more) \
	"[exempt " name "]\nreason = because\nuntil = " until "\n" more "\n"

/* Noon of 15 June 2026. */
static int64_t
noon(void)
{
	struct tm t = {.tm_year = 126, .tm_mon = 5, .tm_mday = 15, .tm_hour = 12, .tm_isdst = -1};

	return mktime(&t);
}

/* Loads the text. Returns its report as lines without the file's name; *r is the result. */
static const char *
report_on(const char *text, int *r)
{
	static char lines[4096];
	struct conf_report report = {.max = sizeof(lines)};
	struct folder dir;
	struct conf *c = NULL;
	const char *path;
	size_t n = 0;

	folder_make(&dir);
	path = folder_write(&dir, "otp.conf", text, 0644);
	*r = conf_load_at(path, geteuid(), noon(), &c, &report);
	for (const char *s = report_text(&report); *s; s += strcspn(s, "\n") + 1) {
		assert_int_equal(strncmp(s, path, strlen(path)), 0);
		s += strlen(path) + 1;
		n += (size_t)snprintf(
		    lines + n, sizeof(lines) - n, "%.*s\n", (int)strcspn(s, "\n"), s);
		assert_true(n < sizeof(lines));
	}
	lines[n] = '\0';
	conf_free(c);
	conf_report_clear(&report);
	folder_drop(&dir);
	return lines;
}

struct row {
	const char *text;
	const char *report; /* the whole report, or its beginning; "" for an empty one */
};

static void
check_rows(const struct row *row, size_t n, int want)
{
	for (size_t i = 0; i < n; i++) {
		int r;
		const char *lines = report_on(row[i].text, &r);

		ROW(r == want, row[i].text);
		if (strncmp(lines, row[i].report, strlen(row[i].report)) != 0 ||
		    (!*row[i].report && *lines))
			fail_msg("row \"%s\" said:\n%s", row[i].text, lines);
	}
}

#define NO_CALLER(line)                                                                            \
#line ": warning: [otp] identity: with caller, sshd signs nobody in, because it names no " \
	      "caller; set it in a section such as [service su su-l]\n"
#define NEVER(line, cause) #line ": [exempt x] can never match: none of its services " cause

static const struct row impossible[] = {
    {CHANNEL RULE("services = sudo\nnetworks = 10.0.0.0/8"),
	NEVER(9, "knows a client address; remove networks, or change services")},
    {CHANNEL RULE("networks = 10.0.0.0/8\nservices = su, su-l, polkit-1"), NEVER(8, "knows")},
    {CHANNEL RULE("services = sudo\nrequires = publickey"),
	NEVER(9, "reports a public key, only sshd does; remove requires, or change services")},
    {CHANNEL RULE("services = login, dovecot, su\nrequires = publickey"), NEVER(9, "reports a")},
    {CHANNEL RULE("services = doas\nnetworks = 10.0.0.0/8"), NEVER(9, "knows a client address")},
    {CHANNEL RULE("services = doas\nrequires = publickey"), NEVER(9, "reports a public key")},
    {CHANNEL RULE("services = gdm-password\nrequires = publickey"), NEVER(9, "reports a public")},
    {CHANNEL RULE("services = lightdm\nrequires = publickey"), NEVER(9, "reports a public key")},
    {CHANNEL RULE("services = sddm\nrequires = publickey"), NEVER(9, "reports a public key")},
    {CHANNEL RULE("services = cockpit\nrequires = publickey"), NEVER(9, "reports a public key")},
    {CHANNEL RULE("services = systemd-user\nrequires = publickey"), NEVER(9, "reports a public")},
    {CHANNEL RULE("users = a\nnetworks = 0.0.0.0"),
	"9: [exempt x] networks: 0.0.0.0/32 can never match: no client has such an address"},
    {CHANNEL RULE("networks = 10.0.0.0/8, 239.1.2.0/24"), "8: [exempt x] networks: 239.1.2.0/24"},
    {CHANNEL RULE("networks = ::"), "8: [exempt x] networks: ::/128 can never match"},
    {CHANNEL RULE("networks = ff02::/16"), "8: [exempt x] networks: ff02::/16 can never match"},
    {CHANNEL RULE("networks = 255.255.255.255"), "8: [exempt x] networks: 255.255.255.255/32"},
    /* All IPv4 addresses cannot be exempt, however the networks are written. */
    {CHANNEL RULE("networks = ::ffff:0:0/96"),
	"8: [exempt x] networks: \"::ffff:0:0/96\": no single owner has a network wider than /8"},
    {CHANNEL RULE("networks = 0.0.0.0/0"), "8: [exempt x] networks: \"0.0.0.0/0\""},
    {CHANNEL RULE("networks = 0.0.0.0/1, 128.0.0.0/1"), "8: [exempt x] networks: \"0.0.0.0/1\""},
    {CHANNEL RULE("networks = ::/1, 8000::/1"), "8: [exempt x] networks: \"::/1\""},
    {CHANNEL RULE("networks = localhost"), "8: [exempt x] networks: \"localhost\""},
    {CHANNEL RULE("networks = 10.0.0.0/8.example"), "8: [exempt x] networks"},
    {CHANNEL RULE("networks = fe80::1%eth0"), "8: [exempt x] networks"},
    {CHANNEL RULE("networks = fe80::%eth0/64"), "8: [exempt x] networks"},
    {CHANNEL RULE("networks = 10.0.0.1/8"), "8: [exempt x] networks"},
    {CHANNEL RULE("services = peer:su"), "8: [exempt x] services"},
    /* With identity = caller, sign-ins from another machine are refused. */
    {CHANNEL RULE("services = x, sudo\nnetworks = 10.0.0.0/8") "[service x]\nidentity = caller\n",
	NEVER(9, "knows a client address")},
    {CHANNEL RULE("services = x\nrequires = publickey") "[service x]\nidentity = caller\n",
	NEVER(9, "reports a public key")},
    {CHANNEL RULE("networks = 10.0.0.0/8") "[otp]\nidentity = caller\n",
	NO_CALLER(10) NEVER(8, "knows a client address")},
    {CHANNEL RULE("users = a\nrequires = publickey") "[otp]\nidentity = caller\n[service login]\n"
						     "identity = target\n",
	NO_CALLER(11) NEVER(9, "reports a public key")},
    /* Addresses of this machine match alone. */
    {CHANNEL RULE("networks = 127.0.0.0/8"),
	"8: [exempt x] networks: 127.0.0.0/8 can never match: the addresses are this machine's "
	"own, and such an address matches alone; list the address itself, as in networks = "
	"127.0.0.1\n"},
    {CHANNEL RULE("networks = 10.0.0.0/8, 127.0.0.0/31"),
	"8: [exempt x] networks: 127.0.0.0/31 can never match: the addresses are this machine's "
	"own, and such an address matches alone; list the address itself, as in networks = "
	"127.0.0.1\n"},
    {CHANNEL RULE("networks = ::/127"),
	"8: [exempt x] networks: ::/127 can never match: the addresses are this machine's own, and "
	"such an address matches alone; list the address itself, as in networks = ::1\n"},
    /* A rule that has expired must still be correct. */
    {CHANNEL SECOND("x", "2001-01-01", "services = su\nnetworks = 10.0.0.0/8"),
	NEVER(9, "knows a client address")},
};

static const struct row possible[] = {
    {CHANNEL RULE("services = sudo, sshd\nnetworks = 10.0.0.0/8"), ""},
    {CHANNEL RULE("services = sudo, sshd\nrequires = publickey"), ""},
    {CHANNEL RULE("services = x, y\nnetworks = 10.0.0.0/8") "[service x]\nidentity = caller\n", ""},
    {CHANNEL RULE("networks = 10.0.0.0/8") "[service x]\nidentity = caller\n", ""},
    /* login can have a client address: telnetd gives it one. */
    {CHANNEL RULE("services = login\nnetworks = 10.0.0.0/8"), ""},
    /* A program that may be sshd under another name. */
    {CHANNEL RULE("services = sshd-jump\nrequires = publickey\nnetworks = 10.0.0.0/8"), ""},
    {CHANNEL RULE("users = a\nrequires = publickey"), ""},
    {CHANNEL RULE("networks = 127.0.0.1, ::1, ::ffff:10.0.0.0/104, 2600::/16, fe80::/10"), ""},
    {CHANNEL RULE("services = dovecot\nnetworks = 10.0.0.0/8"), ""},
    /* A web console and a remote desktop have client addresses. */
    {CHANNEL RULE("services = cockpit\nnetworks = 10.0.0.0/8"), ""},
    {CHANNEL RULE("services = gdm-password, lightdm\nnetworks = 10.0.0.0/8"), ""},
    {CHANNEL RULE("services = cockpit, sshd\nrequires = publickey"), ""},
};

static void
a_rule_that_can_never_match_is_an_error(void **state)
{
	(void)state;
	check_rows(impossible, COUNT(impossible), -OTP_ECONF);
}

static void
a_rule_that_may_match_is_no_error(void **state)
{
	(void)state;
	check_rows(possible, COUNT(possible), 0);
}

/* identity = caller at a service whose program names no caller signs nobody in. */
static const struct row callers[] = {
    {CHANNEL "[otp]\nidentity = caller\n",
	"6: warning: [otp] identity: with caller, sshd signs nobody in"},
    {CHANNEL "[otp]\nidentity = caller\n[service sshd login]\nidentity = target\n",
	"6: warning: [otp] identity: with caller, remote signs nobody in"},
    {CHANNEL "[service su sshd]\nidentity = caller\n",
	"6: warning: [service su sshd] identity: with caller, sshd signs nobody in"},
    {CHANNEL "[service su su-l]\nidentity = caller\n", ""},
    {CHANNEL "[otp]\nidentity = target\n[service sudo]\nidentity = caller\n", ""},
};

static void
identity_caller_warns_if_no_caller_is_named(void **state)
{
	(void)state;
	check_rows(callers, COUNT(callers), 0);
}

#define SHADOWED "warning: [exempt y] never decides: [exempt x] is tried before it"

/* The keys of the first rule; the end and the keys of the second; is there a warning about it? */
static const struct {
	const char *first, *until, *second;
	bool shadowed;
} pairs[] = {
    {"users = a, b", "2030-12-31", "users = b", true},
    {"users = a, b", "2031-01-01", "users = b", false},
    {"users = a, b", "2030-12-30", "users = b, c", false},
    {"users = a", "2030-12-31", "groups = g", false},
    {"users = a", "2030-12-31", "users = a\ngroups = g", true},
    {"users = a\ngroups = g", "2030-12-31", "users = a", false},
    {"groups = g", "2030-12-31", "groups = g\nrequires = publickey", true},
    {"groups = g\nrequires = publickey", "2030-12-31", "groups = g", false},
    {"services = sshd, su", "2030-12-31", "users = a\nservices = su", true},
    {"networks = 10.0.0.0/8", "2030-12-31", "networks = 10.1.0.0/16, 10.2.3.4", true},
    {"networks = 10.0.0.0/8", "2030-12-31", "networks = 10.1.0.0/16, 11.2.3.4", false},
    {"networks = 10.1.0.0/16", "2030-12-31", "networks = 10.0.0.0/8", false},
    {"networks = 10.0.0.0/8", "2030-12-31", "networks = ::ffff:10.1.0.0/112", true},
    /* ::/16 contains no IPv4 addresses. */
    {"networks = ::/16", "2030-12-31", "networks = 10.0.0.0/8", false},
    {"networks = ::/16", "2030-12-31", "networks = ::1", true},
    {"networks = 2001::/16", "2030-12-31", "networks = 2001:db8::/32", true},
    {"networks = 10.0.0.0/8", "2030-12-31", "users = a", false},
};

static void
a_rule_that_an_earlier_one_covers_warns(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		char text[1024];
		int r;
		const char *lines;

		(void)snprintf(text, sizeof(text),
		    CHANNEL RULE("%s") "[exempt y]\nreason = r\nuntil = %s\n%s\n", pairs[i].first,
		    pairs[i].until, pairs[i].second);
		lines = report_on(text, &r);
		ROW(!r, text);
		ROW((strstr(lines, SHADOWED) != NULL) == pairs[i].shadowed, text);
	}
}

/* Rules with groups are tried after those without, in whatever order they are written. */
static void
a_rule_with_groups_never_comes_before_one_without(void **state)
{
	int r;
	const char *lines;

	(void)state;
	lines = report_on(CHANNEL RULE("groups = g\nnetworks = 10.0.0.0/8")
			      SECOND("y", "2030-12-31", "networks = 10.0.0.0/8"),
	    &r);
	assert_int_equal(r, 0);
	if (!strstr(lines, "warning: [exempt x] never decides: [exempt y] is tried before it") ||
	    strstr(lines, "[exempt y] never"))
		fail_msg("it said:\n%s", lines);
}

static void
an_expired_rule_warns_and_covers_nothing(void **state)
{
	const char *lines;
	int r;

	(void)state;
	lines = report_on(CHANNEL SECOND("x", "2026-06-14", "users = a")
			      SECOND("y", "2026-06-10", "users = a"),
	    &r);
	assert_int_equal(r, 0);
	assert_string_equal(lines,
	    "7: warning: [exempt x] expired at the end of 2026-06-14 and exempts nobody; "
	    "remove it, or set a later until\n"
	    "11: warning: [exempt y] expired at the end of 2026-06-10 and exempts nobody; "
	    "remove it, or set a later until\n");
}

static const struct row people[] = {
    {"[otp]\ninteractive_services = sudo, cups\n" CHANNEL,
	"2: [otp] interactive_services: cups is in never_prompt_services as well; a service can"},
    {"[otp]\nnever_prompt_services = sudo\n" CHANNEL,
	"2: [otp] never_prompt_services: sudo is in interactive_services as well"},
    {CHANNEL "[service cups]\ninteractive_services = cups\n",
	"6: [service cups] interactive_services: cups is in never_prompt_services as well"},
};

static const struct row people_apart[] = {
    {"[otp]\ninteractive_services = sudo, cups\nnever_prompt_services = dovecot\n" CHANNEL, ""},
    {CHANNEL "[service cups]\ninteractive_services = cups\nnever_prompt_services =\n", ""},
};

static void
a_service_is_in_one_list_of_services_only(void **state)
{
	(void)state;
	check_rows(people, COUNT(people), -OTP_ECONF);
	check_rows(people_apart, COUNT(people_apart), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rule_that_can_never_match_is_an_error),
	    cmocka_unit_test(a_rule_that_may_match_is_no_error),
	    cmocka_unit_test(identity_caller_warns_if_no_caller_is_named),
	    cmocka_unit_test(a_rule_that_an_earlier_one_covers_warns),
	    cmocka_unit_test(a_rule_with_groups_never_comes_before_one_without),
	    cmocka_unit_test(an_expired_rule_warns_and_covers_nothing),
	    cmocka_unit_test(a_service_is_in_one_list_of_services_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
