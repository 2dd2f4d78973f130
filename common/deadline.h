/* One absolute point in time on CLOCK_MONOTONIC, made once and passed down. */
#ifndef OTP_DEADLINE_H
#define OTP_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

struct deadline {
	int64_t at_ms; /* milliseconds of CLOCK_MONOTONIC */
};

/* ms from now; ms may be 0 or negative. */
struct deadline deadline_in(int64_t ms);
/* Whichever comes first. */
struct deadline deadline_first(struct deadline a, struct deadline b);
/* Milliseconds left, 0 when it has passed; fits poll(2). */
int deadline_left(struct deadline dl);
bool deadline_passed(struct deadline dl);

#endif
