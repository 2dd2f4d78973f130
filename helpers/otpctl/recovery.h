/* otpctl recovery, a command of main.c. */
#ifndef OTP_OTPCTL_RECOVERY_H
#define OTP_OTPCTL_RECOVERY_H

#include "helpers/otpctl/otpctl.h"

/* Runs the command with argv[0] its name. Returns an exit code, enum otpctl_exit. */
int otpctl_recovery(struct otpctl *ctl, int argc, char **argv);

#endif
