/*
 * Prints what typed_plain() makes of each code point, if it is anything but a '?': the code point
 * in hexadecimal, a blank, its plain text. Read by test_typed_unicode.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helpers/base/typed.h"

static void
put_utf8(char *s, unsigned long c)
{
	int n = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};

	s[n + 1] = '\0';
	for (int i = n; i > 0; i--, c >>= 6)
		s[i] = (char)(0x80 | (c & 0x3f));
	s[0] = (char)(first[n] | c);
}

int
main(void)
{
	struct secret plain = {0};
	char typed[8];

	for (unsigned long c = 1; c <= 0x10ffff; c++) {
		size_t len;

		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		/* Between letters, for a blank at an end is dropped. */
		typed[0] = 'a';
		put_utf8(typed + 1, c);
		strcat(typed, "a");
		if (typed_plain(typed, &plain))
			return EXIT_FAILURE;
		len = plain.len - 2;
		if (len != 1 || plain.bytes[1] != '?')
			printf("%lx %.*s\n", c, (int)len, plain.bytes + 1);
	}
	secret_clear(&plain);
	return EXIT_SUCCESS;
}
