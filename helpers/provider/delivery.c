#include "helpers/provider/delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "helpers/conf/parse.h"

struct route {
	const struct conf_channel *channel;
	struct provider **provider;
	size_t nproviders;
};

/* What delivery_cleanup() needs. These are copies, because the sign-in has ended by then. */
struct leftover {
	const struct provider *provider;
	struct secret captures;
	struct contact contact;
	char user[256];
	char service[256];
	char channel[64];
};

struct http_delivery {
	struct delivery base; /* must be the first member */
	struct provider_io io;
	struct route *route;
	size_t nroutes;
	const struct route *to_warm; /* delivery_idle() connects to its first provider; or NULL */
	struct leftover leftover;
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

static const struct provider *
provider_of(struct delivery *d, const char *channel, const char *name)
{
	struct route *r = route_of(d, channel);

	for (size_t i = 0; r && i < r->nproviders; i++)
		if (!*name || !strcmp(provider_name(r->provider[i]), name))
			return r->provider[i];
	return NULL;
}

void
delivered_clear(struct delivered *d)
{
	sent_clear(&d->sent);
	*d = (struct delivered){.sent = SENT_INIT(CLASS_BROKEN)};
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

static void
delivery_code_length(
    struct delivery *d, const char *channel, const char *provider, int *least, int *most)
{
	const struct provider *p = provider_of(d, channel, provider);
	const struct profile *f = p ? provider_profile(p) : NULL;
	bool ours = !f || f->code_by == CODE_BY_MODULE;

	*least = ours ? 0 : f->code_min;
	*most = ours ? 0 : f->code_max;
}

static bool
limits_rate(enum provider_class c)
{
	return c == CLASS_RATE_LIMITED || c == CLASS_TOO_MANY;
}

static bool
may_ask_next(enum provider_class c, const struct sending *q)
{
	return (q->known && limits_rate(c)) || c == CLASS_PROVIDER_DOWN || c == CLASS_NO_CREDIT ||
	       c == CLASS_BAD_DESTINATION || c == CLASS_BAD_CREDENTIALS || c == CLASS_REFUSED;
}

static bool
proves_nothing_sent(enum provider_class c)
{
	return c == CLASS_NO_CREDIT || c == CLASS_BAD_CREDENTIALS || c == CLASS_RATE_LIMITED;
}

/* Puts into *out what is known about a provider before it is asked. */
static void
name_provider(const struct provider *p, struct delivered *out)
{
	const struct profile *f = provider_profile(p);

	(void)snprintf(out->provider, sizeof(out->provider), "%s", provider_name(p));
	out->code_by = f->code_by;
	out->bound_to = f->bound_to;
	out->identity[0] = '\0';
}

/*
 * Returns the index of the provider to ask first. After a send that was not answered, this is the
 * next provider, so that the one that did not answer comes last.
 */
static size_t
first_of(const struct route *route, const struct last_send *last)
{
	for (size_t i = 0; last && last->unanswered && i < route->nproviders; i++)
		if (!strcmp(provider_name(route->provider[i]), last->provider))
			return i + 1;
	return 0;
}

/* What is known of the providers that failed in this call. */
struct failed {
	size_t asked;
	bool bad_destination; /* one refused the address */
	bool other;	      /* one failed in a way that the user may cause */
	bool rate_limited;    /* one limits the rate */
	long retry_after;     /* the shortest time that such a one named, or 0 */
};

/* Returns the class of a call in which every provider that was asked has failed. */
static enum provider_class
class_of_failed(const struct failed *f, const struct route *route)
{
	if (f->bad_destination)
		return CLASS_BAD_DESTINATION;
	if (f->rate_limited)
		return CLASS_RATE_LIMITED;
	/* A provider that was not asked in time may be up, so this does not count as an outage. */
	return f->other || f->asked < route->nproviders ? CLASS_REFUSED : CLASS_PROVIDER_DOWN;
}

/* Returns the shorter of two times, of which 0 means that it is not known. */
static long
sooner(long a, long b)
{
	return !a || (b && b < a) ? b : a;
}

/* Asks one provider. Returns what delivery_send() returns. */
static int
ask(struct http_delivery *h, const struct provider *p, const struct sending *q, struct deadline dl,
    struct failed *f, struct delivered *out)
{
	const struct outcome *o = &out->sent.outcome;
	int r;

	sent_clear(&out->sent);
	name_provider(p, out);
	out->instead = f->asked > 0;
	/* Without the identity, nothing could protect the codes that are live there. */
	if (out->bound_to == BOUND_TO_ADDRESS && provider_identity(p, q, out->identity)) {
		f->asked++;
		f->other = true;
		out->sent.outcome.class = CLASS_REFUSED;
		return 0;
	}
	out->pretended = out->bound_to == BOUND_TO_ADDRESS && q->spares &&
			 q->spares(q->spares_arg, out->identity, q->contact->address);
	if (out->pretended) {
		out->sent.outcome.class = CLASS_OK;
		return 0;
	}
	r = provider_send(p, &h->io, q, dl, &out->sent);
	out->nothing_sent &= !o->written || proves_nothing_sent(o->class);
	f->asked++;
	f->other |= !o->outage;
	f->bad_destination |= o->class == CLASS_BAD_DESTINATION;
	if (limits_rate(o->class)) {
		f->rate_limited = true;
		f->retry_after = sooner(f->retry_after, o->retry_after);
	}
	return r;
}

static int
delivery_send(struct delivery *d, const struct sending *q, const struct last_send *last,
    const struct conf_signin *options, struct deadline all, struct delivered *out)
{
	struct http_delivery *h = (struct http_delivery *)d;
	struct route *route = route_of(d, q->channel);
	struct sending whole = *q;
	struct failed failed = {0};
	size_t first;

	*out = (struct delivered){.sent = SENT_INIT(CLASS_BROKEN), .nothing_sent = true};
	if (!route)
		return 0;
	first = first_of(route, last);
	if (q->kind == SENDING_CODE)
		whole.message = route->channel->message;
	while (failed.asked < route->nproviders && !deadline_passed(all)) {
		const struct provider *p =
		    route->provider[(first + failed.asked) % route->nproviders];
		struct deadline one = deadline_first(all, deadline_in(options->attempt_timeout));
		int r;

		if (q->kind == SENDING_NOTICE && !provider_takes_message(p)) {
			failed.asked++;
			failed.other = true;
			continue;
		}
		/* No provider gets what another one captured. */
		whole.captures =
		    last && !strcmp(last->provider, provider_name(p)) ? q->captures : NULL;
		r = ask(h, p, &whole, one, &failed, out);
		if (r || !may_ask_next(out->sent.outcome.class, q))
			return r;
	}
	out->sent.outcome.class = class_of_failed(&failed, route);
	if (failed.rate_limited)
		out->sent.outcome.retry_after = failed.retry_after;
	return 0;
}

/* Keeps what the clean-up request will need, if the check captured something. */
static void
note_leftover(struct http_delivery *h, const struct provider *p, const struct sending *q,
    const struct delivered *out)
{
	struct leftover *l = &h->leftover;

	if (!provider_profile(p)->cleanup || !out->sent.captures.len ||
	    secret_set(&l->captures, out->sent.captures.bytes, out->sent.captures.len))
		return;
	l->provider = p;
	l->contact = *q->contact;
	(void)snprintf(l->user, sizeof(l->user), "%s", q->user);
	(void)snprintf(l->service, sizeof(l->service), "%s", q->service);
	(void)snprintf(l->channel, sizeof(l->channel), "%s", q->channel);
}

static int
delivery_verify(struct delivery *d, const struct sending *q, const char *provider,
    const struct conf_signin *options, struct delivered *out)
{
	struct http_delivery *h = (struct http_delivery *)d;
	const struct provider *p = provider_of(d, q->channel, provider);
	struct sending whole = *q;
	int r;

	*out = (struct delivered){.sent = SENT_INIT(CLASS_REFUSED), .nothing_sent = true};
	/* This happens only if the configuration has changed since the code was sent. */
	if (!p || provider_profile(p)->code_by != CODE_BY_PROVIDER)
		return 0;
	whole.message = "";
	name_provider(p, out);
	r = provider_verify(p, &h->io, &whole, deadline_in(options->verify_timeout), &out->sent);
	/* If the request was written, the provider may have counted a try, whatever it answered. */
	out->nothing_sent = !out->sent.outcome.written;
	if (!r && out->sent.outcome.class == CLASS_OK)
		note_leftover(h, p, q, out);
	return r;
}

static void
delivery_warm(struct delivery *d, const char *channel)
{
	struct http_delivery *h = (struct http_delivery *)d;

	h->to_warm = route_of(d, channel);
}

void
delivery_idle(struct delivery *d, struct deadline dl)
{
	struct http_delivery *h = (struct http_delivery *)d;

	if (h->to_warm)
		provider_warm(h->to_warm->provider[0], &h->io);
	h->to_warm = NULL;
	http_idle(h->io.http, dl);
}

void
delivery_cleanup(struct delivery *d, int64_t ms)
{
	struct http_delivery *h = (struct http_delivery *)d;
	struct leftover *l = &h->leftover;
	struct sending q = {
	    .user = l->user,
	    .host = "",
	    .service = l->service,
	    .channel = l->channel,
	    .message = "",
	    .contact = &l->contact,
	    .code = "",
	    .captures = secret_str(&l->captures),
	};

	if (!l->provider)
		return;
	http_forget_peer(h->io.http);
	provider_cleanup(l->provider, &h->io, &q, deadline_in(ms));
}

/* Loads a provider and appends it to the route. */
static int
route_add(struct route *route, const struct conf *c, const char *name, uid_t second_owner,
    enum provider_secrets secrets, struct conf_report *report)
{
	const struct conf_provider *section = conf_provider(c, name);
	const char *channel = route->channel->name;
	struct provider *p = NULL;
	char where[sizeof("channel ") + CONF_NAME_MAX];
	int r;

	(void)snprintf(where, sizeof(where), "channel %s", channel);
	if (!section) {
		conf_error_at(report, c, where, "providers",
		    "there is no [provider %s]; add that section", name);
		return -OTP_ECONF;
	}
	r = provider_load(c, section, second_owner, secrets, &p, report);
	if (r)
		return r;
	r = provider_check_channel(p, channel, route->channel->message, report);
	if (r) {
		provider_free(p);
		return r;
	}
	route->provider[route->nproviders++] = p;
	if (provider_needs(p, channel) == provider_needs(route->provider[0], channel))
		return 0;
	conf_error_at(report, c, where, "providers",
	    "%s and %s need different kinds of contact; use a channel for each", name,
	    provider_name(route->provider[0]));
	return -OTP_ECONF;
}

/* Opens a channel. All its providers are tried, so that each error is reported. */
static int
route_open(struct http_delivery *h, const struct conf *c, const char *channel, uid_t second_owner,
    enum provider_secrets secrets, struct conf_report *report)
{
	struct route *route = &h->route[h->nroutes++];
	bool takes_message = false;
	int r = 0;

	route->channel = conf_channel(c, channel);
	if (!route->channel) {
		conf_error_at(report, c, "otp", "channels", "there is no [channel %s]", channel);
		return -OTP_ECONF;
	}
	route->provider = calloc(route->channel->providers.n + 1, sizeof(struct provider *));
	if (!route->provider)
		return -OTP_ENOMEM;
	for (size_t i = 0; i < route->channel->providers.n; i++) {
		int e = route_add(
		    route, c, route->channel->providers.item[i], second_owner, secrets, report);

		r = r ? r : e;
	}
	for (size_t i = 0; i < route->nproviders; i++)
		takes_message |= provider_takes_message(route->provider[i]);
	if (!r && *route->channel->message && !takes_message)
		return provider_no_message(c, channel, report);
	return !r && !route->nproviders ? -OTP_ECONF : r;
}

int
delivery_open(const struct conf *c, const struct strlist *channels, uid_t second_owner,
    enum provider_secrets secrets, const struct provider_io *io, struct delivery **out,
    struct conf_report *report)
{
	struct http_delivery *h = calloc(1, sizeof(*h));
	int r = h ? 0 : -OTP_ENOMEM;

	if (!r) {
		h->base = (struct delivery){
		    .send = delivery_send,
		    .verify = delivery_verify,
		    .warm = delivery_warm,
		    .needs = delivery_needs,
		    .code_length = delivery_code_length,
		};
		h->io = *io;
		h->route = calloc(channels->n + 1, sizeof(*h->route));
		r = h->route ? 0 : -OTP_ENOMEM;
	}
	for (size_t i = 0; h && h->route && i < channels->n; i++) {
		int e = route_open(h, c, channels->item[i], second_owner, secrets, report);

		r = r ? r : e;
	}
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
	secret_clear(&h->leftover.captures);
	free(h);
}
