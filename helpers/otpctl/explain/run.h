/* A simulated sign-in: it asks no person, sends no message and counts nothing. */
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
	const char *asked;	 /* the user who would be asked: the start's user or its caller */
	enum otpctl_known known; /* whether that user exists */
};

/*
 * Runs login_run() until it would send a code or check what was typed. The person is replaced by
 * one who only presses Enter, the provider by one that gets no request, and the store by one that
 * counts nothing. Sets *out to a new object with the keys of otpctl(8), which the caller owns.
 * 0 or -OTP_ENOMEM.
 */
int explain_sign_in(const struct explain_query *q, json_t **out);

#endif
