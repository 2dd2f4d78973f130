/* What provider.c and exchange.c share. No other file may include it. */
#ifndef OTP_PROVIDER_INTERNAL_H
#define OTP_PROVIDER_INTERNAL_H

#include "helpers/provider/provider.h"

struct provider {
	const struct conf_provider *section; /* borrowed from the configuration */
	struct profile *profile;
	struct secret *secret; /* one per variable of the profile; empty if that is no secret */
};

/* The setting of this name in the section, or NULL. */
const struct conf_setting *provider_setting(const struct conf_provider *section, const char *key);
/* The template to send: the channel's message, or the profile's if that is "" or NULL. */
const char *provider_message(const struct provider *p, const char *message);

#endif
