/* otpctl recovery, a command of main.c. */
#ifndef OTP_OTPCTL_RECOVERY_H
#define OTP_OTPCTL_RECOVERY_H

#include "helpers/otpctl/otpctl.h"

/* Runs the command; argv[0] is its name. Returns the exit code (enum otpctl_exit). */
int otpctl_recovery(struct otpctl *ctl, int argc, char **argv);

#endif
