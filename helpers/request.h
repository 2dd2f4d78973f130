/* A profile's request, rendered and made; its answer, judged. */
#ifndef OTP_REQUEST_H
#define OTP_REQUEST_H

#include "common/deadline.h"
#include "helpers/bindings.h"
#include "helpers/http.h"
#include "helpers/profile.h"

/* What a request is for: the default classes differ. */
enum request_purpose { REQUEST_SEND };

struct outcome {
	enum provider_class class;
	long status;
	long retry_after;
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
    struct http *h, const char *ca, const char *proxy, struct deadline dl, struct outcome *o);

/* Does the predicate hold of this answer? body is NULL where the answer is no JSON. */
bool expect_holds(const struct expect *e, long status, json_t *body);

#endif
