/*
 * The log of the helper and of otpctl, for the administrator: syslog with LOG_AUTHPRIV. A log line
 * never has a code, a token, a full phone number, a body or the query of a URL. Control characters
 * are removed here, so that text of others cannot forge a line.
 */
#ifndef OTP_BASE_LOG_H
#define OTP_BASE_LOG_H

#include <stdbool.h>
#include <syslog.h>

/* Opens the log. With tee, lines also go to standard error. The log keeps the pointer ident. */
void log_open(const char *ident, bool tee);
/* Turns LOG_DEBUG lines on or off; they are off at first. */
void log_debug(bool on);
/* Sets the request id that every later line has. The log keeps the pointer. */
void log_request(const char *request_id);

/*
 * From now on each line goes to fn, and not to the log; with fn NULL, to the log again. This is for
 * commands that show a person what a sign-in would log.
 */
typedef void log_line_fn(int priority, const char *line, void *arg);
void log_divert(log_line_fn *fn, void *arg);

void otp_log(int priority, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*
 * Logs a line, then ": " and otp_strerror(r). If r is -OTP_ESYS, the text of errno follows. A line
 * that begins with "event=" gets both as detail="…" instead.
 */
void otp_logr(int priority, int r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
