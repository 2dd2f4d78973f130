/* JSON of providers and profiles, read strictly. jansson does the work. */
#ifndef OTP_BASE_JSON_H
#define OTP_BASE_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "common/buf.h"

enum { JSON_DEPTH_MAX = 32 };

/*
 * One JSON text: no duplicate keys, no NUL, nothing behind it, at most JSON_DEPTH_MAX deep. The
 * caller owns *out. On error *why (size bytes) says what and where, without quoting the text.
 * 0, -OTP_EINVAL.
 */
int json_read(const char *text, size_t len, json_t **out, char *why, size_t size);

/*
 * The value an RFC 6901 pointer leads to, borrowed; NULL where there is none. A step into a string
 * or a number leads nowhere: it is no error.
 */
json_t *json_at(json_t *root, const char *pointer);

/*
 * A string, number or boolean as text into b; anything else -OTP_EINVAL. What a capture keeps.
 */
int json_scalar(const json_t *value, struct buf *b);

/* Applies an RFC 7396 merge patch to an object, in place. 0 or -OTP_ENOMEM. */
int json_merge_patch(json_t *target, json_t *patch);

/* A copy of the whole value as JSON text, compact, in the order of its keys, into b. */
int json_write(const json_t *value, struct buf *b);

static inline void
own_json(json_t **j)
{
	json_decref(*j);
}
#define _auto_json __attribute__((cleanup(own_json)))

#endif
