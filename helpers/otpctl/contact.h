/* What the commands of `otpctl contact` share. */
#ifndef OTP_OTPCTL_CONTACT_H
#define OTP_OTPCTL_CONTACT_H

#include "helpers/otpctl/otpctl.h"

/* The address whole, or masked into dst. */
const char *contact_shown(const struct contact *c, bool full, char *dst, size_t size);

/* "[limits] KEY = VALUE (FILE:LINE)" into dst. Returns dst. */
char *contact_limit(const struct conf *conf, const char *key, char *dst, size_t size);

/* A new object, the address whole or masked; NULL without memory. */
json_t *contact_json(const struct contact *c, bool full);

int contact_list(struct otpctl *ctl, int argc, char **argv);
int contact_import(struct otpctl *ctl, int argc, char **argv);
int contact_verify(struct otpctl *ctl, int argc, char **argv);

#endif
