/* otpctl remember, a command of main.c. */
#ifndef OTP_OTPCTL_REMEMBER_H
#define OTP_OTPCTL_REMEMBER_H

#include "helpers/otpctl/otpctl.h"

int otpctl_remember(struct otpctl *ctl, int argc, char **argv);

#endif
