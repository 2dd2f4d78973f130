/*
 * Notices: when contacts change, each old address gets a message about it, by its own channel, once
 * the change is on disk. So a user whose second factor was stolen is warned at an address that the
 * user still reads. The change stands whether or not the notices can be sent.
 *
 * MUST: each address that gets no notice is in the log, whatever the reason.
 */
#ifndef OTP_OTPCTL_NOTICE_H
#define OTP_OTPCTL_NOTICE_H

#include "helpers/conf/conf.h"
#include "helpers/contacts/contacts.h"
#include "helpers/otpctl/audit.h"
#include "helpers/otpctl/options.h"
#include "helpers/otpctl/otpctl.h"

/* Neither option, --notice or --no-notice. */
enum notice_wish { NOTICE_UNSAID, NOTICE_YES, NOTICE_NO };

/*
 * The most notices that one command sends without --notice. Above it, the command changes nothing
 * and asks for --notice or --no-notice: ten thousand messages by one command are a mistake.
 */
enum { NOTICES_UNASKED = 20 };
/* With --no-notice, the log has one line each for this many addresses, and the number of others. */
enum { NOTICES_LOGGED = 100 };

struct notice {
	char *user;
	char *address;
	enum contact_kind kind;
	enum contact_fate fate;
	bool sent;
	char *detail; /* the channel and provider, or why it was not sent; NULL before the try */
};

struct notices {
	enum notice_wish wish; /* set by the caller before notices_collect() */
	size_t old;	       /* the number of addresses that should get a notice */
	struct notice *item;   /* owned; with NOTICE_NO, the addresses to log */
	size_t n;	       /* of item */
	struct audit_hold hold;
};

/*
 * Collects into n the addresses that should get a notice about the edit. Then holds interrupts back
 * until notices_settled() if there is no notice to send, else until notices_clear(). An interrupt
 * in that time cancels the notices that are left; each of them is reported as not sent.
 * Returns OTPCTL_OK, or OTPCTL_FAILED after it has printed why: too many addresses without an
 * option, or no memory.
 */
int notices_collect(struct contacts_edit *e, struct notices *n);
/*
 * To be called after the log has the line of the change. If there is no notice to send, logs each
 * address that gets none, and lets interrupts through again.
 */
void notices_settled(struct notices *n);
/* Sends the notices one by one. Prints and logs each result, and sets sent and detail. */
void notices_send(const struct otpctl *ctl, const struct conf *conf, struct notices *n);
/* A new array of objects; NULL without memory. */
json_t *notices_json(const struct notices *n);
/*
 * Prints j, the change as JSON, with the notices added as a member. Takes j over. Returns
 * OTPCTL_OK, or OTPCTL_FAILED after it has printed why.
 */
int notices_print_json(json_t *j, const struct notices *n);
/* Frees all, and lets interrupts through again: one that was held back ends the program here. */
void notices_clear(struct notices *n);

#define _auto_notices __attribute__((cleanup(notices_clear)))

/*
 * The row of --notice (said is NOTICE_YES) or --no-notice (NOTICE_NO) in the options of a command
 * that changes contacts. The option sets *wish to said; both together are an error.
 */
struct otpctl_option notice_option(enum notice_wish *wish, enum notice_wish said);

#endif
