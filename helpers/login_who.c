/* Who signs in, whether they are asked, and where a code would go. */
#include "helpers/login_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/log.h"
#include "helpers/rules.h"

/* Where another is asked than is signed in, nobody is signed in who does not exist. */
static int
look_up(struct login *l, const char *asked)
{
	const struct login_start *s = l->start;
	struct login_machine *m = l->io->machine;
	struct account target = {0};
	int r = m->account(m, asked, &l->account);

	if (r || !strcmp(s->user, asked))
		return r;
	r = m->account(m, s->user, &target);
	if (!r && !target.exists)
		l->account.exists = false;
	account_clear(&target);
	return r;
}

enum step
login_identify(struct login *l)
{
	const struct login_start *s = l->start;
	bool caller = l->options->identity == IDENTITY_CALLER;
	const char *asked = caller ? s->ruser : s->user;
	int r;

	/* From another machine, the caller is whoever it says. */
	if (caller && *s->rhost)
		return login_end(l, LOGIN_BROKEN, "identity = caller is for hosts on this machine");
	if (caller && !*asked)
		return login_end(l, LOGIN_BROKEN,
		    "identity = caller is for hosts that say who calls, and this one does not");
	if (!*asked || !*s->user)
		return login_end(l, LOGIN_BROKEN, "there is no user name");
	r = look_up(l, asked);
	if (r)
		return login_end_by_error(l, r, "user lookup");
	(void)snprintf(l->name, sizeof(l->name), "%s", l->account.exists ? l->account.name : asked);
	if (l->account.exists)
		(void)snprintf(l->result->user, sizeof(l->result->user), "%s", l->account.name);
	if (s->peer && (!l->account.exists || l->account.uid != s->peer))
		return login_end(
		    l, LOGIN_DENIED, "uid %u may not sign in this user", (unsigned)s->peer);
	if (strlen(s->service) >= sizeof(l->service) - 5 || strlen(asked) >= sizeof(l->name))
		return login_end(l, LOGIN_DENIED, "a name is too long");
	(void)snprintf(l->service, sizeof(l->service), "%s%s", s->peer ? "peer:" : "", s->service);
	(void)snprintf(l->result->service, sizeof(l->result->service), "%s", l->service);
	r = source_of(s, &l->source);
	if (r)
		return login_end_by_error(l, r, "source");
	(void)snprintf(l->result->client, sizeof(l->result->client), "%s", l->source.client);
	if (!l->account.exists)
		login_become_decoy(l, "unknown user");
	return STEP_RULES;
}

static void
rule_seen(const struct conf_exempt *rule, const char *why_not, void *arg)
{
	struct login_watch *w = arg;

	w->rule(w, rule, why_not);
}

/* Where no rule decides. A program on the other side would answer a prompt with what it has. */
static enum step
look_for_person(struct login *l)
{
	if (strlist_has(&l->options->never_prompt_services, l->start->service))
		return login_end(l, LOGIN_GONE, "never_prompt_services: nobody can be asked by %s",
		    l->start->service);
	return STEP_REMEMBERED;
}

bool
login_may_skip(const struct login *l, const char *why)
{
	if (l->start->first_factor || l->options->first_factor == FIRST_FACTOR_TRUST)
		return true;
	otp_log(LOG_WARNING,
	    "event=rule rule=\"%s\" detail=\"sshd had nothing proved before: nobody is let in "
	    "unasked; see AuthenticationMethods\"",
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

enum step
login_consult_rules(struct login *l)
{
	const struct rules_watch watch = {rule_seen, l->io->watch};
	const struct conf_exempt *rule = NULL;
	struct rules_request q = {
	    .user = l->name,
	    .find_groups = find_groups,
	    .arg = l,
	    .service = l->start->service,
	    .has_client = l->source.has_client,
	    .client = l->source.address,
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

static bool
must_be_verified(const struct login *l, const struct contact *c)
{
	return l->options->require_verified == REQUIRE_VERIFIED_YES && !c->verified_at;
}

static void
log_left_out(const struct login *l, const struct contact *c)
{
	char user[sizeof(l->name)];

	otp_log(LOG_WARNING, "event=contact user=\"%s\" detail=\"%s\"",
	    text_quotable(user, sizeof(user), l->name),
	    must_be_verified(l, c) ? "an address is not verified"
				   : "the number is outside prefixes");
}

void
login_take_ways(struct login *l, const struct contact_list *list, left_out_fn *left_out)
{
	const struct strlist *channels = &l->options->channels;

	for (size_t i = 0; i < channels->n; i++) {
		enum contact_kind kind;

		if (l->io->delivery->needs(l->io->delivery, channels->item[i], &kind))
			continue;
		for (size_t k = 0; k < list->n && l->nways < PROMPT_WAYS_MAX; k++) {
			const struct contact *c = &list->item[k];

			if (c->kind != kind)
				continue;
			if (login_may_send_to(l, c))
				l->way[l->nways++] =
				    (struct way){.channel = channels->item[i], .contact = *c};
			else if (left_out)
				left_out(l, c);
		}
	}
}

void
login_show_way(struct login *l, const char *channel, const char *address)
{
	struct login_result *out = l->result;

	contact_masked(out->masked, sizeof(out->masked), address);
	(void)snprintf(out->channel, sizeof(out->channel), "%s", channel);
}

/* Recovery codes are good without a contact, too. */
static int
find_recovery(struct login *l)
{
	int r = l->io->store->ops->recovery_find(l->io->store, l->name, &l->recovery);

	l->has_recovery = l->account.exists && !r && l->recovery.n > 0;
	/* What is left of a user who was deleted is nobody's. */
	if (!l->account.exists)
		otp_wipe(l->recovery);
	return r == -OTP_ENOENT ? 0 : r;
}

static void
show_ways(struct login *l)
{
	struct prompt_way way[PROMPT_WAYS_MAX];
	const struct login_ways found = {
	    .way = way,
	    .n = l->nways,
	    .has_recovery = l->account.exists && l->recovery.n > 0,
	    .decoy = l->decoy ? l->decoy_reason : NULL,
	};

	for (int i = 0; i < l->nways; i++)
		way[i] = (struct prompt_way){l->way[i].channel, l->way[i].masked};
	if (l->io->watch)
		l->io->watch->ways(l->io->watch, &found);
}

enum step
login_find_ways(struct login *l)
{
	struct contact_list list = {0};
	bool any;
	int r = 0;

	if (l->account.exists)
		r = l->io->contacts->ops->find(l->io->contacts, l->name, &list);
	if (r)
		return login_end_by_error(l, r, "contacts");
	login_take_ways(l, &list, log_left_out);
	/* Also one that no channel here serves: whoever is registered, or has codes on paper, is
	 * never skipped. */
	any = list.n > 0;
	contact_list_free(&list);
	r = find_recovery(l);
	if (r)
		return login_end_by_error(l, r, "store");
	if (!any && !l->has_recovery && l->account.exists &&
	    l->options->unregistered == UNREGISTERED_SKIP && !l->start->peer &&
	    login_may_skip(l, "unregistered"))
		return login_end(l, LOGIN_SKIP, "no contact, and unregistered = skip");
	if (!l->nways) {
		if (!l->decoy)
			login_become_decoy(
			    l, any ? "no contact that may be sent to" : "no contact");
		r = r ? r : login_decoy_ways(l);
	} else if (!r) {
		r = login_decoy_trouble(l);
	}
	if (r)
		return login_end_by_error(l, r, "contacts");
	for (int i = 0; i < l->nways; i++)
		contact_masked(
		    l->way[i].masked, sizeof(l->way[i].masked), l->way[i].contact.address);
	login_show_way(l, l->way[0].channel, l->way[0].contact.address);
	show_ways(l);
	return login_set_budget(l);
}
