#include "tests/unit/login_rig.h"

#include "common/err.h"
#include "helpers/challenge.h"

struct rig rig;

static const int64_t noon_s = 1781524800; /* 2026-06-15 12:00 UTC */

static const struct secret host_key = {(char *)"0123456789abcdef0123456789abcdef", 32};

static const struct {
	const char *asked, *name;
	uid_t uid;
} users[] = {{"asha", "asha", 1001}, {"ASHA", "asha", 1001}, {"bina", "bina", 1002},
    {"chandra", "chandra", 1003}, {"root", "root", 0}};

/* The person */

static void
write_answer(const char *answer, char *typed, size_t size)
{
	const char *c = rig.code;

	if (!strcmp(answer, "@code"))
		(void)snprintf(typed, size, "%s", c);
	else if (!strcmp(answer, "@spaced"))
		(void)snprintf(typed, size, " %.3s-%.2s %.5s\t", c, c + 3, c + 5);
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
	rig.code_prompts += strstr(text, PROMPT) != NULL;
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
tell(struct login_peer *p, const char *text)
{
	(void)p;
	note(text);
	if (rig.ntold < (int)COUNT(rig.told))
		(void)snprintf(rig.told[rig.ntold++], sizeof(rig.told[0]), "%s", text);
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

static void
now(struct login_machine *m, struct instant *out)
{
	(void)m;
	*out = rig.now;
}

void
rig_later(int64_t ms)
{
	rig.now.wall_ms += ms;
	rig.now.boot_ms += ms;
}

/* The phone */

static int
send_it(struct delivery *d, const struct sending *q, const char *before,
    const struct conf_signin *options, struct delivered *out)
{
	size_t i = (size_t)rig.sends < rig.nsays ? (size_t)rig.sends : rig.nsays - 1;

	(void)d, (void)options;
	rig.sends++;
	(void)snprintf(rig.before, sizeof(rig.before), "%s %s", before ? before : "-",
	    q->captures ? q->captures : "-");
	*out = (struct delivered){.class = rig.nsays ? rig.says[i] : CLASS_OK,
	    .retry_after = rig.retry_after,
	    .code_by = rig.code_by};
	out->nothing_sent = out->class != CLASS_OK && out->class != CLASS_UNANSWERED;
	(void)snprintf(out->provider, sizeof(out->provider), "p");
	(void)snprintf(rig.sent_to, sizeof(rig.sent_to), "%s", q->contact->address);
	(void)snprintf(rig.sent_channel, sizeof(rig.sent_channel), "%s", q->channel);
	/* Who refuses an address may have seen the code all the same. */
	if (!out->nothing_sent || out->class == CLASS_BAD_DESTINATION) {
		memcpy(rig.old, rig.code, sizeof(rig.old));
		(void)snprintf(rig.code, sizeof(rig.code), "%s", q->code);
		if (rig.code_by != CODE_BY_MODULE)
			(void)snprintf(rig.code, sizeof(rig.code), "77%04d", rig.sends);
	}
	if (out->class == CLASS_OK && rig.code_by == CODE_BY_RESPONSE)
		assert_int_equal(secret_set(&out->code, rig.code, strlen(rig.code)), 0);
	if (out->class == CLASS_OK && rig.code_by == CODE_BY_PROVIDER)
		assert_int_equal(secret_set(&out->captures, "{\"id\":\"7\"}", 10), 0);
	return rig.error;
}

/* The provider's check: of the last code that it made. */
static int
check_it(struct delivery *d, const struct sending *q, const char *provider,
    const struct conf_signin *options, struct delivered *out)
{
	(void)d, (void)options;
	rig.checks++;
	assert_string_equal(provider, "p");
	*out = (struct delivered){.class = strcmp(q->code, rig.right ? rig.right : rig.code)
					       ? CLASS_WRONG_CODE
					       : CLASS_OK};
	if (rig.checks_as != CLASS_OK)
		out->class = rig.checks_as;
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
	*kind = strcmp(channel, "sms") ? CONTACT_EMAIL : CONTACT_PHONE;
	return 0;
}

/* Store and contacts, with a fault in one of their calls */

static bool
fault_now(void)
{
	rig.calls++;
	rig.fault_hit |= rig.calls == rig.fail_at;
	return rig.calls == rig.fail_at;
}

/* Runs the call unless it is the one that fails; a failure may come after the work was done. */
#define WITH_FAULT(call)                                                   \
	do {                                                               \
		bool fault_ = fault_now();                                 \
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
	rig.fault_in_return |= rig.calls + 1 == rig.fail_at;
	WITH_FAULT(REAL->send_return(rig.real_store, id));
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
f_kill(struct store *s, const char *id)
{
	(void)s;
	WITH_FAULT(REAL->challenge_kill(rig.real_store, id));
}

static int
f_try(struct store *s, const struct instant *t, const char *id, const char *budget,
    const struct try_rule *rule, int *left, int64_t *until)
{
	(void)s;
	WITH_FAULT(REAL->try_count(rig.real_store, t, id, budget, rule, left, until));
}

static int
f_failure(struct store *s, const struct instant *t, const char *budget, const struct try_rule *rule,
    int64_t *until)
{
	(void)s;
	WITH_FAULT(REAL->failure_count(rig.real_store, t, budget, rule, until));
}

static int
f_locked(struct store *s, const struct instant *t, const char *budget, const struct try_rule *rule,
    int64_t *until)
{
	(void)s;
	WITH_FAULT(REAL->locked(rig.real_store, t, budget, rule, until));
}

static int
f_consume(struct store *s, const struct instant *t, const char *id, const char *budget)
{
	(void)s;
	WITH_FAULT(REAL->consume(rig.real_store, t, id, budget));
}

static int
f_try_return(struct store *s, const char *id, const char *budget)
{
	(void)s;
	rig.fault_in_return |= rig.calls + 1 == rig.fail_at;
	WITH_FAULT(REAL->try_return(rig.real_store, id, budget));
}

static int
f_used(struct store *s, const char *id)
{
	(void)s;
	WITH_FAULT(REAL->challenge_used(rig.real_store, id));
}

static int
f_contacts(struct contacts *c, const char *user, struct contact_list *out)
{
	bool fault = fault_now();

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
    .challenge_put = f_put,
    .challenge_find = f_find,
    .challenge_kill = f_kill,
    .try_count = f_try,
    .failure_count = f_failure,
    .locked = f_locked,
    .consume = f_consume,
    .try_return = f_try_return,
    .challenge_used = f_used};
static const struct contacts_ops contacts_ops = {.find = f_contacts, .any = f_any};

enum login_word
rig_run_store(struct store *store, const struct line *script, size_t n)
{
	struct login_peer peer = {ask, tell};
	struct login_machine machine = {account, groups, now};
	struct delivery delivery = {send_it, check_it, warm, needs, code_length};
	struct contacts contacts = {&contacts_ops};
	const struct login_ports ports = {.conf = rig.conf,
	    .host_key = &host_key,
	    .host = "unit",
	    .peer = &peer,
	    .machine = &machine,
	    .contacts = &contacts,
	    .store = store,
	    .delivery = &delivery};

	rig.script = script;
	rig.left = n;
	rig.prompts = rig.code_prompts = rig.last_prompts = rig.ntold = rig.calls = 0;
	rig.fault_hit = rig.fault_in_return = false;
	login_run(&ports, &rig.start, deadline_in(rig.deadline_ms), &rig.result);
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

void
rig_start(const char *service, const char *user)
{
	rig.start = (struct login_start){.service = service,
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
	_auto_buf struct buf report = BUF_INIT(8192);
	char text[4096];

	assert_in_range(snprintf(text, sizeof(text),
			    "[otp]\nchannels = sms, email\n%s\n"
			    "[channel sms]\nproviders = p\n[channel email]\nproviders = p\n"
			    "[provider p]\nprofile = p\n[limits]\n%s\n%s\n",
			    otp, limits, rest),
	    1, sizeof(text) - 1);
	folder_write(&rig.folder, "pam_otp.conf", text, 0644);
	conf_free(rig.conf);
	rig.conf = NULL;
	if (conf_load_at(rig.folder.file, geteuid(), noon_s, &rig.conf, &report))
		fail_msg("%s", buf_str(&report));
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

int
rig_setup(void **state)
{
	char dir[512];

	(void)state;
	memset(&rig, 0, sizeof(rig));
	rig.now = (struct instant){.wall_ms = noon_s * 1000, .boot_ms = 1000000};
	strcpy(rig.now.boot_id, "11111111-2222-3333-4444-555555555555");
	rig.fail_with = -OTP_ESTORE;
	rig.deadline_ms = 60000;
	folder_make(&rig.folder);
	(void)snprintf(dir, sizeof(dir), "%s", folder_at(&rig.folder, "state"));
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(store_sqlite_create(dir), 0);
	assert_int_equal(store_sqlite_open(dir, NULL, NULL, &rig.real_store), 0);
	assert_int_equal(
	    contacts_sqlite_create(folder_at(&rig.folder, "contacts.db"), geteuid(), getegid()), 0);
	rig_contact("asha", CONTACT_PHONE, "+919876543219");
	rig_contact("bina", CONTACT_EMAIL, "bina@example.com");
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
