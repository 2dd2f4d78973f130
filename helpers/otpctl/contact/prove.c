/*
 * The part of otpctl contact verify that runs in the send worker: it sends a code to an address and
 * checks it, as a sign-in does.
 *
 * MUST:
 *  - a message is counted before it is sent, and a try before it is checked;
 *  - WORKER_PROVED is sent only after the code is used up in the store;
 *  - no argument, log line or message contains a code.
 */
#include "helpers/otpctl/contact/prove.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/codes/code.h"
#include "helpers/base/log.h"
#include "helpers/otpctl/store.h"

enum {
	TRIES = 3,
	LEASE_SLACK_MS = 2000, /* the lease of the code lasts for verify_timeout and this time */
};

struct attempt {
	const char *user;
	const struct contact *contact;
	const char *masked;
	const char *channel;
	struct challenge challenge;
	struct secret code;	/* made here; unused if the provider makes its own */
	struct secret captures; /* of the answer to the send, for the check */
	bool unanswered;	/* the provider did not answer: the code may have been sent */
};

/* --- send ------------------------------------------------------------------------------------ */

static int
choose_channel(struct send_worker *c, const struct contact_proof *p, struct attempt *k)
{
	enum contact_kind needs;

	k->channel = p->channel ? p->channel : send_worker_channel(c, k->contact->kind);
	if (!k->channel)
		return otpctl_fail("no channel of [otp] channels reaches an address of kind %s",
		    contact_kind_name(k->contact->kind));
	if (c->delivery->needs(c->delivery, k->channel, &needs) || needs != k->contact->kind)
		return otpctl_fail("the channel %s does not reach an address of kind %s",
		    k->channel, contact_kind_name(k->contact->kind));
	return OTPCTL_OK;
}

static void
count_against(struct send_count *n, const char *kind, const char *owner,
    const struct conf_windows *windows, enum send_mode mode)
{
	*n = (struct send_count){.windows = *windows, .mode = mode};
	(void)snprintf(n->budget.kind, sizeof(n->budget.kind), "%s", kind);
	(void)snprintf(n->budget.owner, sizeof(n->budget.owner), "%s", owner);
}

/*
 * Counts the message against the limits of the address and of this machine. Returns the exit code.
 */
static int
reserve(struct send_worker *c, const struct attempt *k, int64_t *id)
{
	const struct conf_limits *l = &c->conf->limits;
	const char *address = k->contact->address;
	struct store_refusal why = {0};
	struct instant now = send_worker_now(c);
	struct send_count n[3];
	char until[OTPCTL_TIME_MAX];
	int r;

	count_against(&n[0], "address", address, &l->sends_per_address, SEND_RETURNS);
	count_against(&n[1], "host", "", &l->sends_per_host, SEND_RETURNS);
	count_against(&n[2], "message", address, &l->messages_per_address, SEND_STAYS);
	r = c->store->ops->send_reserve(c->store, &now, n, 3, id, &why);
	if (!r)
		return OTPCTL_OK;
	if (r != -OTP_ELIMIT)
		return otpctl_fail("nothing was sent: the store cannot be written");
	return otpctl_fail(
	    "nothing was sent: the limit %s is reached until %s; see: otpctl status%s%s%s%s",
	    !strcmp(why.kind, "host")	   ? "sends_per_host"
	    : !strcmp(why.kind, "message") ? "messages_per_address"
					   : "sends_per_address",
	    otpctl_time(why.until_wall_ms, until), strcmp(why.kind, "host") ? " " : "",
	    strcmp(why.kind, "host") ? k->user : "",
	    strcmp(why.kind, "host") ? "; to end it: otpctl unlock " : "",
	    strcmp(why.kind, "host") ? k->user : "");
}

static struct sending
sending_of(const struct send_worker *c, const struct attempt *k, const struct secret *code)
{
	return (struct sending){
	    .kind = SENDING_CODE,
	    .user = k->user,
	    .host = c->host,
	    .service = CONTACT_SERVICE,
	    .channel = k->channel,
	    .message = "",
	    .contact = k->contact,
	    .code = secret_str(code),
	    .code_length = c->options->code_length,
	    .ttl = c->options->code_ttl,
	    .captures = k->captures.len ? secret_str(&k->captures) : NULL,
	};
}

/* Prints why no code was sent, and what to do. Returns OTPCTL_FAILED. */
static int
report_not_sent(const struct attempt *k, const struct delivered *d)
{
	char when[48] = "later";

	switch (d->sent.outcome.class) {
	case CLASS_BAD_DESTINATION:
		return otpctl_fail("nothing was sent: %s refuses %s; is the address right?",
		    d->provider, k->masked);
	case CLASS_RATE_LIMITED:
	case CLASS_TOO_MANY:
		if (d->sent.outcome.retry_after)
			(void)snprintf(
			    when, sizeof(when), "in %ld seconds", d->sent.outcome.retry_after);
		return otpctl_fail("nothing was sent: %s takes no message for %s now; try again %s",
		    d->provider, k->masked, when);
	default:
		return otpctl_fail("nothing was sent by %s: %s (the last provider was %s); the "
				   "lines of otpctl in the log "
				   "have the answer of each provider",
		    k->channel, provider_class_name(d->sent.outcome.class),
		    *d->provider ? d->provider : "none");
	}
}

/* Stores the challenge, by which the code is checked. Returns the exit code. */
static int
store_challenge(struct send_worker *c, struct attempt *k, struct delivered *d, int64_t reservation)
{
	struct challenge *h = &k->challenge;
	struct instant now = send_worker_now(c);
	int r = 0;

	(void)snprintf(h->user, sizeof(h->user), "%s", k->user);
	(void)snprintf(h->service, sizeof(h->service), CONTACT_SERVICE);
	(void)snprintf(h->source, sizeof(h->source), CONTACT_SERVICE);
	(void)snprintf(h->channel, sizeof(h->channel), "%s", k->channel);
	(void)snprintf(h->provider, sizeof(h->provider), "%s", d->provider);
	(void)snprintf(h->address, sizeof(h->address), "%s", k->contact->address);
	h->sent_wall_ms = now.wall_ms;
	h->expires_boot_ms = now.boot_ms + c->options->code_ttl;
	(void)snprintf(h->identity, sizeof(h->identity), "%s", d->identity);
	h->known = true; /* root's */
	k->unanswered = d->sent.outcome.class == CLASS_UNANSWERED;
	if (d->code_by == CODE_BY_PROVIDER) {
		k->captures = d->sent.captures;
		d->sent.captures = (struct secret){0};
	} else if (d->code_by == CODE_BY_RESPONSE && !d->sent.code.len) {
		/* The answer, which did not come, would have contained the code. */
		return otpctl_fail("%s did not answer in time, so the code that it made is "
				   "unknown; run the command again",
		    d->provider);
	} else {
		r = challenge_seal(h, &c->host_key,
		    secret_str(d->code_by == CODE_BY_RESPONSE ? &d->sent.code : &k->code));
	}
	if (!r)
		r = c->store->ops->challenge_put(c->store, &now, h, reservation);
	return r ? otpctl_fail("the code could not be stored: %s", otp_strerror(r)) : OTPCTL_OK;
}

static int
judge_sent(struct send_worker *c, struct attempt *k, struct delivered *d, int64_t reservation)
{
	char user[CONTACT_USER_MAX + 1];

	/* If the reservation cannot be given back, the message stays counted. */
	if (d->nothing_sent)
		(void)c->store->ops->send_return(c->store, reservation);
	otp_log(LOG_NOTICE,
	    "event=contact_verify user=\"%s\" channel=%s provider=%s to=\"%s\" sent=%s",
	    text_quotable(user, sizeof(user), k->user), k->channel, d->provider, k->masked,
	    provider_class_name(d->sent.outcome.class));
	if (d->sent.outcome.class != CLASS_OK && d->sent.outcome.class != CLASS_UNANSWERED)
		return report_not_sent(k, d);
	return store_challenge(c, k, d, reservation);
}

/* Counts, makes, sends and stores the code. Returns the exit code. */
static int
send_code(struct send_worker *c, struct attempt *k)
{
	struct delivered d = {.sent = SENT_INIT(CLASS_BROKEN)};
	struct sending q;
	int64_t reservation = 0;
	int r = reserve(c, k, &reservation);

	if (r)
		return r;
	if (random_id(k->challenge.id, STORE_ID_LEN / 2) ||
	    code_make(c->options->code_length, &k->code))
		return otpctl_fail("no code could be made");
	q = sending_of(c, k, &k->code);
	if (c->delivery->send(
		c->delivery, &q, NULL, c->options, deadline_in(c->options->send_timeout), &d))
		r = OTPCTL_FAILED; /* the parent has ended */
	if (!r)
		r = judge_sent(c, k, &d, reservation);
	delivered_clear(&d);
	return r;
}

/* --- check --------------------------------------------------------------------------------- */

/*
 * Returns a budget that only this code has. So wrong answers here lock no sign-in, and a successful
 * sign-in does not forget them.
 */
static struct budget
budget_of(const struct attempt *k)
{
	struct budget b = {.kind = "verify"};

	(void)snprintf(b.owner, sizeof(b.owner), "%s", k->challenge.id);
	return b;
}

static struct try_rule
rule_of(const struct send_worker *c)
{
	return (struct try_rule){
	    .failures = TRIES,
	    .most = CONF_FAILURES_MOST,
	    .backoff_first_ms = c->conf->limits.backoff_first,
	    .backoff_most_ms = c->conf->limits.backoff_most,
	    .per_challenge = TRIES,
	};
}

/*
 * Counts the try and compares the code with the challenge. 0 if it is right, or an error of the
 * store's try_mac(); *left is the number of tries that are left.
 */
static int
compare(struct send_worker *c, struct attempt *k, const struct secret *code, int *left)
{
	unsigned char mac[STORE_MAC_LEN];
	struct instant now = send_worker_now(c);
	struct budget b = budget_of(k);
	const struct trial trial = {
	    .id = k->challenge.id, .proof = mac, .budget = &b, .rule = rule_of(c)};
	struct trial_result tried = {0};
	int r = challenge_mac(&k->challenge, &c->host_key, secret_str(code), mac);

	if (!r)
		r = c->store->ops->try_mac(c->store, &now, &trial, &tried);
	*left = tried.left;
	otp_wipe_array(mac);
	return r;
}

/*
 * Counts the try, then lets the provider check the code. Only CLASS_OK is proof. Returns as
 * compare() does.
 */
static int
ask_provider(struct send_worker *c, struct attempt *k, const struct secret *code, int *left)
{
	const struct store_ops *store = c->store->ops;
	struct sending q = sending_of(c, k, code);
	struct delivered d = {.sent = SENT_INIT(CLASS_BROKEN)};
	struct instant now = send_worker_now(c);
	struct budget b = budget_of(k);
	const struct trial trial = {
	    .id = k->challenge.id,
	    .budget = &b,
	    .rule = rule_of(c),
	    .lease_ms = c->options->verify_timeout + LEASE_SLACK_MS,
	};
	struct trial_result tried;
	int r = store->try_count(c->store, &now, &trial, &tried);

	*left = tried.left;
	if (!r)
		r = c->delivery->verify(c->delivery, &q, k->challenge.provider, c->options, &d);
	if (!r && d.sent.outcome.class == CLASS_OK)
		r = store->consume(c->store, &now, &trial);
	else if (!r && d.nothing_sent)
		r = store->try_return(c->store, &trial) ? -OTP_ESTORE : -OTP_ENET;
	else if (!r)
		r = store->check_end(c->store, k->challenge.id) ? -OTP_ESTORE
		    : d.sent.outcome.class == CLASS_WRONG_CODE	? -OTP_EWRONG
		    : d.sent.outcome.class == CLASS_EXPIRED ||
			    d.sent.outcome.class == CLASS_TOO_MANY
			? -OTP_ENOENT
		    : d.sent.outcome.class == CLASS_ACTION_NEEDED ? -OTP_EPERM
								  : -OTP_ENET;
	delivered_clear(&d);
	return r;
}

/*
 * Judges the result of a try. Returns OTPCTL_OK if the code was right, OTPCTL_FAILED with a
 * message, or OTPCTL_EXISTS if the code is to be asked for again, with *note before the question.
 */
static int
judge_try(int r, int left, const char **note)
{
	static const char *const wrong[TRIES] = {
	    "", "Wrong code, 1 try left.", "Wrong code, 2 tries left."};

	switch (r) {
	case 0:
		return OTPCTL_OK;
	case -OTP_EWRONG:
		*note = wrong[left > 0 && left < TRIES ? left : 0];
		return left ? OTPCTL_EXISTS : otpctl_fail("wrong code; nothing was marked");
	case -OTP_ENET:
		*note = "The code could not be checked: its service gave no usable answer.";
		return left ? OTPCTL_EXISTS
			    : otpctl_fail("the code could not be checked; nothing was marked");
	case -OTP_ENOENT:
	case -OTP_EUSED:
		return otpctl_fail(
		    "the code has expired or was used; nothing was marked; run the command again");
	case -OTP_EPERM:
		return otpctl_fail(
		    "the code was right, but the account at its service needs another "
		    "step first; nothing was marked");
	default:
		return otpctl_fail(
		    "the code could not be checked (%s); nothing was marked", otp_strerror(r));
	}
}

/* Reads the code that was typed, of the length that the provider uses. */
static int
read_code(
    const struct send_worker *c, const struct attempt *k, const char *typed, struct secret *out)
{
	int least = c->options->code_length, most = least;
	int from = 0, to = 0;

	c->delivery->code_length(c->delivery, k->channel, k->challenge.provider, &from, &to);
	if (to)
		least = from, most = to;
	return code_read(typed, least, most, out);
}

static int
ask_and_check(struct send_worker *c, struct attempt *k, const char *note)
{
	struct send_worker_message m = {.kind = 0};
	_auto_secret struct secret code = {0};
	char question[WORKER_TEXT_MAX + 1];
	int r, left = TRIES, result = OTPCTL_EXISTS;

	/* Input that is no code costs no try, so the number of questions has a limit of its own. */
	for (int asked = 0; result == OTPCTL_EXISTS && asked < 2 * TRIES; asked++) {
		(void)snprintf(question, sizeof(question), "%.384s\nVerification code: ", note);
		if (send_worker_send(c->fd, WORKER_QUESTION, 0, question) ||
		    send_worker_receive(c->fd, &m) || m.kind != WORKER_ANSWER)
			return OTPCTL_FAILED;
		note = "That is no code.";
		if (!read_code(c, k, m.text, &code)) {
			r = k->challenge.has_mac ? compare(c, k, &code, &left)
						 : ask_provider(c, k, &code, &left);
			result = judge_try(r, left, &note);
		}
		otp_wipe(m);
	}
	if (result == OTPCTL_EXISTS)
		return otpctl_fail("no code was given; nothing was marked");
	return result;
}

/* Sends the code, asks for it and checks it. Returns the exit code. */
static int
prove(struct send_worker *c, const struct contact_proof *p, struct attempt *k)
{
	char note[384];
	int r = choose_channel(c, p, k);

	if (!r)
		r = send_code(c, k);
	if (r)
		return r;
	(void)snprintf(note, sizeof(note), "A verification code %s by %s to %s, through %s.",
	    k->unanswered ? "may be on its way" : "was sent", k->channel, k->masked,
	    k->challenge.provider);
	return ask_and_check(c, k, note);
}

int
contact_prove(struct send_worker *c, void *arg)
{
	const struct contact_proof *p = arg;
	struct attempt k = {.user = p->user, .contact = p->contact, .masked = p->masked};
	int r = prove(c, p, &k);

	if (!r && send_worker_send(c->fd, WORKER_PROVED, 0, ""))
		r = OTPCTL_FAILED;
	secret_clear(&k.code);
	secret_clear(&k.captures);
	challenge_clear(&k.challenge);
	return r;
}
