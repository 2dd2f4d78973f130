#include "helpers/otpctl/user.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/base/account.h"

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
		return otpctl_fail(
		    "the user '%s' could not be looked up (%s); run: getent passwd %s", user,
		    otp_strerror(r), user);
	if (r)
		(void)fprintf(stderr,
		    "otpctl: warning: the user '%s' could not be looked up (%s); the name is taken "
		    "as it "
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
	return otpctl_fail(
	    "nothing is stored for '%s'; it may be stored under another spelling of that name",
	    user);
}
