/* Until when providers want to be left alone for an address: in the store, over the sign-ins. */
#ifndef OTP_PROVIDER_RETRY_AFTER_H
#define OTP_PROVIDER_RETRY_AFTER_H

#include "helpers/base/instant.h"
#include "helpers/provider/provider.h"
#include "helpers/store/store.h"

struct stored_pauses {
	struct pause_book base; /* first */
	struct store *store;
	struct clock_source *clock;
};

/* All borrowed. */
void pauses_init(struct stored_pauses *p, struct store *store, struct clock_source *clock);

#endif
