#include "tests/unit/server_rig.h"

#include "tests/unit/unit.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

int
server_listen(int *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

void *
server_make(size_t size)
{
	struct server *s =
	    mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t shared;

	assert_ptr_not_equal(s, MAP_FAILED);
	assert_int_equal(pthread_mutexattr_init(&shared), 0);
	assert_int_equal(pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED), 0);
	assert_int_equal(pthread_mutex_init(&s->lock, &shared), 0);
	(void)pthread_mutexattr_destroy(&shared);
	s->listener = server_listen(&s->port);
	assert_int_equal(listen(s->listener, 16), 0);
	return s;
}

static int
threads(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/self/task", &st), 0);
	return (int)st.st_nlink - 2; /* "." and ".." */
}

pid_t
fork_alone(void)
{
	enum { WAITS = 6000, WAIT_US = 10 * 1000 };
	pid_t pid;

	/* A thread that looks up a name ends when that does: after 30 s if no name server answers.
	 */
	for (int i = 0; i < WAITS && threads() > 1; i++)
		(void)usleep(WAIT_US);
	assert_int_equal(threads(), 1);
	pid = fork();
	assert_true(pid >= 0);
	return pid;
}

void
server_start(void *memory, void (*accept_all)(void *memory, int listener))
{
	struct server *s = memory;
	pid_t test = getpid(), pid = fork_alone();

	if (!pid) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != test)
			_exit(1);
		/* With a copy of a pipe's end here, the test would not notice its hang-up. */
		if (dup2(s->listener, 3) != 3 || close_range(4, ~0U, 0))
			_exit(1);
		accept_all(memory, 3);
		_exit(0);
	}
	s->pid = pid; /* only the parent writes it, because the child shares the memory */
	assert_int_equal(close(s->listener), 0);
}

void
server_stop(void *memory, size_t size)
{
	struct server *s = memory;

	assert_int_equal(kill(s->pid, SIGKILL), 0);
	assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
	assert_int_equal(munmap(memory, size), 0);
}

void
server_copy(void *to, size_t max, const void *bytes, size_t len)
{
	assert_in_range(len, 0, max);
	memcpy(to, bytes, len);
}
