/* Plain text of what users type, with all that keyboards, input methods and terminals add. */
#include "tests/unit/unit.h"

#include "common/err.h"
#include "helpers/base/typed.h"
#include "helpers/codes/code.h"
#include "helpers/codes/recovery.h"

struct row {
	const char *name, *typed, *plain;
};

/* Each is put into a code "135790", into a recovery code, and around a letter of the menu. */
static const struct row in_answers[] = {
    {"nothing", "", ""},
    {"as it stands", "135790", "135790"},
    {"blanks around it", " 135790  ", "135790"},
    {"a tab behind it", "135790\t", "135790"},
    {"blanks in it", "135 790", "135 790"},
    {"a dash in it", "135-790", "135-790"},
    {"no-break spaces", "\u00a0135\u202f790\u00a0", "135 790"},
    {"an ideographic space", "\u3000135\u3000790", "135 790"},
    {"quads and thin spaces", "\u2000135\u2009790\u205f", "135 790"},
    {"an ogham space", "135\u1680790", "135 790"},
    {"separators of lines and paragraphs", "\u2028135790\u2029", "135790"},
    {"a pasted line with CR", "135790\r", "135790"},
    {"a pasted line with CR and LF", "135790\r\n", "135790"},
    {"hyphens", "1\u20103\u20115", "1-3-5"},
    {"dashes", "1\u20123\u20135\u20147\u20159", "1-3-5-7-9"},
    {"a minus sign", "135\u2212790", "135-790"},
    {"dashes of other scripts", "1\u058a3\u05be5\u14007\u18069\u301c0", "1-3-5-7-9-0"},
    {"the longest dashes", "135\u2e3a790\u2e3b", "135-790-"},
    {"small and upright dashes", "1\ufe633\ufe585\ufe317", "1-3-5-7"},
    {"the dash key of a Japanese keyboard", "135\u30fc7\uff7090", "135-7-90"},
    {"full width", "\uff11\uff13\uff15\uff0d\uff17\uff19\uff10", "135-790"},
    {"Arabic", "\u0661\u0663\u0665\u0667\u0669\u0660", "135790"},
    {"Persian and Urdu", "\u06f1\u06f3\u06f5\u06f7\u06f9\u06f0", "135790"},
    {"Devanagari", "\u0967\u0969\u096b\u096d\u096f\u0966", "135790"},
    {"Thai", "\u0e51\u0e53\u0e55\u0e57\u0e59\u0e50", "135790"},
    {"Myanmar", "\u1041\u1043\u1045\u1047\u1049\u1040", "135790"},
    {"Adlam", "\U0001e951\U0001e953\U0001e955", "135"},
    {"bold, double-struck and monospaced", "\U0001d7cf\U0001d7d9\U0001d7ff", "119"},
    {"of two scripts", "1\u09695\uff179\u0660", "135790"},
    {"bracketed paste", "\033[200~135790\033[201~", "135790"},
    {"bracketed paste of a line", "\033[200~135790\r\033[201~", "135790"},
    {"the end of an earlier paste", "\033[201~135790", "135790"},
    {"a blank in the brackets", "\033[200~ 135790 \033[201~ ", "135790"},
    {"left-to-right marks", "\u200e135790\u200e", "135790"},
    {"right-to-left and Arabic letter marks", "\u200f135\u061c790", "135790"},
    {"directional isolates", "\u2066135790\u2069", "135790"},
    {"directional embeddings", "\u202a135790\u202c\u202e", "135790"},
    {"zero-width blanks and joiners", "1\u200b3\u200c5\u200d7\u20609", "13579"},
    {"a byte order mark", "\ufeff135790", "135790"},
    {"a soft hyphen", "135\u00ad790", "135790"},
    {"variation selectors", "1\ufe0f3\ufe0e5\U000e0100", "135"},
    {"fillers and a grapheme joiner", "1\u31643\uffa05\u034f7\u115f9\u180e", "13579"},
    {"tags", "135\U000e0031\U000e007f790", "135790"},
    {"marks before and behind outer blanks", "\u200e \u200e135790\u200e \u200e", "135790"},
    {"small letters", "rc-7k2m", "rc-7k2m"},
    {"capitals", "RC-7K2M", "rc-7k2m"},
    {"letters of full width", "\uff32\uff23\u30fc\uff17\uff4b\uff12\uff4d", "rc-7k2m"},
    {"the first and the last of full width", "\uff01\uff5e", "!~"},
    {"a letter", "R", "r"},
    {"a letter of full width, small", "\uff4f\u3000", "o"},
    {"a letter of full width, capital", "\uff2f\r", "o"},
    {"a letter between marks", "\u200er\u200e", "r"},
    {"a pasted letter", "\033[200~r\033[201~", "r"},
};

static const struct row empty[] = {
    {"blanks", " \t ", ""},
    {"the ideographic space", "\u3000", ""},
    {"a no-break space", "\u00a0", ""},
    {"zero-width marks", "\u200b\u200d\ufeff", ""},
    {"directional marks and blanks", "\u200e \u2066\u2069 \u200f", ""},
    {"a pasted CR", "\r", ""},
    {"a pasted CR and LF", "\r\n", ""},
    {"the paste of nothing", "\033[200~\033[201~", ""},
    {"the paste of an empty line", "\033[200~\r\033[201~", ""},
    {"the end of a paste", "\033[201~", ""},
    {"a filler", "\u3164", ""},
};

/* A character without a plain form must not vanish or become a digit. */
static const struct row other[] = {
    {"a superscript", "12345\u00b2", "12345?"},
    {"a digit in a circle", "12345\u2460", "12345?"},
    {"an Arabic percent sign", "12345\u066a", "12345?"},
    {"what stands before a zero", "\u065f\u0965\uff0f",
	"?"
	"?/"},
    {"what stands behind a nine", "\u066a\u0970\uff1a", "??:"},
    {"an accent that is seen", "12\u0301", "12?"},
    {"letters of other scripts", "\u0433\u0441\u00e9", "???"},
    {"half-width forms", "\uff61\uff5f", "??"},
    {"a vertical line of two", "123\u2016", "123?"},
    {"control characters", "\001\b\033\177\xc2\x9b", "?????"},
    {"sshd's junk", "\b\n\r\177INCORRECT", "?  ?incorrect"},
    {"a bracket of a paste, cut", "\033[200", "?[200"},
    {"a key of the terminal's", "\033[A", "?[a"},
    {"ASCII", " !\"#$%&'()*+,./:;<=>?@[\\]^_`{|}~", "!\"#$%&'()*+,./:;<=>?@[\\]^_`{|}~"},
    {"no UTF-8", "12345\xff", "12345?"},
    {"UTF-8, cut", "12345\xef\xbc", "12345??"},
    {"UTF-8, cut to its first byte", "12345\xf0", "12345?"},
    {"UTF-8 with a byte of another kind", "1\xef\xbc\x41", "1??a"},
    {"an overlong digit", "\xc0\xb1", "??"},
    {"an overlong NUL", "\xc0\x80", "??"},
    {"a surrogate", "\xed\xa0\x80", "???"},
    {"above Unicode", "\xf4\x90\x80\x80", "????"},
};

static void
check(const struct row *row, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_auto_secret struct secret plain = {0};

		assert_int_equal(secret_set(&plain, "old", 3), 0);
		ROW(typed_plain(row[i].typed, &plain) == 0, row[i].name);
		if (strcmp(secret_str(&plain), row[i].plain) != 0)
			fail_msg("row \"%s\": it is \"%s\"", row[i].name, secret_str(&plain));
		assert_int_equal(plain.len, strlen(row[i].plain));
		/* Plain text stays as it is, also if it is read from *plain itself. */
		ROW(typed_plain(secret_str(&plain), &plain) == 0, row[i].name);
		ROW(!strcmp(secret_str(&plain), row[i].plain), row[i].name);
	}
}

static void
answers_become_plain(void **state)
{
	(void)state;
	check(in_answers, COUNT(in_answers));
}

static void
an_empty_answer_is_empty_however_it_is_typed(void **state)
{
	(void)state;
	check(empty, COUNT(empty));
}

static void
what_has_no_plain_form_becomes_a_question_mark(void **state)
{
	(void)state;
	check(other, COUNT(other));
}

/* An older version took each for a wrong code, which cost a try. */
static void
codes_are_read_as_they_are_pasted(void **state)
{
	static const struct row rows[] = {
	    {"bracketed paste", "\033[200~135790\033[201~", "135790"},
	    {"between left-to-right marks", "\u200e135790\u200e", "135790"},
	    {"the ideographic space alone", "\u3000", NULL},
	    {"bracketed paste of a recovery code", "\033[200~rc-7k2m-9xqd-4hvt-w3np\033[201~",
		"7k2m9xqd4hvtw3np"},
	    {"a recovery code between left-to-right marks", "\u200erc-7k2m-9xqd-4hvt-w3np\u200e",
		"7k2m9xqd4hvtw3np"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_auto_secret struct secret out = {0};
		int r = recovery_is(rows[i].typed) ? recovery_read(rows[i].typed, &out)
						   : code_read(rows[i].typed, 6, 6, &out);

		ROW(r == (rows[i].plain ? 0 : -OTP_EINVAL), rows[i].name);
		ROW(!strcmp(secret_str(&out), rows[i].plain ? rows[i].plain : ""), rows[i].name);
	}
}

static void
blanks_and_dashes_are_joined(void **state)
{
	static const char *const rows[][2] = {{"135790", "135790"}, {"135 790", "135790"},
	    {"-1 3-5  7--90-", "135790"}, {"", ""}, {"-", ""}, {"- -", ""}, {"?-?", "??"}};
	struct secret none = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_auto_secret struct secret plain = {0};

		assert_int_equal(secret_set(&plain, rows[i][0], strlen(rows[i][0])), 0);
		typed_join(&plain);
		assert_string_equal(secret_str(&plain), rows[i][1]);
		assert_int_equal(plain.len, strlen(rows[i][1]));
	}
	typed_join(&none);
	assert_null(none.bytes);
}

/* Dropped bytes are wiped: all bytes after the end are zero. */
static void
dropped_bytes_are_wiped(void **state)
{
	static const char typed[] = "\033[200~\uff11\uff13\uff15 790\u200e\033[201~";
	_auto_secret struct secret plain = {0};

	(void)state;
	assert_int_equal(typed_plain(typed, &plain), 0);
	for (size_t i = plain.len; i < sizeof(typed); i++)
		assert_int_equal(plain.bytes[i], 0);
	typed_join(&plain);
	assert_string_equal(plain.bytes, "135790");
	for (size_t i = plain.len; i < sizeof(typed); i++)
		assert_int_equal(plain.bytes[i], 0);
}

static void
what_is_too_long_is_refused(void **state)
{
	static char typed[SECRET_MAX + 2];
	_auto_secret struct secret plain = {0};

	(void)state;
	memset(typed, '1', SECRET_MAX + 1);
	assert_int_equal(secret_set(&plain, "old", 3), 0);
	assert_int_equal(typed_plain(typed, &plain), -OTP_ETOOBIG);
	assert_string_equal(secret_str(&plain), "");
	typed[SECRET_MAX] = '\0';
	assert_int_equal(typed_plain(typed, &plain), 0);
	assert_int_equal(plain.len, SECRET_MAX);
}

/* Random bytes. The sanitizers find a read or a write beyond the end. */
static void
any_bytes_give_plain_text(void **state)
{
	static const char *const part[] = {"\033[200~", "\033[20", "\033", "\xf0\x9f\x98\x80",
	    "\xef\xbc\x91", "\xef\xbc", "\xef", "\x80", "\xff", "\xc0", " ", "-", "1", "R", "\r"};
	uint64_t seed = 20260615;

	(void)state;
	for (int i = 0; i < rounds(20000); i++) {
		_auto_secret struct secret plain = {0};
		char typed[256] = "";

		for (uint64_t n = fixed_random(&seed) >> 60; n > 0; n--)
			strcat(typed, part[(fixed_random(&seed) >> 32) % COUNT(part)]);
		assert_int_equal(typed_plain(typed, &plain), 0);
		assert_true(plain.len <= strlen(typed));
		assert_int_equal(plain.len, strlen(secret_str(&plain)));
		for (size_t k = 0; k < plain.len; k++)
			assert_in_range(plain.bytes[k], ' ', '~');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_become_plain),
	    cmocka_unit_test(an_empty_answer_is_empty_however_it_is_typed),
	    cmocka_unit_test(what_has_no_plain_form_becomes_a_question_mark),
	    cmocka_unit_test(codes_are_read_as_they_are_pasted),
	    cmocka_unit_test(blanks_and_dashes_are_joined),
	    cmocka_unit_test(dropped_bytes_are_wiped),
	    cmocka_unit_test(what_is_too_long_is_refused),
	    cmocka_unit_test(any_bytes_give_plain_text),
	};

	return cmocka_run_group_tests_name("typed", tests, NULL, NULL);
}
