/* otpctl unlock: ends all lock-outs and limits of one user, and prints how much it removed. */
#include "helpers/otpctl/unlock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "common/text.h"
#include "helpers/base/json.h"
#include "helpers/otpctl/addresses.h"
#include "helpers/otpctl/audit.h"
#include "helpers/otpctl/options.h"
#include "helpers/otpctl/otpctl.h"
#include "helpers/otpctl/paths.h"
#include "helpers/otpctl/store.h"
#include "helpers/otpctl/user.h"

/*
 * The kinds of budget that count messages to the user. One message counts against several of them,
 * for different lengths of time.
 */
static const char *const kinds[] = {"user", "peer-user", "address", "peer-address", "message"};
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

/* What there is to remove. */
struct tally {
	int64_t failures; /* failures in a row, added up over all budgets */
	int sends[KINDS];
	int retry_after;
};

/*
 * The smallest possible number of messages. A message counts against several kinds of budget, and
 * may be too old for some of them.
 */
static int
messages(const struct tally *t)
{
	int most = 0;

	for (size_t i = 0; i < KINDS; i++)
		if (t->sends[i] > most)
			most = t->sends[i];
	return most;
}

static int
count_fact(const struct store_fact *f, void *arg)
{
	struct tally *t = arg;

	if (f->kind == FACT_FAILURES)
		t->failures += f->n;
	else if (f->kind == FACT_RETRY_AFTER)
		t->retry_after++;
	for (size_t i = 0; f->kind == FACT_SEND && i < KINDS; i++)
		t->sends[i] += !strcmp(f->budget.kind, kinds[i]);
	return 0;
}

static int
forget(struct store *s, const char *user, const struct contact_list *list, struct tally *t,
    int *removed)
{
	_auto_free const char **address = otpctl_addresses(list);
	struct instant now;
	int r = address ? otpctl_now(&now) : otpctl_fail("no memory");

	if (!r && s->ops->facts(s, &now, user, address, list->n, count_fact, t))
		r = otpctl_fail("the store could not be read; nothing was unlocked");
	if (!r && s->ops->unlock(s, user, address, list->n, removed))
		r = otpctl_fail("the store could not be written; nothing was unlocked");
	return r;
}

static int
print_result(const struct otpctl *ctl, const char *user, const struct tally *t, int removed)
{
	_auto_json json_t *j = NULL;

	if (ctl->json) {
		j = json_pack("{s:s, s:b, s:I, s:i, s:i}", "user", user, "unlocked", removed > 0,
		    "failures", (json_int_t)t->failures, "sends", messages(t), "pauses",
		    t->retry_after);
		return otpctl_print_json(j);
	}
	if (removed)
		(void)printf("%s: forgotten: %lld wrong code%s, %d counted message%s, %d "
			     "retry-after time%s of providers\n",
		    user, (long long)t->failures, t->failures == 1 ? "" : "s", messages(t),
		    messages(t) == 1 ? "" : "s", t->retry_after, t->retry_after == 1 ? "" : "s");
	else
		(void)printf("%s: nothing to unlock\n", user);
	(void)printf("Recovery codes, known sources and their unexpired codes stay as they are.\n");
	return OTPCTL_OK;
}

int
otpctl_unlock(struct otpctl *ctl, int argc, char **argv)
{
	_auto_paths struct otpctl_paths paths = {0};
	struct contact_list list = {0};
	const char *name = NULL;
	const struct otpctl_syntax syntax = {
	    .name = "otpctl unlock",
	    .usage = "USER",
	    .summary = "Forgets, for all sources, the wrong codes of USER, the counted messages "
		       "and the times that providers asked to wait. Ends unexpired codes of "
		       "unknown sources. Known sources, their unexpired codes and recovery codes "
		       "stay.",
	    .example = "otpctl unlock asha",
	    .argument = {{"USER", &name}},
	};
	struct tally t = {0};
	struct store *s = NULL;
	_auto_hold struct audit_hold hold = {.holds = false};
	char user[CONTACT_USER_MAX + 1], quoted[CONTACT_USER_MAX + 1];
	enum otpctl_known known;
	int r, removed = 0;

	otpctl_parse(ctl, &syntax, argc, argv);
	r = otpctl_known_user(NAME_OR_TYPED, name, user, sizeof(user), &known);
	if (!r)
		r = otpctl_paths_load(ctl, &paths);
	if (!r)
		r = otpctl_contacts_of(ctl, paths.contacts, user, &list);
	if (!r)
		r = otpctl_store_open(ctl, paths.state, &s);
	if (!r)
		r = audit_hold(&hold);
	if (!r)
		r = forget(s, user, &list, &t, &removed);
	if (s)
		s->ops->close(s);
	contact_list_free(&list);
	if (!r && !removed && known == USER_AS_TYPED)
		r = otpctl_nothing_typed(user);
	if (r)
		return r;
	audit("unlock", "user=\"%s\" failures=%lld sends=%d pauses=%d",
	    text_quotable(quoted, sizeof(quoted), user), (long long)t.failures, messages(&t),
	    t.retry_after);
	audit_release(&hold);
	return print_result(ctl, user, &t, removed);
}
