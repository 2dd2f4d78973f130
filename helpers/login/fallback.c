/*
 * Sends a code to the chosen destination. If the providers of its channel are down or refuse the
 * address or the request, sends the same code over the other channels. If they limit the rate, it
 * does so for a known source: others may have used the limit up.
 *
 * MUST: A send is counted before it is made.
 */
#include "helpers/login/internal.h"

#include <string.h>

#include "helpers/base/log.h"

/* The next destination whose channel was not tried and which is not cooling down, or -1. */
static int
next_destination(struct login *l, const bool tried[PROMPT_DESTINATIONS_MAX])
{
	for (int i = 0; i < l->ndestinations; i++) {
		bool fresh = !login_cool_down(l, &l->destination[i]);

		for (int k = 0; k < l->ndestinations; k++)
			fresh &= !tried[k] ||
				 strcmp(l->destination[k].channel, l->destination[i].channel) != 0;
		if (fresh)
			return i;
	}
	return -1;
}

static bool
is_limited(const struct login *l, enum provider_class class)
{
	return l->known && (class == CLASS_RATE_LIMITED || class == CLASS_TOO_MANY);
}

static bool
may_fall_back(const struct login *l, const struct delivered *d)
{
	enum provider_class class = d->sent.outcome.class;

	return l->options->fallback == FALLBACK_YES &&
	       (class == CLASS_PROVIDER_DOWN || class == CLASS_BAD_DESTINATION ||
		   class == CLASS_REFUSED || is_limited(l, class));
}

static void
sum_up_one(const struct login *l, struct attempt *a)
{
	enum provider_class class = a->last.sent.outcome.class;
	long after = a->last.sent.outcome.retry_after;

	if (is_limited(l, class)) {
		a->rate_limited = true;
		if (!a->retry_after || (after && after < a->retry_after))
			a->retry_after = after;
	}
	a->counted |= !a->last.nothing_sent;
	a->outage &= class == CLASS_PROVIDER_DOWN;
	a->bad_destination |= class == CLASS_BAD_DESTINATION;
}

/*
 * Counts a send and sends the code to the chosen destination, unless a limit is reached. false: the
 * sign-in has ended.
 */
static bool
try_destination(struct login *l, const struct secret *code, struct deadline all, struct attempt *a)
{
	int r;

	if (!login_reserve_send(l, a))
		return false;
	if (a->limited)
		return true;
	delivered_clear(&a->last);
	r = login_deliver(l, &l->destination[l->chosen], code, all, &a->last);
	if (r)
		return login_fail(l, r, "send");
	sum_up_one(l, a);
	/* If the count cannot be given back, the user only has one send less. */
	r = a->last.nothing_sent ? l->io->store->ops->send_return(l->io->store, a->reservation) : 0;
	if (r)
		otp_logr(LOG_WARNING, r, "event=send_return");
	return true;
}

/*
 * Sets the class of the whole attempt. An address that was refused counts more than a rate limit,
 * and that more than an outage. It is an outage only if every destination failed by one.
 */
static void
sum_up(const struct login *l, struct attempt *a)
{
	struct outcome *o = &a->last.sent.outcome;

	if (o->class != CLASS_PROVIDER_DOWN && o->class != CLASS_BAD_DESTINATION &&
	    o->class != CLASS_REFUSED && !is_limited(l, o->class))
		return;
	o->class = a->bad_destination ? CLASS_BAD_DESTINATION
		   : a->rate_limited  ? CLASS_RATE_LIMITED
		   : a->outage	      ? CLASS_PROVIDER_DOWN
				      : CLASS_REFUSED;
	if (a->rate_limited)
		o->retry_after = a->retry_after;
}

bool
login_try_destinations(struct login *l, const struct secret *code, struct attempt *a)
{
	struct deadline all = deadline_in(l->options->send_timeout);
	bool tried[PROMPT_DESTINATIONS_MAX] = {false};
	const char *first = l->destination[l->chosen].channel;
	int other;

	for (;;) {
		if (!try_destination(l, code, all, a))
			return false;
		if (a->limited)
			return true;
		tried[l->chosen] = true;
		other = next_destination(l, tried);
		if (!may_fall_back(l, &a->last) || other < 0)
			break;
		/*
		 * There is no time left to ask the other providers. They may be up, so this does
		 * not count as an outage.
		 */
		if (deadline_passed(all)) {
			a->outage = false;
			break;
		}
		l->chosen = other;
	}
	l->instead = strcmp(first, l->destination[l->chosen].channel) ? INSTEAD_CHANNEL
		     : a->last.instead				      ? INSTEAD_PROVIDER
								      : AS_CHOSEN;
	l->first_channel = first;
	sum_up(l, a);
	return true;
}
