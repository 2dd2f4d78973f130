/* otpctl contact verify, a command of contact.c. */
#ifndef OTP_OTPCTL_CONTACT_VERIFY_H
#define OTP_OTPCTL_CONTACT_VERIFY_H

#include "helpers/otpctl/otpctl.h"

int contact_verify(struct otpctl *ctl, int argc, char **argv);

#endif
