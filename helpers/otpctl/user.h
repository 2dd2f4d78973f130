/* The user that a command names: known to this machine or not, and under which name. */
#ifndef OTP_OTPCTL_USER_H
#define OTP_OTPCTL_USER_H

#include <stddef.h>

#include "helpers/otpctl/otpctl.h"

/*
 * Where the name service fails: what is made must have its right name, or nobody finds it again;
 * what is looked at or taken away is wanted on that day, too, and its name is taken as typed.
 */
enum otpctl_name { NAME_LOOKED_UP, NAME_OR_TYPED };
enum otpctl_known { USER_UNKNOWN, USER_KNOWN, USER_AS_TYPED };

/* The name that contacts are kept under, into dst. An exit code, after a word to the user. */
int otpctl_canonical(
    enum otpctl_name how, const char *user, char *dst, size_t size, enum otpctl_known *known);

/* The same, for a user of this machine: OTPCTL_NONE where it knows none of that name. */
int otpctl_known_user(
    enum otpctl_name how, const char *user, char *dst, size_t size, enum otpctl_known *known);

/* Says that this machine knows none of that name. OTPCTL_NONE. */
int otpctl_unknown_user(const char *user);
/* The same, where --force would take the name. OTPCTL_NONE. */
int otpctl_unknown_unless_forced(const char *user);
/* Says that there was nothing to take away under a name that was taken as typed. OTPCTL_FAILED. */
int otpctl_nothing_typed(const char *user);

#endif
