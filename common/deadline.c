#include "common/deadline.h"

#include <limits.h>
#include <time.h>

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct deadline
deadline_in(int64_t ms)
{
	return (struct deadline){now_ms() + ms};
}

struct deadline
deadline_first(struct deadline a, struct deadline b)
{
	return a.at_ms <= b.at_ms ? a : b;
}

int
deadline_left(struct deadline dl)
{
	int64_t left = dl.at_ms - now_ms();

	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

bool
deadline_passed(struct deadline dl)
{
	return deadline_left(dl) == 0;
}
