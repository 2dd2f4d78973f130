/* Must this user be asked here? The [exempt] rules of the configuration decide. */
#ifndef OTP_RULES_H
#define OTP_RULES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "helpers/conf/conf.h"

/* What the rules look at. Borrowed strings. */
struct rules_request {
	const char *user; /* canonical: pw_name */
	/* Finds `groups`, where a rule needs them: 0 or its own error. NULL: they are there. */
	int (*find_groups)(struct rules_request *q);
	void *arg; /* of find_groups */
	const gid_t *groups;
	size_t ngroups;
	const char *service;
	bool has_client;	/* is there a numeric client address? */
	struct in6_addr client; /* v4 as v4-mapped */
	bool publickey;		/* sshd says a public key was accepted */
	int64_t now_s;		/* wall clock, seconds */
};

enum { RULES_WHY_MAX = 128 };

/* Who wants to know of each rule that is looked at, in their order. */
struct rules_watch {
	/* why_not is NULL for the rule that decides; it is borrowed for the call. */
	void (*seen)(const struct conf_exempt *rule, const char *why_not, void *arg);
	void *arg;
};

/*
 * 0 and *rule the [exempt] section that says "not asked", or NULL where the user is asked. Rules
 * without groups come first: they need no name service. An error of find_groups; -OTP_ENAMES where
 * that hangs on a group of which the name service failed to tell who is in it; -OTP_ENOMEM. watch
 * may be NULL.
 */
int rules_decide(const struct conf *c, const struct rules_request *q,
    const struct rules_watch *watch, const struct conf_exempt **rule);

/*
 * Rules that cannot match as things are: they name a user or a group that does not exist, or a user
 * by a name that is not theirs. Each becomes an error in *report; what could not be looked up
 * becomes a warning. For `otpctl config check`: it asks the name service, which a sign-in does
 * not wait for. 0 or -OTP_ENOENT.
 */
int rules_check(const struct conf *c, struct conf_report *report);

/*
 * A numeric address, v4 or v6 (a zone id is allowed on link-local v6 and ignored), into its v6
 * form. false for a name, and for what only looks like an address.
 */
bool rules_address(const char *s, struct in6_addr *out);

#endif
