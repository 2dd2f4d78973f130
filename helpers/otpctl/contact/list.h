/* otpctl contact list, a command of contact.c. */
#ifndef OTP_OTPCTL_CONTACT_LIST_H
#define OTP_OTPCTL_CONTACT_LIST_H

#include "helpers/otpctl/otpctl.h"

int contact_list(struct otpctl *ctl, int argc, char **argv);

#endif
