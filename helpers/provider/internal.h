/* What the files of this folder share about one provider. No other file may include it. */
#ifndef OTP_PROVIDER_INTERNAL_H
#define OTP_PROVIDER_INTERNAL_H

#include "helpers/provider/provider.h"
#include "helpers/template/bindings.h"

struct provider {
	const struct conf *conf; /* borrowed, as is its section: */
	const struct conf_provider *section;
	struct profile *profile;
	struct secret *secret; /* one per variable of the profile; empty if that is no secret */
};

/* The setting of this name in the section, or NULL. */
const struct conf_setting *provider_setting(const struct conf_provider *section, const char *key);
/*
 * Reports an error of a key of the provider's section, see conf_error_at(). Returns -OTP_ECONF,
 * never 0.
 */
int provider_fault(const struct provider *p, const char *key, struct conf_report *report,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The variable of the profile has a value: a setting, a secret or a default. */
bool provider_has(const struct provider *p, const char *name);
/* A request of the profile under the name that it has there. */
struct named_request {
	const char *name;
	const struct request *request; /* NULL: the profile does not have it */
};
enum { PROVIDER_REQUESTS = 6 };
/* Lists the requests of the profile. The last one is `warm`, which needs nothing of the user. */
void provider_requests(
    const struct provider *p, struct named_request out[static PROVIDER_REQUESTS]);
enum bind_how {
	BIND_ALL,
	BIND_KNOWN, /* leave out settings that use a variable without a value */
};
/* Binds the settings of the section. 0, or the errors of bindings_set() and bindings_render(). */
int provider_bind_settings(const struct provider *p, struct bindings *b, enum bind_how how);
/*
 * Binds what a send needs, without captures and attributes. 0, or the errors of bindings_set() and
 * bindings_render().
 */
int provider_bind(const struct provider *p, const struct sending *q, struct bindings *b);
/*
 * Reports what is wrong with the keys `ca` and `proxy`. 0, -OTP_ECONF or -OTP_ENOMEM.
 */
int provider_judge_route(const struct provider *p, struct conf_report *report);
/*
 * Reports settings with which a request cannot be made: a URL to which none goes, a value that is
 * no number or boolean, a login without a password. 0 or -OTP_ECONF.
 */
int provider_judge_requests(const struct provider *p, struct conf_report *report);
/*
 * Renders each request for the channel with the values of an invented user, and reports those that
 * cannot be made. message is as in provider_check_channel(). 0, -OTP_ECONF or -OTP_ENOMEM.
 */
int provider_rehearse(
    const struct provider *p, const char *channel, const char *message, struct conf_report *report);
/*
 * Warns of what ties codes and addresses of this provider together: codes that are tied to the
 * address alone, and channels that drop the country while numbers of more than one are allowed.
 */
void provider_warn_of_identity(const struct provider *p, struct conf_report *report);
/* The template to send: the channel's message, or the profile's if that is "" or NULL. */
const char *provider_message(const struct provider *p, const char *message);

#endif
