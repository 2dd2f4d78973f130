/* The [exempt] rules: who is not asked, and above all, who must be asked. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <strings.h>

#include "common/buf.h"
#include "common/err.h"
#include "helpers/base/own_address.h"
#include "helpers/conf/conf.h"
#include "helpers/conf/parse.h"
#include "helpers/rules/rules.h"
#include "tests/unit/report.h"

/*
 * The name service of these tests has the groups robots (5000), twins (5000) and large (5001, a
 * long record), and the user ansible in any case of letters. With part_errno, the service that
 * nsswitch.conf(5) names after the one with these fails.
 */
static int service_errno, part_errno;
static int interruptions;
static size_t asked, asked_in_vain;
static bool no_group_is_there;

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
	if (strcmp(name, "robots") != 0 && strcmp(name, "twins") != 0 &&
	    strcmp(name, "large") != 0 && !no_group_is_there) {
		asked_in_vain++;
		return part_errno;
	}
	*record = (struct group){.gr_gid = name[0] == 'l' ? 5001 : 5000};
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
	if (strcasecmp(name, "ansible") != 0)
		return part_errno;
	*record = (struct passwd){.pw_name = (char *)"ansible", .pw_uid = 4000};
	*found = record;
	return 0;
}

static int
reset(void **state)
{
	(void)state;
	service_errno = part_errno = 0;
	interruptions = 0;
	asked = asked_in_vain = 0;
	no_group_is_there = false;
	return 0;
}

enum { NOW = 1000000, LATER = NOW + 1 };

/* A literal list, for rules that a test makes. */
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

/* Decides by one rule. 1: the user is not asked; 0: the user is asked; or an error. */
static int
decide(struct conf_exempt *e, const struct rules_request *q)
{
	struct conf c = {.exempt = e, .nexempts = 1};
	const struct conf_exempt *rule = e;
	int r = rules_decide(&c, q, NULL, &rule);

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
	assert_int_equal(rules_decide(&c, &q, NULL, &rule), 0);
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
	/* The service "peer" of a host that is not root never matches a rule. */
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
test_an_expired_rule_exempts_nobody(void **state)
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
	assert_int_equal(rules_decide(&c, &q, NULL, &rule), 0);
	assert_ptr_equal(rule, &e[2]);
	q.user = "b";
	assert_int_equal(rules_decide(&c, &q, NULL, &rule), 0);
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
	/* A wide IPv6 network does not contain IPv4. */
	assert_false(network_matches("::/1", "10.1.2.3"));
	assert_true(network_matches("::/1", "2001:db8::1"));
	assert_true(network_matches("::/1", "::1"));
	/* A sign-in at the console has no address, so no network matches. */
	assert_false(network_matches("0.0.0.0/1", NULL));
	assert_false(network_matches("::/1", NULL));
}

static bool
is_own(const struct rules_request *q)
{
	(*(int *)q->arg)++;
	return true;
}

/* Whoever is on this machine can come from its own addresses: a network does not vouch for them. */
static void
test_an_own_address_matches_alone(void **state)
{
	static const struct {
		const char *network, *client;
		int matches, looks;
	} rows[] = {
	    {"10.0.0.0/8", "10.1.2.3", 0, 1},
	    {"10.1.2.2/31", "10.1.2.3", 0, 1},
	    {"10.0.0.0/8", "::ffff:10.1.2.3", 0, 1},
	    {"2001:db8::/32", "2001:db8::7", 0, 1},
	    {"2001:db8::6/127", "2001:db8::7", 0, 1},
	    {"fe80::/10", "fe80::1%eth0", 0, 1},
	    {"10.1.2.3/32", "10.1.2.3", 1, 0},
	    {"10.1.2.3", "::ffff:10.1.2.3", 1, 0},
	    {"2001:db8::7/128", "2001:db8::7", 1, 0},
	    /* No question is asked about addresses that are in no network anyway. */
	    {"10.0.0.0/8", "11.1.2.3", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int looks = 0;
		struct conf_network n;
		struct conf_exempt e = {
		    .name = (char *)"x", .network = &n, .nnetworks = 1, .until_s = LATER};
		struct rules_request q = {.user = "a",
		    .service = "sshd",
		    .now_s = NOW,
		    .has_client = true,
		    .client = address(rows[i].client),
		    .client_is_own = is_own,
		    .arg = &looks};

		assert_int_equal(conf_network(rows[i].network, &n), 0);
		ROW(decide(&e, &q) == rows[i].matches, rows[i].network);
		ROW(looks == rows[i].looks, rows[i].network);
	}
}

/* The addresses of this machine, as its kernel has them. */
static void
test_own_addresses(void **state)
{
	static const struct {
		const char *address;
		bool own;
	} rows[] = {
	    {"127.0.0.1", true},
	    {"127.255.255.254", true},
	    {"::ffff:127.0.0.1", true},
	    {"::1", true},
	    {"0.0.0.0", true},
	    {"::", true},
	    {"192.0.2.7", false},
	    {"2001:db8::7", false},
	};
	struct ifaddrs *all;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct in6_addr a = address(rows[i].address);

		ROW(own_address(&a) == rows[i].own, rows[i].address);
	}
	assert_int_equal(getifaddrs(&all), 0);
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		char text[NI_MAXHOST];
		struct in6_addr a;

		if (!i->ifa_addr ||
		    (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
			continue;
		assert_int_equal(
		    getnameinfo(i->ifa_addr,
			i->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
							  : sizeof(struct sockaddr_in6),
			text, sizeof(text), NULL, 0, NI_NUMERICHOST),
		    0);
		a = address(text);
		ROW(own_address(&a), text);
	}
	freeifaddrs(all);
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
	assert_int_equal(decide(&e, &q), -OTP_ENAMES);
	assert_int_equal(asked, 1);
}

static void
test_groups_tell_absent_from_failed(void **state)
{
	/* With glibc, "not found" is no error. ENOENT means that a directory cannot be reached. */
	static const int failed[] = {
	    ENOENT, ESRCH, EIO, EMFILE, ENFILE, ETIMEDOUT, ECONNREFUSED, EPERM, EAGAIN, EINVAL};
	struct conf_exempt e = {.groups = LIST("nosuch"), .until_s = LATER};
	const gid_t groups[] = {5000, 5001, 0};
	struct rules_request q = {
	    .user = "a", .groups = groups, .ngroups = 3, .service = "sshd", .now_s = NOW};

	(void)state;
	assert_int_equal(decide(&e, &q), 0);
	for (size_t i = 0; i < sizeof(failed) / sizeof(failed[0]); i++) {
		service_errno = failed[i];
		assert_int_equal(decide(&e, &q), -OTP_ENAMES);
	}
}

/* getgrouplist(3) reports no failure of a service, so a user may be in a group without it. */
static void
test_no_membership_is_ruled_out_while_a_part_fails(void **state)
{
	struct conf_exempt e[] = {
	    {.name = (char *)"a", .groups = LIST("robots"), .until_s = LATER},
	    {.name = (char *)"b", .groups = LIST("large", "twins"), .until_s = LATER},
	    {.name = (char *)"c", .users = LIST("root"), .until_s = LATER},
	};
	struct conf c = {.exempt = e, .nexempts = 3};
	const gid_t groups[] = {7}, large[] = {7, 5001};
	struct rules_request q = {
	    .user = "a", .groups = groups, .ngroups = 1, .service = "sshd", .now_s = NOW};
	const struct conf_exempt *rule;

	(void)state;
	assert_int_equal(rules_decide(&c, &q, NULL, &rule), 0);
	assert_null(rule);
	part_errno = ENOENT;
	asked_in_vain = 0;
	assert_int_equal(rules_decide(&c, &q, NULL, &rule), -OTP_ENAMES);
	assert_null(rule);
	/* One lookup for all rules checks that each service answers. */
	assert_int_equal(asked_in_vain, 1);
	/* A rule that matches by known groups still decides. */
	q.groups = large;
	q.ngroups = 2;
	assert_int_equal(rules_decide(&c, &q, NULL, &rule), 0);
	assert_ptr_equal(rule, &e[1]);
	q.ngroups = 1;
	q.user = "root";
	assert_int_equal(rules_decide(&c, &q, NULL, &rule), 0);
	assert_ptr_equal(rule, &e[2]);
	/* If the group that must not exist does, the services after it were not asked either. */
	q.user = "a";
	no_group_is_there = true;
	part_errno = 0;
	assert_int_equal(rules_decide(&c, &q, NULL, &rule), -OTP_ENAMES);
	part_errno = ENOENT;
	no_group_is_there = false;
	/* Without a rule that needs a group, the failure does not matter. */
	q.user = "a";
	c = (struct conf){.exempt = &e[2], .nexempts = 1};
	assert_int_equal(rules_decide(&c, &q, NULL, &rule), 0);
	assert_null(rule);
}

static int
find_two(struct rules_request *q)
{
	static const gid_t groups[] = {7, 5000};

	asked += 100;
	q->groups = groups;
	q->ngroups = 2;
	return *(const int *)q->arg;
}

/* The lookup may go over a network that does not answer. */
static void
test_memberships_are_asked_for_once_and_only_where_a_rule_needs_them(void **state)
{
	struct conf_exempt e[] = {
	    {.name = (char *)"a", .groups = LIST("large"), .until_s = LATER},
	    {.name = (char *)"b", .groups = LIST("robots"), .until_s = LATER},
	    {.name = (char *)"c", .users = LIST("root"), .until_s = LATER},
	    {.name = (char *)"d",
		.groups = LIST("robots"),
		.services = LIST("su"),
		.until_s = LATER},
	};
	struct conf c = {.exempt = e, .nexempts = 3};
	int r = 0;
	struct rules_request q = {
	    .user = "a", .service = "sshd", .now_s = NOW, .find_groups = find_two, .arg = &r};
	const struct conf_exempt *rule;

	(void)state;
	assert_int_equal(rules_decide(&c, &q, NULL, &rule), 0);
	assert_ptr_equal(rule, &e[1]);
	assert_in_range(asked, 102, 199);
	/* A rule that needs no name service decides before them. */
	asked = 0;
	q.user = "root";
	assert_int_equal(rules_decide(&c, &q, NULL, &rule), 0);
	assert_ptr_equal(rule, &e[2]);
	q.user = "a";
	c = (struct conf){.exempt = &e[2], .nexempts = 2};
	assert_int_equal(rules_decide(&c, &q, NULL, &rule), 0);
	assert_null(rule);
	assert_int_equal(asked, 0);
	r = -OTP_ENOMEM;
	c = (struct conf){.exempt = e, .nexempts = 1};
	assert_int_equal(rules_decide(&c, &q, NULL, &rule), -OTP_ENOMEM);
	assert_null(rule);
}

/* A group that cannot be looked up hides no other group, before or after it. */
static void
test_a_group_that_fails_leaves_the_others(void **state)
{
	struct conf_exempt before = {.groups = LIST("nosuch", "robots"), .until_s = LATER};
	struct conf_exempt behind = {.groups = LIST("robots", "nosuch"), .until_s = LATER};
	const gid_t robots[] = {5000};
	struct rules_request q = {
	    .user = "a", .groups = robots, .ngroups = 1, .service = "sshd", .now_s = NOW};

	(void)state;
	part_errno = EAGAIN;
	assert_int_equal(decide(&before, &q), 1);
	assert_int_equal(decide(&behind, &q), 1);
	q.ngroups = 0;
	assert_int_equal(decide(&before, &q), -OTP_ENAMES);
	assert_int_equal(decide(&behind, &q), -OTP_ENAMES);
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
	assert_int_equal(decide(&endless, &q), -OTP_ENAMES);
}

/* Returns what rules_watch got, such as "robots: why; office: decides; ". */
static void
see(const struct conf_exempt *rule, const char *why_not, void *arg)
{
	(void)buf_putf(arg, "%s: %s; ", rule->name, why_not ? why_not : "decides");
}

static const char *
seen(struct conf_exempt *e, size_t n, const struct rules_request *q, struct buf *b)
{
	struct conf c = {.exempt = e, .nexempts = n};
	const struct rules_watch watch = {.seen = see, .arg = b};
	const struct conf_exempt *with, *without;
	int r;

	buf_reset(b);
	r = rules_decide(&c, q, &watch, &with);
	/* The watch does not change the decision. */
	assert_int_equal(rules_decide(&c, q, NULL, &without), r);
	assert_ptr_equal(with, without);
	return buf_str(b);
}

static void
test_each_rule_says_why_it_does_not_decide(void **state)
{
	struct conf_network n;
	struct conf_exempt e[] = {
	    {.name = (char *)"old", .users = LIST("a"), .until_s = NOW},
	    {.name = (char *)"other", .users = LIST("b"), .until_s = LATER},
	    {.name = (char *)"su", .services = LIST("su"), .until_s = LATER},
	    {.name = (char *)"key",
		.users = LIST("a"),
		.requires_publickey = true,
		.until_s = LATER},
	    {.name = (char *)"net", .network = &n, .nnetworks = 1, .until_s = LATER},
	    {.name = (char *)"group", .groups = LIST("nosuch", "robots"), .until_s = LATER},
	    {.name = (char *)"last", .users = LIST("a"), .until_s = LATER},
	    {.name = (char *)"unheard", .users = LIST("a"), .until_s = LATER},
	};
	const gid_t groups[] = {7, 5001};
	struct rules_request q = {.user = "a",
	    .groups = groups,
	    .ngroups = 2,
	    .service = "sshd",
	    .has_client = true,
	    .client = address("192.0.2.7"),
	    .now_s = NOW};
	struct buf b = BUF_INIT(4096);

	(void)state;
	assert_int_equal(conf_network("10.0.0.0/8", &n), 0);
	assert_string_equal(seen(e, 8, &q, &b),
	    "old: the rule expired at the end of 1970-01-12; "
	    "other: users: the user is not among them; "
	    "su: services: the service is not among them; "
	    "key: requires: no public key was used; "
	    "net: networks: the client address 192.0.2.7 is in none of them; "
	    "last: decides; ");
	/* Rules that need the name service come after all others. */
	assert_string_equal(seen(e, 6, &q, &b),
	    "old: the rule expired at the end of 1970-01-12; "
	    "other: users: the user is not among them; "
	    "su: services: the service is not among them; "
	    "key: requires: no public key was used; "
	    "net: networks: the client address 192.0.2.7 is in none of them; "
	    "group: groups: the user is in none of them; ");
	q.client = address("2001:db8::7");
	assert_string_equal(seen(&e[4], 1, &q, &b),
	    "net: networks: the client address 2001:db8::7 is in none of them; ");
	q.has_client = false;
	assert_string_equal(
	    seen(&e[4], 1, &q, &b), "net: networks: there is no numeric client address; ");
	service_errno = EIO;
	assert_string_equal(seen(&e[5], 1, &q, &b), "group: groups: the name service failed; ");
	assert_string_equal(seen(&e[5], 2, &q, &b), "last: decides; ");
	service_errno = 0;
	part_errno = EIO;
	e[5].groups = (struct strlist)LIST("robots");
	assert_string_equal(seen(&e[5], 1, &q, &b), "group: groups: the name service failed; ");
	buf_free(&b);
}

static void
test_groups_are_numbers(void **state)
{
	struct conf_exempt e = {.name = (char *)"x", .groups = LIST("twins"), .until_s = LATER};
	const gid_t robots[] = {5000}, other[] = {50000, 500};
	struct rules_request q = {
	    .user = "twins", .groups = robots, .ngroups = 1, .service = "sshd", .now_s = NOW};

	(void)state;
	/* Two names of one number are one group; a user's name is not a group. */
	assert_int_equal(decide(&e, &q), 1);
	q.groups = other;
	q.ngroups = 2;
	assert_int_equal(decide(&e, &q), 0);
}

#define CONF(rule)                               \
	"[channel sms]\nproviders = tingting\n"  \
	"[provider tingting]\ntoken = file:/x\n" \
	"[exempt robots]\nreason = r\n" rule "\n"

/* Returns the report of rules_check() on a rule in line 7, without the name of the file. */
static const char *
checked(const char *rule, int *r)
{
	static char text[1024];
	struct conf_report report = {.max = 4096};
	struct folder dir;
	struct conf *c = NULL;
	size_t n = 0;

	folder_make(&dir);
	assert_int_equal(conf_load(folder_write(&dir, "c", rule, 0644), geteuid(), &c, &report), 0);
	conf_report_clear(&report);
	*r = rules_check(c, &report);
	for (const char *s = report_text(&report); *s; s += strcspn(s, "\n") + 1) {
		s += strlen(dir.file) + 1;
		n += (size_t)snprintf(
		    text + n, sizeof(text) - n, "%.*s\n", (int)strcspn(s, "\n"), s);
	}
	text[n] = '\0';
	conf_free(c);
	conf_report_clear(&report);
	folder_drop(&dir);
	return text;
}

static void
test_check_knows_who_does_not_exist(void **state)
{
	int r;

	(void)state;
	assert_string_equal(
	    checked(
		CONF("users = ansible, ghost\ngroups = robots, nosuch\nuntil = 2099-01-01"), &r),
	    "7: [exempt robots] users: there is no user \"ghost\"\n"
	    "8: [exempt robots] groups: there is no group \"nosuch\"\n");
	assert_int_equal(r, -OTP_ENOENT);
	assert_string_equal(checked(CONF("users = Ansible\nuntil = 2099-01-01"), &r),
	    "7: [exempt robots] users: \"Ansible\" is another name of \"ansible\"; write "
	    "\"ansible\", for rules compare that name\n");
	assert_int_equal(r, -OTP_ENOENT);
	assert_string_equal(
	    checked(CONF("users = ansible\ngroups = robots\nuntil = 2099-01-01"), &r), "");
	assert_int_equal(r, 0);
	/* The names of an expired rule are not looked up. */
	assert_string_equal(checked(CONF("users = ghost\nuntil = 2001-01-01"), &r), "");
	assert_int_equal(r, 0);
}

static void
test_check_does_not_take_a_failure_for_an_absence(void **state)
{
	const char *reported;
	int r;

	(void)state;
	service_errno = EIO;
	reported = checked(CONF("users = ansible\ngroups = robots\nuntil = 2099-01-01"), &r);
	assert_int_equal(r, 0);
	assert_non_null(
	    strstr(reported, "7: warning: [exempt robots] users: the user \"ansible\" could "
			     "not be looked up: the name service failed\n"));
	assert_non_null(
	    strstr(reported, "8: warning: [exempt robots] groups: the group \"robots\" could "
			     "not be looked up: the name service failed\n"));
	service_errno = 0;
	part_errno = ENOENT;
	assert_string_equal(
	    checked(CONF("users = ansible\ngroups = robots\nuntil = 2099-01-01"), &r),
	    "8: warning: [exempt robots] groups: until this is mended, users in none of these "
	    "groups are refused: the name service failed\n");
	assert_int_equal(r, 0);
	part_errno = 0;
	no_group_is_there = true;
	assert_non_null(
	    strstr(checked(CONF("users = ansible\ngroups = robots\nuntil = 2099-01-01"), &r),
		"are refused: there is a group pam_otp-no-such-group, which must not exist\n"));
	no_group_is_there = false;
	part_errno = ENOENT;
	assert_string_equal(checked(CONF("users = ansible\nuntil = 2099-01-01"), &r), "");
	assert_string_equal(checked(CONF("users = ghost\nuntil = 2099-01-01"), &r),
	    "7: warning: [exempt robots] users: the user \"ghost\" could not be looked up: the "
	    "name service failed\n");
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
	    TEST(test_an_expired_rule_exempts_nobody),
	    TEST(test_a_rule_without_a_condition_exempts_nobody),
	    TEST(test_the_first_rule_that_matches_is_named),
	    TEST(test_networks),
	    TEST(test_an_own_address_matches_alone),
	    TEST(test_own_addresses),
	    TEST(test_groups_are_asked_last_and_only_where_they_decide),
	    TEST(test_groups_tell_absent_from_failed),
	    TEST(test_no_membership_is_ruled_out_while_a_part_fails),
	    TEST(test_memberships_are_asked_for_once_and_only_where_a_rule_needs_them),
	    TEST(test_a_group_that_fails_leaves_the_others),
	    TEST(test_groups_of_any_size_and_through_interruptions),
	    TEST(test_groups_are_numbers),
	    TEST(test_each_rule_says_why_it_does_not_decide),
	    TEST(test_check_knows_who_does_not_exist),
	    TEST(test_check_does_not_take_a_failure_for_an_absence),
	    TEST(test_addresses),
	};

	/* The last day of a rule ends at midnight, local time. */
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
