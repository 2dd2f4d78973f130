/* What the sources of helpers/conf/ share. No other folder may include it. */
#ifndef OTP_CONF_INTERNAL_H
#define OTP_CONF_INTERNAL_H

#include "helpers/conf/conf.h"
#include "helpers/conf/sections.h"
#include "helpers/conf/table.h"

/* [service NAME ...]: the options of [otp], overridden by those of this section. */
struct conf_service {
	const struct conf_section *section; /* borrowed from conf_internal.sections */
	struct strlist names;
	struct conf_signin signin;
};

struct conf_internal {
	char *path; /* of the main file */
	struct conf_sections sections;
	struct conf_service *service;
	size_t nservices;
};

/*
 * Returns the section's enum conf_kind, or -1 if its first word is none. *rest, borrowed from s, is
 * the heading after the first word and a blank, or "".
 */
int conf_section_kind(const struct conf_section *s, const char **rest);

/*
 * Reports mistakes that show only when keys are compared: for example names of sections that do not
 * exist, an attempt_timeout that is longer than send_timeout, and rules that match everybody.
 */
void conf_check(const struct conf *c, int64_t now_s, struct conf_report *rep);
/* Reports mistakes in one [exempt] rule, also that an earlier rule already covers it. */
void conf_check_exempt(
    const struct conf *c, const struct conf_exempt *e, int64_t now_s, struct conf_report *rep);

#endif
