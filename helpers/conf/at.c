/* Reports an error that shows only after the configuration was read, with the file and line of the
 * key. */
#include <stdarg.h>
#include <stdio.h>

#include "helpers/conf/internal.h"

enum { AT_TEXT_MAX = 1024 };

typedef void add_fn(struct conf_report *rep, const char *file, unsigned line, const char *fmt, ...);

/* Adds a row with the file and line that conf.h promises. */
__attribute__((format(printf, 6, 0))) static void
add_at(add_fn *add, struct conf_report *rep, const struct conf *c, const char *section,
    const char *key, const char *fmt, va_list ap)
{
	const struct conf_section *s = conf_sections_find(&c->internal->sections, section);
	const struct conf_setting *set = conf_section_get(s, key);
	char text[AT_TEXT_MAX];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	add(rep,
	    set ? set->file
	    : s ? s->file
		: c->internal->path,
	    set ? set->line
	    : s ? s->line
		: 0,
	    "[%s] %s: %s", section, key, text);
}

void
conf_error_at(struct conf_report *rep, const struct conf *c, const char *section, const char *key,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_at(conf_error, rep, c, section, key, fmt, ap);
	va_end(ap);
}

void
conf_warn_at(struct conf_report *rep, const struct conf *c, const char *section, const char *key,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_at(conf_warn, rep, c, section, key, fmt, ap);
	va_end(ap);
}
