/* Door 2: the module starts the helper itself, behind a silent supervisor. */
#ifndef OTP_PAM_SPAWN_H
#define OTP_PAM_SPAWN_H

#include <sys/types.h>

/* What spawn_end() says when the helper program could not be executed. */
enum { SPAWN_NO_EXEC = 127 };

/*
 * Starts the program at the absolute path helper with one end of a new socket pair as descriptor
 * 0, the arguments "--config" config where config is not NULL, and an empty environment. *fd is
 * the other end, the caller's to close, close-on-exec, above 2. *supervisor is for spawn_end().
 * 0 or -OTP_ESYS.
 */
int spawn_helper(const char *helper, const char *config, int *fd, pid_t *supervisor);

/*
 * Ends the supervisor and reaps it; never waits longer than grace_ms for it to end by itself. The
 * helper's exit status, 128 + the signal that killed it, or -1 when it had not ended: for the log
 * only.
 */
int spawn_end(pid_t supervisor, int grace_ms);

#endif
