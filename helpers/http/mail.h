/*
 * A mail instead of a request: the message (mime.c), and the dialog with the server as far as
 * libcurl leaves it to its user (mail.c). For transfer.c alone.
 */
#ifndef OTP_HTTP_MAIL_H
#define OTP_HTTP_MAIL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "helpers/http/http.h"

enum { MAIL_SOCKETS = 4 }; /* open at once: libcurl tries the addresses of both families */

/* Zeroed is one that has not begun. */
struct mail_talk {
	/* What libcurl borrows until its handle is gone. */
	struct curl_slist *to;
	struct curl_slist *headers;
	curl_mime *mime;
	int socket[MAIL_SOCKETS]; /* those that are open; -1 for none */
	int peer;
	struct deadline deadline;
	bool wants_login;
	bool logged_in;
	bool asked;	  /* greeting, TLS and login are behind us: the sender is named next */
	unsigned replies; /* since then */
	long reply;	  /* the code of the last whole one, 0 for none */
	size_t heard;	  /* bytes of all */
	bool handed_over; /* the server wanted the text: it may have it */
	bool over;	  /* nothing that comes now can matter */
	int cut;	  /* -OTP_ETIME or -OTP_EGONE, seen while libcurl was waiting */
};

struct transfer;

/*
 * Can it be sent? Addresses, subject and name without what could end their place early, everything
 * UTF-8. 0 or -OTP_EINVAL.
 */
int mail_check(const struct http_mail *m);
/* Makes e send the mail. Its parts are t's. 0 or -OTP_ENOMEM. */
int mail_message(CURL *e, const struct http_mail *m, const char *request_id, struct mail_talk *t);
void mail_free(struct mail_talk *t);

/* Every other option that a mail needs. starttls: not without. 0 or -OTP_ENOMEM. */
int mail_set(const struct http_request *q, const char *request_id, bool starttls, int peer,
    struct deadline dl, struct transfer *t);
/* As transfer_judge(). */
int mail_judge(CURLcode code, const struct transfer *t, struct http_answer *a);

#endif
