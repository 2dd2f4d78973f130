/*
 * Templates: text of a profile or of the configuration with "${name}" in it. Each value is inserted
 * once and is never read as a template itself. The place of the text decides how values are
 * escaped.
 */
#ifndef OTP_TEMPLATE_H
#define OTP_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

enum template_place {
	PLACE_TEXT,   /* a message, or a JSON string, which the JSON writer escapes later */
	PLACE_HEADER, /* the value of a header; control characters are refused */
	PLACE_URL,    /* a whole URL: see template_render() */
	PLACE_QUERY,  /* the value of a query or form pair; it is percent-encoded */
};

/*
 * Where values come from. get() returns the value of a name, borrowed until the next call, or NULL
 * if there is no such name.
 */
struct template_values {
	const char *(*get)(const struct template_values *v, const char *name);
};

/*
 * Takes a variable and its conversion ("" for none). 0 to go on; any other number, such as an
 * -OTP_E..., ends the scan, which returns it.
 */
typedef int template_var_fn(const char *name, const char *conversion, void *arg);
/*
 * Calls fn for each variable of the text, in order. "$${" stands for the text "${" and is none.
 * 0; -OTP_EINVAL with *why: a name is empty, too long, not closed, or has a character that no name
 * has; or what fn returned.
 */
int template_scan(const char *text, template_var_fn *fn, void *arg, const char **why);

/* True if the text uses a variable whose value is empty or missing. */
bool template_uses_empty(const char *text, const struct template_values *v);

/*
 * Appends the text with its values to b. In a URL the position of a value decides:
 *  - at the very start: inserted as it is, for a base address from the configuration;
 *  - in the authority: only the characters of a host name and a port are allowed;
 *  - in the path: percent-encoded; it must not be empty, "." or "..";
 *  - after '?': percent-encoded.
 * 0; -OTP_EINVAL: a value does not fit its place, or the text is malformed; -OTP_ENOENT: a name is
 * unknown; -OTP_ETOOBIG; -OTP_ENOMEM.
 */
int template_render(
    const char *text, enum template_place place, const struct template_values *v, struct buf *b);

/* Reads name and conversion if the whole text is one "${name:conversion}". Else returns false. */
bool template_typed(const char *text, char *name, size_t size, const char **conversion);

enum { TEMPLATE_NAME_MAX = 64 };

#endif
