/*
 * Is it this machine? Whoever uses up its ports, its threads or its processor must not be able to
 * pass that off as a provider that is down.
 */
#ifndef OTP_HTTP_PROBE_H
#define OTP_HTTP_PROBE_H

#include <stdbool.h>
#include <stdint.h>

/* Can a TCP and a UDP socket get a port of their own here, and a thread start? */
bool probe_machine(void);

/* Does this errno of a connect(2) speak of this machine, not of the network? */
bool probe_errno_is_local(int err);

/* How much of the time this process was not allowed to run: stopped, frozen, or starved. */
struct pace {
	int64_t lost_ms;
	int64_t wall_ms; /* of the last look */
	int64_t cpu_ms;
};

void pace_begin(struct pace *p);
/* After work that waited for nothing: what it took beyond its own processor time was lost. */
void pace_worked(struct pace *p);
/* After a wait of at most wait_ms: what it took beyond that was lost. */
void pace_waited(struct pace *p, int64_t wait_ms);

#endif
