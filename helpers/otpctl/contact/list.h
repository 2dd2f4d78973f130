/* otpctl contact list: lists the contacts of one user or of all. */
#ifndef OTP_OTPCTL_CONTACT_LIST_H
#define OTP_OTPCTL_CONTACT_LIST_H

#include "helpers/otpctl/otpctl.h"

/* Runs the command; argv[0] is its name. Returns the exit code. */
int contact_list(struct otpctl *ctl, int argc, char **argv);

#endif
