/* Looks up the user's contacts and recovery codes, and makes the destinations of them. */
#include "helpers/login/internal.h"

#include "common/err.h"
#include "common/text.h"
#include "helpers/base/log.h"

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
	    must_be_verified(l, c) ? "a contact is not verified and gets no code; run: "
				     "otpctl contact verify"
				   : "a number is outside of prefixes and gets no code");
}

/* A user may have recovery codes without having a contact. */
static int
find_recovery(struct login *l)
{
	int r = l->io->store->ops->recovery_find(l->io->store, l->name, &l->recovery);

	l->has_recovery = l->account.exists && !r && l->recovery.n > 0;
	/* A deleted user's codes may still be in the store. They let nobody in. */
	if (!l->account.exists)
		otp_wipe(l->recovery);
	return r == -OTP_ENOENT ? 0 : r;
}

static void
report_destinations(struct login *l)
{
	struct prompt_destination destination[PROMPT_DESTINATIONS_MAX];
	const struct login_destinations found = {
	    .destination = destination,
	    .n = l->ndestinations,
	    .has_recovery = l->account.exists && l->recovery.n > 0,
	    .decoy = l->decoy ? l->decoy_reason : NULL,
	};

	for (int i = 0; i < l->ndestinations; i++)
		destination[i] = (struct prompt_destination){
		    l->destination[i].channel, l->destination[i].masked};
	if (l->io->watch)
		l->io->watch->destinations(l->io->watch, &found);
}

enum step
login_find_destinations(struct login *l)
{
	struct contact_list list = {0};
	bool any;
	int r = 0;

	if (l->account.exists)
		r = l->io->contacts->ops->find(l->io->contacts, l->name, &list);
	if (r)
		return login_end_by_error(l, r, "contacts");
	login_take_destinations(l, &list, log_left_out);
	/*
	 * A contact that no channel serves counts as well: a user who has a contact or recovery
	 * codes is never skipped.
	 */
	any = list.n > 0;
	contact_list_free(&list);
	r = find_recovery(l);
	if (r)
		return login_end_by_error(l, r, "store");
	if (!any && !l->has_recovery && l->account.exists &&
	    l->options->unregistered == UNREGISTERED_SKIP && !l->start->peer &&
	    login_may_skip(l, "unregistered"))
		return login_end(l, LOGIN_SKIP, "no contact, and unregistered = skip");
	if (!l->ndestinations) {
		if (!l->decoy)
			login_become_decoy(
			    l, any ? "no contact that may get a code" : "no contact");
		r = r ? r : login_decoy_destinations(l);
	} else if (!r) {
		r = login_imitate_decoy(l);
	}
	if (r)
		return login_end_by_error(l, r, "contacts");
	login_mask_destinations(l);
	login_record_destination(l, l->destination[0].channel, l->destination[0].contact.address);
	report_destinations(l);
	return STEP_BUDGET;
}
