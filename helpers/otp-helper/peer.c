#include "helpers/otp-helper/peer.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "common/err.h"

enum { TELL_WAIT = 2000 }; /* ms to send a message that needs no answer */

static int
answer_kind(const struct frame *f, enum answer *kind)
{
	static const struct {
		const char *why;
		enum answer kind;
	} failures[] = {
	    {"conv", ANSWER_CONV},
	    {"cancelled", ANSWER_CANCELLED},
	    {"blind", ANSWER_BLIND},
	};

	if (f->type == WIRE_ANSWER) {
		*kind = ANSWER_TEXT;
		return strlen(f->field[0]) > WIRE_ANSWER_MAX ? -OTP_EPROTO : 0;
	}
	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		if (!strcmp(f->field[0], failures[i].why)) {
			*kind = failures[i].kind;
			return 0;
		}
	}
	return -OTP_EPROTO;
}

static bool
has_left(const struct wire *w)
{
	struct pollfd p = {.fd = w->fd, .events = POLLRDHUP};

	return poll(&p, 1, 0) != 0;
}

static int
peer_ask(struct login_peer *p, const char *text, struct deadline dl, enum answer *kind,
    struct secret *typed)
{
	struct wire_peer *peer = (struct wire_peer *)p;
	struct wire *w = peer->wire;
	const char *const field[] = {"1", text};
	struct frame f;
	int r = wire_send(w, WIRE_PROMPT, field, dl);

	if (!r) {
		delivery_idle(*peer->delivery, dl);
		r = wire_recv(w, &f, dl);
	}
	if (!r)
		r = answer_kind(&f, kind);
	/* If the module has hung up, no result can reach it: do not use up the code. */
	if (!r && has_left(w))
		r = -OTP_EGONE;
	if (!r && *kind == ANSWER_TEXT)
		r = secret_set(typed, f.field[0], strlen(f.field[0]));
	otp_wipe(f);
	return r;
}

static void
peer_tell(struct login_peer *p, const char *text)
{
	struct wire *w = ((struct wire_peer *)p)->wire;

	(void)wire_send(w, WIRE_ERROR, &text, deadline_in(TELL_WAIT));
}

/*
 * Waits. The module has nothing to send in this time: if it sends something or hangs up, the
 * sign-in ends.
 */
static int
peer_wait(struct login_peer *p, int64_t ms)
{
	struct pollfd fd = {.fd = ((struct wire_peer *)p)->wire->fd, .events = POLLIN | POLLRDHUP};
	struct deadline dl = deadline_in(ms);

	while (!deadline_passed(dl)) {
		int n = poll(&fd, 1, deadline_left(dl));

		if (n > 0 || (n < 0 && errno != EINTR))
			return -OTP_EGONE;
	}
	return 0;
}

void
peer_init(struct wire_peer *p, struct wire *wire, struct delivery **delivery)
{
	*p = (struct wire_peer){
	    .base = {.ask = peer_ask, .show = peer_tell, .wait = peer_wait},
	    .wire = wire,
	    .delivery = delivery,
	};
}
