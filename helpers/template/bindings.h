/* Names with their values, for one rendering: what the templates of a request can use. */
#ifndef OTP_TEMPLATE_BINDINGS_H
#define OTP_TEMPLATE_BINDINGS_H

#include "common/secret.h"
#include "helpers/template/template.h"

enum { BINDINGS_MAX = 96 };

struct bindings {
	struct template_values values; /* hand &b->values to template_render() */
	struct {
		char name[TEMPLATE_NAME_MAX];
		struct secret value;
	} item[BINDINGS_MAX];
	size_t n;
};

void bindings_init(struct bindings *b);
/* Copies; a later value of the same name replaces the earlier. 0 or negative. */
int bindings_set(struct bindings *b, const char *name, const char *value);
int bindings_setf(struct bindings *b, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* As above, with the template's values taken from the bindings there are so far. */
int bindings_render(struct bindings *b, const char *name, const char *template);
/* Wipes every value. */
void bindings_clear(struct bindings *b);

#endif
