/*
 * Who speaks to providers for otpctl: a child that is the helper's user for good, with the store,
 * the contacts, the secrets and the providers of some channels open. The parent keeps its rights
 * and opens none of them; the two exchange whole words over a socket.
 *
 * MUST:
 *  - root makes no network connection, reads no provider's secret and opens nothing in the state
 *    folder;
 *  - nothing of the caller's environment and terminal is left to the child;
 *  - what the child says is believed of the one thing only that it was started for.
 */
#ifndef OTP_OTPCTL_SEND_WORKER_H
#define OTP_OTPCTL_SEND_WORKER_H

#include "helpers/provider/delivery.h"
#include "helpers/base/instant.h"
#include "helpers/otpctl/otpctl.h"
#include "helpers/provider/retry_after.h"
#include "helpers/provider/tokens.h"

struct courier {
	const struct conf *conf;
	const struct conf_signin *options;
	const struct strlist *channels;
	int fd; /* to the parent */
	char host[256];
	struct secret host_key;
	struct contacts *contacts;
	struct store *store;
	struct clock_source clock;
	struct stored_sessions sessions;
	struct stored_pauses pauses;
	struct http *http;
	struct delivery *delivery;
};

enum courier_says {
	COURIER_ASKS = 1, /* child: text is a question */
	COURIER_ANSWERS,  /* parent: text is what was typed */
	COURIER_PROVED,	  /* child: it is so */
	COURIER_TOLD,	  /* child: notice n is with a provider */
	COURIER_NOT_TOLD, /* child: notice n is not; text says why */
	COURIER_NEXT,	  /* parent: notice n may go out now */
};

enum { COURIER_TEXT_MAX = 511 };

struct courier_word {
	enum courier_says says;
	int n;
	char text[COURIER_TEXT_MAX + 1];
};

/* 0, or -OTP_EGONE when the other end has gone. */
int courier_say(int fd, enum courier_says says, int n, const char *text);
/* 0; -OTP_EGONE; -OTP_EPROTO for what is no word. The caller wipes an answer. */
int courier_hear(int fd, struct courier_word *out);

/* In the child, with everything open. Its exit code. */
typedef int courier_fn(struct courier *c, void *arg);

struct courier_run {
	pid_t pid;
	int fd; /* to the child; its end-of-file is the child's end */
};

/*
 * Starts the child with the providers of the channels; what cannot be opened is told on standard
 * error, and ends it with OTPCTL_FAILED. The parent's end of run->fd is the end of every wait of
 * the child's. All that the child logs carries the command's id, and so does every request to a
 * provider. An exit code.
 */
int courier_start(const struct otpctl *ctl, const struct conf *conf, const struct strlist *channels,
    courier_fn *fn, void *arg, struct courier_run *run);
/* Closes fd and waits for the child. Its exit code, OTPCTL_FAILED for a child that was killed. */
int courier_end(struct courier_run *run);

/* Who of the channels reaches this kind of contact: the first one, or NULL. */
const char *courier_channel(const struct courier *c, enum contact_kind kind);
struct instant courier_now(struct courier *c);

#endif
