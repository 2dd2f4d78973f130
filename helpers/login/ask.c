/* One question to the user: its facts, its answer, and what follows a wrong or missing answer. */
#include "helpers/login/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"

/* How many digits the next code has: the provider's number if it makes the code, else ours. */
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

/*
 * Why the conversation failed. sshd fails it at once in its `password` method, which can show no
 * prompt. There PAM_TTY is "ssh", and this was the first prompt.
 */
static const char *
why_conv(const struct login *l)
{
	if (l->prompts == 1 && !strcmp(l->start->tty, "ssh"))
		return "the host cannot prompt: sshd's password method, or a client that left";
	return "the conversation failed";
}

/* True if the table lets the current step send the message. Otherwise notes that it strayed. */
static bool
may_send(struct login *l, unsigned message)
{
	l->strayed |= !(l->sends & message);
	return l->sends & message;
}

static int
ask(struct login *l, const char *text, enum answer *kind, struct secret *answer)
{
	struct login_peer *peer = l->io->peer;

	return may_send(l, SENDS_P) ? peer->ask(peer, text, l->deadline, kind, answer)
				    : -OTP_EINVAL;
}

void
login_show_line(struct login *l, const char *text)
{
	if (may_send(l, SENDS_I))
		l->io->peer->show(l->io->peer, text);
}

/* Reads the answer into l->typed. false: the sign-in has ended. */
static bool
read_answer(struct login *l, enum answer kind, const struct secret *answer)
{
	int least, most, r;

	switch (kind) {
	case ANSWER_BLIND:
		l->typed.kind = TYPED_BY_HOST;
		return true;
	case ANSWER_TEXT:
		code_length(l, &least, &most);
		r = typed_read(answer, least, most, &l->typed);
		return !r || login_fail(l, r, "prompt");
	case ANSWER_CANCELLED:
		(void)login_end(l, LOGIN_GONE, "cancelled at the prompt");
		return false;
	case ANSWER_CONV:
		break;
	}
	(void)login_end(l, LOGIN_GONE, "%s", why_conv(l));
	return false;
}

bool
login_ask(struct login *l, const char *text)
{
	_auto_secret struct secret answer = {0};
	enum answer kind = ANSWER_CONV;
	int r;

	typed_clear(&l->typed);
	if (++l->prompts > PROMPTS_MAX) {
		(void)login_end(l, LOGIN_DENIED, "too many answers without a code");
		return false;
	}
	r = ask(l, text, &kind, &answer);
	if (r == -OTP_ETIME) {
		(void)login_end(l, LOGIN_DENIED, "no answer in time");
		return false;
	}
	if (r)
		return login_fail(l, r, "prompt");
	return read_answer(l, kind, &answer) &&
	       (l->typed.kind == TYPED_BY_HOST || !login_remembered_meanwhile(l));
}

struct secret
login_take_typed(struct login *l)
{
	struct secret code = l->typed.code;

	l->typed.code = (struct secret){0};
	return code;
}

/*
 * sshd shows a text only together with the next prompt. If the service is not interactive, the text
 * is therefore part of one more prompt, whose answer is ignored.
 */
void
login_last_words(struct login *l, const char *text)
{
	_auto_secret struct secret answer = {0};
	char prompt[WIRE_PROMPT_MAX + 1];
	enum answer kind;

	if (!login_must_ask_first(l)) {
		login_show_line(l, text);
		return;
	}
	prompt_last(prompt, text);
	(void)ask(l, prompt, &kind, &answer);
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

static enum step
refuse(struct login *l, enum note note, enum login_word word, const char *why)
{
	l->wrong++;
	l->result->wrong = l->wrong;
	if (l->wrong >= l->options->tries)
		return login_end(l, word, "%s", l->decoy ? l->decoy_reason : why);
	l->note = note;
	return STEP_CODE;
}

enum step
login_refuse(struct login *l, enum note note, const char *why)
{
	return refuse(l, note, LOGIN_DENIED, why);
}

enum step
login_refuse_blind(struct login *l)
{
	return refuse(l, NOTE_WRONG, LOGIN_GONE, BLIND_HOST);
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
	    l->known		      ? " from a known source"
	    : *l->budget.known_source ? " from a seen network"
				      : "",
	    until_wall_ms == STORE_FOREVER ? ", until unlocked with otpctl unlock" : "");
}
