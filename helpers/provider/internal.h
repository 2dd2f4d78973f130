/* What provider.c loads and exchange.c uses. */
#ifndef OTP_PROVIDER_INTERNAL_H
#define OTP_PROVIDER_INTERNAL_H

#include "helpers/provider/provider.h"

struct provider {
	const struct conf_provider *section; /* borrowed from the configuration */
	struct profile *profile;
	struct secret *secret; /* one for each variable of the profile that is a secret */
};

/* The section's setting of that name, or NULL. */
const struct conf_setting *provider_setting(const struct conf_provider *section, const char *key);
/* The text to send: the channel's, or the profile's. */
const char *provider_message(const struct provider *p, const char *message);

#endif
