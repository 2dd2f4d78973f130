/*
 * Sign-ins as transcripts: what the user sees, types and gets, on a real store (U22, U13, Q5,
 * Q10, Q17, Q24, Q28, C12, C20, C29, C32, S2).
 */
#include "tests/unit/login_rig.h"

#include "common/err.h"

#define W_LEFT2		   "Wrong code, 2 tries left.\n"
#define W_LEFT1		   "Wrong code, 1 try left.\n"
#define ENDED		   "That code has ended. Type r to have a new one sent.\n"
#define DIGITS(n)	   "A verification code has " n " digits, "
#define LOCKED(span)	   "Too many wrong codes. Try again in " span "."
#define LIMIT(span)	   "Too many verification codes were sent. Try again in " span "."
#define EXEMPT(conditions) "[exempt x]\nreason = because\nuntil = 2026-12-31\n" conditions "\n"

static const struct transcript {
	const char *name, *otp, *rest, *service, *user;
	struct line line[10];
	enum login_word word;
	const char *reason;
	int sends;
} transcripts[] = {
    {"right code", "", "", "sshd", "asha", {SAY(ENTER, ""), SAY(SENT PROMPT, "@code")}, LOGIN_OK,
	"right code", 1},
    {"with blanks and dashes", "", "", "sshd", "asha", {SAY(ENTER, ""), SAY(SENT, "@spaced")},
	LOGIN_OK, "", 1},
    {"another spelling", "", "", "sshd", "ASHA", {SAY(ENTER, ""), SAY(SENT, "@code")}, LOGIN_OK, "",
	1},
    {"by e-mail", "", "", "sshd", "bina",
	{SAY(ENTER " by e-mail to b***@e***.com: ", ""),
	    SAY("A verification code was sent by e-mail to b***@e***.com.", "@code")},
	LOGIN_OK, "", 1},
    {"wrong three times", "", "", "sshd", "asha",
	{SAY(ENTER, ""), SAY(SENT, "@wrong"), SAY(W_LEFT2, "@wrong"), SAY(W_LEFT1, "@wrong")},
	LOGIN_DENIED, "wrong code", 1},
    {"wrong, then right", "", "", "sshd", "asha",
	{SAY(ENTER, ""), SAY(SENT, "@wrong"), SAY(W_LEFT2, "@wrong"), SAY(W_LEFT1, "@code")},
	LOGIN_OK, "", 1},
    {"one try", "tries = 1", "", "sshd", "asha", {SAY(ENTER, ""), SAY(SENT, "@wrong")},
	LOGIN_DENIED, "wrong code", 1},
    {"malformed", "", "", "sshd", "asha",
	{SAY(ENTER, ""), SAY(SENT, "12345"), SAY(DIGITS("6") "2 tries left.\n", "1234567"),
	    SAY(DIGITS("6") "1 try left.\n", "abcdef")},
	LOGIN_DENIED, "malformed code", 1},
    {"sshd's junk for a refused user", "tries = 1", "", "sshd", "asha",
	{SAY(ENTER, ""), SAY(SENT, "\b\n\r\177INCORRECT")}, LOGIN_DENIED, "malformed code", 1},
    {"malformed, then right", "", "", "sshd", "asha",
	{SAY(ENTER, ""), SAY(SENT, "x"), SAY(DIGITS("6"), "@code")}, LOGIN_OK, "", 1},
    {"the last moment", "", "", "sshd", "asha", {SAY(ENTER, ""), LATER(299999, SENT, "@code")},
	LOGIN_OK, "", 1},
    {"expired", "", "", "sshd", "asha",
	{SAY(ENTER, ""), LATER(300000, SENT, "@code"), SAY(ENDED, "@code"), SAY(ENDED, "@code")},
	LOGIN_DENIED, "expired code", 1},
    {"expired, sent again", "", "", "sshd", "asha",
	{SAY(ENTER, ""), LATER(300000, SENT, "@code"), SAY(ENDED, "r"), SAY(SENT, "@code")},
	LOGIN_OK, "", 2},
    {"sent again too early", "", "", "sshd", "asha",
	{SAY(ENTER, ""), LATER(10000, SENT, "r"),
	    LATER(19999, "A new code can be sent in 20 seconds.\n", "r"),
	    LATER(1, "A new code can be sent in 1 second.\n", "r"), SAY(SENT, "@code")},
	LOGIN_OK, "", 2},
    {"sent again, the old one dead", "", "", "sshd", "asha",
	{SAY(ENTER, ""), LATER(30000, SENT, "R"), SAY(SENT, "@old"), SAY(W_LEFT2, "@code")},
	LOGIN_OK, "", 2},
    {"sent again, in full width", "", "", "sshd", "asha",
	{SAY(ENTER, ""), LATER(30000, SENT, "\uff52"), LATER(30000, SENT, "\uff32"),
	    SAY(SENT, "\uff53"), SAY("A verification code has", "@code")},
	LOGIN_OK, "", 3},
    {"empty is not counted", "", "", "sshd", "asha",
	{SAY(ENTER, ""), SAY(SENT, ""), SAY(PROMPT, ""), SAY(PROMPT, ""), SAY(PROMPT, ""),
	    SAY(PROMPT, "@wrong"), SAY(W_LEFT2, ""), SAY(PROMPT, "@code")},
	LOGIN_OK, "", 1},
    {"only Enter is a yes", "", "", "sshd", "asha",
	{SAY(ENTER, "yes"), SAY(ENTER, "r"), SAY(ENTER, "123456"), SAY(ENTER, "asha"),
	    SAY(ENTER, ""), SAY(SENT, "@code")},
	LOGIN_OK, "", 1},
    {"blanks are Enter", "", "", "sshd", "asha", {SAY(ENTER, "  "), SAY(SENT, "@code")}, LOGIN_OK,
	"", 1},
    {"an ideographic space is Enter", "", "", "sshd", "asha",
	{SAY(ENTER, "\u3000"), SAY(SENT, "\u3000"), SAY(PROMPT, "@code")}, LOGIN_OK, "", 1},
    {"invisible characters are Enter", "", "", "sshd", "asha",
	{SAY(ENTER, "\u200e\ufeff\r"), SAY(SENT, "\u200b"), SAY(PROMPT, "@code")}, LOGIN_OK, "", 1},
    {"blanks are an empty answer to the code", "", "", "sshd", "asha",
	{SAY(ENTER, ""), SAY(SENT, " "), SAY(PROMPT, " \t "), SAY(PROMPT, "\t"), SAY(PROMPT, "  "),
	    SAY(PROMPT, "@wrong"), SAY(W_LEFT2, "@code")},
	LOGIN_OK, "", 1},
    {"a resend with blanks around", "", "", "sshd", "asha",
	{SAY(ENTER, ""), LATER(30000, SENT, " r\t"), SAY(SENT, "@old"), SAY(W_LEFT2, "@code")},
	LOGIN_OK, "", 2},
    {"a resend between invisible characters, pasted", "", "", "sshd", "asha",
	{SAY(ENTER, ""), LATER(30000, SENT, "\x1b[200~\u200e\uff32\r\x1b[201~"), SAY(SENT, "@old"),
	    SAY(W_LEFT2, "@code")},
	LOGIN_OK, "", 2},
    {"a blind host", "", "", "sshd", "asha", {KIND(ANSWER_BLIND, ENTER)}, LOGIN_GONE,
	"the host cannot prompt: it answered by itself", 0},
    {"a blind host, unknown user", "", "", "sshd", "ghost", {KIND(ANSWER_BLIND, ENTER)}, LOGIN_GONE,
	"the host cannot prompt: it answered by itself", 0},
    {"blind at the second question", "", "", "sshd", "asha",
	{SAY(ENTER, "yes"), KIND(ANSWER_BLIND, ENTER)}, LOGIN_GONE, "the host cannot prompt", 0},
    {"cancelled before", "", "", "sshd", "asha", {KIND(ANSWER_CANCELLED, ENTER)}, LOGIN_GONE,
	"cancelled", 0},
    {"no conversation", "", "", "sshd", "asha", {KIND(ANSWER_CONV, ENTER)}, LOGIN_GONE,
	"the host cannot prompt: sshd's password method", 0},
    {"no conversation at the second question", "", "", "sshd", "asha",
	{SAY(ENTER, "yes"), KIND(ANSWER_CONV, ENTER)}, LOGIN_GONE, "the conversation failed", 0},
    {"no conversation at the code", "", "", "sshd", "asha",
	{SAY(ENTER, ""), KIND(ANSWER_CONV, SENT)}, LOGIN_GONE, "the conversation failed", 1},
    {"gone before", "", "", "sshd", "asha", {FAIL(-OTP_EGONE, ENTER)}, LOGIN_GONE, "", 0},
    {"no answer before", "", "", "sshd", "asha", {FAIL(-OTP_ETIME, ENTER)}, LOGIN_DENIED,
	"no answer in time", 0},
    {"no memory before", "", "", "sshd", "asha", {FAIL(-OTP_ENOMEM, ENTER)}, LOGIN_BROKEN, "", 0},
    {"blind at the code", "", "", "sudo", "asha",
	{KIND(ANSWER_BLIND, SENT), KIND(ANSWER_BLIND, W_LEFT2), KIND(ANSWER_BLIND, W_LEFT1)},
	LOGIN_GONE, "the host cannot prompt: it answered by itself", 1},
    {"blind at the code, one try", "tries = 1", "", "sudo", "asha", {KIND(ANSWER_BLIND, SENT)},
	LOGIN_GONE, "the host cannot prompt", 1},
    {"blind at the code, no contact", "", "", "sudo", "chandra",
	{KIND(ANSWER_BLIND, "sent by SMS"), KIND(ANSWER_BLIND, W_LEFT2),
	    KIND(ANSWER_BLIND, W_LEFT1)},
	LOGIN_GONE, "", 0},
    {"blind at the code, unknown user", "", "", "sshd", "ghost",
	{SAY(ENTER, ""), KIND(ANSWER_BLIND, "sent by SMS"), KIND(ANSWER_BLIND, W_LEFT2),
	    KIND(ANSWER_BLIND, W_LEFT1)},
	LOGIN_GONE, "", 0},
    {"blind, wrong, right", "", "", "sudo", "asha",
	{KIND(ANSWER_BLIND, SENT), SAY(W_LEFT2, "@wrong"), SAY(W_LEFT1, "@code")}, LOGIN_OK, "", 1},
    {"blind, then wrong twice", "", "", "sudo", "asha",
	{KIND(ANSWER_BLIND, SENT), SAY(W_LEFT2, "@wrong"), SAY(W_LEFT1, "@wrong")}, LOGIN_DENIED,
	"wrong code", 1},
    {"cancelled at the code", "", "", "sudo", "asha", {KIND(ANSWER_CANCELLED, SENT)}, LOGIN_GONE,
	"cancelled", 1},
    {"gone at the code", "", "", "sudo", "asha", {FAIL(-OTP_EGONE, SENT)}, LOGIN_GONE, "", 1},
    {"no answer at the code", "", "", "sudo", "asha", {FAIL(-OTP_ETIME, SENT)}, LOGIN_DENIED,
	"no answer in time", 1},
    {"interactive service", "", "", "sudo", "asha", {SAY(SENT, "@code")}, LOGIN_OK, "", 1},
    {"never asked first", "ask_first = never", "", "sshd", "asha", {SAY(SENT, "@code")}, LOGIN_OK,
	"", 1},
    {"always asked first", "ask_first = always", "", "sudo", "asha",
	{SAY(ENTER, ""), SAY(SENT, "@code")}, LOGIN_OK, "", 1},
    {"no contact", "", "", "sshd", "chandra",
	{SAY(ENTER, ""), SAY("A verification code was sent by SMS to +", "@wrong"),
	    SAY(W_LEFT2, "@wrong"), SAY(W_LEFT1, "@wrong")},
	LOGIN_DENIED, "no contact", 0},
    {"no contact, skip", "unregistered = skip", "", "sshd", "chandra", {SAY(NULL, NULL)},
	LOGIN_SKIP, "no contact", 0},
    {"unknown user", "", "", "sshd", "ghost",
	{SAY(ENTER, ""), SAY("A verification code was sent by SMS to +", "@wrong"),
	    SAY(W_LEFT2, "000000"), SAY(W_LEFT1, "999999")},
	LOGIN_DENIED, "unknown user", 0},
    {"unknown user, skip", "unregistered = skip", "", "sshd", "ghost",
	{SAY(ENTER, ""), SAY("A verification code was sent by SMS to +", "@wrong"),
	    SAY(W_LEFT2, "@wrong"), SAY(W_LEFT1, "@wrong")},
	LOGIN_DENIED, "unknown user", 0},
    {"no name", "unregistered = skip", "", "sudo", "", {SAY(NULL, NULL)}, LOGIN_BROKEN, "", 0},
    {"registered, skip", "unregistered = skip", "", "sshd", "asha",
	{SAY(ENTER, ""), SAY(SENT, "@code")}, LOGIN_OK, "", 1},
    {"exempt", "", EXEMPT("users = asha"), "sshd", "asha", {SAY(NULL, NULL)}, LOGIN_SKIP,
	"rule exempt x: because", 0},
    {"exempt by network", "", EXEMPT("networks = 192.0.2.0/24"), "sshd", "ASHA", {SAY(NULL, NULL)},
	LOGIN_SKIP, "rule exempt x", 0},
    {"exempt, unknown user", "", EXEMPT("networks = 192.0.2.0/24"), "sudo", "ghost",
	{KIND(ANSWER_CANCELLED, "A verification code was sent")}, LOGIN_GONE, "", 0},
    {"exempt elsewhere", "", EXEMPT("users = asha\nservices = sudo"), "sshd", "asha",
	{SAY(ENTER, ""), SAY(SENT, "@code")}, LOGIN_OK, "", 1},
    {"exempt without a key", "", EXEMPT("users = asha\nrequires = publickey"), "sshd", "asha",
	{SAY(ENTER, ""), SAY(SENT, "@code")}, LOGIN_OK, "", 1},
    {"exempt, over", "", "[exempt x]\nreason = because\nuntil = 2026-06-01\nusers = asha\n", "sshd",
	"asha", {SAY(ENTER, ""), SAY(SENT, "@code")}, LOGIN_OK, "", 1},
    {"a service's own options", "", "[service sshd]\nask_first = never\ntries = 1\n", "sshd",
	"asha", {SAY(SENT, "@wrong")}, LOGIN_DENIED, "", 1},
};

static void
transcripts_end_as_they_should(void **state)
{
	for (size_t i = 0; i < COUNT(transcripts); i++) {
		const struct transcript *t = &transcripts[i];
		size_t n = 0;

		print_message("%s\n", t->name);
		rig_setup(state);
		rig_conf(t->otp, "", t->rest);
		rig_start(t->service, t->user);
		while (n < COUNT(t->line) && t->line[n].prompt)
			n++;
		rig_run_lines(t->line, n);
		ENDS(t->word, t->reason);
		ROW(rig.sends == t->sends, t->name);
		ROW(!t->sends || !strcmp(rig.sent_to, strcmp(t->user, "bina") ? "+919876543219"
									      : "bina@example.com"),
		    t->name);
		rig_teardown(state);
	}
}

static void
every_length_of_code_works(void **state)
{
	char otp[64];

	for (int n = 6; n <= 10; n++) {
		rig_setup(state);
		(void)snprintf(otp, sizeof(otp), "code_length = %d\nask_first = never", n);
		rig_conf(otp, "", "");
		assert_int_equal(
		    RUN(SAY(SENT, "1"), SAY("A verification code has ", "@code")), LOGIN_OK);
		assert_int_equal(strlen(rig.code), n);
		rig_teardown(state);
	}
}

/* A host that answers by itself must end. Nothing is sent or counted meanwhile (Q28). */
static void
endless_answers_end_the_sign_in(void **state)
{
	static const struct line junk[20] = {[0 ... 19] = SAY(ENTER, "junk")};
	static const struct line empty[20] = {SAY(ENTER, ""), [1 ... 19] = SAY(PROMPT, "")};

	(void)state;
	assert_int_equal(rig_run_lines(junk, COUNT(junk)), LOGIN_DENIED);
	ENDS(LOGIN_DENIED, "too many answers");
	assert_int_equal(rig.sends, 0);
	assert_int_equal(rig_run_lines(empty, COUNT(empty)), LOGIN_DENIED);
	assert_int_equal(rig.sends, 1);
}

static void
a_code_is_used_once(void **state)
{
	(void)state;
	assert_int_equal(RUN(SAY(ENTER, ""), SAY(SENT, "@code")), LOGIN_OK);
	assert_int_equal(
	    RUN(SAY(ENTER, ""), SAY(SENT, "@old"), SAY(W_LEFT2, "@old"), SAY(W_LEFT1, "@code")),
	    LOGIN_OK);
	assert_int_equal(rig.sends, 2);
}

/* sudo runs its stack three times; an editor opens four connections (Q17, U15). */
static void
a_live_code_is_joined_only_from_its_source(void **state)
{
	const struct login_start first = rig.start;

	(void)state;
	assert_int_equal(RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, SENT)), LOGIN_GONE);
	rig.start.rhost = "192.0.2.8";
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, ENTER)), LOGIN_GONE);
	rig.start = first, rig.start.service = "other";
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, ENTER)), LOGIN_GONE);
	rig.start = first, rig.start.ssh_auth_info = "publickey ssh-ed25519 AAAA";
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, ENTER)), LOGIN_GONE);
	rig.start = first, rig.start.user = "bina";
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, ENTER)), LOGIN_GONE);
	rig.start = first, rig.start.user = "ASHA";
	rig_later(60000);
	assert_int_equal(RUN(SAY("It ends in 4 minutes.", "@code")), LOGIN_OK);
	assert_int_equal(rig.sends, 1);
	assert_string_equal(rig.result.provider, "p");
}

static void
a_code_of_another_source_is_wrong(void **state)
{
	char theirs[16];

	(void)state;
	assert_int_equal(RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, SENT)), LOGIN_GONE);
	strcpy(theirs, rig.code);
	rig.start.rhost = "192.0.2.8";
	assert_int_equal(RUN(SAY(ENTER, ""), SAY(SENT, theirs), SAY(W_LEFT2, "@code")), LOGIN_OK);
	rig.start.rhost = "192.0.2.7";
	assert_int_equal(RUN(SAY(SENT, theirs)), LOGIN_OK);
}

/* Another sign-in of the same user and source, while this one's prompt is open. */
static void
concurrent_sign_in(void)
{
	const struct rig saved = rig;

	assert_int_equal(RUN(SAY(SENT, "@code")), LOGIN_OK);
	rig = saved;
}

static void
a_code_used_by_a_concurrent_sign_in_is_reported_and_not_counted(void **state)
{
	(void)state;
	assert_int_equal(
	    RUN(SAY(ENTER, ""),
		{.prompt = SENT, .answer = "@code", .meanwhile = concurrent_sign_in},
		SAY("Another connection used that code. Type r to have a new one sent.\n", "@code"),
		SAY("Another connection used that code.", "@wrong"),
		SAY("Another connection used", "r"), SAY(SENT, "@wrong"), SAY(W_LEFT2, "@code")),
	    LOGIN_OK);
	assert_int_equal(rig.result.wrong, 1);
	assert_int_equal(rig.sends, 2);
}

/* Many sign-ins at once: all their prompts are open before anybody types (U33). */
enum { MANY = 12 };
static struct {
	const char *answer;
	int open, in, used, wrong, ended;
} many;

static void
one_more(void)
{
	const struct rig saved = rig;

	many.open++;
	rig_run_lines(NULL, 0);
	many.in += rig.result.word == LOGIN_OK;
	rig = saved;
}

static int
one_of_many(const char *prompt, enum answer *kind, char *typed, size_t size)
{
	*kind = ANSWER_CANCELLED;
	(void)snprintf(typed, size, "%s", many.answer);
	if (strstr(prompt, "Another connection used that code."))
		many.used++;
	else if (strstr(prompt, "Wrong code"))
		many.wrong++;
	else if (strstr(prompt, "That code has ended."))
		many.ended++;
	else
		*kind = ANSWER_TEXT;
	if (*kind == ANSWER_TEXT && many.open < MANY)
		one_more();
	return 0;
}

static void
many_type(const char *answer)
{
	memset(&many, 0, sizeof(many));
	many.answer = answer;
	rig.person = one_of_many;
	one_more();
	rig.person = NULL;
	assert_int_equal(many.open, MANY);
}

static void
of_many_right_codes_at_once_one_signs_in(void **state)
{
	char code[16];

	(void)state;
	RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, SENT));
	strcpy(code, rig.code);
	many_type(code);
	assert_int_equal(many.in, 1);
	assert_int_equal(many.used, MANY - 1);
	assert_int_equal(rig_number("SELECT count(*) FROM budget"), 0);
	assert_int_equal(rig.sends, 1);
}

static void
of_many_wrong_codes_at_once_five_are_compared(void **state)
{
	(void)state;
	RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, SENT));
	many_type(*rig.code == '9' ? "000000" : "999999");
	assert_int_equal(many.in, 0);
	/* The fifth sign-in and all later ones see that the code has ended. */
	assert_int_equal(many.wrong, 4);
	assert_int_equal(many.ended, MANY - 4);
	assert_int_equal(rig_wrong, 5);
	assert_int_equal(rig_number("SELECT failures FROM budget"), 5);
}

/* An editor's connections all ask first. The first Enter sends; the others join (U15). */
static void
concurrent_sends(void)
{
	struct rig saved = rig;

	assert_int_equal(RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, SENT)), LOGIN_GONE);
	saved.sends = rig.sends;
	memcpy(saved.code, rig.code, sizeof(saved.code));
	rig = saved;
}

static void
a_code_of_a_concurrent_sign_in_is_joined_after_enter(void **state)
{
	(void)state;
	assert_int_equal(
	    RUN({.prompt = ENTER, .answer = "", .meanwhile = concurrent_sends}, SAY(SENT, "@code")),
	    LOGIN_OK);
	assert_int_equal(rig.sends, 1);
}

/* All press Enter at the same moment: one sign-in sends a code, and the others wait for it. */
static void
concurrent_releases_the_lock(void)
{
	rig.on_wait = NULL;
	rig.lock_busy = 0;
	concurrent_sends();
}

static void
a_concurrent_send_is_waited_for(void **state)
{
	(void)state;
	rig.lock_busy = 1000, rig.on_wait = concurrent_releases_the_lock;
	assert_int_equal(RUN(SAY(ENTER, ""), SAY(SENT, "@code")), LOGIN_OK);
	assert_int_equal(rig.waits, 1);
	assert_int_equal(rig.sends, 1);
}

/* Decoys seem to share a code in the same way, and are counted in the same way. */
static void
decoy_releases_the_lock(void)
{
	struct rig saved;

	rig.on_wait = NULL;
	rig.lock_busy = 0;
	saved = rig;
	RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, "verification code was sent"));
	rig = saved;
}

static void
a_concurrent_send_of_a_decoy_is_waited_for(void **state)
{
	(void)state;
	rig_start("sshd", "ghost");
	rig.lock_busy = 1000, rig.on_wait = decoy_releases_the_lock;
	RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, "verification code was sent"));
	ENDS(LOGIN_GONE, "");
	assert_int_equal(rig_number("SELECT count(*) FROM challenge"), 1);
}

static void
four_seconds_pass(void)
{
	rig.mono_ms += 4000;
}

/* Another code was asked for: a new code of a concurrent sign-in is used, but not this one's old
 * code. */
static void
a_resend_waits_for_a_concurrent_send(void **state)
{
	(void)state;
	RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, SENT));
	rig_later(60000);
	rig.lock_busy = 3;
	assert_int_equal(RUN(SAY("It ends in 4 minutes", "r"), SAY(SENT, "@code")), LOGIN_OK);
	assert_int_equal(rig.sends, 2);
}

static void
the_wait_for_the_send_lock_ends_after_send_timeout(void **state)
{
	(void)state;
	rig.lock_busy = 1000, rig.on_wait = four_seconds_pass;
	assert_int_equal(RUN(SAY(ENTER, ""), SAY(SENT, "@code")), LOGIN_OK);
	assert_int_equal(rig.waits, 3); /* send_timeout = 10s */
	assert_int_equal(rig.sends, 1);
	rig.wait_error = -OTP_EGONE;
	RUN(SAY(ENTER, ""));
	ENDS(LOGIN_GONE, "");
	assert_int_equal(rig.sends, 1);
}

static void
a_challenge_has_five_tries_over_all_sign_ins(void **state)
{
	(void)state;
	assert_int_equal(RUN(SAY(ENTER, ""), SAY(SENT, "@wrong"), SAY(W_LEFT2, "@wrong"),
			     SAY(W_LEFT1, "@wrong")),
	    LOGIN_DENIED);
	assert_int_equal(
	    RUN(SAY(SENT, "@wrong"), SAY(W_LEFT2, "@wrong"), SAY(ENDED, "@code")), LOGIN_DENIED);
	/* A sign-in that joins this challenge now sees that it has ended, and no code is right. */
	assert_int_equal(
	    RUN(SAY(ENDED PROMPT, "@code"), SAY(ENDED PROMPT, "@code"), SAY(ENDED PROMPT, "@code")),
	    LOGIN_DENIED);
	assert_int_equal(rig.sends, 1);
	assert_int_equal(RUN(SAY(ENDED PROMPT, "r"), SAY(SENT, "@code")), LOGIN_OK);
	assert_int_equal(rig.sends, 2);
}

/* S5, C29: failures count over all sign-ins; the wait doubles, and no clock shortens it. */
static void
failures_in_a_row_lock(void **state)
{
	(void)state;
	rig_conf("", "failures = 4", "");
	assert_int_equal(RUN(SAY(ENTER, ""), SAY(SENT, "@wrong"), SAY(W_LEFT2, "@wrong"),
			     SAY(W_LEFT1, "@wrong")),
	    LOGIN_DENIED);
	assert_int_equal(
	    RUN(SAY(SENT, "@wrong"), SAY(W_LEFT2, "@code"), LAST(LOCKED("30 seconds"))),
	    LOGIN_LOCKED);
	assert_int_equal(RUN(LAST(LOCKED("30 seconds"))), LOGIN_LOCKED);
	assert_int_equal(rig.nshown, 0);
	rig.start.rhost = "192.0.2.8";
	assert_int_equal(RUN(LAST(LOCKED("30 seconds"))), LOGIN_LOCKED);
	rig.now.wall_ms -= 3600000;
	assert_int_equal(RUN(LAST(LOCKED("61 minutes"))), LOGIN_LOCKED);
	rig.now.wall_ms += 3600000;
	rig.start.user = "bina";
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, ENTER)), LOGIN_GONE);
	rig_start("sshd", "asha");
	rig_later(29999);
	assert_int_equal(RUN(LAST(LOCKED("1 second"))), LOGIN_LOCKED);
	/* An interactive service shows a text without a question behind it. */
	rig.start.service = "sudo";
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_LOCKED);
	assert_string_equal(rig.shown[0], LOCKED("1 second"));
	rig_later(1);
	assert_int_equal(RUN(SAY(SENT, "@wrong"), SAY(W_LEFT2, "@wrong")), LOGIN_LOCKED);
	assert_string_equal(rig.shown[0], LOCKED("60 seconds"));
	assert_int_equal(rig.nshown, 1);
	rig_later(60000);
	assert_int_equal(RUN(SAY("sent by SMS", "@code")), LOGIN_OK);
	assert_int_equal(
	    RUN(SAY(SENT, "@wrong"), SAY(W_LEFT2, "@wrong"), SAY(W_LEFT1, "@code")), LOGIN_OK);
}

/* An answer that the host gives by itself counts neither against the code nor the user. */
static void
a_host_that_answers_by_itself_costs_no_try(void **state)
{
	(void)state;
	rig_conf("", "failures = 3", "");
	assert_int_equal(RUN(SAY(ENTER, ""), KIND(ANSWER_BLIND, SENT), KIND(ANSWER_BLIND, W_LEFT2),
			     KIND(ANSWER_BLIND, W_LEFT1)),
	    LOGIN_GONE);
	for (int i = 0; i < 4; i++)
		assert_int_equal(RUN(KIND(ANSWER_BLIND, SENT), KIND(ANSWER_BLIND, W_LEFT2),
				     KIND(ANSWER_BLIND, W_LEFT1)),
		    LOGIN_GONE);
	assert_int_equal(rig.result.wrong, 3);
	assert_int_equal(
	    RUN(SAY(SENT, "@wrong"), SAY(W_LEFT2, "@wrong"), SAY(W_LEFT1, "@code")), LOGIN_OK);
	assert_int_equal(rig.sends, 1);
}

/* sshd's `password` method can show no prompt. The log names it; other hosts have other reasons. */
static void
a_host_without_a_conversation_is_named(void **state)
{
	static const struct {
		const char *service, *tty, *reason;
	} rows[] = {{"sshd", "ssh", "sshd's password method"}, {"other", "ssh", "sshd's password"},
	    {"sshd", "", "the conversation failed"}, {"sshd", "ssh2", "the conversation failed"},
	    {"sshd", "/dev/pts/3", "the conversation failed"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		rig_start(rows[i].service, "asha");
		rig.start.tty = rows[i].tty;
		RUN(KIND(ANSWER_CONV, ENTER));
		ENDS(LOGIN_GONE, rows[i].reason);
	}
	rig_start("sudo", "asha");
	rig.start.tty = "/dev/pts/3";
	RUN(KIND(ANSWER_CONV, SENT));
	ENDS(LOGIN_GONE, "the conversation failed");
}

static void
rig_setup_again(void **state)
{
	rig_teardown(state);
	rig_setup(state);
	rig_conf("", "failures = 1\nsends_per_user = 1/15m", "");
}

/* The answer to the last words, or its absence, does not change the result. */
static void
no_answer_to_the_last_words_changes_the_end(void **state)
{
	static const struct line rows[] = {{.answer = ""}, {.answer = "r"}, {.answer = "@code"},
	    {.answer = "ok"}, {.answer = "\x1b[2J"}, {.answer = "", .kind = ANSWER_BLIND},
	    {.answer = "", .kind = ANSWER_CANCELLED}, {.answer = "", .kind = ANSWER_CONV},
	    {.answer = "", .error = -OTP_EGONE}, {.answer = "", .error = -OTP_EPROTO},
	    {.answer = "", .error = -OTP_ETIME}, {.answer = "", .error = -OTP_ENOMEM},
	    {.answer = "", .before_ms = 86400000}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct line last = rows[i];

		rig_setup(state);
		rig_conf("", "failures = 1\nsends_per_user = 1/15m", "");
		/* A wrong code locks the budget; the next sign-in finds it locked. */
		last.prompt = LOCKED("30 seconds") "\nPress Enter to end: ";
		RUN(SAY(ENTER, ""), SAY(SENT, "@wrong"), SAY(W_LEFT2, "@code"), last);
		ENDS(LOGIN_LOCKED, "too many failures in a row");
		rig_setup_again(state);
		RUN(SAY(ENTER, ""), SAY(SENT, "@wrong"), SAY(W_LEFT2, "@code"),
		    LAST(LOCKED("30 seconds")));
		RUN(last);
		ENDS(LOGIN_LOCKED, "too many failures in a row");
		/* The send limit. */
		last.prompt = "Too many verification codes were sent. Try again in ";
		rig_setup_again(state);
		RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, SENT));
		rig.start.rhost = "192.0.2.8";
		RUN(SAY(ENTER, ""), last);
		ENDS(LOGIN_LOCKED, "send limit: user");
		/* An outage. */
		rig_setup_again(state);
		rig.sends_as[0] = CLASS_PROVIDER_DOWN, rig.nsends_as = 1;
		last.prompt = "its delivery service cannot be reached.\nPress Enter to end: ";
		RUN(SAY(ENTER, ""), last);
		ENDS(LOGIN_UNAVAIL, "every provider failed");
		assert_int_equal(rig.last_prompts, 1);
		assert_int_equal(rig.nshown, 0);
		/* The provider's check. */
		rig_setup_again(state);
		rig.code_by = CODE_BY_PROVIDER, rig.checks_as = CLASS_ACTION_NEEDED;
		last.prompt = "Ask your administrator.\nPress Enter to end: ";
		RUN(SAY(ENTER, ""), SAY(SENT, "@code"), last);
		ENDS(LOGIN_DENIED, "another step");
		rig_teardown(state);
	}
}

/* C32: for a user who does not exist, only the masked address differs. */
static void
unknown_users_look_like_users(void **state)
{
	static const char *const names[] = {"asha", "ghost", "chandra", "ghost"};
	char seen[COUNT(names)][sizeof(rig.transcript)], first_mask[64] = "";

	for (size_t i = 0; i < COUNT(names); i++) {
		rig_setup(state);
		rig_conf("", "sends_per_user = 2/15m\nfailures = 7", "");
		rig_start("sshd", names[i]);
		RUN(SAY(ENTER, ""), SAY("sent by SMS", "@wrong"), SAY(W_LEFT2, "x"),
		    LATER(30000, "A verification code has 6", "r"),
		    LATER(30000, "sent by SMS", "r"), SAY(LIMIT("14 minutes"), "000000"));
		rig_later(1000);
		RUN(SAY("sent by SMS", "@wrong"), SAY(W_LEFT2, "@wrong"), SAY(W_LEFT1, "@wrong"));
		RUN(SAY("sent by SMS", "@wrong"), SAY("ended", "@wrong"), SAY("ended", "@wrong"));
		RUN(KIND(ANSWER_BLIND, ENDED PROMPT), SAY(W_LEFT2, "@wrong"),
		    KIND(ANSWER_BLIND, ENDED PROMPT));
		ENDS(LOGIN_GONE, "");
		RUN(SAY(ENDED PROMPT, "@wrong"), KIND(ANSWER_CONV, ENDED PROMPT));
		rig_later(300000);
		RUN(KIND(ANSWER_BLIND, ENTER));
		RUN(KIND(ANSWER_CONV, ENTER));
		RUN(SAY(ENTER, " "), LAST(LIMIT("9 minutes")));
		ENDS(LOGIN_LOCKED, "send limit");
		/* In the end each user's counter is full, and the text is the same. */
		rig_later(600000);
		RUN(SAY(ENTER, ""), SAY("sent by SMS", "@wrong"), SAY(W_LEFT2, "@wrong"),
		    LAST(LOCKED("30 seconds")));
		ENDS(LOGIN_LOCKED, "too many failures");
		assert_int_equal(rig.nshown, 0);
		assert_int_equal(rig.warmed, 5);
		strcpy(seen[i], rig.transcript);
		if (i == 1)
			strcpy(first_mask, rig.result.masked);
		if (i == 3)
			assert_string_equal(rig.result.masked, first_mask);
		for (char *p = seen[i]; (p = strstr(p, "******** ")); p += 9)
			p[9] = p[10] = 'N';
		assert_string_equal(seen[i], seen[0]);
		assert_int_equal(rig.sends, i ? 0 : 3);
		assert_string_equal(rig.result.user, strcmp(names[i], "ghost") ? names[i] : "");
		rig_teardown(state);
	}
}

/* A host that is not root signs in only its own user, has own budgets, no rules, joins nothing. */
static void
a_host_that_is_not_root_is_kept_apart(void **state)
{
	(void)state;
	rig_conf("unregistered = skip", "failures = 3\nbackoff_first = 1h",
	    EXEMPT("users = asha, bina, chandra"));
	rig.start.peer = 1001;
	assert_int_equal(RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, SENT)), LOGIN_GONE);
	assert_string_equal(rig.result.service, "peer:sshd");
	assert_int_equal(RUN(SAY(ENTER, ""), SAY(SENT, "@wrong"), SAY(W_LEFT2, "@wrong"),
			     SAY(W_LEFT1, "@wrong")),
	    LOGIN_DENIED);
	assert_int_equal(RUN(LAST(LOCKED("60 minutes"))), LOGIN_LOCKED);
	for (size_t i = 0; i < 3; i++) {
		rig.start.user = ((const char *const[]){"bina", "root", "ghost"})[i];
		assert_int_equal(rig_run_lines(NULL, 0), LOGIN_DENIED);
		ENDS(LOGIN_DENIED, "may not sign in this user");
	}
	rig.start.user = "chandra", rig.start.peer = 1003;
	assert_int_equal(RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, "sent by SMS")), LOGIN_GONE);
	rig_conf("", "failures = 3", "");
	rig_start("sshd", "asha");
	assert_int_equal(RUN(SAY(ENTER, ""), SAY(SENT, "@code")), LOGIN_OK);
	rig.start.peer = 1001;
	assert_int_equal(RUN(LAST(LOCKED("30 seconds"))), LOGIN_LOCKED);
}

/* With identity = caller, su asks the user who calls it (Q22, U26). */
static void
identity_caller_asks_the_caller(void **state)
{
	(void)state;
	rig_conf("", "", "[service su]\nidentity = caller\n");
	rig_start("su", "root");
	rig.start.ruser = "asha";
	/* Another machine can claim any name for the caller. */
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_BROKEN);
	rig.start.rhost = "";
	assert_int_equal(RUN(SAY(SENT, "@code")), LOGIN_OK);
	assert_string_equal(rig.result.user, "asha");
	rig.start.ruser = "";
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_BROKEN);
	/* The target must exist and the caller must be known. */
	rig.start.ruser = "asha", rig.start.user = "ghost.user";
	assert_int_equal(RUN(SAY("A verification code was sent by SMS to +", "@wrong"),
			     SAY(W_LEFT2, "000000"), SAY(W_LEFT1, "999999")),
	    LOGIN_DENIED);
	assert_string_equal(rig.result.reason, "unknown user");
	assert_string_equal(rig.result.user, "");
	rig.start.user = "";
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_BROKEN);
	rig.start.user = "root";
	rig.start.service = "other";
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, ENTER)), LOGIN_GONE);
	assert_string_equal(rig.result.user, "root");
}

static void
a_reboot_ends_every_code(void **state)
{
	(void)state;
	assert_int_equal(RUN(SAY(ENTER, ""), KIND(ANSWER_CANCELLED, SENT)), LOGIN_GONE);
	rig.now.boot_id[0] = '2';
	rig.now.boot_ms = 5;
	assert_int_equal(RUN(KIND(ANSWER_CANCELLED, ENTER)), LOGIN_GONE);
}

/* The helper connects while the first prompt is open, for every user alike. */
static void
every_first_question_warms_the_connection(void **state)
{
	static const char *const names[] = {"asha", "ghost", "chandra", "bina", "root"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		rig_start("sshd", names[i]);
		rig.warmed = 0;
		RUN(SAY(ENTER, "x"), KIND(ANSWER_CANCELLED, ENTER));
		ROW(rig.warmed == 2, names[i]);
		ROW(!rig.sends, names[i]);
		rig.warmed = 0;
		rig.start.service = "sudo";
		RUN(KIND(ANSWER_CANCELLED, "A verification code was sent"));
		ROW(!rig.warmed, names[i]);
		rig.sends = 0;
	}
}

static void
a_clock_that_goes_back_frees_nothing(void **state)
{
	(void)state;
	assert_int_equal(RUN(SAY(ENTER, ""), LATER(29000, SENT, "r"),
			     {.prompt = "in 1 second", .answer = "", .kind = ANSWER_CANCELLED}),
	    LOGIN_GONE);
	rig.now.wall_ms -= 7200000;
	assert_int_equal(RUN(SAY(SENT, "r"), LATER(271000, "can be sent in 30 seconds.", "@code"),
			     KIND(ANSWER_CANCELLED, ENDED)),
	    LOGIN_GONE);
	assert_int_equal(rig.sends, 1);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(transcripts_end_as_they_should),
	    cmocka_unit_test(every_length_of_code_works),
	    cmocka_unit_test(unknown_users_look_like_users),
	    TEST(endless_answers_end_the_sign_in),
	    TEST(a_code_is_used_once),
	    TEST(a_live_code_is_joined_only_from_its_source),
	    TEST(a_code_of_another_source_is_wrong),
	    TEST(a_code_used_by_a_concurrent_sign_in_is_reported_and_not_counted),
	    TEST(of_many_right_codes_at_once_one_signs_in),
	    TEST(of_many_wrong_codes_at_once_five_are_compared),
	    TEST(a_code_of_a_concurrent_sign_in_is_joined_after_enter),
	    TEST(a_concurrent_send_is_waited_for),
	    TEST(a_resend_waits_for_a_concurrent_send),
	    TEST(a_concurrent_send_of_a_decoy_is_waited_for),
	    TEST(the_wait_for_the_send_lock_ends_after_send_timeout),
	    TEST(a_challenge_has_five_tries_over_all_sign_ins),
	    TEST(failures_in_a_row_lock),
	    TEST(a_host_that_answers_by_itself_costs_no_try),
	    TEST(a_host_without_a_conversation_is_named),
	    cmocka_unit_test(no_answer_to_the_last_words_changes_the_end),
	    TEST(every_first_question_warms_the_connection),
	    TEST(a_host_that_is_not_root_is_kept_apart),
	    TEST(identity_caller_asks_the_caller),
	    TEST(a_reboot_ends_every_code),
	    TEST(a_clock_that_goes_back_frees_nothing),
	};

	return cmocka_run_group_tests_name("login", tests, NULL, NULL);
}
