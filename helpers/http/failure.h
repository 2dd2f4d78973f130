/* Turns the result of a failed transfer into an error of ours. */
#ifndef OTP_HTTP_FAILURE_H
#define OTP_HTTP_FAILURE_H

#include <curl/curl.h>

#include "helpers/http/http.h"
#include "helpers/http/transfer.h"

/*
 * Returns what http_perform() returns after libcurl failed with this code: -OTP_ENET, -OTP_ETOOBIG,
 * -OTP_EPROTO, -OTP_EINVAL, -OTP_ESYS or -OTP_ENOMEM, never 0.
 */
int transfer_judge_failure(CURLcode code, const struct transfer *t, const struct http_answer *a);

#endif
