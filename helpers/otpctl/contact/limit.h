/* A key of [limits], as messages name it to whoever ran into it. */
#ifndef OTP_OTPCTL_CONTACT_LIMIT_H
#define OTP_OTPCTL_CONTACT_LIMIT_H

#include <stddef.h>

#include "helpers/conf/conf.h"

/* "[limits] KEY = VALUE (FILE:LINE)" into dst. Returns dst. */
char *contact_limit(const struct conf *conf, const char *key, char *dst, size_t size);

#endif
