/* otpctl contact: the table of its commands. */
#ifndef OTP_OTPCTL_CONTACT_H
#define OTP_OTPCTL_CONTACT_H

#include "helpers/otpctl/otpctl.h"

int otpctl_contact(struct otpctl *ctl, int argc, char **argv);

#endif
