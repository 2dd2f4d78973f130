/* otpctl recovery, a command of main.c. */
#ifndef OTP_OTPCTL_RECOVERY_H
#define OTP_OTPCTL_RECOVERY_H

#include "helpers/otpctl/otpctl.h"

int otpctl_recovery(struct otpctl *ctl, int argc, char **argv);

#endif
