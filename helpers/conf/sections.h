/* What the files say, as text: sections and their settings. */
#ifndef OTP_CONF_SECTIONS_H
#define OTP_CONF_SECTIONS_H

#include <stddef.h>

#include "helpers/conf/conf.h"

struct conf_section {
	char *name; /* as in the heading, its words parted by one blank */
	char *file; /* where it stood first */
	unsigned line;
	struct conf_setting *setting;
	size_t nsettings;
};

struct conf_sections {
	struct conf_section *item;
	size_t n;
};

/* NULL where there is none. */
struct conf_section *conf_sections_find(const struct conf_sections *s, const char *name);
struct conf_setting *conf_section_get(const struct conf_section *s, const char *key);
/* The section of that name, made where there is none yet; NULL: no memory. */
struct conf_section *conf_sections_get(
    struct conf_sections *s, const char *name, const char *file, unsigned line);
/* A key that is there already gets the new value and origin. 0 or -OTP_ENOMEM. */
int conf_setting_put(
    struct conf_section *s, const char *key, const char *value, const char *file, unsigned line);
void conf_sections_free(struct conf_sections *s);

#endif
