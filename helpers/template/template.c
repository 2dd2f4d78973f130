#include "helpers/template/template.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"

static const char *const conversions[] = {"", "number", "bool"};

struct var {
	char name[TEMPLATE_NAME_MAX];
	const char *conversion; /* one of conversions[] */
	size_t len;		/* of the whole "${...}" */
};

/* Reads the "${name}" or "${name:conversion}" at s. */
static int
var_read(const char *s, struct var *v, const char **why)
{
	const char *name = s + 2;
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._");
	const char *rest = name + n;

	*why = "a variable is ${name}, with letters, digits, '.' and '_'";
	if (!n || n >= sizeof(v->name))
		return -OTP_EINVAL;
	(void)snprintf(v->name, sizeof(v->name), "%.*s", (int)n, name);
	v->conversion = "";
	if (*rest == ':') {
		const char *end = strchr(++rest, '}');

		*why = "after ':' comes number or bool";
		v->conversion = NULL;
		for (size_t i = 1; end && i < sizeof(conversions) / sizeof(*conversions); i++)
			if (strlen(conversions[i]) == (size_t)(end - rest) &&
			    !strncmp(conversions[i], rest, (size_t)(end - rest)))
				v->conversion = conversions[i];
		if (!v->conversion)
			return -OTP_EINVAL;
		rest = end;
	}
	if (*rest != '}') {
		*why = "a variable is not closed: } is missing";
		return -OTP_EINVAL;
	}
	v->len = (size_t)(rest + 1 - s);
	*why = "";
	return 0;
}

/* Finds the next "${" from s on that is not part of "$${". NULL if there is none. */
static const char *
next_var(const char *s)
{
	for (; *s; s++) {
		if (!strncmp(s, "$${", 3))
			s += 2;
		else if (!strncmp(s, "${", 2))
			return s;
	}
	return NULL;
}

int
template_scan(const char *text, template_var_fn *fn, void *arg, const char **why)
{
	struct var v;
	int r;

	for (const char *s = next_var(text); s; s = next_var(s + v.len)) {
		r = var_read(s, &v, why);
		if (!r)
			r = fn(v.name, v.conversion, arg);
		if (r)
			return r;
	}
	return 0;
}

static int
stop_at_empty(const char *name, const char *conversion, void *arg)
{
	const struct template_values *v = arg;
	const char *value = v->get(v, name);

	(void)conversion;
	return !value || !*value;
}

bool
template_uses_empty(const char *text, const struct template_values *v)
{
	const char *why;

	return template_scan(text, stop_at_empty, (void *)v, &why) > 0;
}

static int
put_percent(struct buf *b, const char *value)
{
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;

		/* The unreserved characters of RFC 3986. Not isalnum(), which depends on the
		 * locale. */
		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c && strchr("-._~", c)))
			buf_putc(b, (char)c);
		else
			buf_putf(b, "%%%02X", c);
	}
	return buf_err(b);
}

static int
put_header(struct buf *b, const char *value)
{
	for (const char *p = value; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return -OTP_EINVAL;
	return buf_puts(b, value);
}

/*
 * Appends a value to a URL. The text that is already in b shows in which part of the URL the value
 * is.
 */
static int
put_url(struct buf *b, const char *value)
{
	const char *so_far = buf_str(b), *authority, *path;

	if (!so_far)
		return buf_err(b);
	if (!*so_far)
		return put_header(b, value);
	if (strchr(so_far, '?'))
		return put_percent(b, value);
	authority = strstr(so_far, "://");
	if (!authority)
		return -OTP_EINVAL;
	path = strchr(authority + 3, '/');
	if (!path) {
		static const char host[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789.-:[]";

		return !*value || value[strspn(value, host)] ? -OTP_EINVAL : buf_puts(b, value);
	}
	if (!*value || !strcmp(value, ".") || !strcmp(value, ".."))
		return -OTP_EINVAL;
	return put_percent(b, value);
}

static int
put_value(struct buf *b, enum template_place place, const char *value)
{
	switch (place) {
	case PLACE_TEXT:
		return buf_puts(b, value);
	case PLACE_HEADER:
		return put_header(b, value);
	case PLACE_URL:
		return put_url(b, value);
	case PLACE_QUERY:
		return put_percent(b, value);
	}
	return -OTP_EINVAL;
}

static int
put_literal(struct buf *b, const char *s, const char *end)
{
	while (s < end) {
		if (end - s >= 3 && !strncmp(s, "$${", 3))
			s++;
		buf_putc(b, *s++);
	}
	return buf_err(b);
}

int
template_render(
    const char *text, enum template_place place, const struct template_values *v, struct buf *b)
{
	const char *s = text, *why;

	for (const char *at = next_var(s); at; at = next_var(s)) {
		struct var var;
		const char *value;
		int r = var_read(at, &var, &why);

		if (!r)
			r = put_literal(b, s, at);
		if (r)
			return r;
		value = v->get(v, var.name);
		if (!value)
			return -OTP_ENOENT;
		r = put_value(b, place, value);
		if (r)
			return r;
		s = at + var.len;
	}
	return put_literal(b, s, s + strlen(s));
}

bool
template_typed(const char *text, char *name, size_t size, const char **conversion)
{
	struct var v;
	const char *why;

	if (strncmp(text, "${", 2) || var_read(text, &v, &why) || !*v.conversion || text[v.len])
		return false;
	(void)snprintf(name, size, "%s", v.name);
	*conversion = v.conversion;
	return true;
}
