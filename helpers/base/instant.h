/* Now, by the clocks that outlive a process. */
#ifndef OTP_BASE_INSTANT_H
#define OTP_BASE_INSTANT_H

#include <stdint.h>

/* Read once per operation by the caller. Injected in tests. */
struct instant {
	int64_t wall_ms;  /* CLOCK_REALTIME: windows */
	int64_t boot_ms;  /* CLOCK_BOOTTIME: expiry of challenges */
	char boot_id[40]; /* of the running kernel: a challenge of another boot is dead */
};

/*
 * Reads the clocks, and the boot id where there is none in *i yet: it stays the same while this
 * process lives. 0, or -OTP_ESYS where the kernel does not tell one of them.
 */
int instant_now(struct instant *i);

/* Where instants come from: the clocks of this machine, or of a test. */
struct clock_source {
	void (*now)(struct clock_source *c, struct instant *out);
};

/* The clocks of this machine. */
struct machine_clock {
	struct clock_source base; /* first */
	struct instant last;
};

/* As instant_now(). After a failure the clock must not be used. */
int machine_clock_open(struct machine_clock *c);

#endif
