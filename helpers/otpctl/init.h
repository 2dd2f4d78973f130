/* otpctl init, a command of main.c. */
#ifndef OTP_OTPCTL_INIT_H
#define OTP_OTPCTL_INIT_H

#include "helpers/otpctl/otpctl.h"

int otpctl_init(struct otpctl *ctl, int argc, char **argv);

#endif
