/*
 * What a person types, as plain ASCII. Keyboards, input methods and terminals leave more in an
 * answer than its letters and digits; this file alone knows what.
 *
 *	in an answer					in plain text
 *	a blank, tab or end of a line			a blank; none at either end
 *	a dash of any kind, a minus sign		-
 *	a decimal digit of any script			0 to 9
 *	a letter, small, capital or full-width		the small letter
 *	another ASCII character, or its full width	that character
 *	a mark that nobody sees				nothing
 *	the brackets that a terminal puts around a	nothing
 *	pasted text (ESC [200~ and ESC [201~)
 *	all else, each malformed byte too		?
 *
 * So an empty answer is empty however it was typed, and no rule for an answer names a '?'.
 */
#ifndef OTP_BASE_TYPED_H
#define OTP_BASE_TYPED_H

#include "common/secret.h"

/*
 * Makes *plain the plain text of what was typed. Plain text stays as it is, and typed may be the
 * bytes of *plain. 0, or with an empty *plain -OTP_ETOOBIG (over SECRET_MAX) or -OTP_ENOMEM.
 */
int typed_plain(const char *typed, struct secret *plain);

/* Drops the blanks and dashes of plain text: in a code they only group. */
void typed_join(struct secret *plain);

#endif
