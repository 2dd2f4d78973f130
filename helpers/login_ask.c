/* Up to the moment in which somebody wants a code: live codes, the first question, the menu. */
#include "helpers/login_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "helpers/challenge.h"
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
	struct prompt_facts f = {
	    .way = {l->result->channel, l->result->masked},
	    .first = l->first_channel ? l->first_channel : "",
	    .instead = l->instead,
	    .left_ms = l->has_challenge ? l->challenge.expires_boot_ms - login_now(l).boot_ms : 0,
	    .tries = l->options->tries - l->wrong,
	    .wait_ms = l->wait_ms,
	    .has_code = l->has_challenge,
	    .has_recovery = l->has_recovery,
	    .may_resend = !l->locked,
	    .nmenu = l->nways,
	};

	code_length(l, &f.least, &f.most);
	for (int i = 0; i < l->nways; i++)
		f.menu[i] = (struct prompt_way){l->way[i].channel, l->way[i].masked};
	return f;
}

/* sshd's `password` method, for one, has nobody behind it whom a prompt could reach. */
static const char *
why_conv(const struct login *l)
{
	if (l->prompts == 1 && !strcmp(l->start->tty, "ssh"))
		return "the host cannot prompt: sshd's password method, or a client that left";
	return "the conversation failed";
}

/* Outer blanks mean nothing; but nothing else than blanks is no Enter. */
static int
trim(struct secret *typed)
{
	const char *s = secret_str(typed);
	size_t from = strspn(s, " \t"), len = strlen(s);
	struct secret trimmed = {0};
	int r;

	if (from == len)
		return 0;
	while (s[len - 1] == ' ' || s[len - 1] == '\t')
		len--;
	r = secret_set(&trimmed, s + from, len - from);
	secret_clear(typed);
	*typed = trimmed;
	return r;
}

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
	if (!r)
		r = trim(typed);
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
choose_way_of(struct login *l, const struct challenge *c)
{
	for (int i = 0; i < l->nways; i++)
		if (!strcmp(l->way[i].channel, c->channel) &&
		    !strcmp(l->way[i].contact.address, c->address)) {
			l->chosen = i;
			l->way[i].sent_wall_ms = c->sent_wall_ms;
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
	choose_way_of(l, &c);
	login_show_way(l, c.channel, c.address);
	(void)snprintf(l->result->provider, sizeof(l->result->provider), "%s", c.provider);
	return STEP_CODE;
}

enum step
login_join(struct login *l)
{
	return login_find_live(l, login_must_ask_first(l) ? STEP_ASK_FIRST : STEP_SEND);
}

static enum step
ask_first_once(struct login *l)
{
	char text[WIRE_PROMPT_MAX + 1];
	_auto_secret struct secret typed = {0};
	struct prompt_facts f = login_facts(l);
	bool blind;

	/* For an unknown user too: nothing of the person goes into it. */
	l->io->delivery->warm(l->io->delivery, l->way[l->chosen].channel);
	prompt_ask_first(text, l->note, &f);
	if (login_ask(l, text, &typed, &blind) == STEP_END)
		return STEP_END;
	if (blind)
		return login_end(l, LOGIN_GONE, "%s", BLIND_HOST);
	/* While this one was asked, a sibling may have had a code sent. */
	if (!typed.len)
		return login_find_live(l, STEP_SEND);
	return login_take_answer(l, &typed, STEP_ASK_FIRST);
}

enum step
login_ask_first(struct login *l)
{
	return l->nways > 1 ? login_menu(l) : ask_first_once(l);
}

/* The number of a way, from 1 on; 0 where it is none. */
static int
chosen_number(const struct login *l, const struct secret *typed)
{
	_auto_secret struct secret digit = {0};
	int number;

	if (code_read(secret_str(typed), 1, 1, &digit))
		return 0;
	number = digit.bytes[0] - '0';
	return number <= l->nways ? number : 0;
}

static enum step
choose(struct login *l, int number)
{
	l->chosen = number - 1;
	if (l->has_challenge)
		return login_resend(l);
	login_show_way(l, l->way[l->chosen].channel, l->way[l->chosen].contact.address);
	/* What a sibling has had sent meanwhile is as good. */
	return login_find_live(l, STEP_SEND);
}

/* Before the first code, and when `o` was typed. */
enum step
login_menu(struct login *l)
{
	char text[WIRE_PROMPT_MAX + 1];
	_auto_secret struct secret typed = {0};
	struct prompt_facts f = login_facts(l);
	bool blind, back = l->has_challenge;
	int number;

	if (!back)
		l->io->delivery->warm(l->io->delivery, l->way[l->chosen].channel);
	prompt_menu(text, l->note, &f, back);
	if (login_ask(l, text, &typed, &blind) == STEP_END)
		return STEP_END;
	if (blind)
		return login_end(l, LOGIN_GONE, "%s", BLIND_HOST);
	l->note = NOTE_NOTHING;
	if (!typed.len)
		return back ? STEP_CODE : choose(l, 1);
	number = chosen_number(l, &typed);
	return number ? choose(l, number)
		      : login_take_answer(l, &typed, back ? STEP_MENU : STEP_ASK_FIRST);
}
