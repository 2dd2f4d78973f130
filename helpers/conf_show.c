#include <string.h>

#include "helpers/conf_internal.h"

struct showing {
	conf_show_fn *fn;
	void *arg;
};

static void
show_option(const struct showing *to, const struct conf_option *o, const struct conf_section *s,
    const char *section, const char *own_name)
{
	const struct conf_setting *set = conf_section_get(s, o->key);
	const char *def = o->type == CONF_OWN_NAME ? own_name : o->def;
	struct conf_shown shown = {
	    .section = section,
	    .key = o->key,
	    .value = set   ? set->value
		     : def ? def
			   : "",
	    .file = set ? set->file : "default",
	    .line = set ? set->line : 0,
	};

	to->fn(&shown, to->arg);
}

/* All options of a kind; s is NULL where no file has the section. */
static void
show_all(const struct showing *to, enum conf_kind kind, const struct conf_section *s,
    const char *section, const char *own_name)
{
	for (size_t i = 0; i < conf_table_n; i++)
		if (conf_table[i].kind == kind)
			show_option(to, &conf_table[i], s, section, own_name);
}

static void
show_free_keys(const struct showing *to, const struct conf_section *s)
{
	for (size_t i = 0; i < s->nsettings; i++) {
		const struct conf_setting *set = &s->setting[i];
		struct conf_shown shown = {
		    .section = s->name,
		    .key = set->key,
		    .value = set->value,
		    .file = set->file,
		    .line = set->line,
		    .free_key = true,
		};

		if (!conf_option(CONF_PROVIDER, set->key))
			to->fn(&shown, to->arg);
	}
}

/* The options of one service, each from the section that sets it. */
static void
show_service(const struct showing *to, const struct conf_section *otp, const struct conf_section *s)
{
	for (size_t i = 0; i < conf_table_n; i++) {
		const struct conf_option *o = &conf_table[i];

		if (o->kind != CONF_OTP)
			continue;
		if (conf_section_get(s, o->key))
			show_option(to, o, s, s->name, NULL);
		else
			show_option(to, o, otp, "otp", NULL);
	}
}

/* What a [service] section sets. */
static void
show_overrides(const struct showing *to, const struct conf_section *s)
{
	for (size_t i = 0; i < conf_table_n; i++)
		if (conf_table[i].kind == CONF_OTP && conf_section_get(s, conf_table[i].key))
			show_option(to, &conf_table[i], s, s->name, NULL);
}

static const struct conf_section *
section_of_service(const struct conf_internal *in, const char *service)
{
	for (size_t i = 0; i < in->nservices; i++)
		if (strlist_has(&in->service[i].names, service))
			return in->service[i].section;
	return NULL;
}

void
conf_show(const struct conf *c, const char *service, conf_show_fn *fn, void *arg)
{
	const struct conf_internal *in = c->internal;
	const struct conf_section *otp = conf_sections_find(&in->sections, "otp");
	const struct showing to = {.fn = fn, .arg = arg};

	if (service)
		show_service(&to, otp, section_of_service(in, service));
	else
		show_all(&to, CONF_OTP, otp, "otp", NULL);
	for (size_t i = 0; !service && i < in->nservices; i++)
		show_overrides(&to, in->service[i].section);
	show_all(&to, CONF_LIMITS, conf_sections_find(&in->sections, "limits"), "limits", NULL);
	show_all(&to, CONF_PATHS, conf_sections_find(&in->sections, "paths"), "paths", NULL);
	for (size_t i = 0; i < in->sections.n; i++) {
		const struct conf_section *s = &in->sections.item[i];
		const char *name;
		int kind = conf_section_kind(s, &name);

		if (kind != CONF_CHANNEL && kind != CONF_PROVIDER && kind != CONF_EXEMPT)
			continue;
		show_all(&to, kind, s, s->name, name);
		if (kind == CONF_PROVIDER)
			show_free_keys(&to, s);
	}
}
