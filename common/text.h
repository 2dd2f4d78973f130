/* Text from elsewhere, made fit for a terminal, a log line or a person's eyes. */
#ifndef OTP_TEXT_H
#define OTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The length in bytes of the first character of UTF-8 text, and its value in *cp. 0 if the bytes
 * there are malformed. The NUL at the end of text is a character of one byte.
 */
size_t text_next(const char *text, uint32_t *cp);

/* Well-formed UTF-8 (RFC 3629: no overlong form, no surrogate, at most U+10FFFF)? */
bool text_is_utf8(const char *s);

/*
 * Copies src into dst, size bytes with the NUL, cut at a character's end. Control characters (C0,
 * DEL, C1, the line and paragraph separators, bidirectional controls) and malformed bytes become
 * '?'. Returns dst.
 */
char *text_clean(char *dst, size_t size, const char *src);

/*
 * The same for a value that stands in double quotes in a log line: a quote in it, which would end
 * it early, becomes an apostrophe. NULL is empty.
 */
char *text_quotable(char *dst, size_t size, const char *src);

/*
 * "+919876543219" becomes "+91 ******** 19": the calling code and the last two digits stay; only
 * the last two where the number is no E.164. dst as above.
 */
char *text_mask_phone(char *dst, size_t size, const char *phone);
/* "john@example.com" becomes "j***@e***.com". */
char *text_mask_email(char *dst, size_t size, const char *email);

/*
 * The number of digits of the calling code at the start of E.164 digits (without '+'), 1 to 3; 0
 * when digits is no number. Codes are prefix-free (ITU-T E.164, list of assigned codes).
 */
size_t text_calling_code(const char *digits);

#endif
