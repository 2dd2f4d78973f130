/* A sign-in gone through without a person, a message or a count. */
#ifndef OTP_OTPCTL_EXPLAIN_RUN_H
#define OTP_OTPCTL_EXPLAIN_RUN_H

#include <jansson.h>

#include "helpers/login/login.h"
#include "helpers/otpctl/user.h"

/* All borrowed. */
struct explain_query {
	const struct conf *conf;
	const struct login_start *start;
	const struct secret *host_key;
	struct contacts *contacts;
	struct store *store;
	struct login_opener *opener; /* opens the providers */
	struct instant now;
	const char *asked; /* whose code would be asked for: the start's user, or who calls */
	enum otpctl_known known;
};

/*
 * Runs the sign-in itself, up to where a code would go out or be typed: with a person who only
 * presses Enter, a provider that is not asked, and a store that counts nothing. What came of it, by
 * the keys of otpctl(8), is in *out, the caller's. 0 or -OTP_ENOMEM.
 */
int explain_sign_in(const struct explain_query *q, json_t **out);

#endif
