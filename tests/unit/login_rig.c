#include "tests/unit/login_rig.h"

#include <openssl/evp.h>
#include <sqlite3.h>
#include <time.h>

#include "common/clock.h"
#include "common/err.h"
#include "helpers/codes/code.h"
#include "tests/unit/report.h"

struct rig rig;
int rig_wrong;

static const int64_t noon_s = 1781524800; /* 2026-06-15 12:00 UTC */

static const struct secret host_key = {(char *)"0123456789abcdef0123456789abcdef", 32};

static const struct {
	const char *asked, *name;
	uid_t uid;
} users[] = {{"asha", "asha", 1001}, {"ASHA", "asha", 1001}, {"bina", "bina", 1002},
    {"chandra", "chandra", 1003}, {"root", "root", 0}};

/* The linker puts these in the place of the real functions: see --wrap in local.mk. */

int64_t __real_clock_ms(clockid_t clock);
int64_t __wrap_clock_ms(clockid_t clock);
int __real_recovery_hash(const struct secret *canonical,
    const unsigned char salt[RECOVERY_SALT_LEN], unsigned char hash[RECOVERY_HASH_LEN]);
int __wrap_recovery_hash(const struct secret *canonical,
    const unsigned char salt[RECOVERY_SALT_LEN], unsigned char hash[RECOVERY_HASH_LEN]);

int64_t
__wrap_clock_ms(clockid_t clock)
{
	return __real_clock_ms(clock) + rig.mono_ms;
}

/* The real hash is slow by design, and has tests of its own. */
int
__wrap_recovery_hash(const struct secret *canonical, const unsigned char salt[RECOVERY_SALT_LEN],
    unsigned char hash[RECOVERY_HASH_LEN])
{
	unsigned char text[RECOVERY_SALT_LEN + RECOVERY_SYMBOLS];

	rig.hashes++;
	if (rig.hash_really)
		return __real_recovery_hash(canonical, salt, hash);
	assert_int_equal(canonical->len, RECOVERY_SYMBOLS);
	memcpy(text, salt, RECOVERY_SALT_LEN);
	memcpy(text + RECOVERY_SALT_LEN, canonical->bytes, RECOVERY_SYMBOLS);
	return EVP_Digest(text, sizeof(text), hash, NULL, EVP_sha256(), NULL) ? 0 : -OTP_ECRYPTO;
}

/* The person */

static void
write_wide(char *typed, size_t size, const char *code)
{
	size_t n = 0;

	for (; *code && n + 4 < size; code++)
		n += (size_t)sprintf(typed + n, "\xef\xbc%c", 0x90 + (*code - '0'));
}

static void
write_answer(const char *answer, char *typed, size_t size)
{
	const char *c = rig.code;

	if (!strcmp(answer, "@code"))
		(void)snprintf(typed, size, "%s", c);
	else if (!strcmp(answer, "@spaced"))
		(void)snprintf(typed, size, " %.3s-%.2s %.5s\t", c, c + 3, c + 5);
	else if (!strcmp(answer, "@wide"))
		write_wide(typed, size, c);
	else if (!strcmp(answer, "@rcx"))
		(void)snprintf(typed, size, "rc-0000-0000-0000-0000");
	else if (!strncmp(answer, "@rc", 3))
		(void)snprintf(typed, size, "%s", rig.recovery[answer[3] - '0']);
	else if (!strcmp(answer, "@old"))
		(void)snprintf(typed, size, "%s", rig.old);
	else if (!strcmp(answer, "@wrong"))
		(void)snprintf(typed, size, "%c%.9s", c[0] == '9' ? '0' : c[0] + 1, c + 1);
	else
		(void)snprintf(typed, size, "%s", answer);
	if (!strcmp(answer, "@wrong") && !*c)
		(void)snprintf(typed, size, "314159");
}

static void
note(const char *text)
{
	size_t used = strlen(rig.transcript);

	(void)snprintf(rig.transcript + used, sizeof(rig.transcript) - used, "%s\n", text);
}

static int
ask(struct login_peer *p, const char *text, struct deadline dl, enum answer *kind,
    struct secret *typed)
{
	const struct line *l = rig.script;
	char answer[512];

	(void)p, (void)dl;
	rig.prompts++;
	note(text);
	rig.code_prompts +=
	    strstr(text, "Verification code (r = ") || strstr(text, "Recovery code");
	rig.last_prompts += strstr(text, "\nPress Enter to end: ") != NULL;
	if (rig.person) {
		int r = rig.person(text, kind, answer, sizeof(answer));

		return r ? r : secret_set(typed, answer, strlen(answer));
	}
	if (!rig.left)
		fail_msg("a prompt that the script does not have: %s", text);
	if (!strstr(text, l->prompt))
		fail_msg("expected \"%s\", was asked \"%s\"", l->prompt, text);
	rig.script++;
	rig.left--;
	rig_later(l->before_ms);
	if (l->meanwhile)
		l->meanwhile();
	*kind = l->kind;
	if (l->error)
		return l->error;
	write_answer(l->answer, answer, sizeof(answer));
	return secret_set(typed, answer, strlen(answer));
}

static void
show_line(struct login_peer *p, const char *text)
{
	(void)p;
	note(text);
	if (rig.nshown < (int)COUNT(rig.shown))
		(void)snprintf(rig.shown[rig.nshown++], sizeof(rig.shown[0]), "%s", text);
}

static int
wait_ms(struct login_peer *p, int64_t ms)
{
	(void)p;
	/* A place is held for the hash alone, never while somebody waits. */
	assert_false(rig.place_held);
	rig.waited_ms += ms;
	rig.waits++;
	rig_later(ms);
	if (rig.on_wait)
		rig.on_wait();
	return rig.wait_error;
}

/* The machine */

static int
account(struct login_machine *m, const char *name, struct account *out)
{
	(void)m;
	*out = (struct account){.exists = false};
	for (size_t i = 0; !rig.account_error && i < COUNT(users); i++) {
		if (strcmp(users[i].asked, name))
			continue;
		out->exists = true;
		(void)snprintf(out->name, sizeof(out->name), "%s", users[i].name);
		out->uid = users[i].uid;
	}
	if (!rig.account_error && strlen(name) == 3 && *name == 'u' && name[1] >= '0' &&
	    name[1] <= '9' && name[2] >= '0' && name[2] <= '9') {
		out->exists = true;
		(void)snprintf(out->name, sizeof(out->name), "%s", name);
		out->uid = 2000;
	}
	return rig.account_error;
}

static int
groups(struct login_machine *m, struct account *a)
{
	(void)m;
	a->group = calloc(1, sizeof(*a->group)); /* root's group, which every machine has */
	a->ngroups = 1;
	return rig.groups_error;
}

static bool
is_own(struct login_machine *m, const struct in6_addr *a)
{
	(void)m;
	return IN6_ARE_ADDR_EQUAL(a, &rig.own_address);
}

static void
now(struct clock_source *c, struct instant *out)
{
	(void)c;
	*out = rig.now;
}

void
rig_later(int64_t ms)
{
	rig.now.wall_ms += ms;
	rig.now.boot_ms += ms;
}

/* The phone */

/* The outcome of the next send over this channel, as the test has set it. */
static enum provider_class
class_of_send(const char *channel)
{
	size_t i = (size_t)rig.sends < rig.nsends_as ? (size_t)rig.sends : rig.nsends_as - 1;

	if (!strcmp(channel, "email") && rig.email_sends_as)
		return rig.email_sends_as;
	return rig.nsends_as ? rig.sends_as[i] : CLASS_OK;
}

static int
send_it(struct delivery *d, const struct sending *q, const struct last_send *last,
    const struct conf_signin *options, struct deadline all, struct delivered *out)
{
	(void)d, (void)options, (void)all;
	*out = (struct delivered){.sent = SENT_INIT(class_of_send(q->channel)),
	    .instead = rig.instead,
	    .code_by = rig.code_by};
	out->sent.outcome.retry_after = rig.retry_after;
	(void)snprintf(out->provider, sizeof(out->provider), "p");
	out->bound_to = rig.newest_counts ? BOUND_TO_ADDRESS : BOUND_TO_CHALLENGE;
	if (rig.newest_counts)
		(void)snprintf(out->identity, sizeof(out->identity), "p %s", q->contact->address);
	out->pretended =
	    rig.newest_counts && q->spares(q->spares_arg, out->identity, q->contact->address);
	if (out->pretended) {
		rig.pretended++;
		out->sent.outcome.class = CLASS_OK;
		return 0;
	}
	size_t used = strlen(rig.sent_destinations);

	rig.sends++;
	rig_later(rig.send_takes_ms);
	rig.mono_ms += rig.stall_ms;
	(void)snprintf(rig.sent_destinations + used, sizeof(rig.sent_destinations) - used,
	    "%s %s %s; ", q->channel, q->contact->address, q->code);
	(void)snprintf(rig.before, sizeof(rig.before), "%s %s%s", last ? last->provider : "-",
	    q->captures ? q->captures : "-", last && last->unanswered ? " unanswered" : "");
	/* A provider that refuses an address has received the request, and may have sent it. */
	out->nothing_sent = out->sent.outcome.class != CLASS_OK &&
			    out->sent.outcome.class != CLASS_UNANSWERED &&
			    out->sent.outcome.class != CLASS_BAD_DESTINATION;
	(void)snprintf(out->provider, sizeof(out->provider), "p");
	(void)snprintf(rig.sent_to, sizeof(rig.sent_to), "%s", q->contact->address);
	(void)snprintf(rig.sent_channel, sizeof(rig.sent_channel), "%s", q->channel);
	/* A provider that refuses an address has seen the code as well. */
	if (!out->nothing_sent || out->sent.outcome.class == CLASS_BAD_DESTINATION) {
		memcpy(rig.old, rig.code, sizeof(rig.old));
		(void)snprintf(rig.code, sizeof(rig.code), "%s", q->code);
		if (rig.code_by != CODE_BY_MODULE)
			(void)snprintf(rig.code, sizeof(rig.code), "77%04d", rig.sends);
	}
	if (out->sent.outcome.class == CLASS_OK && rig.code_by == CODE_BY_RESPONSE)
		assert_int_equal(secret_set(&out->sent.code, rig.code, strlen(rig.code)), 0);
	if (out->sent.outcome.class == CLASS_OK && rig.code_by == CODE_BY_PROVIDER)
		assert_int_equal(secret_set(&out->sent.captures, "{\"id\":\"7\"}", 10), 0);
	return rig.error;
}

/* The provider's check: it compares with the last code that it made. */
static int
check_it(struct delivery *d, const struct sending *q, const char *provider,
    const struct conf_signin *options, struct delivered *out)
{
	(void)d, (void)options;
	rig.checks++;
	rig_later(rig.check_takes_ms);
	if (rig.on_check)
		rig.on_check();
	assert_string_equal(provider, "p");
	*out = (struct delivered){
	    .sent = SENT_INIT(
		strcmp(q->code, rig.right ? rig.right : rig.code) ? CLASS_WRONG_CODE : CLASS_OK),
	};
	if (rig.checks_as != CLASS_OK)
		out->sent.outcome.class = rig.checks_as;
	out->nothing_sent = rig.check_unwritten;
	(void)snprintf(rig.checked, sizeof(rig.checked), "%s %s %s", q->contact->address,
	    q->captures ? q->captures : "-", q->code);
	return rig.error;
}

static void
warm(struct delivery *d, const char *channel)
{
	(void)d;
	assert_non_null(channel);
	rig.warmed++;
}

static void
code_length(struct delivery *d, const char *channel, const char *provider, int *least, int *most)
{
	(void)d, (void)channel, (void)provider;
	*least = rig.code_by == CODE_BY_MODULE ? 0 : 4;
	*most = rig.code_by == CODE_BY_MODULE ? 0 : 8;
}

static int
needs(struct delivery *d, const char *channel, enum contact_kind *kind)
{
	(void)d;
	*kind = strcmp(channel, "email") ? CONTACT_PHONE : CONTACT_EMAIL;
	return 0;
}

/* Store and contacts, with a fault in one of their calls */

static bool
fault_now(const char *function)
{
	size_t used = strlen(rig.ops);

	(void)snprintf(rig.ops + used, sizeof(rig.ops) - used, "%s ", function + strlen("f_"));
	rig.calls++;
	rig.fault_hit |= rig.calls == rig.fail_at;
	return rig.calls == rig.fail_at;
}

/* Runs the call. If it is the one that fails, it fails before or after its work is done. */
#define WITH_FAULT(call)                                                   \
	do {                                                               \
		bool fault_ = fault_now(__func__);                         \
		int r_ = fault_ && rig.fault == FAULT_BEFORE ? 0 : (call); \
		return fault_ ? rig.fail_with : r_;                        \
	} while (0)
#define REAL rig.real_store->ops

static int
f_reserve(struct store *s, const struct instant *t, const struct send_count *c, size_t n,
    int64_t *id, struct store_refusal *why)
{
	(void)s;
	WITH_FAULT(REAL->send_reserve(rig.real_store, t, c, n, id, why));
}

static int
f_return(struct store *s, int64_t id)
{
	(void)s;
	rig.fault_ignored |= rig.calls + 1 == rig.fail_at;
	WITH_FAULT(REAL->send_return(rig.real_store, id));
}

static int
f_send_lock_take(struct store *s, uint64_t number)
{
	(void)s;
	/* If the lock cannot be taken, both sign-ins send. */
	rig.fault_ignored |= rig.calls + 1 == rig.fail_at;
	if (rig.lock_busy > 0) {
		rig.lock_busy--;
		return -OTP_EBUSY;
	}
	WITH_FAULT(REAL->send_lock_take(rig.real_store, number));
}

static void
f_send_lock_release(struct store *s)
{
	(void)s;
	REAL->send_lock_release(rig.real_store);
}

static int
f_hash_place_take(struct store *s, uint64_t number, bool known)
{
	(void)s;
	rig.place = number, rig.place_known = known;
	/* Without locking, a sign-in hashes at once. */
	rig.fault_ignored |= rig.calls + 1 == rig.fail_at;
	if (rig.places_busy > 0) {
		rig.places_busy--;
		return -OTP_EBUSY;
	}
	rig.place_held = true;
	WITH_FAULT(REAL->hash_place_take(rig.real_store, number, known));
}

static void
f_hash_place_release(struct store *s)
{
	(void)s;
	rig.place_held = false;
	REAL->hash_place_release(rig.real_store);
}

static int
f_put(struct store *s, const struct instant *t, const struct challenge *c, int64_t reservation)
{
	(void)s;
	WITH_FAULT(REAL->challenge_put(rig.real_store, t, c, reservation));
}

static int
f_find(struct store *s, const struct instant *t, const char *user, const char *service,
    const char *source, struct challenge *out)
{
	(void)s;
	WITH_FAULT(REAL->challenge_find(rig.real_store, t, user, service, source, out));
}

static int
f_spared(struct store *s, const struct instant *t, const char *identity, const char *address,
    const char *peer_user)
{
	(void)s;
	WITH_FAULT(REAL->challenge_spared(rig.real_store, t, identity, address, peer_user));
}

static int
f_kill(struct store *s, const char *id)
{
	(void)s;
	rig.fault_ignored |= rig.calls + 1 == rig.fail_at;
	WITH_FAULT(REAL->challenge_kill(rig.real_store, id));
}

static int
try_mac(const struct instant *t, const struct trial *trial, struct trial_result *out)
{
	int r = REAL->try_mac(rig.real_store, t, trial, out);

	rig_wrong += r == -OTP_EWRONG;
	return r;
}

static int
f_try_mac(
    struct store *s, const struct instant *t, const struct trial *trial, struct trial_result *out)
{
	(void)s;
	WITH_FAULT(try_mac(t, trial, out));
}

static int
f_try_count(
    struct store *s, const struct instant *t, const struct trial *trial, struct trial_result *out)
{
	(void)s;
	WITH_FAULT(REAL->try_count(rig.real_store, t, trial, out));
}

static int
f_check_end(struct store *s, const char *id)
{
	(void)s;
	rig.fault_ignored |= rig.calls + 1 == rig.fail_at;
	WITH_FAULT(REAL->check_end(rig.real_store, id));
}

static int
f_locked(
    struct store *s, const struct instant *t, const struct trial *trial, struct trial_result *out)
{
	(void)s;
	WITH_FAULT(REAL->locked(rig.real_store, t, trial, out));
}

static int
f_consume(struct store *s, const struct instant *t, const struct trial *trial)
{
	(void)s;
	WITH_FAULT(REAL->consume(rig.real_store, t, trial));
}

static int
f_try_return(struct store *s, const struct trial *trial)
{
	(void)s;
	rig.fault_ignored |= rig.calls + 1 == rig.fail_at;
	WITH_FAULT(REAL->try_return(rig.real_store, trial));
}

static int
f_place_known(struct store *s, const struct instant *t, const char *user, const char *known_source)
{
	(void)s;
	WITH_FAULT(REAL->source_known(rig.real_store, t, user, known_source));
}

static int
f_remembered(
    struct store *s, const struct instant *t, const char *user, const char *key, int64_t *age_ms)
{
	(void)s;
	WITH_FAULT(REAL->remembered_find(rig.real_store, t, user, key, age_ms));
}

static int
f_recovery_find(struct store *s, const char *user, struct recovery *out)
{
	(void)s;
	WITH_FAULT(REAL->recovery_find(rig.real_store, user, out));
}

static int
f_recovery_use(
    struct store *s, const struct instant *t, const struct trial *trial, struct trial_result *out)
{
	(void)s;
	WITH_FAULT(REAL->recovery_use(rig.real_store, t, trial, out));
}

static int
f_samples(struct store *s, const char *what, struct sample out[SAMPLES_KEPT], size_t *n)
{
	(void)s;
	WITH_FAULT(REAL->samples(rig.real_store, what, out, n));
}

static int
f_used(struct store *s, const char *id)
{
	(void)s;
	rig.fault_ignored |= rig.calls + 1 == rig.fail_at;
	WITH_FAULT(REAL->challenge_used(rig.real_store, id));
}

static int
f_contacts(struct contacts *c, const char *user, struct contact_list *out)
{
	bool fault = fault_now(__func__);

	(void)c;
	*out = (struct contact_list){0};
	return fault ? rig.fail_with : rig.real_contacts->ops->find(rig.real_contacts, user, out);
}

static int
f_any(struct contacts *c, enum contact_kind kind, uint64_t pick, struct contact *out)
{
	(void)c;
	WITH_FAULT(rig.real_contacts->ops->any(rig.real_contacts, kind, pick, out));
}

static const struct store_ops store_ops = {.send_reserve = f_reserve,
    .send_return = f_return,
    .send_lock_take = f_send_lock_take,
    .send_lock_release = f_send_lock_release,
    .hash_place_take = f_hash_place_take,
    .hash_place_release = f_hash_place_release,
    .challenge_put = f_put,
    .challenge_find = f_find,
    .challenge_spared = f_spared,
    .challenge_kill = f_kill,
    .try_mac = f_try_mac,
    .try_count = f_try_count,
    .check_end = f_check_end,
    .locked = f_locked,
    .consume = f_consume,
    .try_return = f_try_return,
    .challenge_used = f_used,
    .source_known = f_place_known,
    .remembered_find = f_remembered,
    .recovery_find = f_recovery_find,
    .recovery_use = f_recovery_use,
    .samples = f_samples};
static int
f_refresh(struct contacts *c)
{
	(void)c;
	WITH_FAULT(rig.real_contacts->ops->refresh(rig.real_contacts));
}

static const struct contacts_ops contacts_ops = {
    .find = f_contacts, .any = f_any, .refresh = f_refresh};

/* Stores the samples, as the helper does after the result. */
static void
keep_samples(struct store *s)
{
	const struct login_result *r = &rig.result;

	for (int i = 0; i < r->nsamples && s->ops == &store_ops; i++)
		assert_int_equal(REAL->sample_put(rig.real_store, &rig.now, r->sample[i].what,
				     r->sample[i].took_ms, r->sample[i].outcome),
		    0);
}

enum login_word
rig_run_store(struct store *store, const struct line *script, size_t n)
{
	struct login_peer peer = {.ask = ask, .show = show_line, .wait = wait_ms};
	struct login_machine machine = {.account = account, .groups = groups, .is_own = is_own};
	struct clock_source clock = {.now = now};
	struct delivery delivery = {
	    .send = send_it,
	    .verify = check_it,
	    .warm = warm,
	    .needs = needs,
	    .code_length = code_length,
	};
	struct contacts contacts = {&contacts_ops};
	const struct login_ports ports = {.conf = rig.conf,
	    .host_key = &host_key,
	    .host = "unit",
	    .peer = &peer,
	    .machine = &machine,
	    .clock = &clock,
	    .contacts = &contacts,
	    .store = store,
	    .delivery = &delivery};

	rig.script = script;
	rig.left = n;
	rig.prompts = rig.code_prompts = rig.last_prompts = rig.nshown = rig.calls = 0;
	rig.fault_hit = rig.fault_ignored = false;
	*rig.ops = '\0';
	login_run(&ports, &rig.start, deadline_in(rig.deadline_ms), &rig.result);
	keep_samples(store);
	if (rig.left && !rig.fail_at)
		fail_msg("ended %s, \"%s\", before the prompt \"%s\"", login_word(rig.result.word),
		    rig.result.reason, rig.script->prompt);
	return rig.result.word;
}

enum login_word
rig_run_lines(const struct line *script, size_t n)
{
	struct store store = {&store_ops};

	return rig_run_store(&store, script, n);
}

int
rig_did(const char *op)
{
	size_t len = strlen(op);
	int n = 0;

	for (const char *p = rig.ops; *p; p += strcspn(p, " ") + 1)
		n += !strncmp(p, op, len) && p[len] == ' ';
	return n;
}

static void
query(const char *sql, char *text, size_t size)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open_v2(folder_at(&rig.folder, "state/store.db"), &db,
			     SQLITE_OPEN_READONLY, NULL),
	    SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) || sqlite3_step(stmt) != SQLITE_ROW)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	(void)snprintf(text, size, "%s", (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int64_t
rig_number(const char *sql)
{
	char text[64];

	query(sql, text, sizeof(text));
	return strtoll(text, NULL, 10);
}

const char *
rig_rows(void)
{
	static char text[4096];

	query("SELECT coalesce((SELECT group_concat(kind || owner || place || failures || last_ms) "
	      "FROM budget), '') || ';' || (SELECT count(*) FROM send_event) || ';' || "
	      "coalesce((SELECT group_concat(id || state || tries) FROM challenge), '') || ';' || "
	      "coalesce((SELECT group_concat(user || place || seen_ms) FROM known_place), '') || "
	      "';' || (SELECT count(*) || total(used) FROM recovery_code) || ';' || "
	      "(SELECT count(*) FROM sample) || (SELECT count(*) FROM pause)",
	    text, sizeof(text));
	return text;
}

void
rig_issue(const char *user, int n)
{
	struct recovery r = {.n = n};

	assert_in_range(n, 1, RIG_CODES);
	assert_int_equal(random_id(r.id, STORE_ID_LEN / 2), 0);
	assert_int_equal(recovery_salt(r.salt), 0);
	for (int i = 0; i < n; i++) {
		_auto_secret struct secret shown = {0}, code = {0};

		assert_int_equal(recovery_make(&shown), 0);
		(void)snprintf(rig.recovery[i], sizeof(rig.recovery[i]), "%s", secret_str(&shown));
		assert_int_equal(recovery_read(secret_str(&shown), &code), 0);
		assert_int_equal(recovery_hash(&code, r.salt, r.hash[i]), 0);
	}
	assert_int_equal(REAL->recovery_put(rig.real_store, &rig.now, user, &r), 0);
	rig.hashes = 0;
}

void
rig_start(const char *service, const char *user)
{
	rig.start = (struct login_start){.first_factor = true,
	    .service = service,
	    .user = user,
	    .rhost = "192.0.2.7",
	    .tty = "ssh",
	    .ruser = "",
	    .ssh_connection = "",
	    .ssh_auth_info = "",
	    .session = "7",
	    .session_start = "1000",
	    .boot_id = rig.now.boot_id};
}

void
rig_conf(const char *otp, const char *limits, const char *rest)
{
	_auto_report struct conf_report report = {.max = 8192};
	char text[4096];

	assert_in_range(
	    snprintf(text, sizeof(text),
		"[otp]\n%s\n%s\n"
		"[channel sms]\nproviders = p\n[channel email]\nproviders = p\n"
		"[channel voice]\nproviders = p\n"
		"[provider p]\nprofile = p\n[limits]\n%s\n%s\n",
		strstr(otp, "channels = ") ? "" : "channels = sms, email", otp, limits, rest),
	    1, sizeof(text) - 1);
	folder_write(&rig.folder, "pam_otp.conf", text, 0644);
	conf_free(rig.conf);
	rig.conf = NULL;
	if (conf_load_at(rig.folder.file, geteuid(), noon_s, &rig.conf, &report))
		fail_msg("%s", report_text(&report));
}

void
rig_contact(const char *user, enum contact_kind kind, const char *address)
{
	struct contact c = {.kind = kind};
	struct contacts_edit *e = NULL;
	const char *path = folder_at(&rig.folder, "contacts.db");

	(void)snprintf(c.user, sizeof(c.user), "%s", user);
	(void)snprintf(c.address, sizeof(c.address), "%s", address);
	if (rig.real_contacts)
		rig.real_contacts->ops->close(rig.real_contacts);
	rig.real_contacts = NULL;
	assert_int_equal(contacts_edit_begin(path, &e), 0);
	assert_int_equal(contacts_edit_add(e, &c), 0);
	assert_int_equal(contacts_edit_commit(e), 0);
	assert_int_equal(contacts_sqlite_open(path, geteuid(), &rig.real_contacts), 0);
}

void
rig_office(int n)
{
	const char *path = folder_at(&rig.folder, "contacts.db");
	struct contacts_edit *e = NULL;

	rig.real_contacts->ops->close(rig.real_contacts);
	rig.real_contacts = NULL;
	assert_int_equal(contacts_edit_begin(path, &e), 0);
	for (int i = 0; i < n; i++) {
		struct contact c = {.kind = CONTACT_PHONE};

		(void)snprintf(c.user, sizeof(c.user), "u%02d", i);
		(void)snprintf(c.address, sizeof(c.address), "+97798000000%02d", i);
		assert_int_equal(contacts_edit_add(e, &c), 0);
	}
	assert_int_equal(contacts_edit_commit(e), 0);
	assert_int_equal(contacts_sqlite_open(path, geteuid(), &rig.real_contacts), 0);
}

/* Both databases as each test finds them: made once, and copied for each test. */
static struct kept {
	const char *name;
	char *bytes;
	size_t len;
} kept[] = {{"state/store.db", NULL, 0}, {"contacts.db", NULL, 0}};

static void
make_databases(void)
{
	char dir[512];

	(void)snprintf(dir, sizeof(dir), "%s", folder_at(&rig.folder, "state"));
	assert_int_equal(store_sqlite_create(dir), 0);
	assert_int_equal(
	    contacts_sqlite_create(folder_at(&rig.folder, "contacts.db"), geteuid(), getegid()), 0);
	rig_contact("asha", CONTACT_PHONE, "+919876543219");
	rig_contact("bina", CONTACT_EMAIL, "bina@example.com");
	rig.real_contacts->ops->close(rig.real_contacts);
	for (size_t i = 0; i < COUNT(kept); i++) {
		FILE *f = fopen(folder_at(&rig.folder, kept[i].name), "r");

		assert_non_null(f);
		kept[i].bytes = malloc(1 << 20);
		assert_non_null(kept[i].bytes);
		kept[i].len = fread(kept[i].bytes, 1, 1 << 20, f);
		assert_in_range(kept[i].len, 1, (1 << 20) - 1);
		assert_int_equal(fclose(f), 0);
	}
}

static void
write_databases(void)
{
	for (size_t i = 0; i < COUNT(kept); i++) {
		int fd =
		    open(folder_at(&rig.folder, kept[i].name), O_WRONLY | O_CREAT | O_EXCL, 0600);

		assert_true(fd >= 0);
		assert_int_equal(write(fd, kept[i].bytes, kept[i].len), kept[i].len);
		assert_int_equal(close(fd), 0);
	}
}

int
rig_setup(void **state)
{
	char dir[512];

	(void)state;
	memset(&rig, 0, sizeof(rig));
	rig_wrong = 0;
	rig.now = (struct instant){.wall_ms = noon_s * 1000, .boot_ms = 1000000};
	strcpy(rig.now.boot_id, "11111111-2222-3333-4444-555555555555");
	rig.fail_with = -OTP_ESTORE;
	rig.deadline_ms = 60000;
	folder_make(&rig.folder);
	(void)snprintf(dir, sizeof(dir), "%s", folder_at(&rig.folder, "state"));
	assert_int_equal(mkdir(dir, 0700), 0);
	if (kept[0].bytes)
		write_databases();
	else
		make_databases();
	assert_int_equal(store_sqlite_open(dir, NULL, NULL, &rig.real_store), 0);
	assert_int_equal(contacts_sqlite_open(
			     folder_at(&rig.folder, "contacts.db"), geteuid(), &rig.real_contacts),
	    0);
	rig_conf("", "", "");
	rig_start("sshd", "asha");
	return 0;
}

int
rig_teardown(void **state)
{
	(void)state;
	rig.real_store->ops->close(rig.real_store);
	rig.real_contacts->ops->close(rig.real_contacts);
	conf_free(rig.conf);
	folder_drop(&rig.folder);
	return 0;
}
