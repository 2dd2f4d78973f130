/*
 * MUST:
 *  - Before the identity changes, nothing of the caller's is left: descriptors, limits, signals,
 *    schedule, environment.
 *  - The identity changes for good: root cannot be regained.
 *  - No file of pam_otp is opened before the identity has changed.
 */
#include "helpers/otp-helper/lockdown.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/err.h"

enum {
	HARD_ALARM = 330,  /* seconds: above the longest login_timeout */
	ORPHAN_ALARM = 70, /* seconds that are left after the supervisor has died */
	START_FD = 3,
	FIRST_STEP = 64, /* lower exit statuses are used by main() */
	IDENTITY_STEP = 6,
};

/* Finds out from the socket which transport it is, and the uid of the other end. */
static int
examine_socket(struct start_context *s)
{
	struct sockaddr_un name;
	struct ucred peer;
	socklen_t len = sizeof(name);
	int type = 0;

	if (getsockname(0, (struct sockaddr *)&name, &len) || name.sun_family != AF_UNIX)
		return -OTP_EINVAL;
	s->transport = len > sizeof(name.sun_family) ? TRANSPORT_SOCKET : TRANSPORT_SPAWNED;
	len = sizeof(type);
	if (getsockopt(0, SOL_SOCKET, SO_TYPE, &type, &len) || type != SOCK_SEQPACKET)
		return -OTP_EINVAL;
	len = sizeof(peer);
	if (getsockopt(0, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return -OTP_ESYS;
	s->peer = peer.uid;
	return 0;
}

/*
 * Moves the socket to START_FD, opens /dev/null as 0, 1 and 2, and closes all others. If the helper
 * is not root, the caller's standard error is kept.
 */
static int
set_descriptors(struct start_context *s)
{
	int null, r = examine_socket(s);

	if (r)
		return r;
	s->fd = fcntl(0, F_DUPFD_CLOEXEC, 3);
	if (s->fd < 0)
		return -OTP_ESYS;
	null = open("/dev/null", O_RDWR | O_NOCTTY);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
		return -OTP_ESYS;
	if ((geteuid() == 0 || fcntl(2, F_GETFD) < 0) && dup2(null, 2) < 0)
		return -OTP_ESYS;
	if (s->fd > START_FD) {
		if (dup3(s->fd, START_FD, O_CLOEXEC) < 0)
			return -OTP_ESYS;
		s->fd = START_FD;
	}
	if (close_range(4, ~0U, 0))
		return -OTP_ESYS;
	return fcntl(s->fd, F_GETFD) == FD_CLOEXEC && fcntl(0, F_GETFD) >= 0 ? 0 : -OTP_ESYS;
}

static int
set_alarm(struct start_context *s)
{
	(void)s;
	(void)alarm(HARD_ALARM);
	return alarm(HARD_ALARM) ? 0 : -OTP_ESYS;
}

/*
 * Replaces the caller's limits. A hard limit that cannot be raised stays; if something fails
 * because of it, the sign-in is refused.
 */
static int
set_limits(struct start_context *s)
{
	static const struct {
		int resource;
		rlim_t value;
	} wanted[] = {
	    {RLIMIT_CORE, 0}, /* memory holds codes and tokens */
	    {RLIMIT_FSIZE, RLIM_INFINITY},
	    {RLIMIT_NOFILE, 256},
	    {RLIMIT_NPROC, RLIM_INFINITY}, /* a name lookup runs in a thread */
	    {RLIMIT_AS, RLIM_INFINITY},
	    {RLIMIT_DATA, RLIM_INFINITY},
	    {RLIMIT_STACK, 8 * 1024 * 1024},
	    {RLIMIT_CPU, RLIM_INFINITY},
	};
	struct rlimit l;

	(void)s;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		l = (struct rlimit){wanted[i].value, wanted[i].value};
		if (!setrlimit(wanted[i].resource, &l))
			continue;
		if (getrlimit(wanted[i].resource, &l))
			return -OTP_ESYS;
		l.rlim_cur = l.rlim_max < wanted[i].value ? l.rlim_max : wanted[i].value;
		if (setrlimit(wanted[i].resource, &l))
			return -OTP_ESYS;
	}
	return getrlimit(RLIMIT_CORE, &l) || l.rlim_cur ? -OTP_ESYS : 0;
}

/* Sets default actions for all signals. Two are ignored: the failed call returns an error instead.
 */
static int
set_signals(struct start_context *s)
{
	struct sigaction standard = {.sa_handler = SIG_DFL}, ignored = {.sa_handler = SIG_IGN};
	sigset_t none, now;

	(void)s;
	for (int n = 1; n < SIGRTMAX; n++)
		(void)sigaction(n, &standard, NULL);
	if (sigaction(SIGPIPE, &ignored, NULL) || sigaction(SIGXFSZ, &ignored, NULL))
		return -OTP_ESYS;
	(void)sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) || sigprocmask(SIG_SETMASK, NULL, &now))
		return -OTP_ESYS;
	return sigismember(&now, SIGALRM) ? -OTP_ESYS : 0;
}

/*
 * Moves this process to the root cgroup. The owner of the caller's cgroup could otherwise freeze
 * this process in the middle of a send, or while it holds the lock of the store. In a container the
 * move may fail. Then struct pace of helpers/http/probe.h still notices that time was lost.
 */
static void
leave_cgroup(void)
{
	int fd = open("/sys/fs/cgroup/cgroup.procs", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return;
	(void)!write(fd, "0", 1);
	(void)close(fd);
}

/* Replaces the caller's priority, processor affinity, cgroup and timer slack. */
static int
set_schedule(struct start_context *s)
{
	enum { IOPRIO_WHO_PROCESS = 1, BEST_EFFORT_4 = 2 << 13 | 4, SLACK_NS = 50000 };
	const struct sched_param plain = {.sched_priority = 0};
	cpu_set_t all;

	(void)s;
	(void)setpriority(PRIO_PROCESS, 0, 0);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, BEST_EFFORT_4);
	memset(&all, 0xff, sizeof(all));
	(void)sched_setaffinity(0, sizeof(all), &all);
	if (geteuid() == 0 && getuid() != 0)
		leave_cgroup();
	if (sched_setscheduler(0, SCHED_OTHER, &plain) && geteuid() == 0)
		return -OTP_ESYS;
	if (prctl(PR_SET_TIMERSLACK, (unsigned long)SLACK_NS, 0, 0, 0))
		return -OTP_ESYS;
	return prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) == SLACK_NS ? 0 : -OTP_EPERM;
}

/*
 * Clears the environment. If systemd started the helper, CREDENTIALS_DIRECTORY stays, which names
 * the folder of its credentials.
 */
static int
set_surroundings(struct start_context *s)
{
	const char *old = s->transport == TRANSPORT_SOCKET ? getenv("CREDENTIALS_DIRECTORY") : NULL;
	char folder[4096] = "";

	if (old && strlen(old) < sizeof(folder))
		(void)snprintf(folder, sizeof(folder), "%s", old);
	if (clearenv() || (*folder == '/' && setenv("CREDENTIALS_DIRECTORY", folder, 1)))
		return -OTP_ESYS;
	(void)umask(077);
	if (chdir("/"))
		return -OTP_ESYS;
	return umask(077) == 077 ? 0 : -OTP_ESYS;
}

static int
is_uniform(uid_t uid, gid_t gid)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	return !getresuid(&r, &e, &s) && !getresgid(&rg, &eg, &sg) && r == uid && e == uid &&
	       s == uid && rg == gid && eg == gid && sg == gid;
}

static int
drop_root(const struct passwd *pw)
{
	if (setgroups(0, NULL) || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid))
		return -OTP_ESYS;
	if (getgroups(0, NULL) != 0)
		return -OTP_EPERM;
	return 0;
}

static int
set_identity(struct start_context *s)
{
	struct passwd *pw = getpwnam(OTP_USER);
	int r = 0;

	if (geteuid() == 0) {
		if (!pw || pw->pw_uid == 0 || pw->pw_gid == 0)
			return -OTP_ENOENT;
		r = drop_root(pw);
	} else if (!pw || geteuid() != pw->pw_uid) {
		s->as_caller = true;
		s->second_owner = geteuid();
		/* A helper that runs as its caller must have no right that the caller lacks. */
		return s->transport == TRANSPORT_SPAWNED && s->peer == geteuid() &&
			       is_uniform(getuid(), getgid())
			   ? 0
			   : -OTP_EPERM;
	} else if (getgroups(0, NULL) > 1) {
		return -OTP_EPERM; /* the unit of systemd gives the helper one group only */
	}
	if (r || !is_uniform(pw->pw_uid, pw->pw_gid))
		return r ? r : -OTP_EPERM;
	/* Regaining root must fail. */
	if (!setresuid((uid_t)-1, 0, (uid_t)-1) || !setresgid((gid_t)-1, 0, (gid_t)-1) ||
	    geteuid() == 0)
		return -OTP_EPERM;
	return s->transport == TRANSPORT_SPAWNED && s->peer != 0 ? -OTP_EPERM : 0;
}

/*
 * Must run after set_identity(), because a change of identity resets this setting. The same holds
 * for set_parent().
 */
static int
set_undumpable(struct start_context *s)
{
	(void)s;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -OTP_ESYS;
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : -OTP_EPERM;
}

static volatile sig_atomic_t orphaned;

/*
 * Runs when the supervisor has died. It shuts the socket, so that the rest of the program sees a
 * hang-up. SIGKILL would end the sign-in without a line in the log.
 */
static void
parent_gone(int sig)
{
	int e = errno;

	(void)sig;
	orphaned = 1;
	(void)shutdown(START_FD, SHUT_RDWR);
	(void)alarm(ORPHAN_ALARM);
	errno = e;
}

/*
 * Has the kernel send SIGHUP if the supervisor dies. The supervisor is the leader of our process
 * session. If it is still our parent, it did not die before the request.
 */
static int
set_parent(struct start_context *s)
{
	const struct sigaction gone = {.sa_handler = parent_gone, .sa_flags = SA_RESTART};
	int sig = 0;

	if (s->transport != TRANSPORT_SPAWNED)
		return 0;
	if (sigaction(SIGHUP, &gone, NULL) || prctl(PR_SET_PDEATHSIG, SIGHUP, 0, 0, 0) ||
	    prctl(PR_GET_PDEATHSIG, &sig, 0, 0, 0))
		return -OTP_ESYS;
	return sig == SIGHUP && getppid() == getsid(0) ? 0 : -OTP_EPERM;
}

static int
set_no_new_privileges(struct start_context *s)
{
	(void)s;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -OTP_ESYS;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : -OTP_EPERM;
}

typedef int step_fn(struct start_context *s);
/* The number is the exit status if the step fails. */
static step_fn *const steps[] = {
    set_descriptors,	   /* 64 */
    set_alarm,		   /* 65 */
    set_limits,		   /* 66 */
    set_signals,	   /* 67 */
    set_schedule,	   /* 68 */
    set_surroundings,	   /* 69 */
    set_identity,	   /* 70 */
    set_undumpable,	   /* 71 */
    set_parent,		   /* 72 */
    set_no_new_privileges, /* 73 */
};

int
lockdown(struct start_context *s, bool own_config)
{
	*s = (struct start_context){.fd = -1};
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (steps[i](s))
			return FIRST_STEP + (int)i;
	return s->as_caller && !own_config ? FIRST_STEP + IDENTITY_STEP : 0;
}

void
lockdown_alarm(unsigned seconds)
{
	(void)alarm(seconds);
	if (orphaned)
		(void)alarm(ORPHAN_ALARM);
}

void
lockdown_release(unsigned seconds)
{
	(void)prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	(void)alarm(seconds);
}
