/*
 * The relay between helper and user: it shows the helper's texts, sends the user's answers to the
 * helper, and receives the result. It never knows the right code, and decides nothing by itself.
 */
#ifndef OTP_PAM_TALK_H
#define OTP_PAM_TALK_H

#include <security/pam_modules.h>
#include <stdbool.h>

#include "common/deadline.h"
#include "common/wire.h"

/* The words of a result message. An unknown word counts as TALK_BROKEN. */
enum talk_word {
	TALK_BROKEN,
	TALK_OK,
	TALK_DENIED,
	TALK_LOCKED,
	TALK_UNAVAIL,
	TALK_GONE,
	TALK_SKIP,
};

/* One sign-in, from the helper's hello to its result. */
struct talk {
	pam_handle_t *pamh;
	bool silent;		  /* PAM_SILENT: the host wants no information texts */
	bool debug;		  /* log more */
	struct deadline deadline; /* for every wait for the helper */
	struct wire wire;
	struct frame frame; /* the last message received */
	char version[8];    /* the version of the protocol; talk_hello() chooses it */
	bool asked;	    /* a prompt was shown */
	bool unanswered;    /* the last prompt got no answer */

	/* The result, its texts cleaned for the log. Set if talk_result() returned 0. */
	enum talk_word word;
	char reason[256];
	char request_id[64];
};

/*
 * Receives the helper's first message, the hello, from the socket fd before dl. t borrows fd.
 * 0 or the errors of wire_recv(). -OTP_EPROTO also if module and helper have no protocol version in
 * common.
 */
int talk_hello(struct talk *t, int fd, struct deadline dl);

/*
 * After talk_hello(): sends the start message for user, then relays until the helper has sent its
 * result and closed the socket. t->word becomes the helper's word. But "skip" after any prompt, and
 * "ok" if the last prompt got no answer, become TALK_BROKEN.
 * 0: the result and the end-of-file came. -OTP_ETIME: t->deadline passed, or the end-of-file did
 * not follow the result. -OTP_EGONE: the helper closed the socket without a result. -OTP_EPROTO:
 * the helper broke the protocol. -OTP_ETOOBIG: the start message is too large. -OTP_ENOMEM,
 * -OTP_ESYS.
 */
int talk_result(struct talk *t, const char *user);

#endif
