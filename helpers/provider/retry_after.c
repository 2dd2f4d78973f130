#include "helpers/provider/retry_after.h"

static int
retry_after_left(
    struct retry_after_book *base, const char *provider, const char *address, int64_t *left_ms)
{
	struct stored_retry_after *p = (struct stored_retry_after *)base;
	struct instant now;
	int64_t until = 0;
	int r;

	p->clock->now(p->clock, &now);
	r = p->store->ops->retry_after_find(p->store, &now, provider, address, &until);
	if (!r)
		*left_ms = until - now.wall_ms;
	return r;
}

static int
retry_after_keep(struct retry_after_book *base, const char *provider, const char *address,
    int64_t retry_after_ms)
{
	struct stored_retry_after *p = (struct stored_retry_after *)base;
	struct instant now;

	p->clock->now(p->clock, &now);
	return p->store->ops->retry_after_put(
	    p->store, &now, provider, address, now.wall_ms + retry_after_ms);
}

void
retry_after_init(struct stored_retry_after *p, struct store *store, struct clock_source *clock)
{
	*p = (struct stored_retry_after){
	    .base = {.left = retry_after_left, .keep = retry_after_keep},
	    .store = store,
	    .clock = clock,
	};
}
