/*
 * The helper's log: LOG_AUTHPRIV, for the operator. Never a code, a token, a full number, a body or
 * a URL query; foreign text loses its control characters here, whatever the caller forgot.
 */
#ifndef OTP_BASE_LOG_H
#define OTP_BASE_LOG_H

#include <stdbool.h>
#include <syslog.h>

/* tee also writes to standard error: for developers and otpctl. ident is kept, not copied. */
void log_open(const char *ident, bool tee);
/* LOG_DEBUG lines are dropped until debug is on. */
void log_debug(bool on);
/* The request id that every later line carries; kept, not copied. */
void log_request(const char *request_id);

void otp_log(int priority, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* As above, followed by ": " and the text of r, and of errno where r is -OTP_ESYS. */
void otp_logr(int priority, int r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
