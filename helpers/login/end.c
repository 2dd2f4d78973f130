/*
 * The end of a sign-in: its result and its reason.
 *
 * MUST: Only login_accept() sets LOGIN_OK, and its callers have recorded the code's use on disk.
 */
#include "helpers/login/internal.h"

#include <stdarg.h>
#include <stdio.h>

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

enum step
login_end_by_error(struct login *l, int r, const char *what)
{
	if (r == -OTP_EGONE || r == -OTP_EPROTO)
		return login_end(l, LOGIN_GONE, "%s: %s", what, otp_strerror(r));
	return login_end(l, LOGIN_BROKEN, "%s: %s", what, otp_strerror(r));
}

bool
login_fail(struct login *l, int r, const char *what)
{
	(void)login_end_by_error(l, r, what);
	return false;
}

enum step
login_accept(struct login *l, enum proof proof)
{
	static const char *const reasons[] = {
	    [PROOF_CODE] = "right code",
	    [PROOF_PROVIDER] = "right code, checked by the provider",
	    [PROOF_RECOVERY] = "recovery code",
	    [PROOF_REMEMBERED] = "remembered: a concurrent sign-in gave a code",
	};

	bool sent = proof == PROOF_CODE || proof == PROOF_PROVIDER;

	/* No code was sent for a decoy, so a code that seems right shows an error in this program.
	 */
	if (!l->account.exists || (l->decoy && sent))
		return login_end(
		    l, LOGIN_BROKEN, "internal error: a code proved right for a decoy");
	return login_end(l, LOGIN_OK, "%s", reasons[proof]);
}

struct instant
login_now(struct login *l)
{
	struct instant t;

	l->io->clock->now(l->io->clock, &t);
	return t;
}

bool
login_must_ask_first(const struct login *l)
{
	if (l->options->ask_first == ASK_AUTO)
		return !strlist_has(&l->options->interactive_services, l->start->service);
	return l->options->ask_first == ASK_ALWAYS;
}
