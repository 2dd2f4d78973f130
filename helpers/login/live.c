/* The code that is out: a live challenge of the same user, source and service. */
#include "helpers/login/internal.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "helpers/codes/seal.h"

void
login_captures_context(const struct challenge *c, char *context, size_t size)
{
	(void)snprintf(context, size, "captures %s", c->id);
}

static int
open_captures(struct login *l)
{
	char context[64];

	secret_clear(&l->captures);
	if (!l->challenge.captures)
		return 0;
	login_captures_context(&l->challenge, context, sizeof(context));
	return unseal(l->io->host_key, context, l->challenge.captures, &l->captures);
}

/* The way that a code went which another sign-in had sent, if it is among this one's. */
static void
choose_destination_of(struct login *l, const struct challenge *c)
{
	for (int i = 0; i < l->ndestinations; i++)
		if (!strcmp(l->destination[i].channel, c->channel) &&
		    !strcmp(l->destination[i].contact.address, c->address)) {
			l->chosen = i;
			l->destination[i].sent_wall_ms = c->sent_wall_ms;
		}
}

enum step
login_find_live(struct login *l, enum step otherwise)
{
	struct instant t = login_now(l);
	struct challenge c = {0};
	int r;

	if (!l->source.joins)
		return otherwise;
	r = l->io->store->ops->challenge_find(
	    l->io->store, &t, l->name, l->service, l->source.key, &c);
	if (r == -OTP_ENOENT)
		return otherwise;
	if (r)
		return login_end_by_error(l, r, "store");
	challenge_clear(&l->challenge);
	l->challenge = c;
	l->has_challenge = true;
	l->instead = AS_CHOSEN;
	l->unanswered = false;
	l->note = c.tries < CHALLENGE_TRIES ? NOTE_SENT : NOTE_ENDED;
	r = open_captures(l);
	if (r)
		return login_end_by_error(l, r, "captures");
	choose_destination_of(l, &c);
	login_show_destination(l, c.channel, c.address);
	(void)snprintf(l->result->provider, sizeof(l->result->provider), "%s", c.provider);
	return STEP_CODE;
}

enum step
login_join(struct login *l)
{
	return login_find_live(l, login_must_ask_first(l) ? STEP_ASK_FIRST : STEP_SEND);
}
