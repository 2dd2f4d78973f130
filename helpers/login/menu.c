/*
 * The first question, and the menu of destinations. Only Enter, a number or a code counts as an
 * answer, so that a program that sends a password or a user name causes no message.
 */
#include "helpers/login/internal.h"

enum step
login_ask_first(struct login *l)
{
	char text[WIRE_PROMPT_MAX + 1];
	struct prompt_facts f = login_facts(l);

	/* Connects to the provider, also for an unknown user: it receives nothing of the user. */
	l->io->delivery->warm(l->io->delivery, l->destination[l->chosen].channel);
	prompt_ask_first(text, l->note, &f);
	if (!login_ask(l, text))
		return STEP_END;
	switch (l->typed.kind) {
	case TYPED_BY_HOST:
		return login_end(l, LOGIN_GONE, "%s", BLIND_HOST);
	case TYPED_NOTHING:
		/* A concurrent sign-in may have sent a code while this one asked. */
		l->wants_code = true;
		return STEP_JOIN;
	case TYPED_CODE:
		return STEP_JOIN;
	case TYPED_RECOVERY:
		return STEP_TRY_RECOVERY;
	default:
		l->note = NOTE_NOTHING;
		return STEP_ASK_FIRST;
	}
}

static enum step
choose(struct login *l, int number)
{
	l->chosen = number - 1;
	if (l->has_challenge)
		return STEP_RESEND;
	login_record_destination(
	    l, l->destination[l->chosen].channel, l->destination[l->chosen].contact.address);
	/* If a concurrent sign-in has sent a code meanwhile, this one uses it. */
	l->wants_code = true;
	return STEP_JOIN;
}

/* back: a code can be typed already, and Enter goes back to its prompt. */
static enum step
judge_choice(struct login *l, bool back)
{
	const struct typed *t = &l->typed;

	l->note = NOTE_NOTHING;
	switch (t->kind) {
	case TYPED_BY_HOST:
		return login_end(l, LOGIN_GONE, "%s", BLIND_HOST);
	case TYPED_NOTHING:
		return back ? STEP_CODE : choose(l, 1);
	case TYPED_NUMBER:
		if (t->number < 1 || t->number > l->ndestinations)
			break;
		return choose(l, t->number);
	case TYPED_CODE:
		return back ? STEP_TRY_CODE : STEP_JOIN;
	case TYPED_RECOVERY:
		return STEP_TRY_RECOVERY;
	default:
		break;
	}
	l->note = NOTE_NO_CHOICE;
	return STEP_MENU;
}

/* Shown before the first code, and after `o`. */
enum step
login_menu(struct login *l)
{
	char text[WIRE_PROMPT_MAX + 1];
	struct prompt_facts f = login_facts(l);
	bool back = l->has_challenge;

	if (!back)
		l->io->delivery->warm(l->io->delivery, l->destination[l->chosen].channel);
	prompt_menu(text, l->note, &f, back);
	return login_ask(l, text) ? judge_choice(l, back) : STEP_END;
}
