/* What the store knows of a user, or of this machine, as the JSON that otpctl status prints. */
#ifndef OTP_OTPCTL_STATUS_FACTS_H
#define OTP_OTPCTL_STATUS_FACTS_H

#include <jansson.h>

#include "helpers/conf/conf.h"
#include "helpers/contacts/contacts.h"
#include "helpers/store/store.h"

/* All borrowed. */
struct status_query {
	const struct conf *conf;
	struct store *store;
	struct instant now;
	/* Of one user only. */
	const char *user; /* the canonical name */
	const struct contact_list *contacts;
};

/* Sets *out to a new object with the keys of otpctl(8). 0, -OTP_ENOMEM or -OTP_ESTORE. */
int status_of_user(const struct status_query *q, json_t **out);
/*
 * Sets *out to a new array of the messages that count against the limits of this machine. It has
 * the form of "sends" in status_of_user(). 0, -OTP_ENOMEM or -OTP_ESTORE.
 */
int status_of_host(const struct status_query *q, json_t **out);

#endif
