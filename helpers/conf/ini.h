/* Reads the text of one configuration file: sections and KEY = VALUE. Keys are checked later. */
#ifndef OTP_CONF_INI_H
#define OTP_CONF_INI_H

#include <stddef.h>

#include "helpers/conf/sections.h"

/*
 * Adds the sections of the text to s. text has len bytes and a NUL after them; it is changed.
 * path names the file in errors. Every error becomes a row of rep. 0 even then, or -OTP_ENOMEM.
 */
int conf_ini_parse(
    const char *path, char *text, size_t len, struct conf_sections *s, struct conf_report *rep);

#endif
