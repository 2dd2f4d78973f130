/* otpctl config check. */
#ifndef OTP_OTPCTL_CONFIGURATION_CHECK_H
#define OTP_OTPCTL_CONFIGURATION_CHECK_H

#include "helpers/otpctl/otpctl.h"

/* Runs the command; argv[0] is its name. Returns the exit code. */
int config_check(struct otpctl *ctl, int argc, char **argv);

#endif
