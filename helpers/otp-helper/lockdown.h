/* The helper's start: a numbered list of steps. Each step checks its result. */
#ifndef OTP_OTP_HELPER_LOCKDOWN_H
#define OTP_OTP_HELPER_LOCKDOWN_H

#include <stdbool.h>
#include <sys/types.h>

enum transport {
	TRANSPORT_SOCKET,  /* the socket: a service manager accepted the connection */
	TRANSPORT_SPAWNED, /* the spawned helper: the module made a socket pair and started us */
};

struct start_context {
	int fd; /* the connection to the module; above descriptor 2 */
	enum transport transport;
	uid_t peer;	    /* the effective uid of the module's process, from the kernel */
	bool as_caller;	    /* the helper runs as the user who started it (a developer's machine) */
	uid_t second_owner; /* may own the files that are read, besides root: 0, or the caller */
};

/*
 * Brings the process into a safe state; nothing may be opened before. own_config is true if
 * --config was given. Returns 0, or the number of the step that failed, which is the exit status:
 * see otp-helper(8).
 */
int lockdown(struct start_context *s, bool own_config);

/* Kills the process after this time, or 70 s after the supervisor has died if that is sooner. */
void lockdown_alarm(unsigned seconds);

/*
 * Call it before the work after the result. From now on the process may outlive the supervisor, but
 * it is killed after this time.
 */
void lockdown_release(unsigned seconds);

#endif
