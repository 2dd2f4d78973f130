/*
 * Recovery codes in a sign-in: they need no network and no contact, have a budget of their own, and
 * are never sent to a provider (U3, U9, U23, S11).
 */
#include "tests/unit/login_rig.h"

#include "common/err.h"

#define OR_CODE	 ENTER " by SMS to +91 ******** 19 (or type a recovery code): "
#define WRONG(n) "Wrong recovery code, " n " left.\n"
#define FORM(n)	 "A recovery code is rc- and 16 letters or digits, " n " left.\n"
#define USED	 "That recovery code was used before. Type another one.\n"
#define LOCKED	 "Too many wrong codes. Try again in "
#define DOWN	 "The verification code could not be sent: its delivery service cannot be reached.\n"
#define LIMIT(s) "Too many verification codes were sent. Try again in " s ".\n"
#define LEFT(n)	 "That recovery code is used up now. You have " n " left."
#define W_LEFT2	 "Wrong code, 2 tries left.\n"
#define ONLY_RC	 "Recovery code: "

/* asha has four codes. */
static int
setup(void **state)
{
	int r = rig_setup(state);

	rig_issue("asha", RIG_CODES);
	return r;
}

static int64_t
codes_left(void)
{
	return rig_number("SELECT count(*) FROM recovery_code WHERE used = 0");
}

static int64_t
failures(const char *kind)
{
	char sql[128];

	(void)snprintf(sql, sizeof(sql),
	    "SELECT coalesce(sum(failures), 0) FROM budget WHERE kind = '%s'", kind);
	return rig_number(sql);
}

static void
a_code_lets_in_without_a_message(void **state)
{
	(void)state;
	assert_int_equal(RUN(SAY(OR_CODE, "@rc0")), LOGIN_OK);
	ENDS(LOGIN_OK, "recovery code");
	assert_string_equal(rig.shown[0], LEFT("3 recovery codes"));
	assert_int_equal(rig.sends + rig.checks, 0);
	assert_int_equal(codes_left(), 3);
	assert_int_equal(rig_number("SELECT count(*) FROM send_event"), 0);
	assert_int_equal(RUN(SAY(OR_CODE, "@rc1")), LOGIN_OK);
	assert_string_equal(rig.shown[0], LEFT("2 recovery codes"));
	assert_int_equal(RUN(SAY(OR_CODE, "@rc2")), LOGIN_OK);
	assert_int_equal(RUN(SAY(OR_CODE, "@rc3")), LOGIN_OK);
	assert_non_null(strstr(rig.shown[0], "your last recovery code"));
	/* When all codes are used up, no prompt mentions them. */
	assert_int_equal(RUN(SAY(ENTER " by SMS to +91 ******** 19: ", "@rc3"), SAY(USED, "@rcx"),
			     KIND(ANSWER_CANCELLED, WRONG("2 tries"))),
	    LOGIN_GONE);
}

/* Once with the real hash. */
static void
a_code_is_compared_by_its_slow_hash(void **state)
{
	(void)state;
	rig.hash_really = true;
	rig_issue("asha", 1);
	assert_int_equal(RUN(SAY(OR_CODE, "@rcx"), SAY(WRONG("2 tries"), "@rc0")), LOGIN_OK);
	assert_int_equal(rig.hashes, 2);
}

/* The forms in which people write them. */
static void
write_as(char *dst, size_t size, const char *code, int how)
{
	size_t n = 0;

	for (const char *p = code; *p && n + 8 < size; p++) {
		if (how == 0)
			dst[n++] = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
		else if (how == 1 && *p != '-')
			dst[n++] = *p;
		else if (how == 2)
			dst[n++] = *p == '-' ? ' ' : *p;
		else if (how == 3)
			n += (size_t)sprintf(dst + n, *p == '-' ? "\u2014" : "%c", *p);
		else if (how == 4 && *p < 0x60)
			n += (size_t)sprintf(dst + n, "\xef\xbc%c", 0x80 + (*p - 0x20));
		else if (how == 4)
			n += (size_t)sprintf(dst + n, "\xef\xbd%c", 0x80 + (*p - 0x60));
	}
	dst[n] = '\0';
}

static void
a_code_can_be_written_in_many_ways(void **state)
{
	char typed[256];

	(void)state;
	for (int how = 0; how < 5; how++) {
		rig_issue("asha", 1);
		write_as(typed, sizeof(typed), rig.recovery[0], how);
		assert_int_equal(RUN(SAY(OR_CODE, typed)), LOGIN_OK);
		assert_int_equal(codes_left(), 0);
	}
}

/* Every prompt accepts a recovery code. */
static void
a_code_is_taken_wherever_one_is_asked_for(void **state)
{
	(void)state;
	rig_conf("", "resend_wait = 0s", "");
	assert_int_equal(RUN(SAY(OR_CODE, ""), SAY(SENT PROMPT, "@rc0")), LOGIN_OK);
	/* It ends every live code of the user. Their sends stay counted: they were sent. */
	assert_int_equal(rig_number("SELECT count(*) FROM challenge WHERE state = 'live'"), 0);
	assert_int_equal(
	    RUN(SAY(OR_CODE, ""), SAY(SENT PROMPT, "@wrong"), SAY(W_LEFT2, "@rc1")), LOGIN_OK);
	rig_contact("asha", CONTACT_EMAIL, "asha@example.com");
	assert_int_equal(RUN(SAY("Number (Enter = 1), or a recovery code: ", "@rc2")), LOGIN_OK);
	assert_int_equal(RUN(SAY("Number (Enter = 1)", ""), SAY(SENT CHOICE, "o"),
			     SAY("Number (Enter = back), or a recovery code: ", "@rc3")),
	    LOGIN_OK);
	rig_issue("asha", 2);
	rig.start.service = "sudo";
	assert_int_equal(RUN(SAY(SENT CHOICE, "@rc0")), LOGIN_OK);
	assert_int_equal(rig.sends, 4);
	assert_int_equal(rig.checks, 0);
}

static void
a_used_code_is_reported_and_not_counted(void **state)
{
	(void)state;
	assert_int_equal(RUN(SAY(OR_CODE, "@rc0")), LOGIN_OK);
	assert_int_equal(RUN(SAY(OR_CODE, "@rc0"), SAY(USED RC, "@rc0"), SAY(USED RC, "@rc0"),
			     SAY(USED RC, "@rc0"), SAY(USED RC, "@rc0"), SAY(USED RC, "@rc1")),
	    LOGIN_OK);
	assert_int_equal(rig.result.wrong, 0);
	assert_int_equal(failures("recovery"), 0);
	assert_int_equal(codes_left(), 2);
}

/* Two sign-ins at once with the same code: one succeeds. */
static void
concurrent_uses(void)
{
	const struct rig saved = rig;

	assert_int_equal(RUN(SAY(OR_CODE, "@rc0")), LOGIN_OK);
	rig = saved;
}

static void
new_codes_are_issued(void)
{
	const struct rig saved = rig;

	rig_issue("asha", 2);
	rig = saved;
}

static void
a_code_used_or_replaced_meanwhile_is_refused(void **state)
{
	(void)state;
	assert_int_equal(RUN({.prompt = OR_CODE, .answer = "@rc0", .meanwhile = concurrent_uses},
			     SAY(USED, "@rc1")),
	    LOGIN_OK);
	/* Codes of an older issue are no longer accepted. */
	assert_int_equal(
	    RUN({.prompt = OR_CODE, .answer = "@rc2", .meanwhile = new_codes_are_issued},
		SAY(WRONG("2 tries"), "@rc3"), KIND(ANSWER_CANCELLED, WRONG("1 try"))),
	    LOGIN_GONE);
}

static void
malformed_and_wrong_codes_are_refused(void **state)
{
	static const char *const malformed[] = {"rc", "rc-", "rc-123", "RC 1234-1234-1234-123",
	    "rc-1234-1234-1234-12345", "rc-uuuu-uuuu-uuuu-uuuu", "rc-1234-1234-1234-123!"};

	(void)state;
	for (size_t i = 0; i < COUNT(malformed); i++) {
		assert_int_equal(RUN(SAY(OR_CODE, malformed[i]), SAY(FORM("2 tries"), malformed[i]),
				     SAY(FORM("1 try"), malformed[i])),
		    LOGIN_DENIED);
		ENDS(LOGIN_DENIED, "malformed recovery code");
		assert_int_equal(rig.hashes, 0);
	}
	/* A malformed code was not compared, and no failure was counted. */
	assert_int_equal(failures("recovery"), 0);
	assert_int_equal(RUN(SAY(OR_CODE, "@rcx"), SAY(WRONG("2 tries") RC, "@rcx"),
			     SAY(WRONG("1 try") RC, "@rcx")),
	    LOGIN_DENIED);
	ENDS(LOGIN_DENIED, "wrong recovery code");
	assert_int_equal(failures("recovery"), 3);
	assert_int_equal(failures("user"), 0);
	assert_int_equal(codes_left(), RIG_CODES);
	assert_int_equal(rig.sends + rig.checks, 0);
}

static void
three_wrong_recovery_codes(void)
{
	assert_int_equal(
	    RUN(SAY("", "@rcx"), SAY(WRONG("2 tries"), "@rcx"), SAY(WRONG("1 try"), "@rcx")),
	    LOGIN_DENIED);
}

/*
 * After ten wrong codes in a row each further wrong one is answered later, at most by ten seconds.
 * Nothing is refused: the right code is in at once.
 */
static void
wrong_codes_make_wrong_ones_late_and_no_right_one(void **state)
{
	static const int64_t waited[] = {0, 0, 0, 3000, 22000, 30000, 30000};
	static const char *const rhosts[] = {"192.0.2.7", "203.0.113.1"};

	(void)state;
	for (size_t i = 0; i < COUNT(waited); i++) {
		/* From anywhere: unknown sources share the count. */
		rig.start.rhost = rhosts[i % 2];
		rig.waited_ms = 0;
		three_wrong_recovery_codes();
		assert_int_equal(rig.waited_ms, waited[i]);
	}
	rig.waited_ms = 0;
	assert_int_equal(RUN(SAY(OR_CODE, "@rc0")), LOGIN_OK);
	assert_int_equal(rig.waited_ms, 0);
	assert_int_equal(failures("recovery"), 0);
	/* A used code is not wrong. */
	for (int i = 0; i < 4; i++)
		three_wrong_recovery_codes();
	rig.waited_ms = 0;
	assert_int_equal(RUN(SAY("", "@rc0"), SAY(USED, "@rc1")), LOGIN_OK);
	assert_int_equal(rig.waited_ms, 0);
}

/* Wrong recovery codes do not lock codes that are sent either. */
static void
wrong_recovery_codes_leave_sent_codes(void **state)
{
	(void)state;
	rig_conf("", "failures = 2", "");
	for (int i = 0; i < 5; i++)
		three_wrong_recovery_codes();
	assert_int_equal(
	    RUN(SAY(OR_CODE, ""), SAY(SENT, "@rcx"), SAY(WRONG("2 tries"), "@code")), LOGIN_OK);
	assert_int_equal(codes_left(), RIG_CODES);
}

/* Whoever leaves while the answer is late has used a try, and the log says so. */
static void
whoever_leaves_before_the_late_answer_has_tried(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		three_wrong_recovery_codes();
	rig.wait_error = -OTP_EGONE;
	assert_int_equal(RUN(SAY("", "@rcx")), LOGIN_GONE);
	assert_int_equal(rig.result.wrong, 1);
	assert_int_equal(failures("recovery"), 13);
}

static void
others_finish_their_hashes(void)
{
	if (rig.waits == 3)
		rig.places_busy = 0;
}

/*
 * The hash is slow, so few are made at a time. The owner at a known source never waits for those
 * that others have made: the place has another number and is one of known sources.
 */
static void
hashes_take_turns_and_the_known_source_has_its_own(void **state)
{
	uint64_t asha, chandra, ghost;

	(void)state;
	rig.places_busy = 1000, rig.on_wait = others_finish_their_hashes;
	assert_int_equal(
	    RUN(SAY(OR_CODE, "@rcx"), KIND(ANSWER_CANCELLED, WRONG("2 tries"))), LOGIN_GONE);
	assert_int_equal(rig.waits, 3);
	assert_int_equal(rig.hashes, 1);
	rig.on_wait = NULL;
	assert_false(rig.place_known);
	asha = rig.place;
	rig_start("sshd", "chandra");
	assert_int_equal(RUN(SAY(ENTER, "@rcx"), KIND(ANSWER_CANCELLED, "")), LOGIN_GONE);
	chandra = rig.place;
	rig_start("sshd", "ghost");
	assert_int_equal(RUN(SAY(ENTER, "@rcx"), KIND(ANSWER_CANCELLED, "")), LOGIN_GONE);
	ghost = rig.place;
	assert_true(asha != chandra && asha != ghost && chandra != ghost);
	/* A network alone is not known. */
	rig_start("sshd", "asha");
	assert_int_equal(RUN(SAY(OR_CODE, "@rc0")), LOGIN_OK);
	assert_int_equal(RUN(SAY(OR_CODE, "@rc1")), LOGIN_OK);
	assert_true(!rig.place_known && rig.place == asha);
	rig.start.ssh_auth_info = "publickey ssh-ed25519 AAAA";
	assert_int_equal(RUN(SAY(OR_CODE, "@rc2")), LOGIN_OK);
	assert_false(rig.place_known);
	assert_int_equal(RUN(SAY(OR_CODE, "@rc3")), LOGIN_OK);
	assert_true(rig.place_known && rig.place != asha);
}

/* A user without a contact can be known as well, by the recovery code. */
static void
a_user_without_a_contact_can_be_known(void **state)
{
	(void)state;
	rig_issue("chandra", 2);
	rig_start("sshd", "chandra");
	rig.start.ssh_auth_info = "publickey ssh-ed25519 AAAA";
	assert_int_equal(RUN(SAY(ENTER, "@rc0")), LOGIN_OK);
	assert_int_equal(RUN(SAY(ENTER, "@rc1")), LOGIN_OK);
	assert_true(rig.place_known);
}

static void
half_a_minute_passes(void)
{
	rig.mono_ms += 30000;
}

/* Nobody waits for a place longer than the sign-in may last. */
static void
the_wait_for_a_place_ends_with_the_sign_in(void **state)
{
	(void)state;
	rig.places_busy = 1000, rig.on_wait = half_a_minute_passes;
	assert_int_equal(RUN(SAY(OR_CODE, ""), SAY(SENT, "@rc0")), LOGIN_DENIED);
	ENDS(LOGIN_DENIED, "timed out");
	assert_int_equal(rig.hashes, 0);
	assert_int_equal(codes_left(), RIG_CODES);
}

static void
lock_out_of_sent_codes(void)
{
	rig_conf("", "failures = 3", "");
	assert_int_equal(RUN(SAY(ENTER, ""), SAY(SENT, "@wrong"), SAY(W_LEFT2, "@wrong"),
			     SAY("1 try left", "@wrong")),
	    LOGIN_DENIED);
}

/* A user who is locked out is asked only for a recovery code, and nothing is sent. */
static void
locked_out_a_recovery_code_is_asked_for(void **state)
{
	int sends;

	(void)state;
	lock_out_of_sent_codes();
	sends = rig.sends;
	assert_int_equal(
	    RUN(SAY(LOCKED "30 seconds.\n" ONLY_RC, "r"), SAY(LOCKED "30 seconds.\n" ONLY_RC, ""),
		SAY(LOCKED "30 seconds.\n" ONLY_RC, "@code"), SAY(LOCKED, "@rcx"),
		SAY(WRONG("2 tries") ONLY_RC, "@rc0")),
	    LOGIN_OK);
	assert_int_equal(rig.sends, sends);
	/* It has not unlocked those who guess at codes from other sources. */
	assert_int_equal(failures("user"), 3);
	rig.start.rhost = "192.0.2.8";
	assert_int_equal(
	    RUN(SAY(LOCKED, "@rcx"), SAY(WRONG("2 tries"), "@rcx"), SAY(WRONG("1 try"), "@rcx")),
	    LOGIN_DENIED);
	/* However many recovery codes were wrong, a right one is taken while sent codes are locked.
	 */
	for (int i = 0; i < 4; i++)
		assert_int_equal(RUN(SAY(LOCKED, "@rcx"), SAY(WRONG("2 tries"), "@rcx"),
				     SAY(WRONG("1 try"), "@rcx")),
		    LOGIN_DENIED);
	assert_int_equal(RUN(SAY(LOCKED, "@rc1")), LOGIN_OK);
}

static void
locked_out_without_recovery_codes_it_ends(void **state)
{
	(void)state;
	assert_int_equal(rig.real_store->ops->recovery_drop(rig.real_store, "asha"), 0);
	lock_out_of_sent_codes();
	assert_int_equal(RUN(LAST("Too many wrong codes. Try again in 30 seconds.")), LOGIN_LOCKED);
}

static void
locked_out_while_it_is_typed(void **state)
{
	(void)state;
	rig_conf("", "failures = 2", "");
	assert_int_equal(RUN(SAY(OR_CODE, ""), SAY(SENT, "@wrong"), SAY(W_LEFT2, "@wrong"),
			     SAY("1 try left", "@code"),
			     SAY(LOCKED "30 seconds.\n" ONLY_RC, "@code"), SAY(LOCKED, "@rc0")),
	    LOGIN_OK);
	assert_int_equal(rig.result.wrong, 2);
}

/* U9: if the provider is down, a recovery code still signs in. */
static void
in_an_outage_a_recovery_code_is_asked_for(void **state)
{
	static const char *const services[] = {"sshd", "sudo"};

	(void)state;
	rig.sends_as[0] = CLASS_PROVIDER_DOWN, rig.nsends_as = 1;
	for (size_t i = 0; i < COUNT(services); i++) {
		const struct line lines[] = {SAY(OR_CODE, ""), SAY(DOWN RC, "@rc0")};

		rig_issue("asha", RIG_CODES);
		rig.start.service = services[i];
		assert_int_equal(rig_run_lines(lines + i, COUNT(lines) - i), LOGIN_OK);
		/* After this prompt the result is never unavail. */
		{
			const struct line wrong[] = {SAY(OR_CODE, ""), SAY(DOWN RC, "r"),
			    SAY(DOWN RC, "123456"), SAY("No verification code", "@rcx"),
			    SAY(WRONG("2 tries"), "1"), SAY("A verification code has", "@rcx")};

			assert_int_equal(rig_run_lines(wrong + i, COUNT(wrong) - i), LOGIN_DENIED);
		}
		{
			const struct line gone[] = {
			    SAY(OR_CODE, ""), KIND(ANSWER_CANCELLED, DOWN RC)};

			assert_int_equal(rig_run_lines(gone + i, COUNT(gone) - i), LOGIN_GONE);
		}
		{
			const struct line late[] = {SAY(OR_CODE, ""), FAIL(-OTP_ETIME, DOWN RC)};

			assert_int_equal(rig_run_lines(late + i, COUNT(late) - i), LOGIN_DENIED);
		}
	}
	/* After many wrong recovery codes the result is still not unavail. */
	for (int i = 0; i < 5; i++)
		assert_int_equal(
		    RUN(SAY(DOWN, "@rcx"), SAY("2 tries", "@rcx"), SAY("1 try", "@rcx")),
		    LOGIN_DENIED);
}

/* The provider is up again while the user looks for the recovery code. */
static void
service_is_back(void)
{
	rig.nsends_as = 0;
}

static void
a_code_can_be_sent_after_an_outage(void **state)
{
	(void)state;
	rig.sends_as[0] = CLASS_PROVIDER_DOWN, rig.nsends_as = 1;
	assert_int_equal(
	    RUN(SAY(OR_CODE, ""), {.prompt = DOWN RC, .answer = "r", .meanwhile = service_is_back},
		SAY(SENT PROMPT, "@code")),
	    LOGIN_OK);
}

static void
at_a_send_limit_a_recovery_code_is_asked_for(void **state)
{
	(void)state;
	rig_conf("", "sends_per_user = 1/15m", "");
	assert_int_equal(RUN(SAY(OR_CODE, ""), KIND(ANSWER_CANCELLED, SENT)), LOGIN_GONE);
	rig.start.rhost = "192.0.2.8";
	assert_int_equal(RUN(SAY(OR_CODE, ""), SAY(LIMIT("15 minutes") RC, "r"),
			     SAY(LIMIT("15 minutes") RC, "@rcx"), SAY(WRONG("2 tries"), "@rc0")),
	    LOGIN_OK);
	assert_int_equal(rig.sends, 1);
	rig.start.rhost = "192.0.2.9";
	assert_int_equal(RUN(SAY(OR_CODE, ""), SAY(LIMIT("15 minutes") RC, "@rcx"),
			     SAY(WRONG("2 tries"), "@rcx"), SAY(WRONG("1 try"), "@rcx")),
	    LOGIN_DENIED);
	/* The same at the provider's own limit. */
	rig_conf("", "", "");
	rig.sends_as[0] = CLASS_RATE_LIMITED, rig.nsends_as = 1, rig.retry_after = 600;
	assert_int_equal(RUN(SAY(OR_CODE, ""), SAY(LIMIT("10 minutes") RC, "@rc1")), LOGIN_OK);
}

/* U9: a user without a contact needs only a recovery code. */
static void
without_a_contact_a_recovery_code_lets_in(void **state)
{
	(void)state;
	rig_issue("chandra", 2);
	rig_start("sshd", "chandra");
	assert_int_equal(RUN(SAY(ENTER " by SMS to +91 ", "@rc0")), LOGIN_OK);
	assert_string_equal(rig.result.user, "chandra");
	assert_int_equal(
	    RUN(SAY(ENTER, ""), SAY("sent by SMS", "@wrong"), SAY(W_LEFT2, "@rc1")), LOGIN_OK);
	assert_int_equal(rig.sends, 0);
	/* Another user's code is wrong. The failure counts for the user, not for a decoy's counter.
	 */
	rig_issue("asha", 1);
	assert_int_equal(
	    RUN(SAY(ENTER, "@rc0"), KIND(ANSWER_CANCELLED, WRONG("2 tries"))), LOGIN_GONE);
	assert_int_equal(
	    rig_number("SELECT failures FROM budget WHERE kind = 'recovery' AND owner = "
		       "'chandra'"),
	    1);
	assert_int_equal(codes_left(), 1);
}

/* After the provider has refused the number, a recovery code still signs in. */
static void
after_a_refused_address_a_recovery_code_lets_in(void **state)
{
	(void)state;
	rig.sends_as[0] = CLASS_BAD_DESTINATION, rig.nsends_as = 1;
	assert_int_equal(RUN(SAY(OR_CODE, ""), SAY(SENT, "@code"), SAY(W_LEFT2, "@rc0")), LOGIN_OK);
}

/* C20, C32: without recovery codes the prompts, the time and the counting are the same. */
static void
users_without_codes_are_refused_as_others_are(void **state)
{
	static const char *const names[] = {"asha", "chandra", "ghost"};
	static char seen[COUNT(names)][sizeof(rig.transcript)];

	for (size_t i = 0; i < COUNT(names); i++) {
		rig_teardown(state);
		setup(state);
		/* Codes of a user who was deleted since let nobody in. */
		rig_issue("ghost", 1);
		rig_start("sshd", names[i]);
		RUN(SAY("(or type a recovery code): ", "@rcx"), SAY(WRONG("2 tries") RC, "@rcx"),
		    SAY(WRONG("1 try") RC, "@rc0"));
		ENDS(LOGIN_DENIED, "");
		for (int n = 0; n < 3; n++)
			three_wrong_recovery_codes();
		assert_int_equal(rig.waited_ms, 3000);
		assert_int_equal(rig.hashes, 12);
		assert_int_equal(rig_number("SELECT sum(failures) FROM budget"), 12);
		strcpy(seen[i], rig.transcript);
		for (char *p = seen[i]; (p = strstr(p, "******** ")); p += 9)
			p[9] = p[10] = 'N';
		assert_string_equal(seen[i], seen[0]);
	}
}

/* The owner's own wrong answers are late only after ten from where she signed in before. */
static void
unknown_sources_do_not_make_the_users_answers_late(void **state)
{
	(void)state;
	assert_int_equal(RUN(SAY(OR_CODE, "@rc0")), LOGIN_OK);
	rig.start.rhost = "203.0.113.1";
	for (int i = 0; i < 5; i++)
		three_wrong_recovery_codes();
	rig.start.rhost = "192.0.2.7";
	rig.waited_ms = 0;
	assert_int_equal(RUN(SAY(OR_CODE, "@rcx"), SAY("2 tries", "@rc1")), LOGIN_OK);
	assert_int_equal(rig.waited_ms, 0);
	/* The recovery code has kept the source. */
	assert_int_equal(rig_number("SELECT count(*) FROM known_place"), 1);
}

/*
 * A host that is not root accepts its user's recovery codes, counts failures on its own budget, and
 * makes no source known.
 */
static void
hosts_that_are_not_root_accept_recovery_codes(void **state)
{
	(void)state;
	rig_conf("tries = 5", "failures = 5", "");
	rig.start.peer = 1001;
	assert_int_equal(RUN(SAY(OR_CODE, "@rcx"), SAY("4 tries", "@rcx"), SAY("3 tries", "@rcx"),
			     SAY("2 tries", "@rcx"), SAY("1 try", "@rcx")),
	    LOGIN_DENIED);
	assert_int_equal(failures("peer-recovery"), 5);
	assert_int_equal(failures("recovery"), 0);
	assert_int_equal(RUN(SAY(OR_CODE, "@rc0")), LOGIN_OK);
	assert_int_equal(failures("peer-recovery"), 0);
	assert_int_equal(rig_number("SELECT count(*) FROM known_place"), 0);
	rig.start.peer = 0;
	assert_int_equal(RUN(SAY(OR_CODE, "@rc1")), LOGIN_OK);
}

/* A provider that checks codes receives no recovery code, neither a right nor a wrong one. */
static void
no_provider_receives_a_recovery_code(void **state)
{
	(void)state;
	rig.code_by = CODE_BY_PROVIDER;
	assert_int_equal(RUN(SAY(OR_CODE, ""), SAY(SENT, "@rcx"), SAY(WRONG("2 tries"), "rc-12"),
			     SAY(FORM("1 try"), "RC 0000 0000 0000 0000")),
	    LOGIN_DENIED);
	assert_int_equal(RUN(SAY(SENT, "@rc0")), LOGIN_OK);
	assert_int_equal(rig.checks, 0);
	assert_string_equal(rig.checked, "");
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, rig_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_code_lets_in_without_a_message),
	    TEST(a_code_is_compared_by_its_slow_hash),
	    TEST(a_code_can_be_written_in_many_ways),
	    TEST(a_code_is_taken_wherever_one_is_asked_for),
	    TEST(a_used_code_is_reported_and_not_counted),
	    TEST(a_code_used_or_replaced_meanwhile_is_refused),
	    TEST(malformed_and_wrong_codes_are_refused),
	    TEST(wrong_codes_make_wrong_ones_late_and_no_right_one),
	    TEST(wrong_recovery_codes_leave_sent_codes),
	    TEST(whoever_leaves_before_the_late_answer_has_tried),
	    TEST(hashes_take_turns_and_the_known_source_has_its_own),
	    TEST(a_user_without_a_contact_can_be_known),
	    TEST(the_wait_for_a_place_ends_with_the_sign_in),
	    TEST(locked_out_a_recovery_code_is_asked_for),
	    TEST(locked_out_without_recovery_codes_it_ends),
	    TEST(locked_out_while_it_is_typed),
	    TEST(in_an_outage_a_recovery_code_is_asked_for),
	    TEST(a_code_can_be_sent_after_an_outage),
	    TEST(at_a_send_limit_a_recovery_code_is_asked_for),
	    TEST(without_a_contact_a_recovery_code_lets_in),
	    TEST(after_a_refused_address_a_recovery_code_lets_in),
	    TEST(users_without_codes_are_refused_as_others_are),
	    TEST(unknown_sources_do_not_make_the_users_answers_late),
	    TEST(hosts_that_are_not_root_accept_recovery_codes),
	    TEST(no_provider_receives_a_recovery_code),
	};

	return cmocka_run_group_tests_name("login_recovery", tests, NULL, NULL);
}
