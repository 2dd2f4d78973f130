/* Sends one code to one destination. A decoy only waits as long as that would take. */
#include "helpers/login/internal.h"

#include <stdio.h>
#include <string.h>

#include "helpers/base/log.h"

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
	    .known = l->known,
	    .captures = l->captures.len ? secret_str(&l->captures) : NULL,
	};
}

/*
 * True if a code there must stay that a send would end: of a known source, while this one is
 * unknown, or of somebody else, while this host is a program that runs as a user. If the store
 * fails, nothing is sent either.
 */
static bool
spares(void *arg, const char *identity, const char *address)
{
	struct login *l = arg;
	struct instant t = login_now(l);

	return !l->known && l->io->store->ops->challenge_spared(l->io->store, &t, identity, address,
				l->start->peer ? l->name : NULL) != 0;
}

/* Sends nothing: waits as long as a recent real send took, and ends as that one did. */
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

/*
 * Goes on as a decoy, because a send would have ended a code that must stay. The prompt, the wait
 * and the counts are those of a send. Returns as pretend().
 */
static int
pretend_instead(struct login *l, const char *channel, struct delivered *d)
{
	char provider[sizeof(d->provider)];
	bool nothing_sent = d->nothing_sent;
	int r;

	(void)snprintf(provider, sizeof(provider), "%s", d->provider);
	otp_log(LOG_NOTICE,
	    "event=send provider=%s channel=%s detail=\"pretended: a code of a known source, or of "
	    "somebody else, is live there\"",
	    provider, channel);
	login_become_decoy(l, "the code was only pretended, because another one is live there");
	r = pretend(l, channel, d);
	d->nothing_sent &= nothing_sent;
	/* How many digits a code has is asked by the provider's name. */
	(void)snprintf(d->provider, sizeof(d->provider), "%s", provider);
	return r;
}

/* True if the challenge's code went there: only then its provider and captured values apply. */
static bool
is_last_destination(const struct challenge *c, const struct destination *to)
{
	return !strcmp(c->channel, to->channel) && !strcmp(c->address, to->contact.address);
}

/* Stores the credits that are left, for the administrator. A failure does not end the sign-in. */
static void
note_credits(struct login *l, const struct destination *to, const struct delivered *d)
{
	const struct conf_provider *p = conf_provider(l->io->conf, d->provider);
	struct instant t = login_now(l);

	if (!d->sent.has_credits || !p)
		return;
	if (l->io->store->ops->credits_put(
		l->io->store, &t, d->provider, to->channel, d->sent.credits))
		otp_log(LOG_WARNING,
		    "event=credits provider=%s detail=\"the number of credits cannot be stored\"",
		    d->provider);
	if (d->sent.credits < p->low_credits)
		otp_log(LOG_WARNING, "event=credits provider=%s channel=%s left=%lld", d->provider,
		    to->channel, (long long)d->sent.credits);
}

int
login_deliver(struct login *l, const struct destination *to, const struct secret *code,
    struct deadline all, struct delivered *d)
{
	struct sending q = login_sending(l, to->channel, &to->contact, code);
	struct last_send last = {.provider = l->challenge.provider, .unanswered = l->unanswered};
	bool again = l->has_challenge && is_last_destination(&l->challenge, to);
	struct instant began = login_now(l);
	enum provider_class class;
	int r;

	if (l->decoy)
		return pretend(l, to->channel, d);
	if (!again)
		q.captures = NULL;
	q.spares = spares;
	q.spares_arg = l;
	r = l->io->delivery->send(l->io->delivery, &q, again ? &last : NULL, l->options, all, d);
	if (r)
		return r;
	if (d->pretended)
		return pretend_instead(l, to->channel, d);
	class = d->sent.outcome.class;
	if (class == CLASS_OK || class == CLASS_UNANSWERED || class == CLASS_PROVIDER_DOWN)
		login_note_sample(
		    l, "send", to->channel, &began, (int)class | (d->instead ? SAMPLE_INSTEAD : 0));
	note_credits(l, to, d);
	return 0;
}
