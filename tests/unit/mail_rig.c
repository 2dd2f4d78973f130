#include "tests/unit/mail_rig.h"

#include "tests/unit/unit.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { CONNECTIONS = 128, HEARD_MAX = 256 * 1024, LINE_MAX_HEARD = 2048 };

struct line {
	struct post *post;
	pthread_t thread;
	int fd;
	bool login_comes;
	char left[LINE_MAX_HEARD];
	size_t nleft;
};

struct post {
	int listener, port;
	pthread_t thread;
	pthread_mutex_t lock;
	bool stopping;
	struct line line[CONNECTIONS];
	int nlines;
	const char *reply[TURNS];
	enum web_then then[TURNS];
	char heard[HEARD_MAX];
	size_t nheard;
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
	pthread_mutex_lock(&p->lock);
	if (p->nheard + len < HEARD_MAX) {
		memcpy(p->heard + p->nheard, text, len);
		p->nheard += len;
	}
	pthread_mutex_unlock(&p->lock);
}

/* One line with its end; false at the end of all. */
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

/* false: the dialog ends. */
static bool
say(struct line *l, enum turn turn)
{
	struct post *p = l->post;
	const char *reply;
	enum web_then then;
	char byte;

	pthread_mutex_lock(&p->lock);
	reply = p->reply[turn], then = p->then[turn];
	pthread_mutex_unlock(&p->lock);
	if (!put(l, reply, strlen(reply)))
		return false;
	while (then == WEB_HOLD && recv(l->fd, &byte, 1, 0) > 0)
		;
	while (then == WEB_DRIP && put(l, "x", 1))
		(void)usleep(5000);
	return then == WEB_KEEP && turn != TURN_QUIT;
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

static void *
accept_all(void *arg)
{
	struct post *p = arg;

	for (;;) {
		int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
		struct line *l = &p->line[p->nlines];
		bool stopping;

		pthread_mutex_lock(&p->lock);
		stopping = p->stopping || fd < 0 || p->nlines == CONNECTIONS;
		if (!stopping)
			p->nlines++;
		pthread_mutex_unlock(&p->lock);
		if (stopping) {
			close(fd);
			break;
		}
		l->post = p;
		l->fd = fd;
		if (pthread_create(&l->thread, NULL, serve, l))
			abort();
	}
	return NULL;
}

void
post_reset(struct post *p)
{
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < TURNS; i++) {
		p->reply[i] = turns[i].reply;
		p->then[i] = WEB_KEEP;
	}
	p->nheard = 0;
	pthread_mutex_unlock(&p->lock);
}

struct post *
post_start(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct post *p = calloc(1, sizeof(*p));
	socklen_t len = sizeof(at);

	assert_non_null(p);
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(p->listener >= 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(p->listener, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(listen(p->listener, 16), 0);
	p->port = ntohs(at.sin_port);
	assert_int_equal(pthread_mutex_init(&p->lock, NULL), 0);
	post_reset(p);
	assert_int_equal(pthread_create(&p->thread, NULL, accept_all, p), 0);
	return p;
}

void
post_stop(struct post *p)
{
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_mutex_unlock(&p->lock);
	(void)shutdown(p->listener, SHUT_RDWR); /* accept() returns */
	pthread_join(p->thread, NULL);
	for (int i = 0; i < p->nlines; i++) {
		(void)shutdown(p->line[i].fd, SHUT_RDWR);
		pthread_join(p->line[i].thread, NULL);
		close(p->line[i].fd);
	}
	close(p->listener);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void
post_say(struct post *p, enum turn turn, const char *reply, enum web_then then)
{
	pthread_mutex_lock(&p->lock);
	p->reply[turn] = reply;
	p->then[turn] = then;
	pthread_mutex_unlock(&p->lock);
}

int
post_port(const struct post *p)
{
	return p->port;
}

int
post_connections(struct post *p)
{
	int n;

	pthread_mutex_lock(&p->lock);
	n = p->nlines;
	pthread_mutex_unlock(&p->lock);
	return n;
}

char *
post_heard(struct post *p)
{
	char *copy;

	pthread_mutex_lock(&p->lock);
	copy = strndup(p->heard, p->nheard);
	pthread_mutex_unlock(&p->lock);
	assert_non_null(copy);
	return copy;
}
