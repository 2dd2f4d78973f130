/*
 * The supervisor: a child of the host that the host cannot notice, and the parent of the helper.
 *
 *	host ── clone, no exit signal ──> supervisor ── vfork, execve ──> otp-helper
 *	  └──────────────────────── socket pair ─────────────────────────────┘
 *
 * MUST:
 *  - The host gets no SIGCHLD, and its wait() does not return the supervisor, whatever the host
 *    does with SIGCHLD. So the supervisor has no exit signal, and only __WCLONE reaps it.
 *  - Between clone and exec there are only async-signal-safe calls: another thread of the host may
 *    hold any lock.
 *  - No signal handler of the host runs in the supervisor: all signals are blocked before it
 *    starts.
 *  - The host's signal mask is restored at once, also after an error.
 *  - The helper inherits descriptors 0 to 2 and nothing else: no environment, no signal settings.
 *  - The supervisor keeps no end of the socket. Else the module could not see the helper's death.
 *  - The supervisor dies with the host, also if SIGKILL ends the host. The helper checks that its
 *    parent leads its session, and ends when that parent has ended. It may still write its line to
 *    the log.
 */
#include "pam_otp/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/deadline.h"
#include "common/err.h"
#include "common/own.h"

enum { SPAWN_FAILED = 125, REAP_NAP_MS = 2 };

struct plan {
	const char *helper;
	char *const *argv;
	int fd;	    /* the helper's end, above 2 */
	pid_t host; /* must still be the supervisor's parent */
};

/* After vfork(2) this process shares the memory of the supervisor and must not change it. */
_Noreturn static void
become_helper(const struct plan *p)
{
	char *const nothing[] = {NULL};
	sigset_t none;

	if (sigemptyset(&none) || sigprocmask(SIG_SETMASK, &none, NULL))
		_exit(SPAWN_FAILED);
	(void)execve(p->helper, p->argv, nothing);
	_exit(SPAWN_NO_EXEC);
}

static pid_t
start_helper(const struct plan *p)
{
	pid_t pid = vfork();

	if (pid == 0)
		become_helper(p);
	return pid;
}

/*
 * Resets all signals, because the helper would inherit ignored ones. An ignored SIGCHLD would hide
 * the exit status of the helper.
 */
static void
signals_to_default(void)
{
	const struct sigaction dfl = {.sa_handler = SIG_DFL};

	for (int n = 1; n < NSIG; n++)
		(void)sigaction(n, &dfl, NULL); /* SIGKILL and SIGSTOP cannot be changed */
}

_Noreturn static void
supervise(const struct plan *p)
{
	int status;
	pid_t pid;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != p->host || setsid() < 0)
		_exit(SPAWN_FAILED);
	/* Close first, then open /dev/null: the host may have used all of its descriptors. */
	if (dup2(p->fd, 0) != 0 || close_range(1, ~0U, 0) || open("/dev/null", O_RDWR) != 1 ||
	    dup(1) != 2)
		_exit(SPAWN_FAILED);
	signals_to_default();
	pid = start_helper(p);
	if (close_range(0, ~0U, 0) || pid < 0)
		_exit(SPAWN_FAILED);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			_exit(SPAWN_FAILED);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/*
 * Returns the supervisor, or -1 with errno. fork() will not do: it runs the handlers that the host
 * has registered with pthread_atfork(3).
 */
static pid_t
clone_supervisor(const struct plan *p)
{
	sigset_t all, before;
	pid_t pid;
	int e;

	if (sigfillset(&all) || sigprocmask(SIG_SETMASK, &all, &before))
		return -1;
	pid = (pid_t)syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L);
	if (pid == 0)
		supervise(p);
	e = errno;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	errno = e;
	return pid;
}

int
spawn_helper(const char *helper, const char *config, int *fd, pid_t *supervisor)
{
	char *argv[] = {(char *)"otp-helper", NULL, NULL, NULL};
	int pair[2] = {-1, -1};
	int r = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
	_auto_close int low0 = pair[0], low1 = pair[1];
	/*
	 * Both ends get numbers above 2, even if the host has closed 0 to 2: the helper's own
	 * descriptors 0 to 2 go there.
	 */
	_auto_close int ours = r ? -1 : fcntl(low0, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	_auto_close int theirs = r ? -1 : fcntl(low1, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	struct plan plan = {helper, argv, theirs, getpid()};
	pid_t pid;

	if (ours < 0 || theirs < 0)
		return -OTP_ESYS;
	if (config) {
		argv[1] = (char *)"--config";
		argv[2] = (char *)config;
	}
	pid = clone_supervisor(&plan);
	if (pid < 0)
		return -OTP_ESYS;
	*supervisor = pid;
	*fd = take_fd(&ours);
	return 0;
}

int
spawn_end(pid_t supervisor, int grace_ms)
{
	struct deadline grace = deadline_in(grace_ms);
	int status = 0;
	pid_t got;

	while ((got = waitpid(supervisor, &status, __WCLONE | WNOHANG)) == 0 &&
	       !deadline_passed(grace))
		(void)poll(NULL, 0, REAP_NAP_MS);
	if (got == 0) {
		(void)kill(supervisor, SIGKILL);
		while ((got = waitpid(supervisor, &status, __WCLONE)) < 0 && errno == EINTR)
			;
	}
	return got == supervisor && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
