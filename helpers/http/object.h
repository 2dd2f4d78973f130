/* The one symbol that the shared object otp-http.so exports. */
#ifndef OTP_HTTP_OBJECT_H
#define OTP_HTTP_OBJECT_H

#include "helpers/http/http.h"

#define HTTP_OBJECT_SYMBOL "otp_http"

struct http_object {
	const char *build; /* must equal the program's HTTP_BUILD: made from the same sources */
	http_open_fn *open;
};

#endif
