/*
 * Several destinations: the menu, choosing another destination, and sending again (U21, U22,
 * Q5, Q10, Q24, Q28).
 */
#include "tests/unit/login_rig.h"

#include "common/err.h"

#define DESTINATIONS                                \
	"How should a verification code be sent?\n" \
	"  1  by SMS to +91 ******** 19\n"          \
	"  2  by e-mail to a***@e***.com\n"
#define MENU	  DESTINATIONS "Number (Enter = 1): "
#define BACK	  DESTINATIONS "Number (Enter = back): "
#define MAILED	  "A verification code was sent by e-mail to a***@e***.com. It ends in 5 minutes.\n"
#define NO_CHOICE "Please type one of the numbers.\n"
#define NO_CODE	  "No verification code has been sent yet.\n"
#define W_LEFT2	  "Wrong code, 2 tries left.\n"
#define W_LEFT1	  "Wrong code, 1 try left.\n"
#define WAIT(s)	  "A new code can be sent in " s ".\n"

static const char home[] = "net 192.0.2.7 ";

/* asha has a phone and a mailbox. */
static int
setup(void **state)
{
	int r = rig_setup(state);

	rig_contact("asha", CONTACT_EMAIL, "asha@example.com");
	return r;
}

static const struct transcript {
	const char *name, *otp, *service;
	struct line line[10];
	enum login_word word;
	int wrong;
	const char *sent; /* the channels of all sends, in their order: "sms email" */
} transcripts[] = {
    {"Enter is the first", "", "sshd", {SAY(MENU, ""), SAY(SENT CHOICE, "@code")}, LOGIN_OK, 0,
	"sms"},
    {"1", "", "sshd", {SAY(MENU, "1"), SAY(SENT CHOICE, "@code")}, LOGIN_OK, 0, "sms"},
    {"2", "", "sshd", {SAY(MENU, "2"), SAY(MAILED CHOICE, "@code")}, LOGIN_OK, 0, "email"},
    {"2, with blanks", "", "sshd", {SAY(MENU, "\t2 "), SAY(MAILED CHOICE, "@code")}, LOGIN_OK, 0,
	"email"},
    {"2, full-width", "", "sshd", {SAY(MENU, "\uff12"), SAY(MAILED CHOICE, "@wide")}, LOGIN_OK, 0,
	"email"},
    {"2, of another script", "", "sshd", {SAY(MENU, "\u0968"), SAY(MAILED CHOICE, "@code")},
	LOGIN_OK, 0, "email"},
    {"in the order of the channels", "channels = email, sms", "sshd",
	{SAY("  1  by e-mail to a***@e***.com\n  2  by SMS to +91 ******** 19\nNumber", ""),
	    SAY(MAILED, "@code")},
	LOGIN_OK, 0, "email"},
    {"a channel that is not offered", "channels = email", "sshd",
	{SAY(ENTER " by e-mail to a***@e***.com: ", ""), SAY(MAILED PROMPT, "@code")}, LOGIN_OK, 0,
	"email"},
    {"one phone, two channels", "channels = voice, sms", "sshd",
	{SAY("  1  by phone call to +91 ******** 19\n  2  by SMS to +91 ******** 19\n", "1"),
	    SAY("was sent by phone call to +91 ******** 19. It", "o"), SAY("(Enter = back): ", "2"),
	    SAY(SENT, "@code")},
	LOGIN_OK, 0, "voice sms"},
    {"no menu where the host shows all at once", "", "sudo", {SAY(SENT CHOICE, "@code")}, LOGIN_OK,
	0, "sms"},
    {"but after o", "", "sudo",
	{SAY(SENT CHOICE, "o"), SAY(BACK, "2"), SAY(MAILED CHOICE, "@code")}, LOGIN_OK, 0,
	"sms email"},
    {"a number of another script, pasted", "", "sshd",
	{SAY(MENU, "\x1b[200~\u0968\r\x1b[201~"), SAY(MAILED CHOICE, "@code")}, LOGIN_OK, 0,
	"email"},
    {"blanks are Enter", "", "sshd", {SAY(MENU, "\u3000"), SAY(SENT CHOICE, "@code")}, LOGIN_OK, 0,
	"sms"},
    {"junk is refused, and not counted", "", "sshd",
	{SAY(MENU, "0"), SAY(NO_CHOICE MENU, "3"), SAY(NO_CHOICE MENU, "12"),
	    SAY(NO_CHOICE MENU, "yes"), SAY(NO_CHOICE MENU, "r"), SAY(NO_CHOICE MENU, "o"),
	    SAY(NO_CHOICE MENU, "\xff\xfe"), SAY(NO_CHOICE MENU, "2"), SAY(MAILED CHOICE, "@code")},
	LOGIN_OK, 0, "email"},
    {"a code before there is one", "", "sshd",
	{SAY(MENU, "123456"), SAY(NO_CODE MENU, "x"), SAY(NO_CHOICE MENU, "123 456"),
	    SAY(NO_CODE MENU, ""), SAY(SENT, "@wrong"), SAY(W_LEFT2, "@wrong"),
	    SAY(W_LEFT1, "@code")},
	LOGIN_OK, 2, "sms"},
    {"a code before there is one, one destination", "channels = sms", "sshd",
	{SAY(ENTER, "123456"), SAY(NO_CODE ENTER, "123456"), SAY(NO_CODE ENTER, "x"),
	    SAY(ENTER, ""), SAY(SENT PROMPT, "@code")},
	LOGIN_OK, 0, "sms"},
    {"the other destination", "", "sshd",
	{SAY(MENU, ""), SAY(SENT CHOICE, "o"), SAY(BACK, "2"), SAY(MAILED CHOICE, "@code")},
	LOGIN_OK, 0, "sms email"},
    {"the other destination, and the old code is dead", "", "sshd",
	{SAY(MENU, ""), SAY(SENT, "O"), SAY(BACK, "2"), SAY(MAILED, "@old"),
	    SAY(W_LEFT2 CHOICE, "@code")},
	LOGIN_OK, 1, "sms email"},
    {"back again", "", "sshd",
	{SAY(MENU, ""), SAY(SENT, "@wrong"), SAY(W_LEFT2, "o"), SAY(BACK, ""), SAY(CHOICE, "o"),
	    SAY(BACK, ""), SAY(CHOICE, "@code")},
	LOGIN_OK, 1, "sms"},
    {"junk at the second menu", "", "sshd",
	{SAY(MENU, ""), SAY(SENT, "o"), SAY(BACK, "3"), SAY(NO_CHOICE BACK, "no"),
	    SAY(NO_CHOICE BACK, "\t"), SAY(CHOICE, "@code")},
	LOGIN_OK, 0, "sms"},
    {"the code at the second menu", "", "sshd",
	{SAY(MENU, ""), SAY(SENT, "o"), SAY(BACK, "@spaced")}, LOGIN_OK, 0, "sms"},
    {"a wrong code at the second menu", "", "sshd",
	{SAY(MENU, ""), SAY(SENT, "o"), SAY(BACK, "@wrong"), SAY(W_LEFT2 CHOICE, "o"),
	    SAY(BACK, "@wrong"), SAY(W_LEFT1 CHOICE, "o"), SAY(BACK, "@wrong")},
	LOGIN_DENIED, 3, "sms"},
    {"o has no meaning with one destination", "channels = sms", "sshd",
	{SAY(ENTER, ""), SAY(SENT PROMPT, "o"),
	    SAY("A verification code has 6 digits, 2 tries left.", "@code")},
	LOGIN_OK, 1, "sms"},
    {"blind at the menu", "", "sshd", {KIND(ANSWER_BLIND, MENU)}, LOGIN_GONE, 0, ""},
    {"blind after junk", "", "sshd", {SAY(MENU, "x"), KIND(ANSWER_BLIND, MENU)}, LOGIN_GONE, 0, ""},
    {"blind at the second menu", "", "sshd",
	{SAY(MENU, ""), SAY(SENT, "o"), KIND(ANSWER_BLIND, BACK)}, LOGIN_GONE, 0, "sms"},
    {"gone at the menu", "", "sshd", {FAIL(-OTP_EGONE, MENU)}, LOGIN_GONE, 0, ""},
    {"no answer at the menu", "", "sshd", {FAIL(-OTP_ETIME, MENU)}, LOGIN_DENIED, 0, ""},
    {"no conversation at the menu", "", "sshd", {KIND(ANSWER_CONV, MENU)}, LOGIN_GONE, 0, ""},
};

/* The channels of rig.sent_destinations. */
static void
channels_sent(char *text, size_t size)
{
	size_t n = 0;

	*text = '\0';
	for (const char *p = rig.sent_destinations; *p; p = strstr(p, "; ") + 2)
		n += (size_t)snprintf(
		    text + n, size - n, "%s%.*s", n ? " " : "", (int)strcspn(p, " "), p);
}

static void
transcripts_end_as_they_should(void **state)
{
	for (size_t i = 0; i < COUNT(transcripts); i++) {
		const struct transcript *t = &transcripts[i];
		char sent[128];
		size_t n = 0;

		print_message("%s\n", t->name);
		setup(state);
		rig_conf(t->otp, "", "");
		rig_start(t->service, "asha");
		while (n < COUNT(t->line) && t->line[n].prompt)
			n++;
		rig_run_lines(t->line, n);
		ENDS(t->word, "");
		ROW(rig.result.wrong == t->wrong, t->name);
		channels_sent(sent, sizeof(sent));
		ROW(!strcmp(sent, t->sent), t->name);
		ROW(!*sent || !strcmp(rig.result.channel, rig.sent_channel), t->name);
		rig_teardown(state);
	}
}

static void
a_menu_has_five_destinations_at_most(void **state)
{
	char address[64];

	(void)state;
	for (int i = 0; i < 4; i++) {
		(void)snprintf(address, sizeof(address), "+97798000000%02d", i);
		rig_contact("asha", CONTACT_PHONE, address);
		(void)snprintf(address, sizeof(address), "%c@example.org", 'p' + i);
		rig_contact("asha", CONTACT_EMAIL, address);
	}
	rig_conf("channels = email, sms", "", "");
	assert_int_equal(RUN(SAY("  5  by e-mail to s***@e***.org\nNumber", "6"),
			     SAY(NO_CHOICE, "5"), SAY("by e-mail to s***@e***.org", "@code")),
	    LOGIN_OK);
	assert_string_equal(rig.sent_to, "s@example.org");
}

/* A user who leaves before asking for a code costs nothing, and nothing is stored (C30, U32). */
static void
leaving_early_costs_nothing(void **state)
{
	static const struct line ends[] = {{.answer = "", .kind = ANSWER_CANCELLED},
	    {.answer = "", .kind = ANSWER_CONV}, {.answer = "", .kind = ANSWER_BLIND},
	    {.answer = "", .error = -OTP_EGONE}, {.answer = "", .error = -OTP_ETIME},
	    {.answer = "", .error = -OTP_EPROTO}};
	static const char *const names[] = {"asha", "bina", "chandra", "ghost"};
	char rows[4096];

	(void)state;
	(void)snprintf(rows, sizeof(rows), "%s", rig_rows());
	for (size_t i = 0; i < COUNT(names) * COUNT(ends); i++) {
		struct line line[4] = {SAY("erification code", "x"), SAY("", "000000"),
		    SAY("", "?"), ends[i / COUNT(names)]};

		line[3].prompt = "";
		rig_start("sshd", names[i % COUNT(names)]);
		rig_run_lines(&line[3], 1);
		assert_int_not_equal(rig.result.word, LOGIN_OK);
		rig_run_lines(line, 4);
		assert_int_not_equal(rig.result.word, LOGIN_OK);
		assert_string_equal(rig_rows(), rows);
	}
	assert_int_equal(rig.sends, 0);
}

/* A host that answers by itself must end, whatever it answers (Q28). */
static void
endless_answers_end_the_sign_in(void **state)
{
	static const struct line junk[20] = {[0 ... 19] = SAY(DESTINATIONS, "junk")};
	static const struct line codes[20] = {[0 ... 19] = SAY(DESTINATIONS, "123456")};
	struct line others[20] = {SAY(MENU, ""), SAY(SENT, "o")};
	char rows[4096];

	(void)state;
	(void)snprintf(rows, sizeof(rows), "%s", rig_rows());
	assert_int_equal(rig_run_lines(junk, COUNT(junk)), LOGIN_DENIED);
	ENDS(LOGIN_DENIED, "too many answers");
	assert_int_equal(rig_run_lines(codes, COUNT(codes)), LOGIN_DENIED);
	ENDS(LOGIN_DENIED, "too many answers");
	assert_string_equal(rig_rows(), rows);
	for (size_t i = 2; i < COUNT(others); i++)
		others[i] = i % 2 ? (struct line)SAY(CHOICE, "o") : (struct line)SAY(BACK, "");
	assert_int_equal(rig_run_lines(others, COUNT(others)), LOGIN_DENIED);
	ENDS(LOGIN_DENIED, "too many answers");
	assert_int_equal(rig.sends, 1);
}

/* Each destination has a cool-down of its own. */
static void
each_destination_cools_down_by_itself(void **state)
{
	(void)state;
	assert_int_equal(
	    RUN(SAY(MENU, ""), LATER(10000, SENT, "r"), SAY(WAIT("20 seconds") CHOICE, "o"),
		SAY(BACK, "2"), SAY(MAILED, "r"), SAY(WAIT("30 seconds"), "o"), SAY(BACK, "1"),
		SAY(WAIT("20 seconds") CHOICE, "o"), SAY(BACK, "2"), SAY(WAIT("30 seconds"), "o"),
		LATER(20000, BACK, "1"), SAY(SENT CHOICE, "o"), SAY(BACK, "2"),
		SAY(WAIT("10 seconds"), "@code")),
	    LOGIN_OK);
	assert_int_equal(rig.sends, 3);
	assert_int_equal(rig.result.wrong, 0);
}

/* If the chosen destination cools down, nothing changes: the live code stays valid. */
static void
a_destination_that_cools_down_ends_no_code(void **state)
{
	(void)state;
	assert_int_equal(RUN(SAY(MENU, "2"), SAY(MAILED, "r"), SAY(WAIT("30 seconds"), "r"),
			     SAY(WAIT("30 seconds"), "@code")),
	    LOGIN_OK);
	assert_int_equal(rig.sends, 1);
	assert_string_equal(rig.result.channel, "email");
}

static void
a_joined_code_keeps_its_cool_down_and_destination(void **state)
{
	(void)state;
	assert_int_equal(RUN(SAY(MENU, "2"), KIND(ANSWER_CANCELLED, MAILED)), LOGIN_GONE);
	rig_later(10000);
	assert_int_equal(RUN(SAY("sent by e-mail to a***@e***.com. It ends in 5 minutes.\n", "r"),
			     SAY(WAIT("20 seconds"), "o"), SAY(BACK, "2"),
			     SAY(WAIT("20 seconds"), "o"), SAY(BACK, "1"), SAY(SENT, "@code")),
	    LOGIN_OK);
	assert_int_equal(rig.sends, 2);
}

/* U22: at each destination, a new code ends the old one. */
static void
a_new_code_kills_the_old_one(void **state)
{
	struct challenge c;

	(void)state;
	rig_conf("", "resend_wait = 0s", "");
	RUN(SAY(MENU, ""), SAY(SENT, "r"), SAY(SENT, "@old"), SAY(W_LEFT2, "o"), SAY(BACK, "2"),
	    SAY(MAILED, "@old"), KIND(ANSWER_CANCELLED, W_LEFT1));
	assert_int_equal(rig.sends, 3);
	assert_int_equal(rig_number("SELECT count(*) FROM challenge WHERE state = 'live'"), 1);
	assert_int_equal(
	    rig.real_store->ops->challenge_find(rig.real_store, &rig.now, "asha", "sshd", home, &c),
	    0);
	assert_string_equal(c.channel, "email");
	challenge_clear(&c);
}

/* The delivery learns of the send before, and whether it was answered, for the same destination. */
static void
only_the_same_destination_gets_the_last_send(void **state)
{
	(void)state;
	rig_conf("", "resend_wait = 0s", "");
	rig.sends_as[0] = CLASS_UNANSWERED, rig.nsends_as = 2;
	assert_int_equal(
	    RUN(SAY(MENU, ""), SAY("may be on its way by SMS", "r"), SAY(SENT, "@code")), LOGIN_OK);
	assert_string_equal(rig.before, "p - unanswered");
	rig.sends = 0;
	assert_int_equal(RUN(SAY(MENU, ""), SAY("may be on its way by SMS", "o"), SAY(BACK, "2"),
			     SAY(MAILED, "@code")),
	    LOGIN_OK);
	assert_string_equal(rig.before, "- -");
	rig.nsends_as = 0;
	assert_int_equal(RUN(SAY(MENU, ""), SAY(SENT, "r"), SAY(SENT, "@code")), LOGIN_OK);
	assert_string_equal(rig.before, "p -");
}

/* An editor's connections all show the menu. The first choice sends; the others join (U15). */
static void
concurrent_sends(void)
{
	struct rig saved = rig;

	assert_int_equal(RUN(SAY(MENU, "2"), KIND(ANSWER_CANCELLED, MAILED)), LOGIN_GONE);
	saved.sends = rig.sends;
	memcpy(saved.code, rig.code, sizeof(saved.code));
	rig = saved;
}

static void
a_code_of_a_concurrent_sign_in_is_joined_at_the_menu(void **state)
{
	static const char *const answers[] = {"", "1", "2"};

	for (size_t i = 0; i < COUNT(answers); i++) {
		rig_teardown(state);
		setup(state);
		assert_int_equal(
		    RUN({.prompt = MENU, .answer = answers[i], .meanwhile = concurrent_sends},
			SAY(MAILED CHOICE, "@code")),
		    LOGIN_OK);
		assert_int_equal(rig.sends, 1);
	}
	/* Or the user types the code at once: at the menu, and with one destination. */
	assert_int_equal(
	    RUN({.prompt = MENU, .answer = "@code", .meanwhile = concurrent_sends}), LOGIN_OK);
	assert_int_equal(RUN({.prompt = MENU, .answer = "@wrong", .meanwhile = concurrent_sends},
			     SAY(W_LEFT2 CHOICE, "@code")),
	    LOGIN_OK);
	assert_int_equal(rig.result.wrong, 1);
}

/* If a code's destination is gone by now, the code can still be typed, and a new one be sent. */
static void
a_joined_code_of_a_destination_that_is_gone(void **state)
{
	(void)state;
	assert_int_equal(RUN(SAY(MENU, "2"), KIND(ANSWER_CANCELLED, MAILED)), LOGIN_GONE);
	rig_conf("channels = sms", "", "");
	assert_int_equal(RUN(SAY(MAILED PROMPT, "r"), SAY(SENT PROMPT, "@code")), LOGIN_OK);
	assert_int_equal(rig.sends, 2);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, rig_teardown)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(transcripts_end_as_they_should),
	    TEST(a_menu_has_five_destinations_at_most),
	    TEST(leaving_early_costs_nothing),
	    TEST(endless_answers_end_the_sign_in),
	    TEST(each_destination_cools_down_by_itself),
	    TEST(a_destination_that_cools_down_ends_no_code),
	    TEST(a_joined_code_keeps_its_cool_down_and_destination),
	    TEST(a_new_code_kills_the_old_one),
	    TEST(only_the_same_destination_gets_the_last_send),
	    TEST(a_code_of_a_concurrent_sign_in_is_joined_at_the_menu),
	    TEST(a_joined_code_of_a_destination_that_is_gone),
	};

	return cmocka_run_group_tests_name("login_menu", tests, NULL, NULL);
}
