/*
 * MUST:
 *  - nothing is sent and nothing counted before a human answered, where the host asks first;
 *  - a send is counted before it is made, a try before it is compared;
 *  - a user who does not exist or has no contact sees and waits for what every other user does,
 *    and is never let in, and an unknown one never skipped;
 *  - `unavail` and `skip` never follow a prompt for a code, and `unavail` is for remote sign-ins;
 *  - LOGIN_OK has one place, behind a consumption that is on disk.
 */
#include "helpers/login_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"

const char *
login_word(enum login_word w)
{
	static const char *const words[] = {
	    [LOGIN_BROKEN] = "broken",
	    [LOGIN_OK] = "ok",
	    [LOGIN_DENIED] = "denied",
	    [LOGIN_LOCKED] = "locked",
	    [LOGIN_UNAVAIL] = "unavail",
	    [LOGIN_GONE] = "gone",
	    [LOGIN_SKIP] = "skip",
	};

	return words[w];
}

enum step
login_end(struct login *l, enum login_word word, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(l->result->reason, sizeof(l->result->reason), fmt, ap);
	va_end(ap);
	l->result->word = word;
	return STEP_END;
}

struct instant
login_now(struct login *l)
{
	struct instant t;

	l->io->machine->now(l->io->machine, &t);
	return t;
}

/* The result of what needs no better words: the store, the network, the peer. */
enum step
login_end_by_error(struct login *l, int r, const char *what)
{
	if (r == -OTP_EGONE || r == -OTP_EPROTO)
		return login_end(l, LOGIN_GONE, "%s: %s", what, otp_strerror(r));
	return login_end(l, LOGIN_BROKEN, "%s: %s", what, otp_strerror(r));
}

bool
login_must_ask_first(const struct login *l)
{
	if (l->options->ask_first == ASK_AUTO)
		return !strlist_has(&l->options->interactive_services, l->start->service);
	return l->options->ask_first == ASK_ALWAYS;
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

struct try_rule
login_try_rule(const struct login *l)
{
	const struct conf_limits *c = &l->io->conf->limits;

	return (struct try_rule){c->failures, c->backoff_first, c->backoff_most, CHALLENGE_TRIES};
}

enum step
login_end_locked(struct login *l, int64_t until_wall_ms)
{
	char text[WIRE_PROMPT_MAX + 1];

	prompt_locked(text, until_wall_ms - login_now(l).wall_ms);
	login_last_words(l, text);
	return login_end(l, LOGIN_LOCKED, "too many failures in a row");
}

typedef enum step step_fn(struct login *l);
static step_fn *const steps[] = {
    [STEP_IDENTIFY] = login_identify,
    [STEP_RULES] = login_consult_rules,
    [STEP_CONTACT] = login_find_contact,
    [STEP_LOCKED] = login_check_locked,
    [STEP_JOIN] = login_join,
    [STEP_ASK_FIRST] = login_ask_first,
    [STEP_SEND] = login_send_code,
    [STEP_CODE] = login_ask_code,
};

void
login_run(const struct login_ports *ports, const struct login_start *start, struct deadline dl,
    struct login_result *out)
{
	struct login l = {
	    .io = ports,
	    .start = start,
	    .options = conf_signin_for(ports->conf, start->service),
	    .deadline = dl,
	    .result = out,
	};
	enum step step = STEP_IDENTIFY;

	*out = (struct login_result){.word = LOGIN_BROKEN};
	while (step != STEP_END) {
		if (deadline_passed(dl))
			step = login_end(&l, l.code_prompted ? LOGIN_DENIED : LOGIN_BROKEN,
			    "the time for this sign-in is over");
		else
			step = steps[step](&l);
	}
	account_clear(&l.account);
	challenge_clear(&l.challenge);
	secret_clear(&l.captures);
	otp_wipe(l);
}
