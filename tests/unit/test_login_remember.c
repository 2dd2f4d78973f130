/*
 * Several connections at once: one code lets one of them in, and the others at their next answer,
 * if that sign-in is remembered.
 */
#include "tests/unit/login_rig.h"

#include "common/err.h"

#define KEY	"publickey ssh-ed25519 AAAA"
#define USED	"Another connection used that code. Type r to have a new one sent.\n"
#define BY_THAT "remembered: a concurrent sign-in gave a code"

static struct {
	struct login_start start;
	int64_t after_ms; /* from its success to the answer of this sign-in */
	int64_t set_back_ms;
	bool joins; /* the code was sent already */
	bool by_recovery;
} other;

static int
setup(void **state)
{
	int r = rig_setup(state);

	rig_conf("channels = sms\nremember = 15m", "", "");
	rig.start.ssh_auth_info = KEY;
	memset(&other, 0, sizeof(other));
	other.start = rig.start;
	other.after_ms = 1000;
	other.joins = true;
	return r;
}

/* Another sign-in is let in while the prompt of this one is open. */
static void
other_is_let_in(void)
{
	const struct rig saved = rig;
	struct instant now;
	int sends;

	rig_later(1000);
	rig.start = other.start;
	if (other.by_recovery)
		RUN(SAY("", "@rc0"));
	else if (other.joins)
		RUN(SAY("sent by SMS", "@code"));
	else
		RUN(SAY("", ""), SAY("sent by SMS", "@code"));
	ENDS(LOGIN_OK, "");
	rig_later(other.after_ms);
	now = rig.now;
	now.wall_ms -= other.set_back_ms;
	sends = rig.sends;
	rig = saved;
	rig.now = now;
	rig.sends = sends;
}

#define MEANWHILE(p, a)                                                     \
	{                                                                   \
		.prompt = (p), .answer = (a), .meanwhile = other_is_let_in, \
	}

/* Whatever the user types there: Enter, the used code, something else. */
static void
the_next_answer_lets_the_others_in(void **state)
{
	static const char *const answers[] = {"", "@code", "@wrong", "r", "what?", "rc-1"};

	for (size_t i = 0; i < COUNT(answers); i++) {
		rig_teardown(state);
		setup(state);
		assert_int_equal(RUN(SAY(ENTER, ""), MEANWHILE(SENT PROMPT, answers[i])), LOGIN_OK);
		ENDS(LOGIN_OK, BY_THAT);
		assert_int_equal(rig.sends, 1);
		assert_int_equal(rig.result.wrong, 0);
		/* It is the other's sign-in that is remembered, from its time on. */
		assert_int_equal(rig_number("SELECT count(*) FROM remembered"), 1);
		assert_int_equal(
		    rig_number("SELECT made_ms FROM remembered"), rig.now.wall_ms - 1000);
		assert_int_equal(rig_number("SELECT count(*) FROM budget"), 0);
	}
}

/* Also at the first question and at the menu, and then no second message is sent. */
static void
before_a_code_is_sent_it_lets_them_in_too(void **state)
{
	(void)state;
	other.joins = false;
	assert_int_equal(RUN(MEANWHILE(ENTER, "")), LOGIN_OK);
	ENDS(LOGIN_OK, BY_THAT);
	assert_int_equal(rig.sends, 1);
	rig_teardown(state);
	setup(state);
	other.by_recovery = true;
	rig_issue("asha", RIG_CODES);
	rig_contact("asha", CONTACT_EMAIL, "asha@example.org");
	rig_conf("remember = 15m", "", "");
	assert_int_equal(RUN(MEANWHILE("Number", "2")), LOGIN_OK);
	ENDS(LOGIN_OK, BY_THAT);
	assert_int_equal(rig.sends, 0);
}

/* A user without a contact signs in by a recovery code, at one of the connections. */
static void
it_lets_a_user_without_a_contact_in_too(void **state)
{
	(void)state;
	other.by_recovery = true;
	rig_issue("chandra", 1);
	rig.start.user = other.start.user = "chandra";
	assert_int_equal(RUN(MEANWHILE(ENTER, "")), LOGIN_OK);
	ENDS(LOGIN_OK, BY_THAT);
}

static void
stays_at_the_prompt(const char *then)
{
	assert_int_equal(RUN(SAY(ENTER, ""), MEANWHILE(SENT, "@code"), SAY(then, ""),
			     KIND(ANSWER_CANCELLED, PROMPT)),
	    LOGIN_GONE);
}

/* Without `remember`, without a key, and through a program that runs as a user. */
static void
where_nothing_is_remembered_the_prompt_says_why(void **state)
{
	(void)state;
	rig_conf("channels = sms", "", "");
	stays_at_the_prompt(USED);
	rig_teardown(state);
	setup(state);
	rig.start.ssh_auth_info = other.start.ssh_auth_info = "";
	stays_at_the_prompt(USED);
	rig_teardown(state);
	setup(state);
	rig.start.peer = other.start.peer = 1001;
	other.joins = false;
	assert_int_equal(
	    RUN(SAY(ENTER, ""), MEANWHILE(SENT, ""), KIND(ANSWER_CANCELLED, PROMPT)), LOGIN_GONE);
}

/* Another key, address, service or user is another source. */
static void
another_source_lets_nobody_in(void **state)
{
	for (int i = 0; i < 4; i++) {
		print_message("row %d\n", i);
		rig_teardown(state);
		setup(state);
		rig_contact("bina", CONTACT_PHONE, "+919876543299");
		other.joins = false;
		if (i == 0)
			other.start.ssh_auth_info = "publickey ssh-ed25519 BBBB";
		else if (i == 1)
			other.start.rhost = "192.0.2.8";
		else if (i == 2)
			other.start.service = "other";
		else
			other.start.user = "bina";
		assert_int_equal(
		    RUN(SAY(ENTER, ""), MEANWHILE(SENT, ""), KIND(ANSWER_CANCELLED, PROMPT)),
		    LOGIN_GONE);
	}
}

/* It is remembered for a while and no longer, also if somebody sets the clock back. */
static void
the_time_of_remembering_holds(void **state)
{
	static const struct {
		int64_t after_ms, set_back_ms;
		bool in;
	} rows[] = {
	    {59999, 0, true},
	    {60000, 0, false},
	    {59999, 30000, true},
	    {60000, 30000, false},
	    {1000, 30000, false}, /* its time is in the future */
	    {1000, -59000, false},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		rig_teardown(state);
		setup(state);
		print_message("row %zu\n", i);
		rig_conf("channels = sms\nremember = 1m", "", "");
		other.after_ms = rows[i].after_ms, other.set_back_ms = rows[i].set_back_ms;
		if (rows[i].in) {
			assert_int_equal(RUN(SAY(ENTER, ""), MEANWHILE(SENT, "")), LOGIN_OK);
			ENDS(LOGIN_OK, BY_THAT);
		} else {
			stays_at_the_prompt("");
		}
	}
}

/* What was remembered before this sign-in began is no proof for it. */
static void
an_older_sign_in_lets_nobody_in(void **state)
{
	struct login_start start = rig.start;

	(void)state;
	assert_int_equal(RUN(SAY(ENTER, ""), SAY(SENT, "@code")), LOGIN_OK);
	rig_later(1000);
	/* sshd has proved nothing at the beginning, so the remembered one does not apply. */
	rig.start.first_factor = false;
	assert_int_equal(RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, SENT)), LOGIN_GONE);
	/* The option was set after this sign-in had begun: the row is older. */
	rig.start = start;
	rig_later(20 * 60000);
	assert_int_equal(
	    RUN(SAY(ENTER, ""), SAY(SENT, ""), KIND(ANSWER_CANCELLED, PROMPT)), LOGIN_GONE);
}

/* Without a first factor the code would be the only one, so it is asked for. */
static void
without_a_first_factor_nobody_is_let_in(void **state)
{
	(void)state;
	rig.start.first_factor = other.start.first_factor = false;
	stays_at_the_prompt(USED);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, rig_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(the_next_answer_lets_the_others_in),
	    TEST(before_a_code_is_sent_it_lets_them_in_too),
	    TEST(it_lets_a_user_without_a_contact_in_too),
	    TEST(where_nothing_is_remembered_the_prompt_says_why),
	    TEST(another_source_lets_nobody_in),
	    TEST(the_time_of_remembering_holds),
	    TEST(an_older_sign_in_lets_nobody_in),
	    TEST(without_a_first_factor_nobody_is_let_in),
	};

	return cmocka_run_group_tests_name("login_remember", tests, NULL, NULL);
}
