/* A profile's request, rendered and made; its answer, judged. */
#ifndef OTP_PROVIDER_REQUEST_H
#define OTP_PROVIDER_REQUEST_H

#include "common/deadline.h"
#include "helpers/template/bindings.h"
#include "helpers/http/http.h"
#include "helpers/profile/profile.h"

/* What a request is for: the default classes differ. */
enum request_purpose { REQUEST_SEND, REQUEST_VERIFY };

/* What is judged of an answer. json is NULL where the body is no JSON, text where there is none. */
struct reply {
	long status;
	json_t *json;
	const char *text;
};

struct outcome {
	enum provider_class class;
	long status;	  /* of the answer, 0 without one */
	long retry_after; /* seconds, 0 when the provider did not say */
	/* The request may have reached the provider. */
	bool written;
	/* It failed by name lookup, TCP, TLS, 5xx, credit or credentials: nobody's doing here. */
	bool outage;
	const char *detail; /* a phrase for the log, static */
};

/*
 * Renders q with the bindings, makes it once before dl, judges the answer by `expect`, then by the
 * `fail` rules, then by the default table. On CLASS_OK the captures are added to the bindings.
 * 0, or -OTP_EGONE.
 */
int request_make(const struct request *q, enum request_purpose purpose, struct bindings *b,
    struct http *h, const struct http_route *route, struct deadline dl, struct outcome *o);

/*
 * Begins a request whose answer does not matter: it opens the connection that a later one uses.
 * Nothing is waited for.
 */
void request_warm(
    const struct request *q, struct bindings *b, struct http *h, const struct http_route *route);

/* Does the predicate hold of this answer? */
bool expect_holds(const struct expect *e, const struct reply *a);

#endif
