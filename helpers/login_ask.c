/* Up to the moment in which somebody wants a code: locks, live codes, the first question. */
#include "helpers/login_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "helpers/seal.h"

/* How many digits a code has here. */
static void
code_length(struct login *l, int *least, int *most)
{
	struct delivery *d = l->io->delivery;

	d->code_length(d, l->result->channel, l->result->provider, least, most);
	if (!*most)
		*least = *most = l->options->code_length;
}

struct prompt_facts
login_facts(struct login *l)
{
	int least = 0, most = 0;

	code_length(l, &least, &most);
	return (struct prompt_facts){
	    .channel = l->result->channel,
	    .masked = l->result->masked,
	    .left_ms = l->has_challenge ? l->challenge.expires_boot_ms - login_now(l).boot_ms : 0,
	    .tries = l->options->tries - l->wrong,
	    .wait_ms = l->wait_ms,
	    .least = least,
	    .most = most,
	};
}

/* sshd's `password` method, for one, has nobody behind it whom a prompt could reach. */
static const char *
why_conv(const struct login *l)
{
	if (l->prompts == 1 && !strcmp(l->start->tty, "ssh"))
		return "the host cannot prompt: sshd's password method, or a client that left";
	return "the conversation failed";
}

/*
 * Asks once. STEP_CODE: there is an answer in *typed, or *blind says that the host answered by
 * itself; else the sign-in has ended.
 */
enum step
login_ask(struct login *l, const char *text, struct secret *typed, bool *blind)
{
	enum answer kind = ANSWER_CONV;
	int r;

	*blind = false;
	if (++l->prompts > PROMPTS_MAX)
		return login_end(l, LOGIN_DENIED, "too many answers without a code");
	r = l->io->peer->ask(l->io->peer, text, l->deadline, &kind, typed);
	if (r == -OTP_ETIME)
		return login_end(l, LOGIN_DENIED, "no answer in time");
	if (r)
		return login_end_by_error(l, r, "prompt");
	switch (kind) {
	case ANSWER_BLIND:
		*blind = true;
		return STEP_CODE;
	case ANSWER_TEXT:
		return STEP_CODE;
	case ANSWER_CANCELLED:
		return login_end(l, LOGIN_GONE, "cancelled at the prompt");
	case ANSWER_CONV:
		break;
	}
	return login_end(l, LOGIN_GONE, "%s", why_conv(l));
}

/* What a captured value is bound to: this challenge, and no other. */
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

/* A live code of the same user, source and service is used again instead of sending another. */
static enum step
find_live(struct login *l, enum step otherwise)
{
	struct instant t = login_now(l);
	int r;

	if (!l->source.joins)
		return otherwise;
	r = l->io->store->ops->challenge_find(
	    l->io->store, &t, l->name, l->service, l->source.key, &l->challenge);
	if (r == -OTP_ENOENT)
		return otherwise;
	if (r)
		return login_end_by_error(l, r, "store");
	l->has_challenge = true;
	l->note = l->challenge.tries < CHALLENGE_TRIES ? NOTE_SENT : NOTE_ENDED;
	r = open_captures(l);
	if (r)
		return login_end_by_error(l, r, "captures");
	login_show_destination(l, l->challenge.channel, l->challenge.address);
	(void)snprintf(
	    l->result->provider, sizeof(l->result->provider), "%s", l->challenge.provider);
	return STEP_CODE;
}

enum step
login_check_locked(struct login *l)
{
	struct instant t = login_now(l);
	struct try_rule rule = login_try_rule(l);
	int64_t until = 0;
	int r = l->io->store->ops->locked(l->io->store, &t, l->budget, &rule, &until);

	if (r == -OTP_ELIMIT)
		return login_end_locked(l, until);
	return r ? login_end_by_error(l, r, "store") : STEP_JOIN;
}

enum step
login_join(struct login *l)
{
	return find_live(l, login_must_ask_first(l) ? STEP_ASK_FIRST : STEP_SEND);
}

enum step
login_ask_first(struct login *l)
{
	char text[WIRE_PROMPT_MAX + 1];
	_auto_secret struct secret typed = {0};
	struct prompt_facts f = login_facts(l);
	bool blind;

	/* For an unknown user too: nothing of the person goes into it. */
	l->io->delivery->warm(l->io->delivery, l->channel);
	prompt_ask_first(text, &f);
	if (login_ask(l, text, &typed, &blind) == STEP_END)
		return STEP_END;
	if (blind)
		return login_end(l, LOGIN_GONE, "%s", BLIND_HOST);
	/* Only Enter is a yes: a program that answers with something is no human. */
	if (typed.len)
		return STEP_ASK_FIRST;
	/* While this one was asked, a sibling may have had a code sent. */
	return find_live(l, STEP_SEND);
}
