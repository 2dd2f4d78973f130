/*
 * Checks [exempt] rules. A rule that can never match is an error: its writer made a mistake.
 * No error may depend on the date or on the machine: otherwise a rule that was right once could
 * suddenly lock everybody out. A rule that has expired, or that never decides, is harmless: it gets
 * only a warning.
 */
#include <string.h>

#include "helpers/base/hosts.h"
#include "helpers/conf/internal.h"
#include "helpers/conf/parse.h"

/* A rule gets a warning during this time before its end. */
enum { EXEMPT_NOTICE_S = 14 * 24 * 60 * 60, V4_BITS = 96 };

struct rule_view {
	const struct conf *c;
	const struct conf_exempt *e;
	const struct conf_section *s;
	struct conf_report *rep;
};

static const struct conf_section *
section_of(const struct conf *c, const struct conf_exempt *e)
{
	const struct conf_sections *all = &c->internal->sections;
	const char *rest;

	for (size_t i = 0; i < all->n; i++)
		if (conf_section_kind(&all->item[i], &rest) == CONF_EXEMPT &&
		    !strcmp(rest, e->name))
			return &all->item[i];
	return NULL;
}

/*
 * True if no sign-in by this service can match a rule with networks. identity = caller refuses
 * sign-ins with a client address before any rule is tried.
 */
static bool
is_local(const struct conf *c, const char *service)
{
	return host_of(service)->no_client ||
	       conf_signin_for(c, service)->identity == IDENTITY_CALLER;
}

static bool
has_no_key(const struct conf *c, const char *service)
{
	return is_local(c, service) || host_of(service)->no_key;
}

typedef bool service_fn(const struct conf *c, const char *service);

static bool
all_of(const struct strlist *services, const struct conf *c, service_fn *is)
{
	for (size_t i = 0; i < services->n; i++)
		if (!is(c, services->item[i]))
			return false;
	return true;
}

/* True if `is` holds for every service that the rule may apply to. */
static bool
all_services(const struct rule_view *v, service_fn *is)
{
	const struct conf_internal *in = v->c->internal;

	if (v->e->services.n)
		return all_of(&v->e->services, v->c, is);
	/* A service that no section names is local only if [otp] sets identity = caller. */
	if (v->c->signin.identity != IDENTITY_CALLER)
		return false;
	for (size_t i = 0; i < in->nservices; i++)
		if (!all_of(&in->service[i].names, v->c, is))
			return false;
	return true;
}

static void
check_services(const struct rule_view *v)
{
	const struct conf_setting *networks = conf_section_get(v->s, "networks");
	const struct conf_setting *requires = conf_section_get(v->s, "requires");

	if (v->e->nnetworks && all_services(v, is_local))
		conf_error(v->rep, networks->file, networks->line,
		    "[%s] can never match: none of its services knows a client address; remove "
		    "networks, or change services",
		    v->s->name);
	if (v->e->requires_publickey && all_services(v, has_no_key))
		conf_error(v->rep, requires->file, requires->line,
		    "[%s] can never match: none of its services reports a public key, only sshd "
		    "does; remove requires, or change services",
		    v->s->name);
}

/* True if a contains b. An IPv6 network that spans all v4-mapped addresses is not meant for IPv4.
 */
static bool
network_within(const struct conf_network *a, const struct conf_network *b)
{
	int whole = a->prefix / 8, rest = a->prefix % 8;
	unsigned mask = 0xff00u >> rest;

	if (a->prefix > b->prefix || (a->prefix < V4_BITS && conf_network_is_v4(b)))
		return false;
	return !memcmp(a->addr, b->addr, (size_t)whole) &&
	       (!rest || !((a->addr[whole] ^ b->addr[whole]) & mask));
}

/* True for networks of addresses that no client has: unspecified, broadcast and multicast. */
static bool
is_not_of_clients(const struct conf_network *n)
{
	static const char *const special[] = {
	    "0.0.0.0", "255.255.255.255", "224.0.0.0/4", "::", "ff00::/8"};
	struct conf_network of;

	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (!conf_network(special[i], &of) && network_within(&of, n))
			return true;
	return false;
}

/* True for networks of loopback addresses alone. They are this machine's own. */
static bool
is_loopback(const struct conf_network *n)
{
	static const char *const loopback[] = {"127.0.0.0/8", "::/127"};
	struct conf_network of;

	for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++)
		if (!conf_network(loopback[i], &of) && network_within(&of, n))
			return n->prefix < 128;
	return false;
}

static void
check_networks(const struct rule_view *v)
{
	const struct conf_setting *set = conf_section_get(v->s, "networks");
	char text[CONF_NETWORK_TEXT];

	for (size_t i = 0; i < v->e->nnetworks; i++) {
		const struct conf_network *n = &v->e->network[i];

		if (is_not_of_clients(n))
			conf_error(v->rep, set->file, set->line,
			    "[%s] networks: %s can never match: no client has such an address",
			    v->s->name, conf_network_text(n, text));
		else if (is_loopback(n))
			conf_error(v->rep, set->file, set->line,
			    "[%s] networks: %s can never match: the addresses are this machine's "
			    "own, and such an address matches alone; list the address itself, as "
			    "in networks = %s",
			    v->s->name, conf_network_text(n, text),
			    conf_network_is_v4(n) ? "127.0.0.1" : "::1");
	}
}

/* True if a matches everything that b matches. An empty list matches everything. */
static bool
list_covers(const struct strlist *a, const struct strlist *b)
{
	if (!a->n)
		return true;
	for (size_t i = 0; i < b->n; i++)
		if (!strlist_has(a, b->item[i]))
			return false;
	return b->n > 0;
}

static bool
networks_cover(const struct conf_exempt *a, const struct conf_exempt *b)
{
	if (!a->nnetworks)
		return true;
	for (size_t i = 0; i < b->nnetworks; i++) {
		bool within = false;

		for (size_t k = 0; k < a->nnetworks; k++)
			within |= network_within(&a->network[k], &b->network[i]);
		if (!within)
			return false;
	}
	return b->nnetworks > 0;
}

static bool
covers(const struct conf_exempt *a, const struct conf_exempt *b)
{
	return a->until_s >= b->until_s && (!a->requires_publickey || b->requires_publickey) &&
	       list_covers(&a->users, &b->users) && list_covers(&a->groups, &b->groups) &&
	       list_covers(&a->services, &b->services) && networks_cover(a, b);
}

/* True if rules_decide() tries rule a before rule b: it tries rules without groups first. */
static bool
comes_before(const struct conf_exempt *a, const struct conf_exempt *b)
{
	return !a->groups.n == !b->groups.n ? a < b : !a->groups.n;
}

/*
 * Warns of a rule that an earlier one covers. Such a rule exempts nobody else, so it is no error.
 */
static void
check_covered(const struct rule_view *v)
{
	for (const struct conf_exempt *a = v->c->exempt; a < v->c->exempt + v->c->nexempts; a++) {
		if (!comes_before(a, v->e) || !covers(a, v->e))
			continue;
		conf_warn(v->rep, v->s->file, v->s->line,
		    "[%s] never decides: [exempt %s] is tried before it and exempts the same "
		    "sign-ins for at least as long; remove one of the two",
		    v->s->name, a->name);
		return;
	}
}

static void
check_end(const struct rule_view *v, int64_t now_s)
{
	const struct conf_setting *until = conf_section_get(v->s, "until");

	if (v->e->until_s <= now_s)
		conf_warn(v->rep, until->file, until->line,
		    "[%s] expired at the end of %s and exempts nobody; remove it, or set a later "
		    "until",
		    v->s->name, until->value);
	else if (v->e->until_s - now_s <= EXEMPT_NOTICE_S)
		conf_warn(v->rep, until->file, until->line,
		    "[%s] expires at the end of %s; set a later until, or register contacts for "
		    "its users",
		    v->s->name, until->value);
}

void
conf_check_exempt(
    const struct conf *c, const struct conf_exempt *e, int64_t now_s, struct conf_report *rep)
{
	const struct rule_view v = {.c = c, .e = e, .s = section_of(c, e), .rep = rep};

	if (!e->users.n && !e->groups.n && !e->nnetworks && !e->services.n)
		conf_error(rep, v.s->file, v.s->line,
		    "[%s] would exempt everyone: add users, groups, networks or services",
		    v.s->name);
	check_services(&v);
	check_networks(&v);
	if (e->until_s > now_s)
		check_covered(&v);
	check_end(&v, now_s);
}
