/* The names that a profile gives to its channels and variables, and to headers and pairs on the
 * wire. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "helpers/conf/parse.h"
#include "helpers/conf/table.h"
#include "helpers/profile/reader.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

void
reader_check_name(struct reader *rd, const char *name, const char *what)
{
	bool is_variable = !strcmp(what, "variable");

	if (!conf_is_name(name) || (is_variable && strchr(name, '-')))
		reader_fault(rd,
		    "the configuration cannot use this name; expected a %s of a-z, 0-9%s and _",
		    what, is_variable ? "" : ", -");
	else if (is_variable && conf_option(CONF_PROVIDER, name))
		reader_fault(rd,
		    "\"%s\" is a key of every provider in pam_otp.conf; choose another name", name);
}

/* The characters of a header's name (RFC 9110, 5.6.2). */
static bool
is_token(const char *s)
{
	return *s && !s[strspn(s, "!#$%&'*+-.^_`|~0123456789"
				  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")];
}

/* Returns who sets the header, or NULL if a profile may. */
static const char *
set_elsewhere(const char *name, bool has_auth)
{
	static const char *const own[] = {"Host", "Content-Length", "Transfer-Encoding",
	    "Connection", "Expect", "Accept-Encoding"};

	for (size_t i = 0; i < COUNT(own); i++)
		if (!strcasecmp(name, own[i]))
			return "pam_otp sets this header by itself; remove it";
	if (has_auth && !strcasecmp(name, "Authorization"))
		return "auth sets this header; remove one of the two";
	return NULL;
}

static bool
stands_before(const struct pairs *headers, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcasecmp(headers->item[k].name, headers->item[i].name))
			return true;
	return false;
}

/* True if no value can end the header early. The values of variables are checked at each request.
 */
static bool
is_line(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

void
reader_check_headers(struct reader *rd, const struct pairs *headers, bool has_auth)
{
	size_t before = reader_down(rd, "headers");

	for (size_t i = 0; i < headers->n; i++) {
		const struct pair *p = &headers->item[i];
		size_t inner;

		if (!p->name || !p->value || !*p->name)
			continue;
		inner = reader_down(rd, p->name);
		if (!is_token(p->name))
			reader_fault(rd, "expected the name of a header: letters, digits and -");
		else if (stands_before(headers, i))
			reader_fault(rd, "this header stands twice; capitals make no difference");
		else if (set_elsewhere(p->name, has_auth))
			reader_fault(rd, "%s", set_elsewhere(p->name, has_auth));
		else if (!is_line(p->value))
			reader_fault(rd, "expected one line, without control characters");
		reader_up(rd, inner);
	}
	reader_up(rd, before);
}

void
reader_check_query(struct reader *rd, const char *key, const struct pairs *pairs)
{
	size_t before = reader_down(rd, key);

	for (size_t i = 0; i < pairs->n; i++) {
		const char *name = pairs->item[i].name;
		size_t inner = reader_down(rd, name ? name : "");

		for (const char *c = name ? name : ""; *c; c++)
			if (*c <= ' ' || *c >= 0x7f || strchr("&=#", *c)) {
				reader_fault(rd,
				    "expected a name of ASCII characters without blanks, &, = and "
				    "#, because a name is sent as it is");
				break;
			}
		reader_up(rd, inner);
	}
	reader_up(rd, before);
}
