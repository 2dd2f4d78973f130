/* HTTP and SMTP with libcurl. No file outside this folder uses that library. */
#ifndef OTP_HTTP_CURL_H
#define OTP_HTTP_CURL_H

#include "helpers/http/http.h"

http_open_fn curl_http_open;

#endif
