/*
 * Runs instead of otp-helper in pam_otp@.service, and tries what the unit forbids and allows: one
 * line for each, "NAME yes" or "NAME no", as one message to its socket.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static char report[8192];

static void
tell(const char *name, bool yes)
{
	size_t len = strlen(report);

	(void)snprintf(report + len, sizeof(report) - len, "%s %s\n", name, yes ? "yes" : "no");
}

static bool
can_make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return false;
	(void)close(fd);
	(void)unlink(path);
	return true;
}

static bool
can_list(const char *path)
{
	DIR *d = opendir(path);

	if (!d)
		return false;
	(void)closedir(d);
	return true;
}

static bool
can_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}

static bool
can_socket(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}

static bool
can_map(int protection)
{
	return mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool
can_set_suid(void)
{
	int fd = open("/tmp/probe", O_RDWR | O_CREAT | O_CLOEXEC, 0700);

	return fd >= 0 && !fchmod(fd, 04700);
}

static bool
sees_process_1(void)
{
	return access("/proc/1/status", F_OK) == 0;
}

/* The number of a processor's execution domain: what personality(2) would change. */
static bool
can_change_personality(void)
{
	return syscall(SYS_personality, 0x0040000) >= 0;
}

int
main(void)
{
	struct sched_param param = {.sched_priority = 1};
	struct timespec ts = {0};
	struct rlimit core = {1, 1};

	(void)getrlimit(RLIMIT_CORE, &core);
	tell("write /var/lib/pam_otp/state", can_make("/var/lib/pam_otp/state/probe"));
	tell("write /tmp", can_make("/tmp/probe-file"));
	tell("write /var/lib/pam_otp", can_make("/var/lib/pam_otp/probe"));
	tell("write /etc/pam_otp", can_make("/etc/pam_otp/probe"));
	tell("write /run", can_make("/run/open-to-all/probe"));
	tell("list /home", can_list("/home"));
	tell("list /home/alice", can_list("/home/alice"));
	tell("boot ID", can_open("/proc/sys/kernel/random/boot_id", O_RDONLY));
	tell("process 1", sees_process_1());
	tell("read /dev/urandom", can_open("/dev/urandom", O_RDONLY));
	tell("read /dev/probe", can_open("/dev/probe", O_RDONLY));
	tell("AF_UNIX", can_socket(AF_UNIX, SOCK_STREAM));
	tell("AF_INET", can_socket(AF_INET, SOCK_STREAM));
	tell("AF_INET6", can_socket(AF_INET6, SOCK_DGRAM));
	tell("AF_NETLINK", can_socket(AF_NETLINK, SOCK_RAW));
	tell("AF_VSOCK", can_socket(AF_VSOCK, SOCK_STREAM));
	tell("AF_ALG", can_socket(AF_ALG, SOCK_SEQPACKET));
	tell("memory to write", can_map(PROT_READ | PROT_WRITE));
	tell("memory to write and execute", can_map(PROT_READ | PROT_WRITE | PROT_EXEC));
	tell("set-user-ID", can_set_suid());
	tell("real time", !sched_setscheduler(0, SCHED_FIFO, &param));
	tell("personality", can_change_personality());
	tell("setuid", !setuid(getuid()));
	tell("mount", !mount("none", "/tmp", "tmpfs", 0, NULL));
	tell("clock", !clock_settime(CLOCK_REALTIME, &ts));
	tell("trace", !ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	tell("core dumps", core.rlim_max != 0);
	tell("root", geteuid() == 0);
	/* The last: in one of its own it is nobody. */
	tell("user namespace", !unshare(CLONE_NEWUSER));
	return send(STDIN_FILENO, report, strlen(report), 0) == (ssize_t)strlen(report) ? 0 : 9;
}
