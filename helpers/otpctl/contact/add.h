/* otpctl contact add: adds an address to the contacts of a user. */
#ifndef OTP_OTPCTL_CONTACT_ADD_H
#define OTP_OTPCTL_CONTACT_ADD_H

#include "helpers/otpctl/otpctl.h"

/* Runs the command; argv[0] is its name. Returns the exit code. */
int contact_add(struct otpctl *ctl, int argc, char **argv);

#endif
