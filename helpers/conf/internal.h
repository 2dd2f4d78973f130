/* Shared by the sources of the configuration, and by nobody else. */
#ifndef OTP_CONF_INTERNAL_H
#define OTP_CONF_INTERNAL_H

#include "helpers/conf/conf.h"
#include "helpers/conf/sections.h"
#include "helpers/conf/table.h"

/* [service NAME ...]: the options of [otp] with the section's own laid over them. */
struct conf_service {
	const struct conf_section *section; /* borrowed from conf_internal */
	struct strlist names;
	struct conf_signin signin;
};

struct conf_internal {
	char *path; /* of the main file */
	struct conf_sections sections;
	struct conf_service *service;
	size_t nservices;
};

/* The section's kind, or -1; *rest is what follows the first word, "" for nothing. */
int conf_section_kind(const struct conf_section *s, const char **rest);

/* What one option cannot show alone: references, orders of size, rules without a condition. */
void conf_check(const struct conf *c, int64_t now_s, struct conf_report *rep);
/* One [exempt] rule, by itself and against those before it. */
void conf_check_exempt(
    const struct conf *c, const struct conf_exempt *e, int64_t now_s, struct conf_report *rep);

#endif
