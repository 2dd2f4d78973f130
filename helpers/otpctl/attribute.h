/* otpctl attribute, a command of main.c. */
#ifndef OTP_OTPCTL_ATTRIBUTE_H
#define OTP_OTPCTL_ATTRIBUTE_H

#include "helpers/otpctl/otpctl.h"

/* Runs the command; argv[0] is its name. Returns the exit code (enum otpctl_exit). */
int otpctl_attribute(struct otpctl *ctl, int argc, char **argv);

#endif
