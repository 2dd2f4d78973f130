/* Text from elsewhere: what is UTF-8, what a terminal may see (C15), how numbers are masked. */
#include "tests/unit/unit.h"

#include "common/text.h"

static void
utf8_is_rfc_3629(void **state)
{
	static const struct {
		const char *s;
		bool ok;
	} rows[] = {
	    {"", true},
	    {"plain \x01\x7f", true},
	    {"\xc2\x80", true},
	    {"\xdf\xbf", true},
	    {"\xe0\xa0\x80", true},
	    {"\xed\x9f\xbf", true},
	    {"\xee\x80\x80", true},
	    {"\xef\xbf\xbf", true},
	    {"\xf0\x90\x80\x80", true},
	    {"\xf4\x8f\xbf\xbf", true},
	    {"\x80", false},
	    {"\xbf", false},
	    {"\xc0\x80", false},
	    {"\xc1\xbf", false},
	    {"\xe0\x80\x80", false},
	    {"\xe0\x9f\xbf", false},
	    {"\xed\xa0\x80", false},
	    {"\xed\xbf\xbf", false},
	    {"\xf0\x80\x80\x80", false},
	    {"\xf0\x8f\xbf\xbf", false},
	    {"\xf4\x90\x80\x80", false},
	    {"\xf5\x80\x80\x80", false},
	    {"\xf8\x88\x80\x80\x80", false},
	    {"\xff", false},
	    {"\xfe", false},
	    {"\xc3", false},
	    {"\xe2\x82", false},
	    {"\xf0\x9f\x98", false},
	    {"\xc3(", false},
	    {"\xe2\x82(", false},
	    {"ok\xf0\x9f\x98(", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		ROW(text_is_utf8(rows[i].s) == rows[i].ok, rows[i].s);
}

static void
clean_replaces_what_drives_a_terminal(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
	    {"plain", "plain"},
	    {"\x1b[2J\x07", "?[2J?"},
	    {"a\r\nb\tc\x7f", "a??b?c?"},
	    {"\xc2\x85\xc2\x9b\xc2\xa0", "??\xc2\xa0"},
	    {"\xe2\x80\xa8\xe2\x80\xa9", "??"},
	    {"\xe2\x80\xaa\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9", "????"},
	    {"\xe2\x80\x8e\xe2\x80\x8f", "??"},
	    {"\xef\xbb\xbf", "?"},
	    {"\xd8\x9c", "?"},
	    {"\xe0\xa4\xa8\xe0\xa5\x87", "\xe0\xa4\xa8\xe0\xa5\x87"},
	    {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
	    {"\xff\xfe\xc3(x", "??"
			       "?(x"},
	    {"\xe2\x82", "??"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		ROW(!strcmp(text_clean(out, sizeof(out), rows[i].in), rows[i].out), rows[i].out);
}

static void
clean_leaves_no_control_character(void **state)
{
	char in[8], out[16];

	(void)state;
	for (uint32_t cp = 1; cp < 0x250; cp++) {
		if (cp < 0x80)
			(void)snprintf(in, sizeof(in), "%c", (int)cp);
		else
			(void)snprintf(in, sizeof(in), "%c%c", (int)(0xc0 | cp >> 6),
			    (int)(0x80 | (cp & 0x3f)));
		text_clean(out, sizeof(out), in);
		if (cp < 0x20 || (cp >= 0x7f && cp <= 0x9f))
			assert_string_equal(out, "?");
		else
			assert_string_equal(out, in);
	}
}

static void
clean_cuts_between_characters(void **state)
{
	static const char in[] = "a\xe2\x82\xacz"; /* a, the euro sign, z */
	static const char *const out[] = {"", "", "a", "a", "a", "a\xe2\x82\xac", in};
	char dst[8];

	(void)state;
	for (size_t size = 1; size < COUNT(out); size++) {
		memset(dst, 'x', sizeof(dst));
		assert_string_equal(text_clean(dst, size, in), out[size]);
		assert_int_equal(dst[size], 'x');
	}
	dst[0] = 'x';
	text_clean(dst, 0, in);
	assert_int_equal(dst[0], 'x');
}

static void
phones_are_masked(void **state)
{
	static const struct {
		const char *phone, *masked;
	} rows[] = {
	    {"+919876543219", "+91 ******** 19"},
	    {"+9779812345678", "+977 ******** 78"},
	    {"+12025550123", "+1 ******** 23"},
	    {"+79161234567", "+7 ******** 67"},
	    {"+35312345678", "+353 ****** 78"},
	    {"+97798123", "+977 *** 23"},
	    {"+999123456789012", "+999 ********** 12"},
	    {"919876543219", "+91 ******** 19"},
	    {"12", "**"},
	    {"+9771", "** 71"},
	    {"", " "},
	    {"not a number", "********** er"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		text_mask_phone(out, sizeof(out), rows[i].phone);
		if (strncmp(out, rows[i].masked, strlen(rows[i].masked)))
			fail_msg("%s became \"%s\"", rows[i].phone, out);
	}
}

/* Whatever the number: of its digits only the calling code and the last two are told. */
static void
masks_tell_only_the_ends(void **state)
{
	char phone[20], out[64];

	(void)state;
	for (int code = 1; code < 1000; code++) {
		for (int len = 8; len <= 15; len++) {
			char *p = phone + snprintf(phone, sizeof(phone), "+%d", code);
			size_t cc = text_calling_code(phone + 1), digits = 0;

			while (p < phone + len - 1)
				*p++ = '5';
			(void)snprintf(p, 3, "67");
			cc = text_calling_code(phone + 1);
			text_mask_phone(out, sizeof(out), phone);
			for (const char *q = out; *q; q++)
				digits += *q >= '0' && *q <= '9';
			assert_int_equal(digits, cc + 2);
			assert_string_equal(out + strlen(out) - 3, " 67");
			assert_int_equal(strlen(out), (size_t)len + 3);
		}
	}
}

static void
addresses_are_masked(void **state)
{
	static const struct {
		const char *email, *masked;
	} rows[] = {
	    {"john@example.com", "j***@e***.com"},
	    {"a@b.co", "a***@b***.co"},
	    {"x.y@mail.example.org", "x***@m***.org"},
	    {"john@localhost", "j***@l***"},
	    {"@example.com", "***"},
	    {"john@", "***"},
	    {"john", "***"},
	    {"", "***"},
	};
	char out[64], tiny[5];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		ROW(!strcmp(text_mask_email(out, sizeof(out), rows[i].email), rows[i].masked),
		    rows[i].email);
	assert_string_equal(text_mask_email(tiny, sizeof(tiny), "john@example.com"), "j***");
}

/* The list of assigned codes, written out a second time, as ranges of the first two digits. */
static void
calling_codes_are_the_itu_list(void **state)
{
	static const struct {
		int from, to;
	} two[] = {{20, 20}, {27, 27}, {30, 34}, {36, 36}, {39, 39}, {40, 41}, {43, 49}, {51, 58},
	    {60, 66}, {81, 82}, {84, 84}, {86, 86}, {90, 95}, {98, 98}};
	char digits[20];

	(void)state;
	for (int lead = 10; lead < 100; lead++) {
		size_t want = lead / 10 == 1 || lead / 10 == 7 ? 1 : 3;

		for (size_t i = 0; i < COUNT(two); i++)
			if (lead >= two[i].from && lead <= two[i].to)
				want = 2;
		(void)snprintf(digits, sizeof(digits), "%d45678901", lead);
		ROW(text_calling_code(digits) == want, digits);
	}
}

static void
what_is_no_number_has_no_calling_code(void **state)
{
	static const char *const rows[] = {"", "1", "123", "0123456789", "+919876543219",
	    "91 9876543219", "91987654321x", "1234567890123456",
	    "\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		ROW(text_calling_code(rows[i]) == 0, rows[i]);
	assert_int_equal(text_calling_code("123456789012345"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(utf8_is_rfc_3629),
	    cmocka_unit_test(clean_replaces_what_drives_a_terminal),
	    cmocka_unit_test(clean_leaves_no_control_character),
	    cmocka_unit_test(clean_cuts_between_characters),
	    cmocka_unit_test(phones_are_masked),
	    cmocka_unit_test(masks_tell_only_the_ends),
	    cmocka_unit_test(addresses_are_masked),
	    cmocka_unit_test(calling_codes_are_the_itu_list),
	    cmocka_unit_test(what_is_no_number_has_no_calling_code),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
