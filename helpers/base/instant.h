/* The current time, by the clocks that outlive a process. */
#ifndef OTP_BASE_INSTANT_H
#define OTP_BASE_INSTANT_H

#include <stdint.h>

/*
 * One moment by all clocks. A caller reads the clocks once for each operation. Tests make up their
 * own moments.
 */
struct instant {
	int64_t wall_ms;  /* CLOCK_REALTIME, for limits and logs; it can be set back */
	int64_t boot_ms;  /* CLOCK_BOOTTIME, for the expiry of challenges; it is never set */
	char boot_id[40]; /* of the running kernel; a challenge of another boot is dead */
};

/*
 * Reads the clocks, and the boot id if *i has none yet: it cannot change while this process runs.
 * 0, or -OTP_ESYS if the kernel does not report one of them.
 */
int instant_now(struct instant *i);

/* Where instants come from: the clocks of this machine, or those of a test. */
struct clock_source {
	void (*now)(struct clock_source *c, struct instant *out);
};

/* The clocks of this machine. */
struct machine_clock {
	struct clock_source base; /* first */
	struct instant last;
};

/* Starts the clock. 0 or -OTP_ESYS; after an error the clock must not be used. */
int machine_clock_open(struct machine_clock *c);

#endif
