/*
 * What speaks HTTP and SMTP is a shared object beside the program: a sign-in that is not asked, or
 * goes by a code on paper, does without libcurl, TLS and the thirty libraries behind them.
 */
#ifndef OTP_HTTP_LOAD_H
#define OTP_HTTP_LOAD_H

#include "helpers/http.h"

#define HTTP_OBJECT	   "otp-http.so"
#define HTTP_OBJECT_SYMBOL "otp_http"

/* What the object exports under that name. */
struct http_object {
	const char *build; /* OTP_BUILD: both were built of the same headers */
	http_open_fn *open;
};

/*
 * Loads it from the folder that this program lies in, and from nowhere else. 0; -OTP_ESYS: it is
 * not there, or cannot be loaded; -OTP_EPROTO: it is of another build. The reason is in the log.
 */
int http_load(http_open_fn **out);

#endif
