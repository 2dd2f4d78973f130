/* What the operations and the opening of the SQLite store share. */
#ifndef OTP_STORE_SQLITE_H
#define OTP_STORE_SQLITE_H

#include <sqlite3.h>

#include "helpers/store.h"

struct sqlite_store {
	struct store base;
	sqlite3 *db;
	int dir;
	store_wait_fn *wait;
	void *arg;
	bool full; /* the last failure was for want of space */
};

extern const struct store_ops store_sqlite_ops;

/* What providers have us keep: store_sqlite_provider.c. */
int store_sqlite_session_get(
    struct store *base, const struct instant *now, const char *key, struct secret *sealed);
int store_sqlite_session_put(struct store *base, const struct instant *now, const char *key,
    const char *sealed, int64_t keep_wall_ms);
int store_sqlite_session_drop(struct store *base, const char *key);
int store_sqlite_credits_put(struct store *base, const struct instant *now, const char *provider,
    const char *channel, int64_t credits);
int store_sqlite_credits_each(struct store *base, credits_fn *fn, void *arg);

/* Logs SQLite's last error, notes whether it was for want of space. Returns -OTP_ESTORE. */
int store_sqlite_failed(struct sqlite_store *s, const char *what);
/* Was it for want of space, and were there spare bytes to give up for one more attempt? */
bool store_sqlite_make_room(struct sqlite_store *s);
void store_sqlite_close(struct store *base);

#endif
