#include "helpers/template/bindings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"

static const char *
bindings_get(const struct template_values *v, const char *name)
{
	const struct bindings *b = (const struct bindings *)v;

	for (size_t i = 0; i < b->n; i++)
		if (!strcmp(b->item[i].name, name))
			return secret_str(&b->item[i].value);
	/* An attribute that the user does not have is empty, not unknown. */
	return strncmp(name, "attr.", 5) ? NULL : "";
}

void
bindings_init(struct bindings *b)
{
	*b = (struct bindings){.values = {bindings_get}};
}

int
bindings_set(struct bindings *b, const char *name, const char *value)
{
	size_t i = 0;

	while (i < b->n && strcmp(b->item[i].name, name))
		i++;
	if (i == BINDINGS_MAX || strlen(name) >= sizeof(b->item[i].name))
		return -OTP_ETOOBIG;
	if (i == b->n) {
		(void)snprintf(b->item[i].name, sizeof(b->item[i].name), "%s", name);
		b->n++;
	}
	return secret_set(&b->item[i].value, value, strlen(value));
}

int
bindings_setf(struct bindings *b, const char *name, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return n < 0 || (size_t)n >= sizeof(text) ? -OTP_ETOOBIG : bindings_set(b, name, text);
}

int
bindings_render(struct bindings *b, const char *name, const char *template)
{
	_auto_buf struct buf text = BUF_INIT(SECRET_MAX);
	int r = template_render(template, PLACE_TEXT, &b->values, &text);
	const char *s = r ? NULL : buf_str(&text);

	if (r)
		return r;
	return s ? bindings_set(b, name, s) : buf_err(&text);
}

void
bindings_clear(struct bindings *b)
{
	for (size_t i = 0; i < b->n; i++)
		secret_clear(&b->item[i].value);
	b->n = 0;
}
