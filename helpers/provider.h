/* A configured provider: a profile with its settings, and the requests it makes. */
#ifndef OTP_PROVIDER_H
#define OTP_PROVIDER_H

#include <stdint.h>
#include <sys/types.h>

#include "common/deadline.h"
#include "common/secret.h"
#include "helpers/conf.h"
#include "helpers/contacts.h"
#include "helpers/http.h"
#include "helpers/profile.h"

struct provider;

/* Do secrets have to be readable now? */
enum provider_secrets {
	PROVIDER_NAME_SECRETS, /* only named: `config check` as a user who may not read them */
	PROVIDER_READ_SECRETS,
};

/*
 * Loads the profile of a [provider] section and judges the section against it: unknown settings,
 * missing required ones, secrets that are not file: or cred:. Errors go to *report, a line each.
 * 0, -OTP_ECONF, -OTP_ENOMEM.
 */
int provider_load(const struct conf *c, const struct conf_provider *section, uid_t also,
    enum provider_secrets secrets, struct provider **out, struct buf *report);
void provider_free(struct provider *p);

const char *provider_name(const struct provider *p);

/*
 * Can it serve the channel with this text (a template; "" for the profile's own)? Errors, e.g. a
 * text without ${code}, go to *report. 0 or -OTP_ECONF.
 */
int provider_check_channel(
    const struct provider *p, const char *channel, const char *message, struct buf *report);
/* The kind of contact that the channel needs; the channel must be one of the profile's. */
enum contact_kind provider_needs(const struct provider *p, const char *channel);

/* One send. Borrowed strings. */
struct sending {
	const char *user;
	const char *host;
	const char *service;
	const char *channel;
	const char *message; /* a template, "" for the profile's */
	const struct contact *contact;
	const char *code;
	int64_t ttl; /* milliseconds */
};

struct sent {
	enum provider_class class;
	long status;	  /* of the answer, 0 without one */
	long retry_after; /* seconds, 0 when the provider did not say */
	bool written;	  /* the request may have reached the provider */
	bool outage;	  /* failed by name lookup, TCP, TLS, 5xx, credit or credentials */
};

/*
 * Makes the send request once. What became of it is in *s, and in the log with the provider, the
 * class, the status and the time it took.
 * 0; -OTP_EGONE when the peer has gone meanwhile. Everything else is a class.
 */
int provider_send(const struct provider *p, struct http *h, const struct sending *q,
    struct deadline dl, struct sent *s);

#endif
