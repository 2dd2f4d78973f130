/*
 * The store in SQLite: opening it, and the table of its operations. Each kind of data has a file of
 * its own for its operations. Every sign-in opens the store in a process of its own; many do so at
 * the same time.
 *
 * MUST:
 *  - a sign-in never makes a database and never uses one that is not a store of pam_otp; in an
 *    older store it changes the schema and nothing else.
 */
#include "helpers/store/sqlite/sqlite.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "common/err.h"
#include "common/own.h"
#include "helpers/base/log.h"
#include "helpers/base/sql.h"

/* The write-ahead log is written back at 1 MiB: then recovery and write-back are short. */
enum { CHECKPOINT_PAGES = 256 };

static void
store_free(struct sqlite_store *s)
{
	if (!s)
		return;
	(void)sqlite3_close(s->db);
	own_close(&s->send_lock);
	own_close(&s->hash_place);
	own_close(&s->dir);
	free(s);
}

static void
own_store(struct sqlite_store **s)
{
	store_free(*s);
}

static void
sqlite_close(struct store *base)
{
	store_free((struct sqlite_store *)base);
}

static const struct store_ops sqlite_ops = {
    .send_reserve = store_sqlite_send_reserve,
    .send_return = store_sqlite_send_return,
    .send_lock_take = store_sqlite_send_lock_take,
    .send_lock_release = store_sqlite_send_lock_release,
    .challenge_put = store_sqlite_challenge_put,
    .challenge_find = store_sqlite_challenge_find,
    .challenge_spared = store_sqlite_challenge_spared,
    .challenge_kill = store_sqlite_challenge_kill,
    .try_mac = store_sqlite_try_mac,
    .try_count = store_sqlite_try_count,
    .check_end = store_sqlite_check_end,
    .try_return = store_sqlite_try_return,
    .consume = store_sqlite_consume,
    .locked = store_sqlite_locked,
    .challenge_used = store_sqlite_challenge_used,
    .source_known = store_sqlite_source_known,
    .remembered_find = store_sqlite_remembered_find,
    .remembered_each = store_sqlite_remembered_each,
    .remembered_drop = store_sqlite_remembered_drop,
    .recovery_put = store_sqlite_recovery_put,
    .recovery_find = store_sqlite_recovery_find,
    .hash_place_take = store_sqlite_hash_place_take,
    .hash_place_release = store_sqlite_hash_place_release,
    .recovery_use = store_sqlite_recovery_use,
    .recovery_drop = store_sqlite_recovery_drop,
    .sample_put = store_sqlite_sample_put,
    .samples = store_sqlite_samples,
    .retry_after_put = store_sqlite_retry_after_put,
    .retry_after_find = store_sqlite_retry_after_find,
    .facts = store_sqlite_facts,
    .unlock = store_sqlite_unlock,
    .token_get = store_sqlite_token_get,
    .token_put = store_sqlite_token_put,
    .token_drop = store_sqlite_token_drop,
    .credits_put = store_sqlite_credits_put,
    .credits_each = store_sqlite_credits_each,
    .close = sqlite_close,
};

static int
open_db(struct sqlite_store *s, const char *path)
{
	char pragma[64];
	int on = 1, r = store_sqlite_connect(s, path);

	if (r)
		return r;
	/* The last close keeps the write-ahead log, so that closing does not wait for the disk. */
	if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_PERSIST_WAL, &on) ||
	    sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL))
		return store_sqlite_failed(s, "open");
	/* After an upgrade of the package, a sign-in may come before `otpctl init`. */
	r = store_sqlite_upgrade(s);
	if (!r)
		r = store_sqlite_be_durable(s);
	(void)snprintf(pragma, sizeof(pragma), "PRAGMA wal_autocheckpoint = %d", CHECKPOINT_PAGES);
	if (!r && sql_script(s->db, pragma))
		r = store_sqlite_failed(s, "settings");
	return r;
}

int
store_sqlite_open(const char *dir, store_wait_fn *wait, void *arg, struct store **out)
{
	__attribute__((cleanup(own_store))) struct sqlite_store *s = calloc(1, sizeof(*s));
	char path[PATH_MAX];
	int r;

	if (!s)
		return -OTP_ENOMEM;
	*s = (struct sqlite_store){.base.ops = &sqlite_ops,
	    .dir = -1,
	    .send_lock = -1,
	    .hash_place = -1,
	    .wait = wait,
	    .arg = arg};
	if (getrandom(&s->lease_owner, sizeof(s->lease_owner), 0) != sizeof(s->lease_owner)) {
		otp_logr(LOG_ERR, -OTP_ESYS, "store: getrandom");
		return -OTP_ESTORE;
	}
	s->lease_owner |= 1; /* 0 means: no lease */
	r = store_sqlite_open_dir(dir, &s->dir);
	if (!r)
		r = store_sqlite_judge_files(s->dir);
	if (r)
		return r;
	if (snprintf(path, sizeof(path), "%s/%s", dir, STORE_DB) >= (int)sizeof(path))
		return -OTP_EINVAL;
	r = open_db(s, path);
	if (r == -OTP_ESTORE && store_sqlite_make_room(s)) {
		(void)sqlite3_close(take(&s->db));
		r = open_db(s, path);
	}
	if (r)
		return r;
	reserve_keep(s->dir);
	*out = &take(&s)->base;
	return 0;
}
