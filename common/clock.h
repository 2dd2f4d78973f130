/* The kernel's clocks in milliseconds, the unit of time in this project. */
#ifndef OTP_CLOCK_H
#define OTP_CLOCK_H

#include <stdint.h>
#include <time.h>

/* The time of this clock in milliseconds, or 0 if the kernel has no such clock. */
int64_t clock_ms(clockid_t clock);

#endif
