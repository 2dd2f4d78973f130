/*
 * Tells a failure of this machine from one of the provider. A local user who uses up ports, threads
 * or processor time must not be able to make the provider look as if it were down.
 */
#ifndef OTP_HTTP_PROBE_H
#define OTP_HTTP_PROBE_H

#include <stdbool.h>
#include <stdint.h>

/* True if this machine still has free TCP and UDP ports and can start a thread. Takes up to 40 ms.
 */
bool probe_machine(void);

/* True if this errno of connect(2) means that this machine failed, not the network. */
bool probe_errno_is_local(int err);

/* Measures how long this process was kept from running: stopped, frozen, or without processor. */
struct pace {
	int64_t lost_ms; /* the sum so far */
	int64_t wall_ms; /* CLOCK_MONOTONIC at the last call */
	int64_t cpu_ms;	 /* the processor time of the process at the last call */
};

void pace_begin(struct pace *p);
/* Call it after work that did not wait. Time beyond the processor time of the work was lost. */
void pace_worked(struct pace *p);
/* Call it after a wait of at most wait_ms: time beyond wait_ms was lost. */
void pace_waited(struct pace *p, int64_t wait_ms);

#endif
