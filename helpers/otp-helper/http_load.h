/*
 * What speaks HTTP and SMTP is a shared object beside the program: a sign-in that is not asked does
 * without libcurl, TLS and the thirty libraries behind them. Whoever is asked has it loaded before
 * the first prompt, whatever is typed there: later, the time it takes would tell users from others.
 */
#ifndef OTP_OTP_HELPER_HTTP_LOAD_H
#define OTP_OTP_HELPER_HTTP_LOAD_H

#include <sys/types.h>

#include "helpers/http/http.h"

#define HTTP_OBJECT "otp-http.so"

/*
 * Loads it from the folder that this program lies in, and from nowhere else; file and folders must
 * be root's or also's, as trust_path() has it. Takes up to a second while an upgrade puts it into
 * place. 0; -OTP_EPERM; -OTP_ESYS: it is not there, or cannot be loaded; -OTP_EPROTO: it is of
 * another build. The reason is in the log.
 */
int http_load(uid_t second_owner, http_open_fn **out);

#endif
