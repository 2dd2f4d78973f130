/* Who sends: the providers of a channel, in their order. */
#ifndef OTP_DELIVERY_H
#define OTP_DELIVERY_H

#include "common/deadline.h"
#include "helpers/conf.h"
#include "helpers/provider.h"

struct delivered {
	enum provider_class class; /* CLASS_OK, CLASS_UNANSWERED, or why nobody took it */
	char provider[64];	   /* who did */
	bool nothing_sent;	   /* certainly: no request was written, or none was served */
	long retry_after;	   /* seconds, 0 when not said */
};

struct delivery {
	/*
	 * Has the code sent over q->channel (q->message is the delivery's to fill in). On
	 * provider_down, no_credit, bad_destination and bad_credentials the next provider is asked;
	 * a request that was written and not answered is never repeated. CLASS_PROVIDER_DOWN means
	 * that every one failed by name lookup, TCP, TLS, 5xx, credit or credentials: what a person
	 * might bring about, such as a refused number, is CLASS_REFUSED.
	 * 0, or -OTP_EGONE when the peer has gone meanwhile.
	 */
	int (*send)(struct delivery *d, const struct sending *q, const struct conf_signin *options,
	    struct delivered *out);
	/* The kind of contact that a channel needs. -OTP_ENOENT for a channel not opened. */
	int (*needs)(struct delivery *d, const char *channel, enum contact_kind *kind);
};

/*
 * Loads every provider of the channels, with its secrets. peer: the socket whose hang-up ends every
 * wait, or -1. Errors go to *report. 0, -OTP_ECONF, -OTP_ENOMEM, -OTP_ECRYPTO.
 */
int delivery_open(const struct conf *c, const struct strlist *channels, uid_t also, int peer,
    struct delivery **out, struct buf *report);
void delivery_close(struct delivery *d);

#endif
