#include "helpers/otpctl/privileges.h"

#include <grp.h>
#include <unistd.h>

bool
otpctl_may_write(const struct otpctl *ctl)
{
	if (geteuid() == 0 || ctl->config_given)
		return true;
	(void)otpctl_fail("only root may change contacts; run it with sudo");
	return false;
}

bool
otpctl_helper_user(struct account *out)
{
	return !account_lookup(OTP_USER, out) && out->exists && out->uid != 0;
}

bool
otpctl_become(uid_t uid, gid_t gid)
{
	if (geteuid() != 0)
		return true;
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		return false;
	return getuid() == uid && geteuid() == uid && getgid() == gid && getegid() == gid &&
	       setuid(0) && setgid(0);
}

int
otpctl_as_helper(const struct otpctl *ctl)
{
	struct account a;

	if (geteuid() != 0 || ctl->config_given || !otpctl_helper_user(&a))
		return OTPCTL_OK;
	return otpctl_become(a.uid, a.gid) ? OTPCTL_OK
					   : otpctl_fail("cannot become the user " OTP_USER);
}
