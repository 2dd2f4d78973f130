/*
 * One HTTPS request, or one mail over SMTP, at a time, against an absolute deadline, watching the
 * peer meanwhile. Connections are kept, so that a later request to the same server needs no new
 * handshake; a mail has its own. What does it is in helpers/http/.
 */
#ifndef OTP_HTTP_H
#define OTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/deadline.h"

enum {
	HTTP_BODY_MAX = 64 * 1024, /* bytes of an answer's body */
	HTTP_HEAD_MAX = 32 * 1024, /* bytes of all its header lines, interim answers included */
	HTTP_URL_MAX = 4096,
};

/* UTF-8. Control characters are refused in all but the text, where '\n' ends a line. */
struct http_mail {
	const char *from;      /* an address */
	const char *from_name; /* "" for none */
	const char *to;	       /* an address */
	const char *subject;
	const char *text;
};

/* Borrowed strings. */
struct http_request {
	const char *method; /* not of a mail */
	const char *url;
	/* HTTP's basic authentication, or SMTP's PLAIN or LOGIN; NULL for none. */
	const char *login;
	const char *password;
	/* NULL for none; with it the URL is smtp: or smtps:, and nothing of what follows is. */
	const struct http_mail *mail;
	const char *const *header; /* "Name: value" */
	size_t nheaders;
	const char *body; /* NULL for none */
	size_t body_len;
};

/* How a provider is reached. */
struct http_route {
	const char *ca;	   /* a file or folder of certificates besides the system's, or NULL */
	const char *proxy; /* URL, or NULL for none: the environment is never asked */
	const char
	    *request_id; /* told as X-Request-ID, so that both logs can be matched; or NULL */
};

/* What a mail server's last reply was about. */
enum mail_stage {
	MAIL_DOOR, /* us: greeting, TLS, login */
	MAIL_SENDER,
	MAIL_RECIPIENT,
	MAIL_TEXT,
};

struct http_answer {
	long status;	       /* 0 when there was none; of a mail, the code of the last reply */
	enum mail_stage stage; /* of a mail, also where it has no status */
	struct buf head;       /* header lines of the last answer, each ended by '\n' */
	struct buf body;
	long retry_after; /* seconds; 0 when not given */
	/*
	 * The request may have reached the server: it must not be made again. Of a mail: the server
	 * has asked for the text.
	 */
	bool written;
	/* A phrase for the log: no URL, no address, no body. */
	const char *failure;
};

void http_answer_clear(struct http_answer *a);
/*
 * The value of the header (or, of the named cookie in Set-Cookie) into b, at most once.
 * -OTP_ENOENT where there is none.
 */
int http_header(struct http_answer *a, const char *name, struct buf *b);
int http_cookie(struct http_answer *a, const char *name, struct buf *b);

struct http;

/* The functions below, by whoever opened it. perform: *a is a clear one. */
struct http_ops {
	int (*perform)(struct http *h, const struct http_request *q, const struct http_route *route,
	    struct deadline dl, struct http_answer *a);
	void (*begin)(struct http *h, const struct http_request *q, const struct http_route *route);
	void (*idle)(struct http *h, struct deadline dl);
	void (*forget_peer)(struct http *h);
	void (*close)(struct http *h);
};

struct http {
	const struct http_ops *ops;
};

/*
 * peer: the socket whose hang-up ends every wait, or -1. ca_dir: a hashed folder, borrowed. 0,
 * -OTP_ENOMEM, -OTP_ECRYPTO.
 */
typedef int http_open_fn(int peer, const char *ca_dir, struct http **out);

/*
 * Makes the request; *a is cleared first and belongs to the caller.
 * 0: a whole answer came, whatever its status.
 * -OTP_ENET: name lookup, TCP, TLS or the connection failed. -OTP_ETIME: the deadline passed.
 * -OTP_ETOOBIG: the answer is over its bound. -OTP_EPROTO: it is no HTTP, or no SMTP.
 * -OTP_EINVAL: the URL is not https (or http to a literal loopback address); of a mail, it is
 * neither smtp nor smtps, or there is a proxy, or the mail has a value that does not fit its place;
 * or the certificates of `ca` cannot be read.
 * -OTP_EPERM: the mail server takes no login that we know.
 * -OTP_EGONE: the peer has gone, or spoke out of turn. -OTP_ESYS, -OTP_ENOMEM: this machine's
 * fault.
 * Over smtp a literal loopback address is spoken to without TLS, any other after STARTTLS or not at
 * all. A mail with a login goes only where that was accepted. While the server judges the text, it
 * takes up to a second until a peer that went is seen.
 */
int http_perform(struct http *h, const struct http_request *q, const struct http_route *route,
    struct deadline dl, struct http_answer *a);

/*
 * Begins a request whose answer does not matter, for the sake of its connection. It goes on in
 * http_idle() and beside http_perform(); at most one at a time. Its failures are nobody's concern.
 */
void http_begin(struct http *h, const struct http_request *q, const struct http_route *route);
/* Drives what was begun until the peer speaks or leaves, or dl has passed. */
void http_idle(struct http *h, struct deadline dl);
/* From now on nobody is at the other end: for what is done after the result. */
void http_forget_peer(struct http *h);

/*
 * Closes what can be closed at once. A request that a deadline cut off may still have a name lookup
 * running in a thread, which would be waited for: it is left to the end of the process. NULL is
 * fine.
 */
void http_close(struct http *h);

#endif
