#include "tests/unit/mail_rig.h"

#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "tests/unit/server_rig.h"

enum {
	CONNECTIONS = 128,
	HEARD_MAX = 256 * 1024,
	LINE_MAX_HEARD = 2048,
	REPLY_MAX = 4 * 1024 * 1024,
};

struct line {
	struct post *post;
	int fd;
	bool login_comes;
	char left[LINE_MAX_HEARD];
	size_t nleft;
};

struct post {
	struct server server;
	struct line line[CONNECTIONS];
	int nlines;
	enum web_then effects[TURNS];
	char heard[HEARD_MAX];
	size_t nheard;
	char reply[TURNS][REPLY_MAX];
};

static const struct {
	const char *word;
	const char *reply;
} turns[TURNS] = {
    [TURN_GREETING] = {NULL, "220 mail.example\r\n"},
    [TURN_EHLO] = {"EHLO", "250-mail.example\r\n250-AUTH PLAIN\r\n250 HELP\r\n"},
    [TURN_HELO] = {"HELO", "250 mail.example\r\n"},
    [TURN_STARTTLS] = {"STARTTLS", "454 no TLS here\r\n"},
    [TURN_AUTH] = {"AUTH", "334 \r\n"},
    [TURN_LOGIN] = {NULL, "235 in\r\n"},
    [TURN_MAIL] = {"MAIL", "250 sender\r\n"},
    [TURN_RCPT] = {"RCPT", "250 recipient\r\n"},
    [TURN_DATA] = {"DATA", "354 go on\r\n"},
    [TURN_TEXT] = {NULL, "250 taken\r\n"},
    [TURN_QUIT] = {"QUIT", "221 bye\r\n"},
};

static void
note(struct post *p, const char *text, size_t len)
{
	pthread_mutex_lock(&p->server.lock);
	if (p->nheard + len < HEARD_MAX) {
		memcpy(p->heard + p->nheard, text, len);
		p->nheard += len;
	}
	pthread_mutex_unlock(&p->server.lock);
}

/* Reads one line with its end; false if there is no more. */
static bool
hear(struct line *l, char *text)
{
	char *end;

	while (!(end = memchr(l->left, '\n', l->nleft))) {
		ssize_t n = recv(l->fd, l->left + l->nleft, sizeof(l->left) - l->nleft, 0);

		if (n <= 0)
			return false;
		l->nleft += (size_t)n;
	}
	end++;
	memcpy(text, l->left, (size_t)(end - l->left));
	text[end - l->left] = '\0';
	note(l->post, text, (size_t)(end - l->left));
	l->nleft -= (size_t)(end - l->left);
	memmove(l->left, end, l->nleft);
	return true;
}

static bool
put(const struct line *l, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(l->fd, text, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

/* Returns false if the dialog ends. */
static bool
say(struct line *l, enum turn turn)
{
	struct post *p = l->post;
	const char *reply = p->reply[turn];
	enum web_then effects;
	char byte;

	pthread_mutex_lock(&p->server.lock);
	effects = p->effects[turn];
	pthread_mutex_unlock(&p->server.lock);
	if (!put(l, reply, strlen(reply)))
		return false;
	while (effects == WEB_HOLD && recv(l->fd, &byte, 1, 0) > 0)
		;
	while (effects == WEB_DRIP && put(l, "x", 1))
		(void)usleep(5000);
	return effects == WEB_KEEP && turn != TURN_QUIT;
}

static bool
take_text(struct line *l)
{
	char text[LINE_MAX_HEARD + 1];

	while (hear(l, text))
		if (!strcmp(text, ".\r\n"))
			return true;
	return false;
}

static bool
answer(struct line *l)
{
	char text[LINE_MAX_HEARD + 1];

	if (!hear(l, text))
		return false;
	if (l->login_comes) {
		l->login_comes = false;
		return say(l, TURN_LOGIN);
	}
	for (enum turn t = 0; t < TURNS; t++) {
		if (!turns[t].word || strncmp(text, turns[t].word, strlen(turns[t].word)))
			continue;
		if (!say(l, t))
			return false;
		l->login_comes = t == TURN_AUTH;
		if (t != TURN_DATA || strncmp(l->post->reply[t], "354", 3))
			return true;
		return take_text(l) && say(l, TURN_TEXT);
	}
	return put(l, "500 what\r\n", 10);
}

static void *
serve(void *arg)
{
	struct line *l = arg;

	if (say(l, TURN_GREETING))
		while (answer(l))
			;
	(void)shutdown(l->fd, SHUT_RDWR);
	return NULL;
}

static void
accept_all(void *memory, int listener)
{
	struct post *p = memory;
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0 && p->nlines < CONNECTIONS) {
		struct line *l = &p->line[p->nlines];
		pthread_t thread;

		l->post = p;
		l->fd = fd;
		pthread_mutex_lock(&p->server.lock);
		p->nlines++;
		pthread_mutex_unlock(&p->server.lock);
		if (pthread_create(&thread, NULL, serve, l) || pthread_detach(thread))
			abort();
	}
}

static void
reply_with(struct post *p, enum turn turn, const char *reply, enum web_then effects)
{
	server_copy(p->reply[turn], sizeof(p->reply[turn]), reply, strlen(reply) + 1);
	p->effects[turn] = effects;
}

void
post_reset(struct post *p)
{
	pthread_mutex_lock(&p->server.lock);
	for (enum turn t = 0; t < TURNS; t++)
		reply_with(p, t, turns[t].reply, WEB_KEEP);
	p->nheard = 0;
	pthread_mutex_unlock(&p->server.lock);
}

struct post *
post_start(void)
{
	struct post *p = server_make(sizeof(*p));

	post_reset(p);
	server_start(p, accept_all);
	return p;
}

void
post_stop(struct post *p)
{
	server_stop(p, sizeof(*p));
}

void
post_say(struct post *p, enum turn turn, const char *reply, enum web_then effects)
{
	pthread_mutex_lock(&p->server.lock);
	reply_with(p, turn, reply, effects);
	pthread_mutex_unlock(&p->server.lock);
}

int
post_port(const struct post *p)
{
	return p->server.port;
}

int
post_connections(struct post *p)
{
	int n;

	pthread_mutex_lock(&p->server.lock);
	n = p->nlines;
	pthread_mutex_unlock(&p->server.lock);
	return n;
}

char *
post_heard(struct post *p)
{
	char *copy;

	pthread_mutex_lock(&p->server.lock);
	copy = strndup(p->heard, p->nheard);
	pthread_mutex_unlock(&p->server.lock);
	assert_non_null(copy);
	return copy;
}

bool
post_received(struct post *p, const char *text)
{
	char *all = post_heard(p);
	bool found = strstr(all, text);

	free(all);
	return found;
}
