/*
 * If no provider of a channel accepts the message, the other channels are tried (U21, U1, U9). What
 * the user sees then, and which failures are never an outage (C4, U2).
 */
#include "tests/unit/login_rig.h"

#include "common/err.h"

#define MENU	"Number (Enter = 1): "
#define BACK	"Number (Enter = back): "
#define NOT_SMS "The code could not be sent by SMS.\n"
#define BY_MAIL "A verification code was sent by e-mail to a***@e***.com. It ends in 5 minutes.\n"
#define DOWN	"The verification code could not be sent: its delivery service cannot be reached."
#define NOT_NEW "A new code could not be sent.\n"
#define LIMIT	"Too many verification codes were sent. Try again in "
#define W_LEFT2 "Wrong code, 2 tries left.\n"
#define W_LEFT1 "Wrong code, 1 try left.\n"

/* asha has two phones and a mailbox. */
static int
setup(void **state)
{
	int r = rig_setup(state);

	rig_contact("asha", CONTACT_EMAIL, "asha@example.com");
	rig_contact("asha", CONTACT_PHONE, "+919876543288");
	return r;
}

static void
says(enum provider_class first, enum provider_class second)
{
	rig.sends_as[0] = first, rig.sends_as[1] = second, rig.nsends_as = 2;
	rig.email_sends_as = second;
	rig.sends = 0;
	*rig.sent_destinations = '\0';
}

static int64_t
reserved(void)
{
	return rig_number("SELECT count(DISTINCT reservation) FROM send_event");
}

/* Each channel is tried once, not each address: its provider is down for both phones alike. */
static void
the_next_channel_sends_the_same_code(void **state)
{
	char both[128];

	(void)state;
	says(CLASS_PROVIDER_DOWN, CLASS_OK);
	assert_int_equal(RUN(SAY(MENU, "1"), SAY(NOT_SMS BY_MAIL CHOICE, "@code")), LOGIN_OK);
	(void)snprintf(both, sizeof(both), "sms +919876543219 %s; email asha@example.com %s; ",
	    rig.code, rig.code);
	assert_string_equal(rig.sent_destinations, both);
	assert_string_equal(rig.result.channel, "email");
	assert_string_equal(rig.result.masked, "a***@e***.com");
	/* The same from the second phone. When the channel works again, no text mentions it. */
	says(CLASS_PROVIDER_DOWN, CLASS_OK);
	assert_int_equal(
	    RUN(SAY(MENU, "2"), LATER(30000, NOT_SMS BY_MAIL, "r"),
		SAY("A verification code was sent by e-mail to a***@e***.com. It", "@code")),
	    LOGIN_OK);
	assert_int_equal(strncmp(rig.sent_destinations, "sms +919876543288 ", 18), 0);
	assert_null(strstr(rig.transcript, "by another service"));
}

static void
a_channel_that_serves_the_same_phone_is_another_one(void **state)
{
	(void)state;
	rig_conf("channels = sms, voice", "", "");
	says(CLASS_PROVIDER_DOWN, CLASS_OK);
	assert_int_equal(
	    RUN(SAY(MENU, "2"),
		SAY(NOT_SMS "A verification code was sent by phone call to +91 ******** 19.",
		    "@code")),
	    LOGIN_OK);
	assert_int_equal(rig.sends, 2);
}

static void
without_fallback_the_chosen_channel_is_all(void **state)
{
	(void)state;
	rig_conf("fallback = no", "", "");
	says(CLASS_PROVIDER_DOWN, CLASS_OK);
	assert_int_equal(RUN(SAY(MENU, ""), LAST(DOWN)), LOGIN_UNAVAIL);
	assert_int_equal(rig.sends, 1);
	assert_int_equal(reserved(), 0);
}

static void
another_provider_of_the_channel_is_shown(void **state)
{
	(void)state;
	rig.instead = true;
	assert_int_equal(RUN(SAY(MENU, ""), LATER(30000, "by another service than usual.\n", "r"),
			     SAY("by another service than usual.\n" CHOICE, "@wrong"),
			     SAY(W_LEFT2 CHOICE, "@code")),
	    LOGIN_OK);
}

/* From an unknown source, an outage or a refused address or request leads to another channel. */
static void
other_failures_do_not_fall_back(void **state)
{
	static const enum provider_class classes[] = {CLASS_RATE_LIMITED, CLASS_TOO_MANY,
	    CLASS_ACTION_NEEDED, CLASS_BROKEN, CLASS_NO_CREDIT, CLASS_BAD_CREDENTIALS,
	    CLASS_WRONG_CODE, CLASS_EXPIRED};

	(void)state;
	for (size_t i = 0; i < COUNT(classes); i++) {
		static const struct line lines[] = {SAY(MENU, ""), SAY("Press Enter to end: ", "")};

		says(classes[i], CLASS_OK);
		rig_run_lines(lines, COUNT(lines));
		assert_int_equal(rig.sends, 1);
		assert_int_not_equal(rig.result.word, LOGIN_UNAVAIL);
		assert_int_not_equal(rig.result.word, LOGIN_OK);
		assert_int_equal(reserved(), 0);
	}
	/* A code that may have been sent is not sent again. */
	says(CLASS_UNANSWERED, CLASS_OK);
	assert_int_equal(RUN(SAY(MENU, ""), SAY("may be on its way by SMS to", "@code")), LOGIN_OK);
	assert_int_equal(rig.sends, 1);
}

/*
 * Whoever knows the password can use up what a provider allows for the address. So a user at a
 * known source is locked by it only after the other channels were asked, for the shortest time.
 */
static void
at_a_rate_limit_a_known_source_falls_back(void **state)
{
	static const enum provider_class classes[] = {CLASS_RATE_LIMITED, CLASS_TOO_MANY};

	for (size_t i = 0; i < COUNT(classes); i++) {
		rig_teardown(state);
		setup(state);
		rig.start.ssh_auth_info = "publickey ssh-ed25519 AAAA";
		assert_int_equal(RUN(SAY(MENU, "1"), SAY("", "@code")), LOGIN_OK);
		says(classes[i], CLASS_OK);
		assert_int_equal(
		    RUN(SAY(MENU, "1"), SAY(NOT_SMS BY_MAIL CHOICE, "@code")), LOGIN_OK);
		assert_int_equal(rig.sends, 2);
		says(classes[i], CLASS_RATE_LIMITED);
		rig.retry_after = 60;
		assert_int_equal(RUN(SAY(MENU, "1"), SAY(LIMIT "60 seconds.", "")), LOGIN_LOCKED);
		ENDS(LOGIN_LOCKED, "the provider's rate limit is in force");
		assert_int_equal(rig.sends, 2);
		/* An outage of the other channel is no outage of all. */
		says(classes[i], CLASS_PROVIDER_DOWN);
		assert_int_equal(RUN(SAY(MENU, "1"), SAY(LIMIT, "")), LOGIN_LOCKED);
		says(CLASS_PROVIDER_DOWN, classes[i]);
		assert_int_equal(RUN(SAY(MENU, "1"), SAY(LIMIT, "")), LOGIN_LOCKED);
		assert_int_equal(rig.sends, 2);
		rig_conf("fallback = no", "", "");
		says(classes[i], CLASS_OK);
		assert_int_equal(RUN(SAY(MENU, "1"), SAY(LIMIT, "")), LOGIN_LOCKED);
		assert_int_equal(rig.sends, 1);
	}
}

/* Each outcome of the first channel with each of the second: only two outages are an outage. */
static void
only_outages_at_all_channels_are_an_outage(void **state)
{
	static const enum provider_class classes[] = {CLASS_PROVIDER_DOWN, CLASS_BAD_DESTINATION,
	    CLASS_RATE_LIMITED, CLASS_ACTION_NEEDED, CLASS_REFUSED, CLASS_BROKEN};
	static const struct line three[] = {SAY(MENU, ""), SAY("A verification code was", "@code"),
	    SAY(W_LEFT2, "@code"), SAY(W_LEFT1, "@code")};
	static const struct line shown[] = {SAY(MENU, ""), SAY("Press Enter to end: ", "")};

	for (size_t i = 0; i < 2 * COUNT(classes); i++) {
		enum provider_class first = classes[i % 2], second = classes[i / 2];
		bool refused = first == CLASS_BAD_DESTINATION || second == CLASS_BAD_DESTINATION;
		bool last_word = second == CLASS_PROVIDER_DOWN || second == CLASS_REFUSED ||
				 second == CLASS_BAD_DESTINATION;

		rig_teardown(state);
		setup(state);
		says(first, second);
		if (refused && last_word)
			rig_run_lines(three, COUNT(three));
		else
			rig_run_lines(shown, COUNT(shown));
		assert_int_equal(rig.sends, 2);
		if (first == CLASS_PROVIDER_DOWN && second == CLASS_PROVIDER_DOWN)
			ENDS(LOGIN_UNAVAIL, "every provider failed");
		else if (refused && last_word)
			ENDS(LOGIN_DENIED, "the provider refuses the address");
		else if (rig.result.word == LOGIN_UNAVAIL || rig.result.word == LOGIN_OK)
			fail_msg("%d, %d: %s", first, second, login_word(rig.result.word));
	}
}

/* A local user can cause an outage by using up the machine, so there it is no unavail. */
static void
an_outage_of_all_is_broken_on_this_machine(void **state)
{
	(void)state;
	rig_start("sudo", "asha");
	rig.start.rhost = "";
	says(CLASS_PROVIDER_DOWN, CLASS_PROVIDER_DOWN);
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_BROKEN);
	ENDS(LOGIN_BROKEN, "every provider failed");
	assert_string_equal(rig.shown[0], DOWN);
	assert_int_equal(rig.sends, 2);
}

/* The prompts do not show that a number is refused, or whether mail works. */
static void
a_refused_address_falls_back_to_a_code(void **state)
{
	(void)state;
	says(CLASS_BAD_DESTINATION, CLASS_OK);
	assert_int_equal(RUN(SAY(MENU, ""), SAY(NOT_SMS BY_MAIL, "@code")), LOGIN_OK);
	assert_int_equal(rig.sends, 2);
	says(CLASS_REFUSED, CLASS_OK);
	assert_int_equal(RUN(SAY(MENU, ""), SAY(NOT_SMS BY_MAIL, "@code")), LOGIN_OK);
	assert_int_equal(rig.sends, 2);
}

/* A provider that there was no time to ask may be up: this does not count as an outage (U1). */
static void
all_sends_share_one_timeout(void **state)
{
	(void)state;
	rig_conf("send_timeout = 10s", "", "");
	says(CLASS_PROVIDER_DOWN, CLASS_PROVIDER_DOWN);
	rig.stall_ms = 10001;
	assert_int_equal(RUN(SAY(MENU, ""), LAST(DOWN)), LOGIN_BROKEN);
	assert_int_equal(rig.sends, 1);
	ENDS(LOGIN_BROKEN, "refused the request");
	/* If there is no other provider, it is an outage. */
	rig_conf("send_timeout = 10s\nchannels = sms", "", "");
	says(CLASS_PROVIDER_DOWN, CLASS_OK);
	assert_int_equal(RUN(SAY(MENU, ""), LAST(DOWN)), LOGIN_UNAVAIL);
	assert_int_equal(rig.sends, 1);
	assert_int_equal(reserved(), 0);
}

/* After a prompt for a code the old code stays valid, and the result is never `unavail`. */
static void
an_outage_at_the_other_destination_leaves_the_code(void **state)
{
	(void)state;
	rig_conf("fallback = no", "", "");
	says(CLASS_OK, CLASS_PROVIDER_DOWN);
	assert_int_equal(
	    RUN(SAY(MENU, ""), SAY(SENT CHOICE, "o"), SAY(BACK, "3"), SAY(NOT_NEW CHOICE, "@code")),
	    LOGIN_OK);
	assert_string_equal(rig.result.channel, "sms");
	says(CLASS_OK, CLASS_PROVIDER_DOWN);
	assert_int_equal(
	    RUN(SAY(MENU, ""), SAY(SENT, "o"), SAY(BACK, "3"), SAY(NOT_NEW, "@wrong"),
		SAY(W_LEFT2, "o"), SAY(BACK, "3"), SAY(NOT_NEW, "@wrong"), SAY(W_LEFT1, "@wrong")),
	    LOGIN_DENIED);
}

/* After a fall-back, `r` sends to the destination that the user has chosen. */
static void
a_failed_fall_back_keeps_the_destination(void **state)
{
	(void)state;
	says(CLASS_OK, CLASS_PROVIDER_DOWN);
	rig.sends_as[1] = CLASS_PROVIDER_DOWN, rig.sends_as[2] = CLASS_PROVIDER_DOWN;
	rig.sends_as[3] = CLASS_OK, rig.nsends_as = 4;
	assert_int_equal(
	    RUN(SAY(MENU, ""), LATER(30000, SENT, "r"), SAY(NOT_NEW, "r"), SAY(SENT, "@code")),
	    LOGIN_OK);
	assert_int_equal(rig.sends, 4);
}

/* A fall-back respects the cool-down of its destination, so that an outage cannot evade it. */
static void
falling_back_waits_for_the_cool_down(void **state)
{
	static const char by_sms[] = "The code could not be sent by e-mail.\nA verification code "
				     "was sent by SMS to +91 ******** ";
	char first[160], second[160];

	(void)state;
	(void)snprintf(first, sizeof(first), "%s19.", by_sms);
	(void)snprintf(second, sizeof(second), "%s88.", by_sms);
	says(CLASS_OK, CLASS_PROVIDER_DOWN);
	rig.sends_as[1] = CLASS_OK;
	assert_int_equal(
	    RUN(SAY(MENU, ""), SAY(SENT, "o"), SAY(BACK, "3"), SAY(second, "o"), SAY(BACK, "3"),
		SAY(NOT_NEW, "o"), LATER(30000, BACK, "3"), SAY(first, "@code")),
	    LOGIN_OK);
	assert_int_equal(rig.sends, 6);
}

/* Each address has its own count. A destination at its limit is no outage of the other one. */
static void
each_destination_is_counted_apart(void **state)
{
	static const char *const numbers[] = {"1", "2", "3"};

	(void)state;
	rig_conf("", "sends_per_address = 1/15m", "");
	assert_int_equal(RUN(SAY(MENU, "1"), SAY(SENT, "o"), SAY(BACK, "2"),
			     SAY("by SMS to +91 ******** 88", "o"), SAY(BACK, "3"),
			     KIND(ANSWER_CANCELLED, BY_MAIL)),
	    LOGIN_GONE);
	rig.start.rhost = "192.0.2.8";
	for (size_t i = 0; i < COUNT(numbers); i++) {
		assert_int_equal(
		    RUN(SAY(MENU, numbers[i]), LAST(LIMIT "15 minutes.")), LOGIN_LOCKED);
		ENDS(LOGIN_LOCKED, "send limit: address");
	}
	rig_later(15 * 60000);
	/* The first channel is down, and the second one is at its limit. */
	says(CLASS_OK, CLASS_OK);
	assert_int_equal(RUN(SAY(MENU, "3"), KIND(ANSWER_CANCELLED, BY_MAIL)), LOGIN_GONE);
	rig.start.rhost = "192.0.2.9";
	says(CLASS_PROVIDER_DOWN, CLASS_OK);
	assert_int_equal(RUN(SAY(MENU, "1"), LAST(LIMIT "15 minutes.")), LOGIN_LOCKED);
	ENDS(LOGIN_LOCKED, "send limit: address");
	/* The send by SMS that failed is given back. */
	says(CLASS_OK, CLASS_OK);
	assert_int_equal(RUN(SAY(MENU, "1"), SAY(SENT, "@code")), LOGIN_OK);
}

static void
a_send_that_fails_is_given_back_and_a_fall_back_counts_once(void **state)
{
	(void)state;
	says(CLASS_PROVIDER_DOWN, CLASS_REFUSED);
	RUN(SAY(MENU, ""), SAY("Press Enter to end: ", ""));
	assert_int_equal(reserved(), 0);
	says(CLASS_PROVIDER_DOWN, CLASS_OK);
	assert_int_equal(RUN(SAY(MENU, ""), KIND(ANSWER_CANCELLED, NOT_SMS BY_MAIL)), LOGIN_GONE);
	assert_int_equal(reserved(), 1);
	assert_int_equal(rig_number("SELECT count(*) FROM send_event WHERE owner = "
				    "'asha@example.com'"),
	    2);
	assert_int_equal(rig_number("SELECT count(*) FROM send_event WHERE owner LIKE '+91%'"), 0);
}

static void
a_host_that_leaves_between_two_channels(void **state)
{
	(void)state;
	says(CLASS_PROVIDER_DOWN, CLASS_OK);
	rig.error = -OTP_EGONE;
	assert_int_equal(RUN(SAY(MENU, "")), LOGIN_GONE);
	assert_int_equal(rig.sends, 1);
	assert_int_equal(reserved(), 1);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, rig_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(the_next_channel_sends_the_same_code),
	    TEST(a_channel_that_serves_the_same_phone_is_another_one),
	    TEST(without_fallback_the_chosen_channel_is_all),
	    TEST(another_provider_of_the_channel_is_shown),
	    TEST(other_failures_do_not_fall_back),
	    TEST(at_a_rate_limit_a_known_source_falls_back),
	    TEST(only_outages_at_all_channels_are_an_outage),
	    TEST(an_outage_of_all_is_broken_on_this_machine),
	    TEST(a_refused_address_falls_back_to_a_code),
	    TEST(all_sends_share_one_timeout),
	    TEST(an_outage_at_the_other_destination_leaves_the_code),
	    TEST(a_failed_fall_back_keeps_the_destination),
	    TEST(falling_back_waits_for_the_cool_down),
	    TEST(each_destination_is_counted_apart),
	    TEST(a_send_that_fails_is_given_back_and_a_fall_back_counts_once),
	    TEST(a_host_that_leaves_between_two_channels),
	};

	return cmocka_run_group_tests_name("login_fallback", tests, NULL, NULL);
}
