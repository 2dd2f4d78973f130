#include "helpers/otpctl/notice.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "common/text.h"
#include "helpers/codes/code.h"
#include "helpers/base/json.h"
#include "helpers/base/log.h"
#include "helpers/otpctl/send_worker.h"

enum { REFERENCE_DIGITS = 6 };

/*
 * ${code} is a reference number, which is also in the log: some providers send no text without a
 * code. The texts name no user, because the address may be another person's by now.
 */
#define JOINED                                                                                     \
	"An address for sign-ins to ${host} was added beside this one. If that was not you, tell " \
	"your administrator. Reference: ${code}"
static const char *const texts[2][3] = {
    [CONTACT_PHONE] = {"The phone number for sign-ins to ${host} was removed. If that was not you, "
		       "tell your administrator. Reference: ${code}",
	"The phone number for sign-ins to ${host} was changed. If that was not you, tell your "
	"administrator. Reference: ${code}",
	JOINED},
    [CONTACT_EMAIL] = {"The e-mail address for sign-ins to ${host} was removed. If that was not "
		       "you, tell your administrator. Reference: ${code}",
	"The e-mail address for sign-ins to ${host} was changed. If that was not you, tell your "
	"administrator. Reference: ${code}",
	JOINED},
};

static const char *
set_wish(enum notice_wish *wish, enum notice_wish said)
{
	if (*wish != NOTICE_UNSAID && *wish != said)
		return "--notice and --no-notice exclude each other";
	*wish = said;
	return NULL;
}

static const char *
take_notice(void *to, const char *argument)
{
	(void)argument;
	return set_wish(to, NOTICE_YES);
}

static const char *
take_no_notice(void *to, const char *argument)
{
	(void)argument;
	return set_wish(to, NOTICE_NO);
}

struct otpctl_option
notice_option(enum notice_wish *wish, enum notice_wish said)
{
	if (said == NOTICE_YES)
		return (struct otpctl_option){"notice", NULL,
		    "Notify old addresses of the change, however many there are",
		    .take = take_notice, .to = wish};
	return (struct otpctl_option){"no-notice", NULL, "Notify no old address of the change",
	    .take = take_no_notice, .to = wish};
}

static const char *
masked(const struct notice *n, char *dst, size_t size)
{
	return contact_masked(dst, size, n->address);
}

/* --- which addresses ------------------------------------------------------------------------- */

static int
add_old(const struct contact *c, enum contact_fate fate, void *arg)
{
	struct notices *n = arg;
	struct notice *item = n->item, *new;

	n->old++;
	/* A command may change a million addresses, so only those that are used are kept. */
	if (n->wish != NOTICE_YES &&
	    n->n == (n->wish == NOTICE_NO ? NOTICES_LOGGED : NOTICES_UNASKED))
		return 0;
	/* Doubles the array when it is full, which is when n is a power of two. */
	if ((n->n & (n->n - 1)) == 0)
		item = reallocarray(n->item, n->n ? 2 * n->n : 1, sizeof(*item));
	if (!item)
		return -OTP_ENOMEM;
	n->item = item;
	new = &item[n->n];
	*new = (struct notice){
	    .user = strdup(c->user), .address = strdup(c->address), .kind = c->kind, .fate = fate};
	n->n++;
	return new->user &&new->address ? 0 : -OTP_ENOMEM;
}

int
notices_collect(struct contacts_edit *e, struct notices *n)
{
	if (contacts_edit_old(e, add_old, n))
		return otpctl_fail("nothing was changed: the old addresses, which should get a "
				   "notice, could not be read");
	if (n->wish == NOTICE_UNSAID && n->old > NOTICES_UNASKED)
		return otpctl_fail(
		    "nothing was changed: %zu old addresses would get a notice; add --notice to "
		    "send all notices, or --no-notice to send none",
		    n->old);
	/*
	 * Holds interrupts back before the change, so that none comes between it and its notices.
	 */
	return audit_hold(&n->hold);
}

void
notices_clear(struct notices *n)
{
	audit_release(&n->hold);
	for (size_t i = 0; i < n->n; i++) {
		free(n->item[i].user);
		free(n->item[i].address);
		free(n->item[i].detail);
	}
	free(n->item);
	n->item = NULL;
	n->n = 0;
}

/* --- the send worker ------------------------------------------------------------------------- */

static bool
provider_has_it(enum provider_class c)
{
	return c == CLASS_OK || c == CLASS_UNANSWERED;
}

/* Sends by one channel; d gets the class. 0, or -OTP_EGONE if the parent has ended. */
static int
send_by(struct send_worker *c, const struct notice *n, const char *channel,
    const struct secret *reference, struct delivered *d)
{
	struct contact contact = {.kind = n->kind};
	struct sending q = {
	    .kind = SENDING_NOTICE,
	    .user = n->user,
	    .host = c->host,
	    .service = "otpctl",
	    .channel = channel,
	    .message = texts[n->kind][n->fate],
	    .contact = &contact,
	    .code = secret_str(reference),
	    .code_length = REFERENCE_DIGITS,
	    .ttl = c->options->code_ttl,
	};

	(void)snprintf(contact.user, sizeof(contact.user), "%s", n->user);
	(void)snprintf(contact.address, sizeof(contact.address), "%s", n->address);
	return c->delivery->send(
	    c->delivery, &q, NULL, c->options, deadline_in(c->options->send_timeout), d);
}

/* Logs a notice that was sent, and reports the result to the parent. 0 or -OTP_EGONE. */
static int
report(struct send_worker *c, int i, const struct notice *n, const char *channel,
    const struct delivered *d, const struct secret *reference)
{
	char text[WORKER_TEXT_MAX + 1], where[64], user[CONTACT_USER_MAX + 1];
	/* If the provider made the number, its answer has it. */
	const char *number = d->sent.code.len ? secret_str(&d->sent.code) : secret_str(reference);

	if (provider_has_it(d->sent.outcome.class)) {
		otp_log(LOG_NOTICE,
		    "event=notice user=\"%s\" to=\"%s\" channel=%s provider=%s reference=%s",
		    text_quotable(user, sizeof(user), n->user), masked(n, where, sizeof(where)),
		    channel, d->provider, number);
		(void)snprintf(text, sizeof(text), "by %s through %s, reference %s%s", channel,
		    d->provider, number,
		    d->sent.outcome.class == CLASS_OK ? "" : ", unless it was lost");
		return send_worker_send(c->fd, WORKER_NOTICE_SENT, i, text);
	}
	(void)snprintf(text, sizeof(text), "%s did not accept it: %s", d->provider,
	    provider_class_name(d->sent.outcome.class));
	return send_worker_send(c->fd, WORKER_NOTICE_NOT_SENT, i, text);
}

/*
 * After two outages in a row for one kind of address, no provider is asked for that kind any more:
 * each outage may last as long as a time-out.
 */
enum { DOWN_AT_MOST = 2 };
struct down {
	int kind[2];
};

/* Sends by the first channel that reaches the address and can carry our text. 0 or -OTP_EGONE. */
static int
send_one(struct send_worker *c, int i, const struct notice *n, struct down *down)
{
	_auto_secret struct secret reference = {0};
	struct delivered d = {.sent = SENT_INIT(CLASS_BROKEN)};
	const char *why = "no channel in [otp] channels reaches an address of this kind";
	int r = 0;

	if (code_make(REFERENCE_DIGITS, &reference))
		return send_worker_send(
		    c->fd, WORKER_NOTICE_NOT_SENT, i, "the kernel gave no random number");
	/* [limits] prefixes protects from toll fraud, so it holds for notices too. */
	if (n->kind == CONTACT_PHONE && !conf_allows_number(c->conf, n->address))
		return send_worker_send(c->fd, WORKER_NOTICE_NOT_SENT, i,
		    "[limits] prefixes does not allow the number");
	if (down->kind[n->kind] == DOWN_AT_MOST)
		return send_worker_send(c->fd, WORKER_NOTICE_NOT_SENT, i,
		    "the providers were down for the notices before it");
	for (size_t k = 0; !r && !*d.provider && k < c->channels->n; k++) {
		const char *channel = c->channels->item[k];
		enum contact_kind needs;

		if (c->delivery->needs(c->delivery, channel, &needs) || needs != n->kind)
			continue;
		why = "all providers of its channels write their texts themselves";
		r = send_by(c, n, channel, &reference, &d);
		if (!r && *d.provider)
			r = report(c, i, n, channel, &d, &reference);
	}
	down->kind[n->kind] =
	    d.sent.outcome.class == CLASS_PROVIDER_DOWN ? down->kind[n->kind] + 1 : 0;
	if (!r && !*d.provider)
		r = send_worker_send(c->fd, WORKER_NOTICE_NOT_SENT, i, why);
	delivered_clear(&d);
	return r;
}

/*
 * Waits until the parent allows notice i. So an interrupt lets the current notice finish and stops
 * the rest. 0, -OTP_EGONE or -OTP_EPROTO.
 */
static int
wait_for_next(struct send_worker *c, int i)
{
	struct send_worker_message m;
	int r = send_worker_receive(c->fd, &m);

	return r ? r : m.kind == WORKER_NEXT && m.n == i ? 0 : -OTP_EPROTO;
}

static int
send_each(struct send_worker *c, void *arg)
{
	const struct notices *n = arg;
	struct down down = {{0, 0}};
	int r = 0;

	for (size_t i = 0; !r && i < n->n; i++) {
		r = i ? wait_for_next(c, (int)i) : 0;
		if (!r)
			r = send_one(c, (int)i, &n->item[i], &down);
	}
	return r ? OTPCTL_FAILED : OTPCTL_OK;
}

/* --- the parent ------------------------------------------------------------------------------ */

static void
print_notice(const struct otpctl *ctl, const struct notice *n)
{
	char where[64];

	if (!n->sent)
		(void)otpctl_fail("note: no notice was sent to %s at %s: %s", n->user,
		    masked(n, where, sizeof(where)), n->detail ? n->detail : "no memory");
	else if (!ctl->json)
		(void)printf("notice sent: %s at %s, %s\n", n->user,
		    masked(n, where, sizeof(where)), n->detail ? n->detail : "");
}

/*
 * Logs a notice that was not sent. The send worker logs those that were sent, because it knows the
 * reference number.
 */
static void
log_unsent(const struct notice *n, const char *why)
{
	char user[CONTACT_USER_MAX + 1], where[64], detail[WORKER_TEXT_MAX + 1];

	audit("notice", "user=\"%s\" to=\"%s\" told=no detail=\"%s\"",
	    text_quotable(user, sizeof(user), n->user), masked(n, where, sizeof(where)),
	    text_quotable(detail, sizeof(detail), why));
}

static void
settle(const struct otpctl *ctl, struct notice *n, bool sent, const char *detail)
{
	char clean[WORKER_TEXT_MAX + 1];

	n->sent = sent;
	n->detail = strdup(text_clean(clean, sizeof(clean), detail));
	if (!sent)
		log_unsent(n, detail);
	print_notice(ctl, n);
}

/* Has the send worker send one notice after the other. Returns why it stopped before the last. */
static const char *
send_all(const struct otpctl *ctl, struct notices *n, struct send_worker_run *run)
{
	struct send_worker_message m;

	for (size_t i = 0; i < n->n; i++) {
		if (audit_interrupted())
			return "interrupted before it was sent";
		if ((i && send_worker_send(run->fd, WORKER_NEXT, (int)i, "")) ||
		    send_worker_receive(run->fd, &m) || m.n != (int)i ||
		    (m.kind != WORKER_NOTICE_SENT && m.kind != WORKER_NOTICE_NOT_SENT))
			break;
		settle(ctl, &n->item[i], m.kind == WORKER_NOTICE_SENT, m.text);
	}
	return "the process that sends messages failed";
}

void
notices_settled(struct notices *n)
{
	if (n->n && n->wish != NOTICE_NO)
		return;
	for (size_t i = 0; i < n->n; i++)
		log_unsent(&n->item[i], "--no-notice");
	if (n->old > n->n)
		audit("notice", "told=no more=%zu detail=\"--no-notice\"", n->old - n->n);
	audit_release(&n->hold);
}

void
notices_send(const struct otpctl *ctl, const struct conf *conf, struct notices *n)
{
	const char *why =
	    conf ? "the process that sends messages failed" : "there is no configuration";
	struct send_worker_run run;

	if (n->wish == NOTICE_NO || !n->n)
		return;
	/* The line about the change must be printed before the lines about the notices. */
	(void)otpctl_flush();
	if (conf && !send_worker_start(ctl, conf, &conf_signin_for(conf, "otpctl")->channels,
			send_each, n, &run)) {
		why = send_all(ctl, n, &run);
		(void)send_worker_end(&run);
	}
	for (size_t i = 0; i < n->n; i++)
		if (!n->item[i].detail)
			settle(ctl, &n->item[i], false, why);
}

json_t *
notices_json(const struct notices *n)
{
	json_t *all = json_array();

	for (size_t i = 0; all && n->wish != NOTICE_NO && i < n->n; i++) {
		const struct notice *one = &n->item[i];
		char where[64];
		json_t *j = json_pack("{s:s, s:s, s:s, s:b, s:s}", "user", one->user, "kind",
		    contact_kind_name(one->kind), "address", masked(one, where, sizeof(where)),
		    "told", (int)one->sent, "detail", one->detail ? one->detail : "");

		if (json_array_append_new(all, j)) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

int
notices_print_json(json_t *j, const struct notices *n)
{
	_auto_json json_t *all = j;

	if (all && json_object_set_new(all, "notices", notices_json(n)))
		return otpctl_fail("no memory");
	return otpctl_print_json(all);
}
