/* The [exempt] rules: who is not asked, and above all who is. */
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/err.h"
#include "helpers/conf.h"
#include "helpers/conf_parse.h"
#include "helpers/rules.h"

/* The name service of these tests: the groups robots (5000) and large (5001, a long record). */
static int service_errno;
static int interruptions;
static size_t asked;

int __wrap_getgrnam_r(
    const char *name, struct group *record, char *memory, size_t size, struct group **found);
int __wrap_getpwnam_r(
    const char *name, struct passwd *record, char *memory, size_t size, struct passwd **found);

int
__wrap_getgrnam_r(
    const char *name, struct group *record, char *memory, size_t size, struct group **found)
{
	(void)memory;
	*found = NULL;
	asked++;
	if (interruptions && interruptions--)
		return EINTR;
	if (service_errno)
		return service_errno;
	if (!strcmp(name, "large") && size < 100000)
		return ERANGE;
	if (!strcmp(name, "endless"))
		return ERANGE;
	if (strcmp(name, "robots") != 0 && strcmp(name, "large") != 0)
		return 0;
	*record = (struct group){.gr_gid = name[0] == 'r' ? 5000 : 5001};
	*found = record;
	return 0;
}

int
__wrap_getpwnam_r(
    const char *name, struct passwd *record, char *memory, size_t size, struct passwd **found)
{
	(void)memory;
	(void)size;
	*found = NULL;
	if (service_errno)
		return service_errno;
	if (strcmp(name, "ansible") != 0)
		return 0;
	*record = (struct passwd){.pw_uid = 4000};
	*found = record;
	return 0;
}

static int
reset(void **state)
{
	(void)state;
	service_errno = 0;
	interruptions = 0;
	asked = 0;
	return 0;
}

enum { NOW = 1000000, LATER = NOW + 1 };

/* A list in place, for rules made by hand. */
#define LIST(...)                                                                  \
	{                                                                          \
		.item = (char **)(const char *[]){__VA_ARGS__},                    \
		.n = sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *), \
	}

static struct in6_addr
address(const char *s)
{
	struct in6_addr a;

	assert_true(rules_address(s, &a));
	return a;
}

/* What the rule says of the request: 1 not asked, 0 asked, or the error. */
static int
decide(struct conf_exempt *e, const struct rules_request *q)
{
	struct conf c = {.exempt = e, .nexempts = 1};
	const struct conf_exempt *rule = e;
	int r = rules_decide(&c, q, &rule);

	if (r) {
		assert_null(rule);
		return r;
	}
	assert_true(!rule || rule == e);
	return rule != NULL;
}

static bool
network_matches(const char *network, const char *client)
{
	struct conf_network n;
	struct conf_exempt e = {
	    .name = (char *)"x", .network = &n, .nnetworks = 1, .until_s = LATER};
	struct rules_request q = {.user = "a", .service = "sshd", .now_s = NOW};

	assert_int_equal(conf_network(network, &n), 0);
	q.has_client = client != NULL;
	if (client)
		q.client = address(client);
	return decide(&e, &q) == 1;
}

static void
test_without_rules_everyone_is_asked(void **state)
{
	struct conf c = {0};
	struct rules_request q = {.user = "root", .service = "sshd", .now_s = NOW};
	const struct conf_exempt *rule = (void *)&c;

	(void)state;
	assert_int_equal(rules_decide(&c, &q, &rule), 0);
	assert_null(rule);
}

static void
test_users_and_services_match_by_their_whole_name(void **state)
{
	struct conf_exempt e = {.users = LIST("ansible", "backup"), .until_s = LATER};
	struct conf_exempt s = {.services = LIST("cron"), .until_s = LATER};
	struct rules_request q = {.user = "ansible", .service = "sshd", .now_s = NOW};

	(void)state;
	assert_int_equal(decide(&e, &q), 1);
	q.user = "backup";
	assert_int_equal(decide(&e, &q), 1);
	q.user = "ansible2";
	assert_int_equal(decide(&e, &q), 0);
	q.user = "Ansible";
	assert_int_equal(decide(&e, &q), 0);
	q.user = "";
	assert_int_equal(decide(&e, &q), 0);
	assert_int_equal(decide(&s, &q), 0);
	q.service = "cron";
	assert_int_equal(decide(&s, &q), 1);
	/* What a peer calls itself is never a service of a rule. */
	q.service = "peer:cron";
	assert_int_equal(decide(&s, &q), 0);
}

static void
test_all_kinds_that_are_given_must_match(void **state)
{
	struct conf_network n;
	struct conf_exempt e = {.users = LIST("ansible"),
	    .groups = LIST("robots"),
	    .services = LIST("sshd"),
	    .network = &n,
	    .nnetworks = 1,
	    .requires_publickey = true,
	    .until_s = LATER};
	const gid_t groups[] = {1, 5000}, no_groups[] = {1};
	const struct rules_request all = {.user = "ansible",
	    .groups = groups,
	    .ngroups = 2,
	    .service = "sshd",
	    .has_client = true,
	    .client = address("10.1.2.3"),
	    .publickey = true,
	    .now_s = NOW};
	struct rules_request q = all;

	(void)state;
	assert_int_equal(conf_network("10.0.0.0/8", &n), 0);
	assert_int_equal(decide(&e, &q), 1);
	q.user = "root";
	assert_int_equal(decide(&e, &q), 0);
	q = all;
	q.groups = no_groups;
	q.ngroups = 1;
	assert_int_equal(decide(&e, &q), 0);
	q = all;
	q.service = "sudo";
	assert_int_equal(decide(&e, &q), 0);
	q = all;
	q.client = address("11.1.2.3");
	assert_int_equal(decide(&e, &q), 0);
	q = all;
	q.has_client = false;
	assert_int_equal(decide(&e, &q), 0);
	q = all;
	q.publickey = false;
	assert_int_equal(decide(&e, &q), 0);
}

static void
test_a_rule_that_is_over_exempts_nobody(void **state)
{
	struct conf_exempt e = {.users = LIST("ansible"), .until_s = NOW};
	struct rules_request q = {.user = "ansible", .service = "sshd", .now_s = NOW - 1};

	(void)state;
	assert_int_equal(decide(&e, &q), 1);
	q.now_s = NOW;
	assert_int_equal(decide(&e, &q), 0);
	q.now_s = NOW + 1;
	assert_int_equal(decide(&e, &q), 0);
}

static void
test_a_rule_without_a_condition_exempts_nobody(void **state)
{
	struct conf_exempt e = {.requires_publickey = true, .until_s = LATER};
	struct rules_request q = {
	    .user = "ansible", .service = "sshd", .publickey = true, .now_s = NOW};

	(void)state;
	assert_int_equal(decide(&e, &q), 0);
}

static void
test_the_first_rule_that_matches_is_named(void **state)
{
	struct conf_exempt e[] = {
	    {.users = LIST("a"), .until_s = NOW},
	    {.users = LIST("b"), .until_s = LATER},
	    {.users = LIST("a", "b"), .until_s = LATER},
	};
	struct conf c = {.exempt = e, .nexempts = 3};
	struct rules_request q = {.user = "a", .service = "sshd", .now_s = NOW};
	const struct conf_exempt *rule;

	(void)state;
	assert_int_equal(rules_decide(&c, &q, &rule), 0);
	assert_ptr_equal(rule, &e[2]);
	q.user = "b";
	assert_int_equal(rules_decide(&c, &q, &rule), 0);
	assert_ptr_equal(rule, &e[1]);
}

static void
test_networks(void **state)
{
	(void)state;
	assert_true(network_matches("10.0.0.0/8", "10.255.255.255"));
	assert_false(network_matches("10.0.0.0/8", "11.0.0.0"));
	assert_false(network_matches("10.0.0.0/8", "9.255.255.255"));
	assert_true(network_matches("192.0.2.128/25", "192.0.2.128"));
	assert_false(network_matches("192.0.2.128/25", "192.0.2.127"));
	assert_true(network_matches("192.0.2.7", "192.0.2.7"));
	assert_false(network_matches("192.0.2.7", "192.0.2.6"));
	assert_true(network_matches("192.0.2.7/32", "192.0.2.7"));
	assert_true(network_matches("128.0.0.0/1", "255.255.255.255"));
	assert_false(network_matches("128.0.0.0/1", "127.255.255.255"));
	/* An IPv4 client that a dual-stack listener reports in IPv6. */
	assert_true(network_matches("10.0.0.0/8", "::ffff:10.1.2.3"));
	assert_true(network_matches("::ffff:10.0.0.0/104", "10.1.2.3"));
	assert_true(network_matches("2001:db8::/32", "2001:db8:ffff::1"));
	assert_false(network_matches("2001:db8::/32", "2001:db9::1"));
	assert_true(network_matches("2001:db8::1", "2001:db8::1"));
	assert_true(network_matches("fe80::/10", "fe80::1%eth0"));
	/* Wide IPv6 networks do not swallow IPv4. */
	assert_false(network_matches("::/1", "10.1.2.3"));
	assert_true(network_matches("::/1", "2001:db8::1"));
	assert_true(network_matches("::/1", "::1"));
	/* At the console there is no address: no network matches. */
	assert_false(network_matches("0.0.0.0/1", NULL));
	assert_false(network_matches("::/1", NULL));
}

static void
test_groups_are_asked_last_and_only_where_they_decide(void **state)
{
	struct conf_exempt e = {
	    .users = LIST("ansible"), .groups = LIST("robots"), .until_s = LATER};
	struct rules_request q = {.user = "root", .service = "sshd", .now_s = NOW};

	(void)state;
	service_errno = EIO;
	assert_int_equal(decide(&e, &q), 0);
	assert_int_equal(asked, 0);
	q.user = "ansible";
	assert_int_equal(decide(&e, &q), -OTP_ESYS);
	assert_int_equal(asked, 1);
}

static void
test_groups_tell_absent_from_failed(void **state)
{
	static const int absent[] = {0, ENOENT, ESRCH};
	static const int failed[] = {EIO, EMFILE, ENFILE, ETIMEDOUT, ECONNREFUSED, EPERM, EAGAIN};
	struct conf_exempt e = {.groups = LIST("nosuch"), .until_s = LATER};
	const gid_t groups[] = {5000, 5001, 0};
	struct rules_request q = {
	    .user = "a", .groups = groups, .ngroups = 3, .service = "sshd", .now_s = NOW};

	(void)state;
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		service_errno = absent[i];
		assert_int_equal(decide(&e, &q), 0);
	}
	for (size_t i = 0; i < sizeof(failed) / sizeof(failed[0]); i++) {
		service_errno = failed[i];
		assert_int_equal(decide(&e, &q), -OTP_ESYS);
	}
}

static void
test_groups_of_any_size_and_through_interruptions(void **state)
{
	struct conf_exempt e = {.groups = LIST("nosuch", "large"), .until_s = LATER};
	struct conf_exempt endless = {.groups = LIST("endless"), .until_s = LATER};
	const gid_t groups[] = {7, 5001};
	struct rules_request q = {
	    .user = "a", .groups = groups, .ngroups = 2, .service = "sshd", .now_s = NOW};

	(void)state;
	interruptions = 3;
	assert_int_equal(decide(&e, &q), 1);
	q.ngroups = 1;
	assert_int_equal(decide(&e, &q), 0);
	q.ngroups = 0;
	q.groups = NULL;
	assert_int_equal(decide(&e, &q), 0);
	/* A record that never fits is a failure, not "no such group". */
	assert_int_equal(decide(&endless, &q), -OTP_ESYS);
}

static void
test_check_warns_of_names_that_do_not_exist(void **state)
{
	struct conf_exempt e = {.name = (char *)"robots",
	    .users = LIST("ansible", "ghost"),
	    .groups = LIST("robots", "nosuch"),
	    .until_s = LATER};
	struct conf c = {.exempt = &e, .nexempts = 1};
	struct buf report = BUF_INIT(4096);

	(void)state;
	rules_check(&c, &report);
	assert_string_equal(buf_str(&report),
	    "warning: [exempt robots] there is no user \"ghost\"\n"
	    "warning: [exempt robots] there is no group \"nosuch\"\n");
	buf_reset(&report);
	service_errno = EIO;
	rules_check(&c, &report);
	assert_non_null(strstr(buf_str(&report),
	    "warning: [exempt robots] the user \"ansible\" could not be looked up: "));
	assert_non_null(strstr(buf_str(&report),
	    "warning: [exempt robots] the group \"robots\" could not be looked up: "));
	buf_free(&report);
}

static void
test_addresses(void **state)
{
	static const char *const names[] = {"", "localhost", "host.example", "10", "10.1", "10.1.2",
	    "10.1.2.3.4", "10.1.2.256", "010.1.2.3", "0x0a.1.2.3", " 10.1.2.3", "10.1.2.3 ",
	    "10.1.2.3%eth0", "10.1.2.3/32", "::1/128", "[::1]", "::1%lo", "2001:db8::1%eth0",
	    "fe80::1%", "fe80::1%a b", "fe80::1%a%b", ":::", "1:2:3:4:5:6:7:8:9", "::g",
	    "10.1.2.3:22", "1111111111111111111111111111111111111111111111111111111111",
	    "::ffff:10.1.2.3%eth0", "UNKNOWN"};
	struct in6_addr a, b;

	(void)state;
	memset(&b, 7, sizeof(b));
	a = b;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (rules_address(names[i], &a))
			fail_msg("\"%s\" is no address", names[i]);
		assert_memory_equal(&a, &b, sizeof(a));
	}
	a = address("10.1.2.3");
	b = address("::ffff:10.1.2.3");
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(inet_pton(AF_INET6, "::ffff:10.1.2.3", &b), 1);
	assert_memory_equal(&a, &b, sizeof(a));
	a = address("fe80::1%eth0.1");
	b = address("fe80::1");
	assert_memory_equal(&a, &b, sizeof(a));
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_without_rules_everyone_is_asked),
	    TEST(test_users_and_services_match_by_their_whole_name),
	    TEST(test_all_kinds_that_are_given_must_match),
	    TEST(test_a_rule_that_is_over_exempts_nobody),
	    TEST(test_a_rule_without_a_condition_exempts_nobody),
	    TEST(test_the_first_rule_that_matches_is_named),
	    TEST(test_networks),
	    TEST(test_groups_are_asked_last_and_only_where_they_decide),
	    TEST(test_groups_tell_absent_from_failed),
	    TEST(test_groups_of_any_size_and_through_interruptions),
	    TEST(test_check_warns_of_names_that_do_not_exist),
	    TEST(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
