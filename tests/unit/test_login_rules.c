/* Sign-ins that end before a prompt, and contacts that are not verified. */
#include "tests/unit/login_rig.h"

#include "common/err.h"
#include "helpers/contacts/contacts.h"
#include "helpers/rules/rules.h"

#define EXEMPT(conditions) "[exempt x]\nreason = because\nuntil = 2026-12-31\n" conditions "\n"

/* --- never_prompt_services ----------------------------------------------------------------- */

static const struct {
	const char *name, *otp, *rest, *service, *user;
	enum login_word ends;
	const char *reason;
} unmanned[] = {
    {"by default", "", "", "dovecot", "asha", LOGIN_GONE,
	"dovecot cannot prompt (never_prompt_services), and no rule exempts this sign-in"},
    {"an unknown user is no other", "", "", "dovecot", "ghost", LOGIN_GONE,
	"never_prompt_services"},
    {"never skip", "unregistered = skip", "", "cups", "chandra", LOGIN_GONE,
	"never_prompt_services"},
    {"a rule comes before it", "", EXEMPT("services = dovecot\nusers = asha"), "dovecot", "asha",
	LOGIN_SKIP, "rule exempt x"},
    {"a rule for others does not", "", EXEMPT("services = dovecot\nusers = bina"), "dovecot",
	"asha", LOGIN_GONE, "never_prompt_services"},
    {"no rule is for an unknown user", "", EXEMPT("services = dovecot"), "dovecot", "ghost",
	LOGIN_GONE, "never_prompt_services"},
    {"one's own list", "never_prompt_services = backup", "", "backup", "asha", LOGIN_GONE,
	"never_prompt_services"},
    {"of a service", "", "[service backup]\nnever_prompt_services = backup\n", "backup", "asha",
	LOGIN_GONE, "never_prompt_services"},
    {"though never asked first", "ask_first = never", "", "vsftpd", "asha", LOGIN_GONE,
	"never_prompt_services"},
};

static void
a_service_that_cannot_prompt_ends_before_any_look_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(unmanned); i++) {
		rig_conf(unmanned[i].otp, "", unmanned[i].rest);
		rig_start(unmanned[i].service, unmanned[i].user);
		ROW(rig_run_lines(NULL, 0) == unmanned[i].ends, unmanned[i].name);
		ROW(strstr(rig.result.reason, unmanned[i].reason), unmanned[i].name);
		ROW(!rig.nshown && !rig.sends && !*rig.ops, unmanned[i].name);
	}
}

/* An own address is not elsewhere: a network does not exempt it, and its /32 does. */
static void
a_network_does_not_exempt_an_own_address(void **state)
{
	static const struct {
		const char *networks;
		bool own, skips;
	} rows[] = {
	    {"192.0.2.0/24", false, true},
	    {"192.0.2.0/24", true, false},
	    {"192.0.2.1/32", true, true},
	    {"192.0.2.1", true, true},
	};
	char rule[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)snprintf(rule, sizeof(rule), EXEMPT("networks = %s"), rows[i].networks);
		rig_conf("", "", rule);
		rig_start("sshd", "asha");
		rig.start.rhost = "192.0.2.1";
		rig.own_address = (struct in6_addr){0};
		if (rows[i].own)
			assert_true(rules_address("192.0.2.1", &rig.own_address));
		if (rows[i].skips)
			ROW(rig_run_lines(NULL, 0) == LOGIN_SKIP, rows[i].networks);
		else
			ROW(RUN(KIND(ANSWER_CANCELLED, ENTER)) == LOGIN_GONE, rows[i].networks);
	}
	rig.own_address = (struct in6_addr){0};
}

static void
other_services_are_asked(void **state)
{
	static const char *const services[] = {"dovecot", "sshd", "backup", "dovecot2", ""};

	(void)state;
	/* interactive_services has sudo, su and login by default; no service may be in both lists.
	 */
	rig_conf("never_prompt_services =", "", "");
	for (size_t i = 0; i < COUNT(services); i++) {
		rig_start(services[i], "asha");
		assert_int_equal(RUN(KIND(ANSWER_CANCELLED, ENTER)), LOGIN_GONE);
		ENDS(LOGIN_GONE, "cancelled");
	}
}

/* --- require_verified ---------------------------------------------------------------------- */

static void
verified_contact(const char *user, enum contact_kind kind, const char *address, int64_t at)
{
	struct contact c = {.kind = kind, .verified_at = at, .preferred = !at};
	struct contacts_edit *e = NULL;
	char path[320];

	(void)snprintf(path, sizeof(path), "%s", folder_at(&rig.folder, "contacts.db"));
	(void)snprintf(c.user, sizeof(c.user), "%s", user);
	(void)snprintf(c.address, sizeof(c.address), "%s", address);
	rig.real_contacts->ops->close(rig.real_contacts);
	assert_int_equal(contacts_edit_begin(path, &e), 0);
	(void)contacts_edit_remove(e, user, address, &(int){0});
	assert_int_equal(contacts_edit_add(e, &c), 0);
	assert_int_equal(contacts_edit_commit(e), 0);
	assert_int_equal(contacts_sqlite_open(path, geteuid(), &rig.real_contacts), 0);
}

static void
without_a_verified_contact_a_user_is_a_decoy(void **state)
{
	(void)state;
	/* The user is registered, so the sign-in is never skipped. */
	rig_conf("require_verified = yes\nunregistered = skip", "", "");
	assert_int_equal(RUN(SAY("Press Enter to have a verification code sent by ", ""),
			     SAY("A verification code was sent by ", "@wrong"),
			     SAY("Wrong code, 2 tries left.", "@wrong"),
			     SAY("Wrong code, 1 try left.", "@wrong")),
	    LOGIN_DENIED);
	ENDS(LOGIN_DENIED, "no contact that may get a code");
	assert_int_equal(rig.sends, 0);
	/* A user without any contact is skipped. */
	rig_start("sshd", "chandra");
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_SKIP);
}

static void
only_verified_contacts_are_used(void **state)
{
	(void)state;
	rig_conf("require_verified = yes", "", "");
	/* The preferred contact is not verified. */
	verified_contact("asha", CONTACT_PHONE, "+919876543220", 0);
	verified_contact("asha", CONTACT_PHONE, "+919876543219", 1700000000);
	assert_int_equal(
	    RUN(SAY(ENTER " by SMS to +91 ******** 19: ", ""), SAY(SENT, "@code")), LOGIN_OK);
	assert_string_equal(rig.sent_to, "+919876543219");
	/* Without the option, the preferred contact comes first, and there is a menu. */
	rig_conf("", "", "");
	assert_int_equal(
	    RUN(SAY("+91 ******** 20", "1"), SAY("+91 ******** 20", "@code")), LOGIN_OK);
	assert_string_equal(rig.sent_to, "+919876543220");
}

static void
one_service_may_require_verified_contacts(void **state)
{
	(void)state;
	rig_conf("", "", "[service admin]\nrequire_verified = yes\n");
	assert_int_equal(RUN(SAY(ENTER, ""), SAY(SENT, "@code")), LOGIN_OK);
	rig_start("admin", "asha");
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, "Press Enter")), LOGIN_GONE);
	rig.sends = 0;
	assert_int_equal(RUN(SAY("Press Enter", ""), KIND(ANSWER_CANCELLED, "sent")), LOGIN_GONE);
	assert_int_equal(rig.sends, 0);
}

/* A recovery code needs no contact, so none has to be verified. */
static void
recovery_codes_need_no_verified_contact(void **state)
{
	(void)state;
	rig_conf("require_verified = yes", "", "");
	rig_issue("asha", 2);
	assert_int_equal(RUN(SAY("Press Enter", "@rc0")), LOGIN_OK);
	assert_int_equal(rig.sends, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_service_that_cannot_prompt_ends_before_any_look_up),
	    TEST(a_network_does_not_exempt_an_own_address),
	    TEST(other_services_are_asked),
	    TEST(without_a_verified_contact_a_user_is_a_decoy),
	    TEST(only_verified_contacts_are_used),
	    TEST(one_service_may_require_verified_contacts),
	    TEST(recovery_codes_need_no_verified_contact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
