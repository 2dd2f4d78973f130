/*
 * The relay: shows what the helper says, hands back what the person answers, and takes the result.
 * It decides nothing and knows no code.
 */
#ifndef OTP_PAM_TALK_H
#define OTP_PAM_TALK_H

#include <security/pam_modules.h>
#include <stdbool.h>

#include "common/deadline.h"
#include "common/wire.h"

/* The words of a result. Whatever is no known word is TALK_BROKEN. */
enum talk_word {
	TALK_BROKEN,
	TALK_OK,
	TALK_DENIED,
	TALK_LOCKED,
	TALK_UNAVAIL,
	TALK_GONE,
	TALK_SKIP,
};

/* One conversation between a helper and a person. */
struct talk {
	pam_handle_t *pamh;
	bool silent; /* the host asked for no decoration */
	bool debug;
	struct deadline deadline; /* of every wait on the helper */
	struct wire wire;
	struct frame frame; /* the message at hand; may hold what a person was told */
	char version[8];    /* agreed on by talk_hello() */
	bool asked;	    /* a prompt was shown */
	bool unanswered;    /* the last one got no answer */

	/* The result, cleaned for the log. Meaningful when talk_result() returned 0. */
	enum talk_word word;
	char reason[256];
	char request_id[64];
};

/*
 * Takes the helper's first message from the socket fd, which t borrows, before dl. 0, or -OTP_E* of
 * wire_recv(); -OTP_EPROTO also where no protocol version is common.
 */
int talk_hello(struct talk *t, int fd, struct deadline dl);

/*
 * After the hello: tells the helper of the sign-in of user, and relays until it has given its
 * result and closed the socket. 0 when it has done both, -OTP_E* otherwise. The word is the
 * helper's, but "skip" after any prompt, and "ok" after one that got no answer, become TALK_BROKEN.
 */
int talk_result(struct talk *t, const char *user);

#endif
