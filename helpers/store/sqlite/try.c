/*
 * The store in SQLite: challenges are tried and consumed.
 *
 * MUST:
 *  - a challenge is consumed at most once, and only while it is live;
 *  - a code that is compared here is compared in constant time, and a wrong one is counted in the
 *    same transaction;
 *  - a try that the provider checks is counted before it is sent, and one sign-in at a time has the
 *    lease of the challenge;
 *  - a lease is ended by the store object that took it, or by the boot clock, so that a process
 *    that died cannot keep it.
 */
#include <openssl/crypto.h>

#include "common/err.h"
#include "common/secret.h"
#include "helpers/base/log.h"
#include "helpers/base/sql.h"
#include "helpers/store/sqlite/sqlite.h"

/* What the operations below need of a live challenge. */
struct live {
	char user[256];
	unsigned char mac[STORE_MAC_LEN];
	bool has_mac;
	int64_t tries;
	int64_t reservation;
	int64_t lease_boot_ms;
};

static int
live_of_row(sqlite3_stmt *stmt, struct live *out)
{
	out->tries = sqlite3_column_int64(stmt, 2);
	out->reservation = sqlite3_column_int64(stmt, 3);
	out->lease_boot_ms = sqlite3_column_int64(stmt, 4);
	out->has_mac = sqlite3_column_type(stmt, 6) != SQLITE_NULL;
	if (sql_copy_text(stmt, 5, out->user, sizeof(out->user)) &&
	    (!out->has_mac || store_sqlite_copy_blob(stmt, 6, out->mac, sizeof(out->mac))))
		return 0;
	otp_log(LOG_ERR, "store: a challenge is malformed");
	return -OTP_ESTORE;
}

/* Reads a live challenge. 0, -OTP_EUSED, -OTP_ENOENT or -OTP_ESTORE. */
static int
live_read(struct sqlite_store *s, const struct instant *now, const char *id, struct live *out)
{
	_auto_stmt sqlite3_stmt *stmt = NULL;
	const char *state;
	int r;

	*out = (struct live){0};
	(void)sql_prepare(s->db, &stmt,
	    "SELECT state, boot_id = ?2 AND expires_boot_ms > ?3, tries, reservation, "
	    "lease_boot_ms, user, mac FROM challenge WHERE id = ?1",
	    sql_text(id), sql_text(now->boot_id), sql_int(now->boot_ms));
	r = store_sqlite_step(s, stmt, "reading a challenge");
	if (r <= 0)
		return r ? r : -OTP_ENOENT;
	state = (const char *)sqlite3_column_text(stmt, 0);
	if (!state)
		return store_sqlite_failed(s, "reading a challenge");
	if (!strcmp(state, "used"))
		return -OTP_EUSED;
	if (strcmp(state, "live") || !sqlite3_column_int(stmt, 1))
		return -OTP_ENOENT;
	return live_of_row(stmt, out);
}

static bool
has_budget(const struct trial *t)
{
	return t->budget && t->budget->kind[0];
}

/* Checks that budget and challenge have a try left. 0, -OTP_ELIMIT or -OTP_ESTORE. */
static int
try_allowed(struct sqlite_store *s, const struct instant *now, const struct trial_args *o,
    const struct live *c)
{
	const struct trial *t = o->trial;
	int r = store_sqlite_budget_check(s, now, t->budget, &t->rule, &o->out->until_wall_ms);

	return !r && c->tries >= t->rule.per_challenge ? -OTP_ELIMIT : r;
}

static int
try_add(struct sqlite_store *s, const struct instant *now, const struct trial_args *o,
    const struct live *c)
{
	const struct trial *t = o->trial;
	int r = store_sqlite_budget_add(s, now, t->budget, &t->rule);

	if (!r &&
	    sql_run(s->db, "UPDATE challenge SET tries = tries + 1 WHERE id = ?1", sql_text(t->id)))
		r = store_sqlite_failed(s, "counting a try");
	if (!r)
		o->out->left = (int)(t->rule.per_challenge - c->tries - 1);
	return r;
}

/* Does all that follows from a right code. This transaction has read the challenge as live. */
static int
use_up(
    struct sqlite_store *s, const struct instant *now, const struct trial *t, const struct live *c)
{
	int r = 0;

	if (sql_run(s->db,
		"UPDATE challenge SET state = 'used', mac = NULL, captures = NULL "
		"WHERE id = ?1 AND state = 'live'",
		sql_text(t->id)) ||
	    sqlite3_changes(s->db) != 1)
		r = store_sqlite_failed(s, "consuming a challenge");
	if (!r)
		r = store_sqlite_budget_reset(s, t->budget);
	if (!r)
		r = store_sqlite_give_back(s, c->reservation);
	if (!r)
		r = store_sqlite_success_effects(s, now, c->user, &t->effects);
	return r;
}

static int
op_try_mac(struct sqlite_store *s, const struct instant *now, const void *arg)
{
	const struct trial_args *o = arg;
	struct live c;
	int r = live_read(s, now, o->trial->id, &c);

	if (!r && !c.has_mac)
		r = -OTP_EINVAL;
	if (!r)
		r = try_allowed(s, now, o, &c);
	if (!r && !CRYPTO_memcmp(o->trial->proof, c.mac, sizeof(c.mac))) {
		r = use_up(s, now, o->trial, &c);
	} else if (!r) {
		r = try_add(s, now, o, &c);
		if (!r)
			r = OTP_EWRONG; /* the count is committed */
	}
	otp_wipe(c);
	return r;
}

int
store_sqlite_try_mac(struct store *base, const struct instant *now, const struct trial *trial,
    struct trial_result *out)
{
	const struct trial_args o = {.trial = trial, .out = out};

	*out = (struct trial_result){0};
	if (trial_check(trial) || !trial->proof)
		return -OTP_EINVAL;
	return store_sqlite_transact((struct sqlite_store *)base, now, op_try_mac, &o);
}

static int
op_try_count(struct sqlite_store *s, const struct instant *now, const void *arg)
{
	const struct trial_args *o = arg;
	struct live c;
	int r = live_read(s, now, o->trial->id, &c);

	if (!r && c.lease_boot_ms > now->boot_ms)
		r = -OTP_EBUSY;
	if (!r)
		r = try_allowed(s, now, o, &c);
	if (!r)
		r = try_add(s, now, o, &c);
	if (!r &&
	    sql_run(s->db, "UPDATE challenge SET lease_by = ?2, lease_boot_ms = ?3 WHERE id = ?1",
		sql_text(o->trial->id), sql_int(s->lease_owner),
		sql_int(now->boot_ms + o->trial->lease_ms)))
		r = store_sqlite_failed(s, "taking a lease");
	otp_wipe(c);
	return r;
}

int
store_sqlite_try_count(struct store *base, const struct instant *now, const struct trial *trial,
    struct trial_result *out)
{
	const struct trial_args o = {.trial = trial, .out = out};

	*out = (struct trial_result){0};
	if (trial_check(trial) || trial->lease_ms < 1)
		return -OTP_EINVAL;
	return store_sqlite_transact((struct sqlite_store *)base, now, op_try_count, &o);
}

/* Ends the lease. 1: this store object had it; 0: it had not; -OTP_ESTORE. */
static int
lease_end(struct sqlite_store *s, const char *id, int tries_back)
{
	if (sql_run(s->db,
		"UPDATE challenge SET lease_by = 0, lease_boot_ms = 0, tries = max(tries - ?3, 0) "
		"WHERE id = ?1 AND lease_by = ?2",
		sql_text(id), sql_int(s->lease_owner), sql_int(tries_back)))
		return store_sqlite_failed(s, "ending a lease");
	return sqlite3_changes(s->db) > 0;
}

static int
op_check_end(struct sqlite_store *s, const struct instant *now, const void *arg)
{
	int r = lease_end(s, arg, 0);

	(void)now;
	return r < 0 ? r : 0;
}

int
store_sqlite_check_end(struct store *base, const char *id)
{
	return store_sqlite_transact((struct sqlite_store *)base, NULL, op_check_end, id);
}

/* Takes a try back, but only while the lease exists. So this works once for each try_count(). */
static int
op_try_return(struct sqlite_store *s, const struct instant *now, const void *arg)
{
	const struct trial *t = arg;
	int r = lease_end(s, t->id, 1);

	(void)now;
	return r > 0 ? store_sqlite_budget_take_back(s, t->budget) : r;
}

int
store_sqlite_try_return(struct store *base, const struct trial *trial)
{
	if (!has_budget(trial))
		return -OTP_EINVAL;
	return store_sqlite_transact((struct sqlite_store *)base, NULL, op_try_return, trial);
}

static int
op_consume(struct sqlite_store *s, const struct instant *now, const void *arg)
{
	const struct trial *t = arg;
	struct live c;
	int r = live_read(s, now, t->id, &c);

	if (!r)
		r = use_up(s, now, t, &c);
	otp_wipe(c);
	return r;
}

int
store_sqlite_consume(struct store *base, const struct instant *now, const struct trial *trial)
{
	if (!has_budget(trial))
		return -OTP_EINVAL;
	return store_sqlite_transact((struct sqlite_store *)base, now, op_consume, trial);
}
