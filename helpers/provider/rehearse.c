/*
 * Renders every request of a provider for an invented user. A request that cannot be rendered for
 * this user can be rendered for nobody, unless it depends on an attribute of the user.
 */
#include "helpers/provider/internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "common/err.h"
#include "helpers/base/json.h"
#include "helpers/http/url.h"
#include "helpers/provider/render.h"

/* The values that stand for those of the user and of earlier answers. */
#define SAMPLE_TEXT  "1"
#define SAMPLE_PHONE "+12025550123"
#define SAMPLE_EMAIL "user@mail.example"
#define SAMPLE_CODE  "123456"

struct rehearsal {
	struct bindings b; /* must be the first member */
	const char *(*bound)(const struct template_values *v, const char *name);
	const struct provider *p;
	const char *channel;
	struct conf_report *report;
};

/* A value of the bindings; a sample for an attribute of the user. */
static const char *
sample(const struct template_values *v, const char *name)
{
	const struct rehearsal *h = (const struct rehearsal *)v;

	return strncmp(name, "attr.", 5) ? h->bound(v, name) : SAMPLE_TEXT;
}

static int
bind_captures(struct rehearsal *h, const struct request *q)
{
	int r = 0;

	for (size_t i = 0; q && !r && i < q->ncaptures; i++)
		r = bindings_set(&h->b, q->capture[i].name, SAMPLE_TEXT);
	return r;
}

/* Binds what is not read or known yet: secrets that were only named, and captures. */
static int
bind_rest(struct rehearsal *h)
{
	const struct profile *f = h->p->profile;
	int r = 0;

	for (size_t i = 0; !r && i < f->nvars; i++)
		if (f->var[i].secret && provider_has(h->p, f->var[i].name) && !h->p->secret[i].len)
			r = bindings_set(&h->b, f->var[i].name, SAMPLE_TEXT);
	r = r ? r : bind_captures(h, f->token ? &f->token->request : NULL);
	r = r ? r : bind_captures(h, &f->send);
	r = r ? r : bind_captures(h, f->resend);
	return r ? r : bind_captures(h, f->verify);
}

static int
first_variable(const char *name, const char *conversion, void *arg)
{
	(void)conversion;
	(void)snprintf(arg, TEMPLATE_NAME_MAX, "%s", name);
	return 1;
}

/* Reports the part of a mail that is wrong, at the setting from which it comes. */
static int
report_part(struct rehearsal *h, const struct request *q, const char *part, const char *what)
{
	const struct pair *pair = pairs_find(&q->mail, part);
	char name[TEMPLATE_NAME_MAX] = "";
	const char *why;

	if (pair)
		(void)template_scan(pair->value, first_variable, name, &why);
	if (profile_var(h->p->profile, name))
		return provider_fault(h->p, name, h->report, "%s", what);
	conf_error(h->report, h->p->profile->file, 0, "/send/mail/%s: %s", part, what);
	return -OTP_ECONF;
}

/* True if a value from an answer or an attribute decides: it may be right in a real request. */
static bool
depends_on_answers(json_t *value, const struct profile *f)
{
	char name[TEMPLATE_NAME_MAX];
	const char *conversion, *key;
	json_t *item;
	bool found = false;
	size_t i;

	if (json_is_string(value))
		return template_typed(json_string_value(value), name, sizeof(name), &conversion) &&
		       !profile_var(f, name) && !strcmp(conversion, "bool");
	json_object_foreach (value, key, item)
		found |= depends_on_answers(item, f);
	json_array_foreach (value, i, item)
		found |= depends_on_answers(item, f);
	return found;
}

static int
rehearse(struct rehearsal *h, const char *name, const struct request *q)
{
	struct rendered d = {.nheaders = 0};
	const char *why = "a value does not fit its place, or the request is too large", *part;
	struct url url;
	int r = request_render(q, &h->b.values, &d);

	if (r == -OTP_ENOMEM || (r && depends_on_answers(q->json, h->p->profile))) {
		rendered_free(&d);
		return r == -OTP_ENOMEM ? r : 0;
	}
	if (!r)
		why = url_read(buf_str(&d.url), url_use_of(d.is_mail, h->p->section->proxy), &url);
	if (why) {
		conf_error(h->report, h->p->profile->file, 0,
		    "/%s: with [provider %s], this request cannot be made over the channel %s: %s",
		    name, h->p->section->name, h->channel, why);
		r = -OTP_ECONF;
	} else if (d.is_mail && (why = http_mail_wrong(&d.mail, &part))) {
		r = report_part(h, q, part, why);
	}
	rendered_free(&d);
	return r;
}

static int
rehearse_all(struct rehearsal *h)
{
	struct named_request all[PROVIDER_REQUESTS];
	int r = 0;

	provider_requests(h->p, all);
	/* `warm` comes last and is left out: if it fails, the connection is only made later. */
	for (size_t i = 0; !r && i < PROVIDER_REQUESTS - 1; i++)
		if (all[i].request)
			r = rehearse(h, all[i].name, all[i].request);
	return r;
}

int
provider_rehearse(
    const struct provider *p, const char *channel, const char *message, struct conf_report *report)
{
	struct rehearsal h = {.p = p, .channel = channel, .report = report};
	struct utsname host;
	struct contact c = {.kind = provider_needs(p, channel)};
	const struct sending q = {
	    .user = "user",
	    .host = uname(&host) ? "" : host.nodename,
	    .service = "sshd",
	    .channel = channel,
	    .message = message,
	    .contact = &c,
	    .code = SAMPLE_CODE,
	    .code_length = sizeof(SAMPLE_CODE) - 1,
	    .ttl = 60 * 1000,
	};
	int r;

	(void)snprintf(c.address, sizeof(c.address), "%s",
	    c.kind == CONTACT_PHONE ? SAMPLE_PHONE : SAMPLE_EMAIL);
	bindings_init(&h.b);
	h.bound = h.b.values.get;
	h.b.values.get = sample;
	r = provider_bind(p, &q, &h.b);
	if (r && r != -OTP_ENOMEM)
		r = provider_fault(p, "profile", report,
		    "the values of its settings or the text of its message are too long");
	r = r ? r : bind_rest(&h);
	r = r ? r : rehearse_all(&h);
	bindings_clear(&h.b);
	return r;
}
