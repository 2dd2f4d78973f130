/*
 * What a person reads (U13, U14, U22, U34, U39, Q9, Q18, Q20, Q34): all of it fits a prompt, is
 * ASCII, names what it asks for, and is complete.
 */
#include "tests/unit/unit.h"

#include "helpers/login/prompts.h"
#include "helpers/store/store.h"

enum { NOTES = NOTE_NO_CHOICE + 1 };

static char text[WIRE_PROMPT_MAX + 1];

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

/* The facts of round i: every combination of what makes a difference, with long and odd values. */
static struct prompt_facts
facts_of(unsigned i)
{
	static const int64_t times[] = {
	    INT64_MIN, -1, 0, 1, 59000, 300000, 86400000, INT64_MAX / 2 + 1, STORE_FOREVER};
	static const char long_name[64] =
	    "MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM";
	static const char *const channels[] = {"sms", "voice", "email", "pager", long_name};
	struct prompt_facts f = some_facts();

	f.wait_ms = f.left_ms = times[i % COUNT(times)], i /= COUNT(times);
	f.destination.channel = f.first = channels[i % COUNT(channels)], i /= COUNT(channels);
	f.destination.masked = i % 2 ? long_name : f.destination.masked, i /= 2;
	f.instead = (enum instead)(i % 3), i /= 3;
	f.least = i % 2 ? 4 : 10, f.most = 10, i /= 2;
	f.has_code = i % 2, i /= 2;
	f.has_recovery = i % 2, i /= 2;
	f.may_resend = i % 2, i /= 2;
	f.nmenu = i % 2 ? PROMPT_DESTINATIONS_MAX : 1;
	for (int k = 0; k < f.nmenu; k++)
		f.menu[k] = f.destination;
	return f;
}

enum { ROUNDS = 9 * 5 * 2 * 3 * 2 * 2 * 2 * 2 * 2 };

/* A sample of them under valgrind. */
static unsigned
step(void)
{
	return rounds(10) == 10 ? 1 : 11;
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

/* One that waits for an answer: it ends as a question, and a host replaces no such text (Q20). */
static void
is_question(int note)
{
	is_fit(note);
	if (strcmp(text + strlen(text) - 2, ": ") != 0 || strstr(text, "\n\n") || *text == '\n' ||
	    strstr(text, "Password:"))
		fail_msg("note %d: %s", note, text);
}

static void
every_prompt_fits_whatever_is_in_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUNDS; i += step())
		for (int note = 0; note < NOTES; note++) {
			struct prompt_facts f = facts_of(i);

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
			is_fit(note);
			assert_int_equal(!*text, note == NOTE_NOTHING);
		}
}

/* The notes that a menu can follow. The others are told at the prompt for the code. */
static void
every_menu_fits_whatever_is_in_it(void **state)
{
	static const enum note notes[] = {NOTE_NOTHING, NOTE_NO_CODE, NOTE_NO_CHOICE};

	(void)state;
	for (unsigned i = 0; i < 2 * ROUNDS; i += step())
		for (size_t n = 0; n < COUNT(notes); n++) {
			struct prompt_facts f = facts_of(i / 2);

			prompt_menu(text, notes[n], &f, i % 2);
			is_question((int)notes[n]);
			assert_true(has_word("verification code"));
			assert_int_equal(has_word("recovery code: "), f.has_recovery);
			assert_int_equal(has_word("Enter = back"), i % 2);
			assert_int_equal(has_word("Enter = 1"), !(i % 2));
			assert_true(f.nmenu < PROMPT_DESTINATIONS_MAX || has_word("\n  5  "));
		}
}

static void
last_words_are_one_more_question(void **state)
{
	char last[WIRE_PROMPT_MAX + 1];

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i += step())
		for (int note = NOTE_SENT; note < NOTES; note++) {
			struct prompt_facts f = facts_of(i);

			prompt_note(last, (enum note)note, &f);
			prompt_last(text, last);
			is_question(note);
			assert_non_null(strstr(text, "\nPress Enter to end: "));
		}
	memset(last, 'x', WIRE_PROMPT_MAX);
	last[WIRE_PROMPT_MAX] = '\0';
	prompt_last(text, last);
	is_question(-1);
	assert_non_null(strstr(text, "x\nPress Enter to end: "));
	prompt_action_needed(text);
	is_fit(-1);
	prompt_check_paused(text);
	is_fit(-1);
	for (int left = -1; left < 11; left++) {
		prompt_recovery_left(text, left);
		is_fit(-1);
	}
}

static const struct {
	enum note note;
	const char *text;
} notes[] = {
    {NOTE_NOTHING, ""},
    {NOTE_SENT, "A verification code was sent by SMS to +91 ******** 19. It ends in 5 minutes."},
    {NOTE_MAYBE_SENT,
	"A verification code may be on its way by SMS to +91 ******** 19. It ends in 5 minutes."},
    {NOTE_WRONG, "Wrong code, 2 tries left."},
    {NOTE_MALFORMED, "A code has 6 digits, 2 tries left."},
    {NOTE_WRONG_RECOVERY, "Wrong recovery code, 2 tries left."},
    {NOTE_UNCHECKED, "The code could not be checked: its service cannot be reached. 2 tries left."},
    {NOTE_WAIT, "A new code can be sent in 21 seconds."},
    {NOTE_LIMIT, "Too many verification codes were sent. Try again in 21 seconds."},
    {NOTE_LOCKED, "Too many wrong codes. Try again in 21 seconds."},
    {NOTE_LOCKED_RECOVERY, "Too many wrong recovery codes. Try again in 21 seconds."},
    {NOTE_NOT_SENT, "A new code could not be sent."},
    {NOTE_UNAVAILABLE,
	"The verification code could not be sent: its delivery service cannot be reached."},
    {NOTE_USED, "That code was used already. Type r to have a new one sent."},
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
	assert_int_equal(COUNT(notes), NOTES);
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
	assert_string_equal(text, "A code has 4 to 6 digits, 1 try left.");
	f.instead = INSTEAD_PROVIDER;
	prompt_note(text, NOTE_SENT, &f);
	assert_non_null(
	    strstr(text, "ends in 5 minutes. It was sent by another service than usual."));
	f.instead = INSTEAD_CHANNEL;
	prompt_note(text, NOTE_SENT, &f);
	assert_int_equal(
	    strncmp(text, "It could not be sent by phone call. A verification code", 55), 0);
	f.wait_ms = 0;
	prompt_note(text, NOTE_LIMIT, &f);
	assert_string_equal(text, "Too many verification codes were sent. Try again later.");
	f.wait_ms = STORE_FOREVER;
	prompt_note(text, NOTE_LOCKED, &f);
	assert_string_equal(text, "Too many wrong codes. Only your administrator can unlock this.");
	prompt_note(text, NOTE_LOCKED_RECOVERY, &f);
	assert_null(strstr(text, "hours"));
	assert_non_null(strstr(text, "Too many wrong recovery codes. Only your administrator"));
	prompt_recovery_left(text, 9);
	assert_string_equal(text, "That recovery code is used up now. 9 left.");
	prompt_recovery_left(text, 0);
	assert_non_null(strstr(text, "your last recovery code"));
}

/* Rounded up: nobody is told a time at which it is too early. */
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
	assert_string_equal(text, "Have a verification code sent\n"
				  "  1  by SMS to +91 ******** 19\n"
				  "  2  by e-mail to a***@e***.com\n"
				  "Number (Enter = 1), or a recovery code: ");
	f.has_recovery = false;
	prompt_menu(text, NOTE_NO_CHOICE, &f, true);
	assert_string_equal(text, "Please type one of the numbers.\n"
				  "Have a verification code sent\n"
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
	    cmocka_unit_test(every_prompt_fits_whatever_is_in_it),
	    cmocka_unit_test(every_menu_fits_whatever_is_in_it),
	    cmocka_unit_test(last_words_are_one_more_question),
	    cmocka_unit_test(notes_read_well),
	    cmocka_unit_test(facts_are_put_into_words),
	    cmocka_unit_test(times_are_rounded_up),
	    cmocka_unit_test(first_questions_read_well),
	    cmocka_unit_test(prompts_for_a_code_say_what_can_be_typed),
	};

	return cmocka_run_group_tests_name("prompts", tests, NULL, NULL);
}
