/*
 * One HTTPS request at a time, against an absolute deadline, watching the peer meanwhile. The only
 * file that knows libcurl. Connections are kept, so that a later request to the same server needs
 * no new handshake.
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

/* Borrowed strings. */
struct http_request {
	const char *method;
	const char *url;
	const char *const *header; /* "Name: value" */
	size_t nheaders;
	const char *body; /* NULL for none */
	size_t body_len;
};

/* How a provider is reached. */
struct http_route {
	const char *ca;	   /* a file or folder of certificates besides the system's, or NULL */
	const char *proxy; /* URL, or NULL for none: the environment is never asked */
};

struct http_answer {
	long status;	 /* 0 when there was none */
	struct buf head; /* header lines of the last answer, each ended by '\n' */
	struct buf body;
	long retry_after; /* seconds; 0 when not given */
	/* The request may have reached the server: it must not be made again. */
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

/* peer: the socket whose hang-up ends every wait, or -1. ca_dir: a hashed folder. */
int http_open(int peer, const char *ca_dir, struct http **out);

/*
 * Makes the request; *a is cleared first and belongs to the caller.
 * 0: a whole answer came, whatever its status.
 * -OTP_ENET: name lookup, TCP, TLS or the connection failed. -OTP_ETIME: the deadline passed.
 * -OTP_ETOOBIG: the answer is over its bound. -OTP_EPROTO: it is no HTTP.
 * -OTP_EINVAL: the URL is not https (or http to a literal loopback address), or the certificates of
 * `ca` cannot be read.
 * -OTP_EGONE: the peer has gone, or spoke out of turn. -OTP_ESYS, -OTP_ENOMEM: this machine's
 * fault.
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
 * running in a thread, which libcurl would wait for: it is left to the end of the process.
 */
void http_close(struct http *h);

#endif
