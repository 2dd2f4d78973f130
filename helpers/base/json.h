/* JSON of providers and profiles. It is read strictly. jansson does the work. */
#ifndef OTP_BASE_JSON_H
#define OTP_BASE_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "common/buf.h"

enum { JSON_DEPTH_MAX = 32 };

/*
 * Reads exactly one JSON text. It must have no duplicate keys and no NUL, and be at most
 * JSON_DEPTH_MAX deep. The caller owns *out. 0, or -OTP_EINVAL with *why (size bytes): what is
 * wrong and where, without a quote from the text.
 */
int json_read(const char *text, size_t len, json_t **out, char *why, size_t size);

/*
 * Returns the value at an RFC 6901 pointer, borrowed, or NULL if there is none. A step into a
 * string or a number is no error; it finds nothing.
 */
json_t *json_at(json_t *root, const char *pointer);

/*
 * Appends a string, number or boolean as text to b, as a capture keeps it.
 * 0; -OTP_EINVAL: the value is of another type; -OTP_ETOOBIG; -OTP_ENOMEM.
 */
int json_scalar(const json_t *value, struct buf *b);

/* Applies an RFC 7396 merge patch to an object, in place. 0 or -OTP_ENOMEM. */
int json_merge_patch(json_t *target, json_t *patch);

/*
 * Appends the whole value as compact JSON text to b. Keys keep their order.
 * 0, -OTP_ETOOBIG or -OTP_ENOMEM.
 */
int json_write(const json_t *value, struct buf *b);

static inline void
own_json(json_t **j)
{
	json_decref(*j);
}
#define _auto_json __attribute__((cleanup(own_json)))

#endif
