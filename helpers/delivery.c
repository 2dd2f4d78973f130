#include "helpers/delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

struct route {
	const struct conf_channel *channel;
	struct provider **provider;
	size_t nproviders;
};

struct http_delivery {
	struct delivery base; /* first */
	struct http *http;
	struct route *route;
	size_t nroutes;
};

static struct route *
route_of(struct delivery *d, const char *channel)
{
	struct http_delivery *h = (struct http_delivery *)d;

	for (size_t i = 0; i < h->nroutes; i++)
		if (!strcmp(h->route[i].channel->name, channel))
			return &h->route[i];
	return NULL;
}

static int
delivery_needs(struct delivery *d, const char *channel, enum contact_kind *kind)
{
	struct route *r = route_of(d, channel);

	if (!r)
		return -OTP_ENOENT;
	*kind = provider_needs(r->provider[0], channel);
	return 0;
}

static bool
may_ask_next(enum provider_class c)
{
	return c == CLASS_PROVIDER_DOWN || c == CLASS_NO_CREDIT || c == CLASS_BAD_DESTINATION ||
	       c == CLASS_BAD_CREDENTIALS;
}

static bool
proves_nothing_sent(enum provider_class c)
{
	return c == CLASS_NO_CREDIT || c == CLASS_BAD_CREDENTIALS || c == CLASS_RATE_LIMITED;
}

static int
delivery_send(struct delivery *d, const struct sending *q, const struct conf_signin *options,
    struct delivered *out)
{
	struct http_delivery *h = (struct http_delivery *)d;
	struct route *route = route_of(d, q->channel);
	struct deadline all = deadline_in(options->send_timeout);
	struct sending whole = *q;
	bool bad_destination = false, outage = true;

	*out = (struct delivered){.class = CLASS_BROKEN, .nothing_sent = true};
	if (!route)
		return 0;
	whole.message = route->channel->message;
	for (size_t i = 0; i < route->nproviders && (!i || !deadline_passed(all)); i++) {
		struct sent s;
		int r = provider_send(route->provider[i], h->http, &whole,
		    deadline_first(all, deadline_in(options->attempt_timeout)), &s);

		if (r)
			return r;
		(void)snprintf(
		    out->provider, sizeof(out->provider), "%s", provider_name(route->provider[i]));
		out->class = s.class;
		out->retry_after = s.retry_after;
		out->nothing_sent &= !s.written || proves_nothing_sent(s.class);
		if (!may_ask_next(s.class))
			return 0;
		bad_destination |= s.class == CLASS_BAD_DESTINATION;
		outage &= s.outage;
	}
	out->class = bad_destination ? CLASS_BAD_DESTINATION
		     : outage	     ? CLASS_PROVIDER_DOWN
				     : CLASS_REFUSED;
	return 0;
}

static int
route_open(struct http_delivery *h, const struct conf *c, const char *channel, uid_t also,
    struct buf *report)
{
	struct route *route = &h->route[h->nroutes++];
	int r = 0;

	route->channel = conf_channel(c, channel);
	if (!route->channel) {
		buf_putf(report, "there is no [channel %s]\n", channel);
		return -OTP_ECONF;
	}
	route->provider = calloc(route->channel->providers.n + 1, sizeof(struct provider *));
	if (!route->provider)
		return -OTP_ENOMEM;
	for (size_t i = 0; !r && i < route->channel->providers.n; i++) {
		const char *name = route->channel->providers.item[i];
		const struct conf_provider *section = conf_provider(c, name);
		struct provider *p = NULL;

		if (!section) {
			buf_putf(report, "[channel %s] providers: there is no [provider %s]\n",
			    channel, name);
			return -OTP_ECONF;
		}
		r = provider_load(c, section, also, PROVIDER_READ_SECRETS, &p, report);
		if (!r) {
			route->provider[route->nproviders++] = p;
			r = provider_check_channel(p, channel, route->channel->message, report);
		}
	}
	return !r && !route->nproviders ? -OTP_ECONF : r;
}

int
delivery_open(const struct conf *c, const struct strlist *channels, uid_t also, int peer,
    struct delivery **out, struct buf *report)
{
	struct http_delivery *h = calloc(1, sizeof(*h));
	int r = h ? 0 : -OTP_ENOMEM;

	if (!r) {
		h->base = (struct delivery){delivery_send, delivery_needs};
		h->route = calloc(channels->n + 1, sizeof(*h->route));
		r = h->route ? http_open(peer, OTP_CA_DIR, &h->http) : -OTP_ENOMEM;
	}
	for (size_t i = 0; !r && i < channels->n; i++)
		r = route_open(h, c, channels->item[i], also, report);
	if (r)
		delivery_close(h ? &h->base : NULL);
	else
		*out = &h->base;
	return r;
}

void
delivery_close(struct delivery *d)
{
	struct http_delivery *h = (struct http_delivery *)d;

	if (!h)
		return;
	for (size_t i = 0; h->route && i < h->nroutes; i++) {
		for (size_t k = 0; k < h->route[i].nproviders; k++)
			provider_free(h->route[i].provider[k]);
		free(h->route[i].provider);
	}
	free(h->route);
	http_close(h->http);
	free(h);
}
