/*
 * What is wrong with a configuration: rows with a severity, a file, a line and a message. Whoever
 * reads the configuration, a profile or a rule adds rows; whoever shows them renders each.
 */
#ifndef OTP_CONF_REPORT_H
#define OTP_CONF_REPORT_H

#include <stdbool.h>
#include <stddef.h>

enum conf_severity { CONF_ERROR, CONF_WARNING };

struct conf_row {
	enum conf_severity severity;
	char *file;    /* "" where the row is about no file */
	unsigned line; /* 0 where it is about the file as a whole */
	char *message; /* without newline and control characters */
};

/* Empty is {.max = ...}. Owns its rows. */
struct conf_report {
	struct conf_row *row;
	size_t n;
	size_t max;  /* bytes of all rows as text; the last row says that there would be more */
	size_t used; /* of them */
	bool failed; /* a row is an error, or would have been */
	bool full;   /* nothing is added any more */
	bool no_memory;
};

/* A message ends without newline; its control characters are replaced. file may be NULL: none. */
void conf_error(struct conf_report *rep, const char *file, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void conf_warn(struct conf_report *rep, const char *file, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

enum { CONF_ROW_TEXT = 4096 + 1024 + 64 };
/*
 * "FILE:LINE: MESSAGE", a warning with "warning: " before the message, fit for a terminal. Returns
 * dst.
 */
const char *conf_row_text(const struct conf_row *row, char dst[static CONF_ROW_TEXT]);

/* Frees the rows; the report is empty then, with its maximum. */
void conf_report_clear(struct conf_report *rep);

#define _auto_report __attribute__((cleanup(conf_report_clear)))

#endif
