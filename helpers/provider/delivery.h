/* Sends and checks codes by the providers of a channel, in the order of the configuration. */
#ifndef OTP_PROVIDER_DELIVERY_H
#define OTP_PROVIDER_DELIVERY_H

#include "common/deadline.h"
#include "helpers/conf/conf.h"
#include "helpers/provider/provider.h"

/* How a call of delivery's send or verify ended. */
struct delivered {
	/*
	 * What the last provider that was asked did. The class in it is that of the whole call:
	 * CLASS_OK, CLASS_UNANSWERED, or why no provider accepted the message.
	 */
	struct sent sent;
	char provider[64]; /* the name of that provider; "" if none was asked */
	/* True if it is certain that no message went out: no request was written, or the providers
	 * said that they refused. Of a check: the code did not reach the provider. */
	bool nothing_sent;
	enum code_by code_by;	/* from the profile of `provider` */
	enum bound_to bound_to; /* from the profile of `provider` */
	/* With BOUND_TO_ADDRESS: the address as the provider knows it, see provider_identity(). */
	char identity[IDENTITY_MAX + 1];
	bool instead; /* another provider was asked earlier in this call, and failed */
	/*
	 * Nothing was sent, because q->spares() said so. The class is CLASS_OK, and the caller goes
	 * on as if a code had been sent.
	 */
	bool pretended;
};

/* Wipes the secrets in d. What is left is the value before any call. */
void delivered_clear(struct delivered *d);

/* The last send over a channel to an address. Borrowed. */
struct last_send {
	const char *provider;
	bool unanswered; /* the provider took the request and gave no complete answer */
};

struct delivery {
	/*
	 * Sends a code or a notice over q->channel. The providers of the channel are asked one
	 * after the other, each for at most options->attempt_timeout, and all until the deadline
	 * `all`. `last` may be NULL.
	 *
	 * - The next provider is asked if one is down, has no credit, or refuses the address, the
	 *   credentials or the request; for a known source also if one limits the rate. Any other
	 *   class ends the call.
	 * - A request that was written and not answered is never repeated. If `last` is such a
	 *   send, the providers after last->provider are asked first, and last->provider itself is
	 *   asked last.
	 * - A provider that named a Retry-After for this address is not asked before that time, in
	 *   any sign-in: CLASS_RATE_LIMITED.
	 * - q->captures are those of last->provider; no other provider gets them.
	 * - If a code is sent, q->message is ignored, and the channel's message is sent. If a
	 *   notice is sent, q->message is sent, by a provider that takes our text. If no provider
	 *   takes it, the class is CLASS_REFUSED, and out->provider is empty.
	 *
	 * CLASS_PROVIDER_DOWN means an outage: all providers were asked, and each failed by name
	 * lookup, TCP, TLS, 5xx, credit or credentials. If one was not asked because the time was
	 * over, or failed in a way that the user may cause, the class is CLASS_REFUSED. For a known
	 * source it is CLASS_RATE_LIMITED, with the shortest time, if one of them limits the rate.
	 *
	 * 0, also if nothing was sent: the class in *out says what happened. -OTP_EGONE if the peer
	 * hung up meanwhile.
	 */
	int (*send)(struct delivery *d, const struct sending *q, const struct last_send *last,
	    const struct conf_signin *options, struct deadline all, struct delivered *out);
	/*
	 * Asks the named provider, within options->verify_timeout, whether q->code is right. It is
	 * right only if the class is CLASS_OK. 0, whatever the class; -OTP_EGONE if the peer hung
	 * up meanwhile.
	 */
	int (*verify)(struct delivery *d, const struct sending *q, const char *provider,
	    const struct conf_signin *options, struct delivered *out);
	/* The next delivery_idle() is to connect to the channel's first provider. */
	void (*warm)(struct delivery *d, const char *channel);
	/* Which kind of contact the channel needs. 0; -OTP_ENOENT if the channel is not open. */
	int (*needs)(struct delivery *d, const char *channel, enum contact_kind *kind);
	/*
	 * How many digits a code has that this provider ("": the channel's first one) makes. Both
	 * are 0 if the helper makes the codes.
	 */
	void (*code_length)(
	    struct delivery *d, const char *channel, const char *provider, int *least, int *most);
};

/*
 * Loads all providers of the channels. Whatever in their sections, profiles and secrets makes a
 * sign-in impossible is an error here: a sign-in and `otpctl config check` both call this. io is
 * copied; what it points to is borrowed. io->http may be NULL if neither send nor verify is called.
 * Errors become rows of *report, and the report has all of them. The caller ends it with
 * delivery_close(). 0, -OTP_ECONF or -OTP_ENOMEM.
 */
int delivery_open(const struct conf *c, const struct strlist *channels, uid_t second_owner,
    enum provider_secrets secrets, const struct provider_io *io, struct delivery **out,
    struct conf_report *report);
/* Connects, if warm() was called, while the user reads a prompt. Returns if the peer sends
 * something or hangs up, or at dl. */
void delivery_idle(struct delivery *d, struct deadline dl);
/* Makes the provider's cleanup request for a successful check. Call it after the result was sent.
 */
void delivery_cleanup(struct delivery *d, int64_t ms);
void delivery_close(struct delivery *d);

#endif
