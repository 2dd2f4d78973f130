/*
 * What a person reads (U13, U14, U22, U34, U39, Q9, Q18, Q20, Q34): it consists of whole texts, is
 * ASCII, names what it asks for, and fits a prompt with the longest values that it can show.
 */
#include "tests/unit/unit.h"

#include <ctype.h>
#include <fnmatch.h>
#include <limits.h>

#include "helpers/login/prompts.h"
#include "helpers/login/texts.h"
#include "helpers/store/store.h"

enum { TEXTS_MAX = 128 };

static char text[WIRE_PROMPT_MAX + 1];

/* --- the table ----------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int longest;
} arguments[] = {
    {"address", PROMPT_ADDRESS_MAX},
    {"channel", PROMPT_CHANNEL_MAX},
    {"time", sizeof("1000000000000 minutes") - 1},
    {"wait", sizeof("1000000000000 minutes") - 1},
    {"tries", sizeof("-2147483648") - 1},
    {"digits", sizeof("-2147483648") - 1},
    {"least", sizeof("-2147483648") - 1},
    {"most", sizeof("-2147483648") - 1},
    {"left", sizeof("-2147483648") - 1},
    {"symbols", sizeof("16") - 1},
    {"number", sizeof("5") - 1},
    {"count", sizeof("1000000000000") - 1},
};

static int
longest_of(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT(arguments); i++)
		if (strlen(arguments[i].name) == len && !strncmp(arguments[i].name, name, len))
			return arguments[i].longest;
	fail_msg("no argument is named %.*s", (int)len, name);
	return 0;
}

static int
longest_result(const char *s)
{
	int bytes = 0;

	for (; *s; s++)
		if (*s == '{') {
			size_t len = strcspn(s, "}") - 1;

			bytes += longest_of(s + 1, len);
			s += len + 1;
		} else {
			bytes++;
		}
	return bytes;
}

static void
every_text_states_its_longest_result(void **state)
{
	(void)state;
	for (size_t i = 0; i < prompt_texts_n; i++) {
		const struct prompt_text *t = &prompt_texts[i];

		if (longest_result(t->text) != t->longest)
			fail_msg("%s: %d, not %d", t->text, longest_result(t->text), t->longest);
	}
}

static bool
is_time(const struct prompt_text *t)
{
	return t->message >= TEXT_SECONDS && t->message <= TEXT_HOURS;
}

static bool
ends_in(const char *s, const char *end)
{
	return strlen(s) >= strlen(end) && !strcmp(s + strlen(s) - strlen(end), end);
}

/* A part of a sentence would begin in lower case, or end without a mark. */
static void
every_text_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < prompt_texts_n; i++) {
		const struct prompt_text *t = &prompt_texts[i];

		if (is_time(t) || t->message == TEXT_MENU_ENTRY)
			continue;
		ROW(isupper(t->text[0]), t->text);
		ROW(ends_in(t->text, ".") || ends_in(t->text, "?") || ends_in(t->text, ": "),
		    t->text);
	}
}

static void
every_case_has_one_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < prompt_texts_n; i++) {
		const struct prompt_text *t = &prompt_texts[i];

		ROW(prompt_text(t->message, t->variant) == t->text, t->text);
	}
	assert_string_equal(prompt_text(NOTE_NOTHING, ONLY), "");
}

/* --- prompts ------------------------------------------------------------------------------- */

static struct prompt_facts
some_facts(void)
{
	return (struct prompt_facts){
	    .destination = {"sms", "+91 ******** 19"},
	    .first = "voice",
	    .left_ms = 300000,
	    .tries = 2,
	    .wait_ms = 20001,
	    .least = 6,
	    .most = 6,
	    .has_code = true,
	    .may_resend = true,
	    .menu = {{"sms", "+91 ******** 19"}, {"email", "a***@e***.com"}},
	    .nmenu = 1,
	};
}

static const char long_name[64] = "MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM";
static const char *const channels[] = {"sms", "voice", "email", "pager", long_name};
static const int64_t times[] = {INT64_MIN, 59000, INT64_MAX / 2 + 1, STORE_FOREVER};
static const struct {
	int tries, least, most;
} numbers[] = {{1, 6, 6}, {1, 4, 8}, {INT_MIN, INT_MIN, INT_MIN}, {INT_MIN, INT_MIN, INT_MIN + 1}};

enum {
	INSTEADS = 2 + COUNT(channels), /* with each channel that may have failed before */
	ROUNDS = COUNT(times) * COUNT(channels) * COUNT(numbers) * INSTEADS * 2 * 2 * 2 * 2 * 2,
};

/* One digit of the round's number: which of so many values a fact has. */
static unsigned
take(unsigned *i, unsigned values)
{
	unsigned value = *i % values;

	*i /= values;
	return value;
}

/* The facts of round i. The rounds have each combination of short, long and odd values. */
static struct prompt_facts
facts_of(unsigned i)
{
	struct prompt_facts f = some_facts();
	unsigned n;

	f.wait_ms = f.left_ms = times[take(&i, COUNT(times))];
	f.destination.channel = channels[take(&i, COUNT(channels))];
	n = take(&i, COUNT(numbers));
	f.tries = numbers[n].tries, f.least = numbers[n].least, f.most = numbers[n].most;
	n = take(&i, INSTEADS);
	f.instead = n < INSTEAD_CHANNEL ? (enum instead)n : INSTEAD_CHANNEL;
	f.first = n < INSTEAD_CHANNEL ? NULL : channels[n - INSTEAD_CHANNEL];
	f.destination.masked = take(&i, 2) ? long_name : f.destination.masked;
	f.has_code = take(&i, 2);
	f.has_recovery = take(&i, 2);
	f.may_resend = take(&i, 2);
	f.nmenu = take(&i, 2) ? PROMPT_DESTINATIONS_MAX : 1;
	for (int k = 0; k < f.nmenu; k++)
		f.menu[k] = f.destination;
	return f;
}

/* A sample of the rounds under valgrind. */
static unsigned
step(void)
{
	return rounds(10) == 10 ? 1 : 11;
}

/* Which provider sent a code matters to NOTE_SENT alone: other notes need no further round. */
static bool
repeats(int note, const struct prompt_facts *f)
{
	return note != NOTE_SENT && f->instead != AS_CHOSEN;
}

static bool
has_word(const char *word)
{
	return strcasestr(text, word) != NULL;
}

static void
is_fit(int note)
{
	size_t len = strlen(text);

	if (len > WIRE_PROMPT_MAX || strpbrk(text, "{}"))
		fail_msg("note %d: %s", note, text);
	for (size_t i = 0; i < len; i++)
		if ((text[i] < ' ' && text[i] != '\n') || text[i] > '~')
			fail_msg("note %d: %s", note, text);
}

/* It ends in a full stop, so it was not cut. */
static void
is_statement(int note)
{
	is_fit(note);
	if (!ends_in(text, "."))
		fail_msg("note %d: %s", note, text);
}

/* It ends as a question, so it was not cut, and no host replaces it (Q20). */
static void
is_question(int note)
{
	is_fit(note);
	if (!ends_in(text, ": ") || strstr(text, "\n\n") || *text == '\n' ||
	    strstr(text, "Password:"))
		fail_msg("note %d: %s", note, text);
}

static void
every_prompt_fits_whatever_is_in_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUNDS; i += step())
		for (int note = 0; note < PROMPT_NOTES; note++) {
			struct prompt_facts f = facts_of(i);

			if (repeats(note, &f))
				continue;
			/* "verification code" is what programs look for (Q34). */
			prompt_code(text, (enum note)note, &f);
			is_question(note);
			assert_true(!f.has_code || has_word("verification code"));
			assert_true(has_word(f.has_code ? "verification code" : "recovery code"));
			assert_int_equal(
			    has_word("o = other way"), f.has_code && f.nmenu > 1 && f.may_resend);
			prompt_ask_first(text, (enum note)note, &f);
			is_question(note);
			assert_true(has_word("Press Enter to have a verification code sent"));
			assert_int_equal(has_word("recovery code)"), f.has_recovery);
			prompt_note(text, (enum note)note, &f);
			if (note == NOTE_NOTHING)
				assert_string_equal(text, "");
			else
				is_statement(note);
		}
}

/* The notes that name a destination are left out: the prompt for a code follows them, no menu. */
static void
every_menu_fits_whatever_is_in_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * ROUNDS; i += step())
		for (int note = 0; note < PROMPT_NOTES; note++) {
			struct prompt_facts f = facts_of(i / 2);

			if (note == NOTE_SENT || note == NOTE_MAYBE_SENT || repeats(note, &f))
				continue;
			prompt_menu(text, (enum note)note, &f, i % 2);
			is_question(note);
			assert_true(has_word("verification code be sent?"));
			assert_int_equal(has_word("recovery code: "), f.has_recovery);
			assert_int_equal(has_word("Enter = back"), i % 2);
			assert_int_equal(has_word("Enter = 1"), !(i % 2));
			assert_true(f.nmenu < PROMPT_DESTINATIONS_MAX || has_word("\n  5  "));
		}
}

static void
last_words_are_one_more_question(void **state)
{
	char last[WIRE_PROMPT_MAX + 1], expected[2 * WIRE_PROMPT_MAX];

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i += step())
		for (int note = NOTE_SENT; note < PROMPT_NOTES; note++) {
			struct prompt_facts f = facts_of(i);

			if (repeats(note, &f))
				continue;
			prompt_note(last, (enum note)note, &f);
			prompt_last(text, last);
			is_question(note);
			(void)snprintf(
			    expected, sizeof(expected), "%s\nPress Enter to end: ", last);
			assert_string_equal(text, expected);
		}
	memset(last, 'x', WIRE_PROMPT_MAX);
	last[WIRE_PROMPT_MAX] = '\0';
	prompt_last(text, last);
	is_question(-1);
	assert_non_null(strstr(text, "x\nPress Enter to end: "));
	prompt_action_needed(text);
	is_statement(-1);
	prompt_check_paused(text);
	is_statement(-1);
	for (int left = -1; left < 11; left++) {
		prompt_recovery_left(text, left);
		is_statement(-1);
	}
	prompt_recovery_left(text, INT_MAX);
	is_statement(-1);
}

/* --- prompts consist of texts of the table ------------------------------------------------- */

static char patterns[TEXTS_MAX][WIRE_PROMPT_MAX + 1];
static bool used[TEXTS_MAX];

/* A text as a pattern of fnmatch(3). */
static void
make_pattern(char *pattern, const char *s)
{
	for (; *s; s++)
		if (*s == '{') {
			*pattern++ = '*';
			s += strcspn(s, "}");
		} else {
			*pattern++ = *s;
		}
	*pattern = '\0';
}

static void
note_line(const char *line)
{
	bool found = false;

	for (size_t i = 0; i < prompt_texts_n; i++)
		if (!is_time(&prompt_texts[i]) && !fnmatch(patterns[i], line, 0))
			found = used[i] = true;
	if (!found)
		fail_msg("this line is not in the table: %s", line);
}

static void
note_lines(void)
{
	char *next = text;

	while (next && *next)
		note_line(strsep(&next, "\n"));
}

static void
note_all_prompts(int note, const struct prompt_facts *f)
{
	char last[sizeof(text)];

	prompt_code(text, (enum note)note, f);
	note_lines();
	prompt_ask_first(text, (enum note)note, f);
	note_lines();
	prompt_menu(text, NOTE_NO_CHOICE, f, note % 2);
	note_lines();
	prompt_note(last, (enum note)note, f);
	prompt_last(text, last);
	if (*last)
		note_lines();
}

/* 11 divides no number of values: the sample has each value of each fact. */
static void
every_line_is_a_text_of_the_table_and_every_text_is_used(void **state)
{
	(void)state;
	assert_in_range(prompt_texts_n, 1, TEXTS_MAX);
	for (size_t i = 0; i < prompt_texts_n; i++)
		make_pattern(patterns[i], prompt_texts[i].text);
	for (unsigned i = 0; i < ROUNDS; i += 11)
		for (int note = 0; note < PROMPT_NOTES; note++) {
			struct prompt_facts f = facts_of(i);

			note_all_prompts(note, &f);
		}
	for (int left = 0; left < 3; left++) {
		prompt_recovery_left(text, left);
		note_lines();
	}
	prompt_action_needed(text);
	note_lines();
	prompt_check_paused(text);
	note_lines();
	for (size_t i = 0; i < prompt_texts_n; i++)
		ROW(used[i] || is_time(&prompt_texts[i]), prompt_texts[i].text);
}

/* --- what they say ------------------------------------------------------------------------- */

static const struct {
	enum note note;
	const char *text;
} notes[] = {
    {NOTE_NOTHING, ""},
    {NOTE_SENT, "A verification code was sent by SMS to +91 ******** 19. It ends in 5 minutes."},
    {NOTE_MAYBE_SENT,
	"A verification code may be on its way by SMS to +91 ******** 19. It ends in 5 minutes."},
    {NOTE_WRONG, "Wrong code, 2 tries left."},
    {NOTE_MALFORMED, "A verification code has 6 digits, 2 tries left."},
    {NOTE_WRONG_RECOVERY, "Wrong recovery code, 2 tries left."},
    {NOTE_MALFORMED_RECOVERY, "A recovery code is rc- and 16 letters or digits, 2 tries left."},
    {NOTE_UNCHECKED, "The code could not be checked: its service cannot be reached. 2 tries left."},
    {NOTE_WAIT, "A new code can be sent in 21 seconds."},
    {NOTE_LIMIT, "Too many verification codes were sent. Try again in 21 seconds."},
    {NOTE_LOCKED, "Too many wrong codes. Try again in 21 seconds."},
    {NOTE_NOT_SENT, "A new code could not be sent."},
    {NOTE_UNAVAILABLE,
	"The verification code could not be sent: its delivery service cannot be reached."},
    {NOTE_USED, "Another connection used that code. Type r to have a new one sent."},
    {NOTE_USED_RECOVERY, "That recovery code was used before. Type another one."},
    {NOTE_ENDED, "That code has ended. Type r to have a new one sent."},
    {NOTE_NO_CODE, "No verification code has been sent yet."},
    {NOTE_NO_CHOICE, "Please type one of the numbers."},
};

static void
notes_read_well(void **state)
{
	char prompt[2 * WIRE_PROMPT_MAX];
	struct prompt_facts f = some_facts();

	(void)state;
	assert_int_equal(COUNT(notes), PROMPT_NOTES);
	for (size_t i = 0; i < COUNT(notes); i++) {
		prompt_note(text, notes[i].note, &f);
		assert_string_equal(text, notes[i].text);
		(void)snprintf(prompt, sizeof(prompt),
		    "%s%sVerification code (r = resend): ", notes[i].text,
		    *notes[i].text ? "\n" : "");
		prompt_code(text, notes[i].note, &f);
		assert_string_equal(text, prompt);
	}
}

static void
facts_are_put_into_words(void **state)
{
	struct prompt_facts f = some_facts();

	(void)state;
	f.tries = 1;
	prompt_note(text, NOTE_WRONG, &f);
	assert_string_equal(text, "Wrong code, 1 try left.");
	f.least = 4;
	prompt_note(text, NOTE_MALFORMED, &f);
	assert_string_equal(text, "A verification code has 4 to 6 digits, 1 try left.");
	f.instead = INSTEAD_PROVIDER;
	prompt_note(text, NOTE_SENT, &f);
	assert_non_null(
	    strstr(text, "ends in 5 minutes. It was sent by another service than usual."));
	f.instead = INSTEAD_CHANNEL;
	prompt_note(text, NOTE_SENT, &f);
	assert_string_equal(text,
	    "The code could not be sent by phone call.\n"
	    "A verification code was sent by SMS to +91 ******** 19. It ends in 5 minutes.");
	f.wait_ms = 0;
	prompt_note(text, NOTE_LIMIT, &f);
	assert_string_equal(text, "Too many verification codes were sent. Try again later.");
	f.wait_ms = STORE_FOREVER;
	prompt_note(text, NOTE_LOCKED, &f);
	assert_string_equal(text, "Too many wrong codes. Only your administrator can unlock this.");
	prompt_recovery_left(text, 9);
	assert_string_equal(
	    text, "That recovery code is used up now. You have 9 recovery codes left.");
	prompt_recovery_left(text, 1);
	assert_string_equal(
	    text, "That recovery code is used up now. You have 1 recovery code left.");
	prompt_recovery_left(text, 0);
	assert_non_null(strstr(text, "your last recovery code"));
}

/* After the time that a prompt shows, it is not too early. */
static void
times_are_rounded_up(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {{1, "1 second."}, {1000, "1 second."}, {1001, "2 seconds."},
	    {89000, "89 seconds."}, {89001, "2 minutes."}, {120000, "2 minutes."},
	    {120001, "3 minutes."}, {3600000, "60 minutes."}, {7140000, "119 minutes."},
	    {7199001, "2 hours."}, {7200001, "3 hours."}, {86400000, "24 hours."}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct prompt_facts f = some_facts();

		f.wait_ms = rows[i].ms;
		prompt_note(text, NOTE_WAIT, &f);
		ROW(!strcmp(text + strlen("A new code can be sent in "), rows[i].text),
		    rows[i].text);
	}
}

static void
first_questions_read_well(void **state)
{
	struct prompt_facts f = some_facts();

	(void)state;
	prompt_ask_first(text, NOTE_NOTHING, &f);
	assert_string_equal(
	    text, "Press Enter to have a verification code sent by SMS to +91 ******** 19: ");
	f.has_recovery = true;
	prompt_ask_first(text, NOTE_NO_CODE, &f);
	assert_string_equal(text,
	    "No verification code has been sent yet.\n"
	    "Press Enter to have a verification code sent by SMS to +91 ******** 19 "
	    "(or type a recovery code): ");
	f.nmenu = 2;
	prompt_menu(text, NOTE_NOTHING, &f, false);
	assert_string_equal(text, "How should a verification code be sent?\n"
				  "  1  by SMS to +91 ******** 19\n"
				  "  2  by e-mail to a***@e***.com\n"
				  "Number (Enter = 1), or a recovery code: ");
	f.has_recovery = false;
	prompt_menu(text, NOTE_NO_CHOICE, &f, true);
	assert_string_equal(text, "Please type one of the numbers.\n"
				  "How should a verification code be sent?\n"
				  "  1  by SMS to +91 ******** 19\n"
				  "  2  by e-mail to a***@e***.com\n"
				  "Number (Enter = back): ");
}

static void
prompts_for_a_code_say_what_can_be_typed(void **state)
{
	struct prompt_facts f = some_facts();

	(void)state;
	f.nmenu = 2;
	prompt_code(text, NOTE_NOTHING, &f);
	assert_string_equal(text, "Verification code (r = resend, o = other way): ");
	f.has_code = false;
	prompt_code(text, NOTE_UNAVAILABLE, &f);
	assert_string_equal(text,
	    "The verification code could not be sent: its delivery service cannot be reached.\n"
	    "Recovery code (r = send a code): ");
	f.may_resend = false;
	prompt_code(text, NOTE_LOCKED, &f);
	assert_string_equal(
	    text, "Too many wrong codes. Try again in 21 seconds.\nRecovery code: ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_text_states_its_longest_result),
	    cmocka_unit_test(every_text_is_whole),
	    cmocka_unit_test(every_case_has_one_text),
	    cmocka_unit_test(every_prompt_fits_whatever_is_in_it),
	    cmocka_unit_test(every_menu_fits_whatever_is_in_it),
	    cmocka_unit_test(last_words_are_one_more_question),
	    cmocka_unit_test(every_line_is_a_text_of_the_table_and_every_text_is_used),
	    cmocka_unit_test(notes_read_well),
	    cmocka_unit_test(facts_are_put_into_words),
	    cmocka_unit_test(times_are_rounded_up),
	    cmocka_unit_test(first_questions_read_well),
	    cmocka_unit_test(prompts_for_a_code_say_what_can_be_typed),
	};

	return cmocka_run_group_tests_name("prompts", tests, NULL, NULL);
}
