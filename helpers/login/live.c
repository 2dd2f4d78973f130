/*
 * Joining a live challenge: a code that a concurrent sign-in of the same user, source and service
 * has sent, and that can still be used.
 */
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

static bool
is_registered(struct login *l, const struct contact_list *list, const char *address)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->item[i].address, address) && login_may_send_to(l, &list->item[i]))
			return true;
	return false;
}

/* Reads the contacts again. Ends the challenge if its address may get no code of the user's. */
static int
check_address_of(struct login *l, const struct challenge *c)
{
	struct contacts *contacts = l->io->contacts;
	struct contact_list list = {0};
	int r = contacts->ops->refresh(contacts);

	if (!r)
		r = contacts->ops->find(contacts, l->name, &list);
	if (!r && !is_registered(l, &list, c->address)) {
		r = l->io->store->ops->challenge_kill(l->io->store, c->id);
		r = r ? r : -OTP_ENOENT;
	}
	contact_list_free(&list);
	return r;
}

int
login_check_address(struct login *l)
{
	return check_address_of(l, &l->challenge);
}

/* Chooses the destination that the challenge's code was sent to, if this sign-in has it, too. */
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

bool
login_find_live(struct login *l, bool *found)
{
	struct instant t = login_now(l);
	struct challenge c = {0};
	int r;

	*found = false;
	if (!l->source.joins)
		return true;
	r = l->io->store->ops->challenge_find(
	    l->io->store, &t, l->name, l->service, l->source.key, &c);
	if (r)
		return r == -OTP_ENOENT || login_fail(l, r, "store");
	if (!login_is_made_up(l))
		r = check_address_of(l, &c);
	if (r) {
		challenge_clear(&c);
		return r == -OTP_ENOENT || login_fail(l, r, "contacts");
	}
	challenge_clear(&l->challenge);
	l->challenge = c;
	l->has_challenge = *found = true;
	l->instead = AS_CHOSEN;
	l->unanswered = false;
	l->note = c.tries < CHALLENGE_TRIES ? NOTE_SENT : NOTE_ENDED;
	/* A concurrent sign-in only pretended to send. So this one has to look the same. */
	if (c.pretended && !l->decoy)
		login_become_decoy(l, "the code was only pretended by a concurrent sign-in");
	r = open_captures(l);
	if (r)
		return login_fail(l, r, "captured values");
	choose_destination_of(l, &c);
	login_record_destination(l, c.channel, c.address);
	(void)snprintf(l->result->provider, sizeof(l->result->provider), "%s", c.provider);
	return true;
}

static enum step
first_question(const struct login *l)
{
	return l->ndestinations > 1 ? STEP_MENU : STEP_ASK_FIRST;
}

/*
 * The user typed a code, but this sign-in has sent none. If there is a live challenge, the code may
 * belong to it.
 */
static enum step
join_to_try(struct login *l, bool found)
{
	if (found)
		return STEP_TRY_CODE;
	l->note = NOTE_NO_CODE;
	return l->code_prompted ? STEP_CODE : first_question(l);
}

enum step
login_join(struct login *l)
{
	bool found;

	if (!login_find_live(l, &found))
		return STEP_END;
	if (l->typed.kind == TYPED_CODE)
		return join_to_try(l, found);
	if (found)
		return STEP_CODE;
	return l->wants_code || !login_must_ask_first(l) ? STEP_SEND : first_question(l);
}
