/* Looks up the user that a command names, and finds the canonical name. */
#ifndef OTP_OTPCTL_USER_H
#define OTP_OTPCTL_USER_H

#include <stddef.h>

#include "helpers/otpctl/otpctl.h"

/*
 * What a command does if the name service fails. A command that adds something fails: under a wrong
 * name, no sign-in would find it. A command that shows or removes something takes the name as
 * typed, because it may be needed on just that day.
 */
enum otpctl_name { NAME_LOOKED_UP, NAME_OR_TYPED };
/* Whether the user exists on this machine; USER_AS_TYPED if the name service did not say. */
enum otpctl_known { USER_UNKNOWN, USER_KNOWN, USER_AS_TYPED };

/*
 * Writes the canonical name of the user into dst; contacts are stored under it. For a user who is
 * unknown, and with USER_AS_TYPED, that is the name as typed. Returns OTPCTL_OK; OTPCTL_USAGE if no
 * user can have the name; OTPCTL_FAILED if the name service or memory fails. Prints a message for
 * each failure, and a warning with USER_AS_TYPED.
 */
int otpctl_canonical(
    enum otpctl_name how, const char *user, char *dst, size_t size, enum otpctl_known *known);

/*
 * Does the same as otpctl_canonical() for a user who must exist. Returns the exit code as
 * otpctl_canonical() does, or OTPCTL_NONE with a message if this machine does not know the user.
 */
int otpctl_known_user(
    enum otpctl_name how, const char *user, char *dst, size_t size, enum otpctl_known *known);

/* Prints that this machine does not know the user. Returns OTPCTL_NONE. */
int otpctl_unknown_user(const char *user);
/*
 * Prints that this machine does not know the user, and that --force accepts the name. Returns
 * OTPCTL_NONE.
 */
int otpctl_unknown_unless_forced(const char *user);
/*
 * Prints that nothing is stored under a name that was taken as typed (USER_AS_TYPED). Returns
 * OTPCTL_FAILED.
 */
int otpctl_nothing_typed(const char *user);

#endif
