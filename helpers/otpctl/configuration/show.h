/* otpctl config show. */
#ifndef OTP_OTPCTL_CONFIGURATION_SHOW_H
#define OTP_OTPCTL_CONFIGURATION_SHOW_H

#include "helpers/otpctl/otpctl.h"

/* Runs the command; argv[0] is its name. Returns the exit code. */
int config_show(struct otpctl *ctl, int argc, char **argv);

#endif
