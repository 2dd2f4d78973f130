/*
 * The store in SQLite: challenges are stored, found and ended here. try.c tries and consumes them.
 *
 * MUST:
 *  - a user, service and source have at most one live challenge; an address, as the provider knows
 *    it, has at most one if the provider ties its codes to the address;
 *  - a challenge that is no longer live keeps nothing that could prove a code.
 */
#include <stdlib.h>

#include "common/err.h"
#include "helpers/base/log.h"
#include "helpers/base/sql.h"
#include "helpers/store/sqlite/sqlite.h"

/* Long enough to tell a concurrent sign-in that the code was used already. */
#define CHALLENGE_KEEP_MS (INT64_C(24) * 60 * 60 * 1000)

/* A message that was counted so lately may be under way, and its challenge not stored yet. */
#define SEND_UNDER_WAY_MS (INT64_C(60) * 1000)

struct put_args {
	const struct challenge *c;
	int64_t reservation;
};

static int
kill_older(struct sqlite_store *s, const struct challenge *c)
{
	if (sql_run(s->db,
		"UPDATE challenge SET state = 'dead', mac = NULL, captures = NULL "
		"WHERE user = ?1 AND service = ?2 AND source = ?3 AND state = 'live'",
		sql_text(c->user), sql_text(c->service), sql_text(c->source)) ||
	    (c->identity[0] &&
		sql_run(s->db,
		    "UPDATE challenge SET state = 'dead', mac = NULL, captures = NULL "
		    "WHERE identity = ?1 AND state = 'live'",
		    sql_text(c->identity))))
		return store_sqlite_failed(s, "ending older challenges");
	return 0;
}

static int
op_put(struct sqlite_store *s, const struct instant *now, const void *arg)
{
	const struct put_args *o = arg;
	const struct challenge *c = o->c;
	int r = kill_older(s, c);

	if (!r && sql_run(s->db,
		      "INSERT INTO challenge (id, state, user, service, source, channel, provider, "
		      "address, mac, captures, boot_id, expires_boot_ms, sent_ms, tries, "
		      "reservation, lease_by, lease_boot_ms, keep_ms, known, pretended, identity) "
		      "VALUES "
		      "(?1, 'live', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 0, 0, "
		      "?15, ?16, ?17, ?18)",
		      sql_text(c->id), sql_text(c->user), sql_text(c->service), sql_text(c->source),
		      sql_text(c->channel), sql_text(c->provider), sql_text(c->address),
		      sql_blob(c->has_mac ? c->mac : NULL, sizeof(c->mac)), sql_text(c->captures),
		      sql_text(now->boot_id), sql_int(c->expires_boot_ms), sql_int(c->sent_wall_ms),
		      sql_int(c->tries), sql_int(o->reservation),
		      sql_int(now->wall_ms + CHALLENGE_KEEP_MS), sql_int(c->known),
		      sql_int(c->pretended), sql_text(c->identity)))
		r = store_sqlite_failed(s, "storing a challenge");
	return r;
}

int
store_sqlite_challenge_put(
    struct store *base, const struct instant *now, const struct challenge *c, int64_t reservation)
{
	struct put_args o = {.c = c, .reservation = reservation};

	if (!store_sqlite_is_id(c->id) || !c->user[0] || !now->boot_id[0])
		return -OTP_EINVAL;
	return store_sqlite_transact((struct sqlite_store *)base, now, op_put, &o);
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
	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return true;
	c->has_mac = store_sqlite_copy_blob(stmt, column, c->mac, sizeof(c->mac));
	return c->has_mac;
}

static bool
challenge_of_row(sqlite3_stmt *stmt, struct challenge *c)
{
	c->expires_boot_ms = sqlite3_column_int64(stmt, 7);
	c->sent_wall_ms = sqlite3_column_int64(stmt, 8);
	c->tries = sqlite3_column_int(stmt, 9);
	c->known = sqlite3_column_int(stmt, 12) != 0;
	c->pretended = sqlite3_column_int(stmt, 13) != 0;
	return sql_copy_text(stmt, 0, c->id, sizeof(c->id)) &&
	       sql_copy_text(stmt, 1, c->user, sizeof(c->user)) &&
	       sql_copy_text(stmt, 2, c->service, sizeof(c->service)) &&
	       sql_copy_text(stmt, 3, c->source, sizeof(c->source)) &&
	       sql_copy_text(stmt, 4, c->channel, sizeof(c->channel)) &&
	       sql_copy_text(stmt, 5, c->provider, sizeof(c->provider)) &&
	       sql_copy_text(stmt, 6, c->address, sizeof(c->address)) && copy_mac(stmt, 10, c) &&
	       copy_captures(stmt, 11, &c->captures);
}

int
store_sqlite_challenge_find(struct store *base, const struct instant *now, const char *user,
    const char *service, const char *source, struct challenge *out)
{
	struct sqlite_store *s = (struct sqlite_store *)base;
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int r;

	*out = (struct challenge){0};
	(void)sql_prepare(s->db, &stmt,
	    "SELECT id, user, service, source, channel, provider, address, expires_boot_ms, "
	    "sent_ms, tries, mac, captures, known, pretended FROM challenge WHERE user = ?1 AND "
	    "service = ?2 AND "
	    "source = ?3 AND state = 'live' AND boot_id = ?4 AND expires_boot_ms > ?5",
	    sql_text(user), sql_text(service), sql_text(source), sql_text(now->boot_id),
	    sql_int(now->boot_ms));
	r = store_sqlite_step(s, stmt, "finding a challenge");
	if (r <= 0)
		return r ? r : -OTP_ENOENT;
	if (!challenge_of_row(stmt, out)) {
		challenge_clear(out);
		otp_log(LOG_ERR, "store: a challenge is malformed");
		return -OTP_ESTORE;
	}
	return 0;
}

/*
 * A challenge is stored only after the provider's answer. Until then, the message that a known
 * source has had counted shows that there will be one. The service of a sign-in through a program
 * that runs as a user begins with "peer:".
 */
int
store_sqlite_challenge_spared(struct store *base, const struct instant *now, const char *identity,
    const char *address, const char *peer_user)
{
	struct sqlite_store *s = (struct sqlite_store *)base;
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int r;

	(void)sql_prepare(s->db, &stmt,
	    "SELECT 1 FROM challenge WHERE identity = ?1 AND identity <> '' AND state = 'live' "
	    "AND boot_id = ?3 AND expires_boot_ms > ?4 AND (known = 1 OR (?5 IS NOT NULL AND NOT "
	    "(user = ?5 AND substr(service, 1, 5) = 'peer:'))) "
	    "UNION ALL SELECT 1 FROM send_event WHERE kind = 'address' AND owner = ?2 AND "
	    "place <> '' AND at_ms > ?6 LIMIT 1",
	    sql_text(identity), sql_text(address), sql_text(now->boot_id), sql_int(now->boot_ms),
	    sql_text(peer_user), sql_int(now->wall_ms - SEND_UNDER_WAY_MS));
	r = store_sqlite_step(s, stmt, "finding a challenge");
	return r > 0 ? -OTP_EBUSY : r;
}

static int
op_kill(struct sqlite_store *s, const struct instant *now, const void *arg)
{
	const char *id = arg;

	(void)now;
	if (sql_run(s->db,
		"UPDATE challenge SET state = 'dead', mac = NULL, captures = NULL "
		"WHERE id = ?1 AND state = 'live'",
		sql_text(id)))
		return store_sqlite_failed(s, "ending a challenge");
	return 0;
}

int
store_sqlite_challenge_kill(struct store *base, const char *id)
{
	return store_sqlite_transact((struct sqlite_store *)base, NULL, op_kill, id);
}

int
store_sqlite_challenge_used(struct store *base, const char *id)
{
	struct sqlite_store *s = (struct sqlite_store *)base;
	_auto_stmt sqlite3_stmt *stmt = NULL;
	int r;

	(void)sql_prepare(
	    s->db, &stmt, "SELECT 1 FROM challenge WHERE id = ?1 AND state = 'used'", sql_text(id));
	r = store_sqlite_step(s, stmt, "reading a challenge");
	return r > 0 ? -OTP_EUSED : r;
}
