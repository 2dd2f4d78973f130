/*
 * The store in SQLite: messages are counted before they are sent.
 *
 * MUST:
 *  - a send is counted against all of its budgets or against none: every window is checked before
 *    the first is counted;
 *  - a success gives back what SEND_RETURNS counted, never what SEND_STAYS counted.
 */
#include <stdlib.h>
#include <sys/random.h>

#include "common/err.h"
#include "helpers/base/log.h"
#include "helpers/base/sql.h"
#include "helpers/store/sqlite/sqlite.h"

struct reserve_args {
	const struct send_count *count;
	size_t n;
	int64_t id;
	struct store_refusal *why;
};

/*
 * Checks whether the window has room. An event with a time in the future counts: the clock was set
 * back. 0, -OTP_ELIMIT, -OTP_EINVAL or -OTP_ESTORE.
 */
static int
window_check(struct sqlite_store *s, const struct instant *now, const struct budget *b,
    const struct conf_window *w, struct store_refusal *why)
{
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int64_t until;
	int r;

	if (w->count < 1 || w->span < 1)
		return -OTP_EINVAL;
	(void)sql_prepare(s->db, &stmt,
	    "SELECT at_ms FROM send_event WHERE kind = ?1 AND owner = ?2 AND place = ?3 "
	    "AND at_ms > ?4 ORDER BY at_ms DESC LIMIT 1 OFFSET ?5",
	    sql_text(b->kind), sql_text(b->owner), sql_text(b->known_source),
	    sql_int(now->wall_ms - w->span), sql_int(w->count - 1));
	r = store_sqlite_step(s, stmt, "counting sends");
	if (r <= 0)
		return r;
	until = sqlite3_column_int64(stmt, 0) + w->span;
	if (until > why->until_wall_ms) {
		why->until_wall_ms = until;
		memcpy(why->kind, b->kind, sizeof(why->kind));
	}
	return -OTP_ELIMIT;
}

static int
send_check(struct sqlite_store *s, const struct instant *now, const struct reserve_args *o)
{
	int refused = 0;

	*o->why = (struct store_refusal){0};
	for (size_t i = 0; i < o->n; i++) {
		const struct send_count *c = &o->count[i];

		for (size_t j = 0; j < c->windows.n; j++) {
			int r = window_check(s, now, &c->budget, &c->windows.item[j], o->why);

			if (r && r != -OTP_ELIMIT)
				return r;
			if (r)
				refused = r;
		}
	}
	return refused;
}

static int
send_add(struct sqlite_store *s, const struct instant *now, const struct send_count *c, int64_t id)
{
	int64_t longest = 0;

	for (size_t i = 0; i < c->windows.n; i++)
		if (c->windows.item[i].span > longest)
			longest = c->windows.item[i].span;
	if (sql_run(s->db,
		"INSERT INTO send_event (reservation, kind, owner, place, returns, at_ms, keep_ms) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		sql_int(id), sql_text(c->budget.kind), sql_text(c->budget.owner),
		sql_text(c->budget.known_source), sql_int(c->mode == SEND_RETURNS),
		sql_int(now->wall_ms), sql_int(now->wall_ms + longest)))
		return store_sqlite_failed(s, "reserving a send");
	return 0;
}

static int
op_reserve(struct sqlite_store *s, const struct instant *now, const void *arg)
{
	const struct reserve_args *o = arg;
	int r = send_check(s, now, o);

	for (size_t i = 0; !r && i < o->n; i++)
		if (o->count[i].mode != SEND_CHECK_ONLY)
			r = send_add(s, now, &o->count[i], o->id);
	return r;
}

int
store_sqlite_send_reserve(struct store *base, const struct instant *now,
    const struct send_count *count, size_t n, int64_t *id, struct store_refusal *why)
{
	struct reserve_args o = {.count = count, .n = n, .why = why};
	int r;

	*why = (struct store_refusal){0};
	for (size_t i = 0; i < n; i++)
		if (!count[i].budget.kind[0])
			return -OTP_EINVAL;
	if (getrandom(&o.id, sizeof(o.id), 0) != sizeof(o.id)) {
		otp_logr(LOG_ERR, -OTP_ESYS, "store: getrandom");
		return -OTP_ESTORE;
	}
	r = store_sqlite_transact((struct sqlite_store *)base, now, op_reserve, &o);
	if (!r)
		*id = o.id;
	return r;
}

static int
op_return(struct sqlite_store *s, const struct instant *now, const void *arg)
{
	const int64_t *id = arg;

	(void)now;
	if (sql_run(s->db, "DELETE FROM send_event WHERE reservation = ?1", sql_int(*id)))
		return store_sqlite_failed(s, "taking a send back");
	return 0;
}

int
store_sqlite_send_return(struct store *base, int64_t id)
{
	return store_sqlite_transact((struct sqlite_store *)base, NULL, op_return, &id);
}

int
store_sqlite_give_back(struct sqlite_store *s, int64_t reservation)
{
	if (sql_run(s->db, "DELETE FROM send_event WHERE reservation = ?1 AND returns = 1",
		sql_int(reservation)))
		return store_sqlite_failed(s, "giving a send back");
	return 0;
}
