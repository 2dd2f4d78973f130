/* The spawned helper: the module starts it itself, as the child of a supervisor process. */
#ifndef OTP_PAM_SPAWN_H
#define OTP_PAM_SPAWN_H

#include <sys/types.h>

/* spawn_end() returns this if the helper could not be executed. */
enum { SPAWN_NO_EXEC = 127 };

/*
 * Starts the program at the absolute path helper. Its descriptor 0 is one end of a new socket pair;
 * its environment is empty; its arguments are "--config" and config, or none if config is NULL. *fd
 * becomes the other end: above 2, close-on-exec, and the caller closes it. *supervisor becomes the
 * process that the caller must give to spawn_end().
 * 0. -OTP_ESYS: no descriptor or process could be made. That the helper cannot be executed is not
 * known yet: it shows as end-of-file on *fd.
 */
int spawn_helper(const char *helper, const char *config, int *fd, pid_t *supervisor);

/*
 * Waits up to grace_ms milliseconds for the supervisor to end, then kills it, and reaps it. Returns
 * the helper's exit status, or 128 + the signal that killed the helper, or -1 if the helper had not
 * ended. The status is for the log only.
 */
int spawn_end(pid_t supervisor, int grace_ms);

#endif
