/* Ends what was derived from an address that a user has no longer. */
#ifndef OTP_OTPCTL_REVOKED_H
#define OTP_OTPCTL_REVOKED_H

#include "helpers/conf/conf.h"
#include "helpers/otpctl/otpctl.h"

/*
 * Forgets the remembered sign-ins of these users, in a child process that becomes the owner of the
 * store; the caller stays root. Codes that were sent to the address need nothing here: a sign-in
 * reads the contacts again before it accepts one. Returns OTPCTL_OK, or OTPCTL_FAILED after it has
 * printed why.
 */
int otpctl_forget_remembered(
    const struct otpctl *ctl, const char *state, const struct strlist *users);

#endif
