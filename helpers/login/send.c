/* A code is sent: counted first, made, delivered, kept as a challenge. */
#include "helpers/login/internal.h"

#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "helpers/codes/code.h"
#include "helpers/base/log.h"
#include "helpers/codes/seal.h"

/* What the providers of the ways that were tried have said. */
struct attempt {
	struct delivered said; /* the last one */
	int64_t reservation;
	bool counted;	      /* one of them stays counted */
	bool outage;	      /* each failed by an outage */
	bool bad_destination; /* one refused the address */
	bool is_resend;	      /* a code can be typed already */
};

static enum step
judge_outage(struct login *l, const struct attempt *a)
{
	enum note note = a->is_resend ? NOTE_NOT_SENT : NOTE_UNAVAILABLE;

	/* A decoy only looks like it: nothing was tried. */
	if (l->decoy)
		return login_stay_or_end(l, note, LOGIN_DENIED, "%s", l->decoy_reason);
	/*
	 * Whoever signs in on this machine has its ports, its processor and its memory at hand:
	 * that a provider cannot be reached from there proves nothing.
	 */
	return login_stay_or_end(
	    l, note, l->source.has_client ? LOGIN_UNAVAIL : LOGIN_BROKEN, "every provider failed");
}

/* What the providers said, made the next step. STEP_CODE: the code is, or may be, on its way. */
static enum step
judge_delivery(struct login *l, const struct attempt *a)
{
	enum note failed = a->is_resend ? NOTE_NOT_SENT : NOTE_UNAVAILABLE;

	switch (a->said.sent.outcome.class) {
	case CLASS_OK:
		l->note = NOTE_SENT;
		return STEP_CODE;
	case CLASS_UNANSWERED:
		l->note = NOTE_MAYBE_SENT;
		return STEP_CODE;
	case CLASS_BAD_DESTINATION:
		/* The person learns nothing of the address: it goes on as if a code had been sent.
		 */
		login_become_decoy(l, "the provider refuses the address");
		l->note = NOTE_SENT;
		return STEP_CODE;
	case CLASS_RATE_LIMITED:
	case CLASS_TOO_MANY:
		l->wait_ms = (int64_t)a->said.sent.outcome.retry_after * 1000;
		return login_stay_or_end(l, a->is_resend ? NOTE_NOT_SENT : NOTE_LIMIT, LOGIN_LOCKED,
		    "the provider's rate limit is in force");
	case CLASS_PROVIDER_DOWN:
		return judge_outage(l, a);
	case CLASS_ACTION_NEEDED:
		return login_stay_or_end(
		    l, failed, LOGIN_DENIED, "the provider's account needs another step");
	default:
		return login_stay_or_end(l, failed, LOGIN_BROKEN,
		    a->said.sent.outcome.class == CLASS_BROKEN
			? "this machine could not send"
			: "the provider refused the request");
	}
}

static int
make_challenge(struct login *l, struct challenge *c, struct secret *code)
{
	struct instant t = login_now(l);
	int r = random_id(c->id, STORE_ID_LEN / 2);

	(void)snprintf(c->user, sizeof(c->user), "%s", l->name);
	(void)snprintf(c->service, sizeof(c->service), "%s", l->service);
	(void)snprintf(c->source, sizeof(c->source), "%s", l->source.key);
	c->sent_wall_ms = t.wall_ms;
	c->expires_boot_ms = t.boot_ms + l->options->code_ttl;
	return r ? r : code_make(l->options->code_length, code);
}

/* How the challenge will be checked: by a seal of the code, or by what the provider had us keep. */
static int
seal_challenge(
    struct login *l, struct challenge *c, const struct secret *ours, const struct delivered *d)
{
	_auto_buf struct buf sealed = BUF_INIT(2 * SECRET_MAX);
	char context[64];
	int r;

	if (l->decoy)
		return challenge_seal_nothing(c);
	c->alone_at_address = d->bound_to == BOUND_TO_ADDRESS;
	/* An answer that was lost took the code with it. */
	if (d->code_by == CODE_BY_RESPONSE && !d->sent.code.len)
		return challenge_seal_nothing(c);
	if (d->code_by != CODE_BY_PROVIDER)
		return challenge_seal(c, l->io->host_key,
		    secret_str(d->code_by == CODE_BY_RESPONSE ? &d->sent.code : ours));
	login_captures_context(c, context, sizeof(context));
	r = seal(l->io->host_key, context, &d->sent.captures, &sealed);
	if (r)
		return r;
	c->captures = strdup(buf_str(&sealed) ? buf_str(&sealed) : "");
	return c->captures ? 0 : -OTP_ENOMEM;
}

struct sending
login_sending(
    struct login *l, const char *channel, const struct contact *contact, const struct secret *code)
{
	return (struct sending){
	    .user = l->name,
	    .host = l->io->host,
	    .service = l->start->service,
	    .channel = channel,
	    .message = "",
	    .contact = contact,
	    .code = secret_str(code),
	    .code_length = l->options->code_length,
	    .ttl = l->options->code_ttl,
	    .captures = l->captures.len ? secret_str(&l->captures) : NULL,
	};
}

/* Nothing is sent for a decoy; it takes as long, and ends as others' sends do. */
static int
pretend(struct login *l, const char *channel, struct delivered *d)
{
	int outcome;
	int r = login_decoy_wait(l, "send", channel, &outcome);
	enum provider_class class = (enum provider_class)(outcome & ~SAMPLE_INSTEAD);

	*d = (struct delivered){
	    .sent = SENT_INIT(class),
	    .nothing_sent = class == CLASS_PROVIDER_DOWN,
	    .instead = outcome & SAMPLE_INSTEAD,
	};
	return r;
}

/* What the last send left behind belongs to its channel and address. */
static bool
goes_where_it_went(const struct challenge *c, const struct destination *w)
{
	return !strcmp(c->channel, w->channel) && !strcmp(c->address, w->contact.address);
}

static int
deliver(struct login *l, const struct destination *w, const struct secret *code,
    struct deadline all, struct delivered *d)
{
	struct sending q = login_sending(l, w->channel, &w->contact, code);
	struct last_send last = {l->challenge.provider, l->unanswered};
	bool again = l->has_challenge && goes_where_it_went(&l->challenge, w);
	struct instant began = login_now(l);
	int r;

	if (l->decoy)
		return pretend(l, w->channel, d);
	if (!again)
		q.captures = NULL;
	r = l->io->delivery->send(l->io->delivery, &q, again ? &last : NULL, l->options, all, d);
	if (!r && (d->sent.outcome.class == CLASS_OK || d->sent.outcome.class == CLASS_UNANSWERED ||
		      d->sent.outcome.class == CLASS_PROVIDER_DOWN))
		login_note_sample(l, "send", w->channel, &began,
		    (int)d->sent.outcome.class | (d->instead ? SAMPLE_INSTEAD : 0));
	return r;
}

/* Credits are for the administrator: nothing here depends on their being kept. */
static void
note_credits(struct login *l, const struct destination *w, const struct delivered *d)
{
	const struct conf_provider *p = conf_provider(l->io->conf, d->provider);
	struct instant t = login_now(l);

	if (!d->sent.has_credits || !p)
		return;
	if (l->io->store->ops->credits_put(
		l->io->store, &t, d->provider, w->channel, d->sent.credits))
		otp_log(LOG_WARNING, "event=credits provider=%s detail=\"cannot be kept\"",
		    d->provider);
	if (d->sent.credits < p->low_credits)
		otp_log(LOG_WARNING, "event=credits provider=%s channel=%s left=%lld", d->provider,
		    w->channel, (long long)d->sent.credits);
}

/* The new code takes the place of the old one, which is dead from now on. */
static enum step
replace_challenge(struct login *l, struct challenge *c, const struct secret *code,
    struct attempt *a, enum step next)
{
	struct destination *w = &l->destination[l->chosen];
	struct instant t = login_now(l);
	int r;

	(void)snprintf(c->channel, sizeof(c->channel), "%s", w->channel);
	(void)snprintf(c->address, sizeof(c->address), "%s", w->contact.address);
	(void)snprintf(c->provider, sizeof(c->provider), "%s", a->said.provider);
	(void)snprintf(l->result->provider, sizeof(l->result->provider), "%s", a->said.provider);
	r = seal_challenge(l, c, code, &a->said);
	if (!r)
		r = l->io->store->ops->challenge_put(l->io->store, &t, c, a->reservation);
	if (r) {
		challenge_clear(c);
		return login_end_by_error(l, r, "store");
	}
	challenge_clear(&l->challenge);
	l->challenge = *c;
	l->has_challenge = true;
	l->unanswered = a->said.sent.outcome.class == CLASS_UNANSWERED;
	w->sent_wall_ms = c->sent_wall_ms;
	secret_clear(&l->captures);
	if (a->said.code_by == CODE_BY_PROVIDER) {
		l->captures = a->said.sent.captures;
		a->said.sent.captures = (struct secret){0};
	}
	login_show_destination(l, w->channel, w->contact.address);
	return next;
}

/*
 * For how long no other code may go this way; 0 for none. A clock that went back makes `since`
 * negative: that is no reason to send sooner.
 */
static int64_t
cool_down(struct login *l, const struct destination *w)
{
	int64_t since = login_now(l).wall_ms - w->sent_wall_ms;
	int64_t wait = l->io->conf->limits.resend_wait;

	if (!w->sent_wall_ms || since >= wait)
		return 0;
	return since < 0 ? wait : wait - since;
}

/* The next way by a channel that was not tried, or -1. */
static int
next_destination(struct login *l, const bool tried[PROMPT_DESTINATIONS_MAX])
{
	for (int i = 0; i < l->ndestinations; i++) {
		bool fresh = !cool_down(l, &l->destination[i]);

		for (int k = 0; k < l->ndestinations; k++)
			fresh &= !tried[k] ||
				 strcmp(l->destination[k].channel, l->destination[i].channel) != 0;
		if (fresh)
			return i;
	}
	return -1;
}

static bool
may_fall_back(const struct login *l, const struct delivered *d)
{
	return l->options->fallback == FALLBACK_YES &&
	       (d->sent.outcome.class == CLASS_PROVIDER_DOWN ||
		   d->sent.outcome.class == CLASS_BAD_DESTINATION);
}

/* Counted, and delivered by the chosen way. STEP_SEND, or the end. */
static enum step
try_destination(struct login *l, const struct secret *code, struct deadline all, struct attempt *a)
{
	enum step next = login_reserve_send(l, &a->reservation);
	int r;

	if (next != STEP_SEND)
		return next;
	delivered_clear(&a->said);
	r = deliver(l, &l->destination[l->chosen], code, all, &a->said);
	if (r)
		return login_end_by_error(l, r, "send");
	a->counted |= !a->said.nothing_sent;
	a->outage &= a->said.sent.outcome.class == CLASS_PROVIDER_DOWN;
	a->bad_destination |= a->said.sent.outcome.class == CLASS_BAD_DESTINATION;
	note_credits(l, &l->destination[l->chosen], &a->said);
	/* A failure to give it back only leaves the count as it is. */
	r = a->said.nothing_sent ? l->io->store->ops->send_return(l->io->store, a->reservation) : 0;
	if (r)
		otp_logr(LOG_WARNING, r, "event=send_return");
	return STEP_SEND;
}

/*
 * By the chosen way, then by the other channels, until somebody takes it. The code stays the same.
 * STEP_SEND, or where a limit or an error leads.
 */
static enum step
try_destinations(struct login *l, const struct secret *code, struct attempt *a)
{
	struct deadline all = deadline_in(l->options->send_timeout);
	bool tried[PROMPT_DESTINATIONS_MAX] = {false};
	const char *first = l->destination[l->chosen].channel;
	int other;

	for (;;) {
		int was = l->chosen;
		enum step next = try_destination(l, code, all, a);

		if (next != STEP_SEND)
			return next;
		tried[was] = true;
		other = next_destination(l, tried);
		if (!may_fall_back(l, &a->said) || other < 0)
			break;
		/* Of whom the time did not suffice to ask, nothing is known. */
		if (deadline_passed(all)) {
			a->outage = false;
			break;
		}
		l->chosen = other;
	}
	l->instead = strcmp(first, l->destination[l->chosen].channel) ? INSTEAD_CHANNEL
		     : a->said.instead				      ? INSTEAD_PROVIDER
								      : AS_CHOSEN;
	l->first_channel = first;
	return STEP_SEND;
}

/* What all of them together mean, where the last one does not say it. */
static void
sum_up(struct attempt *a)
{
	if (a->said.sent.outcome.class != CLASS_PROVIDER_DOWN &&
	    a->said.sent.outcome.class != CLASS_BAD_DESTINATION)
		return;
	a->said.sent.outcome.class = a->bad_destination ? CLASS_BAD_DESTINATION
				     : a->outage	? CLASS_PROVIDER_DOWN
							: CLASS_REFUSED;
}

/* It counts as any other, once: an address with another limit would be known by that. */
static enum step
seem_sent(
    struct login *l, struct challenge *c, struct secret *code, struct attempt *a, enum step next)
{
	enum step counted = a->counted ? STEP_SEND : login_reserve_send(l, &a->reservation);

	return counted == STEP_SEND ? replace_challenge(l, c, code, a, next) : counted;
}

static enum step
send_by(struct login *l, struct challenge *c, struct secret *code, struct attempt *a)
{
	int r = make_challenge(l, c, code);
	int before = l->chosen;
	enum step next = r ? login_end_by_error(l, r, "send") : try_destinations(l, code, a);

	if (next == STEP_SEND) {
		sum_up(a);
		next = judge_delivery(l, a);
		if (a->said.sent.outcome.class == CLASS_OK ||
		    a->said.sent.outcome.class == CLASS_UNANSWERED)
			return replace_challenge(l, c, code, a, next);
		if (a->said.sent.outcome.class == CLASS_BAD_DESTINATION)
			return seem_sent(l, c, code, a, next);
	}
	/* The code that was sent before is still where it was sent. */
	l->chosen = before;
	return next;
}

enum step
login_send_code(struct login *l)
{
	_auto_secret struct secret code = {0};
	struct challenge c = {0};
	struct attempt a = {
	    .said = {.sent = SENT_INIT(CLASS_BROKEN)},
	    .outage = true,
	    .is_resend = l->has_challenge,
	};
	enum step next = login_take_turn(l);

	if (next == STEP_SEND)
		next = send_by(l, &c, &code, &a);
	login_end_turn(l);
	delivered_clear(&a.said);
	return next;
}

/* `r` was typed, or a way chosen while a code is out. */
enum step
login_resend(struct login *l)
{
	int64_t wait = cool_down(l, &l->destination[l->chosen]);

	if (l->locked) {
		l->note = NOTE_LOCKED;
		return STEP_CODE;
	}
	if (wait && !(l->note == NOTE_USED || l->note == NOTE_ENDED)) {
		l->wait_ms = wait;
		l->note = NOTE_WAIT;
		return STEP_CODE;
	}
	return STEP_SEND;
}
