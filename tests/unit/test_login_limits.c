/*
 * The limits on messages and failures, for known and unknown sources (C27, C29, C30, C31, U22, U32,
 * U33, U34, S4, S5, S12). The tests call a source "home" if it is known.
 */
#include "tests/unit/login_rig.h"

#include "common/err.h"

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE };
#define DAY (INT64_C(24) * HOUR)

#define W_LEFT2	     "Wrong code, 2 tries left.\n"
#define W_LEFT1	     "Wrong code, 1 try left.\n"
#define LIMIT(span)  "Too many verification codes were sent. Try again in " span "."
#define LOCKED(span) "Too many wrong codes. Try again in " span "."
#define FOR_GOOD     "Too many wrong codes. Only your administrator can unlock this."
#define NEVER	     "ask_first = never"

static const char one_key[] = "publickey ssh-ed25519 AAAA";

/* Sends a code and leaves. Each call has a service of its own, so that it joins no other code. */
static void
send_one(void)
{
	static char service[16];
	static int n;

	(void)snprintf(service, sizeof(service), "s%d", n++);
	rig.start.service = service;
	RUN(KIND(ANSWER_CANCELLED, "A verification code was sent"));
	assert_int_equal(rig.result.word, LOGIN_GONE);
}

/* The same at a limit of this kind. The text does not show which limit it is. */
static void
refuse_one(const char *kind, const char *shown)
{
	char reason[64];
	int sends = rig.sends;

	rig.start.service = "sudo";
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_LOCKED);
	(void)snprintf(reason, sizeof(reason), "send limit: %s", kind);
	assert_string_equal(rig.result.reason, reason);
	assert_int_equal(rig.nshown, 1);
	assert_string_equal(rig.shown[0], shown);
	assert_int_equal(rig.sends, sends);
}

static const struct {
	const char *key, *kind;
} limits[] = {{"sends_per_user", "user"}, {"sends_per_address", "address"},
    {"sends_per_client", "client"}, {"sends_per_host", "host"},
    {"messages_per_address", "message"}};

static void
each_limit_refuses_at_its_count_and_frees_after_its_window(void **state)
{
	char text[64];

	for (size_t i = 0; i < COUNT(limits); i++) {
		rig_setup(state);
		/* Unknown sources may use half of what the host may send. */
		(void)snprintf(text, sizeof(text), "%s = %d/10m", limits[i].key,
		    strcmp(limits[i].kind, "host") ? 3 : 6);
		rig_conf(NEVER, text, "");
		for (int n = 0; n < 3; n++) {
			send_one();
			rig_later(MINUTE);
		}
		refuse_one(limits[i].kind, LIMIT("7 minutes"));
		/* Others are not refused. */
		rig_start("s", "bina");
		rig.start.rhost = "192.0.2.8";
		if (strcmp(limits[i].kind, "host"))
			send_one();
		rig_start("s", "asha");
		/* A clock that goes back frees nothing (U22). */
		rig.now.wall_ms -= HOUR;
		refuse_one(limits[i].kind, LIMIT("67 minutes"));
		rig.now.wall_ms += HOUR + 7 * MINUTE - 1;
		refuse_one(limits[i].kind, LIMIT("1 second"));
		rig_later(1);
		send_one();
		refuse_one(limits[i].kind, LIMIT("60 seconds"));
		rig_teardown(state);
	}
}

/* A client that has one address of a /64 can use all of them (U40). */
static void
a_client_of_ipv6_is_its_network(void **state)
{
	(void)state;
	rig_conf(NEVER, "sends_per_client = 2/15m", "");
	rig.start.rhost = "2001:db8::1";
	send_one();
	rig.start.rhost = "2001:db8::2";
	send_one();
	rig.start.rhost = "2001:db8::ffff:3";
	refuse_one("client", LIMIT("15 minutes"));
	rig.start.rhost = "2001:db8:0:1::1";
	send_one();
}

static void
a_day_has_a_limit_of_its_own(void **state)
{
	(void)state;
	rig_conf(NEVER, "sends_per_user = 2/15m, 5/1d", "");
	for (int n = 0; n < 4; n++) {
		send_one();
		rig_later(10 * MINUTE);
	}
	send_one();
	refuse_one("user", LIMIT("24 hours"));
	rig_later(DAY - 40 * MINUTE);
	send_one();
	refuse_one("user", LIMIT("10 minutes"));
}

/* S12: only sends since the last sign-in that ended in ok count. */
static void
ok_gives_back_all_but_the_messages(void **state)
{
	(void)state;
	rig_conf(NEVER,
	    "sends_per_user = 1/1d\nsends_per_address = 1/1d\nsends_per_client = 1/1d\n"
	    "sends_per_host = 1/1d\nmessages_per_address = 5/1d",
	    "");
	rig.start.service = "sudo";
	for (int n = 0; n < 5; n++)
		assert_int_equal(RUN(SAY(SENT, "@wrong"), SAY(W_LEFT2, "@code")), LOGIN_OK);
	assert_int_equal(rig_number("SELECT count(*) FROM send_event WHERE kind <> 'message'"), 0);
	refuse_one("message", LIMIT("24 hours"));
	/* A prompt for an unknown source costs a message as well. */
	assert_int_equal(rig_number("SELECT count(*) FROM send_event"), 5);
}

/* At a limit, a live code is still asked for and stays valid (U34). */
static void
a_live_code_is_asked_for_at_a_limit(void **state)
{
	(void)state;
	rig_conf(NEVER, "sends_per_user = 2/15m\nresend_wait = 0s", "");
	assert_int_equal(
	    RUN(SAY(SENT, "r"), SAY(SENT, "r"), SAY(LIMIT("15 minutes") "\n" PROMPT, ""),
		KIND(ANSWER_CANCELLED, PROMPT)),
	    LOGIN_GONE);
	assert_int_equal(
	    RUN(SAY(SENT, "r"), SAY(LIMIT("15 minutes") "\n" PROMPT, "@code")), LOGIN_OK);
	assert_int_equal(rig.sends, 2);
}

/* Fifty users sign in at once: all get a code before the first of them types it. */
static void
an_office_behind_one_address_signs_in(void **state)
{
	enum { PEOPLE = 50 };
	char user[32], code[PEOPLE][16];

	(void)state;
	rig_office(PEOPLE);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < PEOPLE; i++) {
			(void)snprintf(user, sizeof(user), "u%02d", i);
			rig_start("sshd", user);
			RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, "sent by SMS"));
			ENDS(LOGIN_GONE, "");
			strcpy(code[i], rig.code);
		}
		for (int i = 0; i < PEOPLE; i++) {
			(void)snprintf(user, sizeof(user), "u%02d", i);
			rig_start("sshd", user);
			if (i % 5)
				RUN(SAY("sent by SMS", code[i]));
			else
				RUN(SAY("sent by SMS", "x"), SAY("2 tries left", code[i]));
			ENDS(LOGIN_OK, "");
		}
		rig_later(MINUTE);
		*rig.transcript = '\0';
	}
	assert_int_equal(rig.sends, 2 * PEOPLE);
}

/* sudo, every minute of a working day, with a typing error now and then. */
static void
an_administrator_with_sudo_all_day_is_not_locked_out(void **state)
{
	const int minutes = rounds(8 * 60);

	(void)state;
	rig_start("sudo", "asha");
	rig.start.rhost = "", rig.start.ruser = "asha", rig.start.tty = "/dev/pts/3";
	for (int i = 0; i < minutes; i++) {
		if (i % 7)
			RUN(SAY(SENT, "@code"));
		else
			RUN(SAY(SENT, "@wrong"), SAY(W_LEFT2, "x"), SAY("1 try left", "@code"));
		ENDS(LOGIN_OK, "");
		rig_later(MINUTE);
		*rig.transcript = '\0';
	}
	assert_int_equal(rig.sends, minutes);
}

/* C30: sign-ins of unknown users cost the host no message, and meet the same limits. */
static void
decoys_meet_limits_and_use_up_none_of_the_hosts(void **state)
{
	char name[32];

	(void)state;
	rig_conf(NEVER, "sends_per_host = 4/1h", "");
	for (int i = 0; i < 5; i++) {
		(void)snprintf(name, sizeof(name), "ghost%d", i);
		rig_start("s", name);
		send_one();
	}
	assert_int_equal(rig_number("SELECT count(*) FROM send_event WHERE kind = 'host'"), 0);
	rig_start("s", "asha");
	send_one();
	send_one();
	refuse_one("host", LIMIT("60 minutes"));
	rig_start("s", "ghost9");
	refuse_one("host", LIMIT("60 minutes"));
	assert_int_equal(rig.sends, 2);
	assert_int_equal(rig_number("SELECT count(*) FROM send_event WHERE kind = 'host'"), 2);
	/* Their own limits are those of every user. */
	for (size_t i = 0; i < COUNT(limits); i++) {
		char text[64];

		rig_teardown(state);
		rig_setup(state);
		(void)snprintf(text, sizeof(text), "%s = 2/1h", limits[i].key);
		rig_conf(NEVER, text, "");
		rig_start("s", "ghost");
		if (strcmp(limits[i].kind, "host") != 0) {
			send_one();
			send_one();
			rig.start.service = "sudo";
			assert_int_equal(rig_run_lines(NULL, 0), LOGIN_LOCKED);
			assert_string_equal(rig.shown[0], LIMIT("60 minutes"));
		}
	}
}

/* Unknown names share a fixed number of counters: a million names do not fill the store. */
static void
unknown_names_share_their_counters(void **state)
{
	char name[32];

	(void)state;
	rig_conf(NEVER, "", "");
	for (int i = 0; i < 30; i++) {
		(void)snprintf(name, sizeof(name), "ghost%d", i);
		rig_start("s", name);
		rig.start.rhost = "";
		send_one();
	}
	assert_int_equal(rig_number("SELECT count(*) FROM send_event WHERE CAST(owner AS INTEGER) "
				    "NOT BETWEEN 0 AND 65535"),
	    0);
	assert_int_equal(
	    rig_number("SELECT count(*) FROM send_event WHERE owner LIKE '%ghost%'"), 0);
}

/* C30: a number outside of prefixes gets no message; the sign-in is that of a decoy. */
static void
numbers_outside_the_prefixes_are_never_sent_to(void **state)
{
	static const char *const otp[] = {"", "unregistered = skip"};

	for (size_t i = 0; i < COUNT(otp); i++) {
		rig_teardown(state);
		rig_setup(state);
		rig_conf(otp[i], "prefixes = +977, +9198765432", "");
		assert_int_equal(RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, SENT)), LOGIN_GONE);
		rig_conf(otp[i], "prefixes = +977, +91987654322, +1", "");
		rig.sends = 0, rig_later(10 * MINUTE);
		assert_int_equal(RUN(SAY("verification code sent by SMS to +977 ", ""),
				     SAY("sent by SMS to +977 ", "@code"), SAY(W_LEFT2, "123456"),
				     SAY(W_LEFT1, "000000")),
		    LOGIN_DENIED);
		ENDS(LOGIN_DENIED, "no contact that may get a code");
		assert_int_equal(rig.sends, 0);
	}
	rig_later(10 * MINUTE);
	/* Numbers inside of the prefixes are offered, and mailboxes always are. */
	rig_contact("asha", CONTACT_EMAIL, "asha@example.com");
	assert_int_equal(
	    RUN(SAY(ENTER " by e-mail to a***@e***.com: ", ""), SAY("by e-mail", "@code")),
	    LOGIN_OK);
	rig_contact("asha", CONTACT_PHONE, "+9779812345678");
	assert_int_equal(RUN(SAY("  1  by SMS to +977 ******** 78\n  2  by e-mail", ""),
			     SAY("by SMS to +977 ******** 78", "@code")),
	    LOGIN_OK);
}

/* A number that the provider refuses has the usual limits, which would show it otherwise. */
static void
refused_addresses_are_limited_too(void **state)
{
	(void)state;
	rig_conf(NEVER, "sends_per_user = 3/15m", "");
	rig.sends_as[0] = CLASS_BAD_DESTINATION, rig.nsends_as = 1;
	for (int n = 0; n < 3; n++)
		send_one();
	refuse_one("user", LIMIT("15 minutes"));
	/* A refused request may have been carried out, so each one counts once. */
	assert_int_equal(rig_number("SELECT count(*) FROM send_event WHERE kind = 'host'"), 3);
}

/* --- who is known ------------------------------------------------------------------------- */

#define FIVE_TRIES "ask_first = never\ntries = 5"

/* Prepares a sign-in from a source. A local one has no rhost, but a caller and a terminal. */
static void
come_from(const char *service, const char *rhost, const char *auth, const char *ruser)
{
	rig_start(service, "asha");
	rig.start.rhost = rhost;
	rig.start.ssh_auth_info = auth;
	rig.start.ruser = ruser;
	rig.start.tty = *rhost ? "ssh" : "/dev/pts/3";
}

static void
come_from_unknown_source(int host)
{
	static char rhost[32];

	(void)snprintf(rhost, sizeof(rhost), "203.0.113.%d", host);
	come_from("sshd", rhost, "", "");
}

static void
come_from_home(void)
{
	come_from("sshd", "192.0.2.7", one_key, "");
}

static void
signs_in(void)
{
	RUN(SAY("A verification code was sent by SMS to +91", "@code"));
	ENDS(LOGIN_OK, "right code");
}

static void
is_locked_out(const char *shown)
{
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_LOCKED);
	ENDS(LOGIN_LOCKED, "too many failures in a row");
	assert_string_equal(rig.shown[0], shown);
}

/* Unknown sources cannot use up all messages of the host: known sources still get theirs. */
static void
unknown_sources_leave_half_of_the_hosts_messages(void **state)
{
	(void)state;
	rig_conf(NEVER, "sends_per_host = 4/1h", "");
	come_from_home();
	signs_in();
	rig.start.rhost = "198.51.100.9";
	send_one();
	send_one();
	refuse_one("host", LIMIT("60 minutes"));
	come_from_home();
	signs_in();
}

/* Unknown sources at one client address cannot use up the sends of a known source there. */
static void
unknown_sources_leave_known_sources_their_sends(void **state)
{
	(void)state;
	rig_conf(NEVER, "sends_per_client = 2/1h", "");
	come_from_home();
	signs_in();
	come_from("sshd", rig.start.rhost, "", "");
	send_one();
	rig_later(60000);
	rig_start("sshd", "ghost");
	come_from_home();
	rig.start.ssh_auth_info = "";
	RUN(KIND(ANSWER_CANCELLED, "verification code was sent"));
	rig_start("sshd", "bina");
	come_from_home();
	rig.start.ssh_auth_info = "";
	refuse_one("client", LIMIT("59 minutes"));
	rig_start("sshd", "asha");
	come_from_home();
	signs_in();
}

static void
five_wrong(void)
{
	RUN(SAY("A verification", "@wrong"), SAY("4 tries left", "@wrong"),
	    SAY("3 tries left", "@wrong"), SAY("2 tries left", "@wrong"),
	    SAY("1 try left", "@wrong"));
	ENDS(LOGIN_DENIED, "");
}

/* Ten wrong codes in two sign-ins from one source. It needs resend_wait = 0s. */
static void
ten_wrong(void)
{
	five_wrong();
	RUN(SAY("ended", "r"), SAY(SENT, "@wrong"), SAY("4 tries", "@wrong"),
	    SAY("3 tries", "@wrong"), SAY("2 tries", "@wrong"), SAY("1 try", "@wrong"));
	ENDS(LOGIN_DENIED, "wrong code");
}

/* One more failure after ten: the next lock is twice as long. */
static void
fails_once_more(void)
{
	RUN(SAY(SENT, "@wrong"), SAY("4 tries left", "@code"));
	ENDS(LOGIN_LOCKED, "too many failures in a row");
	assert_string_equal(rig.shown[0], LOCKED("60 seconds"));
}

/* Ten wrong codes, which lock unknown sources out for half a minute. */
static void
unknown_sources_fail(void)
{
	for (int host = 1; host <= 2; host++) {
		come_from_unknown_source(host);
		five_wrong();
	}
	come_from_unknown_source(3);
	is_locked_out(LOCKED("30 seconds"));
	assert_null(strstr(rig.result.reason, "known"));
}

/* Uses up all messages that unknown sources may still cause. */
static void
unknown_sources_send(void)
{
	for (int host = 10; host < 13; host++) {
		come_from_unknown_source(host);
		RUN(KIND(ANSWER_CANCELLED, SENT));
		ENDS(LOGIN_GONE, "");
	}
	come_from_unknown_source(13);
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_LOCKED);
	ENDS(LOGIN_LOCKED, "send limit: ");
}

static void
unknown_sources_lock_out_only_unknown_sources(void **state)
{
	(void)state;
	rig_conf(FIVE_TRIES, "", "");
	come_from_home();
	signs_in();
	unknown_sources_fail();
	come_from_home();
	signs_in();
	/* The user at an unknown source is treated as any unknown source. */
	come_from("sshd", "192.0.2.8", one_key, "");
	is_locked_out(LOCKED("30 seconds"));
	rig_later(30000);
	unknown_sources_send();
	for (int i = 0; i < 7; i++) {
		come_from_home();
		signs_in();
	}
	RUN(SAY(SENT, "@wrong"), KIND(ANSWER_CANCELLED, "4 tries left"));
	signs_in();
	/* A sign-in at the known source does not unlock unknown sources. */
	come_from_unknown_source(14);
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_LOCKED);
	ENDS(LOGIN_LOCKED, "send limit: ");
	rig_later(15 * MINUTE);
	fails_once_more();
}

static void
forgive(void)
{
	const char *const address[] = {"+919876543219"};
	int removed = 0;

	assert_int_equal(
	    rig.real_store->ops->unlock(rig.real_store, "asha", address, 1, &removed), 0);
	assert_true(removed > 0);
}

/*
 * Whoever is behind the same network can use a network without a key. So it has a budget of its own
 * for failures, and shares all others with unknown sources.
 */
static void
a_network_alone_is_seen_and_has_failures_of_its_own(void **state)
{
	(void)state;
	rig_conf(FIVE_TRIES, "sends_per_user = 2/15m", "");
	come_from("sshd", "192.0.2.8", "", "");
	signs_in();
	unknown_sources_fail();
	come_from("sshd", "192.0.2.8", "", "");
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_LOCKED);
	ENDS(LOGIN_LOCKED, "send limit: ");
	rig_later(15 * MINUTE);
	RUN(SAY(SENT, "@wrong"), KIND(ANSWER_CANCELLED, "4 tries left"));
	assert_int_equal(
	    rig_number("SELECT failures FROM budget WHERE place = 'net 192.0.2.8 '"), 1);
	assert_int_equal(rig_number("SELECT count(*) FROM send_event WHERE place <> ''"), 0);
}

/* Somebody behind the same network as the owner, with the password alone, spends nothing of hers.
 */
static void
a_network_that_is_shared_leaves_the_owner_with_a_key_alone(void **state)
{
	(void)state;
	rig_conf(
	    FIVE_TRIES, "resend_wait = 0s\nsends_per_client = 4/1h\nsends_per_user = 2/1h", "");
	come_from_home();
	signs_in();
	come_from("sshd", "192.0.2.7", "", "");
	signs_in();
	ten_wrong();
	is_locked_out(LOCKED("30 seconds"));
	ENDS(LOGIN_LOCKED, "from a seen network");
	rig_later(10 * MINUTE);
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_LOCKED);
	ENDS(LOGIN_LOCKED, "send limit: user");
	come_from_home();
	for (int i = 0; i < 4; i++)
		signs_in();
}

#define OTHER_KEY "publickey ssh-ed25519 BBBB"
static const struct source_row {
	const char *name, *rhost, *auth, *ruser; /* where the user has signed in before */
	const char *service2, *rhost2, *auth2, *ruser2;
	bool apart; /* failures there are not those of unknown sources */
} sources[] = {
    {"the same", "192.0.2.7", "", "", "sshd", "192.0.2.7", "", "", true},
    {"another service", "192.0.2.7", "", "", "other", "192.0.2.7", "", "", true},
    {"mapped", "192.0.2.7", "", "", "sshd", "::ffff:192.0.2.7", "", "", true},
    {"another address", "192.0.2.7", "", "", "sshd", "192.0.2.8", "", "", false},
    {"a key, too", "192.0.2.7", "", "", "sshd", "192.0.2.7", OTHER_KEY, "", false},
    {"no key", "192.0.2.7", OTHER_KEY, "", "sshd", "192.0.2.7", "", "", false},
    {"another key", "192.0.2.7", OTHER_KEY, "", "sshd", "192.0.2.7", "publickey ssh-ed25519 CCCC",
	"", false},
    {"the key alone", "192.0.2.7", OTHER_KEY, "", "sshd", "192.0.2.8", OTHER_KEY, "", false},
    {"the same /64", "2001:db8::7", OTHER_KEY, "", "sshd", "2001:db8::9:9:9:9", OTHER_KEY, "",
	true},
    {"another /64", "2001:db8::7", "", "", "sshd", "2001:db8:0:1::7", "", "", false},
    {"the same caller", "", "", "asha", "su", "", "", "asha", true},
    {"another caller", "", "", "asha", "su", "", "", "bina", false},
    {"a caller from afar", "", "", "asha", "sshd", "192.0.2.7", "", "asha", false},
    {"a caller behind a name", "", "", "asha", "sshd", "unit.example", "", "asha", false},
    {"no caller", "", "", "", "login", "", "", "", true}, /* the same terminal */
    {"a name alone", "unit.example", "", "", "sshd", "unit.example", "", "", false},
};

static void
a_source_has_failures_of_its_own_by_network_and_key_or_caller(void **state)
{
	for (size_t i = 0; i < COUNT(sources); i++) {
		const struct source_row *row = &sources[i];

		rig_setup(state);
		print_message("%s\n", row->name);
		rig_conf(FIVE_TRIES, "", "");
		come_from("sshd", row->rhost, row->auth, row->ruser);
		signs_in();
		unknown_sources_fail();
		come_from(row->service2, row->rhost2, row->auth2, row->ruser2);
		if (row->apart)
			signs_in();
		else
			is_locked_out(LOCKED("30 seconds"));
		rig_teardown(state);
	}
}

static void
a_source_is_known_for_thirty_days(void **state)
{
	static const struct {
		int64_t after;
		bool known;
	} rows[] = {{30 * DAY - 1, true}, {30 * DAY, false}, {0, true}, {-2 * DAY, true},
	    {-60 * DAY, true}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		rig_setup(state);
		rig_conf(FIVE_TRIES, "", "");
		come_from_home();
		signs_in();
		rig_later(rows[i].after - 10000);
		unknown_sources_fail();
		rig_later(10000);
		come_from_home();
		if (rows[i].known)
			signs_in();
		else
			is_locked_out(LOCKED("20 seconds"));
		/* Each sign-in makes the source known for thirty more days. */
		if (rows[i].known) {
			rig_later(30 * DAY - 10001);
			forgive();
			unknown_sources_fail();
			rig_later(10000);
			come_from_home();
			signs_in();
		}
		rig_teardown(state);
	}
}

static void
a_known_source_has_a_lock_of_its_own(void **state)
{
	(void)state;
	rig_conf(FIVE_TRIES, "resend_wait = 0s", "");
	come_from_home();
	signs_in();
	come_from("sshd", "192.0.2.8", "", "");
	signs_in();
	come_from_home();
	ten_wrong();
	is_locked_out(LOCKED("30 seconds"));
	ENDS(LOGIN_LOCKED, "from a known source");
	come_from("sshd", "192.0.2.8", "", "");
	signs_in();
	come_from_unknown_source(1);
	signs_in();
	come_from_home();
	is_locked_out(LOCKED("30 seconds"));
}

static void
only_a_right_code_at_a_host_of_root_makes_a_source_known(void **state)
{
	static const char sources_sql[] = "SELECT count(*) FROM known_place";

	(void)state;
	rig_conf(FIVE_TRIES, "resend_wait = 0s", "");
	come_from_home();
	RUN(SAY(SENT, "@wrong"), SAY("", "x"), KIND(ANSWER_CANCELLED, ""));
	rig_start("sshd", "ghost");
	five_wrong();
	rig_start("sshd", "chandra");
	five_wrong();
	come_from_home();
	rig.start.peer = 1001;
	signs_in();
	assert_int_equal(rig_number(sources_sql), 0);
	rig_later(10 * MINUTE);
	come_from_home();
	signs_in();
	assert_int_equal(rig_number(sources_sql), 1);
}

/* A host that is not root uses up and resets only its own budgets, and messages (C29, C30). */
static void
hosts_that_are_not_root_have_budgets_of_their_own(void **state)
{
	(void)state;
	rig_conf(FIVE_TRIES, "messages_per_address = 13/1h", "");
	come_from_home();
	signs_in();
	rig.start.peer = 1001;
	for (int i = 0; i < 5; i++)
		RUN(KIND(ANSWER_CANCELLED, SENT));
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_LOCKED);
	ENDS(LOGIN_LOCKED, "send limit: peer-");
	/* At a host of root, from unknown sources and from home. */
	unknown_sources_fail();
	rig_later(30000);
	unknown_sources_send();
	/* Its sign-in does not reset the budget of unknown sources. */
	rig_later(15 * MINUTE);
	come_from_home();
	rig.start.peer = 1001;
	signs_in();
	come_from_unknown_source(20);
	fails_once_more();
	/* 1 + 5 + 5 + 1 + 1 messages count, and there is no fourteenth. */
	come_from_home();
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_LOCKED);
	ENDS(LOGIN_LOCKED, "send limit: message");
}

/* --- a hundred thousand tries -------------------------------------------------------------- */

enum { SOURCES = 250 };

static struct {
	char code[SOURCES][16]; /* sent to the user, for this source */
	int level, deepest, turn;
	int64_t tries, locked;
} attack;

static void attack_once(void);

/* Opens more prompts while its own is open, so that none has counted the others' failures. */
static int
attacker(const char *prompt, enum answer *kind, char *typed, size_t size)
{
	int source = attack.turn % SOURCES;

	if (strstr(prompt, "was sent") && rig.sends) {
		if (*rig.code)
			(void)snprintf(attack.code[source], sizeof(attack.code[0]), "%s", rig.code);
		*rig.code = '\0';
	}
	if (attack.level < attack.deepest) {
		struct rig saved = rig;
		int turn = attack.turn;

		attack_once();
		saved.now = rig.now;
		rig = saved;
		attack.turn = turn;
	}
	attack.tries++;
	*kind = ANSWER_TEXT;
	(void)snprintf(typed, size, "%s", attack.code[source]);
	*typed = *typed == '9' ? '0' : (char)(*typed + 1);
	if (strstr(prompt, "ended"))
		(void)snprintf(typed, size, "r");
	return 0;
}

static void
attack_once(void)
{
	static char rhost[32];

	attack.turn++;
	attack.level++;
	(void)snprintf(rhost, sizeof(rhost), "203.0.113.%d", attack.turn % SOURCES);
	come_from("sshd", rhost, "", "");
	*rig.transcript = *rig.sent_destinations = *rig.code = '\0';
	rig_run_lines(NULL, 0);
	if (rig.result.word == LOGIN_OK)
		fail_msg("let in by try %lld", (long long)attack.tries);
	if (rig.result.word == LOGIN_LOCKED) {
		attack.tries++;
		attack.locked++;
	}
	attack.level--;
}

/* S4, C29: a hundred wrong codes in a row and no more, from however many sources at once. */
static void
unknown_sources_get_a_hundred_tries_and_no_more(void **state)
{
	const int64_t tries = rounds(10) == 10 ? 100000 : 1200;

	(void)state;
	memset(&attack, 0, sizeof(attack));
	attack.deepest = rounds(10) == 10 ? 6 : 2;
	rig_conf(FIVE_TRIES,
	    "resend_wait = 0s\nsends_per_user = 1000/1m\nsends_per_address = 1000/1m\n"
	    "sends_per_client = 10000/1m\nsends_per_host = 100000/1m\n"
	    "messages_per_address = 100000/1m",
	    "");
	come_from_home();
	signs_in();
	rig.person = attacker;
	while (attack.tries < tries) {
		attack_once();
		rig_later(25 * DAY / tries);
	}
	print_message("%lld tries, %lld of them locked out, %d sends\n", (long long)attack.tries,
	    (long long)attack.locked, rig.sends);
	assert_int_equal(rig_wrong, CONF_FAILURES_MOST);
	assert_int_equal(rig_number("SELECT sum(failures) FROM budget"), CONF_FAILURES_MOST);
	/* Only an administrator ends this lock. The user at home is not affected. */
	rig.person = NULL;
	come_from_home();
	signs_in();
	rig_later(29 * DAY);
	come_from_unknown_source(1);
	is_locked_out(FOR_GOOD);
	ENDS(LOGIN_LOCKED, "until unlocked");
	come_from_home();
	signs_in();
	rig_later(400 * DAY);
	come_from_unknown_source(1);
	is_locked_out(FOR_GOOD);
	forgive();
	signs_in();
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_limit_refuses_at_its_count_and_frees_after_its_window),
	    TEST(a_client_of_ipv6_is_its_network),
	    TEST(a_day_has_a_limit_of_its_own),
	    TEST(ok_gives_back_all_but_the_messages),
	    TEST(a_live_code_is_asked_for_at_a_limit),
	    TEST(an_office_behind_one_address_signs_in),
	    TEST(an_administrator_with_sudo_all_day_is_not_locked_out),
	    TEST(unknown_sources_leave_half_of_the_hosts_messages),
	    TEST(unknown_sources_leave_known_sources_their_sends),
	    TEST(decoys_meet_limits_and_use_up_none_of_the_hosts),
	    TEST(unknown_names_share_their_counters),
	    TEST(numbers_outside_the_prefixes_are_never_sent_to),
	    TEST(refused_addresses_are_limited_too),
	    TEST(unknown_sources_lock_out_only_unknown_sources),
	    cmocka_unit_test(a_source_has_failures_of_its_own_by_network_and_key_or_caller),
	    cmocka_unit_test(a_source_is_known_for_thirty_days),
	    TEST(a_network_alone_is_seen_and_has_failures_of_its_own),
	    TEST(a_network_that_is_shared_leaves_the_owner_with_a_key_alone),
	    TEST(a_known_source_has_a_lock_of_its_own),
	    TEST(only_a_right_code_at_a_host_of_root_makes_a_source_known),
	    TEST(hosts_that_are_not_root_have_budgets_of_their_own),
	    TEST(unknown_sources_get_a_hundred_tries_and_no_more),
	};

	return cmocka_run_group_tests_name("login_limits", tests, NULL, NULL);
}
