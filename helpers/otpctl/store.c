/*
 * The store is opened as the user who owns it, never as root: what root makes in its folder would
 * end every later sign-in.
 */
#include "helpers/otpctl/store.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "helpers/base/account.h"
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
wait_for_concurrent(void *arg)
{
	struct patience *p = arg;
	const struct timespec retry_after = {.tv_nsec = 2 * 1000 * 1000};
	int64_t now = clock_ms(CLOCK_MONOTONIC);

	if (now - p->last_ms > STORE_PAUSE_MS)
		p->began_ms = now;
	p->last_ms = now;
	if (now - p->began_ms > STORE_PATIENCE_MS)
		return -OTP_ETIME;
	(void)nanosleep(&retry_after, NULL);
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
	if (!store_sqlite_open(state, wait_for_concurrent, &patience, out))
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
