/* The [exempt] rules of the configuration decide whether this user is asked for a code here. */
#ifndef OTP_RULES_H
#define OTP_RULES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "helpers/conf/conf.h"

/* What the rules look at. The strings are borrowed. */
struct rules_request {
	const char *user; /* canonical: pw_name */
	/*
	 * Sets groups and ngroups when the first rule needs them. 0 or any -OTP_E.... NULL: groups
	 * is set already.
	 */
	int (*find_groups)(struct rules_request *q);
	void *arg; /* for find_groups and client_is_own */
	const gid_t *groups;
	size_t ngroups;
	const char *service;
	bool has_client;	/* is there a numeric client address? */
	struct in6_addr client; /* IPv4 as IPv4-mapped IPv6 */
	/*
	 * True if the client's address is this machine's own. Such an address matches no network of
	 * more than one address. Called only if such a network has it. NULL: it is not.
	 */
	bool (*client_is_own)(const struct rules_request *q);
	bool publickey; /* sshd reported that it accepted a public key */
	int64_t now_s;	/* wall clock, seconds */
};

enum { RULES_WHY_MAX = 128 };

/* Is called for each rule that is looked at, in their order. */
struct rules_watch {
	/* why_not is NULL for the rule that decides; it is borrowed for the call. */
	void (*seen)(const struct conf_exempt *rule, const char *why_not, void *arg);
	void *arg;
};

/*
 * Finds the first rule that exempts the user. Rules without groups come first, because they need no
 * name service. watch may be NULL.
 * 0: *rule is this rule, or NULL if the user is asked; -OTP_ENAMES: no rule exempts the user, but
 * one might if the name service had not failed; -OTP_ENOMEM; or the error of find_groups. After an
 * error *rule is NULL.
 */
int rules_decide(const struct conf *c, const struct rules_request *q,
    const struct rules_watch *watch, const struct conf_exempt **rule);

/*
 * Reports each rule that cannot match, because it names a user or a group that does not exist, or a
 * user by another name than the canonical one. That is an error in *report. If a name cannot be
 * looked up, that is a warning. This is for `otpctl config check`, because it may wait for the name
 * service. 0, or -OTP_ENOENT if there was such an error.
 */
int rules_check(const struct conf *c, struct conf_report *report);

/*
 * Reads a numeric address, IPv4 or IPv6, into its IPv6 form. The zone id of a link-local address is
 * ignored; on any other address it is an error. False if s is anything but an address.
 */
bool rules_address(const char *s, struct in6_addr *out);

#endif
