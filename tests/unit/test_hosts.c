/* The table of host programs: each row, and what the configuration concludes from it. */
#include "tests/unit/unit.h"

#include "helpers/base/hosts.h"
#include "helpers/conf/conf.h"
#include "helpers/conf/parse.h"
#include "helpers/login/login.h"
#include "helpers/login/source.h"
#include "tests/unit/report.h"

static void
every_row_is_a_service_that_stands_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < hosts_n; i++) {
		const struct host *h = &hosts[i];

		ROW(conf_is_service(h->service), h->service);
		/* No earlier row has this name. */
		ROW(host_of(h->service) == h, h->service);
	}
}

static void
no_row_contradicts_itself(void **state)
{
	(void)state;
	for (size_t i = 0; i < hosts_n; i++) {
		const struct host *h = &hosts[i];

		/* A user who signs in by a public key comes from another machine. */
		ROW(h->no_key || (!h->no_client && h->person != HOST_PERSON_NONE), h->service);
		ROW(!h->no_caller || !h->calls_itself, h->service);
	}
}

/* Users see no difference within a family, so its rows are equal. */
static void
services_of_a_family_are_alike(void **state)
{
	(void)state;
	for (size_t i = 0; i < hosts_n; i++) {
		const struct host *h = &hosts[i], *first = host_of(host_family(h->service));

		ROW(first->service && !first->family, h->service);
		ROW(h->no_client == first->no_client && h->no_caller == first->no_caller &&
			h->no_key == first->no_key && h->calls_itself == first->calls_itself &&
			h->person == first->person,
		    h->service);
	}
}

static void
an_unknown_service_has_no_flags(void **state)
{
	static const char *const names[] = {"", "sud", "sudo-", "sshd2", "SSHD"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct host *h = host_of(names[i]);

		ROW(!h->service && !h->no_client && !h->no_caller && !h->no_key &&
			!h->calls_itself && h->person == HOST_PERSON_UNSURE,
		    names[i]);
		ROW(!strcmp(host_family(names[i]), names[i]), names[i]);
	}
}

/* The default of an option names exactly the rows with its property, in their order. */
static void
assert_default(const char *text, enum host_person person)
{
	struct strlist list = {0};
	size_t n = 0;

	assert_int_equal(conf_list(text, conf_is_service, &list), 0);
	for (size_t i = 0; i < hosts_n; i++) {
		if (hosts[i].person != person)
			continue;
		ROW(n < list.n && !strcmp(list.item[n], hosts[i].service), hosts[i].service);
		n++;
	}
	assert_int_equal(n, list.n);
	strlist_free(&list);
}

static void
the_defaults_of_the_options_are_the_rows(void **state)
{
	(void)state;
	assert_default(HOSTS_INTERACTIVE, HOST_PERSON_THERE);
	assert_default(HOSTS_NEVER_PROMPT, HOST_PERSON_NONE);
}

/* True if the report on a configuration that ends in these lines has this message. */
static bool
has_message(const char *before, const char *service, const char *after, const char *message)
{
	struct conf_report report = {.max = 4096};
	struct folder dir;
	struct conf *c = NULL;
	char text[512];
	bool reported;

	(void)snprintf(text, sizeof(text),
	    "[channel sms]\nproviders = x\n[provider x]\ntoken = file:/etc/x\n%s%s%s\n", before,
	    service, after);
	folder_make(&dir);
	(void)conf_load_at(
	    folder_write(&dir, "otp.conf", text, 0644), geteuid(), 1781524800, &c, &report);
	reported = strstr(report_text(&report), message) != NULL;
	ROW(reported == (report.n > 0), text);
	conf_free(c);
	conf_report_clear(&report);
	folder_drop(&dir);
	return reported;
}

#define RULE "[exempt x]\nreason = r\nuntil = 2030-12-31\nservices = "

static void
the_configuration_concludes_from_each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < hosts_n; i++) {
		const struct host *h = &hosts[i];

		ROW(has_message(RULE, h->service, "\nnetworks = 192.0.2.0/24",
			"can never match: none of its services knows a client address") ==
			h->no_client,
		    h->service);
		ROW(has_message(RULE, h->service, "\nrequires = publickey",
			"can never match: none of its services reports a public key") == h->no_key,
		    h->service);
		ROW(has_message("[service ", h->service, "]\nidentity = caller",
			"signs nobody in, because it names no caller") == h->no_caller,
		    h->service);
	}
}

/* A local sign-in is remembered for the family. */
static void
a_sign_in_is_remembered_for_the_family(void **state)
{
	(void)state;
	for (size_t i = 0; i < hosts_n; i++) {
		struct login_start start = {.service = hosts[i].service,
		    .user = "asha",
		    .rhost = "",
		    .tty = "/dev/pts/3",
		    .ruser = "asha",
		    .ssh_connection = "",
		    .ssh_auth_info = "",
		    .session = "812",
		    .session_start = "1000",
		    .boot_id = "b"};
		struct source s;
		char want[128];

		(void)snprintf(want, sizeof(want), "local %s asha /dev/pts/3 812 1000 b",
		    host_family(hosts[i].service));
		assert_int_equal(source_of(&start, &s), 0);
		ROW(!strcmp(s.remember, want), hosts[i].service);
	}
}

/* The rows that matter most, word for word. */
static void
the_best_known_rows_say_what_is_known(void **state)
{
	static const struct {
		struct host host;
		const char *family;
	} rows[] = {
	    {{"sshd", .no_caller = true}, "sshd"},
	    {{"sudo", .no_client = true, .no_key = true, .calls_itself = true,
		 .person = HOST_PERSON_THERE},
		"sudo"},
	    {{"sudo-i", .no_client = true, .no_key = true, .calls_itself = true,
		 .person = HOST_PERSON_THERE},
		"sudo"},
	    {{"su-l", .no_client = true, .no_key = true, .person = HOST_PERSON_THERE}, "su"},
	    {{"login", .no_caller = true, .no_key = true, .person = HOST_PERSON_THERE}, "login"},
	    {{"gdm-password", .no_caller = true, .no_key = true}, "gdm-password"},
	    {{"polkit-1", .no_client = true, .no_key = true}, "polkit-1"},
	    {{"dovecot", .no_key = true, .person = HOST_PERSON_NONE}, "dovecot"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct host *want = &rows[i].host, *h = host_of(want->service);

		ROW(h->service && h->no_client == want->no_client &&
			h->no_caller == want->no_caller && h->no_key == want->no_key &&
			h->calls_itself == want->calls_itself && h->person == want->person,
		    want->service);
		ROW(!strcmp(host_family(want->service), rows[i].family), want->service);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_is_a_service_that_stands_once),
	    cmocka_unit_test(no_row_contradicts_itself),
	    cmocka_unit_test(services_of_a_family_are_alike),
	    cmocka_unit_test(an_unknown_service_has_no_flags),
	    cmocka_unit_test(the_defaults_of_the_options_are_the_rows),
	    cmocka_unit_test(the_configuration_concludes_from_each_row),
	    cmocka_unit_test(a_sign_in_is_remembered_for_the_family),
	    cmocka_unit_test(the_best_known_rows_say_what_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
