/*
 * Decoys: users whom no code that is sent can let in see what others see, wait as long, meet the
 * same results, and cost no message (C20, C30, C32, U36, Q6).
 */
#include "tests/unit/login_rig.h"

#include "common/err.h"

enum { MINUTE = 60 * 1000 };

#define MENU	  "How should a verification code be sent?\n  1  by SMS to +91 ******** "
#define ENTER_IS  "Number (Enter = 1), or a recovery code: "
#define BACK	  "Number (Enter = back), or a recovery code: "
#define SMS	  "A verification code was sent by SMS to +91 ******** "
#define MAIL	  "A verification code was sent by e-mail to "
#define MAYBE	  "A verification code may be on its way by SMS to +91 ******** "
#define NO_CHOICE "Please type one of the numbers.\n"
#define NO_CODE	  "No verification code has been sent yet.\n"
#define WAIT(s)	  "A new code can be sent in " s ".\n"
#define W_LEFT2	  "Wrong code, 2 tries left.\n"
#define W_LEFT1	  "Wrong code, 1 try left.\n"
#define ENDED	  "That code has ended. Type r to have a new one sent.\n"
#define LIMIT(s)  "Too many verification codes were sent. Try again in " s "."
#define DOWN	  "The verification code could not be sent: its delivery service cannot be reached."
#define UNCHECKED "The code could not be checked: its service cannot be reached. "

/* asha has a phone, a mailbox and recovery codes. bina has a mailbox; no decoy looks like bina. */
static int
setup(void **state)
{
	int r = rig_setup(state);

	rig_contact("asha", CONTACT_EMAIL, "asha@example.com");
	rig_issue("asha", 2);
	return r;
}

/* Hides what may differ between two users: two digits of a number, one letter of a mailbox. */
static void
normalise(char *text)
{
	for (char *p = text; (p = strstr(p, "******** ")); p += 9)
		p[9] = p[10] = 'N';
	for (char *p = text; (p = strstr(p, "***@")); p += 4)
		p[-1] = 'x';
}

static const char *const names[] = {"asha", "chandra", "ghost", "nobody"};
static char seen[COUNT(names)][sizeof(rig.transcript)];

static void
compare_transcripts(size_t i)
{
	strcpy(seen[i], rig.transcript);
	normalise(seen[i]);
	assert_string_equal(seen[i], seen[0]);
}

/* The same long sequence of sign-ins for each kind of user. */
static void
tell_story(void)
{
	rig_conf("", "sends_per_user = 3/15m\nfailures = 5", "");
	RUN(SAY(MENU, "junk"), SAY(NO_CHOICE MENU, "123456"), SAY(NO_CODE MENU, "2"),
	    SAY(MAIL, "@wrong"), LATER(10000, W_LEFT2 CHOICE, "r"), SAY(WAIT("20 seconds"), "o"),
	    SAY(BACK, "3"), SAY(NO_CHOICE, "1"), SAY(SMS, "x"),
	    KIND(ANSWER_CANCELLED, "A verification code has 6 digits, 1 try left."));
	RUN(SAY(SMS, "@wrong"), LATER(30000, W_LEFT2, "r"), SAY(SMS, "o"), SAY(BACK, ""),
	    SAY(CHOICE, "rc-1"),
	    SAY("A recovery code is rc- and 16 letters or digits, 1 try left.\n", "@rcx"));
	rig.start.rhost = "192.0.2.8";
	RUN(SAY(ENTER_IS, ""), SAY(LIMIT("15 minutes") "\n" RC, "123456"), SAY(NO_CODE RC, "r"),
	    SAY(LIMIT("15 minutes") "\n" RC, "@rcx"),
	    KIND(ANSWER_BLIND, "Wrong recovery code, 2 tries left."),
	    KIND(ANSWER_CONV, "Wrong code, 1 try left."));
	rig_later(15 * MINUTE);
	RUN(SAY(ENTER_IS, "1"), SAY(SMS, "@wrong"), SAY(W_LEFT2, "@wrong"), SAY(W_LEFT1, "@wrong"));
	RUN(SAY("Too many wrong codes. Try again in 30 seconds.\nRecovery code: ", "r"),
	    SAY("Too many wrong codes.", "123456"), SAY("Too many wrong codes.", "rc-0000"),
	    SAY("A recovery code is", "@rcx"), KIND(ANSWER_CANCELLED, "Recovery code: "));
	rig_later(30000);
	RUN(SAY(SMS, "@wrong"), LATER(300000, W_LEFT2, "@wrong"), SAY(ENDED, ""), SAY(CHOICE, "r"),
	    KIND(ANSWER_BLIND, SMS));
}

static void
unknown_users_look_like_users(void **state)
{
	int warmed = 0;

	for (size_t i = 0; i < COUNT(names); i++) {
		rig_teardown(state);
		setup(state);
		rig_start("sshd", names[i]);
		tell_story();
		compare_transcripts(i);
		assert_int_equal(rig.sends == 0, i > 0);
		if (!i)
			warmed = rig.warmed;
		assert_int_equal(rig.warmed, warmed);
		assert_string_equal(rig.result.user, i < 2 ? names[i] : "");
	}
}

/* Every user causes the same writes, which take most of the time. */
static void
unknown_users_cause_as_many_writes(void **state)
{
	static const char *const written[] = {
	    "reserve", "return", "put", "try_mac", "locked", "source_known", "find", "kill"};
	static const struct line lines[] = {SAY(MENU, "2"), LATER(40000, MAIL, "@wrong"),
	    SAY(W_LEFT2, "o"), SAY(BACK, "1"), LATER(30000, SMS, "r"), SAY(SMS, "@wrong"),
	    SAY(W_LEFT1, "@wrong")};
	int count[COUNT(written)] = {0};

	for (size_t i = 0; i < COUNT(names); i++) {
		rig_teardown(state);
		setup(state);
		rig_start("sshd", names[i]);
		rig_run_lines(lines, COUNT(lines));
		ENDS(LOGIN_DENIED, "");
		for (size_t k = 0; k < COUNT(written); k++) {
			if (!i)
				count[k] = rig_did(written[k]);
			ROW(rig_did(written[k]) == count[k], written[k]);
		}
		assert_int_equal(count[0], 3);
		assert_int_equal(count[3], 3);
	}
}

/* A name gets the same address in each sign-in, and different names get different ones. */
static void
a_decoys_address_depends_on_the_name(void **state)
{
	char first[32][64], name[16];
	size_t differ = 0;

	(void)state;
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < COUNT(first); i++) {
			(void)snprintf(name, sizeof(name), "ghost%zu", i);
			rig_start("sshd", name);
			rig.start.rhost = round ? "203.0.113.9" : "192.0.2.7";
			*rig.transcript = '\0';
			RUN(KIND(ANSWER_CANCELLED, MENU));
			if (!round)
				strcpy(first[i], rig.result.masked);
			assert_string_equal(rig.result.masked, first[i]);
			/* The decoy shows nothing of asha's number but the country. */
			assert_int_equal(strncmp(first[i], "+91 ******** ", 13), 0);
			differ += !round && i && strcmp(first[i], first[i - 1]) != 0;
			rig_later(10 * MINUTE);
		}
	assert_in_range(differ, COUNT(first) - 4, COUNT(first));
}

/* If no user has a phone, or nobody is registered, a decoy still shows an address. */
static void
without_registered_users_a_decoy_has_an_address(void **state)
{
	struct contacts_edit *e = NULL;
	int removed = 0;

	(void)state;
	assert_int_equal(contacts_edit_begin(folder_at(&rig.folder, "contacts.db"), &e), 0);
	assert_int_equal(contacts_edit_remove(e, "asha", NULL, &removed), 0);
	assert_int_equal(contacts_edit_commit(e), 0);
	rig_contact("bina", CONTACT_EMAIL, "bina2@example.com");
	rig_start("sshd", "ghost");
	assert_int_equal(RUN(SAY(ENTER " by SMS to +977 ******** ", ""),
			     KIND(ANSWER_CANCELLED, "sent by SMS to +977")),
	    LOGIN_GONE);
	rig_later(10 * MINUTE);
	rig_conf("", "prefixes = +351, +1", "");
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, ENTER " by SMS to +351 ")), LOGIN_GONE);
	rig_conf("channels = email", "prefixes = +351", "");
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, "  2  by e-mail to ")), LOGIN_GONE);
}

/* The user whom a decoy looks like may have more addresses than a menu has destinations. */
static void
a_decoy_can_look_like_a_user_with_many_addresses(void **state)
{
	char address[32];

	(void)state;
	for (int i = 0; i < 12; i++) {
		(void)snprintf(address, sizeof(address), "+97798000000%02d", i);
		rig_contact("asha", CONTACT_PHONE, address);
	}
	rig_conf("channels = sms", "prefixes = +977980000001", "");
	rig_start("sshd", "ghost");
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, "  1  by SMS to +977 ******** ")), LOGIN_GONE);
	assert_null(strstr(rig.transcript, "  3  "));
}

/* --- how long it takes --------------------------------------------------------------------- */

static void
send_of(const char *user, const char *number, int64_t takes)
{
	rig_start("sshd", user);
	rig.send_takes_ms = takes;
	rig.waited_ms = rig.waits = 0;
	*rig.transcript = *rig.sent_destinations = '\0';
	rig_later(10 * MINUTE);
	RUN(SAY("verification code ", number), KIND(ANSWER_CANCELLED, "erification code"));
	ENDS(LOGIN_GONE, "");
}

static void
decoys_wait_as_long_as_users_did(void **state)
{
	int short_ones = 0, mails;

	(void)state;
	rig_conf("", "sends_per_user = 1000/1h\nsends_per_address = 1000/1h", "");
	/* There are no samples yet. */
	for (int i = 0; i < 20; i++) {
		send_of("ghost", "1", 0);
		assert_int_equal(rig.waits, 1);
		assert_in_range(rig.waited_ms, 150, 599);
	}
	send_of("asha", "1", 700);
	assert_int_equal(rig.waits, 0);
	send_of("asha", "2", 50);
	mails = rig.sends;
	for (int i = 0; i < 3; i++) {
		send_of("ghost", "1", 0);
		assert_int_equal(rig.waited_ms, 700);
		send_of("chandra", "2", 0);
		assert_int_equal(rig.waited_ms, 50);
	}
	send_of("asha", "1", 1500);
	for (int i = 0; i < 40; i++) {
		send_of("ghost", "1", 0);
		if (rig.waited_ms != 1500)
			assert_int_equal(rig.waited_ms, 700);
		short_ones += rig.waited_ms == 700;
	}
	assert_in_range(short_ones, 4, 36);
	/* The waits of decoys are not stored as samples. */
	assert_int_equal(rig_number("SELECT count(*) FROM sample"), 3);
	assert_int_equal(rig.sends, mails + 1);
}

static int
by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* The largest difference of two distributions, of n values each. */
static double
distance(int64_t *a, int64_t *b, int n)
{
	double most = 0;
	int i = 0, k = 0;

	qsort(a, (size_t)n, sizeof(*a), by_number);
	qsort(b, (size_t)n, sizeof(*b), by_number);
	while (i < n && k < n) {
		int64_t x = a[i] < b[k] ? a[i] : b[k];
		double d;

		while (i < n && a[i] <= x)
			i++;
		while (k < n && b[k] <= x)
			k++;
		d = (double)(i > k ? i - k : k - i) / n;
		most = d > most ? d : most;
	}
	return most;
}

/* C32: long and short waits are as frequent as with users. Chance alone never reaches the bound. */
static void
waits_are_distributed_as_those_of_users(void **state)
{
	enum { MOST = 200 };
	static int64_t real[MOST], unregistered[MOST], unknown[MOST];
	const int n = rounds(10) == 10 ? MOST : SAMPLES_KEPT;
	uint64_t seed = 20261122;
	double d[2];

	(void)state;
	rig_conf("", "sends_per_user = 1000/1h\nsends_per_address = 1000/1h", "");
	for (int i = 0; i < n; i++) {
		/* Most are quick, some are slow. */
		int64_t ms = 80 + (int64_t)(fixed_random(&seed) >> 32) % 200;

		real[i] = fixed_random(&seed) % 5 ? ms : ms + 2500;
		send_of("asha", "1", real[i]);
	}
	for (int i = 0; i < n; i++) {
		send_of("chandra", "1", 0);
		unregistered[i] = rig.waited_ms;
		send_of("ghost", "1", 0);
		unknown[i] = rig.waited_ms;
	}
	d[0] = distance(real, unregistered, n);
	d[1] = distance(real, unknown, n);
	print_message("%d waits each, of %d kept: largest distance %.3f (unregistered), %.3f "
		      "(unknown)\n",
	    n, SAMPLES_KEPT, d[0], d[1]);
	assert_true(d[0] < 0.4 && d[1] < 0.4);
}

static void
a_host_that_leaves_during_the_wait(void **state)
{
	(void)state;
	rig_start("sshd", "ghost");
	rig.wait_error = -OTP_EGONE;
	assert_int_equal(RUN(SAY(MENU, "")), LOGIN_GONE);
}

/* --- how it ends --------------------------------------------------------------------------- */

#define SMS_DOWN      rig.sends_as[0] = CLASS_PROVIDER_DOWN, rig.nsends_as = 1, rig.sends = 0
#define ONLY_SMS_DOWN SMS_DOWN, rig.nsends_as = 2

/* After a real outage, decoys show the same texts, but their result is never unavail. */
static void
decoys_imitate_an_outage(void **state)
{
	static const enum login_word words[] = {
	    LOGIN_UNAVAIL, LOGIN_DENIED, LOGIN_DENIED, LOGIN_DENIED};

	for (size_t i = 0; i < COUNT(names); i++) {
		rig_teardown(state);
		setup(state);
		assert_int_equal(rig.real_store->ops->recovery_drop(rig.real_store, "asha"), 0);
		SMS_DOWN, rig.email_sends_as = CLASS_PROVIDER_DOWN, rig.send_takes_ms = 4000;
		RUN(SAY("Number (Enter = 1): ", ""), LAST(DOWN));
		*rig.transcript = '\0', rig.sends = 0;
		rig_start("sshd", names[i]);
		/* Both channels were tried, and each of them took its time. */
		RUN(SAY("Number (Enter = 1): ", ""), LAST(DOWN));
		ENDS(words[i], i > 1 ? "unknown user" : i ? "no contact" : "every provider failed");
		assert_int_equal(rig.waited_ms, i ? 8000 : 0);
		assert_int_equal(rig.sends, i ? 0 : 2);
		compare_transcripts(i);
	}
}

static void
decoys_imitate_a_fall_back(void **state)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		rig_teardown(state);
		setup(state);
		ONLY_SMS_DOWN, rig.send_takes_ms = 4000;
		RUN(SAY(MENU, "1"),
		    KIND(ANSWER_CANCELLED, "The code could not be sent by SMS.\n" MAIL));
		rig_later(MINUTE), rig.sends = 0, *rig.transcript = '\0';
		rig_start("sshd", names[i]);
		rig.start.rhost = "192.0.2.8";
		RUN(SAY(MENU, "1"), SAY("The code could not be sent by SMS.\n" MAIL, "@wrong"),
		    SAY(W_LEFT2, "1"), SAY("A verification code has", "000000"));
		ENDS(LOGIN_DENIED, "");
		compare_transcripts(i);
	}
}

/* A user with recovery codes is asked for one, and then the result is never unavail. */
static void
an_outage_with_recovery_codes(void **state)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		rig_teardown(state);
		setup(state);
		rig_conf("unregistered = deny", "", "");
		SMS_DOWN, rig.email_sends_as = CLASS_PROVIDER_DOWN;
		RUN(SAY(MENU, ""), KIND(ANSWER_CANCELLED, DOWN "\n" RC));
		*rig.transcript = '\0';
		rig_start("sshd", names[i]);
		RUN(SAY(MENU, ""), SAY(DOWN "\n" RC, "@rcx"), SAY("2 tries left", "r"),
		    SAY(DOWN "\n" RC, "rc-1"), SAY("1 try left", "@rcx"));
		ENDS(LOGIN_DENIED, "");
		compare_transcripts(i);
	}
}

/* Ten minutes after a real outage, decoys no longer imitate it. */
static void
decoys_imitate_an_outage_for_ten_minutes(void **state)
{
	(void)state;
	rig_conf("channels = sms", "", "");
	send_of("asha", "", 300);
	SMS_DOWN;
	rig_start("sshd", "asha");
	rig.start.rhost = "192.0.2.8", rig.send_takes_ms = 4000;
	RUN(SAY(ENTER, ""), SAY(DOWN "\n" RC, "@rc0"));
	rig_start("sshd", "ghost");
	rig_later(10 * MINUTE - 1);
	RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, DOWN));
	rig_later(1);
	rig.waited_ms = 0;
	RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, SMS));
	assert_int_equal(rig.waited_ms, 300);
	/* After a real success they stop at once. */
	rig_later(10 * MINUTE);
	rig_start("sshd", "asha");
	RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, DOWN));
	rig.nsends_as = 0;
	send_of("asha", "", 300);
	rig_later(-10 * MINUTE);
	rig_start("sshd", "nobody");
	RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, SMS));
}

static void
decoys_imitate_an_unanswered_send(void **state)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		rig_teardown(state);
		setup(state);
		rig.sends_as[0] = CLASS_UNANSWERED, rig.nsends_as = 1;
		RUN(SAY(MENU, ""), KIND(ANSWER_CANCELLED, MAYBE));
		*rig.transcript = '\0';
		rig_start("sshd", names[i]);
		rig.start.rhost = "192.0.2.8";
		RUN(SAY(MENU, ""), SAY(MAYBE, "@wrong"), LATER(30000, W_LEFT2, "r"),
		    KIND(ANSWER_CANCELLED, MAYBE));
		compare_transcripts(i);
	}
}

/* --- codes --------------------------------------------------------------------------------- */

/* For a decoy no code is right, not even one that was sent while the user had a contact. */
static void
a_code_from_before_the_decoy_is_wrong(void **state)
{
	struct contacts_edit *e = NULL;
	int removed = 0;

	(void)state;
	assert_int_equal(RUN(SAY(MENU, ""), KIND(ANSWER_CANCELLED, SMS)), LOGIN_GONE);
	assert_int_equal(contacts_edit_begin(folder_at(&rig.folder, "contacts.db"), &e), 0);
	assert_int_equal(contacts_edit_remove(e, "asha", NULL, &removed), 0);
	assert_int_equal(contacts_edit_commit(e), 0);
	rig_contact("bina", CONTACT_EMAIL, "bina2@example.com");
	assert_int_equal(
	    RUN(SAY(SMS, "@code"), SAY(W_LEFT2, "@code"), SAY(W_LEFT1, "@code")), LOGIN_DENIED);
	ENDS(LOGIN_DENIED, "no contact");
	assert_int_equal(rig_number("SELECT count(*) FROM known_place"), 0);
	assert_int_equal(rig_number("SELECT count(*) FROM challenge WHERE state = 'used'"), 0);
}

/* If the provider checks codes, a decoy's check takes as long, but only if a real one would happen.
 */
static void
a_decoys_check_takes_as_long_as_a_users(void **state)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		int64_t began;

		rig_teardown(state);
		setup(state);
		rig_conf("tries = 5", "failures = 100", "");
		rig.code_by = CODE_BY_PROVIDER, rig.right = "00001111", rig.check_takes_ms = 350;
		RUN(SAY(MENU, ""), SAY(SMS, "1234"), KIND(ANSWER_CANCELLED, "4 tries left"));
		rig_later(10 * MINUTE), *rig.transcript = '\0';
		rig_start("sshd", names[i]);
		RUN(SAY(MENU, ""), KIND(ANSWER_CANCELLED, SMS));
		rig.check_takes_ms = i ? 0 : 350;
		began = rig.now.boot_ms;
		RUN(SAY(SMS, "1234"), SAY("4 tries left", "123"),
		    SAY("A verification code has 4 to 8", "12345678"), SAY("2 tries left", "1234"),
		    SAY("1 try left", "1234"));
		assert_int_equal(rig.now.boot_ms - began, 4 * 350);
		/* The last try that counts, then tries that are not counted. */
		began = rig.now.boot_ms;
		RUN(SAY(SMS, "1234"), SAY(ENDED, "1234"), SAY(ENDED, "1234"),
		    KIND(ANSWER_CANCELLED, ENDED));
		assert_int_equal(rig.now.boot_ms - began, 350);
		compare_transcripts(i);
	}
}

static void
a_locked_decoy_waits_for_no_check(void **state)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		int64_t began;

		rig_teardown(state);
		setup(state);
		rig_conf("", "failures = 2", "");
		rig.code_by = CODE_BY_PROVIDER, rig.right = "00001111", rig.check_takes_ms = 350;
		rig.start.rhost = "192.0.2.8";
		RUN(SAY(MENU, ""), SAY(SMS, "1234"), KIND(ANSWER_CANCELLED, W_LEFT2));
		rig_start("sshd", "asha");
		if (i)
			rig.check_takes_ms = 0;
		else
			assert_int_equal(RUN(SAY(MENU, "@rc0")), LOGIN_OK);
		rig_start("sshd", names[i]);
		*rig.transcript = '\0';
		RUN(SAY(MENU, ""), KIND(ANSWER_CANCELLED, SMS));
		began = rig.now.boot_ms;
		RUN(SAY(SMS, "1234"), SAY(W_LEFT2, "1234"), SAY(W_LEFT1, "1234"),
		    KIND(ANSWER_CANCELLED, "Too many wrong codes. Try again in 30 seconds.\n"));
		assert_int_equal(rig.now.boot_ms - began, 2 * 350);
		compare_transcripts(i);
	}
}

static void
decoys_imitate_a_check_that_fails(void **state)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		rig_teardown(state);
		setup(state);
		rig.code_by = CODE_BY_PROVIDER, rig.checks_as = CLASS_UNANSWERED;
		rig.check_takes_ms = 8000;
		RUN(SAY(MENU, ""), SAY(SMS, "1234"), KIND(ANSWER_CANCELLED, UNCHECKED));
		*rig.transcript = '\0';
		rig_start("sshd", names[i]);
		rig.start.rhost = "192.0.2.8";
		RUN(SAY(MENU, ""), SAY(SMS, "1234"), SAY(UNCHECKED "2 tries left.\n", "1234"),
		    SAY(UNCHECKED "1 try left.\n", "1234"));
		ENDS(LOGIN_DENIED, "");
		compare_transcripts(i);
	}
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, rig_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(unknown_users_look_like_users),
	    TEST(unknown_users_cause_as_many_writes),
	    TEST(a_decoys_address_depends_on_the_name),
	    TEST(without_registered_users_a_decoy_has_an_address),
	    TEST(a_decoy_can_look_like_a_user_with_many_addresses),
	    TEST(decoys_wait_as_long_as_users_did),
	    TEST(waits_are_distributed_as_those_of_users),
	    TEST(a_host_that_leaves_during_the_wait),
	    TEST(decoys_imitate_an_outage),
	    TEST(decoys_imitate_a_fall_back),
	    TEST(an_outage_with_recovery_codes),
	    TEST(decoys_imitate_an_outage_for_ten_minutes),
	    TEST(decoys_imitate_an_unanswered_send),
	    TEST(a_code_from_before_the_decoy_is_wrong),
	    TEST(a_decoys_check_takes_as_long_as_a_users),
	    TEST(a_locked_decoy_waits_for_no_check),
	    TEST(decoys_imitate_a_check_that_fails),
	};

	return cmocka_run_group_tests_name("login_decoy", tests, NULL, NULL);
}
