#include "helpers/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/text.h"

enum { LOG_LINE_MAX = 1024 };

/* Set when the process starts, before there is a second thread. */
static bool debug_on;
static const char *request = "";
static log_line_fn *diverted;
static void *diverted_arg;

void
log_open(const char *ident, bool tee)
{
	openlog(ident, LOG_PID | LOG_NDELAY | (tee ? LOG_PERROR : 0), LOG_AUTHPRIV);
}

void
log_debug(bool on)
{
	debug_on = on;
}

void
log_request(const char *request_id)
{
	request = request_id;
}

void
log_divert(log_line_fn *fn, void *arg)
{
	diverted = fn;
	diverted_arg = arg;
}

static void
log_line(int priority, const char *text)
{
	char clean[LOG_LINE_MAX];

	text_clean(clean, sizeof(clean), text);
	if (diverted) {
		diverted(priority, clean, diverted_arg);
		return;
	}
	if (*request)
		syslog(LOG_AUTHPRIV | priority, "id=%s %s", request, clean);
	else
		syslog(LOG_AUTHPRIV | priority, "%s", clean);
}

void
otp_log(int priority, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	va_list ap;

	if (priority == LOG_DEBUG && !debug_on)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_line(priority, text);
}

void
otp_logr(int priority, int r, const char *fmt, ...)
{
	char text[LOG_LINE_MAX], whole[LOG_LINE_MAX + 256];
	const char *sys = r == -OTP_ESYS ? strerror(errno) : "";
	va_list ap;

	if (priority == LOG_DEBUG && !debug_on)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* An event is KEY=VALUE pairs, for programs. Other lines are for people. */
	if (!strncmp(text, "event=", 6))
		(void)snprintf(whole, sizeof(whole), "%s detail=\"%s%s%s\"", text, otp_strerror(r),
		    *sys ? ": " : "", sys);
	else
		(void)snprintf(whole, sizeof(whole), "%s: %s%s%s", text, otp_strerror(r),
		    *sys ? ": " : "", sys);
	log_line(priority, whole);
}
