/* The meaning of what a person typed at a prompt of a sign-in. It is read once, here. */
#ifndef OTP_LOGIN_TYPED_ANSWER_H
#define OTP_LOGIN_TYPED_ANSWER_H

#include "common/secret.h"

/* Owns the code. All zero is an empty answer. */
struct typed {
	enum {
		TYPED_NOTHING,	/* Enter, perhaps with blanks or invisible characters */
		TYPED_RESEND,	/* r: send a new code */
		TYPED_OTHER,	/* o: show the menu of destinations */
		TYPED_NUMBER,	/* one digit: a choice of the menu */
		TYPED_CODE,	/* as many digits as a code has */
		TYPED_RECOVERY, /* it begins with "rc", the prefix of recovery codes */
		TYPED_ELSE,	/* none of these */
		TYPED_BY_HOST,	/* no person typed it: the host program answered by itself */
	} kind;
	int number; /* with TYPED_NUMBER: 0 to 9 */
	/*
	 * With TYPED_CODE its digits. With TYPED_RECOVERY the canonical form; empty if the answer
	 * has the wrong form for a recovery code.
	 */
	struct secret code;
};

/* Wipes the code and makes the answer empty. */
void typed_clear(struct typed *t);

/*
 * Reads the plain text of the answer (typed_plain()) into *out and wipes what *out held. A code has
 * at least `least` and at most `most` digits. 0, or with TYPED_NOTHING -OTP_ETOOBIG or -OTP_ENOMEM.
 */
int typed_read(const struct secret *answer, int least, int most, struct typed *out);

#endif
