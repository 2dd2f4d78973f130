/*
 * Makes plain ASCII text of what a user typed. Keyboards, input methods and terminals put more into
 * an answer than letters and digits. Only this file knows what.
 *
 *	in an answer					in plain text
 *	a blank, tab or end of a line			a blank; none at either end
 *	a dash of any kind, a minus sign		-
 *	a decimal digit of any script			0 to 9
 *	a letter, small, capital or full-width		the small letter
 *	another ASCII character, or its full width	that character
 *	an invisible mark				nothing
 *	what a terminal puts around a pasted text	nothing
 *	(ESC [200~ and ESC [201~)
 *	anything else, and each malformed byte		?
 *
 * So an answer that looks empty is empty. No rule for an answer accepts a '?', so that an answer
 * with one is always wrong.
 */
#ifndef OTP_BASE_TYPED_H
#define OTP_BASE_TYPED_H

#include <stdbool.h>

#include "common/secret.h"

/*
 * Writes the plain text of an answer into *plain. Plain text stays as it is. typed may be the bytes
 * of *plain. 0, -OTP_ETOOBIG (more than SECRET_MAX) or -OTP_ENOMEM; after an error *plain is empty.
 */
int typed_plain(const char *typed, struct secret *plain);

/* Removes the blanks and dashes of plain text. In a code they only group the characters. */
void typed_join(struct secret *plain);

/*
 * True if the text begins or ends with a blank, or begins or ends with a mark that nobody sees,
 * such as a byte order mark. Editors put these around the line of a file. Empty text has none.
 */
bool typed_has_edge(const char *text);

#endif
