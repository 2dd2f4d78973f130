/*
 * Templates: text of a profile or of the configuration with "${name}" in it. Values go in once and
 * are never read again as a template; how they are escaped follows the place they go to.
 */
#ifndef OTP_TEMPLATE_H
#define OTP_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

enum template_place {
	PLACE_TEXT,   /* a message, or a JSON string: the JSON writer escapes */
	PLACE_HEADER, /* a header's value: control characters are refused */
	PLACE_URL,    /* a whole URL: see template_render() */
	PLACE_QUERY,  /* a value of a query or form pair: percent-encoded */
};

/*
 * Where values come from. The value of a name, borrowed until the next call; NULL where there is no
 * such name.
 */
struct template_values {
	const char *(*get)(const struct template_values *v, const char *name);
};

/*
 * Calls fn once for every variable of the text, with its name and its conversion ("" for none), in
 * order. "$${" is a literal "${". 0; -OTP_EINVAL with *why where the text is malformed (an
 * unclosed or an empty name, a character that no name has); else what fn returned, if not 0.
 */
typedef int template_var_fn(const char *name, const char *conversion, void *arg);
int template_scan(const char *text, template_var_fn *fn, void *arg, const char **why);

/* Does the text use a variable whose value is empty or missing? */
bool template_uses_empty(const char *text, const struct template_values *v);

/*
 * Puts the text with its values into b. In a URL, a variable at the very start goes in as it is
 * (the base address, from the configuration); in the authority a value may hold what a host name
 * and a port hold; in the path a value is percent-encoded and may not be empty, "." or ".."; after
 * '?' it is percent-encoded.
 * 0; -OTP_EINVAL where a value does not fit its place; -OTP_ENOENT for an unknown name;
 * -OTP_ETOOBIG.
 */
int template_render(
    const char *text, enum template_place place, const struct template_values *v, struct buf *b);

/* The name and conversion where the whole text is one "${name:conversion}"; else false. */
bool template_typed(const char *text, char *name, size_t size, const char **conversion);

enum { TEMPLATE_NAME_MAX = 64 };

#endif
