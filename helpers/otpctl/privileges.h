/* Who otpctl is: root, a caller with files of their own, or the helper's user. */
#ifndef OTP_OTPCTL_PRIVILEGES_H
#define OTP_OTPCTL_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "helpers/base/account.h"
#include "helpers/otpctl/otpctl.h"

/* May this caller change contacts? Says so if not. */
bool otpctl_may_write(const struct otpctl *ctl);

/* Is there a user of the helper's, without rights? */
bool otpctl_helper_user(struct account *out);
/* From root to the helper's user, for good and proved; anybody else stays who they are. */
bool otpctl_become(uid_t uid, gid_t gid);

/*
 * Root becomes the helper's user, where there is one, to read what a sign-in reads; not with
 * --config, which may name a file of root's. An exit code.
 */
int otpctl_as_helper(const struct otpctl *ctl);

#endif
