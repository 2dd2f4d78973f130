#include "helpers/otpctl/otpctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"

enum { MESSAGE_MAX = 1024 };

int
otpctl_fail(const char *fmt, ...)
{
	char text[MESSAGE_MAX], clean[MESSAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "otpctl: %s\n", text_clean(clean, sizeof(clean), text));
	return OTPCTL_FAILED;
}

/* The first errno of standard output; stdio keeps only that there was an error. */
static int output_error;

int
otpctl_flush(void)
{
	int r = fflush(stdout);

	if (r && !output_error)
		output_error = errno;
	return r;
}

int
otpctl_print_json(const json_t *j)
{
	if (!j || json_dumpf(j, stdout, JSON_INDENT(2)) || putchar('\n') == EOF || otpctl_flush())
		return otpctl_fail("the output could not be written");
	return OTPCTL_OK;
}

int
otpctl_end_output(int r)
{
	if (!otpctl_flush() && !ferror(stdout))
		return r;
	return otpctl_fail("standard output: %s",
	    output_error ? strerror(output_error) : "not all of it could be written");
}
