#include <string.h>

#include "helpers/base/hosts.h"
#include "helpers/conf/internal.h"
#include "helpers/conf/parse.h"

/* The options of one [service ...] section, or of [otp], and the sections that set them. */
struct signin_view {
	const struct conf *c;
	const struct conf_signin *signin;
	const struct conf_section *own; /* [service ...]; NULL: these are the options of [otp] */
	const struct conf_section *otp; /* NULL if no file has it */
	struct conf_report *rep;
};

/* The section that sets the key, or NULL if its default holds. */
static const struct conf_section *
set_by(const struct signin_view *v, const char *key, const struct conf_setting **set)
{
	*set = conf_section_get(v->own, key);
	if (*set)
		return v->own;
	*set = conf_section_get(v->otp, key);
	return *set ? v->otp : NULL;
}

/* True if the value comes from [otp] or is a default: then the check of [otp] reports it. */
static bool
is_inherited(const struct signin_view *v, const char *key)
{
	return v->own && !conf_section_get(v->own, key);
}

static void
check_channels(const struct signin_view *v)
{
	const struct conf_setting *set;
	const struct conf_section *s = set_by(v, "channels", &set);

	if (is_inherited(v, "channels"))
		return;
	for (size_t i = 0; i < v->signin->channels.n; i++) {
		const char *name = v->signin->channels.item[i];

		if (!conf_channel(v->c, name))
			conf_error(v->rep, set ? set->file : v->c->internal->path,
			    set ? set->line : 0,
			    "[%s] channels: there is no [channel %s]; add that section, with a "
			    "line "
			    "providers = NAME",
			    s ? s->name : "otp", name);
	}
}

static void
check_order(const struct signin_view *v, const char *small, int64_t a, const char *large, int64_t b)
{
	char text_a[CONF_DURATION_TEXT], text_b[CONF_DURATION_TEXT];
	const struct conf_setting *set;
	const char *key = small;
	const struct conf_section *s = set_by(v, small, &set);

	if (a <= b || (is_inherited(v, small) && is_inherited(v, large)))
		return;
	/* The error names the line that most likely caused it: one of this section, if there is
	 * one. */
	if (!s || (v->own && s != v->own)) {
		key = large;
		s = set_by(v, large, &set);
	}
	conf_error(v->rep, s ? set->file : v->c->internal->path, s ? set->line : 0,
	    "[%s] %s: %s (%s) must not be longer than %s (%s)", s ? s->name : "otp", key, small,
	    conf_duration_text(a, text_a), large, conf_duration_text(b, text_b));
}

/*
 * Reports a service that is said to have a person in front of it, and to be unable to ask anybody.
 */
static void
check_people(const struct signin_view *v)
{
	const char *key = "interactive_services", *other = "never_prompt_services";
	const struct conf_signin *o = v->signin;
	const struct conf_setting *set;
	const struct conf_section *s = set_by(v, key, &set);

	if (is_inherited(v, key) && is_inherited(v, other))
		return;
	if (!s || (v->own && s != v->own)) {
		key = other;
		other = "interactive_services";
		s = set_by(v, key, &set);
	}
	for (size_t i = 0; i < o->interactive_services.n; i++) {
		const char *name = o->interactive_services.item[i];

		if (strlist_has(&o->never_prompt_services, name))
			conf_error(v->rep, s ? set->file : v->c->internal->path, s ? set->line : 0,
			    "[%s] %s: %s is in %s as well; a service can be in only one of them",
			    s ? s->name : "otp", key, name, other);
	}
}

/*
 * Warns of identity = caller at a service whose program names no caller. This is no error, because
 * another program may use the same service name and name its caller.
 */
static void
check_identity(const struct signin_view *v)
{
	const struct conf_setting *set = conf_section_get(v->own ? v->own : v->otp, "identity");

	if (!set || v->signin->identity != IDENTITY_CALLER)
		return;
	for (size_t i = 0; i < hosts_n; i++) {
		const char *service = hosts[i].service;

		if (!hosts[i].no_caller || conf_signin_for(v->c, service) != v->signin)
			continue;
		conf_warn(v->rep, set->file, set->line,
		    "[%s] identity: with caller, %s signs nobody in, because it names no caller; "
		    "set it in a section such as [service su su-l]",
		    v->own ? v->own->name : "otp", service);
		return;
	}
}

static void
check_signin(const struct signin_view *v)
{
	const struct conf_signin *s = v->signin;

	check_channels(v);
	check_people(v);
	check_identity(v);
	check_order(v, "attempt_timeout", s->attempt_timeout, "send_timeout", s->send_timeout);
	check_order(v, "send_timeout", s->send_timeout, "login_timeout", s->login_timeout);
	check_order(v, "verify_timeout", s->verify_timeout, "login_timeout", s->login_timeout);
}

static void
check_limits(const struct conf *c, struct conf_report *rep)
{
	const struct conf_section *s = conf_sections_find(&c->internal->sections, "limits");
	const struct conf_setting *set = conf_section_get(s, "backoff_first");
	char first[CONF_DURATION_TEXT], most[CONF_DURATION_TEXT];

	if (c->limits.backoff_first <= c->limits.backoff_most)
		return;
	if (!set)
		set = conf_section_get(s, "backoff_most");
	conf_error(rep, set->file, set->line,
	    "[limits] %s: backoff_first (%s) must not be longer than backoff_most (%s)", set->key,
	    conf_duration_text(c->limits.backoff_first, first),
	    conf_duration_text(c->limits.backoff_most, most));
}

/* The section of a channel or provider, for its file and lines. */
static const struct conf_section *
section_named(const struct conf *c, enum conf_kind kind, const char *name)
{
	const struct conf_sections *all = &c->internal->sections;
	const char *rest;

	for (size_t i = 0; i < all->n; i++)
		if (conf_section_kind(&all->item[i], &rest) == (int)kind && !strcmp(rest, name))
			return &all->item[i];
	return NULL;
}

static void
check_channel(const struct conf *c, const struct conf_channel *ch, struct conf_report *rep)
{
	const struct conf_setting *set =
	    conf_section_get(section_named(c, CONF_CHANNEL, ch->name), "providers");

	for (size_t i = 0; i < ch->providers.n; i++)
		if (!conf_provider(c, ch->providers.item[i]))
			conf_error(rep, set->file, set->line,
			    "[channel %s] providers: there is no [provider %s]; add that section",
			    ch->name, ch->providers.item[i]);
}

void
conf_check(const struct conf *c, int64_t now_s, struct conf_report *rep)
{
	const struct conf_internal *in = c->internal;
	struct signin_view v = {
	    .c = c,
	    .signin = &c->signin,
	    .otp = conf_sections_find(&in->sections, "otp"),
	    .rep = rep,
	};

	check_signin(&v);
	for (size_t i = 0; i < in->nservices; i++) {
		v.signin = &in->service[i].signin;
		v.own = in->service[i].section;
		check_signin(&v);
	}
	check_limits(c, rep);
	for (size_t i = 0; i < c->nchannels; i++)
		check_channel(c, &c->channel[i], rep);
	for (size_t i = 0; i < c->nexempts; i++)
		conf_check_exempt(c, &c->exempt[i], now_s, rep);
}
