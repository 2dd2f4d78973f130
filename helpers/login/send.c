/*
 * The step that sends: it makes a code, sends it, and stores its challenge. Of concurrent sign-ins
 * that share a challenge, one at a time does so.
 */
#include "helpers/login/internal.h"

/*
 * Goes on as if a code had been sent, although the provider refuses the address, so that nobody
 * can learn this from the prompts. It counts as one send, so that the limits do not show it
 * either. false: the sign-in has ended.
 */
static bool
pretend_sent(struct login *l, struct challenge *c, const struct secret *code, struct attempt *a)
{
	login_become_decoy(l, "the provider refuses the address");
	if (!a->counted && !login_reserve_send(l, a))
		return false;
	return a->limited || login_replace_challenge(l, c, code, a);
}

/*
 * Sends a new code, and stores its challenge if the code was, or may have been, sent. false: the
 * sign-in has ended.
 */
static bool
send_and_keep(struct login *l, struct attempt *a)
{
	_auto_secret struct secret code = {0};
	struct challenge c = {0};
	int before = l->chosen;
	int r = login_make_challenge(l, &c, &code);

	if (r)
		return login_fail(l, r, "send");
	/* What was pretended before may be possible now. */
	l->decoy = login_is_made_up(l);
	if (!login_try_destinations(l, &code, a))
		return false;
	if (!a->limited) {
		switch (a->last.sent.outcome.class) {
		case CLASS_OK:
		case CLASS_UNANSWERED:
			return login_replace_challenge(l, &c, &code, a);
		case CLASS_BAD_DESTINATION:
			return pretend_sent(l, &c, &code, a);
		default:
			break;
		}
	}
	/* No new code was sent, so the old code and its destination stay. */
	l->chosen = before;
	l->decoy |= l->challenge.pretended;
	return true;
}

enum step
login_send_code(struct login *l)
{
	struct attempt a = {
	    .last = {.sent = SENT_INIT(CLASS_BROKEN)},
	    .outage = true,
	    .is_resend = l->has_challenge,
	};
	bool found = false;
	bool goes_on = login_take_send_lock(l, &found) && (found || send_and_keep(l, &a));
	enum step next = STEP_END;

	login_release_send_lock(l);
	if (goes_on)
		next = found ? STEP_CODE : login_judge_send(l, &a);
	delivered_clear(&a.last);
	return next;
}
