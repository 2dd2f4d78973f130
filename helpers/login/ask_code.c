/* The question for the code, and what can be typed there: a code, a recovery code, r, o. */
#include "helpers/login/internal.h"

#include <string.h>

#include "common/err.h"
#include "helpers/codes/code.h"
#include "helpers/codes/recovery.h"

/* A code was typed where none was asked for: a sibling may have had it sent. */
static enum step
take_early_code(struct login *l, const struct secret *code, enum step here)
{
	enum step next = l->has_challenge ? STEP_CODE : login_find_live(l, here);

	if (next == STEP_END)
		return next;
	if (l->has_challenge)
		return login_try_code(l, code);
	l->note = NOTE_NO_CODE;
	return here;
}

enum step
login_take_answer(struct login *l, const struct secret *typed, enum step here)
{
	_auto_secret struct secret code = {0};
	struct prompt_facts f = login_facts(l);

	if (recovery_is(secret_str(typed)))
		return login_try_recovery(l, typed);
	if (!code_read(secret_str(typed), f.least, f.most, &code))
		return take_early_code(l, &code, here);
	/* Only Enter, a number or a code is an answer: a program that says something is no human.
	 */
	if (here != STEP_CODE) {
		l->note = here == STEP_MENU || l->ndestinations > 1 ? NOTE_NO_CHOICE : NOTE_NOTHING;
		return here;
	}
	return login_refuse(l, NOTE_MALFORMED, "malformed code");
}

/*
 * sshd answers for users whom it has refused already. They must see what others see: it looks like
 * a wrong code, and costs nobody anything.
 */
static enum step
refuse_blind(struct login *l)
{
	enum step next = login_refuse(l, NOTE_WRONG, BLIND_HOST);

	if (next == STEP_END)
		l->result->word = LOGIN_GONE;
	return next;
}

/* Small or large, or of full width (U+FF21 to U+FF5A), as an input method may leave it. */
static bool
is_letter(const struct secret *typed, char letter)
{
	const char wide[] = {'\xef', '\xbd', (char)(0x81 + letter - 'a'), '\0'};
	const char wide_capital[] = {'\xef', '\xbc', (char)(0xa1 + letter - 'a'), '\0'};
	const char *s = secret_str(typed);

	if (!strcmp(s, wide) || !strcmp(s, wide_capital))
		return true;
	return (s[0] == letter || s[0] == letter - 'a' + 'A') && !s[1];
}

enum step
login_ask_code(struct login *l)
{
	char text[WIRE_PROMPT_MAX + 1];
	_auto_secret struct secret typed = {0};
	struct prompt_facts f = login_facts(l);
	enum note note = l->note;
	bool blind;

	l->code_prompted = true;
	prompt_code(text, note, &f);
	if (login_ask(l, text, &typed, &blind) == STEP_END)
		return STEP_END;
	if (blind)
		return refuse_blind(l);
	if (strspn(secret_str(&typed), " \t") == typed.len) {
		if (!l->locked)
			l->note = NOTE_NOTHING;
		return STEP_CODE;
	}
	if (is_letter(&typed, 'r'))
		return login_resend(l);
	if (is_letter(&typed, 'o') && l->has_challenge && l->ndestinations > 1) {
		l->note = NOTE_NOTHING;
		return STEP_MENU;
	}
	return login_take_answer(l, &typed, STEP_CODE);
}
