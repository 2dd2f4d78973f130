/*
 * Remembered sign-ins: a user who gave a code from the same source a short while ago is not asked
 * again.
 *
 * MUST:
 *  - The key of a remembered sign-in holds only what the user cannot choose. Over ssh this is a
 *    public key that sshd has checked, and the client's address. On a terminal it is the session,
 *    the start of its leader, and the boot.
 *  - A sign-in that is remembered while this one waits at a prompt counts only if it was let in
 *    after this one began.
 *  - Setting the clock back makes nothing last longer. Within one boot CLOCK_BOOTTIME counts as
 *    well, and a sign-in with a time in the future is ignored.
 */
#include "helpers/login/internal.h"

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
	int64_t age = 0;
	int r;

	if (!remembers(l))
		return STEP_OPEN;
	r = l->io->store->ops->remembered_find(l->io->store, &t, l->name, l->source.remember, &age);
	if (r == -OTP_ENOENT)
		return STEP_OPEN;
	if (r)
		return login_end_by_error(l, r, "store");
	if (age >= l->options->remember || !login_may_skip(l, "remember"))
		return STEP_OPEN;
	return login_end(
	    l, LOGIN_SKIP, "remembered: the user gave a code %lld s ago", (long long)(age / 1000));
}

/*
 * A program that opens several connections at once asks for one code at each of them, and one code
 * lets one of them in. The others get the same answer as a connection that begins now, which would
 * not be asked. What was remembered earlier does not count: it was too old when this one began.
 */
bool
login_remembered_meanwhile(struct login *l)
{
	struct instant t = login_now(l);
	int64_t age = 0;
	int r;

	if (!remembers(l) || l->start->peer)
		return false;
	r = l->io->store->ops->remembered_find(l->io->store, &t, l->name, l->source.remember, &age);
	if (r == -OTP_ENOENT)
		return false;
	if (r) {
		(void)login_end_by_error(l, r, "store");
		return true;
	}
	if (age >= t.boot_ms - l->began.boot_ms || age >= l->options->remember ||
	    !login_may_skip(l, "remember"))
		return false;
	(void)login_accept(l, PROOF_REMEMBERED);
	return true;
}

struct success_effects
login_success_effects(const struct login *l)
{
	return (struct success_effects){
	    .known_source = l->start->peer ? "" : l->source.known_source,
	    .remember = remembers(l) ? l->source.remember : "",
	};
}
