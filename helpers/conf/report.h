/*
 * The errors and warnings of a configuration, as rows with a file, a line and a message. Readers of
 * configuration and profiles add rows; the log and otpctl print them.
 */
#ifndef OTP_CONF_REPORT_H
#define OTP_CONF_REPORT_H

#include <stdbool.h>
#include <stddef.h>

enum conf_severity { CONF_ERROR, CONF_WARNING };

struct conf_row {
	enum conf_severity severity;
	char *file;    /* "" if the row is about no file */
	unsigned line; /* 0 if the row is about the file as a whole */
	char *message; /* without newline and control characters */
};

/* Start with {.max = ...}. The report owns its rows; conf_report_clear() frees them. */
struct conf_report {
	struct conf_row *row;
	size_t n;
	size_t max;	/* bytes that all rows together may have as text */
	size_t used;	/* bytes that they have */
	bool failed;	/* an error was reported, even if there was no room for its row */
	bool full;	/* the last row says that more errors follow; no row is added after it */
	bool no_memory; /* a row was lost because memory ran out */
};

/*
 * Add a row, unless the report has the same row already. The message has no newline at its end;
 * control characters in it are replaced. file may be NULL if the row is about no file, line 0 if it
 * is about no line.
 */
void conf_error(struct conf_report *rep, const char *file, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void conf_warn(struct conf_report *rep, const char *file, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

enum { CONF_ROW_TEXT = 4096 + 1024 + 64 };
/*
 * Writes "FILE:LINE: MESSAGE", with "warning: " before the message of a warning. The text is safe
 * to print on a terminal. Returns dst.
 */
const char *conf_row_text(const struct conf_row *row, char dst[static CONF_ROW_TEXT]);

/* Frees the rows. The report is empty then and keeps its max. */
void conf_report_clear(struct conf_report *rep);

#define _auto_report __attribute__((cleanup(conf_report_clear)))

#endif
