/*
 * Closed whatever fails: every call of the store and of the contacts, the provider, the clock, the
 * deadline; and no sequence of answers of a person opens anything but the right code (C3, C4, C5,
 * C7, C34, U2, U11). Beside that no act of the person ends in `unavail` or `skip`.
 */
#include "tests/unit/login_rig.h"

#include "common/err.h"

/* Whole sign-ins, each with every call of store and contacts failing in turn. */
static const struct scenario {
	const char *name, *otp, *user;
	struct line before[4], line[6];
	enum login_word word; /* where nothing fails */
	enum provider_class says;
} scenarios[] = {
    {"right code", "", "asha", {SAY(NULL, NULL)}, {SAY(ENTER, ""), SAY(SENT, "@code")}, LOGIN_OK,
	CLASS_OK},
    {"wrong, resent, right", "", "asha", {SAY(NULL, NULL)},
	{SAY(ENTER, ""), LATER(30000, SENT, "@wrong"), SAY("", "r"), SAY("", "@code")}, LOGIN_OK,
	CLASS_OK},
    {"joined", "", "asha", {SAY(ENTER, ""), KIND(ANSWER_CANCELLED, SENT)}, {SAY(SENT, "@code")},
	LOGIN_OK, CLASS_OK},
    {"unknown user", "unregistered = skip", "ghost", {SAY(NULL, NULL)},
	{SAY(ENTER, ""), SAY("", "1"), SAY("", "123456"), SAY("", "1")}, LOGIN_DENIED, CLASS_OK},
    {"no contact", "unregistered = skip", "chandra", {SAY(NULL, NULL)}, {SAY(NULL, NULL)},
	LOGIN_SKIP, CLASS_OK},
    {"provider down", "", "asha", {SAY(NULL, NULL)},
	{SAY(ENTER, ""), SAY("Press Enter to end: ", "")}, LOGIN_UNAVAIL, CLASS_PROVIDER_DOWN},
    {"rate limit, nobody at the last words", "", "asha", {SAY(NULL, NULL)},
	{SAY(ENTER, ""), FAIL(-OTP_EGONE, "Press Enter to end: ")}, LOGIN_LOCKED,
	CLASS_RATE_LIMITED},
    {"blind at the code", "", "asha", {SAY(NULL, NULL)},
	{SAY(ENTER, ""), KIND(ANSWER_BLIND, SENT), KIND(ANSWER_BLIND, ""), KIND(ANSWER_BLIND, "")},
	LOGIN_GONE, CLASS_OK},
};

static size_t
count_lines(const struct line *l, size_t most)
{
	size_t n = 0;

	while (n < most && l[n].prompt)
		n++;
	return n;
}

/* false when there is no such call any more. */
static bool
run_with_fault(void **state, const struct scenario *s, int call, int error, enum rig_fault fault)
{
	bool hit, in_return;

	rig_setup(state);
	rig_conf(s->otp, "", "");
	rig_start("sshd", s->user);
	if (s->before[0].prompt)
		rig_run_lines(s->before, count_lines(s->before, COUNT(s->before)));
	rig.says[0] = s->says, rig.nsays = 1;
	rig.fail_at = call, rig.fail_with = error, rig.fault = fault;
	rig_run_lines(s->line, count_lines(s->line, COUNT(s->line)));
	hit = rig.fault_hit, in_return = rig.fault_in_return;
	if (!hit || in_return)
		ROW(rig.result.word == s->word, s->name);
	else if (error == -OTP_ESTORE && rig.result.word != LOGIN_BROKEN)
		fail_msg("%s, call %d: %s, %s", s->name, call, login_word(rig.result.word),
		    rig.result.reason);
	else
		ROW(rig.result.word != LOGIN_OK && rig.result.word != LOGIN_SKIP &&
			rig.result.word != LOGIN_UNAVAIL,
		    s->name);
	rig_teardown(state);
	return hit;
}

static void
every_failing_call_ends_closed(void **state)
{
	static const int errors[] = {-OTP_ESTORE, -OTP_ENOMEM, -OTP_ESYS, -OTP_EINVAL, -OTP_EPERM};
	int faults = 0;

	for (size_t i = 0; i < COUNT(scenarios); i++)
		for (int call = 1;; call++) {
			int error = errors[(size_t)call % COUNT(errors)];

			if (!run_with_fault(state, &scenarios[i], call, -OTP_ESTORE, FAULT_AFTER))
				break;
			run_with_fault(state, &scenarios[i], call, -OTP_ESTORE, FAULT_BEFORE);
			run_with_fault(state, &scenarios[i], call, error, FAULT_BEFORE);
			faults++;
		}
	assert_in_range(faults, 25, 200);
}

static void
a_name_service_that_fails_is_broken(void **state)
{
	(void)state;
	rig_conf("unregistered = skip", "",
	    "[exempt x]\nreason = r\nuntil = 2026-12-31\nusers = asha\n");
	rig.account_error = -OTP_ESYS;
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_BROKEN);
	rig.account_error = 0;
	rig.groups_error = -OTP_ESYS;
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_BROKEN);
	rig.groups_error = 0;
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_SKIP);
}

static void
names_that_do_not_fit_are_denied(void **state)
{
	static char name[300];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	rig_conf("unregistered = skip", "", "");
	rig_start("sshd", name);
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_DENIED);
	rig_start(name, "asha");
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_DENIED);
}

/* The host hangs up while the code is being sent: it stays counted. */
static void
a_host_that_goes_during_a_send(void **state)
{
	(void)state;
	rig_conf("ask_first = never", "sends_per_user = 1/15m", "");
	rig.error = -OTP_EGONE;
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_GONE);
	rig.error = 0;
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_LOCKED);
}

static void
sleep_over_the_deadline(void)
{
	usleep(120000);
}

static void
the_deadline_ends_in_a_refusal(void **state)
{
	(void)state;
	rig.deadline_ms = -1;
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_BROKEN);
	assert_int_equal(rig.sends, 0);
	rig.deadline_ms = 100;
	assert_int_equal(RUN({.prompt = ENTER, .answer = "", .meanwhile = sleep_over_the_deadline}),
	    LOGIN_BROKEN);
	assert_int_equal(rig.sends, 0);
	rig_conf("ask_first = never", "", "");
	assert_int_equal(
	    RUN({.prompt = SENT, .answer = "@wrong", .meanwhile = sleep_over_the_deadline}),
	    LOGIN_DENIED);
}

/* A store in memory, of few words: the model that the random sign-ins run on. */
static struct {
	struct challenge challenge[64];
	char boot_id[64][40];
	enum { NONE, LIVE, DEAD, USED } state[64];
	size_t n;
	int64_t locked_until;
} memory;

static int
slot_of(const char *id)
{
	for (size_t i = 0; i < COUNT(memory.state); i++)
		if (memory.state[i] && !strcmp(memory.challenge[i].id, id))
			return (int)i;
	return -1;
}

static int
alive(int i, const struct instant *t)
{
	if (i < 0)
		return -OTP_ENOENT;
	if (memory.state[i] == USED)
		return -OTP_EUSED;
	return memory.state[i] == LIVE && !strcmp(memory.boot_id[i], t->boot_id) &&
		       memory.challenge[i].expires_boot_ms > t->boot_ms
		   ? 0
		   : -OTP_ENOENT;
}

static int
m_reserve(struct store *s, const struct instant *t, const struct send_count *c, size_t n,
    int64_t *id, struct store_refusal *why)
{
	(void)s, (void)c, (void)n;
	*id = 1;
	why->until_wall_ms = t->wall_ms + 60000;
	return memory.n % 29 == 28 && memory.n++ ? -OTP_ELIMIT : 0;
}

static int
m_return(struct store *s, int64_t id)
{
	(void)s, (void)id;
	return 0;
}

static int
m_put(struct store *s, const struct instant *t, const struct challenge *c, int64_t reservation)
{
	size_t at = memory.n++ % COUNT(memory.state);

	(void)s, (void)reservation;
	for (size_t i = 0; i < COUNT(memory.state); i++)
		if (memory.state[i] == LIVE && !strcmp(memory.challenge[i].user, c->user) &&
		    !strcmp(memory.challenge[i].service, c->service) &&
		    !strcmp(memory.challenge[i].source, c->source))
			memory.state[i] = DEAD;
	free(memory.challenge[at].captures);
	memory.challenge[at] = *c;
	memory.challenge[at].captures = c->captures ? strdup(c->captures) : NULL;
	memory.state[at] = LIVE;
	strcpy(memory.boot_id[at], t->boot_id);
	return 0;
}

static int
m_find(struct store *s, const struct instant *t, const char *user, const char *service,
    const char *source, struct challenge *out)
{
	(void)s;
	for (size_t i = 0; i < COUNT(memory.state); i++)
		if (!alive((int)i, t) && !strcmp(memory.challenge[i].user, user) &&
		    !strcmp(memory.challenge[i].service, service) &&
		    !strcmp(memory.challenge[i].source, source)) {
			*out = memory.challenge[i];
			out->captures = out->captures ? strdup(out->captures) : NULL;
			return 0;
		}
	return -OTP_ENOENT;
}

static int
m_try(struct store *s, const struct instant *t, const char *id, const char *budget,
    const struct try_rule *rule, int *left, int64_t *until)
{
	int i = slot_of(id), r = alive(i, t);

	(void)s, (void)budget;
	*left = 0, *until = 0;
	if (!r && memory.locked_until > t->wall_ms) {
		*until = memory.locked_until;
		return -OTP_ELIMIT;
	}
	if (!r && memory.challenge[i].tries >= rule->per_challenge)
		return -OTP_ELIMIT;
	if (!r)
		*left = rule->per_challenge - ++memory.challenge[i].tries;
	return r;
}

static int
m_locked(struct store *s, const struct instant *t, const char *budget, const struct try_rule *rule,
    int64_t *until)
{
	(void)s, (void)budget, (void)rule;
	*until = memory.locked_until;
	return memory.locked_until > t->wall_ms ? -OTP_ELIMIT : 0;
}

static int
m_consume(struct store *s, const struct instant *t, const char *id, const char *budget)
{
	int i = slot_of(id), r = alive(i, t);

	(void)s, (void)budget;
	if (!r)
		memory.state[i] = USED;
	return r;
}

static int
m_try_return(struct store *s, const char *id, const char *budget)
{
	(void)s, (void)id, (void)budget;
	return 0;
}

static int
m_kill(struct store *s, const char *id)
{
	int i = slot_of(id);

	(void)s;
	if (i >= 0 && memory.state[i] == LIVE)
		memory.state[i] = DEAD;
	return 0;
}

static int
m_used(struct store *s, const char *id)
{
	int i = slot_of(id);

	(void)s;
	return i >= 0 && memory.state[i] == USED ? -OTP_EUSED : 0;
}

static const struct store_ops memory_ops = {.send_reserve = m_reserve,
    .send_return = m_return,
    .challenge_put = m_put,
    .challenge_find = m_find,
    .try_count = m_try,
    .locked = m_locked,
    .consume = m_consume,
    .try_return = m_try_return,
    .challenge_kill = m_kill,
    .challenge_used = m_used};

/* The random person, and what it knows: the live code of each user, service and source. */
static uint64_t seed;
static char codes[3][2][3][16];
static char *mine; /* of this sign-in */
static int sends_seen;
static bool honest, typed_mine;

static size_t
any(size_t n)
{
	return (size_t)(fixed_random(&seed) >> 33) % n;
}

static int
random_person(const char *prompt, enum answer *kind, char *typed, size_t size)
{
	static const char *const words[] = {"", "", "r", "r", "R", " ", "12345", "abcdef", "-", "o",
	    "ok", "yes", "1234567", "\xff\xfe", "asha", "R ok", "\x1b[2J"};

	(void)prompt;
	if (rig.sends != sends_seen && rig.says[0] != CLASS_BAD_DESTINATION)
		(void)snprintf(mine, 16, "%s", rig.code);
	sends_seen = rig.sends;
	rig_later((int64_t)any(40000));
	if (any(40) == 0)
		rig_later((int64_t)any(7200000) - 3600000);
	if (any(300) == 0)
		rig.now.boot_id[0] = (char)('0' + any(10));
	*kind = any(25) ? ANSWER_TEXT : (enum answer)any(4);
	(void)snprintf(typed, size, "%s", words[any(COUNT(words))]);
	if (any(2))
		(void)snprintf(typed, size, "%06u", (unsigned)any(1000000));
	if (honest && *mine && any(3) == 0)
		(void)snprintf(typed, size, "%s", mine);
	/* A guess that happens to be right is no guess. */
	typed_mine = *mine && !strcmp(typed, mine);
	if (typed_mine && !honest)
		(void)snprintf(typed, size, "%s", "000");
	typed_mine &= honest;
	return any(40) ? 0 : (const int[]){-OTP_ETIME, -OTP_EGONE, -OTP_EPROTO}[any(3)];
}

static bool
is_outage(enum provider_class c)
{
	return c == CLASS_PROVIDER_DOWN || c == CLASS_NO_CREDIT || c == CLASS_BAD_CREDENTIALS;
}

static enum login_word
random_sign_in(void)
{
	static const char *const names[] = {"asha", "ghost", "chandra"};
	static const char *const services[] = {"sshd", "sudo"};
	static const char *const hosts[] = {"192.0.2.7", "192.0.2.8", ""};
	size_t user = any(4) ? 0 : any(3), service = any(2), host = any(3);
	struct store store = {&memory_ops};
	enum login_word word;

	rig_start(services[service], names[user]);
	rig.start.rhost = hosts[host];
	rig.right = mine = codes[user][service][host];
	rig.code_by = any(3) ? CODE_BY_MODULE : (enum code_by)any(3);
	rig.checks_as = any(3) ? CLASS_OK : (enum provider_class)any(CLASS_BROKEN + 1);
	rig.check_unwritten = any(2);
	sends_seen = rig.sends;
	typed_mine = false;
	honest = any(3) == 0;
	rig.says[0] = any(3) ? CLASS_OK : (enum provider_class)any(CLASS_BROKEN + 1);
	memory.locked_until = any(60) ? 0 : rig.now.wall_ms + (int64_t)any(60000);
	*rig.transcript = '\0';
	word = rig_run_store(&store, NULL, 0);
	if (rig.prompts - rig.last_prompts > 20 || rig.last_prompts + rig.ntold > 1)
		fail_msg("%d prompts, %d at the end", rig.prompts, rig.last_prompts);
	if (word == LOGIN_OK && (!typed_mine || user))
		fail_msg("let in without the right code:\n%s", rig.transcript);
	if (word == LOGIN_SKIP || (word == LOGIN_UNAVAIL && !is_outage(rig.says[0])))
		fail_msg("%s, by a person:\n%s", login_word(word), rig.transcript);
	if (word == LOGIN_UNAVAIL && !*rig.start.rhost)
		fail_msg("unavail, on this machine:\n%s", rig.transcript);
	if (word == LOGIN_UNAVAIL && rig.code_prompts)
		fail_msg("unavail after a prompt for a code:\n%s", rig.transcript);
	if (word == LOGIN_OK)
		*mine = '\0';
	return word;
}

static void
no_answers_of_a_person_open_anything(void **state)
{
	const int sign_ins = rounds(20000);
	int ends[LOGIN_SKIP + 1] = {0};

	(void)state;
	seed = 20261122;
	rig_conf("", "resend_wait = 10s", "");
	rig.person = random_person;
	rig.nsays = 1;
	for (int i = 0; i < sign_ins; i++)
		ends[random_sign_in()]++;
	/* Each end is met: the test is not blind to any of them. */
	for (int w = LOGIN_BROKEN; w < LOGIN_SKIP; w++)
		if (ends[w] < sign_ins / 400)
			fail_msg("only %d ended %s", ends[w], login_word((enum login_word)w));
	assert_int_equal(ends[LOGIN_SKIP], 0);
	for (size_t i = 0; i < COUNT(memory.challenge); i++)
		free(memory.challenge[i].captures);
}

static void
words_are_the_protocols(void **state)
{
	static const char *const words[] = {
	    "broken", "ok", "denied", "locked", "unavail", "gone", "skip"};

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++)
		assert_string_equal(login_word((enum login_word)i), words[i]);
	assert_int_equal(LOGIN_BROKEN, 0); /* what a forgotten assignment means */
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_failing_call_ends_closed),
	    TEST(a_name_service_that_fails_is_broken),
	    TEST(names_that_do_not_fit_are_denied),
	    TEST(a_host_that_goes_during_a_send),
	    TEST(the_deadline_ends_in_a_refusal),
	    TEST(no_answers_of_a_person_open_anything),
	    cmocka_unit_test(words_are_the_protocols),
	};

	return cmocka_run_group_tests_name("login_closed", tests, NULL, NULL);
}
