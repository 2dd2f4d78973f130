/* A code was typed: counted first, checked here or there, consumed. */
#include "helpers/login_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "helpers/challenge.h"

static enum step
refuse(struct login *l, enum note note, const char *why)
{
	l->wrong++;
	l->result->wrong = l->wrong;
	if (l->wrong >= l->options->tries)
		return login_end(l, LOGIN_DENIED, "%s", l->decoy ? l->decoy_reason : why);
	l->note = note;
	return STEP_CODE;
}

/* The code was this challenge's: it counts once it is consumed, whoever else has it. */
static enum step
accept_code(struct login *l)
{
	struct instant t = login_now(l);
	int r = l->decoy ? -OTP_ENOENT
			 : l->io->store->ops->consume(l->io->store, &t, l->challenge.id, l->budget);

	if (r == -OTP_EUSED) {
		l->note = NOTE_USED;
		return STEP_CODE;
	}
	if (r == -OTP_ENOENT)
		return refuse(l, NOTE_ENDED, "expired code");
	if (r)
		return login_end_by_error(l, r, "store");
	/* Proof: consume() put the use of this code on disk, and was the only one to. */
	return login_end(l, LOGIN_OK, "right code");
}

/* What the provider says of a code, made the next step. */
static enum step
judge_check(struct login *l, const struct delivered *d, int left)
{
	char text[WIRE_PROMPT_MAX + 1];

	switch (d->class) {
	case CLASS_OK:
		return accept_code(l);
	case CLASS_WRONG_CODE:
		/* Right, but a sibling's check had used it up at the provider. */
		if (l->io->store->ops->challenge_used(l->io->store, l->challenge.id) ==
		    -OTP_EUSED) {
			l->note = NOTE_USED;
			return STEP_CODE;
		}
		return refuse(l, left ? NOTE_WRONG : NOTE_ENDED, "wrong code");
	case CLASS_EXPIRED:
		return refuse(l, NOTE_ENDED, "expired code");
	case CLASS_TOO_MANY:
		(void)l->io->store->ops->challenge_kill(l->io->store, l->challenge.id);
		return refuse(l, NOTE_ENDED, "too many tries at the provider");
	case CLASS_RATE_LIMITED:
		return login_end(l, LOGIN_LOCKED, "the provider's rate limit is in force");
	case CLASS_ACTION_NEEDED:
		prompt_action_needed(text);
		login_last_words(l, text);
		return login_end(l, LOGIN_DENIED, "the provider's account needs another step");
	case CLASS_BROKEN:
		return login_end(l, LOGIN_BROKEN, "this machine could not check the code");
	default:
		return refuse(l, NOTE_UNCHECKED, "the code could not be checked");
	}
}

/* The provider checks the code: only what it proves right is right. */
static enum step
check_there(struct login *l, const struct secret *code, int left)
{
	struct sending q = login_sending(l, l->challenge.channel, code);
	struct delivered d = {.class = CLASS_BROKEN};
	struct contact contact = l->contact;
	enum step next;
	int r;

	/* It is checked for the address it went to, whatever the contacts say by now. */
	(void)snprintf(contact.address, sizeof(contact.address), "%s", l->challenge.address);
	contact.kind = strchr(contact.address, '@') ? CONTACT_EMAIL : CONTACT_PHONE;
	q.contact = &contact;
	r = l->io->delivery->verify(l->io->delivery, &q, l->challenge.provider, l->options, &d);
	if (!r && d.nothing_sent && d.class != CLASS_OK)
		(void)l->io->store->ops->try_return(l->io->store, l->challenge.id, l->budget);
	next = r ? login_end_by_error(l, r, "check") : judge_check(l, &d, left);
	delivered_clear(&d);
	return next;
}

static enum step
check_here(struct login *l, const struct secret *code, int left)
{
	int r = challenge_open(&l->challenge, l->io->host_key, secret_str(code));

	if (!r)
		return accept_code(l);
	if (r != -OTP_EINVAL)
		return login_end_by_error(l, r, "compare");
	return refuse(l, left ? NOTE_WRONG : NOTE_ENDED, "wrong code");
}

static enum step
try_code(struct login *l, const struct secret *code)
{
	struct instant t = login_now(l);
	struct try_rule rule = login_try_rule(l);
	int64_t until = 0;
	int left = 0;
	int r = l->io->store->ops->try_count(
	    l->io->store, &t, l->challenge.id, l->budget, &rule, &left, &until);

	switch (r) {
	case 0:
		return l->challenge.has_mac ? check_here(l, code, left)
					    : check_there(l, code, left);
	case -OTP_EUSED:
		l->note = NOTE_USED;
		return STEP_CODE;
	case -OTP_ENOENT:
		return refuse(l, NOTE_ENDED, "expired code");
	case -OTP_ELIMIT:
		if (until)
			return login_end_locked(l, until);
		return refuse(l, NOTE_ENDED, "too many tries on one code");
	default:
		return login_end_by_error(l, r, "store");
	}
}

/* Outer blanks mean nothing. */
static int
trim(struct secret *typed)
{
	const char *s = secret_str(typed);
	size_t from = strspn(s, " \t"), len = strlen(s);
	struct secret trimmed = {0};
	int r;

	while (len > from && (s[len - 1] == ' ' || s[len - 1] == '\t'))
		len--;
	r = secret_set(&trimmed, s + from, len - from);
	secret_clear(typed);
	*typed = trimmed;
	return r;
}

/*
 * sshd answers for users whom it has refused already. They must see what others see: it looks like
 * a wrong code, and costs nobody anything.
 */
static enum step
refuse_blind(struct login *l)
{
	enum step next = refuse(l, NOTE_WRONG, BLIND_HOST);

	if (next == STEP_END)
		l->result->word = LOGIN_GONE;
	return next;
}

enum step
login_ask_code(struct login *l)
{
	char text[WIRE_PROMPT_MAX + 1];
	_auto_secret struct secret typed = {0}, code = {0};
	struct prompt_facts f = login_facts(l);
	bool blind;

	l->code_prompted = true;
	prompt_code(text, l->note, &f);
	if (login_ask(l, text, &typed, &blind) == STEP_END)
		return STEP_END;
	if (blind)
		return refuse_blind(l);
	if (trim(&typed))
		return login_end(l, LOGIN_BROKEN, "out of memory");
	if (!typed.len) {
		l->note = NOTE_EMPTY;
		return STEP_CODE;
	}
	if (!strcmp(secret_str(&typed), "r") || !strcmp(secret_str(&typed), "R"))
		return login_resend(l);
	if (code_read(secret_str(&typed), f.least, f.most, &code))
		return refuse(l, NOTE_MALFORMED, "malformed code");
	return try_code(l, &code);
}
