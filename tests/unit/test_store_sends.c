/*
 * Messages are counted before they are sent: windows, what is given back and what stays, how old
 * rows are pruned, with a clock that the test sets; and the send lock.
 */
#include "tests/unit/store_rig.h"

#include <sys/stat.h>

static const struct budget bela = {.kind = "user", .owner = "bela"};

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
	/* Two windows are full; the refusal ends with the later one. */
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
	struct send_count c[3] = {a_count("user", "asha", 5, DAY),
	    a_count("address", "+977981234", 1, MINUTE), a_count("host", "", 1, 2 * MINUTE)};
	struct store_refusal why;
	int64_t id;

	(void)state;
	assert_int_equal(reserve_at(0, c, 2, &id, &why), 0);
	assert_int_equal(reserve_at(1, c, 2, &id, &why), -OTP_ELIMIT);
	assert_string_equal(why.kind, "address");
	assert_int_equal(number("SELECT count(*) FROM send_event"), 2);
	strcpy(c[1].budget.owner, "+9779899999");
	assert_int_equal(reserve_at(2, c, 3, &id, &why), 0);
	assert_int_equal(number("SELECT count(*) FROM send_event WHERE kind = 'user'"), 2);
	/* The refusal names the budget that stays full the longest. */
	assert_int_equal(reserve_at(3, c, 3, &id, &why), -OTP_ELIMIT);
	assert_string_equal(why.kind, "host");
	assert_int_equal(why.until_wall_ms, at(2 + 2 * MINUTE).wall_ms);
	assert_int_equal(number("SELECT count(*) FROM send_event"), 5);
	/* Each known source has counts of its own. */
	strcpy(c[1].budget.known_source, "net home");
	assert_int_equal(reserve_at(4, c, 2, &id, &why), 0);
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
	assert_int_equal(consume_at(0, ID_A, &asha, ""), 0);
	assert_int_equal(reserve_at(0, c, 2, &id, &why), 0);
	/* A second call gives nothing back. */
	assert_int_equal(consume_at(0, ID_A, &asha, ""), -OTP_EUSED);
	assert_int_equal(reserve_at(0, c, 2, &id, &why), -OTP_ELIMIT);
}

/*
 * After try_mac() and after consume(), what SEND_STAYS counted stays. If nothing was sent, all of
 * it is given back.
 */
static void
what_must_stay_is_not_given_back(void **state)
{
	struct send_count c[3] = {a_count("user", "asha", 9, DAY),
	    a_count("message", "+977981234", 9, DAY), a_count("host", "", 9, DAY)};
	struct challenge ch;
	struct instant now = at(0);
	struct store_refusal why;
	struct trial_result tried;
	int64_t id;

	(void)state;
	c[1].mode = SEND_STAYS;
	for (int i = 0; i < 2; i++) {
		ch = a_challenge(i ? ID_B : ID_A);
		assert_int_equal(reserve_at(0, c, 3, &id, &why), 0);
		assert_int_equal(store->ops->challenge_put(store, &now, &ch, id), 0);
		assert_int_equal(number("SELECT count(*) FROM send_event"), 3 + i);
		if (i)
			assert_int_equal(try_mac_at(0, ID_B, right_mac, &asha, &tried), 0);
		else
			assert_int_equal(consume_at(0, ID_A, &asha, ""), 0);
		assert_int_equal(number("SELECT count(*) FROM send_event"), 1 + i);
	}
	assert_int_equal(number("SELECT count(*) FROM send_event WHERE kind = 'message'"), 2);
	assert_int_equal(reserve_at(0, c, 3, &id, &why), 0);
	assert_int_equal(store->ops->send_return(store, id), 0);
	assert_int_equal(number("SELECT count(*) FROM send_event"), 2);
}

/* A decoy is refused at the limit, but counts nothing. */
static void
a_send_of_a_decoy_is_checked_and_not_counted(void **state)
{
	struct send_count look = a_count("host", "", 1, DAY), real = look;
	struct store_refusal why;
	int64_t id;

	(void)state;
	look.mode = SEND_CHECK_ONLY;
	for (int i = 0; i < 3; i++)
		assert_int_equal(reserve_at(0, &look, 1, &id, &why), 0);
	assert_int_equal(number("SELECT count(*) FROM send_event"), 0);
	assert_int_equal(reserve_at(0, &real, 1, &id, &why), 0);
	assert_int_equal(reserve_at(0, &look, 1, &id, &why), -OTP_ELIMIT);
	assert_string_equal(why.kind, "host");
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
	assert_int_equal(consume_at(0, ID_A, &asha, ""), -OTP_ENOENT);
	assert_int_equal(reserve_at(0, &c, 1, &id, &why), -OTP_ELIMIT);
}

static void
clock_that_goes_back_frees_nothing(void **state)
{
	struct send_count c = a_count("user", "asha", 1, MINUTE);
	struct store_refusal why;
	struct trial_result tried;
	int64_t id;

	(void)state;
	assert_int_equal(reserve_at(DAY, &c, 1, &id, &why), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(fail_at(DAY, &asha, &tried), 0);
	for (int64_t ms = -DAY; ms <= DAY; ms += DAY / 2) {
		assert_int_equal(reserve_at(ms, &c, 1, &id, &why), -OTP_ELIMIT);
		assert_int_equal(why.until_wall_ms, at(DAY + MINUTE).wall_ms);
		assert_int_equal(locked_at(ms, &asha, &tried), -OTP_ELIMIT);
		assert_int_equal(tried.until_wall_ms, at(DAY + 30000).wall_ms);
		assert_int_equal(fail_at(ms, &asha, &tried), -OTP_ELIMIT);
	}
	/* A failure with a time in the past does not move the time of the last one. */
	assert_int_equal(fail_at(0, &bela, &tried), 0);
	assert_int_equal(fail_at(DAY, &bela, &tried), 0);
	assert_int_equal(fail_at(1, &bela, &tried), 0);
	assert_int_equal(locked_at(DAY + 29999, &bela, &tried), -OTP_ELIMIT);
	assert_int_equal(reserve_at(DAY + MINUTE, &c, 1, &id, &why), 0);
}

static void
senseless_windows_are_refused(void **state)
{
	struct send_count none = a_count("user", "asha", 0, MINUTE),
			  never = a_count("user", "asha", 1, 0),
			  nobody = a_count("", "asha", 1, DAY);
	struct store_refusal why;
	int64_t id;

	(void)state;
	assert_int_equal(reserve_at(0, &none, 1, &id, &why), -OTP_EINVAL);
	assert_int_equal(reserve_at(0, &never, 1, &id, &why), -OTP_EINVAL);
	assert_int_equal(reserve_at(0, &nobody, 1, &id, &why), -OTP_EINVAL);
	assert_int_equal(number("SELECT count(*) FROM send_event"), 0);
}

/* --- old rows ------------------------------------------------------------------------------ */

static void
old_rows_go_a_few_at_a_time(void **state)
{
	struct send_count c = a_count("user", "new", 5, MINUTE);
	struct store_refusal why;
	int64_t id, rows, before = 200;

	(void)state;
	script("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) "
	       "INSERT INTO send_event SELECT i, 'user', 'u' || i, '', 1, 1000, 2000 FROM n");
	script("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) "
	       "INSERT INTO budget SELECT 'user', 'old' || i, '', 1, 1000, 2000 FROM n");
	script(
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) "
	    "INSERT INTO challenge (id, state, user, service, source, "
	    "channel, provider, address, mac, captures, boot_id, expires_boot_ms, sent_ms, tries, "
	    "reservation, lease_by, lease_boot_ms, keep_ms) SELECT i, 'dead', 'u', 's', 'o', 'c', "
	    "'p', 'a', NULL, NULL, "
	    "'b', 0, 0, 0, 0, 0, 0, 2000 FROM n");
	for (int i = 0; i < 8; i++) {
		int r = reserve_at(0, &c, 1, &id, &why);

		assert_int_equal(r, i < 5 ? 0 : -OTP_ELIMIT);
		if (r) /* that was rolled back; this one is committed */
			put(i == 5 ? ID_A : i == 6 ? ID_B : ID_C);
		rows = number("SELECT count(*) FROM send_event WHERE owner <> 'new'");
		assert_true(before - rows <= 32);
		assert_true(before > rows || !rows);
		before = rows;
	}
	assert_int_equal(before, 0);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
	assert_int_equal(number("SELECT count(*) FROM challenge"), 3);
	assert_int_equal(number("SELECT count(*) FROM send_event"), 5);
}

/* The wall clock jumps a month, but a challenge expires by the boot clock. */
static void
no_live_challenge_is_pruned(void **state)
{
	struct instant leap = at(0);
	struct trial_result tried;

	(void)state;
	put(ID_A);
	leap.wall_ms += INT64_C(31) * DAY;
	assert_int_equal(store->ops->sample_put(store, &leap, "x", 1, 0), 0);
	assert_int_equal(try_mac_at(0, ID_A, wrong_mac, &asha, &tried), -OTP_EWRONG);
	leap.boot_ms += 5 * MINUTE;
	assert_int_equal(store->ops->sample_put(store, &leap, "x", 1, 0), 0);
	assert_int_equal(number("SELECT count(*) FROM challenge"), 0);
}

/* --- the send lock ------------------------------------------------------------------------- */

static const uint64_t one = 0x0123456789abcdef, another = 0xfedcba9876543210;

static void
one_sign_in_has_the_send_lock(void **state)
{
	struct store *other = NULL;

	(void)state;
	assert_int_equal(store_sqlite_open(dir, NULL, NULL, &other), 0);
	assert_int_equal(store->ops->send_lock_take(store, one), 0);
	assert_int_equal(other->ops->send_lock_take(other, one), -OTP_EBUSY);
	assert_int_equal(other->ops->send_lock_take(other, another), 0);
	other->ops->send_lock_release(other);
	store->ops->send_lock_release(store);
	store->ops->send_lock_release(store);
	assert_int_equal(other->ops->send_lock_take(other, one), 0);
	assert_int_equal(store->ops->send_lock_take(store, one), -OTP_EBUSY);
	/* The lock ends with the store, and so with the process. */
	other->ops->close(other);
	assert_int_equal(store->ops->send_lock_take(store, one), 0);
}

/* A link under the name of the lock file is not followed. The sign-in goes on without a lock. */
static void
a_send_lock_that_fails_is_reported(void **state)
{
	char turns[sizeof(dir) + 8], elsewhere[sizeof(dir) + 16];
	struct stat st;

	(void)state;
	(void)snprintf(turns, sizeof(turns), "%s/turns", dir);
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", dir);
	assert_int_equal(symlink(elsewhere, turns), 0);
	assert_int_equal(store->ops->send_lock_take(store, one), -OTP_ESTORE);
	assert_int_not_equal(lstat(elsewhere, &st), 0);
	store->ops->send_lock_release(store);
	assert_int_equal(unlink(turns), 0);
	assert_int_equal(store->ops->send_lock_take(store, one), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_STORE(windows_fill_and_empty),
	    WITH_STORE(sends_are_reserved_all_or_none),
	    WITH_STORE(sends_are_given_back),
	    WITH_STORE(what_must_stay_is_not_given_back),
	    WITH_STORE(a_send_of_a_decoy_is_checked_and_not_counted),
	    WITH_STORE(dead_challenges_give_no_send_back),
	    WITH_STORE(clock_that_goes_back_frees_nothing),
	    WITH_STORE(senseless_windows_are_refused),
	    WITH_STORE(old_rows_go_a_few_at_a_time),
	    WITH_STORE(no_live_challenge_is_pruned),
	    WITH_STORE(one_sign_in_has_the_send_lock),
	    WITH_STORE(a_send_lock_that_fails_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
