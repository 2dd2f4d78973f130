/* otpctl contact remove: removes one address of a user, or all of them. */
#ifndef OTP_OTPCTL_CONTACT_REMOVE_H
#define OTP_OTPCTL_CONTACT_REMOVE_H

#include "helpers/otpctl/otpctl.h"

/* Runs the command; argv[0] is its name. Returns the exit code. */
int contact_remove(struct otpctl *ctl, int argc, char **argv);

#endif
