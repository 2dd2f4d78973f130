#include "tests/unit/web_rig.h"

#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { CONNECTIONS = 64, REQUEST_MAX = 128 * 1024 };

struct link {
	struct web *web;
	pthread_t thread;
	int fd;
};

struct web {
	int listener, port, stop[2];
	pthread_t thread;
	pthread_mutex_t lock;
	struct link link[CONNECTIONS];
	int nlinks, requests;
	char last[REQUEST_MAX];
	const void *say;
	size_t len;
	enum web_then then;
	char answer[4096], url[256];
};

/* Waits for the descriptor; false when the server is being stopped. */
static bool
ready(const struct web *w, int fd, int ms)
{
	struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = w->stop[0], .events = POLLIN}};

	return poll(p, 2, ms) >= 0 && !p[1].revents;
}

/* One request, its body by Content-Length. false: there is no more. */
static bool
hear(struct link *l, char *text)
{
	size_t len = 0, want = 0;

	while (len < REQUEST_MAX - 1) {
		const char *end, *length;
		ssize_t n = ready(l->web, l->fd, -1)
				? recv(l->fd, text + len, REQUEST_MAX - 1 - len, 0)
				: 0;

		if (n <= 0)
			return false;
		len += (size_t)n;
		text[len] = '\0';
		end = strstr(text, "\r\n\r\n");
		length = strstr(text, "Content-Length: ");
		if (end)
			want = (size_t)(end + 4 - text) + (length ? (size_t)atol(length + 16) : 0);
		if (want && len >= want)
			return true;
	}
	return false;
}

static void
then_do(struct link *l, enum web_then then)
{
	char byte;

	while (then == WEB_HOLD && ready(l->web, l->fd, -1))
		if (recv(l->fd, &byte, 1, 0) <= 0)
			return;
	while (then == WEB_DRIP && ready(l->web, -1, 5))
		if (send(l->fd, "x", 1, MSG_NOSIGNAL) != 1)
			return;
}

static bool
serve_one(struct link *l, char *text)
{
	struct web *w = l->web;
	enum web_then then;
	const char *say;
	size_t len;

	if (!hear(l, text))
		return false;
	pthread_mutex_lock(&w->lock);
	w->requests++;
	memcpy(w->last, text, REQUEST_MAX);
	say = w->say, len = w->len, then = w->then;
	pthread_mutex_unlock(&w->lock);
	while (len) {
		ssize_t n = send(l->fd, say, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		say += n;
		len -= (size_t)n;
	}
	then_do(l, then);
	return then == WEB_KEEP;
}

static void *
serve(void *arg)
{
	struct link *l = arg;
	char *text = malloc(REQUEST_MAX);

	while (text && serve_one(l, text))
		;
	free(text);
	(void)shutdown(l->fd, SHUT_RDWR);
	return NULL;
}

static void *
accept_all(void *arg)
{
	struct web *w = arg;

	while (ready(w, w->listener, -1)) {
		struct link *l = &w->link[w->nlinks];
		int fd = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0 || w->nlinks == CONNECTIONS)
			break;
		l->web = w;
		l->fd = fd;
		pthread_mutex_lock(&w->lock);
		w->nlinks++;
		pthread_mutex_unlock(&w->lock);
		if (w->then == WEB_DROP)
			(void)shutdown(fd, SHUT_RDWR);
		if (pthread_create(&l->thread, NULL, serve, l))
			abort();
	}
	return NULL;
}

static int
listen_on_loopback(int *port)
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

struct web *
web_start(void)
{
	struct web *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->listener = listen_on_loopback(&w->port);
	assert_int_equal(listen(w->listener, 16), 0);
	assert_int_equal(pipe(w->stop), 0);
	assert_int_equal(pthread_mutex_init(&w->lock, NULL), 0);
	web_answer(w, "200 OK", "", "{}");
	assert_int_equal(pthread_create(&w->thread, NULL, accept_all, w), 0);
	return w;
}

void
web_stop(struct web *w)
{
	assert_int_equal(close(w->stop[1]), 0);
	pthread_join(w->thread, NULL);
	for (int i = 0; i < w->nlinks; i++) {
		pthread_join(w->link[i].thread, NULL);
		close(w->link[i].fd);
	}
	close(w->listener);
	close(w->stop[0]);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

void
web_say(struct web *w, const void *bytes, size_t len, enum web_then then)
{
	pthread_mutex_lock(&w->lock);
	w->say = bytes;
	w->len = len;
	w->then = then;
	pthread_mutex_unlock(&w->lock);
}

void
web_answer(struct web *w, const char *status, const char *headers, const char *body)
{
	int n = snprintf(w->answer, sizeof(w->answer),
	    "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n%s", status, strlen(body), headers, body);

	assert_in_range(n, 1, sizeof(w->answer) - 1);
	web_say(w, w->answer, (size_t)n, WEB_KEEP);
}

const char *
web_url(struct web *w, const char *path)
{
	(void)snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%d%s", w->port, path);
	return w->url;
}

int
web_port(const struct web *w)
{
	return w->port;
}

int
web_connections(struct web *w)
{
	int n;

	pthread_mutex_lock(&w->lock);
	n = w->nlinks;
	pthread_mutex_unlock(&w->lock);
	return n;
}

int
web_requests(struct web *w)
{
	int n;

	pthread_mutex_lock(&w->lock);
	n = w->requests;
	pthread_mutex_unlock(&w->lock);
	return n;
}

char *
web_last(struct web *w)
{
	char *copy;

	pthread_mutex_lock(&w->lock);
	copy = strdup(w->last);
	pthread_mutex_unlock(&w->lock);
	assert_non_null(copy);
	return copy;
}

int
web_dead_port(void)
{
	int port;

	close(listen_on_loopback(&port));
	return port;
}
