/*
 * Checks a code that the user typed: the store compares it, or the provider checks it. If several
 * sign-ins try the right code at once, one succeeds and the others learn that it was used.
 */
#include "helpers/login/internal.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "helpers/codes/code.h"

enum {
	/* A check that a dead helper began no longer blocks others this long after verify_timeout.
	 */
	LEASE_SLACK_MS = 2000,
};

/* The next step if the store neither accepted the code nor counted it as wrong. */
static enum step
judge_try(struct login *l, int r, int64_t until)
{
	if ((r == -OTP_EUSED || r == -OTP_ENOENT) && login_remembered_meanwhile(l))
		return STEP_END;
	switch (r) {
	case -OTP_EUSED:
		l->note = NOTE_USED;
		return STEP_CODE;
	case -OTP_ENOENT:
		return login_refuse(l, NOTE_ENDED, "expired code");
	case -OTP_ELIMIT:
		if (!until)
			return login_refuse(l, NOTE_ENDED, "too many tries on one code");
		return login_locked(l, until);
	default:
		return login_end_by_error(l, r, "store");
	}
}

/*
 * Lets the store count the try, compare the code, and record its use if it is right. 0 or the
 * errors of challenge_mac() and of try_mac() in store.h.
 */
static int
compare(struct login *l, const struct secret *code, struct trial_result *out)
{
	unsigned char mac[STORE_MAC_LEN];
	const struct trial trial = {
	    .id = l->challenge.id,
	    .proof = mac,
	    .budget = &l->budget,
	    .rule = login_try_rule(l),
	    .effects = login_success_effects(l),
	};
	struct instant t = login_now(l);
	int r = challenge_mac(&l->challenge, l->io->host_key, secret_str(code), mac);

	if (!r)
		r = l->io->store->ops->try_mac(l->io->store, &t, &trial, out);
	OPENSSL_cleanse(mac, sizeof(mac));
	return r;
}

static enum step
check_here(struct login *l, const struct secret *code)
{
	struct trial_result tried = {0};
	int r = compare(l, code, &tried);

	if (!r)
		return login_accept(l, PROOF_CODE);
	if (r == -OTP_EWRONG)
		return login_refuse(l, tried.left ? NOTE_WRONG : NOTE_ENDED, "wrong code");
	return judge_try(l, r, tried.until_wall_ms);
}

/*
 * The provider reports that the code is right. The user is let in only if the store can record its
 * use: another sign-in may have used it first.
 */
static enum step
consume(struct login *l)
{
	const struct trial trial = {
	    .id = l->challenge.id,
	    .budget = &l->budget,
	    .effects = login_success_effects(l),
	};
	struct instant t = login_now(l);
	/* The contact may have been removed while the provider checked. */
	int r = login_check_address(l);

	if (!r)
		r = l->io->store->ops->consume(l->io->store, &t, &trial);
	return r ? judge_try(l, r, 0) : login_accept(l, PROOF_PROVIDER);
}

/* Turns the provider's answer into the next step. left: tries that the challenge still has. */
static enum step
judge_check(struct login *l, const struct delivered *d, int left)
{
	char text[WIRE_PROMPT_MAX + 1];

	switch (d->sent.outcome.class) {
	case CLASS_OK:
		return consume(l);
	case CLASS_WRONG_CODE:
		/* Perhaps right, but a concurrent sign-in has used it at the provider. */
		if (l->io->store->ops->challenge_used(l->io->store, l->challenge.id) == -OTP_EUSED)
			return judge_try(l, -OTP_EUSED, 0);
		return login_refuse(l, left ? NOTE_WRONG : NOTE_ENDED, "wrong code");
	case CLASS_EXPIRED:
		return login_refuse(l, NOTE_ENDED, "expired code");
	case CLASS_TOO_MANY:
		(void)l->io->store->ops->challenge_kill(l->io->store, l->challenge.id);
		return login_refuse(l, NOTE_ENDED, "too many tries at the provider");
	case CLASS_RATE_LIMITED:
		/* Others may have used the limit up. After `r` the next provider is asked. */
		if (l->known) {
			l->unanswered = true;
			return login_refuse(l, NOTE_UNCHECKED, "the provider limits the rate");
		}
		prompt_check_paused(text);
		login_last_words(l, text);
		return login_end(l, LOGIN_LOCKED, "the provider's rate limit is in force");
	case CLASS_ACTION_NEEDED:
		prompt_action_needed(text);
		login_last_words(l, text);
		return login_end(
		    l, LOGIN_DENIED, "the user's account at the provider needs another step");
	case CLASS_BROKEN:
		return login_end(l, LOGIN_BROKEN, "this machine could not check the code");
	default:
		return login_refuse(l, NOTE_UNCHECKED, "the code could not be checked");
	}
}

static void
note_check(struct login *l, const struct instant *began, const struct delivered *d)
{
	enum provider_class outcome = d->sent.outcome.class;

	if (outcome == CLASS_WRONG_CODE || outcome == CLASS_EXPIRED)
		outcome = CLASS_OK;
	if (outcome == CLASS_OK || outcome == CLASS_PROVIDER_DOWN || outcome == CLASS_UNANSWERED)
		login_note_sample(l, "check", l->challenge.channel, began, (int)outcome);
}

/* Lets the provider check the code. The try is counted already. */
static enum step
check_there(struct login *l, const struct secret *code, int left)
{
	struct contact contact = {.user = ""};
	struct sending q = login_sending(l, l->challenge.channel, &contact, code);
	struct delivered d = {.sent = SENT_INIT(CLASS_BROKEN)};
	struct instant began = login_now(l);
	enum step next;
	int r;

	/* The check names the address that the code was sent to: the contact may have changed. */
	(void)snprintf(contact.user, sizeof(contact.user), "%s", l->name);
	(void)snprintf(contact.address, sizeof(contact.address), "%s", l->challenge.address);
	contact.kind = contact_kind_of(contact.address);
	r = l->io->delivery->verify(l->io->delivery, &q, l->challenge.provider, l->options, &d);
	if (r) {
		/* The host left while the provider checked: the try still counts. */
		l->result->wrong = l->wrong + 1;
		return login_end_by_error(l, r, "check");
	}
	note_check(l, &began, &d);
	if (d.sent.outcome.class != CLASS_OK) {
		const struct store_ops *store = l->io->store->ops;
		const struct trial trial = {.id = l->challenge.id, .budget = &l->budget};

		/* If this fails, concurrent sign-ins only have to wait until the lease ends. */
		r = d.nothing_sent ? store->try_return(l->io->store, &trial)
				   : store->check_end(l->io->store, l->challenge.id);
	}
	next = judge_check(l, &d, left);
	delivered_clear(&d);
	return next;
}

/*
 * Counts the try. While the provider checks a concurrent sign-in's code, waits until that check has
 * ended. 0, -OTP_EGONE or the errors of try_count() in store.h.
 */
static int
count_try(struct login *l, struct trial_result *out)
{
	struct deadline dl = deadline_first(l->deadline, deadline_in(l->options->verify_timeout));
	const struct trial trial = {
	    .id = l->challenge.id,
	    .budget = &l->budget,
	    .rule = login_try_rule(l),
	    .lease_ms = l->options->verify_timeout + LEASE_SLACK_MS,
	};

	for (;;) {
		struct instant t = login_now(l);
		int r = l->io->store->ops->try_count(l->io->store, &t, &trial, out);

		if (r != -OTP_EBUSY || deadline_passed(dl))
			return r;
		r = l->io->peer->wait(l->io->peer, CONCURRENT_WAIT_MS);
		if (r)
			return r;
	}
}

static enum step
check_at_provider(struct login *l, const struct secret *code)
{
	struct trial_result tried = {0};
	int r = count_try(l, &tried);

	if (!r)
		return check_there(l, code, tried.left);
	if (r != -OTP_EBUSY)
		return judge_try(l, r, tried.until_wall_ms);
	l->note = NOTE_UNCHECKED;
	return STEP_CODE;
}

/*
 * The check of a decoy. It takes as long as a provider's check, if the provider would check the
 * code. As with a real check, a try that is not counted takes no time. It compares an empty code:
 * the user may still have a code from before the sign-in became a decoy, which must be wrong.
 */
static enum step
pretend_check(struct login *l)
{
	const struct secret nothing = {0};
	struct trial_result tried = {0};
	int outcome = CLASS_OK, least, most;
	int r = compare(l, &nothing, &tried);

	if (!r)
		return login_accept(l, PROOF_CODE);
	if (r != -OTP_EWRONG)
		return judge_try(l, r, tried.until_wall_ms);
	l->io->delivery->code_length(
	    l->io->delivery, l->challenge.channel, l->challenge.provider, &least, &most);
	r = most ? login_decoy_wait(l, "check", l->challenge.channel, &outcome) : 0;
	if (r)
		return login_end_by_error(l, r, "check");
	if (outcome != CLASS_OK)
		return login_refuse(l, NOTE_UNCHECKED, "the code could not be checked");
	return login_refuse(l, tried.left ? NOTE_WRONG : NOTE_ENDED, "wrong code");
}

enum step
login_try_code(struct login *l)
{
	_auto_secret struct secret code = login_take_typed(l);
	int r;

	if (l->decoy)
		return pretend_check(l);
	r = login_check_address(l);
	if (r)
		return judge_try(l, r, 0);
	return l->challenge.has_mac ? check_here(l, &code) : check_at_provider(l, &code);
}
