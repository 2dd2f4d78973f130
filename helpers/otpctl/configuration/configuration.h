/* otpctl config, a command of main.c. */
#ifndef OTP_OTPCTL_CONFIGURATION_H
#define OTP_OTPCTL_CONFIGURATION_H

#include "helpers/otpctl/otpctl.h"

/* Runs the command; argv[0] is its name. Returns the exit code (enum otpctl_exit). */
int otpctl_config(struct otpctl *ctl, int argc, char **argv);

#endif
