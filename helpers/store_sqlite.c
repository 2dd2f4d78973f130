/*
 * The store in SQLite, its operations: one process a sign-in, many at once, each for a few
 * milliseconds.
 *
 * MUST:
 *  - every operation that writes is one BEGIN IMMEDIATE transaction: what it decides on cannot
 *    change under it;
 *  - an operation that fails, for whatever reason, is rolled back whole.
 */
#include "helpers/store_sqlite.h"

#include <stdlib.h>
#include <sys/random.h>

#include "common/err.h"
#include "helpers/log.h"
#include "helpers/sql.h"

enum { PRUNED_AT_ONCE = 32 };

#define DAY_MS		  (INT64_C(24) * 60 * 60 * 1000)
#define CHALLENGE_KEEP_MS (1 * DAY_MS)	/* long enough to tell a sibling "used already" */
#define BUDGET_KEEP_MS	  (30 * DAY_MS) /* a row of failures ends by itself after that */

/* The arguments of one operation; each uses what it needs. Borrowed. */
struct op {
	const struct instant *now;
	const char *id;
	const char *budget;
	const struct try_rule *rule;
	const struct challenge *challenge;
	const struct send_count *count;
	size_t n;
	int64_t reservation;
	struct store_refusal *why;
	int *left;
	int64_t *until;
};
typedef int op_fn(struct sqlite_store *s, const struct op *op);

static int
prune(struct sqlite_store *s, const struct instant *now)
{
	if (sql_run(s->db,
		"DELETE FROM send_event WHERE rowid IN "
		"(SELECT rowid FROM send_event WHERE keep_ms < ?1 LIMIT ?2)",
		sql_int(now->wall_ms), sql_int(PRUNED_AT_ONCE)) ||
	    sql_run(s->db,
		"DELETE FROM challenge WHERE id IN (SELECT id FROM challenge WHERE keep_ms < ?1 "
		"AND (state <> 'live' OR boot_id <> ?3 OR expires_boot_ms <= ?4) LIMIT ?2)",
		sql_int(now->wall_ms), sql_int(PRUNED_AT_ONCE), sql_text(now->boot_id),
		sql_int(now->boot_ms)) ||
	    sql_run(s->db,
		"DELETE FROM budget WHERE key IN "
		"(SELECT key FROM budget WHERE keep_ms < ?1 LIMIT ?2)",
		sql_int(now->wall_ms), sql_int(PRUNED_AT_ONCE)))
		return store_sqlite_failed(s, "pruning");
	return 0;
}

static int
transact_once(struct sqlite_store *s, op_fn *fn, const struct op *op)
{
	int r;

	s->full = false;
	if (sql_script(s->db, "BEGIN IMMEDIATE"))
		return store_sqlite_failed(s, "begin");
	r = fn(s, op);
	if (!r && op->now)
		r = prune(s, op->now);
	if (!r && sql_script(s->db, "COMMIT"))
		r = store_sqlite_failed(s, "commit");
	if (r && !sqlite3_get_autocommit(s->db))
		(void)sql_script(s->db, "ROLLBACK");
	return r;
}

/* One transaction; on a full disk once more, with the spare given up. */
static int
transact(struct sqlite_store *s, op_fn *fn, const struct op *op)
{
	int r = transact_once(s, fn, op);

	if (r != -OTP_ESTORE || !store_sqlite_make_room(s))
		return r;
	return transact_once(s, fn, op);
}

/* 1 a row, 0 none, or -OTP_ESTORE. */
static int
step(struct sqlite_store *s, sqlite3_stmt *stmt, const char *what)
{
	int rc = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : store_sqlite_failed(s, what);
}

/* Is the window full? Events "in the future" count: the clock was put back. 0 or -OTP_ELIMIT. */
static int
window_check(struct sqlite_store *s, const struct op *op, const struct send_count *c,
    const struct conf_window *w)
{
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int64_t until;
	int r;

	if (w->count < 1 || w->span < 1)
		return -OTP_EINVAL;
	(void)sql_prepare(s->db, &stmt,
	    "SELECT at_ms FROM send_event WHERE kind = ?1 AND key = ?2 AND at_ms > ?3 "
	    "ORDER BY at_ms DESC LIMIT 1 OFFSET ?4",
	    sql_text(c->kind), sql_text(c->key), sql_int(op->now->wall_ms - w->span),
	    sql_int(w->count - 1));
	r = step(s, stmt, "counting sends");
	if (r <= 0)
		return r;
	until = sqlite3_column_int64(stmt, 0) + w->span;
	if (until > op->why->until_wall_ms) {
		op->why->until_wall_ms = until;
		memcpy(op->why->kind, c->kind, sizeof(op->why->kind));
	}
	return -OTP_ELIMIT;
}

static int
send_check(struct sqlite_store *s, const struct op *op)
{
	int refused = 0;

	*op->why = (struct store_refusal){0};
	for (size_t i = 0; i < op->n; i++)
		for (size_t j = 0; j < op->count[i].windows.n; j++) {
			int r = window_check(s, op, &op->count[i], &op->count[i].windows.item[j]);

			if (r && r != -OTP_ELIMIT)
				return r;
			if (r)
				refused = r;
		}
	return refused;
}

static int
op_send_reserve(struct sqlite_store *s, const struct op *op)
{
	int r = send_check(s, op);

	for (size_t i = 0; !r && i < op->n; i++) {
		const struct send_count *c = &op->count[i];
		int64_t longest = 0;

		for (size_t j = 0; j < c->windows.n; j++)
			if (c->windows.item[j].span > longest)
				longest = c->windows.item[j].span;
		if (sql_run(s->db,
			"INSERT INTO send_event (reservation, kind, key, at_ms, keep_ms) "
			"VALUES (?1, ?2, ?3, ?4, ?5)",
			sql_int(op->reservation), sql_text(c->kind), sql_text(c->key),
			sql_int(op->now->wall_ms), sql_int(op->now->wall_ms + longest)))
			r = store_sqlite_failed(s, "reserving a send");
	}
	return r;
}

static int
send_reserve(struct store *base, const struct instant *now, const struct send_count *count,
    size_t n, int64_t *id, struct store_refusal *why)
{
	struct op op = {.now = now, .count = count, .n = n, .why = why};
	int r;

	if (getrandom(&op.reservation, sizeof(op.reservation), 0) != sizeof(op.reservation)) {
		otp_logr(LOG_ERR, -OTP_ESYS, "store: getrandom");
		return -OTP_ESTORE;
	}
	r = transact((struct sqlite_store *)base, op_send_reserve, &op);
	if (!r)
		*id = op.reservation;
	return r;
}

static int
give_back(struct sqlite_store *s, int64_t reservation)
{
	if (sql_run(s->db, "DELETE FROM send_event WHERE reservation = ?1", sql_int(reservation)))
		return store_sqlite_failed(s, "giving a send back");
	return 0;
}

static int
op_send_return(struct sqlite_store *s, const struct op *op)
{
	return give_back(s, op->reservation);
}

static int
send_return(struct store *base, int64_t id)
{
	const struct op op = {.reservation = id};

	return transact((struct sqlite_store *)base, op_send_return, &op);
}

static int
op_challenge_put(struct sqlite_store *s, const struct op *op)
{
	const struct challenge *c = op->challenge;

	if (sql_run(s->db,
		"UPDATE challenge SET state = 'dead', mac = NULL, captures = NULL "
		"WHERE user = ?1 AND service = ?2 AND source = ?3 AND state = 'live'",
		sql_text(c->user), sql_text(c->service), sql_text(c->source)) ||
	    (c->alone_at_address &&
		sql_run(s->db,
		    "UPDATE challenge SET state = 'dead', mac = NULL, captures = NULL "
		    "WHERE provider = ?1 AND address = ?2 AND state = 'live'",
		    sql_text(c->provider), sql_text(c->address))) ||
	    sql_run(s->db,
		"INSERT INTO challenge (id, state, user, service, source, channel, provider, "
		"address, mac, captures, boot_id, expires_boot_ms, sent_ms, tries, reservation, "
		"keep_ms) VALUES "
		"(?1, 'live', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
		sql_text(c->id), sql_text(c->user), sql_text(c->service), sql_text(c->source),
		sql_text(c->channel), sql_text(c->provider), sql_text(c->address),
		sql_blob(c->has_mac ? c->mac : NULL, sizeof(c->mac)), sql_text(c->captures),
		sql_text(op->now->boot_id), sql_int(c->expires_boot_ms), sql_int(c->sent_wall_ms),
		sql_int(c->tries), sql_int(op->reservation),
		sql_int(op->now->wall_ms + CHALLENGE_KEEP_MS)))
		return store_sqlite_failed(s, "storing a challenge");
	return 0;
}

static int
challenge_put(
    struct store *base, const struct instant *now, const struct challenge *c, int64_t reservation)
{
	const struct op op = {.now = now, .challenge = c, .reservation = reservation};

	if (strspn(c->id, "0123456789abcdef") != STORE_ID_LEN || c->id[STORE_ID_LEN] ||
	    !c->user[0] || !now->boot_id[0])
		return -OTP_EINVAL;
	return transact((struct sqlite_store *)base, op_challenge_put, &op);
}

static bool
copy_captures(sqlite3_stmt *stmt, int column, char **out)
{
	const char *s = (const char *)sqlite3_column_text(stmt, column);

	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return true;
	*out = s ? strdup(s) : NULL;
	return *out != NULL;
}

static bool
copy_mac(sqlite3_stmt *stmt, int column, struct challenge *c)
{
	const void *mac = sqlite3_column_blob(stmt, column);

	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return true;
	if (!mac || sqlite3_column_bytes(stmt, column) != STORE_MAC_LEN)
		return false;
	memcpy(c->mac, mac, STORE_MAC_LEN);
	c->has_mac = true;
	return true;
}

static bool
challenge_of_row(sqlite3_stmt *stmt, struct challenge *c)
{
	*c = (struct challenge){0};
	c->expires_boot_ms = sqlite3_column_int64(stmt, 7);
	c->sent_wall_ms = sqlite3_column_int64(stmt, 8);
	c->tries = sqlite3_column_int(stmt, 9);
	return sql_copy_text(stmt, 0, c->id, sizeof(c->id)) &&
	       sql_copy_text(stmt, 1, c->user, sizeof(c->user)) &&
	       sql_copy_text(stmt, 2, c->service, sizeof(c->service)) &&
	       sql_copy_text(stmt, 3, c->source, sizeof(c->source)) &&
	       sql_copy_text(stmt, 4, c->channel, sizeof(c->channel)) &&
	       sql_copy_text(stmt, 5, c->provider, sizeof(c->provider)) &&
	       sql_copy_text(stmt, 6, c->address, sizeof(c->address)) && copy_mac(stmt, 10, c) &&
	       copy_captures(stmt, 11, &c->captures);
}

static int
challenge_find(struct store *base, const struct instant *now, const char *user, const char *service,
    const char *source, struct challenge *out)
{
	struct sqlite_store *s = (struct sqlite_store *)base;
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int r;

	*out = (struct challenge){0};
	(void)sql_prepare(s->db, &stmt,
	    "SELECT id, user, service, source, channel, provider, address, expires_boot_ms, "
	    "sent_ms, tries, mac, captures FROM challenge WHERE user = ?1 AND service = ?2 AND "
	    "source = ?3 AND state = 'live' AND boot_id = ?4 AND expires_boot_ms > ?5",
	    sql_text(user), sql_text(service), sql_text(source), sql_text(now->boot_id),
	    sql_int(now->boot_ms));
	r = step(s, stmt, "finding a challenge");
	if (r <= 0)
		return r ? r : -OTP_ENOENT;
	if (!challenge_of_row(stmt, out)) {
		challenge_clear(out);
		otp_log(LOG_ERR, "store: a challenge is malformed");
		return -OTP_ESTORE;
	}
	return 0;
}

static int
op_challenge_kill(struct sqlite_store *s, const struct op *op)
{
	if (sql_run(s->db,
		"UPDATE challenge SET state = 'dead', mac = NULL, captures = NULL "
		"WHERE id = ?1 AND state = 'live'",
		sql_text(op->id)))
		return store_sqlite_failed(s, "ending a challenge");
	return 0;
}

static int
challenge_kill(struct store *base, const char *id)
{
	const struct op op = {.id = id};

	return transact((struct sqlite_store *)base, op_challenge_kill, &op);
}

/* 0 while it is live, -OTP_EUSED, -OTP_ENOENT or -OTP_ESTORE. */
static int
challenge_check(struct sqlite_store *s, const struct op *op, int64_t *tries, int64_t *reservation)
{
	_auto_stmt sqlite3_stmt *stmt = NULL;
	const char *state;
	int r;

	(void)sql_prepare(s->db, &stmt,
	    "SELECT state, boot_id = ?2 AND expires_boot_ms > ?3, tries, reservation "
	    "FROM challenge WHERE id = ?1",
	    sql_text(op->id), sql_text(op->now->boot_id), sql_int(op->now->boot_ms));
	r = step(s, stmt, "reading a challenge");
	if (r <= 0)
		return r ? r : -OTP_ENOENT;
	state = (const char *)sqlite3_column_text(stmt, 0);
	if (!state)
		return store_sqlite_failed(s, "reading a challenge");
	if (!strcmp(state, "used"))
		return -OTP_EUSED;
	if (strcmp(state, "live") || !sqlite3_column_int(stmt, 1))
		return -OTP_ENOENT;
	*tries = sqlite3_column_int64(stmt, 2);
	*reservation = sqlite3_column_int64(stmt, 3);
	return 0;
}

static int
budget_check(struct sqlite_store *s, const struct op *op)
{
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int64_t until;
	int r;

	*op->until = 0;
	(void)sql_prepare(s->db, &stmt, "SELECT failures, last_ms FROM budget WHERE key = ?1",
	    sql_text(op->budget));
	r = step(s, stmt, "reading a budget");
	if (r <= 0)
		return r;
	until = try_locked_until(
	    op->rule, sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1));
	if (until <= op->now->wall_ms)
		return 0;
	*op->until = until;
	return -OTP_ELIMIT;
}

static int
budget_add(struct sqlite_store *s, const struct op *op)
{
	int64_t keep = BUDGET_KEEP_MS;

	if (op->rule->backoff_most_ms > keep)
		keep = op->rule->backoff_most_ms;
	if (sql_run(s->db,
		"INSERT INTO budget (key, failures, last_ms, keep_ms) VALUES (?1, 1, ?2, ?2 + ?3) "
		"ON CONFLICT (key) DO UPDATE SET failures = failures + 1, "
		"last_ms = max(last_ms, excluded.last_ms), keep_ms = max(keep_ms, "
		"excluded.keep_ms)",
		sql_text(op->budget), sql_int(op->now->wall_ms), sql_int(keep)))
		return store_sqlite_failed(s, "counting a failure");
	return 0;
}

static int
op_try_count(struct sqlite_store *s, const struct op *op)
{
	int64_t tries = 0, reservation;
	int r = challenge_check(s, op, &tries, &reservation);

	if (!r)
		r = budget_check(s, op);
	if (!r && tries >= op->rule->per_challenge)
		r = -OTP_ELIMIT;
	if (!r)
		r = budget_add(s, op);
	if (!r && sql_run(s->db, "UPDATE challenge SET tries = tries + 1 WHERE id = ?1",
		      sql_text(op->id)))
		r = store_sqlite_failed(s, "counting a try");
	if (!r)
		*op->left = (int)(op->rule->per_challenge - tries - 1);
	return r;
}

static int
try_count(struct store *base, const struct instant *now, const char *id, const char *budget,
    const struct try_rule *rule, int *left, int64_t *until_wall_ms)
{
	const struct op op = {.now = now,
	    .id = id,
	    .budget = budget,
	    .rule = rule,
	    .left = left,
	    .until = until_wall_ms};

	*left = 0;
	*until_wall_ms = 0;
	if (try_rule_check(rule))
		return -OTP_EINVAL;
	return transact((struct sqlite_store *)base, op_try_count, &op);
}

static int
op_failure_count(struct sqlite_store *s, const struct op *op)
{
	int r = budget_check(s, op);

	return r ? r : budget_add(s, op);
}

static int
failure_count(struct store *base, const struct instant *now, const char *budget,
    const struct try_rule *rule, int64_t *until_wall_ms)
{
	const struct op op = {.now = now, .budget = budget, .rule = rule, .until = until_wall_ms};

	*until_wall_ms = 0;
	if (try_rule_check(rule))
		return -OTP_EINVAL;
	return transact((struct sqlite_store *)base, op_failure_count, &op);
}

static int
locked(struct store *base, const struct instant *now, const char *budget,
    const struct try_rule *rule, int64_t *until_wall_ms)
{
	const struct op op = {.now = now, .budget = budget, .rule = rule, .until = until_wall_ms};

	*until_wall_ms = 0;
	if (try_rule_check(rule))
		return -OTP_EINVAL;
	return budget_check((struct sqlite_store *)base, &op);
}

static int
op_try_return(struct sqlite_store *s, const struct op *op)
{
	if (sql_run(s->db, "UPDATE challenge SET tries = max(tries - 1, 0) WHERE id = ?1",
		sql_text(op->id)) ||
	    sql_run(s->db, "UPDATE budget SET failures = max(failures - 1, 0) WHERE key = ?1",
		sql_text(op->budget)))
		return store_sqlite_failed(s, "giving a try back");
	return 0;
}

static int
try_return(struct store *base, const char *id, const char *budget)
{
	const struct op op = {.id = id, .budget = budget};

	return transact((struct sqlite_store *)base, op_try_return, &op);
}

static int
challenge_used(struct store *base, const char *id)
{
	struct sqlite_store *s = (struct sqlite_store *)base;
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int r;

	(void)sql_prepare(
	    s->db, &stmt, "SELECT 1 FROM challenge WHERE id = ?1 AND state = 'used'", sql_text(id));
	r = step(s, stmt, "reading a challenge");
	return r > 0 ? -OTP_EUSED : r;
}

static int
op_consume(struct sqlite_store *s, const struct op *op)
{
	int64_t tries, reservation = 0;
	int r = challenge_check(s, op, &tries, &reservation);

	if (r)
		return r;
	if (sql_run(s->db,
		"UPDATE challenge SET state = 'used', mac = NULL, captures = NULL WHERE id = ?1",
		sql_text(op->id)))
		return store_sqlite_failed(s, "consuming a challenge");
	if (sql_run(s->db, "DELETE FROM budget WHERE key = ?1", sql_text(op->budget)))
		return store_sqlite_failed(s, "resetting a budget");
	return give_back(s, reservation);
}

static int
consume(struct store *base, const struct instant *now, const char *id, const char *budget)
{
	const struct op op = {.now = now, .id = id, .budget = budget};

	return transact((struct sqlite_store *)base, op_consume, &op);
}

const struct store_ops store_sqlite_ops = {
    .send_reserve = send_reserve,
    .send_return = send_return,
    .challenge_put = challenge_put,
    .challenge_find = challenge_find,
    .challenge_kill = challenge_kill,
    .try_count = try_count,
    .failure_count = failure_count,
    .locked = locked,
    .consume = consume,
    .try_return = try_return,
    .challenge_used = challenge_used,
    .session_get = store_sqlite_session_get,
    .session_put = store_sqlite_session_put,
    .session_drop = store_sqlite_session_drop,
    .credits_put = store_sqlite_credits_put,
    .credits_each = store_sqlite_credits_each,
    .close = store_sqlite_close,
};
