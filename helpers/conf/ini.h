/* Reads the text of one configuration file: sections and KEY = VALUE. Keys are checked later. */
#ifndef OTP_CONF_INI_H
#define OTP_CONF_INI_H

#include <stddef.h>

#include "helpers/conf/sections.h"

/*
 * Adds the sections of the text to s. text has len bytes and a NUL after them; it is changed.
 * path names the file in errors. Each error in the text becomes a row of rep. Returns 0 also if
 * there are such errors, and -OTP_ENOMEM if there is no memory.
 */
int conf_ini_parse(
    const char *path, char *text, size_t len, struct conf_sections *s, struct conf_report *rep);

#endif
