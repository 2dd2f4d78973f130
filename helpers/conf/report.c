#include "helpers/conf/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

enum { MESSAGE_MAX = 1024 };

/* The last row of a report that is full. Room for it is always reserved. */
static const char more_follow[] = "(more errors follow; these are the first)";

static const char *
mark_of(enum conf_severity severity)
{
	return severity == CONF_WARNING ? "warning: " : "";
}

static void
put_row(struct conf_report *rep, enum conf_severity severity, const char *file, unsigned line,
    const char *message)
{
	struct conf_row new = {.severity = severity, .line = line};
	struct conf_row *grown = reallocarray(rep->row, rep->n + 1, sizeof(*grown));

	if (grown)
		rep->row = grown;
	new.file = strdup(file);
	new.message = strdup(message);
	if (!grown || !new.file || !new.message) {
		free(new.file);
		free(new.message);
		rep->no_memory = true;
		return;
	}
	grown[rep->n++] = new;
}

/* True if the report has this row already: two channels may load the same provider. */
static bool
has_row(const struct conf_report *rep, enum conf_severity severity, const char *file, unsigned line,
    const char *message)
{
	for (size_t i = 0; i < rep->n; i++)
		if (rep->row[i].line == line && rep->row[i].severity == severity &&
		    !strcmp(rep->row[i].message, message) && !strcmp(rep->row[i].file, file))
			return true;
	return false;
}

__attribute__((format(printf, 5, 0))) static void
add_row(struct conf_report *rep, enum conf_severity severity, const char *file, unsigned line,
    const char *fmt, va_list ap)
{
	char message[MESSAGE_MAX], clean[MESSAGE_MAX], where[32] = "";
	size_t need;

	if (rep->full)
		return;
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	text_clean(clean, sizeof(clean), message);
	if (has_row(rep, severity, file, line, clean))
		return;
	if (line)
		(void)snprintf(where, sizeof(where), ":%u", line);
	need = strlen(file) + strlen(where) + strlen(": ") + strlen(mark_of(severity)) +
	       strlen(clean) + strlen("\n");
	if (rep->used + need + sizeof(more_follow) > rep->max) {
		rep->full = true;
		put_row(rep, CONF_ERROR, "", 0, more_follow);
		return;
	}
	rep->used += need;
	put_row(rep, severity, file, line, clean);
}

void
conf_error(struct conf_report *rep, const char *file, unsigned line, const char *fmt, ...)
{
	va_list ap;

	rep->failed = true;
	va_start(ap, fmt);
	add_row(rep, CONF_ERROR, file ? file : "", line, fmt, ap);
	va_end(ap);
}

void
conf_warn(struct conf_report *rep, const char *file, unsigned line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_row(rep, CONF_WARNING, file ? file : "", line, fmt, ap);
	va_end(ap);
}

const char *
conf_row_text(const struct conf_row *row, char dst[static CONF_ROW_TEXT])
{
	char text[CONF_ROW_TEXT], line[32] = "";

	if (row->line)
		(void)snprintf(line, sizeof(line), ":%u", row->line);
	(void)snprintf(text, sizeof(text), "%s%s%s%s%s", row->file, line, *row->file ? ": " : "",
	    mark_of(row->severity), row->message);
	return text_clean(dst, CONF_ROW_TEXT, text);
}

void
conf_report_clear(struct conf_report *rep)
{
	for (size_t i = 0; i < rep->n; i++) {
		free(rep->row[i].file);
		free(rep->row[i].message);
	}
	free(rep->row);
	*rep = (struct conf_report){.max = rep->max};
}
