/* Makes a configuration of the sections of all files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "common/own.h"
#include "helpers/conf/file.h"
#include "helpers/conf/internal.h"
#include "helpers/conf/parse.h"

/* A configuration while it is made. */
struct making {
	struct conf *c;
	struct conf_report *rep;
};

/* A likely cause of a wrong value, or "". */
static const char *
hint_at_cause(const char *text)
{
	if (strstr(text, " #") || strstr(text, " ;"))
		return " (text after a value is part of it; a comment needs a line of its own)";
	if (text[0] == '"' || text[0] == '\'')
		return " (quotes are part of a value; leave them out)";
	if (!text[0])
		return " (there is nothing after the =)";
	return "";
}

static int
set_option(struct making *m, const struct conf_option *o, void *base, const char *section,
    const struct conf_setting *s)
{
	char wrong[CONF_WRONG_MAX];
	int r = conf_set(o, base, s->value);

	if (r != -OTP_EINVAL)
		return r;
	conf_error(m->rep, s->file, s->line, "[%s] %s: %s%s", section, o->key,
	    conf_wrong(o, s->value, wrong), hint_at_cause(s->value));
	return 0;
}

/* Sets the options of the section in the struct at base; if s is NULL, sets the defaults. */
static int
set_options(struct making *m, enum conf_kind kind, void *base, const struct conf_section *s)
{
	enum conf_kind keys = kind == CONF_SERVICE ? CONF_OTP : kind;
	char expects[CONF_EXPECTS_MAX];
	int r = 0;

	for (size_t i = 0; !r && i < conf_table_n; i++) {
		const struct conf_option *o = &conf_table[i];
		const struct conf_setting *set = conf_section_get(s, o->key);

		if (o->kind != keys)
			continue;
		if (!s)
			r = o->def ? conf_set(o, base, o->def) : 0;
		else if (set)
			r = set_option(m, o, base, s->name, set);
		else if (o->required)
			conf_error(m->rep, s->file, s->line, "[%s] %s is missing; expected %s",
			    s->name, o->key, conf_expects(o, expects));
	}
	return r;
}

/* The kind of section that has this key, or NULL. */
static const char *
other_kind(const char *key)
{
	for (size_t i = 0; i < conf_table_n; i++)
		if (!strcmp(conf_table[i].key, key))
			return conf_kind_name(conf_table[i].kind);
	return NULL;
}

static void
report_unknown_key(struct making *m, enum conf_kind kind, const struct conf_section *s,
    const struct conf_setting *set)
{
	enum conf_kind keys = kind == CONF_SERVICE ? CONF_OTP : kind;
	const char *candidate[64] = {NULL}, *near, *other = other_kind(set->key);
	size_t n = 0;

	for (size_t i = 0; i < conf_table_n && n < sizeof(candidate) / sizeof(*candidate); i++)
		if (conf_table[i].kind == keys)
			candidate[n++] = conf_table[i].key;
	near = conf_suggest(set->key, candidate, n);
	if (other)
		conf_error(m->rep, set->file, set->line,
		    "[%s] %s: this key belongs to [%s]; move it there", s->name, set->key, other);
	else
		conf_error(m->rep, set->file, set->line, "[%s] %s: there is no such key%s%s%s",
		    s->name, set->key, near ? "; did you mean " : "", near ? near : "",
		    near ? "?" : "");
}

static void
check_keys(struct making *m, enum conf_kind kind, const struct conf_section *s)
{
	for (size_t i = 0; i < s->nsettings; i++) {
		const struct conf_setting *set = &s->setting[i];

		if (conf_option(kind, set->key))
			continue;
		if (kind != CONF_PROVIDER)
			report_unknown_key(m, kind, s, set);
		else if (!conf_is_name(set->key))
			conf_error(m->rep, set->file, set->line,
			    "[%s] %s: a key is made of a-z, 0-9, _ and -", s->name, set->key);
		else if (*hint_at_cause(set->value))
			conf_warn(m->rep, set->file, set->line, "[%s] %s: check this value%s",
			    s->name, set->key, hint_at_cause(set->value));
	}
}

/*
 * Adds a zeroed element to an array of n elements. array points to the owner's pointer, which
 * changes. Returns the new element, or NULL without memory.
 */
static void *
grow(void *array, size_t n, size_t size)
{
	void *old;
	char *grown;

	memcpy(&old, array, sizeof(old));
	grown = reallocarray(old, n + 1, size);
	if (!grown)
		return NULL;
	memcpy(array, &grown, sizeof(grown));
	return memset(grown + n * size, 0, size);
}

static int
make_channel(struct making *m, const struct conf_section *s, const char *name)
{
	struct conf_channel *ch = grow(&m->c->channel, m->c->nchannels, sizeof(*ch));

	if (!ch)
		return -OTP_ENOMEM;
	m->c->nchannels++;
	ch->name = strdup(name);
	if (!ch->name || set_options(m, CONF_CHANNEL, ch, NULL))
		return -OTP_ENOMEM;
	return set_options(m, CONF_CHANNEL, ch, s);
}

static int
take_vars(struct conf_provider *p, const struct conf_section *s)
{
	p->vars = calloc(s->nsettings + 1, sizeof(*p->vars));
	if (!p->vars)
		return -OTP_ENOMEM;
	for (size_t i = 0; i < s->nsettings; i++) {
		const struct conf_setting *from = &s->setting[i];
		struct conf_setting *to = &p->vars[p->nvars];

		if (conf_option(CONF_PROVIDER, from->key))
			continue;
		p->nvars++;
		to->key = strdup(from->key);
		to->value = strdup(from->value);
		to->file = strdup(from->file);
		to->line = from->line;
		if (!to->key || !to->value || !to->file)
			return -OTP_ENOMEM;
	}
	return 0;
}

static int
make_provider(struct making *m, const struct conf_section *s, const char *name)
{
	struct conf_provider *p = grow(&m->c->provider, m->c->nproviders, sizeof(*p));

	if (!p)
		return -OTP_ENOMEM;
	m->c->nproviders++;
	p->line = s->line;
	p->name = strdup(name);
	p->profile = strdup(name);
	p->file = strdup(s->file);
	if (!p->name || !p->profile || !p->file || take_vars(p, s))
		return -OTP_ENOMEM;
	return set_options(m, CONF_PROVIDER, p, s);
}

static int
make_exempt(struct making *m, const struct conf_section *s, const char *name)
{
	struct conf_exempt *e = grow(&m->c->exempt, m->c->nexempts, sizeof(*e));

	if (!e)
		return -OTP_ENOMEM;
	m->c->nexempts++;
	e->name = strdup(name);
	if (!e->name)
		return -OTP_ENOMEM;
	return set_options(m, CONF_EXEMPT, e, s);
}

/* Reads the services that a heading names. A service that has a section already is an error. */
static int
take_services(
    struct making *m, const struct conf_section *s, const char *names, struct conf_service *service)
{
	_auto_free char *copy = strdup(names);
	char *save = NULL;

	if (!copy)
		return -OTP_ENOMEM;
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		const struct conf_internal *in = m->c->internal;

		if (!conf_is_service(word))
			conf_error(m->rep, s->file, s->line,
			    "[%s]: \"%s\" is not the name of a PAM service; these are in lower "
			    "case",
			    s->name, word);
		for (size_t i = 0; i < in->nservices; i++)
			if (strlist_has(&in->service[i].names, word))
				conf_error(m->rep, s->file, s->line,
				    "[%s]: the service %s has a section already, [%s] on line %u "
				    "of %s",
				    s->name, word, in->service[i].section->name,
				    in->service[i].section->line, in->service[i].section->file);
		if (!strlist_add(&service->names, word))
			return -OTP_ENOMEM;
	}
	return 0;
}

static int
make_service(struct making *m, const struct conf_section *s, const char *names)
{
	struct conf_internal *in = m->c->internal;
	struct conf_service *service = grow(&in->service, in->nservices, sizeof(*service));
	const struct conf_section *otp = conf_sections_find(&in->sections, "otp");
	/* Errors in [otp] have been reported when [otp] was read: discard them here. */
	struct conf_report discarded = {.full = true};
	struct making again = {.c = m->c, .rep = &discarded};
	int r;

	if (!service)
		return -OTP_ENOMEM;
	in->nservices++;
	service->section = s;
	r = take_services(m, s, names, service);
	if (!r)
		r = set_options(m, CONF_SERVICE, &service->signin, NULL);
	if (!r && otp)
		r = set_options(&again, CONF_SERVICE, &service->signin, otp);
	return r ? r : set_options(m, CONF_SERVICE, &service->signin, s);
}

static int
make_named(struct making *m, enum conf_kind kind, const struct conf_section *s, const char *name)
{
	if (kind != CONF_SERVICE && !conf_is_name(name)) {
		conf_error(m->rep, s->file, s->line,
		    *name ? "[%s]: a name is made of a-z, 0-9, _ and -"
			  : "[%s]: a name must follow, as in [channel sms]",
		    s->name);
		return 0;
	}
	if (kind == CONF_CHANNEL)
		return make_channel(m, s, name);
	if (kind == CONF_PROVIDER)
		return make_provider(m, s, name);
	if (kind == CONF_EXEMPT)
		return make_exempt(m, s, name);
	if (!*name) {
		conf_error(m->rep, s->file, s->line,
		    "[service]: the names of services must follow, as in [service sudo su]");
		return 0;
	}
	return make_service(m, s, name);
}

static void
report_unknown_section(struct making *m, const struct conf_section *s)
{
	const char *kind[CONF_NKINDS], *near;
	char word[CONF_NAME_MAX + 1];

	for (int k = 0; k < CONF_NKINDS; k++)
		kind[k] = conf_kind_name(k);
	(void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(s->name, " "), s->name);
	near = conf_suggest(word, kind, CONF_NKINDS);
	conf_error(m->rep, s->file, s->line, "[%s]: there is no such section%s%s%s", s->name,
	    near ? "; did you mean [" : "", near ? near : "", near ? "]?" : "");
}

static int
make_section(struct making *m, const struct conf_section *s)
{
	const char *rest;
	int kind = conf_section_kind(s, &rest);

	if (kind < 0) {
		report_unknown_section(m, s);
		return 0;
	}
	check_keys(m, kind, s);
	switch (kind) {
	case CONF_OTP:
	case CONF_LIMITS:
	case CONF_PATHS:
		if (*rest)
			conf_error(m->rep, s->file, s->line, "[%s]: expected [%s], without a name",
			    s->name, conf_kind_name(kind));
		return set_options(m, kind,
		    kind == CONF_OTP	  ? (void *)&m->c->signin
		    : kind == CONF_LIMITS ? (void *)&m->c->limits
					  : (void *)&m->c->paths,
		    s);
	default:
		return make_named(m, kind, s, rest);
	}
}

static int
make(struct making *m)
{
	const struct conf_sections *s = &m->c->internal->sections;
	int r = set_options(m, CONF_OTP, &m->c->signin, NULL);

	if (!r)
		r = set_options(m, CONF_LIMITS, &m->c->limits, NULL);
	if (!r)
		r = set_options(m, CONF_PATHS, &m->c->paths, NULL);
	for (size_t i = 0; !r && i < s->n; i++)
		r = make_section(m, &s->item[i]);
	return r;
}

static int
read_files(const char *path, uid_t second_owner, struct conf_sections *s, struct conf_report *rep)
{
	struct strlist dropins = {0};
	int r = conf_file_read(path, second_owner, s, rep);

	if (!r)
		r = conf_file_dropins(path, second_owner, &dropins, rep);
	for (size_t i = 0; !r && i < dropins.n; i++)
		r = conf_file_read(dropins.item[i], second_owner, s, rep);
	strlist_free(&dropins);
	return r;
}

static void
conf_cleanup(struct conf **c)
{
	conf_free(*c);
}

int
conf_load_at(const char *path, uid_t second_owner, int64_t now_s, struct conf **out,
    struct conf_report *report)
{
	__attribute__((cleanup(conf_cleanup))) struct conf *c = calloc(1, sizeof(*c));
	struct making m = {.c = c, .rep = report};
	int r;

	*out = NULL;
	if (!c)
		return -OTP_ENOMEM;
	c->internal = calloc(1, sizeof(*c->internal));
	if (!c->internal)
		return -OTP_ENOMEM;
	c->internal->path = strdup(path);
	if (!c->internal->path)
		return -OTP_ENOMEM;
	r = read_files(path, second_owner, &c->internal->sections, report);
	if (!r)
		r = make(&m);
	if (r)
		return r;
	/*
	 * conf_check() runs only if there was no error: what seems to be missing may be in a part
	 * that was refused.
	 */
	if (!report->failed)
		conf_check(c, now_s, report);
	if (report->no_memory)
		return -OTP_ENOMEM;
	if (report->failed)
		return -OTP_ECONF;
	*out = take(&c);
	return 0;
}

int
conf_load(const char *path, uid_t second_owner, struct conf **out, struct conf_report *report)
{
	return conf_load_at(path, second_owner, time(NULL), out, report);
}
