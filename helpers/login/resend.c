/* `r` was typed, or a way chosen while a code is out: may another code be sent? */
#include "helpers/login/internal.h"

enum step
login_resend(struct login *l)
{
	int64_t wait = login_cool_down(l, &l->destination[l->chosen]);

	if (l->locked) {
		l->note = NOTE_LOCKED;
		return STEP_CODE;
	}
	if (wait && !(l->note == NOTE_USED || l->note == NOTE_ENDED)) {
		l->wait_ms = wait;
		l->note = NOTE_WAIT;
		return STEP_CODE;
	}
	return STEP_SEND;
}
