#include "helpers/otpctl/contact/limit.h"

#include <stdio.h>
#include <string.h>

/* The key to look for, and the buffer for its text. */
struct origin {
	const char *key;
	char *text;
	size_t size;
};

static void
find_origin(const struct conf_shown *shown, void *arg)
{
	struct origin *o = arg;

	if (!strcmp(shown->section, "limits") && !strcmp(shown->key, o->key))
		(void)snprintf(o->text, o->size, "[limits] %s = %s (%s:%u)", o->key, shown->value,
		    shown->file, shown->line);
}

char *
contact_limit(const struct conf *conf, const char *key, char *dst, size_t size)
{
	struct origin o = {.key = key, .text = dst, .size = size};

	(void)snprintf(dst, size, "[limits] %s", key);
	conf_show(conf, NULL, find_origin, &o);
	return dst;
}
