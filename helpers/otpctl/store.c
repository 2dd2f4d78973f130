/*
 * Opens the store as the user who owns it, never as root: a file of root in its folder would make
 * every later sign-in fail.
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

/*
 * STORE_PATIENCE_MS: how long a command waits for a busy store. STORE_NEW_WAIT_MS: after a pause of
 * this length, a wait counts as a new one.
 */
enum { STORE_PATIENCE_MS = 10000, STORE_NEW_WAIT_MS = 1000 };

struct patience {
	int64_t began_ms, last_ms;
};

/*
 * If the process is root, it becomes the user who owns the store. Returns OTPCTL_OK or
 * OTPCTL_FAILED.
 */
static int
become_owner(void)
{
	struct account a;

	if (geteuid() != 0)
		return OTPCTL_OK;
	if (!otpctl_helper_user(&a))
		return otpctl_fail("there is no user " OTP_USER "; make it, then run: otpctl init");
	if (!otpctl_become(a.uid, a.gid))
		return otpctl_fail("cannot become the user " OTP_USER);
	return OTPCTL_OK;
}

/*
 * A store_wait_fn, for two milliseconds. 0, -OTP_ETIME at the end of the patience, or
 * -OTP_EGONE after an interrupt, even if that is held back.
 */
static int
wait_for_concurrent(void *arg)
{
	struct patience *p = arg;
	const struct timespec two_ms = {.tv_nsec = 2 * 1000 * 1000};
	int64_t now = clock_ms(CLOCK_MONOTONIC);

	if (now - p->last_ms > STORE_NEW_WAIT_MS)
		p->began_ms = now;
	p->last_ms = now;
	if (now - p->began_ms > STORE_PATIENCE_MS)
		return -OTP_ETIME;
	(void)nanosleep(&two_ms, NULL);
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
	return otpctl_fail("the store in %s could not be opened; %s", state,
	    ctl->root || ctl->config_given ? "run: otpctl init" : "run it with sudo");
}

int
otpctl_now(struct instant *out)
{
	*out = (struct instant){.boot_id = ""};
	if (!instant_now(out))
		return OTPCTL_OK;
	return otpctl_fail("the kernel did not give its clocks and its boot id");
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
