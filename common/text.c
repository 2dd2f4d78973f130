#include "common/text.h"

#include <stdio.h>
#include <string.h>

size_t
text_next(const char *text, uint32_t *cp)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *s = (const unsigned char *)text;
	size_t n;
	uint32_t v;

	if (s[0] < 0x80) {
		*cp = s[0];
		return 1;
	}
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2, v = s[0] & 0x1f;
	else if ((s[0] & 0xf0) == 0xe0)
		n = 3, v = s[0] & 0x0f;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4, v = s[0] & 0x07;
	else
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (s[i] & 0x3f);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*cp = v;
	return n;
}

static bool
is_unsafe(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || cp == 0x061c || cp == 0x200e ||
	       cp == 0x200f || (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) ||
	       cp == 0xfeff;
}

bool
text_is_utf8(const char *s)
{
	uint32_t cp;
	size_t n;

	for (; *s; s += n) {
		n = text_next(s, &cp);
		if (!n)
			return false;
	}
	return true;
}

char *
text_clean(char *dst, size_t size, const char *src)
{
	size_t used = 0;

	while (*src) {
		uint32_t cp = 0;
		size_t n = text_next(src, &cp);
		bool bad = !n || is_unsafe(cp);
		size_t out = bad ? 1 : n;

		if (used + out + 1 > size)
			break;
		if (bad)
			dst[used] = '?';
		else
			memcpy(dst + used, src, n);
		used += out;
		src += n ? n : 1;
	}
	if (size)
		dst[used] = '\0';
	return dst;
}

char *
text_quotable(char *dst, size_t size, const char *src)
{
	(void)text_clean(dst, size, src ? src : "");
	for (char *p = dst; (p = strchr(p, '"'));)
		*p = '\'';
	return dst;
}

size_t
text_calling_code(const char *digits)
{
	/* The calling codes of two digits. 1 and 7 have one digit, all others three. */
	static const char two[] = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 "
				  "54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 "
				  "95 98";
	size_t len = strspn(digits, "0123456789");

	if (digits[len] || len < 4 || len > 15 || digits[0] == '0')
		return 0;
	if (digits[0] == '1' || digits[0] == '7')
		return 1;
	for (const char *p = two; *p; p += p[2] ? 3 : 2)
		if (!strncmp(p, digits, 2))
			return 2;
	return 3;
}

char *
text_mask_phone(char *dst, size_t size, const char *phone)
{
	static const char stars[] = "***************";
	const char *digits = phone[0] == '+' ? phone + 1 : phone;
	size_t len = strlen(digits), code = text_calling_code(digits);
	const char *last = len > 2 ? digits + len - 2 : "";
	size_t hidden;

	if (len < code + 4)
		code = 0;
	hidden = code ? len - code - 2 : len - strlen(last);

	if (hidden > sizeof(stars) - 1)
		hidden = sizeof(stars) - 1;
	(void)snprintf(dst, size, "%s%.*s%s%.*s %s", code ? "+" : "", (int)code, digits,
	    code ? " " : "", (int)hidden, stars, last);
	return dst;
}

char *
text_mask_email(char *dst, size_t size, const char *email)
{
	const char *at = strrchr(email, '@');
	const char *dot = at ? strrchr(at, '.') : NULL;

	if (!at || at == email || !at[1])
		(void)snprintf(dst, size, "***");
	else
		(void)snprintf(dst, size, "%c***@%c***%s", email[0], at[1], dot ? dot : "");
	return dst;
}
