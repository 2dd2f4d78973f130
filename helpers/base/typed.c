/*
 * The tables are those of Unicode 15.0. tests/unit/test_typed_unicode.py compares them with
 * Python's. The library libunistring has them, too. But it has 1.8 MB, and loading it at each
 * sign-in takes 0.3 ms, while the whole start of the helper takes 2.4 ms.
 */
#include "helpers/base/typed.h"

#include <stdint.h>

#include "common/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct range {
	uint32_t first, last;
};

/* The property White_Space. */
static const struct range blanks[] = {{0x09, 0x0d}, {0x20, 0x20}, {0x85, 0x85}, {0xa0, 0xa0},
    {0x1680, 0x1680}, {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f},
    {0x3000, 0x3000}};

/* The property Dash, and the prolonged sound mark, which a Japanese keyboard types for a dash. */
static const struct range dashes[] = {{'-', '-'}, {0x58a, 0x58a}, {0x5be, 0x5be}, {0x1400, 0x1400},
    {0x1806, 0x1806}, {0x2010, 0x2015}, {0x2053, 0x2053}, {0x207b, 0x207b}, {0x208b, 0x208b},
    {0x2212, 0x2212}, {0x2e17, 0x2e17}, {0x2e1a, 0x2e1a}, {0x2e3a, 0x2e3b}, {0x2e40, 0x2e40},
    {0x2e5d, 0x2e5d}, {0x301c, 0x301c}, {0x3030, 0x3030}, {0x30a0, 0x30a0}, {0x30fc, 0x30fc},
    {0xfe31, 0xfe32}, {0xfe58, 0xfe58}, {0xfe63, 0xfe63}, {0xff70, 0xff70}, {0x10ead, 0x10ead}};

/*
 * The property Default_Ignorable_Code_Point: soft hyphens, zero-width and directional marks, the
 * byte order mark, variation selectors and fillers.
 */
static const struct range invisible[] = {{0xad, 0xad}, {0x34f, 0x34f}, {0x61c, 0x61c},
    {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x200b, 0x200f}, {0x202a, 0x202e},
    {0x2060, 0x206f}, {0x3164, 0x3164}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
    {0xfff0, 0xfff8}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}};

/* The zero of each script with decimal digits (category Nd). The digits 1 to 9 follow it. */
static const uint32_t zeros[] = {'0', 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6,
    0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0,
    0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50,
    0xabf0, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0,
    0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x11f50, 0x16a60,
    0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0,
    0x1e950, 0x1fbf0};

static bool
is_in(const struct range *range, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++)
		if (c >= range[i].first && c <= range[i].last)
			return true;
	return false;
}

/* Returns '\0' for an invisible mark, and '?' for a character that has no plain form. */
static char
plain_char(uint32_t c)
{
	/* The full-width forms of '!' to '~' are in the order of ASCII. */
	if (c >= 0xff01 && c <= 0xff5e)
		c -= 0xff01 - '!';
	if (is_in(blanks, COUNT(blanks), c))
		return ' ';
	if (is_in(dashes, COUNT(dashes), c))
		return '-';
	if (is_in(invisible, COUNT(invisible), c))
		return '\0';
	for (size_t i = 0; i < COUNT(zeros); i++)
		if (c >= zeros[i] && c <= zeros[i] + 9)
			return (char)('0' + (c - zeros[i]));
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c > ' ' && c < 0x7f ? (char)c : '?';
}

/* Reads one character, or one bracketed-paste sequence, at *at and moves *at behind it. */
static char
next_char(const char **at)
{
	uint32_t c;
	size_t len;

	if (!strncmp(*at, "\033[200~", 6) || !strncmp(*at, "\033[201~", 6)) {
		*at += 6;
		return '\0';
	}
	len = text_next(*at, &c);
	*at += len ? len : 1;
	return len ? plain_char(c) : '?';
}

static void
cut(struct secret *s, size_t len)
{
	if (len < s->len)
		explicit_bzero(s->bytes + len, s->len - len);
	s->len = len;
}

int
typed_plain(const char *typed, struct secret *plain)
{
	int r = secret_set(plain, typed, strlen(typed));
	const char *at = plain->bytes;
	size_t len = 0;

	if (r) {
		secret_clear(plain);
		return r;
	}
	/*
	 * The plain text overwrites the bytes that were read. It never overtakes the reading,
	 * because each of its bytes stands for at least one byte that was read.
	 */
	while (*at) {
		char c = next_char(&at);

		if (c && (c != ' ' || len))
			plain->bytes[len++] = c;
	}
	while (len && plain->bytes[len - 1] == ' ')
		len--;
	cut(plain, len);
	return 0;
}

void
typed_join(struct secret *plain)
{
	size_t len = 0;

	for (size_t i = 0; i < plain->len; i++)
		if (plain->bytes[i] != ' ' && plain->bytes[i] != '-')
			plain->bytes[len++] = plain->bytes[i];
	cut(plain, len);
}

bool
typed_has_edge(const char *text)
{
	char first = 'x', last = 'x';

	for (const char *at = text; *at;) {
		bool is_first = at == text;

		last = next_char(&at);
		first = is_first ? last : first;
	}
	return !first || first == ' ' || !last || last == ' ';
}
