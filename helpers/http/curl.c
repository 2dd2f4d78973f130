/*
 * Drives libcurl's transfers. transfer.c says what a transfer may do.
 *
 * MUST:
 *  - libcurl's own timeouts stay off, because they wait for a name lookup that hangs. The loop here
 *    keeps the deadline. It abandons a transfer that libcurl would wait for.
 *  - Every wait also watches the peer.
 */
#include "helpers/http/curl.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "common/err.h"
#include "helpers/http/peer.h"
#include "helpers/http/probe.h"
#include "helpers/http/transfer.h"

enum {
	SLICE_MS = 100,	    /* the longest single wait; if it takes longer, we were stopped */
	LOST_MAX_MS = 1000, /* if more time was lost, a missed deadline is no provider's fault */
};

struct curl_http {
	struct http base; /* must be the first member */
	int peer;
	const char *ca_dir;
	CURLM *multi;
	struct transfer *begun; /* what curl_begin() has begun, until it ends; or NULL */
	/* Cut off by a deadline. They are never freed, because libcurl's threads may use them. */
	struct transfer *abandoned;
};

/* Removes a transfer from the multi handle and frees it. */
static void
transfer_end(struct curl_http *h, struct transfer *t)
{
	(void)curl_multi_remove_handle(h->multi, t->easy);
	transfer_free(t);
}

/*
 * Looks for transfers that have ended. If t is one of them, sets *code to the result of t and
 * returns true.
 */
static bool
collect(struct curl_http *h, const struct transfer *t, CURLcode *code)
{
	bool found = false;
	int queued;
	CURLMsg *m;

	while ((m = curl_multi_info_read(h->multi, &queued))) {
		if (m->msg != CURLMSG_DONE)
			continue;
		if (t && m->easy_handle == t->easy) {
			*code = m->data.result;
			found = true;
		} else if (h->begun && m->easy_handle == h->begun->easy) {
			transfer_end(h, h->begun);
			h->begun = NULL;
		}
	}
	return found;
}

/*
 * Runs all transfers until t has ended. t may be NULL. 0, with the result of t in *code;
 * -OTP_ETIME: dl has passed; -OTP_EGONE: the peer hung up; -OTP_ESYS: this process was kept from
 * running; -OTP_ENOMEM.
 */
static int
drive(struct curl_http *h, const struct transfer *t, struct deadline dl, CURLcode *code)
{
	struct pace pace;

	pace_begin(&pace);
	for (;;) {
		struct curl_waitfd extra = {.fd = h->peer, .events = CURL_WAIT_POLLIN};
		int running, ready, r, wait = deadline_left(dl);

		/*
		 * For a mail, libcurl has a timeout of its own, shortly after dl. It must not end
		 * the transfer before this function returns -OTP_ETIME. So libcurl is not run once
		 * dl has passed.
		 */
		if (!(t && t->is_mail && !wait) && curl_multi_perform(h->multi, &running))
			return -OTP_ENOMEM;
		if (collect(h, t, code))
			return 0;
		pace_worked(&pace);
		if (deadline_passed(dl))
			return pace.lost_ms > LOST_MAX_MS ? -OTP_ESYS : -OTP_ETIME;
		if (wait > SLICE_MS)
			wait = SLICE_MS;
		if (curl_multi_poll(h->multi, &extra, h->peer >= 0, wait, &ready))
			return -OTP_ESYS;
		pace_waited(&pace, wait);
		r = extra.revents ? peer_check(h->peer) : 0;
		if (r)
			return r;
	}
}

static void
put_aside(struct curl_http *h, struct transfer *t)
{
	t->answer = NULL;
	t->multi = h->multi;
	t->next = h->abandoned;
	h->abandoned = t;
}

/*
 * Abandons the multi handle with its transfers, t among them: libcurl would wait for their name
 * lookups when it closes them. Nothing drives them any more, so no callback runs again.
 */
static void
abandon(struct curl_http *h, struct transfer *t)
{
	if (t)
		put_aside(h, t);
	if (h->begun)
		put_aside(h, h->begun);
	h->begun = NULL;
	h->multi = NULL;
}

static void
curl_close(struct http *base)
{
	struct curl_http *h = (struct curl_http *)base;

	if (h->begun)
		abandon(h, NULL);
	if (h->multi)
		(void)curl_multi_cleanup(h->multi);
	h->multi = NULL;
	if (h->abandoned)
		return;
	curl_global_cleanup();
	free(h);
}

/* Prepares a transfer and adds it to the multi handle. The caller ends *out. */
static int
start(struct curl_http *h, const struct http_request *q, const struct http_route *route,
    struct deadline dl, struct http_answer *a, struct transfer **out)
{
	struct transfer *t;
	int r = transfer_new(q, route, h->peer, h->ca_dir, dl, a, &t);

	if (r)
		return r;
	if (!h->multi)
		h->multi = curl_multi_init();
	if (!h->multi || curl_multi_add_handle(h->multi, t->easy)) {
		transfer_free(t);
		return -OTP_ENOMEM;
	}
	*out = t;
	return 0;
}

static int
curl_perform(struct http *base, const struct http_request *q, const struct http_route *route,
    struct deadline dl, struct http_answer *a)
{
	struct curl_http *h = (struct curl_http *)base;
	struct transfer *t;
	CURLcode code = CURLE_OK;
	int r = start(h, q, route, dl, a, &t);

	if (r)
		return r;
	r = drive(h, t, dl, &code);
	if (r == -OTP_ETIME && !a->written && !probe_machine())
		r = -OTP_ESYS;
	if (r) {
		a->failure = otp_strerror(r);
		abandon(h, t);
		return r;
	}
	r = transfer_judge(code, t, a);
	transfer_end(h, t);
	return r;
}

static void
curl_begin(struct http *base, const struct http_request *q, const struct http_route *route)
{
	struct curl_http *h = (struct curl_http *)base;
	int running;

	if (h->begun || start(h, q, route, deadline_in(0), NULL, &h->begun))
		return;
	(void)curl_multi_perform(h->multi, &running);
}

static void
curl_idle(struct http *base, struct deadline dl)
{
	struct curl_http *h = (struct curl_http *)base;
	CURLcode code;

	if (h->begun)
		(void)drive(h, NULL, dl, &code);
}

static void
curl_forget_peer(struct http *h)
{
	((struct curl_http *)h)->peer = -1;
}

int
curl_http_open(int peer, const char *ca_dir, struct http **out)
{
	static const struct http_ops ops = {
	    .perform = curl_perform,
	    .begin = curl_begin,
	    .idle = curl_idle,
	    .forget_peer = curl_forget_peer,
	    .close = curl_close,
	};
	struct curl_http *h = calloc(1, sizeof(*h));

	if (!h)
		return -OTP_ENOMEM;
	if (curl_global_init(CURL_GLOBAL_DEFAULT)) {
		free(h);
		return -OTP_ECRYPTO;
	}
	h->base.ops = &ops;
	h->peer = peer;
	h->ca_dir = ca_dir;
	*out = &h->base;
	return 0;
}
