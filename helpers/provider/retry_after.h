/*
 * Keeps in the store the time before which a provider wants no request for an address
 * (Retry-After).
 */
#ifndef OTP_PROVIDER_RETRY_AFTER_H
#define OTP_PROVIDER_RETRY_AFTER_H

#include "helpers/base/instant.h"
#include "helpers/provider/provider.h"
#include "helpers/store/store.h"

struct stored_retry_after {
	struct retry_after_book base; /* must be the first member */
	struct store *store;
	struct clock_source *clock;
};

/* store and clock are borrowed. */
void retry_after_init(
    struct stored_retry_after *p, struct store *store, struct clock_source *clock);

#endif
