#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/text.h"
#include "helpers/conf/internal.h"

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

/* Shows all options of a kind. s is NULL if no file has the section. */
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

/* Shows the options of [otp] that s, the section of a service or NULL, does not set. */
static void
show_inherited(
    const struct showing *to, const struct conf_section *otp, const struct conf_section *s)
{
	for (size_t i = 0; i < conf_table_n; i++)
		if (conf_table[i].kind == CONF_OTP && !conf_section_get(s, conf_table[i].key))
			show_option(to, &conf_table[i], otp, "otp", NULL);
}

/* Shows the options that a [service] section sets. */
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
	const struct conf_section *own = service ? section_of_service(in, service) : NULL;
	const struct showing to = {.fn = fn, .arg = arg};

	show_inherited(&to, otp, own);
	for (size_t i = 0; i < in->nservices; i++)
		if (!service || in->service[i].section == own)
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

/*
 * Writes the origin as a comment. A file's name may contain a newline, which must not end the
 * comment.
 */
static void
put_origin(struct buf *out, const struct conf_shown *shown)
{
	char where[1024];

	text_clean(where, sizeof(where), shown->file);
	if (shown->line)
		(void)buf_putf(out, "# %s:%u\n", where, shown->line);
	else
		(void)buf_putf(out, "# %s\n", where);
}

void
conf_show_text(const struct conf_shown *shown, void *arg)
{
	struct conf_show_text *t = arg;

	if (!t->section || strcmp(t->section, shown->section) != 0) {
		(void)buf_putf(t->out, "%s[%s]\n", t->section ? "\n" : "", shown->section);
		t->section = shown->section;
		t->file = NULL;
	}
	if (!shown->value) {
		(void)buf_putf(t->out, "# %s = (hidden)\n", shown->key);
		return;
	}
	if (!*shown->value && !shown->line) {
		(void)buf_putf(t->out, "# %s is not set\n", shown->key);
		return;
	}
	if (!t->file || strcmp(t->file, shown->file) != 0 || t->line != shown->line)
		put_origin(t->out, shown);
	t->file = shown->file;
	t->line = shown->line;
	(void)buf_putf(t->out, "%s =%s%s\n", shown->key, *shown->value ? " " : "", shown->value);
}
