/* The user that otpctl runs as: root, a caller with their own files, or the helper's user. */
#ifndef OTP_OTPCTL_PRIVILEGES_H
#define OTP_OTPCTL_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "helpers/base/account.h"
#include "helpers/otpctl/otpctl.h"

/* True if the caller may change contacts; if not, prints that it takes root. */
bool otpctl_may_write(const struct otpctl *ctl);

/* Finds the helper's user. False if it does not exist, cannot be looked up, or is root. */
bool otpctl_helper_user(struct account *out);
/*
 * If the process is root, gives up root for good and becomes this user, and checks that there is
 * no way back. If not, does nothing. False if it failed.
 */
bool otpctl_become(uid_t uid, gid_t gid);

/*
 * If the process is root and the helper's user exists, becomes that user, to read only what a
 * sign-in can read. With --config, it does nothing: the option may name a file that only root can
 * read.
 * Returns OTPCTL_OK, or OTPCTL_FAILED after it has printed why.
 */
int otpctl_as_helper(const struct otpctl *ctl);

#endif
