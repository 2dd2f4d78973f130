/* Keeps tokens of providers in the store, encrypted with the host key. */
#ifndef OTP_PROVIDER_TOKENS_H
#define OTP_PROVIDER_TOKENS_H

#include "common/secret.h"
#include "helpers/base/instant.h"
#include "helpers/provider/provider.h"
#include "helpers/store/store.h"

struct stored_tokens {
	struct token_cache base; /* must be the first member */
	struct store *store;
	const struct secret *host_key;
	struct clock_source *clock;
};

/* store, host_key and clock are borrowed. */
void tokens_init(struct stored_tokens *s, struct store *store, const struct secret *host_key,
    struct clock_source *clock);

#endif
