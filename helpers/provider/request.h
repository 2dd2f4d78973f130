/* Makes one request of a profile and judges the answer. */
#ifndef OTP_PROVIDER_REQUEST_H
#define OTP_PROVIDER_REQUEST_H

#include "common/deadline.h"
#include "helpers/template/bindings.h"
#include "helpers/http/http.h"
#include "helpers/profile/profile.h"

/* The same status means another class for a send than for the check of a code. */
enum request_purpose { REQUEST_SEND, REQUEST_VERIFY };

/* The parts of an answer that predicates look at. */
struct reply {
	long status;
	json_t *json;	  /* NULL if the body is not JSON */
	const char *text; /* the body as it came; NULL if it cannot be read */
};

struct outcome {
	enum provider_class class;
	long status;	  /* the status of the answer; 0 if no answer came */
	long retry_after; /* seconds; 0 if the provider did not say */
	bool written;	  /* the request may have reached the provider */
	/* It failed by name lookup, TCP, TLS, 5xx, credit or credentials. The user who signs in
	 * cannot cause that. */
	bool outage;
	const char *detail; /* a phrase for the log, static; "" for none */
};

/*
 * Renders q with the bindings and makes the request once, before dl. The class of the answer
 * follows from `expect`, else from the first `fail` rule that matches, else from the status. If it
 * is CLASS_OK, the captures are added to the bindings. 0, whatever the class; -OTP_EGONE if the
 * peer hung up meanwhile.
 */
int request_make(const struct request *q, enum request_purpose purpose, struct bindings *b,
    struct http *h, const struct http_route *route, struct deadline dl, struct outcome *o);

/* Begins a request and does not wait for it, see http_begin(). */
void request_warm(
    const struct request *q, struct bindings *b, struct http *h, const struct http_route *route);

/* True if the predicate matches the answer. */
bool expect_holds(const struct expect *e, const struct reply *a);

#endif
