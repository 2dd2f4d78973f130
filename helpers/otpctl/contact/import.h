/* otpctl contact import: adds the contacts of a CSV file: all of them or none. */
#ifndef OTP_OTPCTL_CONTACT_IMPORT_H
#define OTP_OTPCTL_CONTACT_IMPORT_H

#include "helpers/otpctl/otpctl.h"

/* Runs the command; argv[0] is its name. Returns the exit code. */
int contact_import(struct otpctl *ctl, int argc, char **argv);

#endif
