/* The configuration's files: whether they may be believed, and what they say. */
#ifndef OTP_CONF_FILE_H
#define OTP_CONF_FILE_H

#include <sys/types.h>

#include "helpers/conf/conf.h"
#include "helpers/conf/sections.h"

enum { CONF_FILE_MAX = 256 * 1024 };

/*
 * Adds the file's sections to s: a key that s has already, from an earlier file, is replaced.
 * Errors are reported. 0, or -OTP_ENOMEM.
 */
int conf_file_read(
    const char *path, uid_t second_owner, struct conf_sections *s, struct conf_report *rep);

/* The names of PATH.d/ *.conf in strverscmp order, as whole paths. A missing folder has none. */
int conf_file_dropins(
    const char *path, uid_t second_owner, struct strlist *out, struct conf_report *rep);

#endif
