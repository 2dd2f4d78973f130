/*
 * Makes one HTTPS request, or sends one mail over SMTP, before an absolute deadline. While it
 * waits, it watches the peer: the socket whose other end waits for the result of this process.
 * HTTPS connections are kept, so that a later request to the same server needs no new handshake.
 * Each mail has a connection of its own.
 */
#ifndef OTP_HTTP_H
#define OTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/deadline.h"

enum {
	HTTP_BODY_MAX = 64 * 1024, /* bytes of an answer's body */
	HTTP_HEAD_MAX = 32 * 1024, /* bytes of an answer's header lines, with interim answers */
	HTTP_URL_MAX = 4096,
};

/* UTF-8. Control characters are allowed only in the text, where '\n' ends a line. */
struct http_mail {
	const char *from;      /* an address */
	const char *from_name; /* "" for none */
	const char *to;	       /* an address */
	const char *subject;
	const char *text;
};

/* All strings are borrowed. */
struct http_request {
	const char *method; /* unused for a mail */
	const char *url;
	/* For HTTP basic authentication, or for PLAIN or LOGIN at a mail server; NULL for none. */
	const char *login;
	const char *password;
	/* NULL for an HTTP request. A mail has a URL smtp: or smtps:, no header and no body. */
	const struct http_mail *mail;
	const char *const *header; /* each "Name: value" */
	size_t nheaders;
	const char *body; /* NULL for none */
	size_t body_len;
};

/*
 * Checks that both addresses are well-formed, that subject and name are lines without control
 * characters, and that all is UTF-8. Returns NULL, or a static phrase that says what is wrong, and
 * the part in *part: "from", "to", "from_name", "subject" or "text".
 */
const char *http_mail_wrong(const struct http_mail *m, const char **part);

/* How a provider is reached. */
struct http_route {
	const char *ca;	   /* a file or folder of certificates, besides the system's; or NULL */
	const char *proxy; /* a URL, or NULL; environment variables for proxies have no effect */
	/* Sent as X-Request-ID, so that the provider's log can be matched with ours; or NULL. */
	const char *request_id;
};

/* What the mail server's last reply was about. */
enum mail_stage {
	MAIL_CONNECT, /* the connection: greeting, TLS or login */
	MAIL_SENDER,
	MAIL_RECIPIENT,
	MAIL_TEXT,
};

struct http_answer {
	long status;	       /* HTTP status or mail reply code; 0 if no answer came */
	enum mail_stage stage; /* of a mail; set even if the status is 0 */
	struct buf head;       /* the header lines of the last answer, each with '\n' at its end */
	struct buf body;
	long retry_after; /* seconds; 0 if the server did not say */
	/*
	 * The request may have reached the server, so it must not be repeated. Of a mail: the
	 * server has asked for the text.
	 */
	bool written;
	/* A phrase for the log, static, without URL, address or body; "" if there is nothing. */
	const char *failure;
};

/* Wipes and frees the content; what is left is an answer that has not come yet. */
void http_answer_clear(struct http_answer *a);
/*
 * Append the value of the first header of this name, or of the first cookie of this name in a
 * Set-Cookie header, to b. 0; -OTP_ENOENT if there is none; -OTP_ETOOBIG or -OTP_ENOMEM from b.
 */
int http_header(struct http_answer *a, const char *name, struct buf *b);
int http_cookie(struct http_answer *a, const char *name, struct buf *b);

struct http;

/* What an implementation provides; the functions below call it. */
struct http_ops {
	/* Gets a cleared answer. 0 or the errors of http_perform(). */
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
 * Opens an implementation. peer is the socket to watch during every wait, or -1 for none. ca_dir,
 * borrowed, is a folder of hashed certificates. 0, -OTP_ENOMEM, or -OTP_ECRYPTO if the HTTP library
 * cannot start.
 */
typedef int http_open_fn(int peer, const char *ca_dir, struct http **out);

/*
 * Makes the request. *a is cleared first; the caller clears it afterwards.
 *
 * Returns:
 *   0             a complete answer came, whatever its status
 *   -OTP_ENET     name lookup, TCP, TLS or the connection failed
 *   -OTP_ETIME    the deadline has passed
 *   -OTP_ETOOBIG  the answer is longer than HTTP_HEAD_MAX or HTTP_BODY_MAX
 *   -OTP_EPROTO   the answer is not HTTP, or not SMTP
 *   -OTP_EINVAL   url_read() refuses the URL; a mail has a proxy, a malformed address, or a control
 *                 character outside its text; the certificates of `ca` cannot be read
 *   -OTP_EPERM    the mail server accepts no login by PLAIN or LOGIN
 *   -OTP_EGONE    the peer hung up, or sent something during the request
 *   -OTP_ESYS     this machine failed: no socket, port or thread, or the process was stopped
 *   -OTP_ENOMEM   there is no memory
 *
 * A mail by smtp: requires STARTTLS, except to a literal loopback address, where it uses no TLS. A
 * mail with a login is sent only after the server has accepted the login. While the server judges
 * the text of a mail, it can take a second until a peer that hung up is noticed.
 */
int http_perform(struct http *h, const struct http_request *q, const struct http_route *route,
    struct deadline dl, struct http_answer *a);

/*
 * Begins a request to open a connection that a later request can use. Its answer and its failures
 * are ignored. It proceeds during http_idle() and http_perform(). While one is in progress, further
 * calls do nothing.
 */
void http_begin(struct http *h, const struct http_request *q, const struct http_route *route);
/* Lets a begun request proceed until the peer sends something or hangs up, or dl has passed. */
void http_idle(struct http *h, struct deadline dl);
/* Stops watching the peer: requests after the result must not end when it hangs up. */
void http_forget_peer(struct http *h);

/*
 * Closes and frees. After a request was cut off by a deadline, its name lookup may still run in a
 * thread, and libcurl would wait for it. Such a request is not freed: it ends with the process. h
 * may be NULL.
 */
void http_close(struct http *h);

#endif
