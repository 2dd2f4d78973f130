/* The helper's start: a numbered list, each step read back. */
#ifndef OTP_OTP_HELPER_LOCKDOWN_H
#define OTP_OTP_HELPER_LOCKDOWN_H

#include <stdbool.h>
#include <sys/types.h>

enum transport {
	TRANSPORT_SOCKET,  /* door 1: a service manager accepted the connection */
	TRANSPORT_SPAWNED, /* door 2: the module made a socket pair */
};

struct start_context {
	int fd; /* the socket, above descriptor 2 */
	enum transport transport;
	uid_t peer;	    /* the host's effective uid, from the kernel */
	bool as_caller;	    /* a developer's machine: no root anywhere */
	uid_t second_owner; /* besides root, who may own what is read: root, or the caller */
};

/*
 * Makes the process what it has to be before it opens anything. own_config: was --config given?
 * 0, or the number of the step that failed, which is then the exit status.
 */
int lockdown(struct start_context *s, bool own_config);

/* Ends the process after so long, or sooner where the supervisor has died. */
void lockdown_alarm(unsigned seconds);

/* PDEATHSIG off: what is done after the result outlives the supervisor, under an alarm. */
void lockdown_release(unsigned seconds);

#endif
