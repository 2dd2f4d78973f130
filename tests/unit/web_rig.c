#include "tests/unit/web_rig.h"

#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "tests/unit/server_rig.h"

enum { CONNECTIONS = 64, REQUEST_MAX = 128 * 1024, SAY_MAX = 64 * 1024 * 1024 };

struct link {
	struct web *web;
	int fd;
};

struct web {
	struct server server;
	struct link link[CONNECTIONS];
	int nlinks, requests;
	char last[REQUEST_MAX];
	size_t len;
	enum web_then effects;
	char url[256];
	char say[SAY_MAX];
};

/* Reads one request, its body by Content-Length. False if there is no more. */
static bool
hear(struct link *l, char *text)
{
	size_t len = 0, want = 0;

	while (len < REQUEST_MAX - 1) {
		const char *end, *length;
		ssize_t n = recv(l->fd, text + len, REQUEST_MAX - 1 - len, 0);

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
then_do(struct link *l, enum web_then effects)
{
	char byte;

	while (effects == WEB_HOLD && recv(l->fd, &byte, 1, 0) > 0)
		;
	while (effects == WEB_DRIP && send(l->fd, "x", 1, MSG_NOSIGNAL) == 1)
		(void)usleep(5000);
}

static bool
serve_one(struct link *l, char *text)
{
	struct web *w = l->web;
	enum web_then effects;
	const char *say = w->say;
	size_t len;

	if (!hear(l, text))
		return false;
	pthread_mutex_lock(&w->server.lock);
	w->requests++;
	memcpy(w->last, text, REQUEST_MAX);
	len = w->len, effects = w->effects;
	pthread_mutex_unlock(&w->server.lock);
	while (len) {
		ssize_t n = send(l->fd, say, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		say += n;
		len -= (size_t)n;
	}
	then_do(l, effects);
	return effects == WEB_KEEP;
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

static void
accept_all(void *memory, int listener)
{
	struct web *w = memory;
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0 && w->nlinks < CONNECTIONS) {
		struct link *l = &w->link[w->nlinks];
		pthread_t thread;

		l->web = w;
		l->fd = fd;
		pthread_mutex_lock(&w->server.lock);
		w->nlinks++;
		pthread_mutex_unlock(&w->server.lock);
		if (w->effects == WEB_DROP)
			(void)shutdown(fd, SHUT_RDWR);
		if (pthread_create(&thread, NULL, serve, l) || pthread_detach(thread))
			abort();
	}
}

struct web *
web_start(void)
{
	struct web *w = server_make(sizeof(*w));

	web_answer(w, "200 OK", "", "{}");
	server_start(w, accept_all);
	return w;
}

void
web_stop(struct web *w)
{
	server_stop(w, sizeof(*w));
}

void
web_say(struct web *w, const void *bytes, size_t len, enum web_then effects)
{
	pthread_mutex_lock(&w->server.lock);
	server_copy(w->say, sizeof(w->say), bytes, len);
	w->len = len;
	w->effects = effects;
	pthread_mutex_unlock(&w->server.lock);
}

void
web_answer(struct web *w, const char *status, const char *headers, const char *body)
{
	char answer[4096];
	int n = snprintf(answer, sizeof(answer), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n%s",
	    status, strlen(body), headers, body);

	assert_in_range(n, 1, sizeof(answer) - 1);
	web_say(w, answer, (size_t)n, WEB_KEEP);
}

const char *
web_url(struct web *w, const char *path)
{
	(void)snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%d%s", w->server.port, path);
	return w->url;
}

int
web_port(const struct web *w)
{
	return w->server.port;
}

int
web_connections(struct web *w)
{
	int n;

	pthread_mutex_lock(&w->server.lock);
	n = w->nlinks;
	pthread_mutex_unlock(&w->server.lock);
	return n;
}

int
web_requests(struct web *w)
{
	int n;

	pthread_mutex_lock(&w->server.lock);
	n = w->requests;
	pthread_mutex_unlock(&w->server.lock);
	return n;
}

char *
web_last(struct web *w)
{
	char *copy;

	pthread_mutex_lock(&w->server.lock);
	copy = strdup(w->last);
	pthread_mutex_unlock(&w->server.lock);
	assert_non_null(copy);
	return copy;
}

bool
web_received(struct web *w, const char *text)
{
	char *all = web_last(w);
	bool found = strstr(all, text);

	free(all);
	return found;
}

int
web_dead_port(void)
{
	int port;

	close(server_listen(&port));
	return port;
}
