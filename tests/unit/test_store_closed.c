/*
 * The store while its processes are killed, the database is locked, or the disk is full. Nobody
 * gets in, and every count that an operation answered is on disk (U3, C16, C21).
 */
#include "tests/unit/store_rig.h"

#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

/* --- the database is locked ---------------------------------------------------------------- */

static int64_t reserved; /* set by let_things_happen() */

/* Runs every operation that writes; each must fail. Returns the name of the first that did not. */
static const char *
what_was_written(void)
{
	struct send_count c = a_count("user", "asha", 1000, DAY);
	struct challenge ch = a_challenge(ID_C);
	struct recovery issue = {.id = ID_B, .n = 1};
	const struct store_ops *ops = store->ops;
	const unsigned char hash[RECOVERY_HASH_LEN] = {4};
	struct instant now = at(0);
	struct store_refusal why;
	struct trial_result tried;
	int64_t id;
	int removed;
	const struct {
		const char *name;
		int r;
	} row[] = {
	    {"send_reserve", reserve_at(0, &c, 1, &id, &why)},
	    {"send_return", ops->send_return(store, reserved)},
	    {"challenge_put", ops->challenge_put(store, &now, &ch, 1)},
	    {"challenge_kill", ops->challenge_kill(store, ID_A)},
	    {"try_mac, wrong", try_mac_at(0, ID_A, wrong_mac, &asha, &tried)},
	    {"try_mac, right", try_mac_at(0, ID_A, right_mac, &asha, &tried)},
	    {"try_count", try_count_at(0, ID_A, &asha, &tried)},
	    {"consume", consume_at(0, ID_A, &asha, "net home")},
	    {"recovery_put", ops->recovery_put(store, &now, "asha", &issue)},
	    {"recovery_use", ops->recovery_use(store, &now,
				 TRIAL(.id = ID_A, .user = "asha", .proof = hash,
				     .budget = &asha_recovery, .rule = rule),
				 &tried)},
	    {"recovery_drop", ops->recovery_drop(store, "asha")},
	    {"sample_put", ops->sample_put(store, &now, "check", 1, 0)},
	    {"retry_after_put", ops->retry_after_put(store, &now, "p", "a", at(9).wall_ms)},
	    {"unlock", ops->unlock(store, "asha", NULL, 0, &removed)},
	    {"token_put", ops->token_put(store, &now, "p", "token", at(9).wall_ms)},
	    {"credits_put", ops->credits_put(store, &now, "p", "sms", 1)},
	};

	for (size_t i = 0; i < COUNT(row); i++)
		if (row[i].r != -OTP_ESTORE)
			return row[i].name;
	return NULL;
}

/* Makes a live challenge, a send, one failure and recovery codes; nothing_changed() checks them. */
static void
let_things_happen(void)
{
	struct send_count c = a_count("user", "asha", 1000, DAY);
	struct store_refusal why;
	struct trial_result tried;

	put(ID_A);
	issue_ten();
	assert_int_equal(reserve_at(0, &c, 1, &reserved, &why), 0);
	assert_int_equal(try_mac_at(0, ID_A, wrong_mac, &asha, &tried), -OTP_EWRONG);
}

static bool
nothing_changed(void)
{
	return number("SELECT (SELECT count(*) FROM challenge WHERE state = 'live' AND tries = 1 "
		      "AND lease_by = 0) = 1 AND (SELECT count(*) FROM challenge) = 1 "
		      "AND (SELECT sum(failures) FROM budget) = 1 "
		      "AND (SELECT count(*) FROM send_event) = 1 "
		      "AND (SELECT count(*) FROM recovery_code WHERE used = 0) = 10 "
		      "AND (SELECT count(*) FROM recovery) = 1 "
		      "AND (SELECT count(*) FROM known_place) = 0 "
		      "AND (SELECT count(*) FROM sample) = 0 "
		      "AND (SELECT count(*) FROM pause) = 0 "
		      "AND (SELECT count(*) FROM provider_session) = 0 "
		      "AND (SELECT count(*) FROM provider_credits) = 0") == 1;
}

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
only_the_callers_function_waits_and_may_give_up(void **state)
{
	struct patience p = {.limit = 20};
	const char *written;
	sqlite3 *db;
	struct trial_result tried;

	(void)state;
	let_things_happen();
	store->ops->close(store);
	assert_int_equal(store_sqlite_open(dir, wait_a_little, &p, &store), 0);
	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	p.asked = 0;
	assert_int_equal(try_count_at(0, ID_A, &asha, &tried), -OTP_ESTORE);
	assert_int_equal(p.asked, 20);
	p.limit = 1;
	written = what_was_written();
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	if (written)
		fail_msg("%s did not fail", written);
	assert_true(nothing_changed());
	p.asked = 0;
	assert_int_equal(try_mac_at(0, ID_A, right_mac, &asha, &tried), 0);
	assert_int_equal(p.asked, 0);
}

/* --- a process is killed ------------------------------------------------------------------- */

enum { VICTIMS = 4, CODES = 400 };

/* What a victim was answered: n is the challenge of a right try, or -1 for a wrong one. */
struct answer {
	int victim;
	int n;
};

/*
 * Makes wrong tries on a budget of its own, and right ones on each challenge. Reports each answer
 * to the parent.
 */
static void
try_until_killed(int victim, int report_fd)
{
	struct budget mine = a_budget("user", "", "");
	struct answer a = {.victim = victim};

	(void)snprintf(mine.owner, sizeof(mine.owner), "victim%d", victim);
	if (store_sqlite_open(dir, NULL, NULL, &store))
		_exit(1);
	for (int n = 0; n < CODES; n++) {
		int r = try_nth(n, wrong_mac, &mine, &wide);

		a.n = -1;
		if (r == -OTP_EWRONG && write(report_fd, &a, sizeof(a)) != sizeof(a))
			_exit(1);
		if (r && r != -OTP_EWRONG && r != -OTP_EUSED)
			_exit(2);
		r = try_nth(n, right_mac, &asha, &wide);
		a.n = n;
		if (!r && write(report_fd, &a, sizeof(a)) != sizeof(a))
			_exit(1);
		if (r && r != -OTP_EUSED)
			_exit(2);
	}
	(void)pause();
	_exit(3);
}

/* Starts victims and kills them at a random moment. Returns the number of their answers. */
static size_t
kill_some(uint64_t *seed, struct answer *answers, size_t most)
{
	const struct timespec ts = {.tv_nsec = (long)(fixed_random(seed) % 2000) * 1000};
	size_t n = 0, some = 1 + fixed_random(seed) % 200;
	pid_t pid[VICTIMS];
	int pipe_fd[2], status;

	assert_int_equal(pipe(pipe_fd), 0);
	for (int i = 0; i < VICTIMS; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] == 0)
			try_until_killed(i, pipe_fd[1]);
	}
	close(pipe_fd[1]);
	while (
	    n < most && read(pipe_fd[0], &answers[n], sizeof(answers[n])) == sizeof(answers[n])) {
		if (++n != some)
			continue;
		(void)nanosleep(&ts, NULL);
		for (int i = 0; i < VICTIMS; i++)
			assert_int_equal(kill(pid[i], SIGKILL), 0);
	}
	close(pipe_fd[0]);
	for (int i = 0; i < VICTIMS; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_true(WIFSIGNALED(status));
	}
	assert_in_range(n, some, most - 1);
	return n;
}

/* Every answer is on disk, and for each victim at most one change that was not answered. */
static void
assert_answers_are_on_disk(const struct answer *answers, size_t n)
{
	static char sql[CODES * 64];
	int wrong[VICTIMS] = {0}, used[CODES] = {0}, nused = 0;
	size_t len;

	for (size_t i = 0; i < n; i++)
		if (answers[i].n < 0)
			wrong[answers[i].victim]++;
		else
			assert_int_equal(++used[answers[i].n], 1);
	for (int i = 0; i < VICTIMS; i++) {
		(void)snprintf(sql, sizeof(sql),
		    "SELECT coalesce(sum(failures), 0) FROM budget WHERE owner = 'victim%d'", i);
		assert_in_range(number(sql), wrong[i], wrong[i] + 1);
	}
	len = (size_t)sprintf(sql, "SELECT count(*) FROM challenge WHERE state = 'used' AND "
				   "id IN (''");
	for (int i = 0; i < CODES; i++)
		if (used[i]) {
			nused++;
			len += (size_t)sprintf(sql + len, ", '%032x'", i);
		}
	(void)strcpy(sql + len, ")");
	assert_int_equal(number(sql), nused);
	assert_in_range(
	    number("SELECT count(*) FROM challenge WHERE state = 'used'"), nused, nused + VICTIMS);
	assert_in_range(
	    number("SELECT count(*) FROM send_event"), CODES - nused - VICTIMS, CODES - nused);
}

/* Each code has a message that a success gives back: both changes are on disk, or neither. */
static void
put_codes(void)
{
	script("DELETE FROM challenge; DELETE FROM budget; DELETE FROM send_event");
	rig_reopen();
	put_many(1);
	script(
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 399) "
	    "INSERT INTO challenge (id, state, user, service, source, "
	    "channel, provider, address, mac, captures, boot_id, expires_boot_ms, sent_ms, tries, "
	    "reservation, lease_by, lease_boot_ms, keep_ms) SELECT format('%032x', i), state, "
	    "user, service, "
	    "source || i, channel, provider, address, mac, captures, boot_id, expires_boot_ms, "
	    "sent_ms, tries, i, lease_by, lease_boot_ms, keep_ms FROM challenge, n");
	script("UPDATE challenge SET reservation = 0 WHERE source = 'source 0'");
	script("INSERT INTO send_event SELECT reservation, 'user', 'asha', '', 1, sent_ms, "
	       "sent_ms + 86400000 FROM challenge");
	assert_int_equal(number("SELECT count(*) FROM send_event"), CODES);
	store->ops->close(store);
	store = NULL;
}

static void
killed_at_any_moment_keeps_each_answer(void **state)
{
	static struct answer answers[4 * VICTIMS * CODES];
	uint64_t seed = 20261122;

	(void)state;
	for (int round = 0; round < rounds(20); round++) {
		size_t n;

		put_codes();
		n = kill_some(&seed, answers, COUNT(answers));
		assert_intact();
		assert_answers_are_on_disk(answers, n);
	}
}

/* The lease of a dead process ends by time, and its try stays counted. */
static void
the_lease_of_a_killed_process_ends(void **state)
{
	struct trial_result tried;
	int status;
	pid_t pid;

	(void)state;
	put(ID_A);
	store->ops->close(store);
	store = NULL;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (store_sqlite_open(dir, NULL, NULL, &store) ||
		    try_count_at(0, ID_A, &asha, &tried))
			_exit(1);
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	rig_reopen();
	assert_int_equal(try_count_at(9999, ID_A, &asha, &tried), -OTP_EBUSY);
	assert_int_equal(try_count_at(10000, ID_A, &asha, &tried), 0);
	assert_int_equal(tried.left, 3);
	assert_int_equal(number("SELECT failures FROM budget"), 2);
}

/* --- the disk is full ---------------------------------------------------------------------- */

static int
child_under_file_limit(void)
{
	struct rlimit none = {0, 0};

	(void)signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &none))
		return 1;
	/* With the store that is open, and with one that is opened now. */
	for (int i = 0; i < 2; i++) {
		if (what_was_written())
			return 2;
		store->ops->close(store);
		store = NULL;
		if (store_sqlite_open(dir, NULL, NULL, &store))
			return 0;
	}
	return 0;
}

static void
a_file_size_limit_is_a_failure(void **state)
{
	char reserve[sizeof(dir) + 16];
	struct stat st;
	int status;
	pid_t pid;

	(void)state;
	let_things_happen();
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
	assert_true(nothing_changed());
	(void)snprintf(reserve, sizeof(reserve), "%s/reserve", dir);
	assert_int_equal(stat(reserve, &st), 0);
	assert_int_equal(st.st_size, STORE_RESERVE);
	rig_reopen();
	assert_int_equal(consume_at(0, ID_A, &asha, ""), 0);
}

/* Fills the disk to the last byte. */
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
reserve_size(void)
{
	char reserve[sizeof(dir) + 16];
	struct stat st;

	(void)snprintf(reserve, sizeof(reserve), "%s/reserve", dir);
	return stat(reserve, &st) ? -1 : st.st_size;
}

/* Makes wrong tries until the store fails or enough() is true. Returns the last answer. */
static int
try_wrongly(int *count, bool enough(void))
{
	int r = -OTP_EWRONG;

	while (r == -OTP_EWRONG && *count < 9000 && !enough()) {
		r = try_nth(0, wrong_mac, &asha, &wide);
		*count += r == -OTP_EWRONG;
	}
	return r;
}

static bool
reserve_is_gone(void)
{
	return reserve_size() != STORE_RESERVE;
}

static bool
never(void)
{
	return false;
}

/* Runs in a mount namespace of its own. Returns the number of the first step that failed, or 0. */
static int
on_a_full_disk(void)
{
	char hog[sizeof(dir) + 16], shm[sizeof(dir) + 16];
	int count = 0, r;

	(void)snprintf(hog, sizeof(hog), "%s/hog", dir);
	(void)snprintf(shm, sizeof(shm), "%s/store.db-shm", dir);
	if (mount("none", dir, "tmpfs", 0, "size=8m,mode=700") || store_sqlite_create(dir) ||
	    store_sqlite_open(dir, NULL, NULL, &store))
		return 1;
	if (reserve_size() != STORE_RESERVE)
		return 2;
	put_many(1);
	/* To open the store needs a little room, too, for the index of the write-ahead log. */
	store->ops->close(store);
	(void)unlink(shm);
	fill_disk(hog);
	if (store_sqlite_open(dir, NULL, NULL, &store) || reserve_size() != 0)
		return 12;
	store->ops->close(store);
	if (unlink(hog) || store_sqlite_open(dir, NULL, NULL, &store) ||
	    reserve_size() != STORE_RESERVE)
		return 13;
	fill_disk(hog);
	/* The first write that finds no room gets that of the reserve file. */
	if (try_wrongly(&count, reserve_is_gone) != -OTP_EWRONG || reserve_size() != 0)
		return 3;
	fill_disk(hog);
	/* Now the reserve file is empty: each try fails and changes nothing, even if right. */
	if (try_wrongly(&count, never) != -OTP_ESTORE)
		return 5;
	if (try_nth(0, wrong_mac, &asha, &wide) != -OTP_ESTORE ||
	    try_nth(0, right_mac, &asha, &wide) != -OTP_ESTORE)
		return 6;
	store->ops->close(store);
	if (unlink(hog))
		return 7;
	if (store_sqlite_open(dir, NULL, NULL, &store) ||
	    number("SELECT failures FROM budget") != count ||
	    number("SELECT tries FROM challenge") != count || try_nth(0, right_mac, &asha, &wide))
		return 8;
	if (number("SELECT count(*) FROM budget") || reserve_size() != STORE_RESERVE)
		return 9;
	let_things_happen();
	store->ops->close(store);
	/* A read-only disk. */
	if (mount("none", dir, "tmpfs", MS_REMOUNT | MS_RDONLY, ""))
		return 10;
	store = NULL;
	if (store_sqlite_open(dir, NULL, NULL, &store))
		return 0;
	r = what_was_written() ? 11 : 0;
	store->ops->close(store);
	return r;
}

static void
full_disk_releases_the_reserve_then_fails_closed(void **state)
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_STORE(only_the_callers_function_waits_and_may_give_up),
	    WITH_STORE(killed_at_any_moment_keeps_each_answer),
	    WITH_STORE(the_lease_of_a_killed_process_ends),
	    WITH_STORE(a_file_size_limit_is_a_failure),
	    NO_STORE(full_disk_releases_the_reserve_then_fails_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
