#include "helpers/provider/retry_after.h"

static int
pauses_left(struct pause_book *base, const char *provider, const char *address, int64_t *left_ms)
{
	struct stored_pauses *p = (struct stored_pauses *)base;
	struct instant now;
	int64_t until = 0;
	int r;

	p->clock->now(p->clock, &now);
	r = p->store->ops->pause_find(p->store, &now, provider, address, &until);
	if (!r)
		*left_ms = until - now.wall_ms;
	return r;
}

static int
pauses_keep(struct pause_book *base, const char *provider, const char *address, int64_t pause_ms)
{
	struct stored_pauses *p = (struct stored_pauses *)base;
	struct instant now;

	p->clock->now(p->clock, &now);
	return p->store->ops->pause_put(p->store, &now, provider, address, now.wall_ms + pause_ms);
}

void
pauses_init(struct stored_pauses *p, struct store *store, struct clock_source *clock)
{
	*p = (struct stored_pauses){
	    .base = {.left = pauses_left, .keep = pauses_keep},
	    .store = store,
	    .clock = clock,
	};
}
