#include "helpers/contacts.h"

#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/text.h"

enum {
	PHONE_DIGITS_MIN = 8,
	PHONE_DIGITS_MAX = 15, /* ITU-T E.164 */
	LOCAL_MAX = 64,	       /* RFC 5321, 4.5.3.1.1 */
	DNS_LABEL_MAX = 63,
};

static const char digits[] = "0123456789";
static const char alnum[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const char *
contact_kind_name(enum contact_kind kind)
{
	return kind == CONTACT_PHONE ? "phone" : "email";
}

/* Every e-mail address has an '@' and no phone number has one; a '+' may start both. */
enum contact_kind
contact_kind_of(const char *address)
{
	return strchr(address, '@') ? CONTACT_EMAIL : CONTACT_PHONE;
}

char *
contact_masked(char *dst, size_t size, const char *address)
{
	return contact_kind_of(address) == CONTACT_PHONE ? text_mask_phone(dst, size, address)
							 : text_mask_email(dst, size, address);
}

void
contact_list_free(struct contact_list *l)
{
	free(l->item);
	*l = (struct contact_list){0};
}

static int
phone_check(const char *address, const char **why)
{
	size_t n;

	if (address[0] != '+') {
		*why = "a phone number starts with '+' and the country's calling code";
		return -OTP_EINVAL;
	}
	n = strspn(address + 1, digits);
	if (address[1 + n]) {
		*why = "a phone number has digits only after '+': no blanks, dashes or brackets";
		return -OTP_EINVAL;
	}
	if (address[1] == '0') {
		*why = "no calling code starts with 0";
		return -OTP_EINVAL;
	}
	if (n < PHONE_DIGITS_MIN || n > PHONE_DIGITS_MAX) {
		*why = "a phone number has 8 to 15 digits, the calling code included";
		return -OTP_EINVAL;
	}
	return 0;
}

/* Dot-separated pieces of the given characters, none empty, each of at most max bytes? */
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
is_domain(const char *s)
{
	if (!is_dotted(s, strlen(s), "-", DNS_LABEL_MAX) || !strchr(s, '.'))
		return false;
	for (const char *p = s; *p; p++)
		if (*p == '-' && (p == s || p[-1] == '.' || p[1] == '.' || !p[1]))
			return false;
	return true;
}

static int
email_check(const char *address, const char **why)
{
	const char *at = strchr(address, '@');

	if (!at || strchr(at + 1, '@')) {
		*why = "an e-mail address has one '@'";
		return -OTP_EINVAL;
	}
	if (strlen(address) > CONTACT_ADDRESS_MAX || at - address > LOCAL_MAX) {
		*why = "an e-mail address has at most 254 bytes, 64 of them before the '@'";
		return -OTP_EINVAL;
	}
	if (!is_dotted(address, (size_t)(at - address), "!#$%&'*+-/=?^_`{|}~", LOCAL_MAX)) {
		*why = "the part before the '@' is empty, or has a character that is not allowed";
		return -OTP_EINVAL;
	}
	if (!is_domain(at + 1)) {
		*why = "the part after the '@' is no domain name with a dot in it";
		return -OTP_EINVAL;
	}
	return 0;
}

int
contact_check(enum contact_kind kind, const char *address, const char **why)
{
	*why = "";
	return kind == CONTACT_PHONE ? phone_check(address, why) : email_check(address, why);
}
