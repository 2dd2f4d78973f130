#include "helpers/otpctl/contact/import_fault.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/text.h"
#include "helpers/otpctl/otpctl.h"

enum { WHY_MAX = 512 };

void
import_clear_progress(struct import *im)
{
	if (im->step >= 0)
		(void)fputs("\r\033[K", stderr);
	im->step = -1;
}

void
import_fault(struct import *im, int64_t line, const char *column, const char *fmt, ...)
{
	char why[WHY_MAX], clean[WHY_MAX];
	json_t *j;
	va_list ap;

	if (im->n.errors++ >= IMPORT_ERRORS_SHOWN)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	text_clean(clean, sizeof(clean), why);
	import_clear_progress(im);
	(void)otpctl_fail(
	    "%s:%lld: %s%s%s", im->shown, (long long)line, column, *column ? ": " : "", clean);
	j = json_pack("{s:I, s:s?, s:s}", "line", (json_int_t)line, "column",
	    *column ? column : NULL, "error", clean);
	(void)json_array_append_new(im->errors, j);
}
