/* The kernel's clocks, in the unit that this project counts in. */
#ifndef OTP_CLOCK_H
#define OTP_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds; 0 for a clock that the kernel does not have. */
int64_t clock_ms(clockid_t clock);

#endif
