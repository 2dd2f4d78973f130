/* otpctl contact import, a command of contact.c. */
#ifndef OTP_OTPCTL_CONTACT_IMPORT_H
#define OTP_OTPCTL_CONTACT_IMPORT_H

#include "helpers/otpctl/otpctl.h"

int contact_import(struct otpctl *ctl, int argc, char **argv);

#endif
