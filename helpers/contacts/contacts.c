#include "helpers/contacts/contacts.h"

#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/base/email.h"

enum {
	PHONE_DIGITS_MIN = 8,
	PHONE_DIGITS_MAX = 15, /* ITU-T E.164 */
};

static const char digits[] = "0123456789";
_Static_assert((int)CONTACT_ADDRESS_MAX == (int)EMAIL_MAX, "every address fits");

const char *
contact_kind_name(enum contact_kind kind)
{
	return kind == CONTACT_PHONE ? "phone" : "email";
}

/* An e-mail address always has an '@', a phone number never. A '+' may start both. */
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
		*why = "a country's calling code does not start with 0";
		return -OTP_EINVAL;
	}
	if (n < PHONE_DIGITS_MIN || n > PHONE_DIGITS_MAX) {
		*why = "a phone number has 8 to 15 digits, the calling code included";
		return -OTP_EINVAL;
	}
	return 0;
}

int
contact_check(enum contact_kind kind, const char *address, const char **why)
{
	*why = "";
	return kind == CONTACT_PHONE ? phone_check(address, why)
				     : email_check(address, EMAIL_RECIPIENT, why);
}
