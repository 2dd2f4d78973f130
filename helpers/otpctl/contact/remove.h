/* otpctl contact remove, a command of contact.c. */
#ifndef OTP_OTPCTL_CONTACT_REMOVE_H
#define OTP_OTPCTL_CONTACT_REMOVE_H

#include "helpers/otpctl/otpctl.h"

int contact_remove(struct otpctl *ctl, int argc, char **argv);

#endif
