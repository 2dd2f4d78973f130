#include "helpers/base/email.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/err.h"

enum {
	LOCAL_MAX = 64, /* RFC 5321, 4.5.3.1.1 */
	DNS_LABEL_MAX = 63,
};

static const char alnum[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/*
 * True if dots divide s into pieces of 1 to max bytes. A piece consists of letters, digits and
 * characters of marks.
 */
static bool
is_dotted(const char *s, size_t len, const char *marks, size_t max)
{
	size_t piece = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '.') {
			if (piece == 0)
				return false;
			piece = 0;
			continue;
		}
		if (!strchr(alnum, s[i]) && !strchr(marks, s[i]))
			return false;
		if (++piece > max)
			return false;
	}
	return piece > 0;
}

static bool
is_domain(const char *s, const char *marks)
{
	if (!is_dotted(s, strlen(s), marks, DNS_LABEL_MAX))
		return false;
	for (const char *p = s; *p; p++)
		if (*p == '-' && (p == s || p[-1] == '.' || p[1] == '.' || !p[1]))
			return false;
	return true;
}

/* Returns what is wrong with the address, or "". */
static const char *
what_is_wrong(const char *address, enum email_role role)
{
	const char *at = strchr(address, '@');

	if (!at || strchr(at + 1, '@'))
		return "an e-mail address has one '@'";
	if (strlen(address) > EMAIL_MAX || at - address > LOCAL_MAX)
		return "an e-mail address has at most 254 bytes, 64 of them before the '@'";
	if (!is_dotted(address, (size_t)(at - address), "!#$%&'*+-/=?^_`{|}~", LOCAL_MAX))
		return "the part before the '@' is empty, or has a character that is not allowed";
	if (role == EMAIL_SENDER)
		return is_domain(at + 1, "-_") ? "" : "the part after the '@' is not a host name";
	if (!is_domain(at + 1, "-") || !strchr(at + 1, '.'))
		return "the part after the '@' is not a domain name with a dot in it";
	return "";
}

int
email_check(const char *address, enum email_role role, const char **why)
{
	*why = what_is_wrong(address, role);
	return **why ? -OTP_EINVAL : 0;
}
