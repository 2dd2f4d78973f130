/* A small web server on loopback: it sends what the test sets. */
#ifndef OTP_WEB_RIG_H
#define OTP_WEB_RIG_H

#include <stdbool.h>
#include <stddef.h>

enum web_then {
	WEB_KEEP,  /* go on with the next request of the connection */
	WEB_CLOSE, /* hang up */
	WEB_HOLD,  /* stay silent until the client goes */
	WEB_DRIP,  /* a byte of "x" every few milliseconds until the client goes */
	WEB_DROP,  /* hang up as soon as a connection is made, nothing read */
};

struct web;

struct web *web_start(void);
/* Ends every connection. */
void web_stop(struct web *w);
/* Sets the answer to every further request: len bytes as they are, and what follows them. */
void web_say(struct web *w, const void *bytes, size_t len, enum web_then effects);
/* Sets a complete answer: the rest of its status line, header lines ("A: b\r
") and body. */
void web_answer(struct web *w, const char *status, const char *headers, const char *body);
/* "http://127.0.0.1:PORT" and the path; borrowed until the next call. */
const char *web_url(struct web *w, const char *path);
int web_port(const struct web *w);
int web_connections(struct web *w); /* accepted so far */
int web_requests(struct web *w);    /* that were read completely */
/* The last request, head and body; a copy that the caller frees. */
char *web_last(struct web *w);
/* True if the last request has the text in it. */
bool web_received(struct web *w, const char *text);

/* A port on loopback on which nobody listens. */
int web_dead_port(void);

#endif
