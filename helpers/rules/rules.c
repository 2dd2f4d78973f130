/*
 * MUST:
 *  - a rule exempts a user only if each of its keys is known to match; a key that cannot be checked
 *    (there is no client address, or no such group) does not match;
 *  - a rule that has expired exempts nobody;
 *  - an address of this machine is in no network, because whoever is on this machine can come from
 *    it; a rule may name one such address as /32 or /128;
 *  - a failure of the name service is an error, neither a match nor "no match". After a failure, a
 *    rule may exempt the user only if its match does not depend on the failed answer.
 */
#include "helpers/rules/rules.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/text.h"
#include "helpers/base/account.h"
#include "helpers/conf/parse.h"
#include "helpers/base/log.h"

/*
 * A group that must not exist. To detect a failing service of nsswitch.conf(5), the helper looks
 * this group up: each service has to answer "no such group" before the answer is "not found".
 */
#define ABSENT_GROUP "pam_otp-no-such-group"

/* Once the name service has failed and taken longer than this, the sign-in asks it no more. */
enum { NAME_SERVICE_WAIT_MS = 2000 };

/* What the name service has answered in this sign-in. */
struct name_service {
	struct rules_request q;
	int r; /* the first failure, or 0 */
	int64_t waited_ms;
	bool has_groups; /* the groups of the request were looked up */
	bool complete;	 /* each service answered: the user is in no other groups */
};

static bool
network_has(const struct conf_network *n, const struct in6_addr *addr)
{
	int whole = n->prefix / 8, rest = n->prefix % 8;
	unsigned mask = 0xff00u >> rest;

	/* An IPv6 network that contains all of IPv4 does not match an IPv4 address. */
	if (n->prefix < 96 && IN6_IS_ADDR_V4MAPPED(addr))
		return false;
	return !memcmp(n->addr, addr->s6_addr, (size_t)whole) &&
	       (!rest || !((n->addr[whole] ^ addr->s6_addr[whole]) & mask));
}

enum { WHOLE_ADDRESS = 128 };

/*
 * True if the client has an address, and it is in one of the networks. *own becomes true if it is
 * in one, and does not match because it is an address of this machine.
 */
static bool
networks_match(const struct conf_exempt *e, const struct rules_request *q, bool *own)
{
	bool within = false;

	for (size_t i = 0; q->has_client && i < e->nnetworks; i++) {
		if (!network_has(&e->network[i], &q->client))
			continue;
		if (e->network[i].prefix == WHOLE_ADDRESS)
			return true;
		within = true;
	}
	*own = within && q->client_is_own && q->client_is_own(q);
	return within && !*own;
}

static void
write_expired(const struct conf_exempt *e, char why[static RULES_WHY_MAX])
{
	time_t last = (time_t)e->until_s - 1;
	char day[sizeof("YYYY-MM-DD")] = "";
	struct tm tm;

	if (localtime_r(&last, &tm))
		(void)strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	(void)snprintf(why, RULES_WHY_MAX, "the rule expired at the end of %s", day);
}

static void
write_no_network(const struct rules_request *q, bool own, char why[static RULES_WHY_MAX])
{
	char address[INET6_ADDRSTRLEN] = "";

	if (!q->has_client) {
		(void)snprintf(why, RULES_WHY_MAX, "networks: there is no numeric client address");
		return;
	}
	if (IN6_IS_ADDR_V4MAPPED(&q->client))
		(void)inet_ntop(AF_INET, &q->client.s6_addr[12], address, sizeof(address));
	else
		(void)inet_ntop(AF_INET6, &q->client, address, sizeof(address));
	if (own)
		(void)snprintf(why, RULES_WHY_MAX,
		    "networks: %s is this machine's own; to exempt it, list it with /%d", address,
		    IN6_IS_ADDR_V4MAPPED(&q->client) ? 32 : 128);
	else
		(void)snprintf(why, RULES_WHY_MAX,
		    "networks: the client address %s is in none of them", address);
}

static void
log_group(const struct conf_exempt *e, const char *what, const char *group)
{
	char rule[CONF_NAME_MAX + 1], name[CONF_WORD_MAX + 1];

	otp_log(LOG_WARNING, "event=rule rule=\"%s\" detail=\"%s %s\"",
	    text_quotable(rule, sizeof(rule), e->name), what,
	    text_quotable(name, sizeof(name), group));
}

/* Keeps the first failure of a sign-in and logs only this one. Returns r. */
static int
note_failure(struct name_service *ns, int r, const struct conf_exempt *e, const char *group)
{
	if (!ns->r)
		log_group(e, "the name service failed to look up the group", group);
	ns->r = ns->r ? ns->r : r;
	return r;
}

/* Looks a group up, unless the name service has failed before and was slow to do so. */
static int
look_up(struct name_service *ns, const struct conf_exempt *e, const char *name, gid_t *gid)
{
	int64_t began = clock_ms(CLOCK_MONOTONIC);
	int r;

	if (ns->r && ns->waited_ms > NAME_SERVICE_WAIT_MS)
		return ns->r;
	r = account_group_lookup(name, gid);
	ns->waited_ms += clock_ms(CLOCK_MONOTONIC) - began;
	return r && r != -OTP_ENOENT ? note_failure(ns, r, e, name) : r;
}

static int
find_groups(struct name_service *ns)
{
	int r;

	if (ns->has_groups || !ns->q.find_groups)
		return 0;
	ns->has_groups = true;
	r = ns->q.find_groups(&ns->q);
	if (r) {
		ns->q.ngroups = 0; /* find_groups() may have left a part of them */
		ns->r = ns->r ? ns->r : r;
	}
	return r;
}

/* Checks that each service of nsswitch.conf(5) has reported the groups of the user. */
static int
check_complete(struct name_service *ns, const struct conf_exempt *e)
{
	gid_t gid;
	int r;

	if (ns->complete || ns->r)
		return ns->r;
	r = look_up(ns, e, ABSENT_GROUP, &gid);
	ns->complete = r == -OTP_ENOENT;
	if (ns->complete)
		return 0;
	if (r)
		return r;
	/* A service has found the group, so those after it in nsswitch.conf(5) were not asked. */
	log_group(e, "the groups of a user cannot be checked; remove the group", ABSENT_GROUP);
	ns->r = -OTP_ENAMES;
	return ns->r;
}

static bool
is_in(const struct rules_request *q, gid_t gid)
{
	for (size_t i = 0; i < q->ngroups; i++)
		if (q->groups[i] == gid)
			return true;
	return false;
}

/*
 * Checks whether the user is in a group of the rule. 1: in at least one; 0: in none; or an error.
 */
static int
groups_match(const struct conf_exempt *e, struct name_service *ns)
{
	int failed = find_groups(ns);

	for (size_t i = 0; i < e->groups.n; i++) {
		gid_t gid;
		int r = look_up(ns, e, e->groups.item[i], &gid);

		if (!r && is_in(&ns->q, gid))
			return 1;
		if (r == -OTP_ENOENT)
			log_group(e, "there is no group", e->groups.item[i]);
		else if (r)
			failed = r;
	}
	return failed ? failed : check_complete(ns, e);
}

/*
 * Checks whether the rule exempts the user. 1: it does; 0: it does not, and why says the reason; or
 * an error. Groups come last, because a lookup may go over the network.
 */
static int
exempts(const struct conf_exempt *e, struct name_service *ns, char why[static RULES_WHY_MAX])
{
	const struct rules_request *q = &ns->q;
	const char *no = NULL;
	bool own = false;
	int r;

	if (q->now_s >= e->until_s) {
		write_expired(e, why);
		return 0;
	}
	/* conf_load() refuses such a rule. If one gets here in spite of that, it exempts nobody. */
	if (!e->users.n && !e->groups.n && !e->services.n && !e->nnetworks)
		no = "the rule names nobody";
	else if (e->users.n && !strlist_has(&e->users, q->user))
		no = "users: the user is not among them";
	else if (e->services.n && !strlist_has(&e->services, q->service))
		no = "services: the service is not among them";
	else if (e->requires_publickey && !q->publickey)
		no = "requires: no public key was used";
	if (no) {
		(void)snprintf(why, RULES_WHY_MAX, "%s", no);
		return 0;
	}
	if (e->nnetworks && !networks_match(e, q, &own)) {
		write_no_network(q, own, why);
		return 0;
	}
	if (!e->groups.n)
		return 1;
	r = groups_match(e, ns);
	if (r <= 0)
		(void)snprintf(why, RULES_WHY_MAX, "groups: %s",
		    r ? "the name service failed" : "the user is in none of them");
	return r;
}

enum needs { NEEDS_NOTHING, NEEDS_NAME_SERVICE };

/* Returns the first rule of this kind that exempts the user, or NULL. */
static const struct conf_exempt *
first_match(const struct conf *c, enum needs needs, struct name_service *ns,
    const struct rules_watch *watch)
{
	char why[RULES_WHY_MAX] = "";

	for (size_t i = 0; i < c->nexempts; i++) {
		const struct conf_exempt *e = &c->exempt[i];
		int r;

		if ((e->groups.n ? NEEDS_NAME_SERVICE : NEEDS_NOTHING) != needs)
			continue;
		r = exempts(e, ns, why);
		if (watch)
			watch->seen(e, r > 0 ? NULL : why, watch->arg);
		if (r > 0)
			return e;
	}
	return NULL;
}

int
rules_decide(const struct conf *c, const struct rules_request *q, const struct rules_watch *watch,
    const struct conf_exempt **rule)
{
	struct name_service ns = {.q = *q};

	*rule = first_match(c, NEEDS_NOTHING, &ns, watch);
	if (!*rule)
		*rule = first_match(c, NEEDS_NAME_SERVICE, &ns, watch);
	return *rule ? 0 : ns.r;
}

enum named { NAMED_USER, NAMED_GROUP };

/* The key that names users or groups, and its file and line. */
struct named_key {
	const char *section, *key; /* "exempt robots", "users" */
	const char *file;
	unsigned line;
};

static void
find_key(const struct conf_shown *shown, void *arg)
{
	struct named_key *k = arg;

	if (strcmp(shown->section, k->section) != 0 || strcmp(shown->key, k->key) != 0)
		return;
	k->file = shown->file;
	k->line = shown->line;
}

/* Checks one name. -OTP_ENOENT with an error in *report; or 0, perhaps with a warning there. */
static int
check_name(const struct named_key *k, enum named kind, const char *name, struct conf_report *report)
{
	const char *what = kind == NAMED_USER ? "user" : "group";
	struct account a = {0};
	gid_t gid;
	int r = kind == NAMED_USER ? account_lookup(name, &a) : account_group_lookup(name, &gid);

	if (kind == NAMED_USER && !r && !a.exists)
		r = -OTP_ENOENT;
	if (r == -OTP_ENOENT) {
		conf_error(report, k->file, k->line, "[%s] %s: there is no %s \"%s\"", k->section,
		    k->key, what, name);
		return -OTP_ENOENT;
	}
	if (r) {
		conf_warn(report, k->file, k->line,
		    "[%s] %s: the %s \"%s\" could not be looked up: %s", k->section, k->key, what,
		    name, otp_strerror(r));
		return 0;
	}
	if (kind == NAMED_GROUP || !strcmp(a.name, name))
		return 0;
	conf_error(report, k->file, k->line,
	    "[%s] %s: \"%s\" is another name of \"%s\"; write \"%s\", for rules compare that name",
	    k->section, k->key, name, a.name, a.name);
	return -OTP_ENOENT;
}

/*
 * Warns if a name service fails now. While it fails, users who are in none of the groups are
 * refused.
 */
static void
warn_if_incomplete(const struct named_key *k, struct conf_report *report)
{
	gid_t gid;
	int r = account_group_lookup(ABSENT_GROUP, &gid);

	if (r == -OTP_ENOENT)
		return;
	conf_warn(report, k->file, k->line,
	    "[%s] %s: until this is mended, users in none of these groups are refused: %s",
	    k->section, k->key,
	    r ? otp_strerror(r) : "there is a group " ABSENT_GROUP ", which must not exist");
}

static int
check_names(
    const struct conf *c, const struct conf_exempt *e, enum named kind, struct conf_report *report)
{
	const struct strlist *l = kind == NAMED_USER ? &e->users : &e->groups;
	char section[sizeof("exempt ") + CONF_NAME_MAX];
	struct named_key k = {section, kind == NAMED_USER ? "users" : "groups", "", 0};
	int r = 0;

	(void)snprintf(section, sizeof(section), "exempt %s", e->name);
	conf_show(c, NULL, find_key, &k);
	for (size_t i = 0; i < l->n; i++)
		if (check_name(&k, kind, l->item[i], report))
			r = -OTP_ENOENT;
	if (kind == NAMED_GROUP && l->n)
		warn_if_incomplete(&k, report);
	return r;
}

int
rules_check(const struct conf *c, struct conf_report *report)
{
	time_t now = time(NULL);
	int r = 0;

	/* Users and groups that an expired rule names are not checked. */
	for (size_t i = 0; i < c->nexempts; i++)
		for (enum named kind = NAMED_USER; kind <= NAMED_GROUP; kind++)
			if (c->exempt[i].until_s > now &&
			    check_names(c, &c->exempt[i], kind, report))
				r = -OTP_ENOENT;
	return r;
}

/* Copies s without its zone id. False if the zone id is empty or malformed, or s is too long. */
static bool
split_zone(const char *s, char *address, size_t size, bool *has_zone)
{
	size_t len = strcspn(s, "%");
	const char *zone = s[len] ? s + len + 1 : NULL;

	*has_zone = zone;
	if (len >= size || (zone && (!*zone || zone[strspn(zone, "abcdefghijklmnopqrstuvwxyz"
								 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
								 "0123456789._-:@")])))
		return false;
	memcpy(address, s, len);
	address[len] = '\0';
	return true;
}

bool
rules_address(const char *s, struct in6_addr *out)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr a = {0};
	bool has_zone;

	if (!split_zone(s, address, sizeof(address), &has_zone))
		return false;
	if (inet_pton(AF_INET6, address, &a) == 1) {
		if (has_zone && !IN6_IS_ADDR_LINKLOCAL(&a))
			return false;
	} else if (!has_zone && inet_pton(AF_INET, address, a.s6_addr + 12) == 1) {
		memset(a.s6_addr, 0, 10);
		a.s6_addr[10] = a.s6_addr[11] = 0xff;
	} else {
		return false;
	}
	*out = a;
	return true;
}
