/* The sections of all files with their settings, still as text. */
#ifndef OTP_CONF_SECTIONS_H
#define OTP_CONF_SECTIONS_H

#include <stddef.h>

#include "helpers/conf/conf.h"

struct conf_section {
	char *name; /* as in the heading, with one blank between words */
	char *file; /* where the section stands first */
	unsigned line;
	struct conf_setting *setting;
	size_t nsettings;
};

struct conf_sections {
	struct conf_section *item;
	size_t n;
};

/* Find a section, or a key in it. The result is borrowed from s; NULL if there is none. */
struct conf_section *conf_sections_find(const struct conf_sections *s, const char *name);
struct conf_setting *conf_section_get(const struct conf_section *s, const char *key);
/*
 * Returns the section of that name; makes an empty one if there is none. NULL without memory. The
 * pointer is valid until the next section is made.
 */
struct conf_section *conf_sections_get(
    struct conf_sections *s, const char *name, const char *file, unsigned line);
/* Sets a key of the section, or replaces its value, file and line. 0 or -OTP_ENOMEM. */
int conf_setting_put(
    struct conf_section *s, const char *key, const char *value, const char *file, unsigned line);
void conf_sections_free(struct conf_sections *s);

#endif
