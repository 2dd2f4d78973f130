/* What a person typed at a prompt of a sign-in, read once. */
#ifndef OTP_LOGIN_TYPED_ANSWER_H
#define OTP_LOGIN_TYPED_ANSWER_H

#include "common/secret.h"

/* Owns the code. Zeroed is an answer that is empty. */
struct typed {
	enum {
		TYPED_NOTHING, /* Enter, perhaps with blanks or invisible characters */
		TYPED_RESEND,  /* r */
		TYPED_OTHER,   /* o */
		TYPED_NUMBER,  /* one digit */
		TYPED_CODE,
		TYPED_RECOVERY, /* it begins as a recovery code does */
		TYPED_ELSE,
		TYPED_BY_HOST, /* no person typed it: the host answered by itself */
	} kind;
	int number; /* of TYPED_NUMBER */
	/* The digits of TYPED_CODE; of TYPED_RECOVERY the canonical form, empty where it has none.
	 */
	struct secret code;
};

/* Wipes and empties. */
void typed_clear(struct typed *t);

/*
 * Reads the plain text of the answer (typed_plain()) into *out and wipes what *out held. A code has
 * least to most digits. 0, or with TYPED_NOTHING -OTP_ETOOBIG or -OTP_ENOMEM.
 */
int typed_read(const struct secret *answer, int least, int most, struct typed *out);

#endif
