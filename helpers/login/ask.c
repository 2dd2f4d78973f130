/* One question to the person: what it tells, its answer, what follows a wrong one, last words. */
#include "helpers/login/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"

/* How many digits a code has here. */
static void
code_length(struct login *l, int *least, int *most)
{
	struct delivery *d = l->io->delivery;

	d->code_length(d, l->result->channel, l->result->provider, least, most);
	if (!*most)
		*least = *most = l->options->code_length;
}

struct prompt_facts
login_facts(struct login *l)
{
	struct prompt_facts f = {
	    .destination = {l->result->channel, l->result->masked},
	    .first = l->first_channel ? l->first_channel : "",
	    .instead = l->instead,
	    .left_ms = l->has_challenge ? l->challenge.expires_boot_ms - login_now(l).boot_ms : 0,
	    .tries = l->options->tries - l->wrong,
	    .wait_ms = l->wait_ms,
	    .has_code = l->has_challenge,
	    .has_recovery = l->has_recovery,
	    .may_resend = !l->locked,
	    .nmenu = l->ndestinations,
	};

	code_length(l, &f.least, &f.most);
	for (int i = 0; i < l->ndestinations; i++)
		f.menu[i] = (struct prompt_destination){
		    l->destination[i].channel, l->destination[i].masked};
	return f;
}

/* sshd's `password` method, for one, has nobody behind it whom a prompt could reach. */
static const char *
why_conv(const struct login *l)
{
	if (l->prompts == 1 && !strcmp(l->start->tty, "ssh"))
		return "the host cannot prompt: sshd's password method, or a client that left";
	return "the conversation failed";
}

/* Outer blanks mean nothing; but nothing else than blanks is no Enter. */
static int
trim(struct secret *typed)
{
	const char *s = secret_str(typed);
	size_t from = strspn(s, " \t"), len = strlen(s);
	struct secret trimmed = {0};
	int r;

	if (from == len)
		return 0;
	while (s[len - 1] == ' ' || s[len - 1] == '\t')
		len--;
	r = secret_set(&trimmed, s + from, len - from);
	secret_clear(typed);
	*typed = trimmed;
	return r;
}

enum step
login_ask(struct login *l, const char *text, struct secret *typed, bool *blind)
{
	enum answer kind = ANSWER_CONV;
	int r;

	*blind = false;
	if (++l->prompts > PROMPTS_MAX)
		return login_end(l, LOGIN_DENIED, "too many answers without a code");
	r = l->io->peer->ask(l->io->peer, text, l->deadline, &kind, typed);
	if (r == -OTP_ETIME)
		return login_end(l, LOGIN_DENIED, "no answer in time");
	if (!r)
		r = trim(typed);
	if (r)
		return login_end_by_error(l, r, "prompt");
	switch (kind) {
	case ANSWER_BLIND:
		*blind = true;
		return STEP_CODE;
	case ANSWER_TEXT:
		return STEP_CODE;
	case ANSWER_CANCELLED:
		return login_end(l, LOGIN_GONE, "cancelled at the prompt");
	case ANSWER_CONV:
		break;
	}
	return login_end(l, LOGIN_GONE, "%s", why_conv(l));
}

/*
 * Last words. Where the host is not interactive (sshd), a text is shown only with a prompt that
 * follows: so it asks once more, and no answer changes anything.
 */
void
login_last_words(struct login *l, const char *text)
{
	_auto_secret struct secret typed = {0};
	char prompt[WIRE_PROMPT_MAX + 1];
	enum answer kind;

	if (!login_must_ask_first(l)) {
		l->io->peer->tell(l->io->peer, text);
		return;
	}
	prompt_last(prompt, text);
	(void)l->io->peer->ask(l->io->peer, prompt, l->deadline, &kind, &typed);
}

enum step
login_stay_or_end(struct login *l, enum note note, enum login_word word, const char *fmt, ...)
{
	char text[WIRE_PROMPT_MAX + 1], why[sizeof(l->result->reason)];
	struct prompt_facts f;
	va_list ap;

	l->note = note;
	if ((l->code_prompted && l->has_challenge) || l->has_recovery)
		return STEP_CODE;
	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	f = login_facts(l);
	prompt_note(text, note, &f);
	login_last_words(l, text);
	/* After a prompt for a code nobody may conclude that the provider is down. */
	if (l->code_prompted && word == LOGIN_UNAVAIL)
		word = LOGIN_DENIED;
	return login_end(l, word, "%s", why);
}

enum step
login_refuse(struct login *l, enum note note, const char *why)
{
	l->wrong++;
	l->result->wrong = l->wrong;
	if (l->wrong >= l->options->tries)
		return login_end(l, LOGIN_DENIED, "%s", l->decoy ? l->decoy_reason : why);
	l->note = note;
	return STEP_CODE;
}

void
login_wait_until(struct login *l, int64_t until_wall_ms)
{
	l->wait_ms =
	    until_wall_ms == STORE_FOREVER ? STORE_FOREVER : until_wall_ms - login_now(l).wall_ms;
}

enum step
login_locked(struct login *l, int64_t until_wall_ms)
{
	l->locked = true;
	l->has_challenge = false;
	login_wait_until(l, until_wall_ms);
	return login_stay_or_end(l, NOTE_LOCKED, LOGIN_LOCKED, "too many failures in a row%s%s",
	    *l->budget.known_source ? " from a known place" : "",
	    until_wall_ms == STORE_FOREVER ? ", until unlocked" : "");
}
