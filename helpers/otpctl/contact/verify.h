/*
 * otpctl contact verify: sends a code to an address. If the person types this code, it marks the
 * address as verified.
 */
#ifndef OTP_OTPCTL_CONTACT_VERIFY_H
#define OTP_OTPCTL_CONTACT_VERIFY_H

#include "helpers/otpctl/otpctl.h"

/* Runs the command; argv[0] is its name. Returns the exit code. */
int contact_verify(struct otpctl *ctl, int argc, char **argv);

#endif
