/*
 * The store against real SQLite files: limits, try budgets and single use, exact under 64
 * processes (U33), and closed whatever happens to the file, the disk, the clock or the process
 * (U3, C1, C16, C21).
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "common/err.h"
#include "helpers/store.h"

enum { CHILDREN = 64, MINUTE = 60 * 1000, DAY = 24 * 60 * MINUTE };

static char top[4096];		  /* the test's own folder */
static char dir[sizeof(top) + 8]; /* the store's, in it */
static char db_path[sizeof(dir) + 16];
static struct store *store;

static const struct try_rule rule = {
    .failures = 3, .backoff_first_ms = 30000, .backoff_most_ms = 200000, .per_challenge = 5};

static struct instant
at(int64_t ms)
{
	struct instant now = {.wall_ms = 1000000000000 + ms, .boot_ms = 5000000 + ms};

	strcpy(now.boot_id, "11111111-2222-3333-4444-555555555555");
	return now;
}

static int
make(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)snprintf(top, sizeof(top), "%s/test_store.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(dir, sizeof(dir), "%s/state", top);
	(void)snprintf(db_path, sizeof(db_path), "%s/store.db", dir);
	store = NULL;
	return mkdir(dir, 0700);
}

static int
make_open(void **state)
{
	if (make(state) || store_sqlite_create(dir))
		return -1;
	return store_sqlite_open(dir, NULL, NULL, &store);
}

static int
drop(void **state)
{
	char cmd[sizeof(top) + 32];

	(void)state;
	if (store)
		store->ops->close(store);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", top);
	return system(cmd);
}

static struct challenge
a_challenge(const char *id32)
{
	struct challenge c = {.has_mac = true, .sent_wall_ms = at(0).wall_ms};

	assert_int_equal(strlen(id32), STORE_ID_LEN);
	strcpy(c.id, id32);
	strcpy(c.user, "asha");
	strcpy(c.service, "sshd");
	strcpy(c.source, "ssh 192.0.2.1 SHA256:abc");
	strcpy(c.channel, "sms");
	strcpy(c.provider, "tingting");
	strcpy(c.address, "+9779812345678");
	memset(c.mac, 0xa5, sizeof(c.mac));
	c.expires_boot_ms = at(5 * MINUTE).boot_ms;
	return c;
}

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ID_C "cccccccccccccccccccccccccccccccc"

static void
put(const char *id)
{
	struct instant now = at(0);
	struct challenge c = a_challenge(id);

	assert_int_equal(store->ops->challenge_put(store, &now, &c, 1), 0);
}

static int
find(int64_t ms, const char *user, const char *service, const char *source, struct challenge *out)
{
	struct instant now = at(ms);

	return store->ops->challenge_find(store, &now, user, service, source, out);
}

static int
try_at(int64_t ms, const char *id, const char *budget, int *left, int64_t *until)
{
	struct instant now = at(ms);

	return store->ops->try_count(store, &now, id, budget, &rule, left, until);
}

static int
fail_at(int64_t ms, const char *budget, int64_t *until)
{
	struct instant now = at(ms);

	return store->ops->failure_count(store, &now, budget, &rule, until);
}

static int
locked_at(int64_t ms, const char *budget, int64_t *until)
{
	struct instant now = at(ms);

	return store->ops->locked(store, &now, budget, &rule, until);
}

static int
consume_at(int64_t ms, const char *id, const char *budget)
{
	struct instant now = at(ms);

	return store->ops->consume(store, &now, id, budget);
}

static struct send_count
a_count(const char *kind, const char *key, int count, int64_t span)
{
	struct send_count c = {.windows = {.n = 1, .item = {{count, span}}}};

	strcpy(c.kind, kind);
	strcpy(c.key, key);
	return c;
}

static int
reserve_at(int64_t ms, const struct send_count *c, size_t n, int64_t *id, struct store_refusal *why)
{
	struct instant now = at(ms);

	return store->ops->send_reserve(store, &now, c, n, id, why);
}

/* One number straight from the file, past the interface. */
static int64_t
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

static void
script(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
assert_intact(void)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(stmt, 0), "ok");
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

/* --- the file ------------------------------------------------------------------------------ */

static int
try_open(void)
{
	struct store *s = NULL;
	int r = store_sqlite_open(dir, NULL, NULL, &s);

	if (!r)
		s->ops->close(s);
	return r;
}

static void
creates_privately_and_once(void **state)
{
	char spare[sizeof(dir) + 16];
	struct stat st;

	(void)state;
	(void)umask(0);
	assert_int_equal(store_sqlite_create(dir), 0);
	assert_int_equal(stat(db_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(store_sqlite_create(dir), -OTP_EEXIST);
	assert_int_equal(try_open(), 0);
	(void)snprintf(spare, sizeof(spare), "%s/store.db-wal", dir);
	assert_int_equal(stat(spare, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	(void)snprintf(spare, sizeof(spare), "%s/reserve", dir);
	assert_int_equal(stat(spare, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, STORE_SPARE);
	assert_true(st.st_blocks * 512 >= STORE_SPARE);
	(void)snprintf(spare, sizeof(spare), "%s/store.db.new", dir);
	assert_int_not_equal(stat(spare, &st), 0);
}

static void
create_after_a_dead_creator(void **state)
{
	char left[sizeof(dir) + 32];
	int fd;

	(void)state;
	(void)snprintf(left, sizeof(left), "%s/store.db.new", dir);
	fd = open(left, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "half", 4), 4);
	close(fd);
	assert_int_equal(store_sqlite_create(dir), 0);
	assert_int_equal(try_open(), 0);
}

static void
file_with(const char *bytes)
{
	int fd = open(db_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	close(fd);
}

static void
missing_store_is_broken_and_not_made(void **state)
{
	(void)state;
	assert_int_equal(try_open(), -OTP_ESTORE);
	assert_int_equal(access(db_path, F_OK), -1);
}

static void
empty_store_is_broken(void **state)
{
	(void)state;
	file_with("");
	assert_int_equal(try_open(), -OTP_ESTORE);
}

static void
garbage_is_broken(void **state)
{
	char page[8192];

	(void)state;
	memset(page, 'x', sizeof(page) - 1);
	page[sizeof(page) - 1] = '\0';
	file_with(page);
	assert_int_equal(try_open(), -OTP_ESTORE);
}

static void
foreign_database_is_broken(void **state)
{
	(void)state;
	script("CREATE TABLE challenge (id TEXT)");
	assert_int_equal(chmod(db_path, 0600), 0);
	assert_int_equal(try_open(), -OTP_ESTORE);
}

static void
other_schema_version_is_broken(void **state)
{
	(void)state;
	assert_int_equal(store_sqlite_create(dir), 0);
	script("PRAGMA user_version = 2");
	assert_int_equal(try_open(), -OTP_ESTORE);
	script("PRAGMA user_version = 0");
	assert_int_equal(try_open(), -OTP_ESTORE);
	script("PRAGMA user_version = 1");
	assert_int_equal(try_open(), 0);
}

static void
links_and_fifos_are_refused(void **state)
{
	char other[sizeof(top) + 16];

	(void)state;
	assert_int_equal(store_sqlite_create(dir), 0);
	(void)snprintf(other, sizeof(other), "%s/other.db", top);
	assert_int_equal(rename(db_path, other), 0);
	assert_int_equal(symlink(other, db_path), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(store_sqlite_create(dir), -OTP_EEXIST);
	assert_int_equal(unlink(db_path), 0);
	assert_int_equal(link(other, db_path), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(unlink(db_path), 0);
	assert_int_equal(mkfifo(db_path, 0600), 0);
	(void)alarm(10);
	assert_int_equal(try_open(), -OTP_EPERM);
	(void)alarm(0);
	assert_int_equal(store_sqlite_create(dir), -OTP_EEXIST);
}

static void
planted_companions_are_refused(void **state)
{
	static const char *const suffix[] = {"-wal", "-shm"};
	char name[sizeof(db_path) + 8], victim[sizeof(top) + 16];
	struct stat st;

	(void)state;
	assert_int_equal(store_sqlite_create(dir), 0);
	(void)snprintf(victim, sizeof(victim), "%s/victim", top);
	close(open(victim, O_WRONLY | O_CREAT, 0600));
	for (size_t i = 0; i < sizeof(suffix) / sizeof(suffix[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", db_path, suffix[i]);
		(void)unlink(name);
		assert_int_equal(symlink(victim, name), 0);
		assert_int_equal(try_open(), -OTP_EPERM);
		assert_int_equal(unlink(name), 0);
		assert_int_equal(link(victim, name), 0);
		assert_int_equal(try_open(), -OTP_EPERM);
		assert_int_equal(unlink(name), 0);
		assert_int_equal(mkfifo(name, 0600), 0);
		(void)alarm(10);
		assert_int_equal(try_open(), -OTP_EPERM);
		(void)alarm(0);
		assert_int_equal(unlink(name), 0);
		assert_int_equal(stat(victim, &st), 0);
		assert_int_equal(st.st_size, 0);
	}
	assert_int_equal(try_open(), 0);
}

static void
wrong_owner_or_mode_is_refused(void **state)
{
	(void)state;
	assert_int_equal(store_sqlite_create(dir), 0);
	assert_int_equal(chmod(db_path, 0606), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(chmod(db_path, 0620), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(chmod(db_path, 0600), 0);
	assert_int_equal(chmod(dir, 0770), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(store_sqlite_create(dir), -OTP_EPERM);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(try_open(), 0);
	if (geteuid() != 0) {
		print_message("other owners: not tested, only root can give a file away\n");
		return;
	}
	assert_int_equal(chown(db_path, 65534, 65534), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(chown(db_path, 0, 0), 0);
	assert_int_equal(chown(dir, 65534, 65534), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
}

static void
linked_folder_is_refused(void **state)
{
	char real[sizeof(top) + 16];

	(void)state;
	assert_int_equal(store_sqlite_create(dir), 0);
	(void)snprintf(real, sizeof(real), "%s/real", top);
	assert_int_equal(rename(dir, real), 0);
	assert_int_equal(symlink(real, dir), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(unlink(dir), 0);
	assert_int_equal(try_open(), -OTP_ESTORE);
}

/* A farm of links where the spare file is expected: nothing behind them may change. */
static void
spare_follows_no_link(void **state)
{
	char spare[sizeof(dir) + 16], victim[sizeof(top) + 16];
	struct stat st;
	int fd, dirfd;

	(void)state;
	assert_int_equal(store_sqlite_create(dir), 0);
	(void)snprintf(spare, sizeof(spare), "%s/reserve", dir);
	(void)snprintf(victim, sizeof(victim), "%s/victim", top);
	fd = open(victim, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "precious", 8), 8);
	close(fd);
	dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	for (int hard = 0; hard < 2; hard++) {
		assert_int_equal(unlink(spare), 0);
		assert_int_equal(hard ? link(victim, spare) : symlink(victim, spare), 0);
		assert_int_equal(try_open(), 0);
		assert_false(spare_give_up(dirfd));
		assert_int_equal(stat(victim, &st), 0);
		assert_int_equal(st.st_size, 8);
	}
	assert_int_equal(unlink(spare), 0);
	assert_int_equal(mkfifo(spare, 0600), 0);
	(void)alarm(10);
	assert_int_equal(try_open(), 0);
	assert_false(spare_give_up(dirfd));
	(void)alarm(0);
	close(dirfd);
}

static void
spare_is_made_whole_again(void **state)
{
	char spare[sizeof(dir) + 16];
	struct stat st;
	int dirfd;

	(void)state;
	(void)snprintf(spare, sizeof(spare), "%s/reserve", dir);
	dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	assert_true(spare_give_up(dirfd));
	assert_int_equal(stat(spare, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_false(spare_give_up(dirfd));
	assert_int_equal(try_open(), 0);
	assert_int_equal(stat(spare, &st), 0);
	assert_int_equal(st.st_size, STORE_SPARE);
	close(dirfd);
}

static void
damaged_pages_never_pass_for_an_empty_store(void **state)
{
	struct challenge c;
	char junk[4096];
	struct stat st;
	int fd;

	(void)state;
	put(ID_A);
	store->ops->close(store);
	store = NULL;
	script("PRAGMA wal_checkpoint(TRUNCATE)");
	fd = open(db_path, O_WRONLY);
	assert_int_equal(fstat(fd, &st), 0);
	memset(junk, 0xee, sizeof(junk));
	for (off_t o = 4096; o < st.st_size; o += 4096)
		assert_int_equal(pwrite(fd, junk, sizeof(junk), o), (ssize_t)sizeof(junk));
	close(fd);
	assert_int_equal(store_sqlite_open(dir, NULL, NULL, &store), 0);
	assert_int_equal(find(0, "asha", "sshd", "ssh 192.0.2.1 SHA256:abc", &c), -OTP_ESTORE);
	assert_int_equal(consume_at(0, ID_A, "b"), -OTP_ESTORE);
}

/* --- challenges ---------------------------------------------------------------------------- */

static void
challenge_comes_back_as_stored(void **state)
{
	struct instant now = at(0);
	struct challenge in = a_challenge(ID_A), out;

	(void)state;
	in.captures = strdup("{\"sealed\":\"0011\"}");
	in.tries = 2;
	assert_int_equal(store->ops->challenge_put(store, &now, &in, 7), 0);
	assert_int_equal(find(1, in.user, in.service, in.source, &out), 0);
	assert_string_equal(out.id, in.id);
	assert_string_equal(out.user, in.user);
	assert_string_equal(out.service, in.service);
	assert_string_equal(out.source, in.source);
	assert_string_equal(out.channel, in.channel);
	assert_string_equal(out.provider, in.provider);
	assert_string_equal(out.address, in.address);
	assert_string_equal(out.captures, in.captures);
	assert_true(out.has_mac);
	assert_memory_equal(out.mac, in.mac, sizeof(in.mac));
	assert_int_equal(out.expires_boot_ms, in.expires_boot_ms);
	assert_int_equal(out.sent_wall_ms, in.sent_wall_ms);
	assert_int_equal(out.tries, 2);
	challenge_clear(&out);
	challenge_clear(&in);
	in = a_challenge(ID_B);
	in.has_mac = false;
	assert_int_equal(store->ops->challenge_put(store, &now, &in, 7), 0);
	assert_int_equal(find(1, in.user, in.service, in.source, &out), 0);
	assert_string_equal(out.id, ID_B);
	assert_false(out.has_mac);
	assert_null(out.captures);
}

static void
challenge_is_found_by_its_owner_alone(void **state)
{
	struct challenge out;

	(void)state;
	put(ID_A);
	assert_int_equal(find(0, "bela", "sshd", "ssh 192.0.2.1 SHA256:abc", &out), -OTP_ENOENT);
	assert_int_equal(find(0, "asha", "sudo", "ssh 192.0.2.1 SHA256:abc", &out), -OTP_ENOENT);
	assert_int_equal(find(0, "asha", "sshd", "ssh 192.0.2.2 SHA256:abc", &out), -OTP_ENOENT);
	assert_int_equal(find(0, "asha", "sshd", "ssh 192.0.2.1 SHA256:abc", &out), 0);
}

static void
challenge_expires_and_dies_with_the_boot(void **state)
{
	struct instant other = at(0);
	struct challenge out;
	int left;
	int64_t until;

	(void)state;
	put(ID_A);
	assert_int_equal(find(5 * MINUTE - 1, "asha", "sshd", "ssh 192.0.2.1 SHA256:abc", &out), 0);
	assert_int_equal(
	    find(5 * MINUTE, "asha", "sshd", "ssh 192.0.2.1 SHA256:abc", &out), -OTP_ENOENT);
	assert_int_equal(try_at(5 * MINUTE, ID_A, "b", &left, &until), -OTP_ENOENT);
	assert_int_equal(consume_at(5 * MINUTE, ID_A, "b"), -OTP_ENOENT);
	strcpy(other.boot_id, "99999999-2222-3333-4444-555555555555");
	assert_int_equal(store->ops->challenge_find(
			     store, &other, "asha", "sshd", "ssh 192.0.2.1 SHA256:abc", &out),
	    -OTP_ENOENT);
	assert_int_equal(
	    store->ops->try_count(store, &other, ID_A, "b", &rule, &left, &until), -OTP_ENOENT);
	assert_int_equal(store->ops->consume(store, &other, ID_A, "b"), -OTP_ENOENT);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
	assert_int_equal(consume_at(5 * MINUTE - 1, ID_A, "b"), 0);
}

static void
new_challenge_kills_the_older_of_its_owner_only(void **state)
{
	struct instant now = at(0);
	struct challenge c = a_challenge(ID_B), out;

	(void)state;
	put(ID_A);
	strcpy(c.source, "other");
	assert_int_equal(store->ops->challenge_put(store, &now, &c, 1), 0);
	put(ID_C);
	assert_int_equal(consume_at(0, ID_A, "b"), -OTP_ENOENT);
	assert_int_equal(find(0, "asha", "sshd", "ssh 192.0.2.1 SHA256:abc", &out), 0);
	assert_string_equal(out.id, ID_C);
	assert_int_equal(find(0, "asha", "sshd", "other", &out), 0);
	assert_string_equal(out.id, ID_B);
	assert_int_equal(consume_at(0, ID_B, "b"), 0);
	assert_int_equal(consume_at(0, ID_C, "b"), 0);
}

static void
challenge_is_used_once(void **state)
{
	struct challenge out;
	int left;
	int64_t until;

	(void)state;
	put(ID_A);
	assert_int_equal(consume_at(0, ID_A, "b"), 0);
	assert_int_equal(consume_at(0, ID_A, "b"), -OTP_EUSED);
	assert_int_equal(try_at(0, ID_A, "b", &left, &until), -OTP_EUSED);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
	assert_int_equal(find(0, "asha", "sshd", "ssh 192.0.2.1 SHA256:abc", &out), -OTP_ENOENT);
	assert_int_equal(consume_at(9 * MINUTE, ID_A, "b"), -OTP_EUSED);
	assert_int_equal(
	    number("SELECT count(*) FROM challenge WHERE mac IS NOT NULL OR captures IS NOT NULL"),
	    0);
}

static void
killed_and_unknown_challenges_are_gone(void **state)
{
	struct challenge out;

	(void)state;
	put(ID_A);
	assert_int_equal(store->ops->challenge_kill(store, ID_A), 0);
	assert_int_equal(store->ops->challenge_kill(store, ID_B), 0);
	assert_int_equal(consume_at(0, ID_A, "b"), -OTP_ENOENT);
	assert_int_equal(consume_at(0, ID_B, "b"), -OTP_ENOENT);
	assert_int_equal(find(0, "asha", "sshd", "ssh 192.0.2.1 SHA256:abc", &out), -OTP_ENOENT);
	put(ID_C);
	assert_int_equal(consume_at(0, ID_C, "b"), 0);
	assert_int_equal(store->ops->challenge_kill(store, ID_C), 0);
	assert_int_equal(consume_at(0, ID_C, "b"), -OTP_EUSED);
}

static void
malformed_challenges_are_not_stored(void **state)
{
	struct instant now = at(0), nowhere = at(0);
	struct challenge c = a_challenge(ID_A);

	(void)state;
	c.id[5] = 'G';
	assert_int_equal(store->ops->challenge_put(store, &now, &c, 1), -OTP_EINVAL);
	c.id[5] = '\0';
	assert_int_equal(store->ops->challenge_put(store, &now, &c, 1), -OTP_EINVAL);
	c = a_challenge(ID_A);
	nowhere.boot_id[0] = '\0';
	assert_int_equal(store->ops->challenge_put(store, &nowhere, &c, 1), -OTP_EINVAL);
	put(ID_A);
	/* The id again: the transaction fails whole, and the live one stays alive. */
	assert_int_equal(store->ops->challenge_put(store, &now, &c, 1), -OTP_ESTORE);
	assert_int_equal(consume_at(0, ID_A, "b"), 0);
}

/* --- tries and back-off -------------------------------------------------------------------- */

static void
tries_of_a_challenge_run_out(void **state)
{
	static const struct try_rule many = {100, 30000, 200000, 3};
	struct instant now = at(0);
	int left;
	int64_t until = 1;

	(void)state;
	put(ID_A);
	for (int i = 2; i >= 0; i--) {
		assert_int_equal(
		    store->ops->try_count(store, &now, ID_A, "b", &many, &left, &until), 0);
		assert_int_equal(left, i);
	}
	until = 1;
	assert_int_equal(
	    store->ops->try_count(store, &now, ID_A, "b", &many, &left, &until), -OTP_ELIMIT);
	assert_int_equal(until, 0);
	assert_int_equal(number("SELECT failures FROM budget WHERE key = 'b'"), 3);
	/* The right code may have been the last try. */
	assert_int_equal(consume_at(0, ID_A, "b"), 0);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
}

static void
backoff_doubles_to_its_most(void **state)
{
	static const int64_t wait[] = {30000, 60000, 120000, 200000, 200000};
	int64_t now = 0, until;

	(void)state;
	assert_int_equal(fail_at(now, "b", &until), 0);
	assert_int_equal(fail_at(now, "b", &until), 0);
	assert_int_equal(locked_at(now, "b", &until), 0);
	for (size_t i = 0; i < sizeof(wait) / sizeof(wait[0]); i++) {
		assert_int_equal(fail_at(now, "b", &until), 0);
		assert_int_equal(locked_at(now + wait[i] - 1, "b", &until), -OTP_ELIMIT);
		assert_int_equal(until, at(now + wait[i]).wall_ms);
		assert_int_equal(fail_at(now + wait[i] - 1, "b", &until), -OTP_ELIMIT);
		assert_int_equal(until, at(now + wait[i]).wall_ms);
		assert_int_equal(locked_at(now + wait[i], "b", &until), 0);
		assert_int_equal(until, 0);
		now += wait[i];
	}
	/* Refused ones were not counted. */
	assert_int_equal(number("SELECT failures FROM budget WHERE key = 'b'"), 7);
	assert_int_equal(locked_at(0, "other", &until), 0);
}

static void
locked_budget_counts_no_try(void **state)
{
	int left;
	int64_t until;

	(void)state;
	put(ID_A);
	for (int i = 0; i < 3; i++)
		assert_int_equal(try_at(0, ID_A, "b", &left, &until), 0);
	assert_int_equal(try_at(29999, ID_A, "b", &left, &until), -OTP_ELIMIT);
	assert_int_equal(until, at(30000).wall_ms);
	assert_int_equal(number("SELECT tries FROM challenge"), 3);
	assert_int_equal(number("SELECT failures FROM budget"), 3);
	/* Another source has a budget of its own. */
	assert_int_equal(try_at(29999, ID_A, "other", &left, &until), 0);
	assert_int_equal(left, 1);
	assert_int_equal(try_at(30000, ID_A, "b", &left, &until), 0);
	assert_int_equal(left, 0);
}

static void
success_ends_the_row_of_failures(void **state)
{
	int left;
	int64_t until;

	(void)state;
	put(ID_A);
	assert_int_equal(fail_at(0, "b", &until), 0);
	assert_int_equal(fail_at(0, "other", &until), 0);
	assert_int_equal(try_at(0, ID_A, "b", &left, &until), 0);
	assert_int_equal(consume_at(0, ID_A, "b"), 0);
	assert_int_equal(number("SELECT count(*) FROM budget WHERE key = 'b'"), 0);
	assert_int_equal(number("SELECT failures FROM budget WHERE key = 'other'"), 1);
}

static void
backoff_formula(void **state)
{
	struct try_rule r = {10, 30000, INT64_MAX / 4, 5};

	(void)state;
	assert_int_equal(try_locked_until(&rule, 2, 1000), 0);
	assert_int_equal(try_locked_until(&rule, 3, 1000), 31000);
	assert_int_equal(try_locked_until(&rule, 4, 1000), 61000);
	assert_int_equal(try_locked_until(&rule, 1000000, 1000), 201000);
	assert_int_equal(try_locked_until(&r, 1000000, 0), INT64_MAX / 4);
}

static void
senseless_rules_are_refused(void **state)
{
	static const struct try_rule bad[] = {{0, 30000, 60000, 5}, {3, 0, 60000, 5},
	    {3, 30000, 20000, 5}, {3, 30000, 60000, 0}, {-1, 30000, 60000, 5}};
	struct instant now = at(0);
	int left;
	int64_t until;

	(void)state;
	put(ID_A);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
		    store->ops->try_count(store, &now, ID_A, "b", &bad[i], &left, &until),
		    -OTP_EINVAL);
		assert_int_equal(
		    store->ops->failure_count(store, &now, "b", &bad[i], &until), -OTP_EINVAL);
		assert_int_equal(
		    store->ops->locked(store, &now, "b", &bad[i], &until), -OTP_EINVAL);
	}
}

/* --- sends --------------------------------------------------------------------------------- */

static void
windows_fill_and_empty(void **state)
{
	struct send_count c = a_count("user", "asha", 2, 15 * MINUTE);
	struct store_refusal why;
	int64_t id;

	(void)state;
	c.windows.n = 2;
	c.windows.item[1] = (struct conf_window){3, DAY};
	assert_int_equal(reserve_at(0, &c, 1, &id, &why), 0);
	assert_int_equal(reserve_at(1000, &c, 1, &id, &why), 0);
	assert_int_equal(reserve_at(2000, &c, 1, &id, &why), -OTP_ELIMIT);
	assert_string_equal(why.kind, "user");
	assert_int_equal(why.until_wall_ms, at(15 * MINUTE).wall_ms);
	assert_int_equal(reserve_at(15 * MINUTE - 1, &c, 1, &id, &why), -OTP_ELIMIT);
	assert_int_equal(reserve_at(15 * MINUTE, &c, 1, &id, &why), 0);
	/* Two windows are full: free is when the later of them is. */
	assert_int_equal(reserve_at(15 * MINUTE + 10, &c, 1, &id, &why), -OTP_ELIMIT);
	assert_int_equal(why.until_wall_ms, at(DAY).wall_ms);
	c.windows.item[1] = c.windows.item[0];
	c.windows.item[0] = (struct conf_window){3, DAY};
	assert_int_equal(reserve_at(15 * MINUTE + 10, &c, 1, &id, &why), -OTP_ELIMIT);
	assert_int_equal(why.until_wall_ms, at(DAY).wall_ms);
	assert_int_equal(number("SELECT count(*) FROM send_event"), 3);
}

static void
sends_are_reserved_all_or_none(void **state)
{
	struct send_count c[2] = {
	    a_count("user", "asha", 5, DAY), a_count("address", "+977981234", 1, MINUTE)};
	struct store_refusal why;
	int64_t id;

	(void)state;
	assert_int_equal(reserve_at(0, c, 2, &id, &why), 0);
	assert_int_equal(reserve_at(1, c, 2, &id, &why), -OTP_ELIMIT);
	assert_string_equal(why.kind, "address");
	assert_int_equal(number("SELECT count(*) FROM send_event"), 2);
	strcpy(c[1].key, "+9779899999");
	assert_int_equal(reserve_at(2, c, 2, &id, &why), 0);
	assert_int_equal(number("SELECT count(*) FROM send_event WHERE kind = 'user'"), 2);
}

static void
sends_are_given_back(void **state)
{
	struct send_count c[2] = {
	    a_count("user", "asha", 1, DAY), a_count("address", "+977981234", 1, DAY)};
	struct challenge ch = a_challenge(ID_A);
	struct instant now = at(0);
	struct store_refusal why;
	int64_t id, other;

	(void)state;
	assert_int_equal(reserve_at(0, c, 2, &id, &why), 0);
	assert_int_equal(reserve_at(0, c, 2, &other, &why), -OTP_ELIMIT);
	assert_int_equal(store->ops->send_return(store, id), 0);
	assert_int_equal(store->ops->send_return(store, id), 0);
	assert_int_equal(reserve_at(0, c, 2, &other, &why), 0);
	assert_int_not_equal(id, other);
	assert_int_equal(store->ops->challenge_put(store, &now, &ch, other), 0);
	assert_int_equal(reserve_at(0, c, 2, &id, &why), -OTP_ELIMIT);
	assert_int_equal(consume_at(0, ID_A, "b"), 0);
	assert_int_equal(reserve_at(0, c, 2, &id, &why), 0);
	/* A replay gives nothing more back. */
	assert_int_equal(consume_at(0, ID_A, "b"), -OTP_EUSED);
	assert_int_equal(reserve_at(0, c, 2, &id, &why), -OTP_ELIMIT);
}

static void
dead_challenges_give_no_send_back(void **state)
{
	struct send_count c = a_count("user", "asha", 1, DAY);
	struct challenge ch = a_challenge(ID_A);
	struct instant now = at(0);
	struct store_refusal why;
	int64_t id;

	(void)state;
	assert_int_equal(reserve_at(0, &c, 1, &id, &why), 0);
	assert_int_equal(store->ops->challenge_put(store, &now, &ch, id), 0);
	assert_int_equal(store->ops->challenge_kill(store, ID_A), 0);
	assert_int_equal(consume_at(0, ID_A, "b"), -OTP_ENOENT);
	assert_int_equal(reserve_at(0, &c, 1, &id, &why), -OTP_ELIMIT);
}

static void
clock_that_goes_back_frees_nothing(void **state)
{
	struct send_count c = a_count("user", "asha", 1, MINUTE);
	struct store_refusal why;
	int64_t id, until;

	(void)state;
	assert_int_equal(reserve_at(DAY, &c, 1, &id, &why), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(fail_at(DAY, "b", &until), 0);
	for (int64_t ms = -DAY; ms <= DAY; ms += DAY / 2) {
		assert_int_equal(reserve_at(ms, &c, 1, &id, &why), -OTP_ELIMIT);
		assert_int_equal(why.until_wall_ms, at(DAY + MINUTE).wall_ms);
		assert_int_equal(locked_at(ms, "b", &until), -OTP_ELIMIT);
		assert_int_equal(until, at(DAY + 30000).wall_ms);
		assert_int_equal(fail_at(ms, "b", &until), -OTP_ELIMIT);
	}
	/* A failure counted in the past leaves the last one where it was. */
	assert_int_equal(fail_at(0, "c", &until), 0);
	assert_int_equal(fail_at(DAY, "c", &until), 0);
	assert_int_equal(fail_at(1, "c", &until), 0);
	assert_int_equal(locked_at(DAY + 29999, "c", &until), -OTP_ELIMIT);
	assert_int_equal(reserve_at(DAY + MINUTE, &c, 1, &id, &why), 0);
}

static void
senseless_windows_are_refused(void **state)
{
	struct send_count none = a_count("user", "asha", 0, MINUTE),
			  never = a_count("user", "asha", 1, 0);
	struct store_refusal why;
	int64_t id;

	(void)state;
	assert_int_equal(reserve_at(0, &none, 1, &id, &why), -OTP_EINVAL);
	assert_int_equal(reserve_at(0, &never, 1, &id, &why), -OTP_EINVAL);
	assert_int_equal(number("SELECT count(*) FROM send_event"), 0);
}

static void
old_rows_go_a_few_at_a_time(void **state)
{
	struct send_count c = a_count("user", "new", 5, MINUTE);
	struct store_refusal why;
	int64_t id, rows, before = 200;
	int left;

	(void)state;
	script("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) "
	       "INSERT INTO send_event SELECT i, 'user', 'u' || i, 1000, 2000 FROM n");
	script("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) "
	       "INSERT INTO budget SELECT 'old' || i, 1, 1000, 2000 FROM n");
	put(ID_A);
	for (int i = 0; i < 10; i++) {
		if (i < 5)
			assert_int_equal(reserve_at(0, &c, 1, &id, &why), 0);
		else
			assert_int_equal(fail_at(0, "new", &id), i < 8 ? 0 : -OTP_ELIMIT);
		rows = number("SELECT count(*) FROM send_event WHERE key <> 'new'");
		assert_true(before - rows <= 64);
		before = rows;
	}
	assert_int_equal(before, 0);
	assert_int_equal(number("SELECT count(*) FROM budget WHERE key <> 'new'"), 0);
	assert_int_equal(number("SELECT count(*) FROM send_event"), 5);
	/* The wall clock leaps a month; the challenge lives by the boot clock. */
	struct instant leap = at(0);
	leap.wall_ms += INT64_C(31) * DAY;
	assert_int_equal(store->ops->failure_count(store, &leap, "x", &rule, &id), 0);
	assert_int_equal(try_at(0, ID_A, "y", &left, &id), 0);
	leap.boot_ms += 5 * MINUTE;
	assert_int_equal(store->ops->failure_count(store, &leap, "x", &rule, &id), 0);
	assert_int_equal(try_at(0, ID_A, "y", &left, &id), -OTP_ENOENT);
}

/* --- many at once (U33) -------------------------------------------------------------------- */

typedef int child_fn(int i);

/* A connection must not be used, nor even be there, on the other side of a fork. */
static void
close_store(void)
{
	store->ops->close(store);
	store = NULL;
}

/* Runs fn in CHILDREN processes, let go together; result[i] = -fn(i). */
static void
in_parallel(child_fn *fn, int result[CHILDREN])
{
	pid_t pid[CHILDREN];
	int gate[2], status;
	char c;

	close_store();
	assert_int_equal(pipe(gate), 0);
	for (int i = 0; i < CHILDREN; i++) {
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
	for (int i = 0; i < CHILDREN; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_true(WIFEXITED(status));
		result[i] = WEXITSTATUS(status);
	}
}

static int
tally(const int result[CHILDREN], int r)
{
	int n = 0;

	for (int i = 0; i < CHILDREN; i++)
		n += result[i] == -r;
	return n;
}

static int
child_consume(int i)
{
	(void)i;
	return consume_at(0, ID_A, "b");
}

static void
one_code_in_64_processes_signs_in_once(void **state)
{
	int result[CHILDREN];

	(void)state;
	put(ID_A);
	in_parallel(child_consume, result);
	assert_int_equal(tally(result, 0), 1);
	assert_int_equal(tally(result, -OTP_EUSED), CHILDREN - 1);
}

static int
child_try(int i)
{
	static const struct try_rule wide = {100, 30000, 200000, 40};
	struct instant now = at(0);
	int left;
	int64_t until;

	return store->ops->try_count(
	    store, &now, ID_A, i % 2 ? "odd" : "even", &wide, &left, &until);
}

static void
tries_of_64_processes_are_exact(void **state)
{
	int result[CHILDREN];

	(void)state;
	put(ID_A);
	in_parallel(child_try, result);
	assert_int_equal(tally(result, 0), 40);
	assert_int_equal(tally(result, -OTP_ELIMIT), CHILDREN - 40);
	assert_int_equal(number("SELECT tries FROM challenge"), 40);
	assert_int_equal(number("SELECT sum(failures) FROM budget"), 40);
	for (int i = 0, odd = 0; i < CHILDREN; i++) {
		odd += i % 2 && result[i] == 0;
		if (i == CHILDREN - 1)
			assert_int_equal(
			    number("SELECT failures FROM budget WHERE key = 'odd'"), odd);
	}
}

static int
child_fail(int i)
{
	int64_t until;

	return fail_at(0, i % 2 ? "odd" : "even", &until);
}

static void
two_budgets_lock_exactly_under_64_processes(void **state)
{
	int result[CHILDREN];

	(void)state;
	in_parallel(child_fail, result);
	assert_int_equal(tally(result, 0), 2 * rule.failures);
	assert_int_equal(tally(result, -OTP_ELIMIT), CHILDREN - 2 * rule.failures);
	assert_int_equal(number("SELECT failures FROM budget WHERE key = 'odd'"), rule.failures);
	assert_int_equal(number("SELECT failures FROM budget WHERE key = 'even'"), rule.failures);
}

static int
child_reserve(int i)
{
	struct send_count c[2] = {a_count("user", "asha", 5, DAY), a_count("client", "", 50, DAY)};
	struct store_refusal why;
	int64_t id;

	(void)snprintf(c[1].key, sizeof(c[1].key), "192.0.2.%d", i);
	return reserve_at(i, c, 2, &id, &why);
}

static void
sends_of_64_processes_are_exact(void **state)
{
	int result[CHILDREN];

	(void)state;
	in_parallel(child_reserve, result);
	assert_int_equal(tally(result, 0), 5);
	assert_int_equal(tally(result, -OTP_ELIMIT), CHILDREN - 5);
	assert_int_equal(number("SELECT count(*) FROM send_event"), 10);
}

static int
child_whole_signin(int i)
{
	struct send_count c = a_count("user", "", 5, DAY);
	struct instant now = at(0);
	struct challenge ch = a_challenge(ID_A), out;
	struct store_refusal why;
	int64_t id, until;
	int left, r;

	(void)snprintf(ch.id, sizeof(ch.id), "%032x", i);
	(void)snprintf(ch.user, sizeof(ch.user), "user%d", i);
	(void)snprintf(c.key, sizeof(c.key), "user%d", i);
	r = reserve_at(0, &c, 1, &id, &why);
	if (!r)
		r = store->ops->challenge_put(store, &now, &ch, id);
	if (!r)
		r = find(0, ch.user, ch.service, ch.source, &out);
	if (!r)
		r = try_at(0, ch.id, ch.user, &left, &until);
	return r ? r : consume_at(0, ch.id, ch.user);
}

static void
none_of_64_different_signins_is_refused(void **state)
{
	int result[CHILDREN];

	(void)state;
	in_parallel(child_whole_signin, result);
	assert_int_equal(tally(result, 0), CHILDREN);
	assert_int_equal(number("SELECT count(*) FROM send_event"), 0);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
	assert_int_equal(number("SELECT count(*) FROM challenge WHERE state = 'used'"), CHILDREN);
	assert_intact();
}

/* --- waiting for a sibling ----------------------------------------------------------------- */

struct patience {
	int asked;
	int limit;
};

static int
wait_a_little(void *arg)
{
	struct patience *p = arg;
	const struct timespec ts = {.tv_nsec = 1000000};

	(void)nanosleep(&ts, NULL);
	return ++p->asked >= p->limit;
}

static void
waiting_asks_the_caller_who_may_give_up(void **state)
{
	struct patience p = {.limit = 20};
	struct send_count c = a_count("user", "asha", 5, DAY);
	struct store_refusal why;
	sqlite3 *db;
	int64_t id;

	(void)state;
	store->ops->close(store);
	store = NULL;
	assert_int_equal(store_sqlite_open(dir, wait_a_little, &p, &store), 0);
	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	p.asked = 0;
	assert_int_equal(reserve_at(0, &c, 1, &id, &why), -OTP_ESTORE);
	assert_int_equal(p.asked, 20);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	p.asked = 0;
	assert_int_equal(reserve_at(0, &c, 1, &id, &why), 0);
	assert_int_equal(p.asked, 0);
	assert_int_equal(number("SELECT count(*) FROM send_event"), 1);
}

/* --- death and want of space --------------------------------------------------------------- */

/* Reserves for ever; each one that returned 0 is told to the parent. */
static void
reserve_until_killed(int told)
{
	struct send_count c = a_count("user", "asha", 1000000, DAY);
	struct store_refusal why;
	int64_t id;

	if (store_sqlite_open(dir, NULL, NULL, &store))
		_exit(1);
	for (int64_t ms = 0;; ms++)
		if (reserve_at(ms, &c, 1, &id, &why) || write(told, &id, sizeof(id)) != sizeof(id))
			_exit(1);
}

static void
killed_at_any_moment_keeps_what_was_told(void **state)
{
	int64_t known = 0, id;
	char sql[128];

	(void)state;
	close_store();
	srand(20261122);
	for (int round = 0; round < 25; round++) {
		const struct timespec ts = {.tv_nsec = (2 + rand() % 40) * 1000000L};
		int told[2], status;
		pid_t pid;

		assert_int_equal(pipe(told), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			reserve_until_killed(told[1]);
		close(told[1]);
		(void)nanosleep(&ts, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		while (read(told[0], &id, sizeof(id)) == sizeof(id)) {
			known++;
			(void)snprintf(sql, sizeof(sql),
			    "SELECT count(*) FROM send_event WHERE reservation = %lld",
			    (long long)id);
			assert_int_equal(number(sql), 1);
		}
		close(told[0]);
		assert_intact();
		assert_int_equal(try_open(), 0);
	}
	assert_true(known > 25);
	/* At most one a round was on disk and not yet told. */
	assert_in_range(number("SELECT count(*) FROM send_event"), known, known + 25);
}

static int
child_under_file_limit(void)
{
	struct rlimit none = {0, 0};
	struct send_count c = a_count("user", "asha", 5, DAY);
	struct store_refusal why;
	int64_t id, until;
	int left, bad = 0;

	(void)signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &none))
		return 1;
	/* With what was opened before, and with a new opening. */
	for (int i = 0; i < 2; i++) {
		bad |= reserve_at(0, &c, 1, &id, &why) != -OTP_ESTORE ? 2 : 0;
		bad |= try_at(0, ID_A, "b", &left, &until) != -OTP_ESTORE ? 4 : 0;
		bad |= consume_at(0, ID_A, "b") != -OTP_ESTORE ? 8 : 0;
		store->ops->close(store);
		store = NULL;
		if (store_sqlite_open(dir, NULL, NULL, &store))
			return bad;
	}
	store->ops->close(store);
	return bad;
}

static void
no_file_size_left_is_a_failure(void **state)
{
	char spare[sizeof(dir) + 16];
	struct stat st;
	int status;
	pid_t pid;

	(void)state;
	put(ID_A);
	store->ops->close(store);
	store = NULL;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(store_sqlite_open(dir, NULL, NULL, &store) ? 64 : child_under_file_limit());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_intact();
	assert_int_equal(number("SELECT count(*) FROM send_event"), 0);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
	(void)snprintf(spare, sizeof(spare), "%s/reserve", dir);
	assert_int_equal(stat(spare, &st), 0);
	assert_int_equal(st.st_size, STORE_SPARE);
	assert_int_equal(store_sqlite_open(dir, NULL, NULL, &store), 0);
	assert_int_equal(consume_at(0, ID_A, "b"), 0);
}

/* Takes every byte that is left. */
static void
fill_disk(const char *path)
{
	static const char block[4096] = {1};
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	while (write(fd, block, sizeof(block)) > 0)
		continue;
	close(fd);
}

static off_t
spare_size(void)
{
	char spare[sizeof(dir) + 16];
	struct stat st;

	(void)snprintf(spare, sizeof(spare), "%s/reserve", dir);
	return stat(spare, &st) ? -1 : st.st_size;
}

/* In a mount namespace of its own; exits with the number of the first step that went wrong. */
static int
on_a_full_disk(void)
{
	struct send_count c = a_count("user", "asha", 1000000, DAY);
	char hog[sizeof(dir) + 16], shm[sizeof(dir) + 16];
	struct store_refusal why;
	int64_t id, count = 0;
	int r;

	(void)snprintf(hog, sizeof(hog), "%s/hog", dir);
	(void)snprintf(shm, sizeof(shm), "%s/store.db-shm", dir);
	if (mount("none", dir, "tmpfs", 0, "size=8m,mode=700") || store_sqlite_create(dir) ||
	    store_sqlite_open(dir, NULL, NULL, &store))
		return 1;
	if (spare_size() != STORE_SPARE)
		return 2;
	/* Opening needs a little room, too, for the index of the log. */
	store->ops->close(store);
	(void)unlink(shm);
	fill_disk(hog);
	if (store_sqlite_open(dir, NULL, NULL, &store) || spare_size() != 0)
		return 12;
	store->ops->close(store);
	if (unlink(hog) || store_sqlite_open(dir, NULL, NULL, &store) ||
	    spare_size() != STORE_SPARE)
		return 13;
	fill_disk(hog);
	/* The first write that finds no room is made with the spare's. */
	for (int i = 0; i < 1000 && spare_size() == STORE_SPARE; i++, count++)
		if (reserve_at(0, &c, 1, &id, &why))
			return 3;
	if (spare_size() != 0)
		return 4;
	fill_disk(hog);
	/* Now there is nothing to give up: failure, and no change. */
	while (!(r = reserve_at(0, &c, 1, &id, &why)))
		if (++count > 10000)
			return 5;
	if (r != -OTP_ESTORE || reserve_at(0, &c, 1, &id, &why) != -OTP_ESTORE)
		return 6;
	store->ops->close(store);
	if (unlink(hog))
		return 7;
	if (store_sqlite_open(dir, NULL, NULL, &store) || reserve_at(0, &c, 1, &id, &why))
		return 8;
	count++;
	if (number("SELECT count(*) FROM send_event") != count || spare_size() != STORE_SPARE)
		return 9;
	store->ops->close(store);
	/* A read-only disk. */
	if (mount("none", dir, "tmpfs", MS_REMOUNT | MS_RDONLY, ""))
		return 10;
	store = NULL;
	r = store_sqlite_open(dir, NULL, NULL, &store);
	if (!r) {
		r = reserve_at(0, &c, 1, &id, &why);
		store->ops->close(store);
	}
	return r == -OTP_ESTORE ? 0 : 11;
}

static void
full_disk_takes_the_spare_then_fails_closed(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL))
			_exit(77);
		_exit(on_a_full_disk());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("skipped: a small disk of its own needs root and mount namespaces\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define NO_STORE(f)   cmocka_unit_test_setup_teardown(f, make, drop)
#define WITH_STORE(f) cmocka_unit_test_setup_teardown(f, make_open, drop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    NO_STORE(creates_privately_and_once),
	    NO_STORE(create_after_a_dead_creator),
	    NO_STORE(missing_store_is_broken_and_not_made),
	    NO_STORE(empty_store_is_broken),
	    NO_STORE(garbage_is_broken),
	    NO_STORE(foreign_database_is_broken),
	    NO_STORE(other_schema_version_is_broken),
	    NO_STORE(links_and_fifos_are_refused),
	    NO_STORE(planted_companions_are_refused),
	    NO_STORE(wrong_owner_or_mode_is_refused),
	    NO_STORE(linked_folder_is_refused),
	    NO_STORE(spare_follows_no_link),
	    WITH_STORE(spare_is_made_whole_again),
	    WITH_STORE(damaged_pages_never_pass_for_an_empty_store),
	    WITH_STORE(challenge_comes_back_as_stored),
	    WITH_STORE(challenge_is_found_by_its_owner_alone),
	    WITH_STORE(challenge_expires_and_dies_with_the_boot),
	    WITH_STORE(new_challenge_kills_the_older_of_its_owner_only),
	    WITH_STORE(challenge_is_used_once),
	    WITH_STORE(killed_and_unknown_challenges_are_gone),
	    WITH_STORE(malformed_challenges_are_not_stored),
	    WITH_STORE(tries_of_a_challenge_run_out),
	    WITH_STORE(backoff_doubles_to_its_most),
	    WITH_STORE(locked_budget_counts_no_try),
	    WITH_STORE(success_ends_the_row_of_failures),
	    cmocka_unit_test(backoff_formula),
	    WITH_STORE(senseless_rules_are_refused),
	    WITH_STORE(windows_fill_and_empty),
	    WITH_STORE(sends_are_reserved_all_or_none),
	    WITH_STORE(sends_are_given_back),
	    WITH_STORE(dead_challenges_give_no_send_back),
	    WITH_STORE(clock_that_goes_back_frees_nothing),
	    WITH_STORE(senseless_windows_are_refused),
	    WITH_STORE(old_rows_go_a_few_at_a_time),
	    WITH_STORE(one_code_in_64_processes_signs_in_once),
	    WITH_STORE(tries_of_64_processes_are_exact),
	    WITH_STORE(two_budgets_lock_exactly_under_64_processes),
	    WITH_STORE(sends_of_64_processes_are_exact),
	    WITH_STORE(none_of_64_different_signins_is_refused),
	    WITH_STORE(waiting_asks_the_caller_who_may_give_up),
	    WITH_STORE(killed_at_any_moment_keeps_what_was_told),
	    WITH_STORE(no_file_size_left_is_a_failure),
	    NO_STORE(full_disk_takes_the_spare_then_fails_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
