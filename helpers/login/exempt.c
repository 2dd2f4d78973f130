/* Applies the [exempt] rules, and ends a sign-in of a service that cannot prompt. */
#include "helpers/login/internal.h"

#include "helpers/base/log.h"
#include "helpers/rules/rules.h"

static void
rule_seen(const struct conf_exempt *rule, const char *why_not, void *arg)
{
	struct login_watch *w = arg;

	w->rule(w, rule, why_not);
}

/*
 * What follows if no rule exempts the sign-in. A service that cannot prompt would answer a prompt
 * by itself, with the user's name or password, so it is not asked.
 */
static enum step
look_for_person(struct login *l)
{
	if (strlist_has(&l->options->never_prompt_services, l->start->service))
		return login_end(l, LOGIN_GONE,
		    "%s cannot prompt (never_prompt_services), and no rule exempts this sign-in",
		    l->start->service);
	return STEP_REMEMBERED;
}

bool
login_may_skip(const struct login *l, const char *why)
{
	if (l->start->first_factor || l->options->first_factor == FIRST_FACTOR_TRUST)
		return true;
	otp_log(LOG_WARNING,
	    "event=rule rule=\"%s\" detail=\"not applied, because sshd has proved no first factor: "
	    "see AuthenticationMethods in sshd_config(5)\"",
	    why);
	return false;
}

static int
find_groups(struct rules_request *q)
{
	struct login *l = q->arg;
	int r = l->io->machine->groups(l->io->machine, &l->account);

	q->groups = l->account.group;
	q->ngroups = l->account.ngroups;
	return r;
}

static bool
client_is_own(const struct rules_request *q)
{
	struct login *l = q->arg;

	return l->io->machine->is_own(l->io->machine, &q->client);
}

enum step
login_consult_rules(struct login *l)
{
	const struct rules_watch watch = {.seen = rule_seen, .arg = l->io->watch};
	const struct conf_exempt *rule = NULL;
	struct rules_request q = {
	    .user = l->name,
	    .find_groups = find_groups,
	    .arg = l,
	    .service = l->start->service,
	    .has_client = l->source.has_client,
	    .client = l->source.address,
	    .client_is_own = client_is_own,
	    .publickey = l->source.publickey,
	    .now_s = login_now(l).wall_ms / 1000,
	};
	int r;

	if (!l->account.exists || l->start->peer || !l->io->conf->nexempts)
		return look_for_person(l);
	r = rules_decide(l->io->conf, &q, watch.arg ? &watch : NULL, &rule);
	if (r)
		return login_end_by_error(l, r, "rules");
	if (rule && login_may_skip(l, rule->name))
		return login_end(l, LOGIN_SKIP, "rule exempt %s: %s", rule->name, rule->reason);
	return look_for_person(l);
}
