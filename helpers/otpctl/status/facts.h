/* What is known of a user, or of the machine, as JSON that both outputs print. */
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
	const char *user; /* canonical */
	const struct contact_list *contacts;
};

/* The keys are those of otpctl(8). 0, -OTP_ENOMEM, -OTP_ESTORE; the caller owns *out. */
int status_of_user(const struct status_query *q, json_t **out);
/* The messages of this machine alone: an array like that of "sends". user and contacts: not used.
 */
int status_of_host(const struct status_query *q, json_t **out);

#endif
