#include "helpers/otpctl/audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "common/text.h"
#include "helpers/codes/code.h"
#include "helpers/base/log.h"
#include "helpers/otpctl/addresses.h"

/* Enough for the longest names and reasons: a cut line could end inside a quoted value. */
enum { ID_BYTES = 8, PAIRS_MAX = 960 };

static uid_t by;
static char id[2 * ID_BYTES + 1];

void
audit_begin(void)
{
	by = getuid();
}

const char *
audit_id(void)
{
	if (!*id && random_id(id, ID_BYTES))
		id[0] = '\0';
	return id;
}

void
audit(const char *event, const char *fmt, ...)
{
	char pairs[PAIRS_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(pairs, sizeof(pairs), fmt, ap);
	va_end(ap);
	/* To syslog alone: the command prints what it did in sentences. */
	log_open("otpctl", false);
	log_request(audit_id());
	otp_log(LOG_NOTICE, "event=%s by=%u %s", event, (unsigned)by, pairs);
	log_request("");
	log_open("otpctl", true);
}

void
audit_contact(const char *event, const struct contact *c, const char *more)
{
	char user[CONTACT_USER_MAX + 1], masked[CONTACT_ADDRESS_MAX + 1];

	audit(event, "user=\"%s\" kind=%s to=\"%s\"%s%s",
	    text_quotable(user, sizeof(user), c->user), contact_kind_name(c->kind),
	    contact_shown(c, false, masked, sizeof(masked)), *more ? " " : "", more);
}

static void
add_unless_ignored(sigset_t *set, int number)
{
	struct sigaction now;

	if (!sigaction(number, NULL, &now) && now.sa_handler != SIG_IGN)
		(void)sigaddset(set, number);
}

int
audit_hold(struct audit_hold *h)
{
	static const int ends[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		add_unless_ignored(&set, ends[i]);
	if (sigprocmask(SIG_BLOCK, &set, &h->before))
		return otpctl_fail("nothing was changed: interrupts cannot be held back");
	h->holds = true;
	return OTPCTL_OK;
}

bool
audit_interrupted(void)
{
	sigset_t set;

	return !sigpending(&set) &&
	       (sigismember(&set, SIGINT) == 1 || sigismember(&set, SIGQUIT) == 1 ||
		   sigismember(&set, SIGTERM) == 1);
}

void
audit_release(struct audit_hold *h)
{
	if (!h->holds)
		return;
	(void)otpctl_flush();
	h->holds = false;
	(void)sigprocmask(SIG_SETMASK, &h->before, NULL);
}
