/*
 * The budgets that failures and messages count against. Each known source of a user has budgets of
 * its own, and all unknown sources share others, so that other people cannot lock the user out. A
 * network from which the user signed in without a key is only seen, because others may use it, too:
 * it has a budget of its own for failures, and shares the others with unknown sources. Recovery
 * codes have budgets of their own. A host program that does not run as root has separate budgets
 * (kinds with "peer-"), so that it can neither use up nor reset those of others.
 */
#include "helpers/login/internal.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "helpers/codes/code.h"

struct try_rule
login_try_rule(const struct login *l)
{
	const struct conf_limits *c = &l->io->conf->limits;

	return (struct try_rule){
	    .failures = c->failures,
	    .most = CONF_FAILURES_MOST,
	    .backoff_first_ms = c->backoff_first,
	    .backoff_most_ms = c->backoff_most,
	    .per_challenge = CHALLENGE_TRIES,
	};
}

static void
budget_set(struct budget *b, const struct login *l, const char *kind, const char *owner)
{
	*b = (struct budget){.kind = ""};
	(void)snprintf(b->kind, sizeof(b->kind), "%s%s", l->start->peer ? "peer-" : "", kind);
	(void)snprintf(b->owner, sizeof(b->owner), "%s", owner);
}

/* Unknown users share a fixed number of counters, so that made-up names cannot fill the store. */
static int
decoy_bucket(struct login *l, char *owner, size_t size)
{
	uint64_t n = 0;
	int r = keyed_number(l->io->host_key, "decoy budget", l->name, &n);

	(void)snprintf(owner, size, "%u", (unsigned)(n % DECOY_BUCKETS));
	return r;
}

enum step
login_set_budget(struct login *l)
{
	struct instant t = login_now(l);
	char bucket[16];
	int r, unseen;

	/* Both look-ups happen for every user, so that they take equally long for a decoy. */
	unseen = l->io->store->ops->source_known(l->io->store, &t, l->name, l->source.known_source);
	if (unseen && unseen != -OTP_ENOENT)
		return login_end_by_error(l, unseen, "store");
	r = decoy_bucket(l, bucket, sizeof(bucket));
	if (r)
		return login_end_by_error(l, r, "failure budget");
	budget_set(&l->budget, l, l->decoy ? "user-decoy" : "user", l->decoy ? bucket : l->name);
	/* A user without a contact is a decoy, and may have signed in by a recovery code. */
	if (unseen || !l->account.exists || l->start->peer)
		return STEP_LOCKED;
	(void)snprintf(
	    l->budget.known_source, sizeof(l->budget.known_source), "%s", l->source.known_source);
	l->known = source_can_be_known(l->source.known_source);
	return STEP_LOCKED;
}

struct budget
login_recovery_budget(const struct login *l)
{
	struct budget b = l->budget;

	(void)snprintf(b.kind, sizeof(b.kind), "%srecovery%s", l->start->peer ? "peer-" : "",
	    l->decoy && !l->account.exists ? "-decoy" : "");
	/* A user without a contact is a decoy, but has real recovery codes. */
	if (l->decoy && l->account.exists)
		(void)snprintf(b.owner, sizeof(b.owner), "%s", l->name);
	return b;
}

struct try_rule
login_recovery_rule(const struct login *l)
{
	struct try_rule rule = login_try_rule(l);

	rule.most = INT_MAX;
	return rule;
}

int64_t
login_recovery_delay(int64_t in_a_row)
{
	int64_t ms = RECOVERY_DELAY_FIRST_MS;

	if (in_a_row <= RECOVERY_WRONG_FREE)
		return 0;
	for (int64_t n = RECOVERY_WRONG_FREE + 1; n < in_a_row && ms < RECOVERY_DELAY_MOST_MS; n++)
		ms *= 2;
	return ms < RECOVERY_DELAY_MOST_MS ? ms : RECOVERY_DELAY_MOST_MS;
}

enum { COUNTS_MAX = 5 };

/*
 * The limits on all messages of this machine. Unknown sources together may use half of them, so
 * that users at known sources still get their codes.
 */
static struct conf_windows
host_windows(const struct login *l)
{
	struct conf_windows w = l->io->conf->limits.sends_per_host;

	for (size_t i = 0; !l->known && i < w.n; i++)
		w.item[i].count = (w.item[i].count + 1) / 2;
	return w;
}

/* Makes it a budget that a known source has for itself, and that all others share. */
static void
apart_if_known(struct budget *b, const struct login *l)
{
	(void)snprintf(
	    b->known_source, sizeof(b->known_source), "%s", l->known ? l->source.known_source : "");
}

bool
login_is_made_up(const struct login *l)
{
	const char *end = strrchr(l->budget.kind, '-');

	return end && !strcmp(end, "-decoy");
}

/* Lists what a send to the chosen destination is counted against. Returns how many there are. */
static size_t
send_counts(const struct login *l, struct send_count count[COUNTS_MAX])
{
	const struct conf_limits *c = &l->io->conf->limits;
	bool made_up = login_is_made_up(l);
	const char *address = made_up ? l->budget.owner : l->destination[l->chosen].contact.address;
	size_t n = 0;

	count[n] = (struct send_count){.budget = l->budget, .windows = c->sends_per_user};
	apart_if_known(&count[n++].budget, l);
	budget_set(&count[n].budget, l, made_up ? "address-decoy" : "address", address);
	apart_if_known(&count[n].budget, l);
	count[n].mode = SEND_RETURNS;
	count[n++].windows = c->sends_per_address;
	/* Every message costs money, so those of a host that is not root count here as well. */
	count[n] = (struct send_count){
	    .budget = {.kind = "host"},
	    .windows = host_windows(l),
	    .mode = made_up ? SEND_CHECK_ONLY : SEND_RETURNS,
	};
	n++;
	count[n] = (struct send_count){
	    .windows = c->messages_per_address,
	    .mode = SEND_STAYS,
	};
	(void)snprintf(count[n].budget.kind, sizeof(count[n].budget.kind), "message%s",
	    made_up ? "-decoy" : "");
	(void)snprintf(count[n].budget.owner, sizeof(count[n].budget.owner), "%s", address);
	n++;
	if (l->start->peer || !l->source.has_client)
		return n;
	/* A known source counts apart from unknown sources at the same address. */
	budget_set(&count[n].budget, l, "client", l->source.network);
	apart_if_known(&count[n].budget, l);
	count[n].mode = SEND_RETURNS;
	count[n++].windows = c->sends_per_client;
	return n;
}

bool
login_reserve_send(struct login *l, struct attempt *a)
{
	struct send_count count[COUNTS_MAX];
	struct instant t = login_now(l);
	size_t n = send_counts(l, count);
	int r =
	    l->io->store->ops->send_reserve(l->io->store, &t, count, n, &a->reservation, &a->limit);

	a->limited = r == -OTP_ELIMIT;
	return !r || a->limited || login_fail(l, r, "store");
}

enum step
login_check_locked(struct login *l)
{
	const struct trial trial = {.budget = &l->budget, .rule = login_try_rule(l)};
	struct trial_result tried = {0};
	struct instant t = login_now(l);
	int r = l->io->store->ops->locked(l->io->store, &t, &trial, &tried);

	if (!r)
		return STEP_JOIN;
	return r == -OTP_ELIMIT ? login_locked(l, tried.until_wall_ms)
				: login_end_by_error(l, r, "store");
}
