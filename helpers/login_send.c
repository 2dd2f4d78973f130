/* A code is sent: counted first, made, delivered, kept as a challenge. */
#include "helpers/login_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "helpers/challenge.h"
#include "helpers/log.h"
#include "helpers/seal.h"

/* What follows when a send was refused or failed: a live code can still be typed. */
static enum step
stay_or_end(struct login *l, enum note note, enum login_word word, const char *why)
{
	if (l->code_prompted && l->has_challenge) {
		l->note = note;
		return STEP_CODE;
	}
	/* After a prompt for a code nobody may conclude that the provider is down. */
	if (l->code_prompted && word == LOGIN_UNAVAIL)
		word = LOGIN_DENIED;
	return login_end(l, word, "%s", why);
}

static enum step
reserve_send(struct login *l, int64_t *reservation)
{
	struct send_count count = {.kind = "user", .windows = l->io->conf->limits.sends_per_user};
	struct store_refusal why = {0};
	struct instant t = login_now(l);
	char text[WIRE_PROMPT_MAX + 1];
	int r;

	(void)snprintf(count.key, sizeof(count.key), "%s", l->budget);
	r = l->io->store->ops->send_reserve(l->io->store, &t, &count, 1, reservation, &why);
	if (!r)
		return STEP_SEND;
	if (r != -OTP_ELIMIT)
		return login_end_by_error(l, r, "store");
	l->wait_ms = why.until_wall_ms - t.wall_ms;
	if (!l->code_prompted) {
		prompt_limit(text, l->wait_ms);
		login_last_words(l, text);
	}
	return stay_or_end(l, NOTE_LIMIT, LOGIN_LOCKED, "send limit reached");
}

/* What the provider said, made the next step. STEP_CODE: the code is, or may be, on its way. */
static enum step
judge_delivery(struct login *l, const struct delivered *d)
{
	char text[WIRE_PROMPT_MAX + 1];

	switch (d->class) {
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
		if (!l->code_prompted) {
			prompt_limit(text, (int64_t)d->retry_after * 1000);
			login_last_words(l, text);
		}
		return stay_or_end(
		    l, NOTE_NOT_SENT, LOGIN_LOCKED, "the provider's rate limit is in force");
	case CLASS_PROVIDER_DOWN:
	case CLASS_NO_CREDIT:
	case CLASS_BAD_CREDENTIALS:
		if (!l->code_prompted) {
			prompt_unavailable(text);
			login_last_words(l, text);
		}
		/*
		 * Whoever signs in on this machine has its ports, its processor and its memory at
		 * hand: that a provider cannot be reached from there proves nothing.
		 */
		return stay_or_end(l, NOTE_NOT_SENT,
		    l->source.has_client ? LOGIN_UNAVAIL : LOGIN_BROKEN, "every provider failed");
	case CLASS_ACTION_NEEDED:
		return stay_or_end(
		    l, NOTE_NOT_SENT, LOGIN_DENIED, "the provider's account needs another step");
	default:
		return stay_or_end(l, NOTE_NOT_SENT, LOGIN_BROKEN,
		    d->class == CLASS_BROKEN ? "this machine could not send"
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
	(void)snprintf(c->channel, sizeof(c->channel), "%s", l->channel);
	(void)snprintf(c->address, sizeof(c->address), "%s", l->contact.address);
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
	if (d->code_by == CODE_BY_RESPONSE && !d->code.len)
		return challenge_seal_nothing(c);
	if (d->code_by != CODE_BY_PROVIDER)
		return challenge_seal(c, l->io->host_key,
		    secret_str(d->code_by == CODE_BY_RESPONSE ? &d->code : ours));
	login_captures_context(c, context, sizeof(context));
	r = seal(l->io->host_key, context, &d->captures, &sealed);
	if (r)
		return r;
	c->captures = strdup(buf_str(&sealed) ? buf_str(&sealed) : "");
	return c->captures ? 0 : -OTP_ENOMEM;
}

struct sending
login_sending(struct login *l, const char *channel, const struct secret *code)
{
	return (struct sending){
	    .user = l->name,
	    .host = l->io->host,
	    .service = l->start->service,
	    .channel = channel,
	    .message = "",
	    .contact = &l->contact,
	    .code = secret_str(code),
	    .code_length = l->options->code_length,
	    .ttl = l->options->code_ttl,
	    .captures = l->has_challenge && l->captures.len ? secret_str(&l->captures) : NULL,
	};
}

static int
deliver(struct login *l, const struct secret *code, struct delivered *d)
{
	struct sending q = login_sending(l, l->channel, code);

	*d = (struct delivered){.class = CLASS_OK};
	if (l->decoy)
		return 0;
	return l->io->delivery->send(
	    l->io->delivery, &q, l->has_challenge ? l->challenge.provider : NULL, l->options, d);
}

/* Credits are for the administrator: nothing here depends on their being kept. */
static void
note_credits(struct login *l, const struct delivered *d)
{
	const struct conf_provider *p = conf_provider(l->io->conf, d->provider);
	struct instant t = login_now(l);

	if (!d->has_credits || !p)
		return;
	if (l->io->store->ops->credits_put(l->io->store, &t, d->provider, l->channel, d->credits))
		otp_log(LOG_WARNING, "event=credits provider=%s: cannot be kept", d->provider);
	if (d->credits < p->low_credits)
		otp_log(LOG_WARNING, "event=credits provider=%s channel=%s left=%lld", d->provider,
		    l->channel, (long long)d->credits);
}

/* The new code takes the place of the old one, which is dead from now on. */
static enum step
replace_challenge(struct login *l, struct challenge *c, const struct secret *code,
    struct delivered *d, int64_t reservation, enum step next)
{
	struct instant t = login_now(l);
	int r;

	(void)snprintf(c->provider, sizeof(c->provider), "%s", d->provider);
	(void)snprintf(l->result->provider, sizeof(l->result->provider), "%s", d->provider);
	r = seal_challenge(l, c, code, d);
	if (!r)
		r = l->io->store->ops->challenge_put(l->io->store, &t, c, reservation);
	if (r) {
		challenge_clear(c);
		return login_end_by_error(l, r, "store");
	}
	challenge_clear(&l->challenge);
	l->challenge = *c;
	l->has_challenge = true;
	secret_clear(&l->captures);
	if (d->code_by == CODE_BY_PROVIDER) {
		l->captures = d->captures;
		d->captures = (struct secret){0};
	}
	login_show_destination(l, l->channel, l->contact.address);
	return next;
}

static enum step
finish_send(struct login *l, struct challenge *c, const struct secret *code, struct delivered *d,
    int64_t reservation)
{
	enum step next = judge_delivery(l, d);
	int r;

	if (d->class == CLASS_OK || d->class == CLASS_UNANSWERED ||
	    d->class == CLASS_BAD_DESTINATION) {
		note_credits(l, d);
		return replace_challenge(l, c, code, d, reservation, next);
	}
	/* A failure to give it back only leaves the count as it is. */
	r = d->nothing_sent ? l->io->store->ops->send_return(l->io->store, reservation) : 0;
	if (r)
		otp_logr(LOG_WARNING, r, "event=send_return");
	return next;
}

enum step
login_send_code(struct login *l)
{
	_auto_secret struct secret code = {0};
	struct challenge c = {0};
	struct delivered d = {.class = CLASS_BROKEN};
	int64_t reservation = 0;
	enum step next = reserve_send(l, &reservation);
	int r;

	if (next != STEP_SEND)
		return next;
	r = make_challenge(l, &c, &code);
	if (!r)
		r = deliver(l, &code, &d);
	next = r ? login_end_by_error(l, r, "send") : finish_send(l, &c, &code, &d, reservation);
	delivered_clear(&d);
	return next;
}

/* `r` was typed. */
enum step
login_resend(struct login *l)
{
	struct instant t = login_now(l);
	int64_t since = t.wall_ms - l->challenge.sent_wall_ms;
	int64_t wait = l->io->conf->limits.resend_wait;

	/* A clock that went back makes `since` negative: that is no reason to send sooner. */
	if (since < wait && !(l->note == NOTE_USED || l->note == NOTE_ENDED)) {
		l->wait_ms = since < 0 ? wait : wait - since;
		l->note = NOTE_WAIT;
		return STEP_CODE;
	}
	return STEP_SEND;
}
