/* The prompt for the code. The user may type a code, a recovery code, r or o. */
#include "helpers/login/internal.h"

static enum step
judge_typed(struct login *l)
{
	switch (l->typed.kind) {
	case TYPED_BY_HOST:
		return login_refuse_blind(l);
	case TYPED_NOTHING:
		if (!l->locked)
			l->note = NOTE_NOTHING;
		return STEP_CODE;
	case TYPED_RESEND:
		return STEP_RESEND;
	case TYPED_OTHER:
		if (!l->has_challenge || l->ndestinations < 2)
			break;
		l->note = NOTE_NOTHING;
		return STEP_MENU;
	case TYPED_CODE:
		return l->has_challenge ? STEP_TRY_CODE : STEP_JOIN;
	case TYPED_RECOVERY:
		return STEP_TRY_RECOVERY;
	case TYPED_NUMBER:
	case TYPED_ELSE:
		break;
	}
	return login_refuse(l, NOTE_MALFORMED, "malformed code");
}

enum step
login_ask_code(struct login *l)
{
	char text[WIRE_PROMPT_MAX + 1];
	struct prompt_facts f = login_facts(l);

	l->code_prompted = true;
	prompt_code(text, l->note, &f);
	return login_ask(l, text) ? judge_typed(l) : STEP_END;
}
