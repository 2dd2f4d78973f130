/*
 * Challenges and their single use, tries, leases, and the back-off to its end, with a clock that
 * the test sets.
 */
#include "tests/unit/store_rig.h"

static const struct budget bela = {.kind = "user", .owner = "bela"};

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
	assert_int_equal(find_at(1, in.user, in.service, in.source, &out), 0);
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
	assert_int_equal(find_at(1, in.user, in.service, in.source, &out), 0);
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
	assert_int_equal(find_at(0, "bela", "sshd", HOME, &out), -OTP_ENOENT);
	assert_int_equal(find_at(0, "asha", "sudo", HOME, &out), -OTP_ENOENT);
	assert_int_equal(find_at(0, "asha", "sshd", "ssh 192.0.2.2 SHA256:abc", &out), -OTP_ENOENT);
	assert_int_equal(find_at(0, "asha", "sshd", HOME, &out), 0);
}

static void
challenge_expires_and_dies_with_the_boot(void **state)
{
	struct instant other = at(0);
	struct challenge out;
	struct trial_result tried;

	(void)state;
	put(ID_A);
	assert_int_equal(find_at(5 * MINUTE - 1, "asha", "sshd", HOME, &out), 0);
	assert_int_equal(find_at(5 * MINUTE, "asha", "sshd", HOME, &out), -OTP_ENOENT);
	assert_int_equal(try_mac_at(5 * MINUTE, ID_A, right_mac, &asha, &tried), -OTP_ENOENT);
	assert_int_equal(try_count_at(5 * MINUTE, ID_A, &asha, &tried), -OTP_ENOENT);
	assert_int_equal(consume_at(5 * MINUTE, ID_A, &asha, ""), -OTP_ENOENT);
	strcpy(other.boot_id, "99999999-2222-3333-4444-555555555555");
	assert_int_equal(
	    store->ops->challenge_find(store, &other, "asha", "sshd", HOME, &out), -OTP_ENOENT);
	assert_int_equal(
	    store->ops->try_mac(store, &other,
		TRIAL(.id = ID_A, .proof = right_mac, .budget = &asha, .rule = rule), &tried),
	    -OTP_ENOENT);
	assert_int_equal(
	    store->ops->try_count(store, &other,
		TRIAL(.id = ID_A, .budget = &asha, .rule = rule, .lease_ms = 1000), &tried),
	    -OTP_ENOENT);
	assert_int_equal(
	    store->ops->consume(store, &other, TRIAL(.id = ID_A, .budget = &asha)), -OTP_ENOENT);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
	assert_int_equal(number("SELECT tries FROM challenge"), 0);
	assert_int_equal(consume_at(5 * MINUTE - 1, ID_A, &asha, ""), 0);
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
	assert_int_equal(consume_at(0, ID_A, &asha, ""), -OTP_ENOENT);
	assert_int_equal(find_at(0, "asha", "sshd", HOME, &out), 0);
	assert_string_equal(out.id, ID_C);
	assert_int_equal(find_at(0, "asha", "sshd", "other", &out), 0);
	assert_string_equal(out.id, ID_B);
	assert_int_equal(consume_at(0, ID_B, &asha, ""), 0);
	assert_int_equal(consume_at(0, ID_C, &asha, ""), 0);
}

/*
 * If the provider ties a code to the address alone, it knows one code for it only: whatever the
 * section, and in whatever form the contact has the address.
 */
static void
one_live_challenge_an_address_where_it_must_be_alone(void **state)
{
	struct instant now = at(0);
	struct challenge c = a_challenge(ID_B), out;

	(void)state;
	put(ID_A); /* tied to more than the address */
	strcpy(c.user, "bela");
	strcpy(c.provider, "crego");
	strcpy(c.identity, "api.example 9812345678");
	assert_int_equal(store->ops->challenge_put(store, &now, &c, 1), 0);
	assert_int_equal(find_at(0, "asha", "sshd", HOME, &out), 0);
	strcpy(c.id, ID_C);
	strcpy(c.user, "carl");
	strcpy(c.provider, "crego-india");
	strcpy(c.address, "+919812345678");
	assert_int_equal(store->ops->challenge_put(store, &now, &c, 1), 0);
	assert_int_equal(find_at(0, "asha", "sshd", HOME, &out), 0);
	assert_int_equal(find_at(0, "bela", "sshd", HOME, &out), -OTP_ENOENT);
	assert_int_equal(find_at(0, "carl", "sshd", HOME, &out), 0);
	strcpy(c.id, "dddddddddddddddddddddddddddddddd");
	strcpy(c.user, "bela");
	strcpy(c.identity, "other.example 9812345678");
	assert_int_equal(store->ops->challenge_put(store, &now, &c, 1), 0);
	assert_int_equal(find_at(0, "carl", "sshd", HOME, &out), 0);
	assert_int_equal(find_at(0, "bela", "sshd", HOME, &out), 0);
}

/* A code of a known source stays, and to a program that runs as a user every code of others. */
static void
some_codes_must_stay_at_their_address(void **state)
{
	static const char address[] = "+9779812345678";
	struct send_count c = a_count("address", address, 9, DAY);
	struct challenge known = a_challenge(ID_B), unknown = a_challenge(ID_A);
	struct store_refusal why;
	struct instant now = at(0), later = at(61000);
	int64_t id;

#define HERE		   "tingting.example 9812345678"
#define SPARED(t, p, a, u) store->ops->challenge_spared(store, &(t), (p), (a), (u))
	(void)state;
	assert_int_equal(SPARED(now, HERE, address, NULL), 0);
	strcpy(unknown.identity, HERE);
	strcpy(known.identity, HERE);
	assert_int_equal(store->ops->challenge_put(store, &now, &unknown, 1), 0);
	assert_int_equal(SPARED(now, HERE, address, NULL), 0);
	assert_int_equal(SPARED(now, HERE, address, "asha"), -OTP_EBUSY);
	known.known = true;
	strcpy(known.service, "sudo");
	assert_int_equal(store->ops->challenge_put(store, &now, &known, 1), 0);
	assert_int_equal(SPARED(now, HERE, address, NULL), -OTP_EBUSY);
	assert_int_equal(SPARED(now, "crego.example 9812345678", address, NULL), 0);
	assert_int_equal(SPARED(now, "tingting.example 9812345679", "+9779812345679", NULL), 0);
	now = at(10 * MINUTE);
	assert_int_equal(SPARED(now, HERE, address, NULL), 0);
	now = at(0);
	strcpy(now.boot_id, "another boot");
	assert_int_equal(SPARED(now, HERE, address, NULL), 0);
	assert_int_equal(consume_at(0, ID_B, &asha, ""), 0);
	now = at(0);
	assert_int_equal(SPARED(now, HERE, address, NULL), 0);
	/* Those of the same user through such programs do not matter to one of them. */
	assert_int_equal(store->ops->challenge_kill(store, ID_A), 0);
	strcpy(known.id, ID_C);
	strcpy(known.service, "peer:sudo");
	known.known = false;
	assert_int_equal(store->ops->challenge_put(store, &now, &known, 1), 0);
	assert_int_equal(SPARED(now, HERE, address, "asha"), 0);
	assert_int_equal(SPARED(now, HERE, address, "bela"), -OTP_EBUSY);
	/* A known source's message was counted, and its challenge is not stored yet. */
	assert_int_equal(reserve_at(0, &c, 1, &id, &why), 0);
	assert_int_equal(SPARED(now, "crego.example 9812345678", address, NULL), 0);
	strcpy(c.budget.known_source, "net home");
	assert_int_equal(reserve_at(0, &c, 1, &id, &why), 0);
	assert_int_equal(SPARED(now, "crego.example 9812345678", address, NULL), -OTP_EBUSY);
	assert_int_equal(SPARED(later, "crego.example 9812345678", address, NULL), 0);
	assert_int_equal(store->ops->send_return(store, id), 0);
	assert_int_equal(SPARED(now, "crego.example 9812345678", address, NULL), 0);
}

static void
challenge_is_used_once(void **state)
{
	struct challenge out;
	struct trial_result tried;

	(void)state;
	put(ID_A);
	assert_int_equal(store->ops->challenge_used(store, ID_A), 0);
	assert_int_equal(consume_at(0, ID_A, &asha, ""), 0);
	assert_int_equal(consume_at(0, ID_A, &asha, ""), -OTP_EUSED);
	assert_int_equal(try_mac_at(0, ID_A, right_mac, &asha, &tried), -OTP_EUSED);
	assert_int_equal(try_mac_at(0, ID_A, wrong_mac, &asha, &tried), -OTP_EUSED);
	assert_int_equal(try_count_at(0, ID_A, &asha, &tried), -OTP_EUSED);
	assert_int_equal(store->ops->challenge_used(store, ID_A), -OTP_EUSED);
	assert_int_equal(store->ops->challenge_used(store, ID_B), 0);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
	assert_int_equal(find_at(0, "asha", "sshd", HOME, &out), -OTP_ENOENT);
	assert_int_equal(consume_at(9 * MINUTE, ID_A, &asha, ""), -OTP_EUSED);
	assert_int_equal(
	    number("SELECT count(*) FROM challenge WHERE mac IS NOT NULL OR captures IS NOT NULL"),
	    0);
}

static void
killed_and_unknown_challenges_are_gone(void **state)
{
	struct challenge out;
	struct trial_result tried;

	(void)state;
	put(ID_A);
	assert_int_equal(store->ops->challenge_kill(store, ID_A), 0);
	assert_int_equal(store->ops->challenge_kill(store, ID_B), 0);
	assert_int_equal(consume_at(0, ID_A, &asha, ""), -OTP_ENOENT);
	assert_int_equal(consume_at(0, ID_B, &asha, ""), -OTP_ENOENT);
	assert_int_equal(try_mac_at(0, ID_A, right_mac, &asha, &tried), -OTP_ENOENT);
	assert_int_equal(try_mac_at(0, ID_B, right_mac, &asha, &tried), -OTP_ENOENT);
	assert_int_equal(find_at(0, "asha", "sshd", HOME, &out), -OTP_ENOENT);
	assert_int_equal(number("SELECT count(*) FROM challenge WHERE mac IS NOT NULL"), 0);
	put(ID_C);
	assert_int_equal(consume_at(0, ID_C, &asha, ""), 0);
	assert_int_equal(store->ops->challenge_kill(store, ID_C), 0);
	assert_int_equal(consume_at(0, ID_C, &asha, ""), -OTP_EUSED);
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
	/* With an id that exists, the transaction fails whole: the older challenge stays live. */
	assert_int_equal(store->ops->challenge_put(store, &now, &c, 1), -OTP_ESTORE);
	assert_int_equal(consume_at(0, ID_A, &asha, ""), 0);
}

/* A damaged row proves nothing. */
static void
damaged_challenges_are_no_challenges(void **state)
{
	struct challenge out;
	struct trial_result tried;

	(void)state;
	put(ID_A);
	script("UPDATE challenge SET mac = x'00'");
	assert_int_equal(find_at(0, "asha", "sshd", HOME, &out), -OTP_ESTORE);
	assert_null(out.captures);
	assert_int_equal(try_mac_at(0, ID_A, right_mac, &asha, &tried), -OTP_ESTORE);
	assert_int_equal(consume_at(0, ID_A, &asha, ""), -OTP_ESTORE);
	assert_int_equal(number("SELECT count(*) FROM challenge WHERE state = 'live'"), 1);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
}

/* --- tries and back-off -------------------------------------------------------------------- */

static void
right_code_signs_in_and_resets(void **state)
{
	struct instant now = at(0);
	struct trial_result tried = {.left = 9, .until_wall_ms = 9};

	(void)state;
	put(ID_A);
	assert_int_equal(try_mac_at(0, ID_A, wrong_mac, &asha, &tried), -OTP_EWRONG);
	assert_int_equal(tried.left, 4);
	assert_int_equal(fail_at(0, &bela, &tried), 0);
	assert_int_equal(store->ops->try_mac(store, &now,
			     TRIAL(.id = ID_A, .proof = right_mac, .budget = &asha, .rule = rule,
				 .effects = AT("net home")),
			     &tried),
	    0);
	assert_int_equal(tried.left, 0);
	assert_int_equal(tried.until_wall_ms, 0);
	assert_int_equal(number("SELECT count(*) FROM budget WHERE owner = 'asha'"), 0);
	assert_int_equal(number("SELECT failures FROM budget WHERE owner = 'bela'"), 1);
	assert_int_equal(store->ops->challenge_used(store, ID_A), -OTP_EUSED);
	assert_int_equal(store->ops->source_known(store, &now, "asha", "net home"), 0);
}

/* Each wrong MAC differs from the right one in one bit of one byte. */
static void
every_byte_of_the_code_counts(void **state)
{
	unsigned char mac[STORE_MAC_LEN];
	struct instant now = at(0);
	struct trial_result tried;

	(void)state;
	put(ID_A);
	for (int i = 0; i < STORE_MAC_LEN; i++) {
		memcpy(mac, right_mac, sizeof(mac));
		mac[i] ^= 1 << i % 8;
		assert_int_equal(
		    store->ops->try_mac(store, &now,
			TRIAL(.id = ID_A, .proof = mac, .budget = &asha, .rule = wide), &tried),
		    -OTP_EWRONG);
	}
	assert_int_equal(number("SELECT failures FROM budget"), STORE_MAC_LEN);
	assert_int_equal(number("SELECT tries FROM challenge"), STORE_MAC_LEN);
	assert_int_equal(
	    store->ops->try_mac(store, &now,
		TRIAL(.id = ID_A, .proof = right_mac, .budget = &asha, .rule = wide), &tried),
	    0);
}

static void
tries_of_a_challenge_run_out(void **state)
{
	static const struct try_rule many = {100, 100, 30000, 200000, 3};
	struct instant now = at(0);
	struct trial_result tried = {.until_wall_ms = 1};

	(void)state;
	put(ID_A);
	for (int i = 2; i >= 0; i--) {
		assert_int_equal(
		    store->ops->try_mac(store, &now,
			TRIAL(.id = ID_A, .proof = wrong_mac, .budget = &asha, .rule = many),
			&tried),
		    -OTP_EWRONG);
		assert_int_equal(tried.left, i);
	}
	for (int i = 0; i < 2; i++) {
		tried.until_wall_ms = 1;
		tried.left = 1;
		assert_int_equal(store->ops->try_mac(store, &now,
				     TRIAL(.id = ID_A, .proof = i ? right_mac : wrong_mac,
					 .budget = &asha, .rule = many),
				     &tried),
		    -OTP_ELIMIT);
		assert_int_equal(tried.until_wall_ms, 0);
		assert_int_equal(tried.left, 0);
	}
	assert_int_equal(
	    store->ops->try_count(store, &now,
		TRIAL(.id = ID_A, .budget = &asha, .rule = many, .lease_ms = 1000), &tried),
	    -OTP_ELIMIT);
	assert_int_equal(tried.until_wall_ms, 0);
	assert_int_equal(number("SELECT failures FROM budget"), 3);
	assert_int_equal(number("SELECT tries FROM challenge"), 3);
}

/* The provider may find the last try right. */
static void
last_try_may_be_the_right_one(void **state)
{
	static const struct try_rule one = {100, 100, 30000, 200000, 1};
	struct instant now = at(0);
	struct trial_result tried = {.left = 9};

	(void)state;
	put(ID_A);
	assert_int_equal(
	    store->ops->try_count(store, &now,
		TRIAL(.id = ID_A, .budget = &asha, .rule = one, .lease_ms = 1000), &tried),
	    0);
	assert_int_equal(tried.left, 0);
	assert_int_equal(consume_at(0, ID_A, &asha, ""), 0);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
}

static void
a_challenge_without_a_seal_is_not_compared(void **state)
{
	struct instant now = at(0);
	struct challenge c = a_challenge(ID_A);
	unsigned char zero[STORE_MAC_LEN] = {0};
	struct trial_result tried;

	(void)state;
	c.has_mac = false;
	assert_int_equal(store->ops->challenge_put(store, &now, &c, 1), 0);
	assert_int_equal(try_mac_at(0, ID_A, zero, &asha, &tried), -OTP_EINVAL);
	assert_int_equal(number("SELECT tries FROM challenge"), 0);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
}

static void
backoff_doubles_to_its_most(void **state)
{
	static const int64_t wait[] = {30000, 60000, 120000, 200000, 200000};
	struct trial_result tried;
	int64_t now = 0;

	(void)state;
	assert_int_equal(fail_at(now, &asha, &tried), 0);
	assert_int_equal(fail_at(now, &asha, &tried), 0);
	assert_int_equal(locked_at(now, &asha, &tried), 0);
	for (size_t i = 0; i < COUNT(wait); i++) {
		assert_int_equal(fail_at(now, &asha, &tried), 0);
		assert_int_equal(locked_at(now + wait[i] - 1, &asha, &tried), -OTP_ELIMIT);
		assert_int_equal(tried.until_wall_ms, at(now + wait[i]).wall_ms);
		assert_int_equal(fail_at(now + wait[i] - 1, &asha, &tried), -OTP_ELIMIT);
		assert_int_equal(tried.until_wall_ms, at(now + wait[i]).wall_ms);
		assert_int_equal(locked_at(now + wait[i], &asha, &tried), 0);
		assert_int_equal(tried.until_wall_ms, 0);
		now += wait[i];
	}
	/* Tries that were refused were not counted. */
	assert_int_equal(number("SELECT failures FROM budget"), 7);
	assert_int_equal(locked_at(0, &bela, &tried), 0);
}

/* After eight failures in a row there is never a ninth, not after a year, not by pruning. */
static void
the_most_failures_lock_for_good(void **state)
{
	struct trial_result tried;
	int64_t ms = 0;

	(void)state;
	for (int i = 0; i < rule.most; i++, ms += 10 * MINUTE)
		assert_int_equal(fail_at(ms, &asha, &tried), 0);
	assert_int_equal(fail_at(ms, &bela, &tried), 0);
	for (int month = 0; month < 13; month++, ms += INT64_C(31) * DAY) {
		assert_int_equal(locked_at(ms, &asha, &tried), -OTP_ELIMIT);
		assert_true(tried.until_wall_ms == STORE_FOREVER);
		assert_int_equal(fail_at(ms, &asha, &tried), -OTP_ELIMIT);
		assert_true(tried.until_wall_ms == STORE_FOREVER);
	}
	assert_int_equal(number("SELECT failures FROM budget WHERE owner = 'asha'"), rule.most);
	/* Fewer failures are forgotten after a month. */
	assert_int_equal(number("SELECT count(*) FROM budget WHERE owner = 'bela'"), 0);
}

static void
each_kind_owner_and_known_source_is_a_budget(void **state)
{
	const struct budget other[] = {a_budget("user", "asha", "net home"),
	    a_budget("peer-user", "asha", ""), a_budget("user", "asha2", ""),
	    a_budget("user", "", "asha"), a_budget("recovery", "asha", "")};
	struct instant now = at(0);
	struct trial_result tried;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(fail_at(0, &asha, &tried), 0);
	assert_int_equal(locked_at(0, &asha, &tried), -OTP_ELIMIT);
	for (size_t i = 0; i < COUNT(other); i++) {
		assert_int_equal(locked_at(0, &other[i], &tried), 0);
		assert_int_equal(fail_at(0, &other[i], &tried), 0);
	}
	/* Strangers have locked their budget; asha signs in from home, and it stays locked. */
	put(ID_A);
	assert_int_equal(try_mac_at(0, ID_A, right_mac, &asha, &tried), -OTP_ELIMIT);
	assert_int_equal(store->ops->try_mac(store, &now,
			     TRIAL(.id = ID_A, .proof = right_mac, .budget = &other[0],
				 .rule = rule, .effects = AT("net home")),
			     &tried),
	    0);
	assert_int_equal(locked_at(0, &asha, &tried), -OTP_ELIMIT);
	assert_int_equal(number("SELECT count(*) FROM budget WHERE place = 'net home'"), 0);
	assert_int_equal(number("SELECT count(*) FROM budget"), COUNT(other));
}

static void
locked_budget_counts_no_try(void **state)
{
	struct trial_result tried;

	(void)state;
	put(ID_A);
	for (int i = 0; i < 3; i++)
		assert_int_equal(try_mac_at(0, ID_A, wrong_mac, &asha, &tried), -OTP_EWRONG);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    try_mac_at(29999, ID_A, i ? right_mac : wrong_mac, &asha, &tried), -OTP_ELIMIT);
		assert_int_equal(tried.until_wall_ms, at(30000).wall_ms);
	}
	assert_int_equal(try_count_at(29999, ID_A, &asha, &tried), -OTP_ELIMIT);
	assert_int_equal(tried.until_wall_ms, at(30000).wall_ms);
	assert_int_equal(number("SELECT tries FROM challenge"), 3);
	assert_int_equal(number("SELECT failures FROM budget"), 3);
	assert_int_equal(try_mac_at(29999, ID_A, wrong_mac, &bela, &tried), -OTP_EWRONG);
	assert_int_equal(tried.left, 1);
	assert_int_equal(try_mac_at(30000, ID_A, wrong_mac, &asha, &tried), -OTP_EWRONG);
	assert_int_equal(tried.left, 0);
}

static void
backoff_formula(void **state)
{
	struct try_rule r = {10, 10000000, 30000, INT64_MAX / 4, 5};

	(void)state;
	assert_int_equal(try_locked_until(&rule, 2, 1000), 0);
	assert_int_equal(try_locked_until(&rule, 3, 1000), 31000);
	assert_int_equal(try_locked_until(&rule, 4, 1000), 61000);
	assert_int_equal(try_locked_until(&rule, 7, 1000), 201000);
	assert_true(try_locked_until(&rule, 8, 1000) == STORE_FOREVER);
	assert_true(try_locked_until(&rule, 1000000, 1000) == STORE_FOREVER);
	assert_int_equal(try_locked_until(&r, 1000000, 0), INT64_MAX / 4);
	assert_true(try_locked_until(&r, 1000000, INT64_MAX - 5) == STORE_FOREVER);
}

static void
senseless_arguments_are_refused(void **state)
{
	static const struct try_rule bad[] = {{0, 8, 30000, 60000, 5}, {3, 8, 0, 60000, 5},
	    {3, 8, 30000, 20000, 5}, {3, 8, 30000, 60000, 0}, {-1, 8, 30000, 60000, 5},
	    {3, 2, 30000, 60000, 5}, {3, 0, 30000, 60000, 5}};
	const struct budget nobody = a_budget("", "asha", "");
	const struct store_ops *ops = store->ops;
	struct instant now = at(0);
	struct trial_result tried;

	(void)state;
	put(ID_A);
	for (size_t i = 0; i < COUNT(bad); i++) {
		const struct try_rule *r = &bad[i];

		assert_int_equal(
		    ops->try_mac(store, &now,
			TRIAL(.id = ID_A, .proof = right_mac, .budget = &asha, .rule = *r), &tried),
		    -OTP_EINVAL);
		assert_int_equal(
		    ops->try_count(store, &now,
			TRIAL(.id = ID_A, .budget = &asha, .rule = *r, .lease_ms = 1000), &tried),
		    -OTP_EINVAL);
		assert_int_equal(
		    ops->locked(store, &now, TRIAL(.budget = &asha, .rule = *r), &tried),
		    -OTP_EINVAL);
	}
	assert_int_equal(
	    ops->try_mac(store, &now,
		TRIAL(.id = ID_A, .proof = right_mac, .budget = &nobody, .rule = rule), &tried),
	    -OTP_EINVAL);
	assert_int_equal(
	    ops->try_count(store, &now,
		TRIAL(.id = ID_A, .budget = &nobody, .rule = rule, .lease_ms = 1000), &tried),
	    -OTP_EINVAL);
	assert_int_equal(
	    ops->consume(store, &now, TRIAL(.id = ID_A, .budget = &nobody)), -OTP_EINVAL);
	assert_int_equal(ops->try_return(store, TRIAL(.id = ID_A, .budget = &nobody)), -OTP_EINVAL);
	assert_int_equal(
	    ops->locked(store, &now, TRIAL(.budget = &nobody, .rule = rule), &tried), -OTP_EINVAL);
	/* A dead process would keep a lease without an end. */
	assert_int_equal(
	    ops->try_count(store, &now,
		TRIAL(.id = ID_A, .budget = &asha, .rule = rule, .lease_ms = 0), &tried),
	    -OTP_EINVAL);
	assert_int_equal(number("SELECT tries FROM challenge"), 0);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
}

/* An operation refuses a trial without a member that it reads; effects may be missing. */
static void
incomplete_trials_are_refused(void **state)
{
	const struct trial whole = {.id = ID_A,
	    .user = "asha",
	    .proof = right_mac,
	    .budget = &asha,
	    .rule = rule,
	    .lease_ms = 1000};
	struct trial t[] = {whole, whole, whole, whole, whole};
	const struct store_ops *ops = store->ops;
	struct instant now = at(0);
	struct trial_result tried;

	(void)state;
	put(ID_A);
	t[0].budget = NULL;
	t[1].rule = (struct try_rule){0};
	t[2].proof = NULL;
	t[3].user = NULL;
	t[4].id = NULL;
	for (size_t i = 0; i < COUNT(t); i++)
		assert_int_equal(ops->recovery_use(store, &now, &t[i], &tried), -OTP_EINVAL);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(ops->try_mac(store, &now, &t[i], &tried), -OTP_EINVAL);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(ops->try_count(store, &now, &t[i], &tried), -OTP_EINVAL);
		assert_int_equal(ops->locked(store, &now, &t[i], &tried), -OTP_EINVAL);
	}
	assert_int_equal(ops->consume(store, &now, &t[0]), -OTP_EINVAL);
	assert_int_equal(ops->try_return(store, &t[0]), -OTP_EINVAL);
	assert_int_equal(ops->try_mac(store, &now, &t[4], &tried), -OTP_ENOENT);
	assert_int_equal(ops->try_count(store, &now, &t[4], &tried), -OTP_ENOENT);
	assert_int_equal(ops->consume(store, &now, &t[4]), -OTP_ENOENT);
	assert_int_equal(number("SELECT tries FROM challenge"), 0);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
	assert_int_equal(ops->try_mac(store, &now, &whole, &tried), 0);
	assert_int_equal(number("SELECT count(*) FROM known_place"), 0);
}

/* --- leases -------------------------------------------------------------------------------- */

/* Opens a second store object, as a concurrent sign-in does. */
static struct store *
other_process(void)
{
	struct store *s = NULL;

	assert_int_equal(store_sqlite_open(dir, NULL, NULL, &s), 0);
	return s;
}

static void
one_check_at_a_time(void **state)
{
	struct store *s = other_process();
	struct instant now = at(1);
	struct trial_result tried;

	(void)state;
	put(ID_A);
	assert_int_equal(try_count_at(0, ID_A, &asha, &tried), 0);
	assert_int_equal(tried.left, 4);
	assert_int_equal(
	    s->ops->try_count(s, &now,
		TRIAL(.id = ID_A, .budget = &asha, .rule = rule, .lease_ms = 1000), &tried),
	    -OTP_EBUSY);
	assert_int_equal(tried.left, 0);
	assert_int_equal(number("SELECT tries FROM challenge"), 1);
	assert_int_equal(number("SELECT failures FROM budget"), 1);
	/* No store ends the lease of another one, or takes its try back. */
	assert_int_equal(s->ops->check_end(s, ID_A), 0);
	assert_int_equal(s->ops->try_return(s, TRIAL(.id = ID_A, .budget = &asha)), 0);
	assert_int_equal(
	    s->ops->try_count(s, &now,
		TRIAL(.id = ID_A, .budget = &asha, .rule = rule, .lease_ms = 1000), &tried),
	    -OTP_EBUSY);
	assert_int_equal(store->ops->check_end(store, ID_A), 0);
	assert_int_equal(
	    s->ops->try_count(s, &now,
		TRIAL(.id = ID_A, .budget = &asha, .rule = rule, .lease_ms = 1000), &tried),
	    0);
	assert_int_equal(tried.left, 3);
	assert_int_equal(try_count_at(2, ID_A, &asha, &tried), -OTP_EBUSY);
	/* The code of the concurrent sign-in was right, and the one that waited learns it. */
	assert_int_equal(s->ops->consume(s, &now, TRIAL(.id = ID_A, .budget = &asha)), 0);
	assert_int_equal(try_count_at(3, ID_A, &asha, &tried), -OTP_EUSED);
	assert_int_equal(store->ops->check_end(store, ID_B), 0);
	s->ops->close(s);
}

/* While the last try is checked, another sign-in waits for its answer, too. */
static void
busy_comes_before_spent(void **state)
{
	static const struct try_rule once = {1, 1, 1, 1, 1};
	struct instant now = at(0);
	struct trial_result tried;

	(void)state;
	put(ID_A);
	assert_int_equal(
	    store->ops->try_count(store, &now,
		TRIAL(.id = ID_A, .budget = &asha, .rule = once, .lease_ms = 1000), &tried),
	    0);
	assert_int_equal(
	    store->ops->try_count(store, &now,
		TRIAL(.id = ID_A, .budget = &asha, .rule = once, .lease_ms = 1000), &tried),
	    -OTP_EBUSY);
	assert_int_equal(store->ops->check_end(store, ID_A), 0);
	assert_int_equal(
	    store->ops->try_count(store, &now,
		TRIAL(.id = ID_A, .budget = &asha, .rule = once, .lease_ms = 1000), &tried),
	    -OTP_ELIMIT);
	assert_true(tried.until_wall_ms == STORE_FOREVER);
}

static void
a_lease_ends_by_the_clock_of_the_boot(void **state)
{
	struct instant now = at(9999);
	struct trial_result tried;

	(void)state;
	put(ID_A);
	assert_int_equal(try_count_at(0, ID_A, &asha, &tried), 0);
	/* A jump of the wall clock ends no lease. */
	now.wall_ms += DAY;
	assert_int_equal(
	    store->ops->try_count(store, &now,
		TRIAL(.id = ID_A, .budget = &bela, .rule = rule, .lease_ms = 1000), &tried),
	    -OTP_EBUSY);
	now.wall_ms -= 2 * DAY;
	now.boot_ms += 1;
	assert_int_equal(
	    store->ops->try_count(store, &now,
		TRIAL(.id = ID_A, .budget = &bela, .rule = rule, .lease_ms = 1000), &tried),
	    0);
	assert_int_equal(tried.left, 3);
	/* There was never a lease of the other challenge. */
	put(ID_B);
	assert_int_equal(try_count_at(0, ID_B, &bela, &tried), 0);
}

/* A store whose lease has expired cannot end the lease that another one has taken since. */
static void
a_lease_that_is_over_is_not_given_back_twice(void **state)
{
	struct store *s = other_process();
	struct instant later = at(20000);
	struct trial_result tried;

	(void)state;
	put(ID_A);
	assert_int_equal(try_count_at(0, ID_A, &asha, &tried), 0);
	assert_int_equal(
	    s->ops->try_count(s, &later,
		TRIAL(.id = ID_A, .budget = &asha, .rule = rule, .lease_ms = 10000), &tried),
	    0);
	assert_int_equal(store->ops->try_return(store, TRIAL(.id = ID_A, .budget = &asha)), 0);
	assert_int_equal(store->ops->check_end(store, ID_A), 0);
	assert_int_equal(try_count_at(20001, ID_A, &asha, &tried), -OTP_EBUSY);
	assert_int_equal(number("SELECT tries FROM challenge"), 2);
	assert_int_equal(number("SELECT failures FROM budget"), 2);
	s->ops->close(s);
}

static void
a_try_is_taken_back_once(void **state)
{
	struct trial_result tried;
	int64_t ms = 0;

	(void)state;
	put(ID_A);
	assert_int_equal(try_count_at(0, ID_A, &asha, &tried), 0);
	assert_int_equal(store->ops->try_return(store, TRIAL(.id = ID_A, .budget = &asha)), 0);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
	assert_int_equal(number("SELECT tries FROM challenge"), 0);
	assert_int_equal(fail_at(0, &asha, &tried), 0);
	assert_int_equal(store->ops->try_return(store, TRIAL(.id = ID_A, .budget = &asha)), 0);
	assert_int_equal(store->ops->try_return(store, TRIAL(.id = ID_B, .budget = &asha)), 0);
	assert_int_equal(number("SELECT failures FROM budget"), 1);
	/* Also the failure that locked the budget for good; then it is not locked for good. */
	for (int i = 0; i < rule.most - 2; i++)
		assert_int_equal(fail_at(ms += 10 * MINUTE, &asha, &tried), 0);
	script("UPDATE challenge SET expires_boot_ms = expires_boot_ms * 1000");
	ms += 10 * MINUTE;
	assert_int_equal(try_count_at(ms, ID_A, &asha, &tried), 0);
	assert_int_equal(locked_at(ms, &asha, &tried), -OTP_ELIMIT);
	assert_true(tried.until_wall_ms == STORE_FOREVER);
	assert_int_equal(store->ops->try_return(store, TRIAL(.id = ID_A, .budget = &asha)), 0);
	assert_int_equal(locked_at(ms, &asha, &tried), -OTP_ELIMIT);
	assert_int_equal(tried.until_wall_ms, at(ms + 200000).wall_ms);
	assert_int_equal(fail_at(ms + INT64_C(31) * DAY, &bela, &tried), 0);
	assert_int_equal(number("SELECT count(*) FROM budget WHERE owner = 'asha'"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_STORE(challenge_comes_back_as_stored),
	    WITH_STORE(challenge_is_found_by_its_owner_alone),
	    WITH_STORE(challenge_expires_and_dies_with_the_boot),
	    WITH_STORE(new_challenge_kills_the_older_of_its_owner_only),
	    WITH_STORE(one_live_challenge_an_address_where_it_must_be_alone),
	    WITH_STORE(some_codes_must_stay_at_their_address),
	    WITH_STORE(challenge_is_used_once),
	    WITH_STORE(killed_and_unknown_challenges_are_gone),
	    WITH_STORE(malformed_challenges_are_not_stored),
	    WITH_STORE(damaged_challenges_are_no_challenges),
	    WITH_STORE(right_code_signs_in_and_resets),
	    WITH_STORE(every_byte_of_the_code_counts),
	    WITH_STORE(tries_of_a_challenge_run_out),
	    WITH_STORE(last_try_may_be_the_right_one),
	    WITH_STORE(a_challenge_without_a_seal_is_not_compared),
	    WITH_STORE(backoff_doubles_to_its_most),
	    WITH_STORE(the_most_failures_lock_for_good),
	    WITH_STORE(each_kind_owner_and_known_source_is_a_budget),
	    WITH_STORE(locked_budget_counts_no_try),
	    cmocka_unit_test(backoff_formula),
	    WITH_STORE(senseless_arguments_are_refused),
	    WITH_STORE(incomplete_trials_are_refused),
	    WITH_STORE(one_check_at_a_time),
	    WITH_STORE(busy_comes_before_spent),
	    WITH_STORE(a_lease_ends_by_the_clock_of_the_boot),
	    WITH_STORE(a_lease_that_is_over_is_not_given_back_twice),
	    WITH_STORE(a_try_is_taken_back_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
