/*
 * The store in SQLite: recovery codes.
 *
 * MUST:
 *  - a code is used at most once, even if many sign-ins try it at the same moment;
 *  - every hash of the set is compared, in constant time, also after one has matched;
 *  - wrong codes are counted, and never keep a right one out;
 *  - codes are never pruned, because they may be needed after years.
 */
#include <openssl/crypto.h>

#include "common/err.h"
#include "common/secret.h"
#include "helpers/base/log.h"
#include "helpers/base/sql.h"
#include "helpers/store/sqlite/sqlite.h"

struct put_args {
	const char *user;
	const struct recovery *r;
};

/* Deletes the user's set of codes. 1: there was one; 0: there was none; -OTP_ESTORE. */
static int
issue_drop(struct sqlite_store *s, const char *user)
{
	/* A code of the set may have been what was remembered. */
	if (sql_run(s->db, "DELETE FROM remembered WHERE user = ?1", sql_text(user)) ||
	    sql_run(s->db,
		"DELETE FROM recovery_code WHERE issue IN "
		"(SELECT id FROM recovery WHERE user = ?1)",
		sql_text(user)) ||
	    sql_run(s->db, "DELETE FROM recovery WHERE user = ?1", sql_text(user)))
		return store_sqlite_failed(s, "dropping recovery codes");
	return sqlite3_changes(s->db) > 0;
}

static int
op_put(struct sqlite_store *s, const struct instant *now, const void *arg)
{
	const struct put_args *o = arg;
	int r = issue_drop(s, o->user);

	if (r < 0)
		return r;
	if (sql_run(s->db,
		"INSERT INTO recovery (user, id, salt, issued_ms) VALUES (?1, ?2, ?3, ?4)",
		sql_text(o->user), sql_text(o->r->id), sql_blob(o->r->salt, sizeof(o->r->salt)),
		sql_int(now->wall_ms)))
		return store_sqlite_failed(s, "keeping recovery codes");
	for (int i = 0; i < o->r->n; i++)
		if (sql_run(s->db,
			"INSERT INTO recovery_code (issue, nr, hash, used) VALUES (?1, ?2, ?3, 0)",
			sql_text(o->r->id), sql_int(i),
			sql_blob(o->r->hash[i], sizeof(o->r->hash[i]))))
			return store_sqlite_failed(s, "keeping recovery codes");
	return 0;
}

int
store_sqlite_recovery_put(
    struct store *base, const struct instant *now, const char *user, const struct recovery *r)
{
	const struct put_args o = {.user = user, .r = r};

	if (!*user || !store_sqlite_is_id(r->id) || r->n < 1 || r->n > RECOVERY_CODES)
		return -OTP_EINVAL;
	return store_sqlite_transact((struct sqlite_store *)base, now, op_put, &o);
}

int
store_sqlite_recovery_find(struct store *base, const char *user, struct recovery *out)
{
	struct sqlite_store *s = (struct sqlite_store *)base;
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int r;

	*out = (struct recovery){0};
	(void)sql_prepare(s->db, &stmt,
	    "SELECT id, salt, issued_ms, "
	    "(SELECT count(*) FROM recovery_code c WHERE c.issue = r.id AND c.used = 0) "
	    "FROM recovery r WHERE user = ?1",
	    sql_text(user));
	r = store_sqlite_step(s, stmt, "finding recovery codes");
	if (r <= 0)
		return r ? r : -OTP_ENOENT;
	out->issued_wall_ms = sqlite3_column_int64(stmt, 2);
	out->n = sqlite3_column_int(stmt, 3);
	if (sql_copy_text(stmt, 0, out->id, sizeof(out->id)) &&
	    store_sqlite_copy_blob(stmt, 1, out->salt, sizeof(out->salt)))
		return 0;
	*out = (struct recovery){0};
	otp_log(LOG_ERR, "store: recovery codes are malformed");
	return -OTP_ESTORE;
}

/*
 * Finds the code of the set that matches. *nr is its number or -1, *used says whether it was used
 * before, and *unused is the number of unused codes. It reads every row, so that the time tells
 * nothing.
 */
static int
match(struct sqlite_store *s, const struct trial *t, int *nr, int *used, int *unused)
{
	_auto_stmt sqlite3_stmt *stmt = NULL;
	unsigned char hash[RECOVERY_HASH_LEN];
	int r;

	*nr = -1;
	*used = 0;
	*unused = 0;
	(void)sql_prepare(s->db, &stmt, "SELECT nr, hash, used FROM recovery_code WHERE issue = ?1",
	    sql_text(t->id));
	while ((r = store_sqlite_step(s, stmt, "comparing recovery codes")) > 0) {
		int same;

		if (!store_sqlite_copy_blob(stmt, 1, hash, sizeof(hash))) {
			otp_log(LOG_ERR, "store: recovery codes are malformed");
			r = -OTP_ESTORE;
			break;
		}
		same = -(CRYPTO_memcmp(hash, t->proof, sizeof(hash)) == 0);
		*nr = (*nr & ~same) | (sqlite3_column_int(stmt, 0) & same);
		*used = (*used & ~same) | (sqlite3_column_int(stmt, 2) & same);
		*unused += !sqlite3_column_int(stmt, 2);
	}
	otp_wipe_array(hash);
	return r;
}

/* Checks that the set still exists. The id "" stands for a user without a set, and passes. */
static int
issue_check(struct sqlite_store *s, const struct trial *t)
{
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int r;

	if (!*t->id)
		return 0;
	(void)sql_prepare(s->db, &stmt, "SELECT 1 FROM recovery WHERE user = ?1 AND id = ?2",
	    sql_text(t->user), sql_text(t->id));
	r = store_sqlite_step(s, stmt, "finding recovery codes");
	return r > 0 ? 0 : r ? r : -OTP_ENOENT;
}

static int
use_up(struct sqlite_store *s, const struct instant *now, const struct trial *t, int nr)
{
	int r = 0;

	if (sql_run(s->db,
		"UPDATE recovery_code SET used = 1 WHERE issue = ?1 AND nr = ?2 AND used = 0",
		sql_text(t->id), sql_int(nr)) ||
	    sqlite3_changes(s->db) != 1 ||
	    sql_run(s->db,
		"UPDATE challenge SET state = 'dead', mac = NULL, captures = NULL "
		"WHERE user = ?1 AND state = 'live'",
		sql_text(t->user)))
		r = store_sqlite_failed(s, "using a recovery code up");
	if (!r)
		r = store_sqlite_budget_reset(s, t->budget);
	if (!r)
		r = store_sqlite_success_effects(s, now, t->user, &t->effects);
	return r;
}

static int
op_use(struct sqlite_store *s, const struct instant *now, const void *arg)
{
	const struct trial_args *o = arg;
	const struct trial *t = o->trial;
	int nr = -1, used = 0, unused = 0;
	int r = issue_check(s, t);

	if (!r)
		r = match(s, t, &nr, &used, &unused);
	if (r)
		return r;
	if (nr < 0) {
		r = store_sqlite_budget_add(s, now, t->budget, &t->rule);
		if (!r)
			r = store_sqlite_budget_failures(s, t->budget, &o->out->in_a_row);
		return r ? r : OTP_EWRONG; /* the count is committed */
	}
	if (used)
		return -OTP_EUSED;
	o->out->left = unused - 1;
	return use_up(s, now, t, nr);
}

int
store_sqlite_recovery_use(struct store *base, const struct instant *now, const struct trial *trial,
    struct trial_result *out)
{
	const struct trial_args o = {.trial = trial, .out = out};

	*out = (struct trial_result){0};
	if (trial_check(trial) || !trial->id || !trial->user || !trial->proof)
		return -OTP_EINVAL;
	return store_sqlite_transact((struct sqlite_store *)base, now, op_use, &o);
}

static int
op_drop(struct sqlite_store *s, const struct instant *now, const void *arg)
{
	int r = issue_drop(s, arg);

	(void)now;
	return r > 0 ? 0 : r ? r : -OTP_ENOENT;
}

int
store_sqlite_recovery_drop(struct store *base, const char *user)
{
	return store_sqlite_transact((struct sqlite_store *)base, NULL, op_drop, user);
}
