#include "helpers/http/failure.h"

#include "common/err.h"
#include "helpers/http/probe.h"

/* True if this machine caused the failure, and before the request was written. */
static bool
is_local(const struct transfer *t, const struct http_answer *a)
{
	long err = 0;

	if (a->written)
		return false;
	(void)curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &err);
	return t->socket_errno || probe_errno_is_local((int)err) || !probe_machine();
}

int
transfer_judge_failure(CURLcode code, const struct transfer *t, const struct http_answer *a)
{
	switch (code) {
	case CURLE_OUT_OF_MEMORY:
		/* libcurl also reports this for a header line that is too long. */
		if (a->written)
			return -OTP_ETOOBIG;
		return -OTP_ENOMEM;
	case CURLE_FAILED_INIT:
		return -OTP_ENOMEM;
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_URL_MALFORMAT:
		return -OTP_EINVAL;
	case CURLE_UNSUPPORTED_PROTOCOL: /* libcurl reports this if an answer has no status line */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
		return -OTP_EPROTO;
	default:
		return is_local(t, a) ? -OTP_ESYS : -OTP_ENET;
	}
}
