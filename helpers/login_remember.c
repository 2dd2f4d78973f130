/*
 * Sign-ins that are remembered: who was let in from there a while ago is not asked again.
 *
 * MUST:
 *  - remembered is a place that nobody can choose: a public key that sshd has checked, with the
 *    client's address; or a terminal's session, by its leader's start and the boot;
 *  - what was made in the future, by a clock that was put back since, counts for nothing.
 */
#include "helpers/login_internal.h"

#include "common/err.h"

static bool
remembers(const struct login *l)
{
	return l->options->remember > 0 && l->account.exists && *l->source.remember;
}

enum step
login_remembered(struct login *l)
{
	struct instant t = login_now(l);
	int64_t made = 0, since;
	int r;

	if (!remembers(l))
		return STEP_REACH;
	r = l->io->store->ops->remembered_find(l->io->store, l->name, l->source.remember, &made);
	if (r == -OTP_ENOENT)
		return STEP_REACH;
	if (r)
		return login_end_by_error(l, r, "store");
	since = t.wall_ms - made;
	if (since < 0 || since >= l->options->remember || !login_may_skip(l, "remember"))
		return STEP_REACH;
	return login_end(l, LOGIN_SKIP, "remembered: a code was given here %lld s ago",
	    (long long)(since / 1000));
}

struct on_ok
login_on_ok(const struct login *l)
{
	return (struct on_ok){
	    .place = l->start->peer ? "" : l->source.place,
	    .remember = remembers(l) ? l->source.remember : "",
	};
}
