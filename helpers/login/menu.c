/*
 * The first question, and the menu of the ways that a code can go. Only Enter, a number or a code
 * is an answer: a program that says something is no human.
 */
#include "helpers/login/internal.h"

enum step
login_ask_first(struct login *l)
{
	char text[WIRE_PROMPT_MAX + 1];
	struct prompt_facts f = login_facts(l);

	/* For an unknown user too: nothing of the person goes into it. */
	l->io->delivery->warm(l->io->delivery, l->destination[l->chosen].channel);
	prompt_ask_first(text, l->note, &f);
	if (!login_ask(l, text))
		return STEP_END;
	switch (l->typed.kind) {
	case TYPED_BY_HOST:
		return login_end(l, LOGIN_GONE, "%s", BLIND_HOST);
	case TYPED_NOTHING:
		/* While this one was asked, a sibling may have had a code sent. */
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
	/* What a sibling has had sent meanwhile is as good. */
	l->wants_code = true;
	return STEP_JOIN;
}

/* back: Enter goes back to the code that is out. */
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

/* Before the first code, and when `o` was typed. */
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
