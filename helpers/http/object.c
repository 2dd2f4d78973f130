#include "helpers/http/object.h"

#include "helpers/http/curl.h"
#include "http_build.h"

extern const struct http_object otp_http;
const struct http_object otp_http = {.build = HTTP_BUILD, .open = curl_http_open};
