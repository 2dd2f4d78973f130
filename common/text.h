/* Makes untrusted text safe for a terminal and for the log, and masks contacts. */
#ifndef OTP_TEXT_H
#define OTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decodes the first character of UTF-8 text: its code point goes to *cp. Returns its length in
 * bytes, or 0 if the bytes are malformed. The NUL at the end of text counts as a character of one
 * byte.
 */
size_t text_next(const char *text, uint32_t *cp);

/* True if s is UTF-8 as in RFC 3629: no overlong form, no surrogate, at most U+10FFFF. */
bool text_is_utf8(const char *s);

/*
 * Copies src into dst, of size bytes including the NUL, and returns dst. A text that does not fit
 * is cut after a whole character. Each malformed byte becomes '?'. So does each character that
 * could control a terminal or hide text: C0, DEL, C1, line and paragraph separators, bidirectional
 * controls, byte order mark.
 */
char *text_clean(char *dst, size_t size, const char *src);

/*
 * Does what text_clean() does, for a value that stands in double quotes in a log line. It also
 * turns each double quote into an apostrophe: a double quote would end the value early. A src of
 * NULL gives an empty text.
 */
char *text_quotable(char *dst, size_t size, const char *src);

/*
 * Masks a phone number: "+919876543219" becomes "+91 ******** 19". The calling code and the last
 * two digits stay. If the number is not E.164, only the last two stay. dst as in text_clean().
 */
char *text_mask_phone(char *dst, size_t size, const char *phone);
/*
 * Masks an e-mail address: "john@example.com" becomes "j***@e***.com", and what is no address
 * becomes
 * "***". dst as in text_clean().
 */
char *text_mask_email(char *dst, size_t size, const char *email);

/*
 * Returns how many digits at the start of an E.164 number (without its '+') are the calling code, 1
 * to 3, or 0 if digits is no such number. No calling code begins with another one (ITU-T E.164,
 * list of assigned codes), so the answer is unique.
 */
size_t text_calling_code(const char *digits);

#endif
