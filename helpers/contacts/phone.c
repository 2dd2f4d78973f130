#include "helpers/contacts/phone.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/secret.h"
#include "common/text.h"
#include "helpers/base/typed.h"

static const char digits[] = "0123456789";

enum { NUMBER_MAX = 64 };

bool
phone_is_country(const char *s)
{
	char number[NUMBER_MAX];
	size_t len = strlen(s);

	if (!len || len > 3 || s[strspn(s, digits)])
		return false;
	/* A number of that country: its calling code must be s, no more and no less. */
	(void)snprintf(number, sizeof(number), "%s000000000", s);
	return text_calling_code(number) == len;
}

/* True for Italy and San Marino: there the leading 0 is a part of the number. */
static bool
keeps_zero(const char *number)
{
	return !strncmp(number, "39", 2) || !strncmp(number, "378", 3);
}

/* Copies the number without what only groups its digits. False if something else is in it. */
static bool
ungroup(const char *plain, char *dst, size_t size)
{
	size_t n = 0;

	for (const char *s = plain; *s; s++) {
		bool international = n && (dst[0] == '+' || (n > 1 && !strncmp(dst, "00", 2)));

		if (international && !strncmp(s, "(0)", 3) &&
		    !keeps_zero(dst + (dst[0] == '+' ? 1 : 2))) {
			s += 2;
			continue;
		}
		if (strchr(" -()./", *s))
			continue;
		if ((*s != '+' || n) && !strchr(digits, *s))
			return false;
		if (n + 1 == size)
			return false;
		dst[n++] = *s;
		dst[n] = '\0';
	}
	dst[n] = '\0';
	return true;
}

/* True for the form in which a spreadsheet shows a large number: 9.7798E+12. */
static bool
is_rounded(const char *plain)
{
	const char *e = strstr(plain, "e+");

	return e && e > plain && e[2] && !e[2 + strspn(e + 2, digits)] &&
	       strspn(plain, "0123456789.,") == (size_t)(e - plain);
}

/* Puts the calling code before a number that has none. Returns NULL, or what is wrong. */
static const char *
add_country(const char *number, const char *country, char *dst, size_t size)
{
	size_t code = strlen(country), len = strlen(number);

	if (!strncmp(number, "00", 2)) {
		(void)snprintf(dst, size, "+%s", number + 2);
		return NULL;
	}
	if (!strcmp(country, "1") && len == 11 && *number == '1')
		number++;
	else if (*number == '0' && !keeps_zero(country))
		number++;
	else if (!strncmp(number, country, code))
		return "the number begins with the calling code and may be whole already; write it "
		       "with '+', or with a 0 before it";
	(void)snprintf(dst, size, "+%s%s", country, number);
	return NULL;
}

int
phone_read(const char *typed, const char *country, char dst[static CONTACT_ADDRESS_MAX + 1],
    const char **why)
{
	_auto_secret struct secret plain = {0};
	char number[NUMBER_MAX] = "";
	int r = typed_plain(typed, &plain);

	if (r)
		return r;
	*why = NULL;
	if (is_rounded(secret_str(&plain)))
		*why = "a spreadsheet has rounded this number; give the column the format Text, "
		       "enter the number again, and export the file anew";
	else if (!ungroup(secret_str(&plain), number, sizeof(number)))
		*why = "a phone number has digits, and perhaps blanks, dashes, dots, slashes and "
		       "brackets between them";
	else if (*number != '+' && *number && *country)
		*why = add_country(number, country, dst, CONTACT_ADDRESS_MAX + 1);
	else
		(void)snprintf(dst, CONTACT_ADDRESS_MAX + 1, "%s", number);
	return *why ? -OTP_EINVAL : contact_check(CONTACT_PHONE, dst, why);
}
