/* The send lock: of concurrent sign-ins that share a challenge, one at a time sends a code. */
#include "helpers/login/internal.h"

#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "helpers/codes/code.h"

/*
 * The number of the lock of this user, service and source. It depends on the host key, so that
 * nobody can choose a name whose lock is another user's.
 */
static int
send_lock_number(const struct login *l, uint64_t *number)
{
	_auto_buf struct buf who = BUF_INIT(3 * STORE_KEY_MAX);
	const char *text;

	buf_putf(&who, "%s\n%s\n%s", l->name, l->service, l->source.key);
	text = buf_str(&who);
	return text ? keyed_number(l->io->host_key, "turn", text, number) : -OTP_ENOMEM;
}

/*
 * Takes the lock, and sets *waited if another sign-in held it. If it takes too long, goes on
 * without the lock: then the user gets two messages. 0 or -OTP_EGONE.
 */
static int
wait_for_send_lock(struct login *l, uint64_t number, bool *waited)
{
	struct deadline dl = deadline_first(l->deadline, deadline_in(l->options->send_timeout));
	int r;

	while (l->io->store->ops->send_lock_take(l->io->store, number) == -OTP_EBUSY) {
		if (deadline_passed(dl))
			return 0;
		*waited = true;
		r = l->io->peer->wait(l->io->peer, CONCURRENT_WAIT_MS);
		if (r)
			return r;
	}
	return 0;
}

/* True if a concurrent sign-in has stored another challenge than the one that this one has. */
static bool
has_concurrent_sent(struct login *l)
{
	struct instant t = login_now(l);
	struct challenge c = {0};
	bool other = !l->io->store->ops->challenge_find(
			 l->io->store, &t, l->name, l->service, l->source.key, &c) &&
		     strcmp(c.id, l->challenge.id) != 0;

	challenge_clear(&c);
	return other;
}

bool
login_take_send_lock(struct login *l, bool *found)
{
	bool waited = false;
	uint64_t number = 0;
	int r;

	*found = false;
	if (!l->source.joins)
		return true;
	r = send_lock_number(l, &number);
	r = r ? r : wait_for_send_lock(l, number, &waited);
	if (r)
		return login_fail(l, r, "send");
	/*
	 * The user asked for another code. It is sent, unless a concurrent sign-in has just sent
	 * one while this one waited for the lock.
	 */
	if (l->has_challenge && !(waited && has_concurrent_sent(l)))
		return true;
	return login_find_live(l, found);
}

void
login_release_send_lock(struct login *l)
{
	l->io->store->ops->send_lock_release(l->io->store);
}
