/*
 * Locks that the kernel keeps, not the database. So a lock ends with its process, even if the
 * process is killed. All are locks on single bytes of the file `turns`, which stays empty.
 *
 * The send lock: of several concurrent sign-ins with the same user, service and source, one sends a
 * code, and the others wait for that code. If locking fails, the worst is a second message.
 *
 * The places for hashes: the hash of a recovery code is slow by design, and a sign-in may try
 * several. Whoever makes many sign-ins must not keep out the others by it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "helpers/base/log.h"
#include "helpers/store/sqlite/sqlite.h"

/* Where each kind of lock begins in the file. Every byte fits an off_t of 32 bits. */
enum {
	SEND_LOCKS = 0,		    /* 2^30 bytes */
	HASHES_OF_A_USER = 1 << 30, /* 2^29 bytes */
	HASHES_OF_ALL = (1 << 30) + (1 << 29),
};

/* Opens the file, if it is not open yet. The kernel keeps the locks of each descriptor apart. */
static void
open_turns(const struct sqlite_store *s, int *fd)
{
	if (*fd < 0)
		*fd = openat(
		    s->dir, "turns", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
}

static bool
lock_byte(int fd, off_t at)
{
	struct flock lock = {
	    .l_type = F_WRLCK,
	    .l_whence = SEEK_SET,
	    .l_start = at,
	    .l_len = 1,
	};

	return fd >= 0 && !fcntl(fd, F_OFD_SETLK, &lock);
}

/* Returns why lock_byte() has failed: -OTP_EBUSY, or -OTP_ESTORE with a log line. */
static int
why_not(int fd, const char *what)
{
	if (fd >= 0 && (errno == EAGAIN || errno == EACCES))
		return -OTP_EBUSY;
	otp_log(LOG_WARNING, "store: cannot take the %s (file turns): %s", what, strerror(errno));
	return -OTP_ESTORE;
}

int
store_sqlite_send_lock_take(struct store *base, uint64_t number)
{
	struct sqlite_store *s = (struct sqlite_store *)base;

	open_turns(s, &s->send_lock);
	return lock_byte(s->send_lock, SEND_LOCKS + (off_t)(number >> 34))
		   ? 0
		   : why_not(s->send_lock, "send lock");
}

void
store_sqlite_send_lock_release(struct store *base)
{
	struct sqlite_store *s = (struct sqlite_store *)base;

	own_close(&s->send_lock);
	s->send_lock = -1;
}

int
store_sqlite_hash_place_take(struct store *base, uint64_t number, bool known)
{
	struct sqlite_store *s = (struct sqlite_store *)base;
	bool mine;
	int r;

	open_turns(s, &s->hash_place);
	mine = lock_byte(s->hash_place, HASHES_OF_A_USER + (off_t)(number >> 35));
	for (int i = 0; mine && i < HASH_PLACES / 2; i++)
		if (lock_byte(s->hash_place, HASHES_OF_ALL + (known ? 0 : HASH_PLACES / 2) + i))
			return 0;
	r = why_not(s->hash_place, "place for a hash");
	store_sqlite_hash_place_release(base);
	return r;
}

void
store_sqlite_hash_place_release(struct store *base)
{
	struct sqlite_store *s = (struct sqlite_store *)base;

	own_close(&s->hash_place);
	s->hash_place = -1;
}
