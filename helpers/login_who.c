/* Who signs in, whether they are asked, and where a code would go. */
#include "helpers/login_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/challenge.h"
#include "helpers/rules.h"

void
login_become_decoy(struct login *l, const char *reason)
{
	l->decoy = true;
	l->decoy_reason = reason;
}

/* Budgets of a host that is not root are its own: it can neither spend nor reset the others'. */
static enum step
set_budget(struct login *l)
{
	const char *kind = l->start->peer ? "peer" : "user";
	uint64_t n = 0;
	int r;

	if (!l->decoy) {
		(void)snprintf(l->budget, sizeof(l->budget), "%s:%s", kind, l->name);
		return STEP_LOCKED;
	}
	r = keyed_number(l->io->host_key, "decoy budget", l->name, &n);
	if (r)
		return login_end_by_error(l, r, "budget");
	(void)snprintf(
	    l->budget, sizeof(l->budget), "%s-decoy:%u", kind, (unsigned)(n % DECOY_BUCKETS));
	return STEP_LOCKED;
}

enum step
login_identify(struct login *l)
{
	const struct login_start *s = l->start;
	const char *asked = l->options->identity == IDENTITY_CALLER ? s->ruser : s->user;
	int r;

	if (!*asked)
		return login_end(l, LOGIN_BROKEN, "there is no user name");
	r = l->io->machine->account(l->io->machine, asked, &l->account);
	if (r)
		return login_end_by_error(l, r, "user lookup");
	(void)snprintf(l->name, sizeof(l->name), "%s", l->account.exists ? l->account.name : asked);
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

enum step
login_consult_rules(struct login *l)
{
	const struct conf_exempt *rule = NULL;
	struct rules_request q = {
	    .user = l->name,
	    .service = l->start->service,
	    .has_client = l->source.has_client,
	    .client = l->source.address,
	    .publickey = l->source.publickey,
	    .now_s = login_now(l).wall_ms / 1000,
	};
	int r = 0;

	if (!l->account.exists || l->start->peer || !l->io->conf->nexempts)
		return STEP_CONTACT;
	r = l->io->machine->groups(l->io->machine, &l->account);
	q.groups = l->account.group;
	q.ngroups = l->account.ngroups;
	if (!r)
		r = rules_decide(l->io->conf, &q, &rule);
	if (r)
		return login_end_by_error(l, r, "rules");
	if (rule)
		return login_end(l, LOGIN_SKIP, "rule exempt %s: %s", rule->name, rule->reason);
	return STEP_CONTACT;
}

/* The first contact of the first channel that has one. */
static bool
choose_contact(struct login *l, const struct contact_list *list)
{
	for (size_t i = 0; i < l->options->channels.n; i++) {
		const char *channel = l->options->channels.item[i];
		enum contact_kind kind;

		if (l->io->delivery->needs(l->io->delivery, channel, &kind))
			continue;
		for (size_t k = 0; k < list->n; k++) {
			if (list->item[k].kind != kind)
				continue;
			l->channel = channel;
			l->contact = list->item[k];
			return true;
		}
	}
	return false;
}

/* A made-up address that stays the same for the same name. */
static int
decoy_contact(struct login *l)
{
	uint64_t n = 0;
	int r = keyed_number(l->io->host_key, "decoy address", l->name, &n);
	struct contact like;

	if (r)
		return r;
	l->channel = l->options->channels.item[0];
	r = l->io->delivery->needs(l->io->delivery, l->channel, &l->contact.kind);
	if (r)
		return r;
	/* It looks like somebody's: country and length are borrowed from a real contact. */
	r = l->io->contacts->ops->any(l->io->contacts, l->contact.kind, n, &like);
	if (r == -OTP_ENOENT)
		(void)snprintf(like.address, sizeof(like.address), "%s",
		    l->contact.kind == CONTACT_PHONE ? "+9779800000000" : "a@a.example");
	else if (r)
		return r;
	if (l->contact.kind == CONTACT_PHONE) {
		size_t len = strlen(like.address);

		like.address[len - 1] = (char)('0' + n % 10);
		like.address[len - 2] = (char)('0' + n / 10 % 10);
	} else {
		like.address[0] = (char)('a' + n % 26);
	}
	(void)snprintf(l->contact.address, sizeof(l->contact.address), "%s", like.address);
	return 0;
}

void
login_show_destination(struct login *l, const char *channel, const char *address)
{
	struct login_result *out = l->result;

	if (strchr(address, '@'))
		text_mask_email(out->masked, sizeof(out->masked), address);
	else
		text_mask_phone(out->masked, sizeof(out->masked), address);
	(void)snprintf(out->channel, sizeof(out->channel), "%s", channel);
}

enum step
login_find_contact(struct login *l)
{
	struct contact_list list = {0};
	bool found;
	int r = 0;

	if (l->account.exists)
		r = l->io->contacts->ops->find(l->io->contacts, l->name, &list);
	if (r)
		return login_end_by_error(l, r, "contacts");
	found = choose_contact(l, &list);
	contact_list_free(&list);
	if (!found && l->account.exists) {
		if (l->options->unregistered == UNREGISTERED_SKIP && !l->start->peer)
			return login_end(l, LOGIN_SKIP, "no contact, and unregistered = skip");
		login_become_decoy(l, "no contact");
	}
	r = found ? 0 : decoy_contact(l);
	if (r)
		return login_end_by_error(l, r, "decoy");
	login_show_destination(l, l->channel, l->contact.address);
	return set_budget(l);
}
