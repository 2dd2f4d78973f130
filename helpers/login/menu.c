/* The first question, and the menu of the ways that a code can go. */
#include "helpers/login/internal.h"

#include "helpers/codes/code.h"

/* The number of a way, from 1 on; 0 where it is none. */
static int
chosen_number(const struct login *l, const struct secret *typed)
{
	_auto_secret struct secret digit = {0};
	int number;

	if (code_read(secret_str(typed), 1, 1, &digit))
		return 0;
	number = digit.bytes[0] - '0';
	return number <= l->ndestinations ? number : 0;
}

static enum step
choose(struct login *l, int number)
{
	l->chosen = number - 1;
	if (l->has_challenge)
		return login_resend(l);
	login_show_destination(
	    l, l->destination[l->chosen].channel, l->destination[l->chosen].contact.address);
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
		l->io->delivery->warm(l->io->delivery, l->destination[l->chosen].channel);
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

static enum step
ask_first_once(struct login *l)
{
	char text[WIRE_PROMPT_MAX + 1];
	_auto_secret struct secret typed = {0};
	struct prompt_facts f = login_facts(l);
	bool blind;

	/* For an unknown user too: nothing of the person goes into it. */
	l->io->delivery->warm(l->io->delivery, l->destination[l->chosen].channel);
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
	return l->ndestinations > 1 ? login_menu(l) : ask_first_once(l);
}
