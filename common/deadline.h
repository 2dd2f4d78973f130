/*
 * A deadline is an absolute time of CLOCK_MONOTONIC. A caller makes one for a whole task and passes
 * it down, so that no chain of waits can take longer than the task may.
 */
#ifndef OTP_DEADLINE_H
#define OTP_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

struct deadline {
	int64_t at_ms; /* milliseconds of CLOCK_MONOTONIC */
};

/* The time ms milliseconds from now. If ms is 0 or negative, the deadline has passed already. */
struct deadline deadline_in(int64_t ms);
/* The earlier of the two. */
struct deadline deadline_first(struct deadline a, struct deadline b);
/* Returns the milliseconds left, at most INT_MAX, or 0 if dl has passed: a timeout for poll(2). */
int deadline_left(struct deadline dl);
/* True if no millisecond is left. */
bool deadline_passed(struct deadline dl);

#endif
