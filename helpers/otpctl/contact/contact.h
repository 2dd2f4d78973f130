/* otpctl contact: the group of commands that change and list contacts. */
#ifndef OTP_OTPCTL_CONTACT_H
#define OTP_OTPCTL_CONTACT_H

#include "helpers/otpctl/otpctl.h"

/* Runs the command of the group that argv names; argv[0] is "contact". Returns the exit code. */
int otpctl_contact(struct otpctl *ctl, int argc, char **argv);

#endif
