/*
 * A server on loopback in a child process. Threads of the test would not do: a child that the test
 * forks has only its own thread, and would wait for ever for a lock that another thread held, such
 * as that of the sanitizer's allocator.
 */
#ifndef OTP_SERVER_RIG_H
#define OTP_SERVER_RIG_H

#include <pthread.h>
#include <stddef.h>
#include <sys/types.h>

struct server {
	pthread_mutex_t lock; /* for the memory that test and server share */
	pid_t pid;
	int listener, port;
};

/* Allocates zeroed memory that test and server share; it begins with a struct server. Listens. */
void *server_make(size_t size);
/* Calls accept_all() in a child, which has no other descriptor than the listener. */
void server_start(void *memory, void (*accept_all)(void *memory, int listener));
/* Ends the child with its connections, and frees the memory. */
void server_stop(void *memory, size_t size);

int server_listen(int *port);

/* Copies a text. One that is longer than max fails the test. */
void server_copy(void *to, size_t max, const void *bytes, size_t len);

/* Forks a child. Fails the test if there is a second thread, which could hold a lock. */
pid_t fork_alone(void);

#endif
