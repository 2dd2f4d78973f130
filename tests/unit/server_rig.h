/*
 * A server on loopback in a process of its own. Not in threads of the test: a child that the test
 * forks has no other thread than its own, and waits for ever for a lock that one of them held, the
 * sanitizers' allocator's for one.
 */
#ifndef OTP_SERVER_RIG_H
#define OTP_SERVER_RIG_H

#include <pthread.h>
#include <stddef.h>
#include <sys/types.h>

struct server {
	pthread_mutex_t lock; /* of what test and server share */
	pid_t pid;
	int listener, port;
};

/* Memory for the test and its server, zeroed, that begins with a struct server: it listens. */
void *server_make(size_t size);
/* Calls accept_all() in the process, which holds no other descriptor than the listener. */
void server_start(void *memory, void (*accept_all)(void *memory, int listener));
/* Ends the process and with it its connections; frees the memory. */
void server_stop(void *memory, size_t size);

int server_listen(int *port);

/* Copies what the other side is to say; a text longer than max fails the test. */
void server_copy(void *to, size_t max, const void *bytes, size_t len);

/* A child of a test that has no second thread, whom a lock of one could not stop. */
pid_t fork_alone(void);

#endif
