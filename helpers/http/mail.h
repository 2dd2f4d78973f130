/*
 * Sends a mail instead of an HTTP request: mime.c makes the message, mail.c follows the dialog with
 * the server. Only transfer.c uses both.
 */
#ifndef OTP_HTTP_MAIL_H
#define OTP_HTTP_MAIL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "helpers/http/http.h"

/* How many sockets may be open at once: libcurl tries IPv4 and IPv6 addresses in parallel. */
enum { MAIL_SOCKETS = 4 };

/* The dialog with a mail server. Zeroed: it has not begun. */
struct mail_dialog {
	/* libcurl uses these until its handle is closed; mail_free() frees them. */
	struct curl_slist *to;
	struct curl_slist *headers;
	curl_mime *mime;
	int socket[MAIL_SOCKETS]; /* the open sockets; -1 where there is none */
	int peer;
	struct deadline deadline;
	bool wants_login;
	bool logged_in;
	bool in_mail;	  /* greeting, TLS and login are done; the sender is named next */
	unsigned replies; /* complete replies since then */
	long reply;	  /* the code of the last complete reply, 0 before the first */
	size_t received;  /* bytes of all replies */
	bool handed_over; /* the server has asked for the text, so it may have got the text */
	bool over;	  /* the result is known: later replies are ignored */
	int cut;	  /* -OTP_ETIME or -OTP_EGONE if a callback ended the transfer, else 0 */
};

struct transfer;

/* Gives the message to the handle e. t owns its parts. 0 or -OTP_ENOMEM. */
int mail_message(CURL *e, const struct http_mail *m, const char *request_id, struct mail_dialog *t);
void mail_free(struct mail_dialog *t);

/*
 * Sets all other options of a mail. If starttls is true, the transfer fails unless the server
 * offers STARTTLS. 0 or -OTP_ENOMEM.
 */
int mail_set(const struct http_request *q, const char *request_id, bool starttls, int peer,
    struct deadline dl, struct transfer *t);
/*
 * Judges how the transfer of a mail ended, and fills in *a. 0: the server's last reply is in *a.
 * Otherwise -OTP_ETIME, -OTP_EGONE, -OTP_ETOOBIG, -OTP_EPROTO or -OTP_EPERM, with the meaning of
 * http_perform(), or the errors of transfer_judge_failure().
 */
int mail_judge(CURLcode code, const struct transfer *t, struct http_answer *a);

#endif
