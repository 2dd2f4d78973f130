/*
 * The provider's part in a sign-in: the result of each failure of a send; codes that the provider
 * makes or checks, of which only those are right that it reports as right (C8, C34). The result is
 * never `unavail` after a prompt for a code.
 */
#include "tests/unit/login_rig.h"

#include "common/err.h"

#define W_LEFT2 "Wrong code, 2 tries left.\n"
#define W_LEFT1 "Wrong code, 1 try left.\n"
#define ENDED	"That code has ended. Type r to have a new one sent.\n"
#define PAUSED                                                                                    \
	"The service that checks codes has had too many requests. Wait some minutes and sign in " \
	"again."
#define NEEDS_STEP                                                                                \
	"The code was right, but your account at its service needs another step first. Ask your " \
	"administrator."
#define UNCHECKED(n) "The code could not be checked: its service cannot be reached. " n " left.\n"

static int
setup(void **state)
{
	int r = rig_setup(state);

	rig.code_by = CODE_BY_PROVIDER;
	rig_conf("ask_first = never", "resend_wait = 0s", "");
	return r;
}

static void
the_provider_decides(void **state)
{
	(void)state;
	assert_int_equal(RUN(SAY(SENT, "@wrong"), SAY(W_LEFT2, "@code")), LOGIN_OK);
	assert_int_equal(rig.checks, 2);
	assert_string_equal(rig.checked, "+919876543219 {\"id\":\"7\"} 770001");
	assert_int_equal(
	    RUN(SAY(SENT, "@wrong"), SAY(W_LEFT2, "@wrong"), SAY(W_LEFT1, "@wrong")), LOGIN_DENIED);
}

/* A malformed code reaches no provider. */
static void
no_provider_receives_a_malformed_code(void **state)
{
	static const char malformed[] = "A verification code has 4 to 8 digits, ";

	(void)state;
	assert_int_equal(RUN(SAY(SENT, "123"), SAY(malformed, "123456789"), SAY(malformed, "12a4")),
	    LOGIN_DENIED);
	assert_int_equal(rig.checks, 0);
}

static const struct verdict {
	enum provider_class class;
	const char *prompt; /* the next one; NULL if the sign-in ends */
	enum login_word word;
	const char *last_words;
} verdicts[] = {
    {CLASS_WRONG_CODE, W_LEFT2, 0, NULL},
    {CLASS_EXPIRED, ENDED, 0, NULL},
    {CLASS_TOO_MANY, ENDED, 0, NULL},
    {CLASS_RATE_LIMITED, NULL, LOGIN_LOCKED, PAUSED},
    {CLASS_ACTION_NEEDED, NULL, LOGIN_DENIED, NEEDS_STEP},
    {CLASS_BROKEN, NULL, LOGIN_BROKEN, NULL},
    {CLASS_BAD_CREDENTIALS, UNCHECKED("2 tries"), 0, NULL},
    {CLASS_BAD_DESTINATION, UNCHECKED("2 tries"), 0, NULL},
    {CLASS_NO_CREDIT, UNCHECKED("2 tries"), 0, NULL},
    {CLASS_PROVIDER_DOWN, UNCHECKED("2 tries"), 0, NULL},
    {CLASS_UNANSWERED, UNCHECKED("2 tries"), 0, NULL},
    {CLASS_REFUSED, UNCHECKED("2 tries"), 0, NULL},
};

static void
each_verdict_has_its_end(void **state)
{
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		const struct verdict *v = &verdicts[i];
		char last[256];

		setup(state);
		rig.checks_as = v->class;
		if (v->prompt) {
			RUN(SAY(SENT, "@code"), SAY(v->prompt, "@code"), SAY("", "@code"));
			ENDS(LOGIN_DENIED, "");
			assert_int_equal(rig.result.wrong, 3);
		} else {
			RUN(SAY(SENT, "@code"));
			ENDS(v->word, "");
		}
		assert_int_equal(rig.nshown, v->last_words ? 1 : 0);
		assert_int_equal(rig.last_prompts, 0);
		if (v->last_words)
			assert_string_equal(rig.shown[0], v->last_words);
		/* If the host asks first, the last words are part of a prompt. */
		if (v->last_words) {
			rig_conf("", "", "");
			(void)snprintf(
			    last, sizeof(last), "%s\nPress Enter to end: ", v->last_words);
			RUN(SAY(SENT, "@code"), SAY(last, ""));
			ENDS(v->word, "");
			assert_int_equal(rig.nshown, 0);
		}
		rig_teardown(state);
	}
}

static void
come_from_home(void)
{
	rig_start("sshd", "asha");
	rig.start.rhost = "192.0.2.7";
	rig.start.ssh_auth_info = "publickey ssh-ed25519 AAAA";
}

static void
come_from_elsewhere(void)
{
	rig_start("sshd", "asha");
	rig.start.rhost = "203.0.113.1";
}

/* Signs in at home, so that the source is known, and leaves a live code there. */
static void
leave_a_code_at_home(void)
{
	come_from_home();
	assert_int_equal(RUN(SAY(SENT, "@code")), LOGIN_OK);
	rig_later(10000);
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, SENT)), LOGIN_GONE);
	rig_later(10000);
}

/* Everything that somebody elsewhere sees and what is counted then, as one text. */
static void
guess_elsewhere(char *seen, size_t size)
{
	*rig.transcript = '\0';
	come_from_elsewhere();
	RUN(SAY(SENT, "770000"), SAY(W_LEFT2, "r"), SAY(SENT, "rc-1"), SAY("", "770001"));
	ENDS(LOGIN_DENIED, "");
	(void)snprintf(seen, size, "%s%lld events, %lld failures", rig.transcript,
	    (long long)rig_number("SELECT count(*) FROM send_event WHERE place = '' AND kind NOT "
				  "IN ('message', 'host')"),
	    (long long)rig_number("SELECT sum(failures) FROM budget"));
}

/*
 * A new code for an address ends the older one at some providers. Somebody elsewhere who knows the
 * password cannot end the owner's code by that: the send only looks like one.
 */
static void
a_send_from_elsewhere_does_not_end_the_code_of_a_known_source(void **state)
{
	static char pretended[4096], real[4096];
	char code[sizeof(rig.code)];
	int sends;

	rig.newest_counts = true;
	leave_a_code_at_home();
	strcpy(code, rig.code);
	sends = rig.sends;
	guess_elsewhere(pretended, sizeof(pretended));
	assert_int_equal(rig.pretended, 2);
	assert_int_equal(rig.sends, sends);
	assert_int_equal(rig.checks, 1); /* the owner's */
	/* A second connection that joins the pretended code waits and is refused as the first. */
	come_from_elsewhere();
	rig.waits = 0;
	assert_int_equal(RUN(SAY(SENT, code), KIND(ANSWER_CANCELLED, W_LEFT2)), LOGIN_GONE);
	assert_int_equal(rig.waits, 1); /* as a check at the provider would */
	assert_int_equal(rig.checks, 1);
	come_from_home();
	assert_int_equal(RUN(SAY(SENT, code)), LOGIN_OK);
	/* The code was used, so the next send is a real one. */
	come_from_elsewhere();
	rig_later(61000);
	assert_int_equal(RUN(SAY("", "r"), SAY(SENT, "@code")), LOGIN_OK);
	assert_int_equal(rig.pretended, 2);
	assert_int_equal(rig.sends, sends + 1);
	/* Without such a code, the same is seen and counted. */
	rig_teardown(state);
	setup(state);
	rig.newest_counts = true;
	come_from_home();
	assert_int_equal(RUN(SAY(SENT, "@code")), LOGIN_OK);
	rig_later(10 * 60000);
	guess_elsewhere(real, sizeof(real));
	assert_int_equal(rig.pretended, 0);
	assert_string_equal(pretended, real);
}

/* At a provider with a code for each challenge nothing is pretended. */
static void
codes_of_their_own_are_sent_to_everybody(void **state)
{
	(void)state;
	leave_a_code_at_home();
	come_from_elsewhere();
	assert_int_equal(RUN(SAY(SENT, "@code")), LOGIN_OK);
	assert_int_equal(rig.pretended, 0);
}

/* A program that runs as a user ends the code of nobody else, known or not. */
static void
a_program_that_runs_as_a_user_ends_no_code_of_others(void **state)
{
	char code[sizeof(rig.code)];

	(void)state;
	rig.newest_counts = true;
	come_from_elsewhere();
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, SENT)), LOGIN_GONE);
	strcpy(code, rig.code);
	rig_start("sshd", "asha");
	rig.start.peer = 1001;
	assert_int_equal(RUN(SAY(SENT, "770000"), KIND(ANSWER_CANCELLED, W_LEFT2)), LOGIN_GONE);
	assert_int_equal(rig.pretended, 1);
	come_from_elsewhere();
	assert_int_equal(RUN(SAY(SENT, code)), LOGIN_OK);
	/* Its own older code it may end. */
	rig_start("sshd", "asha");
	rig.start.peer = 1001;
	for (int i = 0; i < 2; i++)
		assert_int_equal(RUN(KIND(ANSWER_CANCELLED, SENT)), LOGIN_GONE);
	assert_int_equal(RUN(SAY(SENT, "@code")), LOGIN_OK);
	assert_int_equal(rig.pretended, 1);
}

/* Others may have used up the provider's limit of checks: a known source can go on. */
static void
a_limit_of_checks_does_not_lock_a_known_source(void **state)
{
	(void)state;
	rig.start.ssh_auth_info = "publickey ssh-ed25519 AAAA";
	assert_int_equal(RUN(SAY(SENT, "@code")), LOGIN_OK);
	rig.checks_as = CLASS_RATE_LIMITED;
	assert_int_equal(
	    RUN(SAY(SENT, "@code"), SAY("could not be checked", "r"), KIND(ANSWER_CANCELLED, SENT)),
	    LOGIN_GONE);
	/* The one that does not check is asked last. */
	assert_non_null(strstr(rig.before, "unanswered"));
}

/* A try counts before its check, and is given back only if no request was written (C29). */
static void
a_check_counts_if_its_request_was_written(void **state)
{
	(void)state;
	rig.checks_as = CLASS_PROVIDER_DOWN;
	rig.check_unwritten = true;
	for (int i = 0; i < 4; i++)
		RUN(SAY(SENT, "@code"), SAY(UNCHECKED("2 tries"), "@code"),
		    SAY(UNCHECKED("1 try"), "@code"));
	assert_int_equal(rig.checks, 12);
	rig.check_unwritten = false;
	RUN(SAY(SENT, "@code"), SAY("", "@code"), SAY("", "@code"));
	RUN(SAY(SENT, "@code"), SAY("", "@code"), SAY(UNCHECKED("1 try"), "@code"));
	assert_int_equal(rig.checks, 17);
	rig.checks_as = CLASS_OK;
	assert_int_equal(RUN(SAY(ENDED, "@code"), SAY(ENDED, "r"), SAY(SENT, "@code")), LOGIN_OK);
	assert_int_equal(rig.checks, 18);
}

static void
too_many_at_the_provider_ends_the_code(void **state)
{
	(void)state;
	rig.checks_as = CLASS_TOO_MANY;
	assert_int_equal(
	    RUN(SAY(SENT, "@code"), {.prompt = ENDED, .answer = "", .kind = ANSWER_CANCELLED}),
	    LOGIN_GONE);
	rig.checks_as = CLASS_OK;
	assert_int_equal(RUN(SAY(SENT, "@old"), SAY(W_LEFT2, "@code")), LOGIN_OK);
	assert_int_equal(rig.sends, 2);
}

/* Captured values outlive the sign-in, sealed. A resend gets them, another provider does not. */
static void
captured_values_are_kept_for_a_concurrent_sign_in(void **state)
{
	struct challenge c;

	(void)state;
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, SENT)), LOGIN_GONE);
	assert_string_equal(rig.before, "- -");
	assert_int_equal(rig.real_store->ops->challenge_find(
			     rig.real_store, &rig.now, "asha", "sshd", "net 192.0.2.7 ", &c),
	    0);
	assert_false(c.has_mac);
	assert_non_null(c.captures);
	assert_null(strstr(c.captures, "id"));
	challenge_clear(&c);
	assert_int_equal(RUN(SAY(SENT, "r"), SAY(SENT, "@code")), LOGIN_OK);
	assert_string_equal(rig.before, "p {\"id\":\"7\"}");
	assert_string_equal(rig.checked, "+919876543219 {\"id\":\"7\"} 770002");
}

/* If another number comes first since the send, the check names the number of the send. */
static void
a_check_names_the_address_of_the_send(void **state)
{
	struct contact c = {
	    .user = "asha", .kind = CONTACT_PHONE, .address = "+9779812345678", .preferred = true};
	struct contacts_edit *e = NULL;

	(void)state;
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, SENT)), LOGIN_GONE);
	assert_int_equal(contacts_edit_begin(folder_at(&rig.folder, "contacts.db"), &e), 0);
	assert_int_equal(contacts_edit_add(e, &c), 0);
	assert_int_equal(contacts_edit_commit(e), 0);
	assert_int_equal(rig.real_contacts->ops->refresh(rig.real_contacts), 0);
	assert_int_equal(RUN(SAY(SENT, "@code")), LOGIN_OK);
	assert_int_equal(strncmp(rig.checked, "+919876543219 ", 14), 0);
}

/* The same code at two prompts: the provider accepts it once, and then reports it as wrong. */
static void
concurrent_sign_in(void)
{
	const struct rig saved = rig;

	assert_int_equal(RUN(SAY(SENT, "@code")), LOGIN_OK);
	rig = saved;
}

static void
a_code_used_by_a_concurrent_sign_in_is_reported(void **state)
{
	(void)state;
	assert_int_equal(RUN({.prompt = SENT, .answer = "@code", .meanwhile = concurrent_sign_in},
			     KIND(ANSWER_CANCELLED, "Another connection used that code.")),
	    LOGIN_GONE);
	assert_int_equal(rig.result.wrong, 0);
}

/* --- concurrent checks at the provider (U33) ------------------------------------------------ */

static const struct try_rule loose = {.failures = 90,
    .most = 100,
    .backoff_first_ms = 1000,
    .backoff_most_ms = 1000,
    .per_challenge = 5};
static const struct budget asha_alone = {.kind = "user", .owner = "asha"};

static void
id_of_live(char id[STORE_ID_LEN + 1])
{
	struct challenge c;

	assert_int_equal(rig.real_store->ops->challenge_find(
			     rig.real_store, &rig.now, "asha", "sshd", "net 192.0.2.7 ", &c),
	    0);
	memcpy(id, c.id, sizeof(c.id));
	challenge_clear(&c);
}

/* Another helper has counted its try, and waits for the provider. */
static void
concurrent_checks(void)
{
	char id[STORE_ID_LEN + 1];
	const struct trial trial = {
	    .id = id, .budget = &asha_alone, .rule = loose, .lease_ms = 10000};
	struct trial_result tried;

	id_of_live(id);
	assert_int_equal(
	    rig.real_store->ops->try_count(rig.real_store, &rig.now, &trial, &tried), 0);
}

static void
concurrent_signs_in(void)
{
	char id[STORE_ID_LEN + 1];
	const struct trial trial = {.id = id, .budget = &asha_alone};

	id_of_live(id);
	assert_int_equal(rig.real_store->ops->consume(rig.real_store, &rig.now, &trial), 0);
}

static void
concurrent_was_right(void)
{
	if (rig.waits == 3)
		concurrent_signs_in();
}

static void
concurrent_was_wrong(void)
{
	char id[STORE_ID_LEN + 1];

	if (rig.waits != 3)
		return;
	id_of_live(id);
	assert_int_equal(rig.real_store->ops->check_end(rig.real_store, id), 0);
}

#define WHILE_CHECKED(a)                                                      \
	{                                                                     \
		.prompt = SENT, .answer = (a), .meanwhile = concurrent_checks \
	}

static void
a_concurrent_check_is_waited_for(void **state)
{
	(void)state;
	rig.on_wait = concurrent_was_right;
	assert_int_equal(RUN(WHILE_CHECKED("@code"),
			     KIND(ANSWER_CANCELLED, "Another connection used that code.")),
	    LOGIN_GONE);
	assert_int_equal(rig.checks, 0);
	assert_int_equal(rig.waits, 3);
	assert_int_equal(rig.result.wrong, 0);
	rig.on_wait = concurrent_was_wrong, rig.waits = 0;
	assert_int_equal(RUN(WHILE_CHECKED("@code")), LOGIN_OK);
	assert_int_equal(rig.checks, 1);
	assert_int_equal(rig.waits, 3);
}

/* A concurrent_sign_in that was given up for dead has used the code at the provider: it is wrong
 * there now. */
static void
a_code_that_a_slow_concurrent_check_used_is_not_wrong(void **state)
{
	(void)state;
	rig.on_check = concurrent_signs_in, rig.checks_as = CLASS_WRONG_CODE;
	assert_int_equal(
	    RUN(SAY(SENT, "@code"), KIND(ANSWER_CANCELLED, "Another connection used that code.")),
	    LOGIN_GONE);
	assert_int_equal(rig.result.wrong, 0);
}

/* A helper that died delays others for no longer than its check could have taken. */
static void
the_check_of_a_dead_helper_ends_by_itself(void **state)
{
	(void)state;
	assert_int_equal(RUN(WHILE_CHECKED("@code")), LOGIN_OK);
	assert_int_equal(rig.checks, 1);
	assert_int_equal(rig.waited_ms, 10000);
}

static void
nine_seconds_pass(void)
{
	rig.mono_ms += 9000;
}

/* The wait ends when a check may take no longer. It costs no try. */
static void
the_wait_for_a_concurrent_check_ends(void **state)
{
	(void)state;
	rig.on_wait = nine_seconds_pass;
	assert_int_equal(
	    RUN(WHILE_CHECKED("@code"), LATER(10000, UNCHECKED("3 tries"), "@code")), LOGIN_OK);
	assert_int_equal(rig.waits, 1);
	assert_int_equal(rig.checks, 1);
	assert_int_equal(rig.result.wrong, 0);
	rig.wait_error = -OTP_EGONE;
	assert_int_equal(RUN(WHILE_CHECKED("@code")), LOGIN_GONE);
	assert_int_equal(rig.checks, 1);
	assert_int_equal(rig_number("SELECT tries FROM challenge WHERE state = 'live'"), 1);
}

static void
no_provider_checks_a_code_of_an_unknown_user(void **state)
{
	(void)state;
	rig_conf("", "", "");
	rig_start("sshd", "ghost");
	assert_int_equal(RUN(SAY(ENTER, ""), SAY("sent by SMS", "1234"), SAY(W_LEFT2, "12345678"),
			     SAY(W_LEFT1, "770001")),
	    LOGIN_DENIED);
	assert_int_equal(rig.checks + rig.sends, 0);
	/* The helper connects for every user: otherwise one could see who exists (C32). */
	assert_int_equal(rig.warmed, 1);
	rig_start("sshd", "asha");
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, ENTER)), LOGIN_GONE);
	assert_int_equal(rig.warmed, 2);
	assert_int_equal(rig.sends, 0);
}

static void
a_check_that_this_machine_cannot_make(void **state)
{
	(void)state;
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, SENT)), LOGIN_GONE);
	rig.error = -OTP_EGONE;
	assert_int_equal(RUN(SAY(SENT, "@code")), LOGIN_GONE);
	rig.error = -OTP_ENOMEM;
	assert_int_equal(RUN(SAY(SENT, "@code")), LOGIN_BROKEN);
}

static void
a_code_from_the_providers_answer_is_compared_here(void **state)
{
	(void)state;
	rig.code_by = CODE_BY_RESPONSE;
	assert_int_equal(RUN(SAY(SENT, "@wrong"), SAY(W_LEFT2, "@code")), LOGIN_OK);
	assert_int_equal(rig.checks, 0);
	/* The code was in the answer that did not arrive: no code is right. */
	rig.sends_as[0] = CLASS_UNANSWERED, rig.nsends_as = 1;
	assert_int_equal(
	    RUN(SAY("may be on its way", "@code"), SAY(W_LEFT2, ""),
		SAY("Verification code", "----"), SAY("A verification code has", "0000")),
	    LOGIN_DENIED);
	assert_int_equal(rig.checks, 0);
}

#define RATE "Too many verification codes were sent. Try again in 60 seconds."
#define DOWN "The verification code could not be sent: its delivery service cannot be reached."

static const struct failure {
	enum provider_class class;
	enum login_word word; /* of a remote sign-in; LOGIN_UNAVAIL is LOGIN_BROKEN locally */
	const char *reason, *last_words;
} failures[] = {
    {CLASS_RATE_LIMITED, LOGIN_LOCKED, "provider's rate limit", RATE},
    {CLASS_TOO_MANY, LOGIN_LOCKED, "provider's rate limit", RATE},
    {CLASS_PROVIDER_DOWN, LOGIN_UNAVAIL, "every provider failed", DOWN},
    {CLASS_ACTION_NEEDED, LOGIN_DENIED, "another step", DOWN},
    {CLASS_REFUSED, LOGIN_BROKEN, "refused the request", DOWN},
    {CLASS_BROKEN, LOGIN_BROKEN, "could not send", DOWN},
    /* A delivery never returns these for a send. */
    {CLASS_NO_CREDIT, LOGIN_BROKEN, "refused the request", DOWN},
    {CLASS_BAD_CREDENTIALS, LOGIN_BROKEN, "refused the request", DOWN},
    {CLASS_WRONG_CODE, LOGIN_BROKEN, "", DOWN},
    {CLASS_EXPIRED, LOGIN_BROKEN, "", DOWN},
};

/* A sign-in that asks first, and whose send fails: its result and its last words. */
static void
fail_to_send(const struct failure *f)
{
	char last[WIRE_PROMPT_MAX + 1];

	(void)snprintf(last, sizeof(last), "%s\nPress Enter to end: ", f->last_words);
	RUN(SAY(ENTER, ""), SAY(last, "123456"));
	assert_int_equal(rig.nshown, 0);
	assert_int_equal(rig.last_prompts, 1);
}

/*
 * A local user can cause an outage by using up the ports or memory of the machine. So unavail is
 * only for sign-ins from a numeric address. Everything else is the same.
 */
static void
unavail_is_for_remote_sign_ins(void **state)
{
	static const struct {
		const char *service, *rhost, *connection;
		bool afar;
	} rows[] = {
	    {"sshd", "192.0.2.7", "", true},
	    {"sshd", "2001:db8::7", "", true},
	    {"sshd", "::ffff:192.0.2.7", "", true},
	    {"sshd", "client.example", "192.0.2.7 50000 192.0.2.1 22", true},
	    {"sudo", "192.0.2.7", "", true},
	    {"sshd", "", "", false},
	    {"sudo", "", "", false},
	    {"sudo", "", "192.0.2.7 50000 192.0.2.1 22", false},
	    {"sudo", "localhost", "", false},
	    {"sudo", "unit", "not an address", false},
	    {"sshd", "client.example", "", false},
	    {"sshd", "192.0.2.7.example", "", false},
	    {"sshd", "192.0.2", "", false},
	    {"sshd", "0.0.0.0", "", false},
	    {"sshd", "::", "", false},
	};

	for (size_t i = 0; i < COUNT(rows) * COUNT(failures); i++) {
		const struct failure *f = &failures[i / COUNT(rows)];
		bool afar = rows[i % COUNT(rows)].afar;
		enum login_word word = f->word == LOGIN_UNAVAIL && !afar ? LOGIN_BROKEN : f->word;

		rig_setup(state);
		rig_start(rows[i % COUNT(rows)].service, "asha");
		rig.start.rhost = rows[i % COUNT(rows)].rhost;
		rig.start.ssh_connection = rows[i % COUNT(rows)].connection;
		rig.sends_as[0] = f->class, rig.nsends_as = 1, rig.retry_after = 60;
		if (!strcmp(rig.start.service, "sshd"))
			fail_to_send(f);
		else
			rig_run_lines(NULL, 0);
		ENDS(word, f->reason);
		rig_teardown(state);
	}
}

static void
each_failure_of_a_send_has_its_end(void **state)
{
	for (size_t i = 0; i < COUNT(failures); i++) {
		const struct failure *f = &failures[i];

		rig_setup(state);
		rig_conf("", "sends_per_user = 1/15m", "");
		rig.sends_as[0] = f->class, rig.nsends_as = 1, rig.retry_after = 60;
		/* Nothing was sent, so the send does not count. */
		for (int again = 0; again < 3; again++) {
			fail_to_send(f);
			ENDS(f->word, f->reason);
		}
		/* The same in an interactive service, which shows the last words as a line. */
		rig.start.service = "sudo";
		rig_run_lines(NULL, 0);
		ENDS(f->word, f->reason);
		assert_int_equal(rig.nshown, 1);
		assert_string_equal(rig.shown[0], f->last_words);
		rig.start.service = "sshd";
		/* After a prompt for a code the live code can be typed, and there is no unavail. */
		rig_conf("", "sends_per_user = 9/15m\nresend_wait = 0s", "");
		rig.sends_as[0] = CLASS_OK, rig.sends_as[1] = f->class, rig.nsends_as = 2,
		rig.sends = 0;
		assert_int_equal(RUN(SAY(ENTER, ""), SAY(SENT, "r"),
				     SAY("A new code could not be sent.\n", "@code")),
		    LOGIN_OK);
		rig.sends = 0;
		assert_int_equal(RUN(SAY(ENTER, ""), SAY(SENT, "r"), SAY("could not", "r"),
				     SAY("could not", "1"), SAY("A verification code has", "1"),
				     SAY("A verification code has", "1")),
		    LOGIN_DENIED);
		rig_teardown(state);
	}
}

static void
a_code_that_may_have_been_sent_is_asked_for(void **state)
{
	(void)state;
	rig.sends_as[0] = CLASS_UNANSWERED, rig.nsends_as = 1;
	assert_int_equal(
	    RUN(SAY(ENTER, ""),
		SAY("A verification code may be on its way by SMS to +91 ******** 19.", "@code")),
	    LOGIN_OK);
	assert_int_equal(RUN(SAY(ENTER, ""), LATER(30000, "may be on its way", "r"),
			     SAY("may be on its way", "@old"), SAY(W_LEFT2, "@code")),
	    LOGIN_OK);
}

/* If the provider refuses the number, the prompts do not show it, and no code is right. */
static void
a_refused_address_looks_like_a_sent_code(void **state)
{
	(void)state;
	rig.sends_as[0] = CLASS_BAD_DESTINATION, rig.nsends_as = 1;
	assert_int_equal(
	    RUN(SAY(ENTER, ""), SAY(SENT, "@code"), SAY(W_LEFT2, "@wrong"), SAY(W_LEFT1, "@code")),
	    LOGIN_DENIED);
	ENDS(LOGIN_DENIED, "refuses the address");
	/* Nor is it for a concurrent_sign_in, which knows nothing of the refusal. */
	assert_int_equal(
	    RUN(SAY(SENT, "@code"), SAY(W_LEFT2, "@code"), SAY("ended", "@code")), LOGIN_DENIED);
}

/* Another process changes the contacts: the sign-in has them open as they were. */
static void
remove_the_contact(void)
{
	struct contacts_edit *e = NULL;
	int removed = 0;

	assert_int_equal(contacts_edit_begin(folder_at(&rig.folder, "contacts.db"), &e), 0);
	assert_int_equal(contacts_edit_remove(e, "asha", "+919876543219", &removed), 0);
	assert_int_equal(removed, 1);
	assert_int_equal(contacts_edit_commit(e), 0);
}

static int asked; /* prompts that remove_and_type() has answered */

static int
remove_and_type(const char *prompt, enum answer *kind, char *typed, size_t size)
{
	(void)prompt;
	if (!asked)
		remove_the_contact();
	*kind = asked++ ? ANSWER_CANCELLED : ANSWER_TEXT;
	(void)snprintf(typed, size, "%s", rig.code);
	return 0;
}

/* A contact is removed while its owner waits at the prompt: its code lets nobody in any more. */
static void
the_code_of_a_removed_contact_is_dead(void **state)
{
	for (int by = 0; by < 2; by++) {
		if (by) {
			rig_teardown(state);
			setup(state);
		}
		rig.code_by = by ? CODE_BY_MODULE : CODE_BY_PROVIDER;
		rig.person = remove_and_type;
		asked = 0;
		(void)rig_run_lines(NULL, 0);
		assert_int_equal(rig.sends, 1);
		assert_int_equal(rig.result.word, LOGIN_GONE);
		assert_int_equal(rig.checks, 0);
		assert_int_equal(
		    rig_number("SELECT count(*) FROM challenge WHERE state = 'live'"), 0);
	}
}

/* It is removed while the provider checks. */
static void
a_contact_that_goes_during_the_check_lets_nobody_in(void **state)
{
	(void)state;
	rig.on_check = remove_the_contact;
	assert_int_equal(RUN(SAY(SENT, "@code"), KIND(ANSWER_CANCELLED, ENDED)), LOGIN_GONE);
	assert_int_equal(rig.checks, 1);
	assert_int_equal(rig_number("SELECT count(*) FROM challenge WHERE state = 'used'"), 0);
}

/* A later sign-in does not join the code of an address that is not the user's any more. */
static void
a_code_of_a_removed_contact_is_not_joined(void **state)
{
	(void)state;
	rig_contact("asha", CONTACT_PHONE, "+919876543220");
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, SENT)), LOGIN_GONE);
	assert_int_equal(rig.sends, 1);
	remove_the_contact();
	assert_int_equal(rig.real_contacts->ops->refresh(rig.real_contacts), 0);
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, "")), LOGIN_GONE);
	assert_int_equal(rig.sends, 2);
	assert_int_equal(rig_number("SELECT count(*) FROM challenge WHERE state = 'live'"), 1);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, rig_teardown)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_failure_of_a_send_has_its_end),
	    cmocka_unit_test(unavail_is_for_remote_sign_ins),
	    cmocka_unit_test_setup_teardown(
		a_code_that_may_have_been_sent_is_asked_for, rig_setup, rig_teardown),
	    cmocka_unit_test_setup_teardown(
		a_refused_address_looks_like_a_sent_code, rig_setup, rig_teardown),
	    cmocka_unit_test(each_verdict_has_its_end),
	    TEST(the_provider_decides),
	    TEST(the_code_of_a_removed_contact_is_dead),
	    TEST(a_contact_that_goes_during_the_check_lets_nobody_in),
	    TEST(a_code_of_a_removed_contact_is_not_joined),
	    TEST(no_provider_receives_a_malformed_code),
	    TEST(a_send_from_elsewhere_does_not_end_the_code_of_a_known_source),
	    TEST(codes_of_their_own_are_sent_to_everybody),
	    TEST(a_program_that_runs_as_a_user_ends_no_code_of_others),
	    TEST(a_limit_of_checks_does_not_lock_a_known_source),
	    TEST(a_check_counts_if_its_request_was_written),
	    TEST(too_many_at_the_provider_ends_the_code),
	    TEST(captured_values_are_kept_for_a_concurrent_sign_in),
	    TEST(a_check_names_the_address_of_the_send),
	    TEST(a_code_used_by_a_concurrent_sign_in_is_reported),
	    TEST(a_concurrent_check_is_waited_for),
	    TEST(a_code_that_a_slow_concurrent_check_used_is_not_wrong),
	    TEST(the_check_of_a_dead_helper_ends_by_itself),
	    TEST(the_wait_for_a_concurrent_check_ends),
	    TEST(no_provider_checks_a_code_of_an_unknown_user),
	    TEST(a_check_that_this_machine_cannot_make),
	    TEST(a_code_from_the_providers_answer_is_compared_here),
	};

	return cmocka_run_group_tests_name("login_remote", tests, NULL, NULL);
}
