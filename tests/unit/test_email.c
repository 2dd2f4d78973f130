/* email_check(): its verdict on each kind of address, as a recipient and as a sender. */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "helpers/base/email.h"
#include "tests/unit/unit.h"

static bool
is_good(const char *address, enum email_role role)
{
	const char *why = NULL;
	int r = email_check(address, role, &why);

	assert_true(r == 0 || r == -OTP_EINVAL);
	assert_non_null(why);
	assert_int_equal(r == 0, !*why);
	return r == 0;
}

static void
each_kind_has_its_verdict(void **state)
{
	enum { NEITHER = 0, RECIPIENT = 1, SENDER = 2, BOTH = 3 };
	static const struct {
		const char *address;
		int good_as;
	} t[] = {
	    {"asha@example.com", BOTH},
	    {"a.b+otp@sub.example.co", BOTH},
	    {"o'brien@example.com", BOTH},
	    {"+919876543219@example.com", BOTH},
	    {"!#$%&'*+-/=?^_`{|}~@example.com", BOTH},
	    {"a@xn--bcher-kva.example", BOTH},
	    {"a@1.2", BOTH},
	    /* A domain of one label, or with '_', may be the name of this machine. */
	    {"root@localhost", SENDER},
	    {"root@box", SENDER},
	    {"root@my_box", SENDER},
	    {"root@my_box.example.com", SENDER},
	    /* Empty, or a part of an address. */
	    {"", NEITHER},
	    {"@", NEITHER},
	    {"root", NEITHER},
	    {"root@", NEITHER},
	    {"@example.com", NEITHER},
	    /* Two addresses. */
	    {"a@b@example.com", NEITHER},
	    {"a@example.com,b@example.com", NEITHER},
	    {"asha,bela@example.com", NEITHER},
	    {"a;b@example.com", NEITHER},
	    {"a:b@example.com", NEITHER},
	    /* Empty pieces between dots. */
	    {".asha@example.com", NEITHER},
	    {"asha.@example.com", NEITHER},
	    {"as..ha@example.com", NEITHER},
	    {"asha@.example.com", NEITHER},
	    {"asha@example..com", NEITHER},
	    {"asha@example.com.", NEITHER},
	    {"asha@box.", NEITHER},
	    /* Dashes at an end of a label. */
	    {"asha@-example.com", NEITHER},
	    {"asha@example-.com", NEITHER},
	    {"asha@example.-com", NEITHER},
	    {"asha@example.com-", NEITHER},
	    {"root@-box", NEITHER},
	    {"root@box-", NEITHER},
	    /* Forms of RFC 5321 that no mail needs. */
	    {"\"a b\"@example.com", NEITHER},
	    {"\"a\"@example.com", NEITHER},
	    {"a@[127.0.0.1]", NEITHER},
	    {"<asha@example.com>", NEITHER},
	    {"(a)@example.com", NEITHER},
	    {"a\\b@example.com", NEITHER},
	    /* What could end a command or a header early. */
	    {"asha@example.com\r\nRCPT TO:<x@y.zz>", NEITHER},
	    {"asha@example.com\n", NEITHER},
	    {"asha@example.com>", NEITHER},
	    {"asha@example.com SIZE=1", NEITHER},
	    {"as ha@example.com", NEITHER},
	    {"a\tb@example.com", NEITHER},
	    {"a\x01@example.com", NEITHER},
	    {"asha@example.com\x7f", NEITHER},
	    /* Beyond ASCII. */
	    {"\xc3\xa4sha@example.com", NEITHER},
	    {"asha@b\xc3\xa4r.example", NEITHER},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		ROW(is_good(t[i].address, EMAIL_RECIPIENT) == !!(t[i].good_as & RECIPIENT),
		    t[i].address);
		ROW(is_good(t[i].address, EMAIL_SENDER) == !!(t[i].good_as & SENDER), t[i].address);
	}
}

/* Each limit of length, and one byte more. */
static void
long_addresses_are_refused(void **state)
{
	static const enum email_role roles[] = {EMAIL_RECIPIENT, EMAIL_SENDER};
	char a[400];

	(void)state;
	for (size_t i = 0; i < COUNT(roles); i++) {
		(void)snprintf(a, sizeof(a), "%064d@example.com", 0);
		assert_true(is_good(a, roles[i]));
		(void)snprintf(a, sizeof(a), "%065d@example.com", 0);
		assert_false(is_good(a, roles[i]));
		(void)snprintf(a, sizeof(a), "a@%063d.com", 0);
		assert_true(is_good(a, roles[i]));
		(void)snprintf(a, sizeof(a), "a@%064d.com", 0);
		assert_false(is_good(a, roles[i]));
		(void)snprintf(a, sizeof(a), "%062d@%063d.%063d.%060d.co", 0, 0, 0, 0);
		assert_int_equal(strlen(a), EMAIL_MAX);
		assert_true(is_good(a, roles[i]));
		(void)snprintf(a, sizeof(a), "%063d@%063d.%063d.%060d.co", 0, 0, 0, 0);
		assert_false(is_good(a, roles[i]));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_kind_has_its_verdict),
	    cmocka_unit_test(long_addresses_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
