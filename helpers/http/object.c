/* The one name that the shared object has for its program. */
#include "helpers/http/curl.h"
#include "helpers/http_load.h"
#include "http_build.h"

extern const struct http_object otp_http;
const struct http_object otp_http = {HTTP_BUILD, curl_http_open};
