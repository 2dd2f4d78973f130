/* What the commands of `otpctl contact` share. */
#ifndef OTP_OTPCTL_CONTACT_H
#define OTP_OTPCTL_CONTACT_H

#include "helpers/otpctl/otpctl.h"

/* "[limits] KEY = VALUE (FILE:LINE)" into dst. Returns dst. */
char *contact_limit(const struct conf *conf, const char *key, char *dst, size_t size);

int contact_list(struct otpctl *ctl, int argc, char **argv);
int contact_import(struct otpctl *ctl, int argc, char **argv);
int contact_verify(struct otpctl *ctl, int argc, char **argv);

#endif
