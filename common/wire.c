#include "common/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/secret.h"

static const struct kind {
	enum wire_type type;
	size_t nfields;
	size_t max;
} kinds[] = {
    {WIRE_HELLO, HELLO_FIELDS, WIRE_MAX},
    {WIRE_START, START_FIELDS, WIRE_START_MAX},
    {WIRE_PROMPT, PROMPT_FIELDS, WIRE_MAX},
    {WIRE_ANSWER, 1, WIRE_MAX},
    {WIRE_GONE, 1, WIRE_MAX},
    {WIRE_INFO, 1, WIRE_MAX},
    {WIRE_ERROR, 1, WIRE_MAX},
    {WIRE_RESULT, RESULT_FIELDS, WIRE_MAX},
};

/* The messages that are legal in each state, and the state that follows. Any other ends the
 * sign-in. */
static const struct {
	enum wire_state now;
	enum wire_side from;
	enum wire_type type;
	enum wire_state next;
} legal[] = {
    {WIRE_AT_START, WIRE_HELPER, WIRE_HELLO, WIRE_AT_HELLO},
    {WIRE_AT_HELLO, WIRE_MODULE, WIRE_START, WIRE_IDLE},
    {WIRE_IDLE, WIRE_HELPER, WIRE_PROMPT, WIRE_ASKED},
    {WIRE_IDLE, WIRE_HELPER, WIRE_INFO, WIRE_IDLE},
    {WIRE_IDLE, WIRE_HELPER, WIRE_ERROR, WIRE_IDLE},
    {WIRE_IDLE, WIRE_HELPER, WIRE_RESULT, WIRE_DONE},
    {WIRE_ASKED, WIRE_MODULE, WIRE_ANSWER, WIRE_IDLE},
    {WIRE_ASKED, WIRE_MODULE, WIRE_GONE, WIRE_IDLE},
    {WIRE_ASKED, WIRE_HELPER, WIRE_RESULT, WIRE_DONE},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int
wire_version(const char *s)
{
	size_t len = strspn(s, "0123456789");

	return s[len] || len < 1 || len > 4 || s[0] == '0' ? 0 : atoi(s);
}

void
wire_init(struct wire *w, int fd, enum wire_side side)
{
	*w = (struct wire){.fd = fd, .side = side, .state = WIRE_AT_START};
}

static const struct kind *
kind_of(char type)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if ((char)kinds[i].type == type)
			return &kinds[i];
	return NULL;
}

/* Changes the state as this message requires. -OTP_EPROTO if it is not legal now. */
static int
wire_step(struct wire *w, enum wire_side from, enum wire_type type)
{
	for (size_t i = 0; i < COUNT(legal); i++) {
		if (legal[i].now == w->state && legal[i].from == from && legal[i].type == type) {
			w->state = legal[i].next;
			return 0;
		}
	}
	w->state = WIRE_DONE;
	return -OTP_EPROTO;
}

static int
wire_wait(int fd, short events, struct deadline dl, short *got)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		int n = poll(&p, 1, deadline_left(dl));

		if (n > 0) {
			*got = p.revents;
			return 0;
		}
		if (n == 0)
			return -OTP_ETIME;
		if (errno != EINTR)
			return -OTP_ESYS;
	}
}

static int
wire_put(int fd, const struct buf *b, struct deadline dl)
{
	for (;;) {
		short got;
		int r;

		if (send(fd, b->bytes, b->len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)b->len)
			return 0;
		if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN)
			return -OTP_EGONE;
		if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
			return -OTP_ESYS;
		r = wire_wait(fd, POLLOUT, dl, &got);
		if (r)
			return r;
	}
}

int
wire_send(struct wire *w, enum wire_type type, const char *const *field, struct deadline dl)
{
	const struct kind *k = kind_of((char)type);
	_auto_buf struct buf b = BUF_INIT(k ? k->max : 0);
	int r;

	if (!k)
		return -OTP_EPROTO;
	buf_putc(&b, (char)type);
	for (size_t i = 0; i < k->nfields; i++)
		buf_put(&b, field[i], strlen(field[i]) + 1);
	if (buf_err(&b))
		return buf_err(&b);
	r = wire_step(w, w->side, type);
	return r ? r : wire_put(w->fd, &b, dl);
}

/* Splits the len bytes of f into fields. -OTP_EPROTO unless they are exactly one message. */
static int
frame_parse(struct frame *f, size_t len)
{
	const struct kind *k = len ? kind_of(f->bytes[0]) : NULL;
	char *p = f->bytes + 1, *end = f->bytes + len;

	if (!k || len > k->max || end[-1] != '\0' || len < 2)
		return -OTP_EPROTO;
	f->type = k->type;
	f->nfields = 0;
	while (p < end) {
		if (f->nfields == k->nfields)
			return -OTP_EPROTO;
		f->field[f->nfields++] = p;
		p += strlen(p) + 1;
	}
	return f->nfields == k->nfields ? 0 : -OTP_EPROTO;
}

/* Reads one datagram into f. *len is its length, or 0 at end-of-file. */
static int
frame_read(int fd, struct frame *f, size_t *len, struct deadline dl)
{
	for (;;) {
		struct iovec iov = {f->bytes, sizeof(f->bytes) - 1};
		struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
		short got = 0;
		int r = wire_wait(fd, POLLIN, dl, &got);
		ssize_t n;

		if (r)
			return r;
		n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		/*
		 * ECONNRESET: the peer closed its end without reading our last message. The kernel
		 * reports this once, before it hands out what the peer had sent.
		 */
		if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == ECONNRESET))
			continue;
		if (n < 0)
			return -OTP_ESYS;
		if (m.msg_flags & MSG_TRUNC)
			return -OTP_EPROTO;
		/* An empty datagram looks like end-of-file, but comes without a hang-up. */
		if (n == 0 && !(got & POLLHUP))
			return -OTP_EPROTO;
		*len = (size_t)n;
		return 0;
	}
}

int
wire_recv(struct wire *w, struct frame *f, struct deadline dl)
{
	size_t len = 0;
	int r;

	otp_wipe(*f);
	r = frame_read(w->fd, f, &len, dl);
	if (!r && !len)
		r = -OTP_EGONE;
	if (!r)
		r = frame_parse(f, len);
	if (r) {
		if (r != -OTP_ETIME)
			w->state = WIRE_DONE;
		return r;
	}
	return wire_step(w, w->side == WIRE_MODULE ? WIRE_HELPER : WIRE_MODULE, f->type);
}

int
wire_eof(struct wire *w, struct deadline dl)
{
	struct frame f;
	int r = wire_recv(w, &f, dl);

	otp_wipe(f);
	if (r == -OTP_EGONE)
		return 0;
	return r ? r : -OTP_EPROTO;
}
