/* Makes a challenge for a new code, which replaces the old one. */
#include "helpers/login/internal.h"

#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "helpers/codes/code.h"
#include "helpers/codes/seal.h"

int
login_make_challenge(struct login *l, struct challenge *c, struct secret *code)
{
	struct instant t = login_now(l);
	int r = random_id(c->id, STORE_ID_LEN / 2);

	(void)snprintf(c->user, sizeof(c->user), "%s", l->name);
	(void)snprintf(c->service, sizeof(c->service), "%s", l->service);
	(void)snprintf(c->source, sizeof(c->source), "%s", l->source.key);
	c->known = l->known;
	c->sent_wall_ms = t.wall_ms;
	c->expires_boot_ms = t.boot_ms + l->options->code_ttl;
	return r ? r : code_make(l->options->code_length, code);
}

/*
 * Stores in the challenge what will check the code: an HMAC of the code or, if the provider checks
 * it, the values captured from its answer. 0 or the errors of challenge_seal() or seal().
 */
static int
seal_challenge(
    struct login *l, struct challenge *c, const struct secret *ours, const struct delivered *d)
{
	_auto_buf struct buf sealed = BUF_INIT(2 * SECRET_MAX);
	char context[64];
	int r;

	c->pretended = l->decoy && !login_is_made_up(l);
	if (l->decoy)
		return challenge_seal_nothing(c);
	(void)snprintf(c->identity, sizeof(c->identity), "%s", d->identity);
	/* The code was in an answer that did not arrive: no code can be right. */
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

bool
login_replace_challenge(
    struct login *l, struct challenge *c, const struct secret *code, struct attempt *a)
{
	struct destination *to = &l->destination[l->chosen];
	struct delivered *d = &a->last;
	struct instant t = login_now(l);
	int r;

	(void)snprintf(c->channel, sizeof(c->channel), "%s", to->channel);
	(void)snprintf(c->address, sizeof(c->address), "%s", to->contact.address);
	(void)snprintf(c->provider, sizeof(c->provider), "%s", d->provider);
	(void)snprintf(l->result->provider, sizeof(l->result->provider), "%s", d->provider);
	r = seal_challenge(l, c, code, d);
	if (!r)
		r = l->io->store->ops->challenge_put(l->io->store, &t, c, a->reservation);
	if (r) {
		challenge_clear(c);
		return login_fail(l, r, "store");
	}
	challenge_clear(&l->challenge);
	l->challenge = *c;
	l->has_challenge = true;
	l->unanswered = d->sent.outcome.class == CLASS_UNANSWERED;
	to->sent_wall_ms = c->sent_wall_ms;
	secret_clear(&l->captures);
	if (d->code_by == CODE_BY_PROVIDER) {
		l->captures = d->sent.captures;
		d->sent.captures = (struct secret){0};
	}
	login_record_destination(l, to->channel, to->contact.address);
	return true;
}
