/* Reports what shows only after the configuration was read, with the file and line of the key. */
#include <stdarg.h>
#include <stdio.h>

#include "helpers/conf/internal.h"

enum { AT_TEXT_MAX = 1024 };

/* The file of the key, and its line in *line. */
static const char *
file_of(const struct conf *c, const char *section, const char *key, unsigned *line)
{
	const struct conf_section *s = conf_sections_find(&c->internal->sections, section);
	const struct conf_setting *set = conf_section_get(s, key);

	*line = set ? set->line : s ? s->line : 0;
	return set ? set->file : s ? s->file : c->internal->path;
}

void
conf_error_at(struct conf_report *rep, const struct conf *c, const char *section, const char *key,
    const char *fmt, ...)
{
	char text[AT_TEXT_MAX];
	unsigned line;
	const char *file = file_of(c, section, key, &line);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	conf_error(rep, file, line, "[%s] %s: %s", section, key, text);
}

void
conf_warn_at(struct conf_report *rep, const struct conf *c, const char *section, const char *key,
    const char *fmt, ...)
{
	char text[AT_TEXT_MAX];
	unsigned line;
	const char *file = file_of(c, section, key, &line);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	conf_warn(rep, file, line, "[%s] %s: %s", section, key, text);
}
