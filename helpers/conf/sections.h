/* What the files say, as text: sections and their settings, and the report of what is wrong. */
#ifndef OTP_CONF_SECTIONS_H
#define OTP_CONF_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "helpers/conf.h"

/* Where errors go. Each message becomes "FILE:LINE: message" and a newline. */
struct conf_report {
	struct buf *out;
	bool failed; /* an error was reported */
	bool full;   /* out could not take all */
	bool no_memory;
};

/* line 0: of the file as a whole; message ends without newline. Control characters are replaced. */
void conf_error(struct conf_report *rep, const char *file, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void conf_warn(struct conf_report *rep, const char *file, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

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
