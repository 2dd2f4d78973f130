#include "tests/unit/store_rig.h"

#include <sqlite3.h>
#include <sys/wait.h>

struct folder top;
char dir[264];
char db_path[280];
struct store *store;

const struct try_rule rule = {.failures = 3,
    .most = 8,
    .backoff_first_ms = 30000,
    .backoff_most_ms = 200000,
    .per_challenge = 5};
const struct try_rule wide = {.failures = 9999,
    .most = 9999,
    .backoff_first_ms = 1,
    .backoff_most_ms = 1,
    .per_challenge = 9999};
const struct budget asha = {.kind = "user", .owner = "asha"};
const struct budget asha_recovery = {.kind = "recovery", .owner = "asha"};
const unsigned char right_mac[STORE_MAC_LEN] = "the right code, sealed in 32 by";
const unsigned char wrong_mac[STORE_MAC_LEN] = "the right code, sealed in 32 bY";

struct instant
at(int64_t ms)
{
	struct instant now = {.wall_ms = 1000000000000 + ms, .boot_ms = 5000000 + ms};

	strcpy(now.boot_id, "11111111-2222-3333-4444-555555555555");
	return now;
}

int
rig_make(void **state)
{
	(void)state;
	folder_make(&top);
	(void)snprintf(dir, sizeof(dir), "%s/state", top.path);
	(void)snprintf(db_path, sizeof(db_path), "%s/store.db", dir);
	store = NULL;
	return mkdir(dir, 0700);
}

int
rig_make_open(void **state)
{
	if (rig_make(state) || store_sqlite_create(dir))
		return -1;
	return store_sqlite_open(dir, NULL, NULL, &store);
}

static void
rig_close(void)
{
	if (store)
		store->ops->close(store);
	store = NULL;
}

int
rig_drop(void **state)
{
	(void)state;
	rig_close();
	folder_drop(&top);
	return 0;
}

void
rig_reopen(void)
{
	rig_close();
	assert_int_equal(store_sqlite_open(dir, NULL, NULL, &store), 0);
}

struct budget
a_budget(const char *kind, const char *owner, const char *known_source)
{
	struct budget b = {0};

	strcpy(b.kind, kind);
	strcpy(b.owner, owner);
	strcpy(b.known_source, known_source);
	return b;
}

struct challenge
a_challenge(const char *id32)
{
	struct challenge c = {.has_mac = true, .sent_wall_ms = at(0).wall_ms};

	assert_int_equal(strlen(id32), STORE_ID_LEN);
	strcpy(c.id, id32);
	strcpy(c.user, "asha");
	strcpy(c.service, "sshd");
	strcpy(c.source, HOME);
	strcpy(c.channel, "sms");
	strcpy(c.provider, "tingting");
	strcpy(c.address, "+9779812345678");
	memcpy(c.mac, right_mac, sizeof(c.mac));
	c.expires_boot_ms = at(5 * MINUTE).boot_ms;
	return c;
}

void
put(const char *id)
{
	struct instant now = at(0);
	struct challenge c = a_challenge(id);

	assert_int_equal(store->ops->challenge_put(store, &now, &c, 1), 0);
}

int
try_nth(int n, const unsigned char *mac, const struct budget *b, const struct try_rule *r)
{
	char id[STORE_ID_LEN + 1];
	struct instant now = at(0);
	struct trial_result tried;

	(void)snprintf(id, sizeof(id), "%032x", n);
	return store->ops->try_mac(
	    store, &now, TRIAL(.id = id, .proof = mac, .budget = b, .rule = *r), &tried);
}

void
put_many(int n)
{
	struct instant now = at(0);

	for (int i = 0; i < n; i++) {
		struct challenge c = a_challenge(ID_A);

		(void)snprintf(c.id, sizeof(c.id), "%032x", i);
		(void)snprintf(c.source, sizeof(c.source), "source %d", i);
		assert_int_equal(store->ops->challenge_put(store, &now, &c, 1), 0);
	}
}

void
issue_ten(void)
{
	struct recovery r = {.id = ID_A, .n = RECOVERY_CODES};
	struct instant now = at(0);

	for (int i = 0; i < r.n; i++)
		r.hash[i][0] = (unsigned char)(1 + i);
	assert_int_equal(store->ops->recovery_put(store, &now, "asha", &r), 0);
}

struct send_count
a_count(const char *kind, const char *owner, int count, int64_t span)
{
	struct send_count c = {.windows = {.n = 1, .item = {{count, span}}}};

	c.budget = a_budget(kind, owner, "");
	return c;
}

int
reserve_at(int64_t ms, const struct send_count *c, size_t n, int64_t *id, struct store_refusal *why)
{
	struct instant now = at(ms);

	return store->ops->send_reserve(store, &now, c, n, id, why);
}

int
find_at(
    int64_t ms, const char *user, const char *service, const char *source, struct challenge *out)
{
	struct instant now = at(ms);

	return store->ops->challenge_find(store, &now, user, service, source, out);
}

int
try_mac_at(int64_t ms, const char *id, const unsigned char *mac, const struct budget *b,
    struct trial_result *out)
{
	struct instant now = at(ms);

	return store->ops->try_mac(
	    store, &now, TRIAL(.id = id, .proof = mac, .budget = b, .rule = rule), out);
}

int
try_count_at(int64_t ms, const char *id, const struct budget *b, struct trial_result *out)
{
	struct instant now = at(ms);

	return store->ops->try_count(
	    store, &now, TRIAL(.id = id, .budget = b, .rule = rule, .lease_ms = 10000), out);
}

int
consume_at(int64_t ms, const char *id, const struct budget *b, const char *known_source)
{
	struct instant now = at(ms);

	return store->ops->consume(
	    store, &now, TRIAL(.id = id, .budget = b, .effects = AT(known_source)));
}

int
locked_at(int64_t ms, const struct budget *b, struct trial_result *out)
{
	struct instant now = at(ms);

	return store->ops->locked(store, &now, TRIAL(.budget = b, .rule = rule), out);
}

int
fail_at(int64_t ms, const struct budget *b, struct trial_result *out)
{
	static unsigned n;
	struct instant now = at(ms);
	struct challenge c = a_challenge(ID_A);
	int r;

	(void)snprintf(c.id, sizeof(c.id), "f%031x", n++);
	strcpy(c.user, "a stranger");
	c.expires_boot_ms = now.boot_ms + MINUTE;
	assert_int_equal(store->ops->challenge_put(store, &now, &c, 1), 0);
	r = try_mac_at(ms, c.id, wrong_mac, b, out);
	return r == -OTP_EWRONG ? 0 : r;
}

int64_t
number(const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;
	int64_t n;

	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

void
script(const char *sql)
{
	sqlite3 *db;
	char *why = NULL;

	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why))
		fail_msg("%s: %s", sql, why);
	sqlite3_close(db);
}

void
assert_intact(void)
{
	assert_int_equal(
	    number(
		"SELECT (SELECT group_concat(integrity_check) FROM pragma_integrity_check) = 'ok'"),
	    1);
}

int
children(void)
{
	int n = rounds(CHILDREN_MAX);

	return n < 8 ? 8 : n;
}

/* An SQLite connection must not exist on both sides of a fork. */
void
in_parallel(child_fn *fn, int result[CHILDREN_MAX])
{
	pid_t pid[CHILDREN_MAX];
	int gate[2], status;
	char c;

	rig_close();
	assert_int_equal(pipe(gate), 0);
	for (int i = 0; i < children(); i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] == 0) {
			int r;

			close(gate[1]);
			(void)alarm(120);
			r = store_sqlite_open(dir, NULL, NULL, &store);
			if (r || read(gate[0], &c, 1) != 0)
				_exit(99);
			r = fn(i);
			store->ops->close(store);
			_exit(-r);
		}
	}
	close(gate[0]);
	close(gate[1]);
	for (int i = 0; i < children(); i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_true(WIFEXITED(status));
		result[i] = -WEXITSTATUS(status);
	}
	rig_reopen();
}

int
tally(const int result[CHILDREN_MAX], int r)
{
	int n = 0;

	for (int i = 0; i < children(); i++)
		n += result[i] == r;
	return n;
}
