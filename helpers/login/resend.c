/* After `r`, or a choice in the menu while a code can be typed: may another code be sent now? */
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
