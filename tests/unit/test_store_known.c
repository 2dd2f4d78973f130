/*
 * Known sources, recovery codes, samples, retry-after times, tokens; and what an administrator can
 * list about a user or forget. Every statement of a sign-in finds its rows by an index.
 */
#include "tests/unit/store_rig.h"

#include <sqlite3.h>

#include "common/secret.h"
#include "helpers/store/sqlite/sqlite.h"

/* --- known sources ------------------------------------------------------------------------- */

static int
known_at(int64_t ms, const char *user, const char *known_source)
{
	struct instant now = at(ms);

	return store->ops->source_known(store, &now, user, known_source);
}

/* asha signs in from this source. */
static void
sign_in_at(int64_t ms, const char *known_source)
{
	static unsigned n;
	struct instant now = at(ms);
	struct challenge c = a_challenge(ID_A);

	(void)snprintf(c.id, sizeof(c.id), "%032x", n++);
	c.expires_boot_ms = now.boot_ms + MINUTE;
	assert_int_equal(store->ops->challenge_put(store, &now, &c, 1), 0);
	assert_int_equal(consume_at(ms, c.id, &asha, known_source), 0);
}

static void
a_source_is_known_for_a_month(void **state)
{
	(void)state;
	assert_int_equal(known_at(0, "asha", "net home"), -OTP_ENOENT);
	sign_in_at(0, "net home");
	assert_int_equal(known_at(0, "asha", "net home"), 0);
	assert_int_equal(known_at(0, "bela", "net home"), -OTP_ENOENT);
	assert_int_equal(known_at(0, "asha", "net work"), -OTP_ENOENT);
	assert_int_equal(known_at(SOURCE_KNOWN_MS - 1, "asha", "net home"), 0);
	assert_int_equal(known_at(SOURCE_KNOWN_MS, "asha", "net home"), -OTP_ENOENT);
	/* Each sign-in starts the month again. */
	sign_in_at(DAY, "net home");
	assert_int_equal(known_at(SOURCE_KNOWN_MS + DAY - 1, "asha", "net home"), 0);
	/* A source that is not known any longer is deleted with the next sign-in. */
	sign_in_at(2 * SOURCE_KNOWN_MS, "net work");
	assert_int_equal(number("SELECT count(*) FROM known_place"), 1);
}

static void
an_empty_source_is_never_known(void **state)
{
	(void)state;
	sign_in_at(0, "");
	assert_int_equal(number("SELECT count(*) FROM known_place"), 0);
	assert_int_equal(known_at(0, "asha", ""), -OTP_ENOENT);
}

static void
a_clock_set_back_forgets_no_source(void **state)
{
	(void)state;
	sign_in_at(DAY, "net home");
	assert_int_equal(known_at(-100 * (int64_t)DAY, "asha", "net home"), 0);
	sign_in_at(-100 * (int64_t)DAY, "net home");
	assert_int_equal(known_at(SOURCE_KNOWN_MS, "asha", "net home"), 0);
	assert_int_equal(known_at(SOURCE_KNOWN_MS + DAY, "asha", "net home"), -OTP_ENOENT);
}

static void
the_newest_known_sources_are_kept(void **state)
{
	char known_source[32];

	(void)state;
	for (int i = 0; i <= SOURCES_KEPT; i++) {
		if (i == SOURCES_KEPT)
			sign_in_at(i, "net 0");
		(void)snprintf(known_source, sizeof(known_source), "net %d", i);
		sign_in_at(i + 1, known_source);
	}
	assert_int_equal(number("SELECT count(*) FROM known_place"), SOURCES_KEPT);
	assert_int_equal(known_at(99, "asha", "net 0"), 0);
	assert_int_equal(known_at(99, "asha", "net 1"), -OTP_ENOENT);
	assert_int_equal(known_at(99, "asha", "net 2"), 0);
	assert_int_equal(known_at(99, "asha", known_source), 0);
}

/* --- recovery codes ------------------------------------------------------------------------ */

static void
hash_of(int code, unsigned char hash[RECOVERY_HASH_LEN])
{
	memset(hash, 0x40, RECOVERY_HASH_LEN);
	hash[code % RECOVERY_HASH_LEN] = (unsigned char)code;
}

static struct recovery
an_issue(const char *id, int first)
{
	struct recovery r = {.n = RECOVERY_CODES};

	strcpy(r.id, id);
	memset(r.salt, 0x5a, sizeof(r.salt));
	for (int i = 0; i < r.n; i++)
		hash_of(first + i, r.hash[i]);
	return r;
}

static void
issue(const char *user, const char *id, int first)
{
	struct instant now = at(0);
	struct recovery r = an_issue(id, first);

	assert_int_equal(store->ops->recovery_put(store, &now, user, &r), 0);
}

static int
use_at(int64_t ms, const char *id, int code, struct trial_result *out)
{
	unsigned char hash[RECOVERY_HASH_LEN];
	struct instant now = at(ms);

	hash_of(code, hash);
	return store->ops->recovery_use(store, &now,
	    TRIAL(.id = id, .user = "asha", .proof = hash, .budget = &asha_recovery, .rule = rule,
		.effects = AT("net home")),
	    out);
}

static void
recovery_codes_are_found_without_their_hashes(void **state)
{
	struct recovery in = an_issue(ID_A, 1), out, zero = {0};
	struct instant now = at(7);

	(void)state;
	assert_int_equal(store->ops->recovery_find(store, "asha", &out), -OTP_ENOENT);
	assert_int_equal(store->ops->recovery_drop(store, "asha"), -OTP_ENOENT);
	assert_int_equal(store->ops->recovery_put(store, &now, "asha", &in), 0);
	memset(&out, 0xff, sizeof(out));
	assert_int_equal(store->ops->recovery_find(store, "asha", &out), 0);
	assert_string_equal(out.id, ID_A);
	assert_memory_equal(out.salt, in.salt, sizeof(in.salt));
	assert_memory_equal(out.hash, zero.hash, sizeof(zero.hash));
	assert_int_equal(out.n, RECOVERY_CODES);
	assert_int_equal(out.issued_wall_ms, now.wall_ms);
	assert_int_equal(store->ops->recovery_find(store, "bela", &out), -OTP_ENOENT);
	assert_int_equal(store->ops->recovery_drop(store, "asha"), 0);
	assert_int_equal(store->ops->recovery_drop(store, "asha"), -OTP_ENOENT);
	assert_int_equal(number("SELECT count(*) FROM recovery_code"), 0);
}

/* Each code works once, in any order, until none is left. */
static void
a_recovery_code_is_used_once(void **state)
{
	struct recovery out;
	struct trial_result tried;

	(void)state;
	issue("asha", ID_A, 1);
	issue("bela", ID_B, 1);
	for (int i = 0; i < RECOVERY_CODES; i++) {
		int code = 1 + i * 7 % RECOVERY_CODES;

		assert_int_equal(use_at(i, ID_A, code, &tried), 0);
		assert_int_equal(tried.left, RECOVERY_CODES - 1 - i);
		assert_int_equal(use_at(i, ID_A, code, &tried), -OTP_EUSED);
		assert_int_equal(tried.left, 0);
	}
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
	assert_int_equal(store->ops->recovery_find(store, "asha", &out), 0);
	assert_int_equal(out.n, 0);
	assert_int_equal(use_at(99, ID_A, 50, &tried), -OTP_EWRONG);
	assert_int_equal(store->ops->recovery_find(store, "bela", &out), 0);
	assert_int_equal(out.n, RECOVERY_CODES);
}

static void
a_recovery_code_ends_failures_and_challenges(void **state)
{
	struct challenge c = a_challenge(ID_B);
	struct instant now = at(0);
	struct trial_result tried;

	(void)state;
	issue("asha", ID_A, 1);
	put(ID_A);
	strcpy(c.service, "sudo");
	assert_int_equal(store->ops->challenge_put(store, &now, &c, 1), 0);
	strcpy(c.id, ID_C);
	strcpy(c.user, "bela");
	assert_int_equal(store->ops->challenge_put(store, &now, &c, 1), 0);
	assert_int_equal(fail_at(0, &asha, &tried), 0);
	assert_int_equal(use_at(0, ID_A, 50, &tried), -OTP_EWRONG);
	assert_int_equal(number("SELECT failures FROM budget WHERE kind = 'recovery'"), 1);
	assert_int_equal(known_at(0, "asha", "net home"), -OTP_ENOENT);
	assert_int_equal(use_at(0, ID_A, 2, &tried), 0);
	assert_int_equal(number("SELECT count(*) FROM budget WHERE kind = 'recovery'"), 0);
	assert_int_equal(number("SELECT failures FROM budget WHERE kind = 'user'"), 1);
	assert_int_equal(known_at(0, "asha", "net home"), 0);
	assert_int_equal(consume_at(0, ID_A, &asha, ""), -OTP_ENOENT);
	assert_int_equal(consume_at(0, ID_B, &asha, ""), -OTP_ENOENT);
	assert_int_equal(consume_at(0, ID_C, &asha, ""), 0);
}

/* However many codes were wrong, a right one is right: whoever types wrong ones locks nobody. */
static void
wrong_recovery_codes_are_counted_and_lock_nothing(void **state)
{
	struct trial_result tried;

	(void)state;
	issue("asha", ID_A, 1);
	for (int i = 1; i <= 200; i++) {
		assert_int_equal(use_at(0, ID_A, 50 + i % 5, &tried), -OTP_EWRONG);
		assert_int_equal(tried.in_a_row, i);
	}
	assert_int_equal(locked_at(0, &asha, &tried), 0);
	assert_int_equal(use_at(0, ID_A, 1, &tried), 0);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
	assert_int_equal(use_at(0, ID_A, 50, &tried), -OTP_EWRONG);
	assert_int_equal(tried.in_a_row, 1);
}

/* One at a time for each number, and two for unknown and two for known sources. */
static void
places_for_hashes_are_few_and_half_are_for_known_sources(void **state)
{
	static const struct {
		uint64_t number;
		bool known;
		int r; /* of the take; 0: it is held from then on */
	} rows[] = {
	    {1ULL << 40, false, 0},
	    {1ULL << 40, false, -OTP_EBUSY},
	    {1ULL << 40, true, -OTP_EBUSY},
	    {2ULL << 40, false, 0},
	    {3ULL << 40, false, -OTP_EBUSY},
	    {3ULL << 40, true, 0},
	    {UINT64_MAX, true, 0},
	    {4ULL << 40, true, -OTP_EBUSY},
	};
	struct store *s[COUNT(rows)];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(store_sqlite_open(dir, NULL, NULL, &s[i]), 0);
		print_message("row %zu\n", i);
		assert_int_equal(
		    s[i]->ops->hash_place_take(s[i], rows[i].number, rows[i].known), rows[i].r);
	}
	/* A send lock of the same number is another lock. */
	assert_int_equal(store->ops->send_lock_take(store, rows[0].number), 0);
	s[0]->ops->hash_place_release(s[0]);
	s[0]->ops->hash_place_release(s[0]);
	assert_int_equal(s[1]->ops->hash_place_take(s[1], rows[0].number, false), 0);
	/* A store that is closed, as at the end of its process, holds no place. */
	s[1]->ops->close(s[1]);
	assert_int_equal(s[0]->ops->hash_place_take(s[0], rows[0].number, false), 0);
	for (size_t i = 0; i < COUNT(rows); i++)
		if (i != 1)
			s[i]->ops->close(s[i]);
}

static void
a_new_issue_takes_the_place_of_the_old(void **state)
{
	struct recovery out;
	struct trial_result tried;

	(void)state;
	issue("asha", ID_A, 1);
	issue("asha", ID_B, 21);
	assert_int_equal(number("SELECT count(*) FROM recovery_code"), RECOVERY_CODES);
	/* A sign-in that hashed with the old salt finds the issue gone, and nothing is counted. */
	assert_int_equal(use_at(0, ID_A, 1, &tried), -OTP_ENOENT);
	assert_int_equal(use_at(0, ID_C, 1, &tried), -OTP_ENOENT);
	assert_int_equal(number("SELECT count(*) FROM budget"), 0);
	assert_int_equal(use_at(0, ID_B, 1, &tried), -OTP_EWRONG);
	assert_int_equal(use_at(0, ID_B, 21, &tried), 0);
	assert_int_equal(store->ops->recovery_find(store, "asha", &out), 0);
	assert_string_equal(out.id, ID_B);
	/* The issue of another user is not hers. */
	issue("bela", ID_C, 1);
	assert_int_equal(use_at(0, ID_C, 1, &tried), -OTP_ENOENT);
}

/* A user without codes is counted like one with codes, so that nobody learns who has them. */
static void
a_user_without_codes_fails_and_is_counted_too(void **state)
{
	struct trial_result tried;

	(void)state;
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(use_at(0, "", 1, &tried), -OTP_EWRONG);
		assert_int_equal(tried.in_a_row, i);
	}
	assert_int_equal(number("SELECT failures FROM budget WHERE kind = 'recovery'"), 3);
}

static void
senseless_issues_are_refused(void **state)
{
	struct instant now = at(0);
	struct recovery r = an_issue(ID_A, 1);
	unsigned char hash[RECOVERY_HASH_LEN];
	struct try_rule bad = rule;
	const struct budget nobody = {.owner = "asha"};
	struct trial_result tried;

	(void)state;
	r.n = 0;
	assert_int_equal(store->ops->recovery_put(store, &now, "asha", &r), -OTP_EINVAL);
	r.n = RECOVERY_CODES + 1;
	assert_int_equal(store->ops->recovery_put(store, &now, "asha", &r), -OTP_EINVAL);
	r = an_issue(ID_A, 1);
	assert_int_equal(store->ops->recovery_put(store, &now, "", &r), -OTP_EINVAL);
	r.id[0] = 'X';
	assert_int_equal(store->ops->recovery_put(store, &now, "asha", &r), -OTP_EINVAL);
	assert_int_equal(number("SELECT count(*) FROM recovery"), 0);
	issue("asha", ID_A, 1);
	hash_of(1, hash);
	bad.most = 0;
	assert_int_equal(store->ops->recovery_use(store, &now,
			     TRIAL(.id = ID_A, .user = "asha", .proof = hash,
				 .budget = &asha_recovery, .rule = bad),
			     &tried),
	    -OTP_EINVAL);
	assert_int_equal(
	    store->ops->recovery_use(store, &now,
		TRIAL(.id = ID_A, .user = "asha", .proof = hash, .budget = &nobody, .rule = rule),
		&tried),
	    -OTP_EINVAL);
	/* Two users cannot share an issue. */
	r = an_issue(ID_A, 1);
	assert_int_equal(store->ops->recovery_put(store, &now, "bela", &r), -OTP_ESTORE);
	assert_int_equal(number("SELECT count(*) FROM recovery_code"), RECOVERY_CODES);
	script("UPDATE recovery_code SET hash = x'00' WHERE nr = 9");
	assert_int_equal(use_at(0, ID_A, 1, &tried), -OTP_ESTORE);
	assert_int_equal(number("SELECT sum(used) FROM recovery_code"), 0);
}

/* --- samples and retry-after times --------------------------------------------------------- */

static void
the_newest_samples_come_first(void **state)
{
	struct sample s[SAMPLES_KEPT];
	struct instant now;
	size_t n = 9;

	(void)state;
	assert_int_equal(store->ops->samples(store, "send sms", s, &n), 0);
	assert_int_equal(n, 0);
	for (int i = 0; i < SAMPLES_KEPT + 5; i++) {
		now = at(-i); /* their order counts, not the clock */
		assert_int_equal(store->ops->sample_put(store, &now, "send sms", i, i % 3), 0);
		if (i < 2)
			assert_int_equal(store->ops->sample_put(store, &now, "check", 7, 1), 0);
	}
	assert_int_equal(store->ops->samples(store, "send sms", s, &n), 0);
	assert_int_equal(n, SAMPLES_KEPT);
	for (int i = 0; i < SAMPLES_KEPT; i++) {
		assert_int_equal(s[i].took_ms, SAMPLES_KEPT + 4 - i);
		assert_int_equal(s[i].outcome, s[i].took_ms % 3);
		assert_int_equal(s[i].at_wall_ms, at(-s[i].took_ms).wall_ms);
	}
	assert_int_equal(number("SELECT count(*) FROM sample"), SAMPLES_KEPT + 2);
	assert_int_equal(store->ops->samples(store, "check", s, &n), 0);
	assert_int_equal(n, 2);
}

static void
retry_after_times_hold_until_they_pass(void **state)
{
	struct instant now = at(0);
	int64_t until = 1;

	(void)state;
	assert_int_equal(store->ops->retry_after_find(store, &now, "p", "a", &until), -OTP_ENOENT);
	assert_int_equal(until, 0);
	assert_int_equal(store->ops->retry_after_put(store, &now, "p", "a", at(MINUTE).wall_ms), 0);
	assert_int_equal(store->ops->retry_after_find(store, &now, "p", "b", &until), -OTP_ENOENT);
	assert_int_equal(store->ops->retry_after_find(store, &now, "q", "a", &until), -OTP_ENOENT);
	/* An earlier time does not replace a later one. */
	assert_int_equal(store->ops->retry_after_put(store, &now, "p", "a", at(5).wall_ms), 0);
	now = at(MINUTE - 1);
	assert_int_equal(store->ops->retry_after_find(store, &now, "p", "a", &until), 0);
	assert_int_equal(until, at(MINUTE).wall_ms);
	now = at(-DAY);
	assert_int_equal(store->ops->retry_after_find(store, &now, "p", "a", &until), 0);
	now = at(MINUTE);
	assert_int_equal(store->ops->retry_after_find(store, &now, "p", "a", &until), -OTP_ENOENT);
	assert_int_equal(store->ops->retry_after_put(store, &now, "q", "b", at(DAY).wall_ms), 0);
	assert_int_equal(number("SELECT count(*) FROM pause"), 1);
}

/* --- facts --------------------------------------------------------------------------------- */

#define PHONE "+9779812345678"
#define MAIL  "asha@example.com"

/* All facts of the last call, a line each. */
static char listed[4096];

static int
list_fact(const struct store_fact *f, void *arg)
{
	static const char *const name[] = {[FACT_FAILURES] = "failures",
	    [FACT_SEND] = "send",
	    [FACT_CHALLENGE] = "challenge",
	    [FACT_SOURCE] = "place",
	    [FACT_RECOVERY] = "recovery",
	    [FACT_RETRY_AFTER] = "pause"};
	size_t len = strlen(listed);
	int *most = arg;

	(void)snprintf(listed + len, sizeof(listed) - len, "%s [%s|%s|%s] %d %+d %s\n",
	    name[f->kind], f->budget.kind, f->budget.owner, f->budget.known_source, (int)f->n,
	    (int)(f->at_wall_ms - at(0).wall_ms), f->detail);
	return most && --*most == 0 ? -OTP_EGONE : 0;
}

static const char *
facts_at(int64_t ms, const char *user)
{
	static const char *const address[] = {PHONE, MAIL};
	struct instant now = at(ms);

	listed[0] = '\0';
	assert_int_equal(
	    store->ops->facts(store, &now, user, address, *user ? 2 : 0, list_fact, NULL), 0);
	return listed;
}

/* Makes a fact of each kind, for asha and for others. */
static void
let_things_happen(void)
{
	const struct budget home = a_budget("user", "asha", "net home"),
			    peer = a_budget("peer-user", "asha", ""),
			    decoy = a_budget("user-decoy", "asha", ""),
			    bela = a_budget("user", "bela", "");
	struct send_count c[5] = {a_count("user", "asha", 9, 10 * MINUTE),
	    a_count("address", PHONE, 9, DAY), a_count("message", PHONE, 9, DAY),
	    a_count("client", "192.0.2.1", 9, DAY), a_count("host", "", 9, DAY)};
	struct send_count other[2] = {
	    a_count("user", "bela", 9, DAY), a_count("address", "+9779899999999", 9, DAY)};
	struct challenge ch = a_challenge(ID_A);
	struct store_refusal why;
	struct instant now = at(0);
	struct trial_result tried;
	int64_t id;

	sign_in_at(-5, "net home");
	c[1].budget = a_budget("address", PHONE, "net home");
	c[2].mode = SEND_STAYS;
	assert_int_equal(reserve_at(1, c, 5, &id, &why), 0);
	assert_int_equal(reserve_at(2, other, 2, &id, &why), 0);
	assert_int_equal(store->ops->challenge_put(store, &now, &ch, id), 0);
	strcpy(ch.id, ID_B);
	strcpy(ch.user, "bela");
	assert_int_equal(store->ops->challenge_put(store, &now, &ch, id), 0);
	/* No code can be right for this one, so it is not listed. */
	strcpy(ch.id, "dddddddddddddddddddddddddddddddd");
	strcpy(ch.user, "asha");
	strcpy(ch.source, "elsewhere");
	ch.pretended = true;
	assert_int_equal(store->ops->challenge_put(store, &now, &ch, id), 0);
	assert_int_equal(try_mac_at(3, ID_A, wrong_mac, &asha, &tried), -OTP_EWRONG);
	assert_int_equal(fail_at(4, &home, &tried), 0);
	assert_int_equal(fail_at(5, &home, &tried), 0);
	assert_int_equal(fail_at(6, &peer, &tried), 0);
	assert_int_equal(fail_at(7, &decoy, &tried), 0);
	assert_int_equal(fail_at(8, &bela, &tried), 0);
	issue("asha", ID_A, 1);
	issue("bela", ID_B, 1);
	assert_int_equal(use_at(9, ID_A, 50, &tried), -OTP_EWRONG);
	now = at(10);
	assert_int_equal(
	    store->ops->retry_after_put(store, &now, "tingting", PHONE, at(20).wall_ms), 0);
	assert_int_equal(store->ops->retry_after_put(store, &now, "smtp", MAIL, at(30).wall_ms), 0);
	assert_int_equal(
	    store->ops->retry_after_put(store, &now, "smtp", "b@b", at(30).wall_ms), 0);
}

static const char lasting[] = "place [|asha|net home] 1 -5 \n"
			      "recovery [|asha|] 10 +0 \n";

static void
the_facts_of_one_user_are_listed(void **state)
{
	char want[2048];

	(void)state;
	assert_string_equal(facts_at(0, "asha"), "");
	let_things_happen();
	assert_string_equal(facts_at(11, "asha"), "failures [peer-user|asha|] 1 +6 \n"
						  "failures [recovery|asha|] 1 +9 \n"
						  "failures [user|asha|] 1 +3 \n"
						  "failures [user|asha|net home] 2 +5 \n"
						  "send [user|asha|] 1 +1 \n"
						  "challenge [|asha|] 1 +0 sshd sms tingting\n"
						  "place [|asha|net home] 1 -5 \n"
						  "recovery [|asha|] 10 +0 \n"
						  "send [address|" PHONE "|net home] 1 +1 \n"
						  "send [message|" PHONE "|] 1 +1 \n"
						  "pause [|" PHONE "|] 1 +20 tingting\n"
						  "pause [|" MAIL "|] 1 +30 smtp\n");
	assert_string_equal(facts_at(11, ""), "send [host||] 1 +1 \n");
	/* Facts of an address do not depend on the user. */
	(void)snprintf(want, sizeof(want), "%s", strstr(facts_at(11, "asha"), "send [address"));
	assert_string_equal(facts_at(11, "carl"), want);
	/* Expired facts are not listed: challenges, retry-after times, windows, known sources. */
	(void)snprintf(want, sizeof(want), "%s", facts_at(6 * MINUTE, "asha"));
	assert_null(strstr(want, "challenge"));
	assert_null(strstr(want, "pause"));
	assert_non_null(strstr(want, "send [user"));
	(void)snprintf(want, sizeof(want), "%s", facts_at(10 * MINUTE + 1, "asha"));
	assert_null(strstr(want, "send [user"));
	assert_non_null(strstr(want, "send [address"));
	assert_null(strstr(facts_at(SOURCE_KNOWN_MS, "asha"), "place"));
	assert_null(strstr(facts_at(DAY + 1, ""), "send"));
}

static void
a_listing_ends_with_the_error_of_its_callback(void **state)
{
	struct instant now = at(11);
	int most = 3;

	(void)state;
	let_things_happen();
	listed[0] = '\0';
	assert_int_equal(
	    store->ops->facts(store, &now, "asha", NULL, 0, list_fact, &most), -OTP_EGONE);
	assert_int_equal(most, 0);
	/* The store still works. */
	assert_non_null(strstr(facts_at(11, "asha"), "recovery"));
	sign_in_at(12, "net home");
}

static void
unlocking_forgets_counts_and_ends_codes_of_unknown_sources(void **state)
{
	static const char *const address[] = {PHONE, MAIL};
	struct challenge known = a_challenge(ID_C);
	struct instant now = at(11);
	struct trial_result tried;
	int removed = 99;

	(void)state;
	assert_int_equal(store->ops->unlock(store, "asha", address, 2, &removed), 0);
	assert_int_equal(removed, 0);
	let_things_happen();
	for (int i = 0; i < rule.most; i++)
		(void)fail_at(20 * MINUTE * (i + 1), &asha, &tried);
	assert_int_equal(locked_at(DAY, &asha, &tried), -OTP_ELIMIT);
	assert_true(tried.until_wall_ms == STORE_FOREVER);
	assert_int_equal(store->ops->unlock(store, "asha", address, 2, &removed), 0);
	/* Four budgets, two retry-after times and two messages; the third message has expired. */
	assert_int_equal(removed, 8);
	assert_int_equal(locked_at(DAY, &asha, &tried), 0);
	assert_null(strstr(facts_at(11, "asha"), "challenge"));
	assert_string_equal(listed, lasting);
	assert_int_equal(number("SELECT count(*) FROM budget"), 2);
	assert_int_equal(number("SELECT count(*) FROM send_event"), 4);
	assert_int_equal(number("SELECT count(*) FROM pause"), 1);
	assert_int_equal(try_mac_at(11, ID_A, right_mac, &asha, &tried), -OTP_ENOENT);
	known.known = true;
	assert_int_equal(store->ops->challenge_put(store, &now, &known, 1), 0);
	assert_int_equal(store->ops->unlock(store, "asha", address, 2, &removed), 0);
	assert_int_equal(try_mac_at(11, ID_C, right_mac, &asha, &tried), 0);
	assert_int_equal(store->ops->unlock(store, "", NULL, 0, &removed), 0);
	assert_int_equal(removed, 0);
}

/* --- tokens and credits -------------------------------------------------------------------- */

static void
tokens_are_kept_replaced_dropped_and_end(void **state)
{
	_auto_secret struct secret token = {0};
	const struct store_ops *ops = store->ops;
	struct instant now = at(0), later = at(MINUTE);

	(void)state;
	assert_int_equal(ops->token_get(store, &now, "tingting", &token), -OTP_ENOENT);
	assert_int_equal(ops->token_put(store, &now, "tingting", "one", later.wall_ms), 0);
	assert_int_equal(ops->token_put(store, &now, "tingting", "two", later.wall_ms), 0);
	assert_int_equal(ops->token_get(store, &now, "tingting", &token), 0);
	assert_string_equal(secret_str(&token), "two");
	assert_int_equal(ops->token_get(store, &now, "kgen", &token), -OTP_ENOENT);
	assert_int_equal(ops->token_get(store, &later, "tingting", &token), -OTP_ENOENT);
	assert_int_equal(ops->token_drop(store, "tingting"), 0);
	assert_int_equal(ops->token_get(store, &now, "tingting", &token), -OTP_ENOENT);
}

/* --- indices ------------------------------------------------------------------------------- */

static char *seen[512];
static size_t nseen;

static int
note(unsigned what, void *arg, void *stmt, void *sql)
{
	(void)what;
	(void)arg;
	(void)sql;
	assert_true(nseen < COUNT(seen));
	seen[nseen] = strdup(sqlite3_sql(stmt));
	assert_non_null(seen[nseen++]);
	return 0;
}

/* True if the plan of SQLite for the statement reads a whole table. */
static bool
scans(sqlite3 *db, const char *sql)
{
	char text[2048];
	sqlite3_stmt *stmt = NULL;
	bool found = false;

	(void)snprintf(text, sizeof(text), "EXPLAIN QUERY PLAN %s", sql);
	assert_int_equal(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		found |= !strncmp((const char *)sqlite3_column_text(stmt, 3), "SCAN", 4);
	sqlite3_finalize(stmt);
	return found;
}

/* Every statement that the store runs is explained by SQLite. */
static void
no_statement_reads_a_whole_table(void **state)
{
	sqlite3 *db = ((struct sqlite_store *)store)->db;
	const struct store_ops *ops = store->ops;
	struct instant now = at(0);
	struct sample s[SAMPLES_KEPT];
	struct challenge c;
	struct recovery r;
	int64_t until;
	struct trial_result tried;
	int removed;
	size_t n, explained = 0;

	(void)state;
	assert_int_equal(sqlite3_trace_v2(db, SQLITE_TRACE_STMT, note, NULL), SQLITE_OK);
	let_things_happen();
	c = a_challenge(ID_C);
	strcpy(c.identity, "tingting.example 9812345678");
	assert_int_equal(ops->challenge_put(store, &now, &c, 1), 0);
	(void)find_at(0, "asha", "sshd", HOME, &c);
	challenge_clear(&c);
	(void)try_count_at(0, ID_A, &asha, &tried);
	(void)ops->try_return(store, TRIAL(.id = ID_A, .budget = &asha));
	(void)ops->check_end(store, ID_A);
	(void)ops->challenge_spared(store, &now, "tingting", PHONE, "asha");
	(void)ops->challenge_kill(store, ID_A);
	(void)ops->challenge_used(store, ID_A);
	(void)ops->send_return(store, 1);
	(void)locked_at(0, &asha, &tried);
	(void)known_at(0, "asha", "net home");
	(void)ops->recovery_find(store, "asha", &r);
	(void)use_at(0, ID_A, 1, &tried);
	(void)ops->recovery_drop(store, "asha");
	(void)ops->sample_put(store, &now, "check", 1, 0);
	(void)ops->samples(store, "check", s, &n);
	(void)ops->retry_after_find(store, &now, "p", "a", &until);
	(void)facts_at(0, "asha");
	(void)ops->unlock(store, "asha", (const char *const[]){PHONE}, 1, &removed);
	assert_int_equal(sqlite3_trace_v2(db, 0, NULL, NULL), SQLITE_OK);
	for (size_t i = 0; i < nseen; i++) {
		if (!strncmp(seen[i], "SELECT", 6) || !strncmp(seen[i], "UPDATE", 6) ||
		    !strncmp(seen[i], "DELETE", 6)) {
			explained++;
			if (scans(db, seen[i]))
				fail_msg("reads a whole table: %s", seen[i]);
		}
		free(seen[i]);
	}
	assert_true(explained > 50);
	assert_true(scans(db, "SELECT * FROM budget WHERE failures = 1"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_STORE(a_source_is_known_for_a_month),
	    WITH_STORE(an_empty_source_is_never_known),
	    WITH_STORE(a_clock_set_back_forgets_no_source),
	    WITH_STORE(the_newest_known_sources_are_kept),
	    WITH_STORE(recovery_codes_are_found_without_their_hashes),
	    WITH_STORE(a_recovery_code_is_used_once),
	    WITH_STORE(a_recovery_code_ends_failures_and_challenges),
	    WITH_STORE(wrong_recovery_codes_are_counted_and_lock_nothing),
	    WITH_STORE(places_for_hashes_are_few_and_half_are_for_known_sources),
	    WITH_STORE(a_new_issue_takes_the_place_of_the_old),
	    WITH_STORE(a_user_without_codes_fails_and_is_counted_too),
	    WITH_STORE(senseless_issues_are_refused),
	    WITH_STORE(the_newest_samples_come_first),
	    WITH_STORE(retry_after_times_hold_until_they_pass),
	    WITH_STORE(the_facts_of_one_user_are_listed),
	    WITH_STORE(a_listing_ends_with_the_error_of_its_callback),
	    WITH_STORE(unlocking_forgets_counts_and_ends_codes_of_unknown_sources),
	    WITH_STORE(tokens_are_kept_replaced_dropped_and_end),
	    WITH_STORE(no_statement_reads_a_whole_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
