/* The text of one file into sections and settings; what they mean is table.h's matter. */
#ifndef OTP_CONF_INI_H
#define OTP_CONF_INI_H

#include <stddef.h>

#include "helpers/conf/sections.h"

/*
 * Adds what the NUL-terminated text of a file says (changing the text). Errors are reported, all of
 * them. 0, or -OTP_ENOMEM.
 */
int conf_ini_parse(
    const char *path, char *text, size_t len, struct conf_sections *s, struct conf_report *rep);

#endif
