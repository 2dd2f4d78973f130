/* The report on a configuration as the text that a person reads. */
#ifndef OTP_UNIT_REPORT_H
#define OTP_UNIT_REPORT_H

#include <string.h>

#include "helpers/conf/report.h"
#include "tests/unit/unit.h"

/* Its rows, each with a newline. Borrowed until the next call. */
static inline const char *
report_text(const struct conf_report *report)
{
	static char text[512 * 1024];
	char row[CONF_ROW_TEXT];
	size_t n = 0;

	*text = '\0';
	for (size_t i = 0; i < report->n; i++) {
		n += (size_t)snprintf(
		    text + n, sizeof(text) - n, "%s\n", conf_row_text(&report->row[i], row));
		assert_true(n < sizeof(text));
	}
	return text;
}

#endif
