/*
 * No failure lets a user in: of any call of the store or the contacts, the provider, the clock or
 * the deadline. No answers of a user do, except for the right code (C3, C4, C5, C7, C34, U2, U11),
 * and none of them ends in `unavail` or `skip`.
 */
#include "tests/unit/login_rig.h"

#include "common/err.h"

#define MENU  "Number (Enter = 1)"
#define BACK  "Number (Enter = back)"
#define WRONG "2 tries left.\n"

enum { TWO_DESTINATIONS = 1, PAPER = 2, KEY = 4, REMOTE = 8, UNWRITTEN = 16 };

/* Whole sign-ins, each with every call of store and contacts failing in turn. */
static const struct scenario {
	const char *name, *otp, *limits, *user;
	int has;
	struct line before[5], line[8];
	enum login_word word; /* where nothing fails */
	enum provider_class says, email_says, checks_as;
} scenarios[] = {
    {"right code", "", "", "asha", 0, {SAY(NULL, NULL)}, {SAY(ENTER, ""), SAY(SENT, "@code")},
	LOGIN_OK, CLASS_OK, CLASS_OK, CLASS_OK},
    {"wrong, resent, right", "", "", "asha", 0, {SAY(NULL, NULL)},
	{SAY(ENTER, ""), LATER(30000, SENT, "@wrong"), SAY("", "r"), SAY("", "@code")}, LOGIN_OK,
	CLASS_OK, CLASS_OK, CLASS_OK},
    {"joined", "", "", "asha", 0, {SAY(ENTER, ""), KIND(ANSWER_CANCELLED, SENT)},
	{SAY(SENT, "@code")}, LOGIN_OK, CLASS_OK, CLASS_OK, CLASS_OK},
    {"menu, other way", "", "", "asha", TWO_DESTINATIONS, {SAY(NULL, NULL)},
	{SAY(MENU, "123456"), SAY(MENU, "2"), SAY("e-mail", "o"), SAY(BACK, "1"),
	    SAY(SENT, "@wrong"), SAY(WRONG, "@code")},
	LOGIN_OK, CLASS_OK, CLASS_OK, CLASS_OK},
    {"by the next channel", "", "", "asha", TWO_DESTINATIONS, {SAY(NULL, NULL)},
	{SAY(MENU, "2"), SAY("The code could not be sent by e-mail.", "@code")}, LOGIN_OK, CLASS_OK,
	CLASS_PROVIDER_DOWN, CLASS_OK},
    {"unknown user", "unregistered = skip", "", "ghost", 0, {SAY(NULL, NULL)},
	{SAY(ENTER, ""), SAY("", "1"), SAY("", "123456"), SAY("", "rc-0000-0000-0000-0000")},
	LOGIN_DENIED, CLASS_OK, CLASS_OK, CLASS_OK},
    {"no contact", "unregistered = skip", "", "chandra", 0, {SAY(NULL, NULL)}, {SAY(NULL, NULL)},
	LOGIN_SKIP, CLASS_OK, CLASS_OK, CLASS_OK},
    {"no contact, denied", "", "", "chandra", 0, {SAY(NULL, NULL)},
	{SAY(ENTER, ""), SAY("", "1"), SAY("", "123456"), SAY("", "1")}, LOGIN_DENIED, CLASS_OK,
	CLASS_OK, CLASS_OK},
    {"provider down", "", "", "asha", 0, {SAY(NULL, NULL)},
	{SAY(ENTER, ""), SAY("Press Enter to end: ", "")}, LOGIN_UNAVAIL, CLASS_PROVIDER_DOWN,
	CLASS_OK, CLASS_OK},
    {"both channels down", "", "", "asha", TWO_DESTINATIONS, {SAY(NULL, NULL)},
	{SAY(MENU, ""), SAY("Press Enter to end: ", "")}, LOGIN_UNAVAIL, CLASS_PROVIDER_DOWN,
	CLASS_PROVIDER_DOWN, CLASS_OK},
    {"provider down, recovery code", "", "", "asha", PAPER, {SAY(NULL, NULL)},
	{SAY(ENTER, ""), SAY("its delivery service cannot be reached", "@rcx"), SAY(WRONG, "@rc0")},
	LOGIN_OK, CLASS_PROVIDER_DOWN, CLASS_OK, CLASS_OK},
    {"recovery code", "", "", "asha", PAPER, {SAY(NULL, NULL)}, {SAY(ENTER, "@rc0")}, LOGIN_OK,
	CLASS_OK, CLASS_OK, CLASS_OK},
    {"recovery code without a contact", "", "", "chandra", PAPER, {SAY(NULL, NULL)},
	{SAY(ENTER, "@rcx"), SAY(WRONG, "@rc1")}, LOGIN_OK, CLASS_OK, CLASS_OK, CLASS_OK},
    {"locked out, recovery code", "tries = 2", "failures = 2", "asha", PAPER,
	{SAY(ENTER, ""), SAY(SENT, "@wrong"), SAY("1 try", "@wrong")},
	{SAY("Too many wrong codes.", "123456"), SAY("Too many wrong codes", "@rc0")}, LOGIN_OK,
	CLASS_OK, CLASS_OK, CLASS_OK},
    {"locked out", "tries = 2", "failures = 2", "asha", 0,
	{SAY(ENTER, ""), SAY(SENT, "@wrong"), SAY("1 try", "@wrong")},
	{SAY("Too many wrong codes.", "")}, LOGIN_LOCKED, CLASS_OK, CLASS_OK, CLASS_OK},
    {"send limit", "", "sends_per_user = 1/1h\nresend_wait = 0s", "asha", 0, {SAY(NULL, NULL)},
	{SAY(ENTER, ""), SAY(SENT, "r"), SAY("Too many verification codes", "@code")}, LOGIN_OK,
	CLASS_OK, CLASS_OK, CLASS_OK},
    {"rate limit, nobody at the last words", "", "", "asha", 0, {SAY(NULL, NULL)},
	{SAY(ENTER, ""), FAIL(-OTP_EGONE, "Press Enter to end: ")}, LOGIN_LOCKED,
	CLASS_RATE_LIMITED, CLASS_OK, CLASS_OK},
    {"a refused address", "", "", "asha", 0, {SAY(NULL, NULL)},
	{SAY(ENTER, ""), SAY(SENT, "@code"), SAY("", "@code"), SAY("", "@code")}, LOGIN_DENIED,
	CLASS_BAD_DESTINATION, CLASS_OK, CLASS_OK},
    {"blind at the code", "", "", "asha", 0, {SAY(NULL, NULL)},
	{SAY(ENTER, ""), KIND(ANSWER_BLIND, SENT), KIND(ANSWER_BLIND, ""), KIND(ANSWER_BLIND, "")},
	LOGIN_GONE, CLASS_OK, CLASS_OK, CLASS_OK},
    {"checked by the provider", "", "", "asha", REMOTE, {SAY(NULL, NULL)},
	{SAY(ENTER, ""), SAY(SENT, "@wrong"), SAY(WRONG, "@code")}, LOGIN_OK, CLASS_OK, CLASS_OK,
	CLASS_OK},
    {"checked by nobody", "", "", "asha", REMOTE | UNWRITTEN, {SAY(NULL, NULL)},
	{SAY(ENTER, ""), SAY(SENT, "@code"), SAY("not be checked", "@code"),
	    SAY("not be checked", "@code")},
	LOGIN_DENIED, CLASS_OK, CLASS_OK, CLASS_PROVIDER_DOWN},
    {"too many at the provider", "", "", "asha", REMOTE, {SAY(NULL, NULL)},
	{SAY(ENTER, ""), SAY(SENT, "@code"), SAY("ended", "@code"), SAY("ended", "@code")},
	LOGIN_DENIED, CLASS_OK, CLASS_OK, CLASS_TOO_MANY},
    {"unknown user, checked by the provider", "", "", "ghost", REMOTE, {SAY(NULL, NULL)},
	{SAY(ENTER, ""), SAY("", "1234"), SAY("", "1234"), SAY("", "1234")}, LOGIN_DENIED, CLASS_OK,
	CLASS_OK, CLASS_OK},
    {"remembered", "remember = 15m", "", "asha", KEY, {SAY(ENTER, ""), SAY(SENT, "@code")},
	{SAY(NULL, NULL)}, LOGIN_SKIP, CLASS_OK, CLASS_OK, CLASS_OK},
    {"not remembered yet", "remember = 15m", "", "asha", KEY, {SAY(NULL, NULL)},
	{SAY(ENTER, ""), SAY(SENT, "@code")}, LOGIN_OK, CLASS_OK, CLASS_OK, CLASS_OK},
};

static size_t
count_lines(const struct line *l, size_t most)
{
	size_t n = 0;

	while (n < most && l[n].prompt)
		n++;
	return n;
}

static void
set_up_scenario(void **state, const struct scenario *s)
{
	rig_setup(state);
	rig_conf(s->otp, s->limits, "");
	if (s->has & TWO_DESTINATIONS)
		rig_contact("asha", CONTACT_EMAIL, "asha@example.com");
	if (s->has & PAPER)
		rig_issue(s->user, 2);
	rig_start("sshd", s->user);
	if (s->has & KEY)
		rig.start.ssh_auth_info = "publickey ssh-ed25519 AAAA";
	if (s->has & REMOTE)
		rig.code_by = CODE_BY_PROVIDER;
	if (s->before[0].prompt)
		rig_run_lines(s->before, count_lines(s->before, COUNT(s->before)));
	rig.sends_as[0] = s->says, rig.nsends_as = 1, rig.email_sends_as = s->email_says;
	rig.checks_as = s->checks_as, rig.check_unwritten = s->has & UNWRITTEN;
}

/* false when there is no such call any more. */
static bool
run_with_fault(void **state, const struct scenario *s, int call, int error, enum rig_fault fault)
{
	bool hit, ignored;

	set_up_scenario(state, s);
	rig.fail_at = call, rig.fail_with = error, rig.fault = fault;
	rig_run_lines(s->line, count_lines(s->line, COUNT(s->line)));
	hit = rig.fault_hit, ignored = rig.fault_ignored;
	if (!hit || ignored)
		ROW(rig.result.word == s->word, s->name);
	else if (error == -OTP_ESTORE && rig.result.word != LOGIN_BROKEN)
		fail_msg("%s, call %d (%s): %s, %s", s->name, call, rig.ops,
		    login_word(rig.result.word), rig.result.reason);
	else if (rig.result.word == LOGIN_OK || rig.result.word == LOGIN_SKIP ||
		 rig.result.word == LOGIN_UNAVAIL)
		fail_msg("%s, call %d (%s), error %d: %s", s->name, call, rig.ops, error,
		    login_word(rig.result.word));
	rig_teardown(state);
	return hit;
}

/* Each call fails once. Under valgrind, only some of them do, different ones in each scenario. */
static void
every_failing_call_ends_closed(void **state)
{
	const int step = rounds(10) == 10 ? 1 : 7;
	static const int errors[] = {-OTP_ESTORE, -OTP_ENOMEM, -OTP_ESYS, -OTP_EINVAL, -OTP_EPERM};
	int faults = 0;

	for (size_t i = 0; i < COUNT(scenarios); i++)
		for (int call = 1 + (int)i % step;; call += step) {
			int error = errors[(size_t)call % COUNT(errors)];

			if (!run_with_fault(state, &scenarios[i], call, -OTP_ESTORE, FAULT_AFTER))
				break;
			run_with_fault(state, &scenarios[i], call, error, FAULT_BEFORE);
			faults++;
		}
	print_message("%d calls failed\n", faults);
	assert_in_range(faults, 200 / step, 400 / step);
}

static void
a_failing_name_service_ends_as_broken(void **state)
{
	(void)state;
	rig_conf("unregistered = skip", "",
	    "[exempt x]\nreason = r\nuntil = 2026-12-31\nusers = asha\n");
	rig.account_error = -OTP_ENAMES;
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_BROKEN);
	rig.account_error = 0;
	/* Groups are looked up only if a rule has some. */
	rig.groups_error = -OTP_ENOMEM;
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_SKIP);
	rig_conf("unregistered = skip", "",
	    "[exempt x]\nreason = r\nuntil = 2026-12-31\ngroups = root\n");
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_BROKEN);
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

/* If the host hangs up while the code is being sent, the send stays counted. */
static void
a_host_that_leaves_during_a_send(void **state)
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
	usleep(1600000);
}

static void
the_deadline_ends_in_a_refusal(void **state)
{
	(void)state;
	rig.deadline_ms = -1;
	assert_int_equal(rig_run_lines(NULL, 0), LOGIN_BROKEN);
	assert_int_equal(rig.sends, 0);
	rig.deadline_ms = 1500;
	assert_int_equal(RUN({.prompt = ENTER, .answer = "", .meanwhile = sleep_over_the_deadline}),
	    LOGIN_BROKEN);
	assert_int_equal(rig.sends, 0);
	rig_conf("ask_first = never", "", "");
	assert_int_equal(
	    RUN({.prompt = SENT, .answer = "@wrong", .meanwhile = sleep_over_the_deadline}),
	    LOGIN_DENIED);
}

/* A small store in memory: the model that the random sign-ins run on. */
static struct {
	struct challenge challenge[64];
	char boot_id[64][40];
	enum { NONE, LIVE, DEAD, USED } state[64];
	size_t n;
	int64_t locked_until, recovery_locked_until;
	bool busy; /* a concurrent sign-in's check is under way */
	struct recovery paper;
	bool paper_used[RIG_CODES];
	enum provider_class lately; /* the outcome of the last real send */
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

/* Has the challenge a try left, and has the budget? */
static int
m_may_try(int i, const struct instant *t, const struct trial *trial, struct trial_result *out)
{
	int r = alive(i, t);

	if (!r && memory.locked_until > t->wall_ms) {
		out->until_wall_ms = memory.locked_until;
		return -OTP_ELIMIT;
	}
	return !r && memory.challenge[i].tries >= trial->rule.per_challenge ? -OTP_ELIMIT : r;
}

static int
m_try_mac(
    struct store *s, const struct instant *t, const struct trial *trial, struct trial_result *out)
{
	int i = slot_of(trial->id), r = m_may_try(i, t, trial, out);

	(void)s;
	if (r)
		return r;
	if (!memory.challenge[i].has_mac)
		return -OTP_EINVAL;
	if (!memcmp(memory.challenge[i].mac, trial->proof, STORE_MAC_LEN)) {
		memory.state[i] = USED;
		return 0;
	}
	out->left = trial->rule.per_challenge - ++memory.challenge[i].tries;
	return -OTP_EWRONG;
}

static int
m_try_count(
    struct store *s, const struct instant *t, const struct trial *trial, struct trial_result *out)
{
	int i = slot_of(trial->id), r = m_may_try(i, t, trial, out);

	(void)s;
	if (!r && memory.busy)
		return -OTP_EBUSY;
	if (!r)
		out->left = trial->rule.per_challenge - ++memory.challenge[i].tries;
	return r;
}

static int
m_locked(
    struct store *s, const struct instant *t, const struct trial *trial, struct trial_result *out)
{
	(void)s;
	out->until_wall_ms = strncmp(trial->budget->kind, "recovery", 8)
				 ? memory.locked_until
				 : memory.recovery_locked_until;
	return out->until_wall_ms > t->wall_ms ? -OTP_ELIMIT : 0;
}

static int
m_consume(struct store *s, const struct instant *t, const struct trial *trial)
{
	int i = slot_of(trial->id), r = alive(i, t);

	(void)s;
	if (!r)
		memory.state[i] = USED;
	return r;
}

static int
m_check_end(struct store *s, const char *id)
{
	(void)s, (void)id;
	return 0;
}

static int
m_try_return(struct store *s, const struct trial *trial)
{
	(void)s, (void)trial;
	return 0;
}

static int
m_place_known(struct store *s, const struct instant *t, const char *user, const char *known_source)
{
	(void)s, (void)user, (void)known_source;
	return t->wall_ms % 3 ? -OTP_ENOENT : 0;
}

/* asha's alone. */
static int
m_recovery_find(struct store *s, const char *user, struct recovery *out)
{
	(void)s;
	*out = memory.paper;
	out->n = 0;
	for (int i = 0; i < memory.paper.n; i++)
		out->n += !memory.paper_used[i];
	return memory.paper.n && !strcmp(user, "asha") ? 0 : -OTP_ENOENT;
}

static int
m_recovery_use(
    struct store *s, const struct instant *t, const struct trial *trial, struct trial_result *out)
{
	int nr = -1;

	(void)s, (void)t;
	*out = (struct trial_result){.in_a_row = 1};
	for (int i = 0; i < memory.paper.n; i++)
		if (!memcmp(trial->proof, memory.paper.hash[i], RECOVERY_HASH_LEN))
			nr = i;
	if (strcmp(trial->user, "asha") != 0 || strcmp(trial->id, memory.paper.id) != 0 || nr < 0)
		return -OTP_EWRONG;
	if (memory.paper_used[nr])
		return -OTP_EUSED;
	memory.paper_used[nr] = true;
	out->left = 0;
	return 0;
}

static int
m_samples(struct store *s, const char *what, struct sample out[SAMPLES_KEPT], size_t *n)
{
	(void)s, (void)what;
	*n = memory.lately != CLASS_OK;
	out[0] = (struct sample){rig.now.wall_ms, 100, memory.lately};
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

static int
m_turn(struct store *s, uint64_t number)
{
	(void)s, (void)number;
	return 0;
}

static void
m_turn_end(struct store *s)
{
	(void)s;
}

static int
m_place(struct store *s, uint64_t number, bool known)
{
	(void)s, (void)number, (void)known;
	return 0;
}

static const struct store_ops memory_ops = {.send_reserve = m_reserve,
    .send_return = m_return,
    .send_lock_take = m_turn,
    .send_lock_release = m_turn_end,
    .hash_place_take = m_place,
    .hash_place_release = m_turn_end,
    .challenge_put = m_put,
    .challenge_find = m_find,
    .try_mac = m_try_mac,
    .try_count = m_try_count,
    .locked = m_locked,
    .consume = m_consume,
    .check_end = m_check_end,
    .try_return = m_try_return,
    .challenge_kill = m_kill,
    .challenge_used = m_used,
    .source_known = m_place_known,
    .recovery_find = m_recovery_find,
    .recovery_use = m_recovery_use,
    .samples = m_samples};

/* The random person, and what it knows: the live code of each user, service and source. */
static uint64_t seed;
static char codes[3][2][3][16];
static char *mine; /* of this sign-in */
static int sends_seen;
static bool honest, typed_mine, typed_paper;

static size_t
any(size_t n)
{
	return (size_t)(fixed_random(&seed) >> 33) % n;
}

static int
random_person(const char *prompt, enum answer *kind, char *typed, size_t size)
{
	static const char *const words[] = {"", "", "r", "r", "R", " ", "12345", "abcdef", "-", "o",
	    "o", "1", "2", "3", "\uff12", "ok", "yes", "1234567", "\xff\xfe", "asha", "R ok",
	    "\x1b[2J", "rc-", "rc-0000-0000-0000-0000", "RC 1111222233334444"};

	(void)prompt;
	if (rig.sends != sends_seen && rig.sends_as[0] != CLASS_BAD_DESTINATION)
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
	if (honest && any(20) == 0)
		(void)snprintf(typed, size, "%s", rig.recovery[any(RIG_CODES)]);
	/* If a random guess happens to be right, it is replaced. */
	typed_mine = *mine && !strcmp(typed, mine);
	if (typed_mine && !honest)
		(void)snprintf(typed, size, "%s", "000");
	typed_mine &= honest;
	typed_paper = false;
	for (int i = 0; i < RIG_CODES; i++)
		typed_paper |= !strcmp(typed, rig.recovery[i]);
	return any(40) ? 0 : (const int[]){-OTP_ETIME, -OTP_EGONE, -OTP_EPROTO}[any(3)];
}

static int by_paper;

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
	typed_mine = typed_paper = false;
	honest = any(3) == 0;
	rig.sends_as[0] = any(3) ? CLASS_OK : (enum provider_class)any(CLASS_BROKEN + 1);
	memory.locked_until = any(60) ? 0 : rig.now.wall_ms + (int64_t)any(60000);
	memory.recovery_locked_until = any(20) ? 0 : rig.now.wall_ms + (int64_t)any(60000);
	memory.lately = (const enum provider_class[]){
	    CLASS_OK, CLASS_OK, CLASS_PROVIDER_DOWN, CLASS_UNANSWERED}[any(4)];
	memory.busy = any(30) == 0;
	/* Most users have no recovery codes: with them, no sign-in would end in an outage. */
	memory.paper.n = any(4) ? 0 : RIG_CODES;
	memset(memory.paper_used, any(4) == 0, sizeof(memory.paper_used));
	*rig.transcript = *rig.sent_destinations = '\0';
	word = rig_run_store(&store, NULL, 0);
	if (rig.prompts - rig.last_prompts > 20 || rig.last_prompts + rig.nshown > 1)
		fail_msg("%d prompts, %d at the end", rig.prompts, rig.last_prompts);
	if (word == LOGIN_OK && ((!typed_mine && !typed_paper) || user))
		fail_msg("let in without the right code:\n%s", rig.transcript);
	if (word == LOGIN_SKIP ||
	    (word == LOGIN_UNAVAIL && (rig.sends_as[0] != CLASS_PROVIDER_DOWN || user)))
		fail_msg("%s, by a person:\n%s", login_word(word), rig.transcript);
	if (word == LOGIN_UNAVAIL && !*rig.start.rhost)
		fail_msg("unavail, on this machine:\n%s", rig.transcript);
	if (word == LOGIN_UNAVAIL && rig.code_prompts)
		fail_msg("unavail after a prompt for a code:\n%s", rig.transcript);
	if (word == LOGIN_OK)
		*mine = '\0';
	by_paper += word == LOGIN_OK && typed_paper;
	return word;
}

static void
make_paper(void)
{
	memory.paper = (struct recovery){.id = "0123456789abcdef0123456789abcdef", .n = RIG_CODES};
	for (int i = 0; i < RIG_CODES; i++) {
		_auto_secret struct secret shown = {0}, code = {0};

		assert_int_equal(recovery_make(&shown), 0);
		(void)snprintf(rig.recovery[i], sizeof(rig.recovery[i]), "%s", secret_str(&shown));
		assert_int_equal(recovery_read(secret_str(&shown), &code), 0);
		assert_int_equal(recovery_hash(&code, memory.paper.salt, memory.paper.hash[i]), 0);
	}
}

static void
random_answers_never_sign_in(void **state)
{
	const int sign_ins = rounds(20000);
	int ends[LOGIN_SKIP + 1] = {0};

	(void)state;
	seed = 20261122;
	rig_conf("", "resend_wait = 10s", "");
	rig_contact("asha", CONTACT_EMAIL, "asha@example.com");
	make_paper();
	rig.person = random_person;
	rig.nsends_as = 1;
	for (int i = 0; i < sign_ins; i++)
		ends[random_sign_in()]++;
	/* Each result occurs, so the test would notice each of them. */
	for (int w = LOGIN_BROKEN; w < LOGIN_SKIP; w++)
		if (ends[w] < sign_ins / 400)
			fail_msg("only %d ended %s", ends[w], login_word((enum login_word)w));
	assert_int_equal(ends[LOGIN_SKIP], 0);
	if (by_paper < sign_ins / 400)
		fail_msg("only %d by recovery codes", by_paper);
	for (size_t i = 0; i < COUNT(memory.challenge); i++)
		free(memory.challenge[i].captures);
}

static void
result_words_are_those_of_the_protocol(void **state)
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
	    TEST(a_failing_name_service_ends_as_broken),
	    TEST(names_that_do_not_fit_are_denied),
	    TEST(a_host_that_leaves_during_a_send),
	    TEST(the_deadline_ends_in_a_refusal),
	    TEST(random_answers_never_sign_in),
	    cmocka_unit_test(result_words_are_those_of_the_protocol),
	};

	return cmocka_run_group_tests_name("login_closed", tests, NULL, NULL);
}
