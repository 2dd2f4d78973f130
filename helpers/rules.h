/* Must this user be asked here? The [exempt] rules of the configuration decide. */
#ifndef OTP_RULES_H
#define OTP_RULES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "helpers/conf.h"

/* What the rules look at. Borrowed strings. */
struct rules_request {
	const char *user; /* canonical: pw_name */
	const gid_t *groups;
	size_t ngroups;
	const char *service;
	bool has_client;	/* is there a numeric client address? */
	struct in6_addr client; /* v4 as v4-mapped */
	bool publickey;		/* sshd says a public key was accepted */
	int64_t now_s;		/* wall clock, seconds */
};

/*
 * 0 and *rule the [exempt] section that says "not asked", or NULL where the user is asked; a
 * group that cannot be looked up because the name service failed is -OTP_ESYS.
 */
int rules_decide(
    const struct conf *c, const struct rules_request *q, const struct conf_exempt **rule);

/*
 * Warnings about rules that cannot match as they stand: users and groups that do not exist, or
 * could not be looked up. One line each into *report. For `otpctl config check`: it asks the name
 * service, which a sign-in does not wait for.
 */
void rules_check(const struct conf *c, struct buf *report);

/*
 * A numeric address, v4 or v6 (a zone id is allowed on link-local v6 and ignored), into its v6
 * form. false for a name, and for what only looks like an address.
 */
bool rules_address(const char *s, struct in6_addr *out);

#endif
