/*
 * One transfer of libcurl's: what it is given, what its callbacks write to, what its end means. For
 * curl.c and what belongs to it alone.
 */
#ifndef OTP_HTTP_TRANSFER_H
#define OTP_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "helpers/http/http.h"
#include "helpers/http/mail.h"

struct transfer {
	struct http_answer *answer; /* the caller's, or own */
	struct http_answer own;
	CURL *easy;
	struct curl_slist *headers;
	size_t head_total;
	bool head_ended;  /* the empty line behind the last answer's head has come */
	int overflow;	  /* negative, set by the callback that stopped it */
	int socket_errno; /* of a socket(2) that failed: this machine's fault */
	bool is_mail;
	struct mail_talk talk;
	char scheme[8]; /* of the URL: the only one allowed */
	char host[256]; /* whom the certificate must name */
	char ca_path[2 * 4096];
	char error[CURL_ERROR_SIZE];
	CURLM *multi; /* once abandoned: what it was left in */
	struct transfer *next;
};

/*
 * Prepares a transfer, to be added to a multi handle. peer, ca_dir: of curl_http_open(). a: where
 * the answer goes, or NULL. As http_perform().
 */
int transfer_new(const struct http_request *q, const struct http_route *route, int peer,
    const char *ca_dir, struct deadline dl, struct http_answer *a, struct transfer **out);
void transfer_free(struct transfer *t);

/* What its end means, for http_perform() to return. */
int transfer_judge(CURLcode code, const struct transfer *t, struct http_answer *a);
#endif
