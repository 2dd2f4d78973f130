/* Who sends and who checks: the providers of a channel, in their order. */
#ifndef OTP_PROVIDER_DELIVERY_H
#define OTP_PROVIDER_DELIVERY_H

#include "common/deadline.h"
#include "helpers/conf/conf.h"
#include "helpers/provider/provider.h"

struct delivered {
	/*
	 * What came of the last provider that was asked. Its outcome's class is that of the whole
	 * call: CLASS_OK, CLASS_UNANSWERED, or why nobody took it.
	 */
	struct sent sent;
	char provider[64]; /* the last one that was asked */
	/* Certainly: no request was written, or (of a send) none was served. */
	bool nothing_sent;
	enum code_by code_by;
	enum bound_to bound_to;
	bool instead; /* of one that was asked first, in the same call, and did not take it */
};

void delivered_clear(struct delivered *d);

/* Borrowed. */
struct last_send {
	const char *provider;
	bool unanswered;
};

struct delivery {
	/*
	 * Has the code sent over q->channel (q->message is the delivery's to fill in, but of a
	 * notice, which only providers that send texts of ours are asked for: where there is none,
	 * it is CLASS_REFUSED and names no provider), until `all` at most; each provider has
	 * options->attempt_timeout. With no time left nobody is asked, which is CLASS_REFUSED. On
	 * provider_down, no_credit, bad_destination and bad_credentials the next provider is asked;
	 * a request that was written and not answered is never repeated. CLASS_PROVIDER_DOWN means
	 * that every one failed by name lookup, TCP, TLS, 5xx, credit or credentials: what a person
	 * might bring about, such as a refused number, is CLASS_REFUSED. One that asked to be left
	 * alone for this address (Retry-After) is not asked before that time, over the sign-ins:
	 * CLASS_RATE_LIMITED. `last` is the last send over this channel to this address, or NULL:
	 * q->captures are those of its provider; where it was not answered, the providers behind
	 * its own are asked first, and its own last. 0, or -OTP_EGONE when the peer has gone
	 * meanwhile.
	 */
	int (*send)(struct delivery *d, const struct sending *q, const struct last_send *last,
	    const struct conf_signin *options, struct deadline all, struct delivered *out);
	/* Has the provider check q->code. CLASS_OK is the only right answer. As above. */
	int (*verify)(struct delivery *d, const struct sending *q, const char *provider,
	    const struct conf_signin *options, struct delivered *out);
	/* Connects while the next prompt is out, before anybody has answered: see delivery_idle().
	 */
	void (*warm)(struct delivery *d, const char *channel);
	/* The kind of contact that a channel needs. -OTP_ENOENT for a channel not opened. */
	int (*needs)(struct delivery *d, const char *channel, enum contact_kind *kind);
	/*
	 * The digits of a code of this provider ("": of the channel's first), where we do not make
	 * it; 0 and 0 where we do.
	 */
	void (*code_length)(
	    struct delivery *d, const char *channel, const char *provider, int *least, int *most);
};

/*
 * Loads every provider of the channels, with its secrets. Errors go to *report. Whoever neither
 * sends nor verifies needs no io->http. 0, -OTP_ECONF, -OTP_ENOMEM.
 */
int delivery_open(const struct conf *c, const struct strlist *channels, uid_t second_owner,
    const struct provider_io *io, struct delivery **out, struct conf_report *report);
/* Connects, if that was asked for, while a person is thinking; returns when the peer speaks, or at
 * dl. */
void delivery_idle(struct delivery *d, struct deadline dl);
/* After the result: ends at the provider what a check began there. Takes at most ms. */
void delivery_cleanup(struct delivery *d, int64_t ms);
void delivery_close(struct delivery *d);

#endif
