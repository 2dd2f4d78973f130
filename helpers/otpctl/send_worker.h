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

struct send_worker {
	const struct conf *conf;
	const struct conf_signin *options;
	const struct strlist *channels;
	int fd; /* to the parent */
	char host[256];
	struct secret host_key;
	struct contacts *contacts;
	struct store *store;
	struct clock_source clock;
	struct stored_tokens tokens;
	struct stored_retry_after retry_after;
	struct http *http;
	struct delivery *delivery;
};

enum send_worker_says {
	WORKER_ASKS = 1, /* child: text is a question */
	WORKER_ANSWERS,	 /* parent: text is what was typed */
	WORKER_PROVED,	 /* child: it is so */
	WORKER_TOLD,	 /* child: notice n is with a provider */
	WORKER_NOT_TOLD, /* child: notice n is not; text says why */
	WORKER_NEXT,	 /* parent: notice n may go out now */
};

enum { WORKER_TEXT_MAX = 511 };

struct send_worker_word {
	enum send_worker_says says;
	int n;
	char text[WORKER_TEXT_MAX + 1];
};

/* 0, or -OTP_EGONE when the other end has gone. */
int send_worker_say(int fd, enum send_worker_says says, int n, const char *text);
/* 0; -OTP_EGONE; -OTP_EPROTO for what is no word. The caller wipes an answer. */
int send_worker_hear(int fd, struct send_worker_word *out);

/* In the child, with everything open. Its exit code. */
typedef int send_worker_fn(struct send_worker *c, void *arg);

struct send_worker_run {
	pid_t pid;
	int fd; /* to the child; its end-of-file is the child's end */
};

/*
 * Starts the child with the providers of the channels; what cannot be opened is told on standard
 * error, and ends it with OTPCTL_FAILED. The parent's end of run->fd is the end of every wait of
 * the child's. All that the child logs carries the command's id, and so does every request to a
 * provider. An exit code.
 */
int send_worker_start(const struct otpctl *ctl, const struct conf *conf,
    const struct strlist *channels, send_worker_fn *fn, void *arg, struct send_worker_run *run);
/* Closes fd and waits for the child. Its exit code, OTPCTL_FAILED for a child that was killed. */
int send_worker_end(struct send_worker_run *run);

/* Who of the channels reaches this kind of contact: the first one, or NULL. */
const char *send_worker_channel(const struct send_worker *c, enum contact_kind kind);
struct instant send_worker_now(struct send_worker *c);

#endif
