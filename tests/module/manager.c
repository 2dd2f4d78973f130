/* The service manager: it listens on a socket and starts a helper for each connection. */
#include "tests/module/harness.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

_Noreturn static void
serve(int listener, const char *script, int delay_ms)
{
	(void)signal(SIGCHLD, SIG_IGN);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	nap_ms(delay_ms);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			_exit(1);
		if (fork() == 0) {
			if (dup2(fd, 0) != 0 || close_range(3, ~0U, 0))
				_exit(1);
			(void)execl("otp-helper", "otp-helper", "--config", script, (char *)NULL);
			_exit(1);
		}
		(void)close(fd);
	}
}

static pid_t
open_socket_at(const char *path, const char *script, int backlog, int delay_ms)
{
	static unsigned count;
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char file[PATH_MAX];
	pid_t pid;

	(void)snprintf(
	    file, sizeof(file), "%s/socket-script.%d.%u", harness_dir(), (int)getpid(), count++);
	put_file(file, script, 0644);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, backlog))
		give_up(path);
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		serve(fd, file, delay_ms);
	if (pid < 0)
		give_up("fork");
	(void)close(fd);
	return pid;
}

pid_t
socket_open(const char *script, int backlog, int delay_ms, char *path)
{
	static unsigned count;

	if (snprintf(path, SOCKET_NAME, "%s/sock.%d.%u", harness_dir(), (int)getpid(), count++) >=
	    SOCKET_NAME)
		give_up("TMPDIR is too long");
	return open_socket_at(path, script, backlog, delay_ms);
}

pid_t
socket_open_at(const char *name, const char *script)
{
	(void)unlink(name);
	return open_socket_at(name, script, 5, 0);
}

void
socket_close(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}
