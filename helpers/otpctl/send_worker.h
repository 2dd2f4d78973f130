/*
 * The send worker: a child process of otpctl that talks to providers. It becomes the helper's user
 * for good and opens the store, the contacts, the secrets and the providers of some channels. The
 * parent keeps its rights and opens none of them. The two exchange messages over a socket.
 *
 * MUST:
 *  - Root makes no network connection, reads no provider's secret and opens nothing in the state
 *    folder.
 *  - The child has no environment variable of the caller, no terminal as its own, and no open file
 *    of the caller but standard error.
 *  - The parent accepts nothing from the child but the result that the child was started for.
 */
#ifndef OTP_OTPCTL_SEND_WORKER_H
#define OTP_OTPCTL_SEND_WORKER_H

#include "helpers/provider/delivery.h"
#include "helpers/base/instant.h"
#include "helpers/otpctl/otpctl.h"
#include "helpers/provider/retry_after.h"
#include "helpers/provider/tokens.h"

/* What the child has open. conf, options and channels are borrowed; it closes all the others. */
struct send_worker {
	const struct conf *conf;
	const struct conf_signin *options;
	const struct strlist *channels;
	int fd;		/* the socket to the parent */
	char host[256]; /* the name of this machine */
	struct secret host_key;
	struct contacts *contacts;
	struct store *store;
	struct clock_source clock;
	struct stored_tokens tokens;
	struct stored_retry_after retry_after;
	struct http *http;
	struct delivery *delivery;
};

enum send_worker_kind {
	WORKER_QUESTION = 1,	/* from the child: text is a question for the person */
	WORKER_ANSWER,		/* from the parent: text is what the person typed */
	WORKER_PROVED,		/* from the child: the right code was given */
	WORKER_NOTICE_SENT,	/* from the child: a provider has notice n; text says which */
	WORKER_NOTICE_NOT_SENT, /* from the child: no provider has notice n; text says why */
	WORKER_NEXT,		/* from the parent: send notice n now */
};

enum { WORKER_TEXT_MAX = 511 };

struct send_worker_message {
	enum send_worker_kind kind;
	int n; /* the index of the notice; 0 in messages about none */
	char text[WORKER_TEXT_MAX + 1];
};

/* Sends one message; a longer text is cut. 0, or -OTP_EGONE if the other end is closed. */
int send_worker_send(int fd, enum send_worker_kind kind, int n, const char *text);
/*
 * Waits for one message. The caller wipes an answer after use. 0, -OTP_EGONE if the other end is
 * closed, or -OTP_EPROTO for a message of another size or without a final zero byte.
 */
int send_worker_receive(int fd, struct send_worker_message *out);

/* Runs in the child when everything is open. Returns the exit status of the child. */
typedef int send_worker_fn(struct send_worker *c, void *arg);

struct send_worker_run {
	pid_t pid;
	int fd; /* the socket to the child; end-of-file: the child sends no more messages */
};

/*
 * Starts the child, with the providers of the channels, to run fn with arg. If the child cannot
 * open something, it prints why and ends with OTPCTL_FAILED. When the parent closes run->fd, the
 * child stops waiting for a provider. Each log line of the child and each request to a provider has
 * the id of the command. Returns OTPCTL_OK, or OTPCTL_FAILED after it has printed why.
 */
int send_worker_start(const struct otpctl *ctl, const struct conf *conf,
    const struct strlist *channels, send_worker_fn *fn, void *arg, struct send_worker_run *run);
/*
 * Closes run->fd and waits for the child. Returns the exit status of the child, or OTPCTL_FAILED if
 * a signal killed it.
 */
int send_worker_end(struct send_worker_run *run);

/* The first channel that reaches a contact of this kind, or NULL. Borrowed from the channels. */
const char *send_worker_channel(const struct send_worker *c, enum contact_kind kind);
/* The time, as the store understands it. */
struct instant send_worker_now(struct send_worker *c);

#endif
