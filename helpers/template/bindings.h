/* The names and values that the templates of one request can use. */
#ifndef OTP_TEMPLATE_BINDINGS_H
#define OTP_TEMPLATE_BINDINGS_H

#include "common/secret.h"
#include "helpers/template/template.h"

enum { BINDINGS_MAX = 96 };

struct bindings {
	struct template_values values; /* must be first; &b->values is for template_render() */
	struct {
		char name[TEMPLATE_NAME_MAX];
		struct secret value;
	} item[BINDINGS_MAX];
	size_t n;
};

void bindings_init(struct bindings *b);
/*
 * Sets a name to a copy of the value. A later value of the same name replaces the earlier one.
 * 0; -OTP_ETOOBIG: there are BINDINGS_MAX names, or name or value is too long; -OTP_ENOMEM.
 */
int bindings_set(struct bindings *b, const char *name, const char *value);
/*
 * Does the same as bindings_set() with a formatted value of less than 256 bytes. 0 or the errors of
 * bindings_set().
 */
int bindings_setf(struct bindings *b, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/*
 * Sets a name to a rendered template, whose own values are those of the bindings so far.
 * 0 or the errors of template_render() and of bindings_set().
 */
int bindings_render(struct bindings *b, const char *name, const char *template);
/* Wipes every value and forgets every name. */
void bindings_clear(struct bindings *b);

#endif
