/* Names a key of [limits] in messages about an address or a send that it forbids. */
#ifndef OTP_OTPCTL_CONTACT_LIMIT_H
#define OTP_OTPCTL_CONTACT_LIMIT_H

#include <stddef.h>

#include "helpers/conf/conf.h"

/*
 * Writes "[limits] KEY = VALUE (FILE:LINE)" into dst: the value in force and the line that sets it.
 * Returns dst.
 */
char *contact_limit(const struct conf *conf, const char *key, char *dst, size_t size);

#endif
