/*
 * What commands about one user and the store share. The store is opened as the user who owns it,
 * never as root: what root makes in its folder would end every later sign-in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/text.h"
#include "helpers/account.h"
#include "helpers/otpctl/audit.h"
#include "helpers/otpctl/otpctl.h"
#include "helpers/otpctl/privileges.h"

/* So long it is waited for; a wait that is this much behind the last is another one. */
enum { STORE_PATIENCE_MS = 10000, STORE_PAUSE_MS = 1000 };

struct patience {
	int64_t began_ms, last_ms;
};

/* Becomes whom the store belongs to. An exit code. */
static int
become_owner(void)
{
	struct account a;

	if (geteuid() != 0)
		return OTPCTL_OK;
	if (!otpctl_helper_user(&a))
		return otpctl_fail("there is no user " OTP_USER "; make it, then run: otpctl init");
	if (!otpctl_become(a.uid, a.gid))
		return otpctl_fail("cannot become " OTP_USER);
	return OTPCTL_OK;
}

/* Every two milliseconds while a sibling has it. An interrupt ends it, also one that is held. */
static int
wait_for_sibling(void *arg)
{
	struct patience *p = arg;
	const struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};
	int64_t now = clock_ms(CLOCK_MONOTONIC);

	if (now - p->last_ms > STORE_PAUSE_MS)
		p->began_ms = now;
	p->last_ms = now;
	if (now - p->began_ms > STORE_PATIENCE_MS)
		return -OTP_ETIME;
	(void)nanosleep(&pause, NULL);
	return audit_interrupted() ? -OTP_EGONE : 0;
}

int
otpctl_store_open(const struct otpctl *ctl, const char *state, struct store **out)
{
	static struct patience patience;
	int r = become_owner();

	if (r)
		return r;
	(void)umask(077);
	if (!store_sqlite_open(state, wait_for_sibling, &patience, out))
		return OTPCTL_OK;
	return otpctl_fail("the store could not be opened%s",
	    ctl->root || ctl->config_given ? "; see: otpctl init" : "; run it with sudo");
}

int
otpctl_now(struct instant *out)
{
	*out = (struct instant){.boot_id = ""};
	if (!instant_now(out))
		return OTPCTL_OK;
	return otpctl_fail("the kernel tells neither its clocks nor its boot id");
}

const char *
otpctl_time(int64_t wall_ms, char dst[static OTPCTL_TIME_MAX])
{
	time_t at = (time_t)(wall_ms / 1000);
	struct tm tm;

	dst[0] = '\0';
	if (gmtime_r(&at, &tm))
		(void)strftime(dst, OTPCTL_TIME_MAX, "%Y-%m-%d %H:%M:%SZ", &tm);
	return dst;
}

int
otpctl_canonical(
    enum otpctl_name how, const char *user, char *dst, size_t size, enum otpctl_known *known)
{
	struct account a;
	int r;

	if (!*user || strlen(user) >= size || strcmp(text_clean(dst, size, user), user)) {
		(void)otpctl_fail("'%s' cannot be a user's name", user);
		return OTPCTL_USAGE;
	}
	r = account_lookup(user, &a);
	*known = r ? USER_AS_TYPED : a.exists ? USER_KNOWN : USER_UNKNOWN;
	(void)snprintf(dst, size, "%s", a.exists ? a.name : user);
	account_clear(&a);
	if (r && (how == NAME_LOOKED_UP || r != -OTP_ENAMES))
		return otpctl_fail("who '%s' is could not be asked (%s); see: getent passwd %s",
		    user, otp_strerror(r), user);
	if (r)
		(void)fprintf(stderr,
		    "otpctl: warning: who '%s' is could not be asked (%s); the name is taken as it "
		    "was typed\n",
		    user, otp_strerror(r));
	return OTPCTL_OK;
}

int
otpctl_known_user(
    enum otpctl_name how, const char *user, char *dst, size_t size, enum otpctl_known *known)
{
	int r = otpctl_canonical(how, user, dst, size, known);

	return r || *known != USER_UNKNOWN ? r : otpctl_unknown_user(user);
}

int
otpctl_unknown_user(const char *user)
{
	(void)otpctl_fail(
	    "this machine knows no user '%s'; check the spelling with: getent passwd %s", user,
	    user);
	return OTPCTL_NONE;
}

int
otpctl_unknown_unless_forced(const char *user)
{
	(void)otpctl_fail("this machine knows no user '%s'; check the spelling with: getent passwd "
			  "%s (or add --force)",
	    user, user);
	return OTPCTL_NONE;
}

int
otpctl_nothing_typed(const char *user)
{
	return otpctl_fail("there is nothing of '%s'; it may be kept under another spelling of "
			   "that name",
	    user);
}

int
otpctl_contacts_of(
    const struct otpctl *ctl, const char *path, const char *user, struct contact_list *out)
{
	struct contacts *c = NULL;
	int r = contacts_sqlite_open(path, ctl->also, &c);

	if (!r) {
		r = c->ops->find(c, user, out);
		c->ops->close(c);
	}
	if (!r)
		return OTPCTL_OK;
	return otpctl_fail("the contacts could not be read%s",
	    geteuid() == 0 || ctl->config_given ? "" : "; run it with sudo");
}

const char **
otpctl_addresses(const struct contact_list *l)
{
	const char **address = calloc(l->n + 1, sizeof(*address));

	for (size_t i = 0; address && i < l->n; i++)
		address[i] = l->item[i].address;
	return address;
}
