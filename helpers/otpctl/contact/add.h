/* otpctl contact add, a command of contact.c. */
#ifndef OTP_OTPCTL_CONTACT_ADD_H
#define OTP_OTPCTL_CONTACT_ADD_H

#include "helpers/otpctl/otpctl.h"

int contact_add(struct otpctl *ctl, int argc, char **argv);

#endif
