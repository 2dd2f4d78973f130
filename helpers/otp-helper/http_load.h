/*
 * HTTP and SMTP are in a shared object beside the program. A sign-in that asks for no code works
 * without it, and so without libcurl, TLS and the thirty libraries that they need. Any other
 * sign-in loads it before the first prompt. If it were loaded only for users who get a code, the
 * time of an answer would show who they are.
 */
#ifndef OTP_OTP_HELPER_HTTP_LOAD_H
#define OTP_OTP_HELPER_HTTP_LOAD_H

#include <sys/types.h>

#include "helpers/http/http.h"

#define HTTP_OBJECT "otp-http.so"

/*
 * Loads the object from the folder of this program, and from nowhere else. trust_path() must accept
 * its path. It tries for a second, in which an upgrade can put the file into place. The log gets
 * the reason of a failure.
 * 0; -OTP_EPERM if somebody else may write the file or a folder above it; -OTP_ESYS if it is
 * missing or cannot be loaded; -OTP_EPROTO if it was built from other sources than the program.
 */
int http_load(uid_t second_owner, http_open_fn **out);

#endif
