#include "helpers/base/json.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

/* Returns the depth of a value. It stops at JSON_DEPTH_MAX + 1, which is too deep. */
static int
depth_of(json_t *value, int above)
{
	int deepest = above;
	const char *key;
	json_t *item;
	size_t i;

	if (above > JSON_DEPTH_MAX || !(json_is_object(value) || json_is_array(value)))
		return above;
	if (json_is_object(value)) {
		json_object_foreach (value, key, item) {
			int d = depth_of(item, above + 1);
			deepest = d > deepest ? d : deepest;
		}
	} else {
		json_array_foreach (value, i, item) {
			int d = depth_of(item, above + 1);
			deepest = d > deepest ? d : deepest;
		}
	}
	return deepest;
}

int
json_read(const char *text, size_t len, json_t **out, char *why, size_t size)
{
	json_error_t e;
	_auto_json json_t *j = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);

	if (!j) {
		/*
		 * The error text of jansson is not used: it quotes the input, which may contain a
		 * code.
		 */
		(void)snprintf(
		    why, size, "line %d, column %d: not well-formed JSON", e.line, e.column);
		return -OTP_EINVAL;
	}
	if (depth_of(j, 0) > JSON_DEPTH_MAX) {
		(void)snprintf(why, size, "nested deeper than %d", JSON_DEPTH_MAX);
		return -OTP_EINVAL;
	}
	*out = j;
	j = NULL;
	return 0;
}

/* Copies one token of a pointer and unescapes it: "~1" is '/', "~0" is '~'. False if malformed. */
static bool
pointer_token(const char **pointer, char *token, size_t size)
{
	const char *p = *pointer;
	size_t n = 0;

	for (; *p && *p != '/'; p++) {
		char c = *p;

		if (c == '~') {
			p++;
			if (*p != '0' && *p != '1')
				return false;
			c = *p == '0' ? '~' : '/';
		}
		if (n + 1 >= size)
			return false;
		token[n++] = c;
	}
	token[n] = '\0';
	*pointer = p;
	return true;
}

static json_t *
array_at(json_t *array, const char *token)
{
	size_t len = strlen(token);

	if (!len || len > 9 || strspn(token, "0123456789") != len || (len > 1 && token[0] == '0'))
		return NULL;
	return json_array_get(array, (size_t)atol(token));
}

json_t *
json_at(json_t *root, const char *pointer)
{
	char token[256];
	json_t *at = root;

	while (at && *pointer == '/') {
		pointer++;
		if (!pointer_token(&pointer, token, sizeof(token)))
			return NULL;
		if (json_is_object(at))
			at = json_object_get(at, token);
		else
			at = json_is_array(at) ? array_at(at, token) : NULL;
	}
	return *pointer ? NULL : at;
}

int
json_scalar(const json_t *value, struct buf *b)
{
	if (json_is_string(value))
		return buf_put(b, json_string_value(value), json_string_length(value));
	if (json_is_integer(value))
		return buf_putf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (json_is_boolean(value))
		return buf_puts(b, json_is_true(value) ? "true" : "false");
	if (json_is_real(value))
		return buf_putf(b, "%.17g", json_real_value(value));
	return -OTP_EINVAL;
}

int
json_merge_patch(json_t *target, json_t *patch)
{
	const char *key;
	json_t *value;

	json_object_foreach (patch, key, value) {
		json_t *old = json_object_get(target, key);

		if (json_is_null(value)) {
			(void)json_object_del(target, key);
			continue;
		}
		if (json_is_object(value) && !json_is_object(old)) {
			old = json_object();
			if (json_object_set_new(target, key, old))
				return -OTP_ENOMEM;
		}
		if (json_is_object(value)) {
			if (json_merge_patch(old, value))
				return -OTP_ENOMEM;
		} else if (json_object_set_new(target, key, json_deep_copy(value))) {
			return -OTP_ENOMEM;
		}
	}
	return 0;
}

static int
put_bytes(const char *bytes, size_t len, void *b)
{
	return buf_put(b, bytes, len) ? -1 : 0;
}

int
json_write(const json_t *value, struct buf *b)
{
	if (json_dump_callback(value, put_bytes, b, JSON_COMPACT | JSON_ENCODE_ANY))
		return buf_err(b) ? buf_err(b) : -OTP_ENOMEM;
	return 0;
}
