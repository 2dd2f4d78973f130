/*
 * MUST:
 *  - a rule exempts only when every kind it gives is known to match; what is not known (no client
 *    address, no such group) does not match;
 *  - a rule that is over exempts nobody;
 *  - a name service that fails is an error, never "no match" and never a match. Only a rule that
 *    matches without what it failed to say still exempts.
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
 * Nobody's group. Every part of the name service has to be asked before it can be said that there
 * is none: so one that fails shows.
 */
#define NO_GROUP "pam_otp-no-such-group"

/* Nobody waits so long for the name service again that has failed. */
enum { PATIENCE_MS = 2000 };

/* What the name service says to the rules of one sign-in. */
struct answers {
	struct rules_request q;
	int r; /* 0, or how it failed first */
	int64_t waited_ms;
	bool has_groups; /* those of the request were asked for */
	bool whole;	 /* it has answered in all its parts: the user is in no other groups */
};

static bool
network_has(const struct conf_network *n, const struct in6_addr *addr)
{
	int whole = n->prefix / 8, rest = n->prefix % 8;
	unsigned mask = 0xff00u >> rest;

	/* An IPv6 network that is wider than all of IPv4 does not mean IPv4. */
	if (n->prefix < 96 && IN6_IS_ADDR_V4MAPPED(addr))
		return false;
	return !memcmp(n->addr, addr->s6_addr, (size_t)whole) &&
	       (!rest || !((n->addr[whole] ^ addr->s6_addr[whole]) & mask));
}

/* A client that has an address, in one of the networks. */
static bool
networks_match(const struct conf_exempt *e, const struct rules_request *q)
{
	for (size_t i = 0; q->has_client && i < e->nnetworks; i++)
		if (network_has(&e->network[i], &q->client))
			return true;
	return false;
}

static void
say_over(const struct conf_exempt *e, char why[static RULES_WHY_MAX])
{
	time_t last = (time_t)e->until_s - 1;
	char day[sizeof("YYYY-MM-DD")] = "";
	struct tm tm;

	if (localtime_r(&last, &tm))
		(void)strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	(void)snprintf(why, RULES_WHY_MAX, "it was over at the end of %s", day);
}

static void
say_elsewhere(const struct rules_request *q, char why[static RULES_WHY_MAX])
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
	(void)snprintf(
	    why, RULES_WHY_MAX, "networks: the client address %s is in none of them", address);
}

static void
say_of_group(const struct conf_exempt *e, const char *what, const char *group)
{
	char rule[CONF_NAME_MAX + 1], name[CONF_WORD_MAX + 1];

	otp_log(LOG_WARNING, "event=rule rule=\"%s\" detail=\"%s %s\"",
	    text_quotable(rule, sizeof(rule), e->name), what,
	    text_quotable(name, sizeof(name), group));
}

/* Of what failed the log has one line a sign-in. Returns r. */
static int
note_failure(struct answers *a, int r, const struct conf_exempt *e, const char *group)
{
	if (!a->r)
		say_of_group(e, "the name service failed, asked for the group", group);
	a->r = a->r ? a->r : r;
	return r;
}

/* As account_group_lookup(). */
static int
look_up(struct answers *a, const struct conf_exempt *e, const char *name, gid_t *gid)
{
	int64_t began = clock_ms(CLOCK_MONOTONIC);
	int r;

	if (a->r && a->waited_ms > PATIENCE_MS)
		return a->r;
	r = account_group_lookup(name, gid);
	a->waited_ms += clock_ms(CLOCK_MONOTONIC) - began;
	return r && r != -OTP_ENOENT ? note_failure(a, r, e, name) : r;
}

static int
find_groups(struct answers *a)
{
	int r;

	if (a->has_groups || !a->q.find_groups)
		return 0;
	a->has_groups = true;
	r = a->q.find_groups(&a->q);
	if (r) {
		a->q.ngroups = 0; /* whatever was left there */
		a->r = a->r ? a->r : r;
	}
	return r;
}

/* 0: no part of the name service has kept a membership back; or an error. */
static int
ask_whole(struct answers *a, const struct conf_exempt *e)
{
	gid_t gid;
	int r;

	if (a->whole || a->r)
		return a->r;
	r = look_up(a, e, NO_GROUP, &gid);
	a->whole = r == -OTP_ENOENT;
	if (a->whole)
		return 0;
	if (r)
		return r;
	/* What stands behind it in nsswitch.conf was not asked. */
	say_of_group(e, "nobody may have a group", NO_GROUP);
	a->r = -OTP_ENAMES;
	return a->r;
}

static bool
is_in(const struct rules_request *q, gid_t gid)
{
	for (size_t i = 0; i < q->ngroups; i++)
		if (q->groups[i] == gid)
			return true;
	return false;
}

/* 1: the user is in one of the rule's groups; 0: in none that there is; or an error. */
static int
groups_match(const struct conf_exempt *e, struct answers *a)
{
	int failed = find_groups(a);

	for (size_t i = 0; i < e->groups.n; i++) {
		gid_t gid;
		int r = look_up(a, e, e->groups.item[i], &gid);

		if (!r && is_in(&a->q, gid))
			return 1;
		if (r == -OTP_ENOENT)
			say_of_group(e, "there is no group", e->groups.item[i]);
		else if (r)
			failed = r;
	}
	return failed ? failed : ask_whole(a, e);
}

/*
 * 1: the rule exempts; 0: it does not, and why not; or an error. Groups come last: they may have
 * to be asked over a network.
 */
static int
exempts(const struct conf_exempt *e, struct answers *a, char why[static RULES_WHY_MAX])
{
	const struct rules_request *q = &a->q;
	const char *no = NULL;
	int r;

	if (q->now_s >= e->until_s) {
		say_over(e, why);
		return 0;
	}
	/* conf_load() refuses such a rule; should one ever get here, it exempts nobody. */
	if (!e->users.n && !e->groups.n && !e->services.n && !e->nnetworks)
		no = "it names nobody";
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
	if (e->nnetworks && !networks_match(e, q)) {
		say_elsewhere(q, why);
		return 0;
	}
	if (!e->groups.n)
		return 1;
	r = groups_match(e, a);
	if (r <= 0)
		(void)snprintf(why, RULES_WHY_MAX, "groups: %s",
		    r ? "the name service failed"
		      : "the name service names the user in none of them");
	return r;
}

enum needs { NEEDS_NOBODY, NEEDS_NAME_SERVICE };

/* The first of those rules that exempts, or NULL. */
static const struct conf_exempt *
first_match(
    const struct conf *c, enum needs needs, struct answers *a, const struct rules_watch *watch)
{
	char why[RULES_WHY_MAX] = "";

	for (size_t i = 0; i < c->nexempts; i++) {
		const struct conf_exempt *e = &c->exempt[i];
		int r;

		if ((e->groups.n ? NEEDS_NAME_SERVICE : NEEDS_NOBODY) != needs)
			continue;
		r = exempts(e, a, why);
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
	struct answers a = {.q = *q};

	*rule = first_match(c, NEEDS_NOBODY, &a, watch);
	if (!*rule)
		*rule = first_match(c, NEEDS_NAME_SERVICE, &a, watch);
	return *rule ? 0 : a.r;
}

enum named { NAMED_USER, NAMED_GROUP };

/* The key that names them, and where it stands. */
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

/* Is one name right? -OTP_ENOENT, or 0, perhaps with a warning. */
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
	    "[%s] %s: \"%s\" is another name of \"%s\", and rules know users by that one",
	    k->section, k->key, name, a.name);
	return -OTP_ENOENT;
}

/* While the name service fails in a part, whoever is in none of a rule's groups is refused. */
static void
check_whole(const struct named_key *k, struct conf_report *report)
{
	gid_t gid;
	int r = account_group_lookup(NO_GROUP, &gid);

	if (r == -OTP_ENOENT)
		return;
	conf_warn(report, k->file, k->line,
	    "[%s] %s: who is in none of them cannot be told now, and is refused: %s", k->section,
	    k->key, r ? otp_strerror(r) : "nobody may have a group " NO_GROUP);
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
		check_whole(&k, report);
	return r;
}

int
rules_check(const struct conf *c, struct conf_report *report)
{
	time_t now = time(NULL);
	int r = 0;

	/* Of a rule that is over nothing is asked any more. */
	for (size_t i = 0; i < c->nexempts; i++)
		for (enum named kind = NAMED_USER; kind <= NAMED_GROUP; kind++)
			if (c->exempt[i].until_s > now &&
			    check_names(c, &c->exempt[i], kind, report))
				r = -OTP_ENOENT;
	return r;
}

/* Copies s without its zone id; false when that is empty, odd, or s is too long. */
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
