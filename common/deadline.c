#include "common/deadline.h"

#include <limits.h>

#include "common/clock.h"

struct deadline
deadline_in(int64_t ms)
{
	return (struct deadline){clock_ms(CLOCK_MONOTONIC) + ms};
}

struct deadline
deadline_first(struct deadline a, struct deadline b)
{
	return a.at_ms <= b.at_ms ? a : b;
}

int
deadline_left(struct deadline dl)
{
	int64_t left = dl.at_ms - clock_ms(CLOCK_MONOTONIC);

	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

bool
deadline_passed(struct deadline dl)
{
	return deadline_left(dl) == 0;
}
