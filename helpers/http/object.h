/* The one name that the shared object has for its program. */
#ifndef OTP_HTTP_OBJECT_H
#define OTP_HTTP_OBJECT_H

#include "helpers/http/http.h"

#define HTTP_OBJECT_SYMBOL "otp_http"

/* What the object exports under that name. */
struct http_object {
	const char *build; /* HTTP_BUILD: both were made of the same sources */
	http_open_fn *open;
};

#endif
