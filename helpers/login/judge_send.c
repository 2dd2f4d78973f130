/* Turns the outcome of a send into a note for the user and the next step. */
#include "helpers/login/internal.h"

static enum step
judge_outage(struct login *l, const struct attempt *a)
{
	enum note note = a->is_resend ? NOTE_NOT_SENT : NOTE_UNAVAILABLE;

	/* A decoy only imitates an outage: no provider was asked, so the result is not unavail. */
	if (l->decoy)
		return login_stay_or_end(l, note, LOGIN_DENIED, "%s", l->decoy_reason);
	/*
	 * A local user can cause an outage, by using up the machine's ports, processor or memory.
	 * So unavail, which a stack may ignore to let users in, is only for remote sign-ins.
	 */
	return login_stay_or_end(
	    l, note, l->source.has_client ? LOGIN_UNAVAIL : LOGIN_BROKEN, "every provider failed");
}

enum step
login_judge_send(struct login *l, const struct attempt *a)
{
	const struct outcome *o = &a->last.sent.outcome;
	enum note failed = a->is_resend ? NOTE_NOT_SENT : NOTE_UNAVAILABLE;

	if (a->limited) {
		login_wait_until(l, a->limit.until_wall_ms);
		return login_stay_or_end(
		    l, NOTE_LIMIT, LOGIN_LOCKED, "send limit: %s", a->limit.kind);
	}
	switch (o->class) {
	case CLASS_OK:
	case CLASS_BAD_DESTINATION:
		l->note = NOTE_SENT;
		return STEP_CODE;
	case CLASS_UNANSWERED:
		l->note = NOTE_MAYBE_SENT;
		return STEP_CODE;
	case CLASS_RATE_LIMITED:
	case CLASS_TOO_MANY:
		l->wait_ms = (int64_t)o->retry_after * 1000;
		return login_stay_or_end(l, a->is_resend ? NOTE_NOT_SENT : NOTE_LIMIT, LOGIN_LOCKED,
		    "the provider's rate limit is in force");
	case CLASS_PROVIDER_DOWN:
		return judge_outage(l, a);
	case CLASS_ACTION_NEEDED:
		return login_stay_or_end(l, failed, LOGIN_DENIED,
		    "the user's account at the provider needs another step");
	default:
		return login_stay_or_end(l, failed, LOGIN_BROKEN,
		    o->class == CLASS_BROKEN ? "this machine could not send the code"
					     : "the provider refused the request");
	}
}
