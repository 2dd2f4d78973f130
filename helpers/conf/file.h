/* Reads the configuration's files, after it has checked who owns and may write them. */
#ifndef OTP_CONF_FILE_H
#define OTP_CONF_FILE_H

#include <sys/types.h>

#include "helpers/conf/conf.h"
#include "helpers/conf/sections.h"

enum { CONF_FILE_MAX = 256 * 1024 }; /* bytes */

/*
 * Adds the file's sections to s. A key that an earlier file has set is replaced. Each error in the
 * file becomes a row of rep. Returns 0 also if there are such errors, and -OTP_ENOMEM if there is
 * no memory.
 */
int conf_file_read(
    const char *path, uid_t second_owner, struct conf_sections *s, struct conf_report *rep);

/*
 * Adds the paths of PATH.d/ *.conf to out, in the order of strverscmp(3). A folder that does not
 * exist has none. A folder that cannot be read or trusted becomes a row of rep. Returns 0 also
 * after such an error, and -OTP_ENOMEM if there is no memory.
 */
int conf_file_dropins(
    const char *path, uid_t second_owner, struct strlist *out, struct conf_report *rep);

#endif
