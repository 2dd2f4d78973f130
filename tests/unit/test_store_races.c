/* The store with many processes at the same moment: every count is exact (U33). */
#include "tests/unit/store_rig.h"

/* The rule of sign-ins: ten failures in a row, five tries of one code. */
static const struct try_rule real = {.failures = 10,
    .most = 100,
    .backoff_first_ms = 30000,
    .backoff_most_ms = 3600000,
    .per_challenge = 5};

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/* --- many at once (U33) -------------------------------------------------------------------- */

static int
child_right(int i)
{
	(void)i;
	return try_nth(0, right_mac, &asha, &real);
}

static void
one_right_code_of_64_is_let_in_and_none_is_refused(void **state)
{
	int result[CHILDREN_MAX];

	(void)state;
	put_many(1);
	assert_int_equal(try_nth(0, wrong_mac, &asha, &real), -OTP_EWRONG);
	in_parallel(child_right, result);
	assert_int_equal(tally(result, 0), 1);
	assert_int_equal(tally(result, -OTP_EUSED), children() - 1);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
	assert_int_equal(number("SELECT tries FROM challenge"), 1);
	assert_int_equal(number("SELECT count(*) FROM challenge WHERE state = 'used'"), 1);
}

static int
child_consume(int i)
{
	struct instant now = at(0);
	char id[STORE_ID_LEN + 1];

	(void)i;
	(void)snprintf(id, sizeof(id), "%032x", 0);
	return store->ops->consume(store, &now, TRIAL(.id = id, .budget = &asha));
}

static void
one_proof_of_a_provider_of_64_is_let_in(void **state)
{
	int result[CHILDREN_MAX];

	(void)state;
	put_many(1);
	in_parallel(child_consume, result);
	assert_int_equal(tally(result, 0), 1);
	assert_int_equal(tally(result, -OTP_EUSED), children() - 1);
}

static int
child_wrong(int i)
{
	(void)i;
	return try_nth(0, wrong_mac, &asha, &real);
}

static void
one_code_takes_5_wrong_tries_of_64(void **state)
{
	int result[CHILDREN_MAX];

	(void)state;
	put_many(1);
	in_parallel(child_wrong, result);
	assert_int_equal(tally(result, -OTP_EWRONG), 5);
	assert_int_equal(tally(result, -OTP_ELIMIT), children() - 5);
	assert_int_equal(number("SELECT tries FROM challenge"), 5);
	assert_int_equal(number("SELECT failures FROM budget"), 5);
	assert_int_equal(try_nth(0, right_mac, &asha, &real), -OTP_ELIMIT);
}

static int
child_wrong_elsewhere(int i)
{
	return try_nth(i, wrong_mac, &asha, &real);
}

static void
one_budget_takes_10_wrong_tries_of_64_codes(void **state)
{
	int want = least(real.failures, children()), result[CHILDREN_MAX];

	(void)state;
	put_many(children());
	in_parallel(child_wrong_elsewhere, result);
	assert_int_equal(tally(result, -OTP_EWRONG), want);
	assert_int_equal(tally(result, -OTP_ELIMIT), children() - want);
	assert_int_equal(number("SELECT failures FROM budget"), want);
	assert_int_equal(number("SELECT sum(tries) FROM challenge"), want);
	assert_int_equal(number("SELECT max(tries) FROM challenge"), 1);
}

static int
child_right_or_wrong(int i)
{
	return try_nth(0, i % 2 ? right_mac : wrong_mac, &asha, &wide);
}

/* Tries before the right one are counted, tries after it are not. */
static void
right_and_wrong_codes_together_are_exact(void **state)
{
	int wrong, result[CHILDREN_MAX];

	(void)state;
	put_many(1);
	in_parallel(child_right_or_wrong, result);
	wrong = tally(result, -OTP_EWRONG);
	assert_int_equal(tally(result, 0), 1);
	assert_int_equal(tally(result, -OTP_EUSED), children() - 1 - wrong);
	assert_int_equal(number("SELECT tries FROM challenge"), wrong);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
}

static int
child_check(int i)
{
	struct instant now = at(0);
	char id[STORE_ID_LEN + 1];
	struct trial_result tried;

	(void)i;
	(void)snprintf(id, sizeof(id), "%032x", 0);
	return store->ops->try_count(
	    store, &now, TRIAL(.id = id, .budget = &asha, .rule = real, .lease_ms = 1000), &tried);
}

static void
one_check_of_64_goes_out_at_a_time(void **state)
{
	int result[CHILDREN_MAX];

	(void)state;
	put_many(1);
	in_parallel(child_check, result);
	assert_int_equal(tally(result, 0), 1);
	assert_int_equal(tally(result, -OTP_EBUSY), children() - 1);
	assert_int_equal(number("SELECT tries FROM challenge"), 1);
	assert_int_equal(number("SELECT failures FROM budget"), 1);
}

static int
use_recovery(unsigned char code)
{
	unsigned char hash[RECOVERY_HASH_LEN] = {code};
	struct instant now = at(0);
	struct trial_result tried;
	int r;

	r = store->ops->recovery_use(store, &now,
	    TRIAL(.id = ID_A, .user = "asha", .proof = hash, .budget = &asha_recovery,
		.rule = real),
	    &tried);
	return !r && tried.left != RECOVERY_CODES - 1 ? -OTP_EPROTO : r;
}

static int
child_recovery(int i)
{
	(void)i;
	return use_recovery(4);
}

static void
one_recovery_code_of_64_is_let_in(void **state)
{
	int result[CHILDREN_MAX];

	(void)state;
	issue_ten();
	in_parallel(child_recovery, result);
	assert_int_equal(tally(result, 0), 1);
	assert_int_equal(tally(result, -OTP_EUSED), children() - 1);
	assert_int_equal(number("SELECT sum(used) FROM recovery_code"), 1);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
}

static int
child_guess(int i)
{
	return use_recovery((unsigned char)(100 + i));
}

/* Each wrong guess is counted, and none keeps the right code out. */
static void
recovery_counts_64_wrong_guesses_and_takes_the_right_code(void **state)
{
	int result[CHILDREN_MAX];

	(void)state;
	issue_ten();
	in_parallel(child_guess, result);
	assert_int_equal(tally(result, -OTP_EWRONG), children());
	assert_int_equal(number("SELECT failures FROM budget"), children());
	assert_int_equal(number("SELECT sum(used) FROM recovery_code"), 0);
	assert_int_equal(use_recovery(4), 0);
}

static int
child_reserve(int i)
{
	struct send_count c[2] = {a_count("user", "asha", 5, DAY), a_count("client", "", 50, DAY)};
	struct store_refusal why;
	int64_t id;

	(void)snprintf(c[1].budget.owner, sizeof(c[1].budget.owner), "192.0.2.%d", i);
	return reserve_at(i, c, 2, &id, &why);
}

static void
sends_of_64_processes_are_exact(void **state)
{
	int result[CHILDREN_MAX];

	(void)state;
	in_parallel(child_reserve, result);
	assert_int_equal(tally(result, 0), 5);
	assert_int_equal(tally(result, -OTP_ELIMIT), children() - 5);
	assert_int_equal(number("SELECT count(*) FROM send_event"), 10);
}

/* One whole sign-in of one of many users. */
static int
child_whole_signin(int i)
{
	struct send_count c[2] = {a_count("user", "", 5, DAY), a_count("client", "net", 100, DAY)};
	struct instant now = at(0);
	struct challenge ch = a_challenge(ID_A), out;
	struct budget b = a_budget("user", "", "");
	struct store_refusal why;
	struct trial_result tried;
	int64_t id;
	int r;

	(void)snprintf(ch.id, sizeof(ch.id), "%032x", i);
	(void)snprintf(ch.user, sizeof(ch.user), "user%d", i);
	(void)snprintf(b.owner, sizeof(b.owner), "user%d", i);
	c[0].budget = b;
	r = store->ops->source_known(store, &now, ch.user, "net") == -OTP_ENOENT ? 0 : -OTP_EPROTO;
	if (!r)
		r = reserve_at(0, c, 2, &id, &why);
	if (!r)
		r = store->ops->challenge_put(store, &now, &ch, id);
	if (!r)
		r = find_at(0, ch.user, ch.service, ch.source, &out);
	if (!r && try_mac_at(0, ch.id, wrong_mac, &b, &tried) != -OTP_EWRONG)
		r = -OTP_EPROTO;
	return r ? r
		 : store->ops->try_mac(store, &now,
		       TRIAL(.id = ch.id, .proof = right_mac, .budget = &b, .rule = rule,
			   .effects = AT("net")),
		       &tried);
}

static void
none_of_64_different_signins_is_refused(void **state)
{
	int result[CHILDREN_MAX];

	(void)state;
	in_parallel(child_whole_signin, result);
	assert_int_equal(tally(result, 0), children());
	assert_int_equal(number("SELECT count(*) FROM send_event"), 0);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
	assert_int_equal(number("SELECT count(*) FROM challenge WHERE state = 'used'"), children());
	assert_int_equal(number("SELECT count(*) FROM known_place"), children());
	assert_intact();
}

static int
child_place(int i)
{
	char known_source[16];
	struct instant now = at(i);

	(void)snprintf(known_source, sizeof(known_source), "net %d", i);
	return store->ops->consume(store, &now,
		   TRIAL(.id = ID_A, .budget = &asha, .effects = AT(known_source))) == -OTP_EUSED
		   ? -OTP_EUSED
		   : 0;
}

static void
losers_of_a_race_make_no_source_known(void **state)
{
	int result[CHILDREN_MAX];

	(void)state;
	put(ID_A);
	in_parallel(child_place, result);
	assert_int_equal(tally(result, 0), 1);
	assert_int_equal(number("SELECT count(*) FROM known_place"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_STORE(one_right_code_of_64_is_let_in_and_none_is_refused),
	    WITH_STORE(one_proof_of_a_provider_of_64_is_let_in),
	    WITH_STORE(one_code_takes_5_wrong_tries_of_64),
	    WITH_STORE(one_budget_takes_10_wrong_tries_of_64_codes),
	    WITH_STORE(right_and_wrong_codes_together_are_exact),
	    WITH_STORE(one_check_of_64_goes_out_at_a_time),
	    WITH_STORE(one_recovery_code_of_64_is_let_in),
	    WITH_STORE(recovery_counts_64_wrong_guesses_and_takes_the_right_code),
	    WITH_STORE(sends_of_64_processes_are_exact),
	    WITH_STORE(none_of_64_different_signins_is_refused),
	    WITH_STORE(losers_of_a_race_make_no_source_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
