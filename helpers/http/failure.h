/* What it means that a transfer failed. */
#ifndef OTP_HTTP_FAILURE_H
#define OTP_HTTP_FAILURE_H

#include <curl/curl.h>

#include "helpers/http/http.h"
#include "helpers/http/transfer.h"

/* As transfer_judge(), of a transfer that did not end well. */
int transfer_judge_failure(CURLcode code, const struct transfer *t, const struct http_answer *a);

#endif
