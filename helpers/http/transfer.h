/*
 * One transfer of libcurl: its options, its callbacks and the meaning of its result. Only files of
 * this folder may include it.
 */
#ifndef OTP_HTTP_TRANSFER_H
#define OTP_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "helpers/http/http.h"
#include "helpers/http/mail.h"

struct transfer {
	struct http_answer *answer; /* the caller's, or &own if the caller wants none */
	struct http_answer own;
	CURL *easy;
	struct curl_slist *headers;
	size_t head_total; /* bytes of all header lines, interim answers included */
	bool head_ended;   /* the newest answer's head is complete: its empty line has come */
	int overflow;	   /* a callback stopped the transfer with this error; 0: none did */
	int socket_errno;  /* errno of a failed socket(2), which this machine caused; 0: none */
	bool is_mail;
	struct mail_dialog dialog;
	char scheme[8]; /* of the URL: the only protocol that libcurl may use */
	char host[256]; /* the name that the certificate must have */
	char ca_path[2 * 4096];
	char error[CURL_ERROR_SIZE];
	CURLM *multi;	       /* the multi handle of an abandoned transfer */
	struct transfer *next; /* the next abandoned one */
};

/*
 * Prepares a transfer, which the caller adds to a multi handle and frees with transfer_free(). peer
 * and ca_dir are those of curl_http_open(). The answer is written to *a, unless a is NULL. 0,
 * -OTP_EINVAL (see http_perform()) or -OTP_ENOMEM.
 */
int transfer_new(const struct http_request *q, const struct http_route *route, int peer,
    const char *ca_dir, struct deadline dl, struct http_answer *a, struct transfer **out);
void transfer_free(struct transfer *t);

/*
 * Judges how a transfer ended, and fills in the rest of *a. 0: a complete answer came. Otherwise
 * -OTP_ENET, -OTP_ETOOBIG or -OTP_ENOMEM, with the meaning of http_perform(), the errors of
 * transfer_judge_failure(), or for a mail the errors of mail_judge().
 */
int transfer_judge(CURLcode code, const struct transfer *t, struct http_answer *a);

#endif
