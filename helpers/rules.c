/*
 * MUST:
 *  - a rule exempts only when every kind it gives is known to match; what is not known (no client
 *    address, no such group) does not match;
 *  - a rule that is over exempts nobody;
 *  - a name service that fails is an error, never "no match" and never a match.
 */
#include "helpers/rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/own.h"

/* The largest record of a name service that is waited for: a group may have many members. */
enum { RECORD_FIRST = 4096, RECORD_MAX = 16 * 1024 * 1024 };

/* How name services say "there is none"; every other errno is theirs to explain. */
static bool
means_absent(int e)
{
	return e == 0 || e == ENOENT || e == ESRCH;
}

/* 0, -OTP_ENOENT, -OTP_ESYS (the name service failed; errno) or -OTP_ENOMEM. */
static int
group_lookup(const char *name, gid_t *gid)
{
	struct group record, *found = NULL;
	int e = ERANGE;

	for (size_t size = RECORD_FIRST; e == ERANGE && size <= RECORD_MAX; size *= 4) {
		_auto_free char *memory = malloc(size);

		if (!memory)
			return -OTP_ENOMEM;
		do
			e = getgrnam_r(name, &record, memory, size, &found);
		while (e == EINTR);
		if (!e && found) {
			*gid = record.gr_gid;
			return 0;
		}
	}
	errno = e;
	return means_absent(e) ? -OTP_ENOENT : -OTP_ESYS;
}

static int
user_lookup(const char *name)
{
	struct passwd record, *found = NULL;
	int e = ERANGE;

	for (size_t size = RECORD_FIRST; e == ERANGE && size <= RECORD_MAX; size *= 4) {
		_auto_free char *memory = malloc(size);

		if (!memory)
			return -OTP_ENOMEM;
		do
			e = getpwnam_r(name, &record, memory, size, &found);
		while (e == EINTR);
		if (!e && found)
			return 0;
	}
	errno = e;
	return means_absent(e) ? -OTP_ENOENT : -OTP_ESYS;
}

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

static bool
networks_match(const struct conf_exempt *e, const struct rules_request *q)
{
	if (!e->nnetworks)
		return true;
	for (size_t i = 0; q->has_client && i < e->nnetworks; i++)
		if (network_has(&e->network[i], &q->client))
			return true;
	return false;
}

/* 1: the user is in one of the rule's groups, or it names none; 0: not; or an error. */
static int
groups_match(const struct conf_exempt *e, const struct rules_request *q)
{
	if (!e->groups.n)
		return 1;
	for (size_t i = 0; i < e->groups.n; i++) {
		gid_t gid;
		int r = group_lookup(e->groups.item[i], &gid);

		if (r == -OTP_ENOENT)
			continue;
		if (r)
			return r;
		for (size_t j = 0; j < q->ngroups; j++)
			if (q->groups[j] == gid)
				return 1;
	}
	return 0;
}

/* 1, 0 or an error, as above. Groups come last: they may have to be asked over a network. */
static int
exempts(const struct conf_exempt *e, const struct rules_request *q)
{
	if (q->now_s >= e->until_s)
		return 0;
	/* conf_load() refuses such a rule; should one ever get here, it exempts nobody. */
	if (!e->users.n && !e->groups.n && !e->services.n && !e->nnetworks)
		return 0;
	if (e->users.n && !strlist_has(&e->users, q->user))
		return 0;
	if (e->services.n && !strlist_has(&e->services, q->service))
		return 0;
	if (e->requires_publickey && !q->publickey)
		return 0;
	if (!networks_match(e, q))
		return 0;
	return groups_match(e, q);
}

int
rules_decide(const struct conf *c, const struct rules_request *q, const struct conf_exempt **rule)
{
	*rule = NULL;
	for (size_t i = 0; i < c->nexempts; i++) {
		int r = exempts(&c->exempt[i], q);

		if (r < 0)
			return r;
		if (r) {
			*rule = &c->exempt[i];
			return 0;
		}
	}
	return 0;
}

static void
warn_name(
    struct buf *report, const struct conf_exempt *e, const char *what, const char *name, int r)
{
	if (r == -OTP_ENOENT)
		(void)buf_putf(
		    report, "warning: [exempt %s] there is no %s \"%s\"\n", e->name, what, name);
	else if (r)
		(void)buf_putf(report,
		    "warning: [exempt %s] the %s \"%s\" could not be looked up: %s\n", e->name,
		    what, name, r == -OTP_ESYS ? strerror(errno) : otp_strerror(r));
}

void
rules_check(const struct conf *c, struct buf *report)
{
	for (size_t i = 0; i < c->nexempts; i++) {
		const struct conf_exempt *e = &c->exempt[i];
		gid_t gid;

		for (size_t j = 0; j < e->users.n; j++)
			warn_name(
			    report, e, "user", e->users.item[j], user_lookup(e->users.item[j]));
		for (size_t j = 0; j < e->groups.n; j++)
			warn_name(report, e, "group", e->groups.item[j],
			    group_lookup(e->groups.item[j], &gid));
	}
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
