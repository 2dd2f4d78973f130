/*
 * The send lock. Of several concurrent sign-ins with the same user, service and source, one sends a
 * code, and the others wait for that code. The kernel keeps the lock, not the database. So the lock
 * ends with the process, even if the process is killed. If locking fails, the worst is a second
 * message.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "helpers/base/log.h"
#include "helpers/store/sqlite/sqlite.h"

/*
 * Describes a lock on one byte of the file; the number decides which byte. The file stays empty.
 * The byte and the end of the range fit an off_t of 32 bits.
 */
static struct flock
byte_of(uint64_t number, short type)
{
	return (struct flock){
	    .l_type = type,
	    .l_whence = SEEK_SET,
	    .l_start = (off_t)(number >> 34),
	    .l_len = 1,
	};
}

int
store_sqlite_send_lock_take(struct store *base, uint64_t number)
{
	struct sqlite_store *s = (struct sqlite_store *)base;
	struct flock lock = byte_of(number, F_WRLCK);

	if (s->send_lock < 0)
		s->send_lock = openat(
		    s->dir, "turns", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (s->send_lock >= 0 && !fcntl(s->send_lock, F_OFD_SETLK, &lock))
		return 0;
	if (s->send_lock >= 0 && (errno == EAGAIN || errno == EACCES))
		return -OTP_EBUSY;
	otp_log(LOG_WARNING, "store: cannot take the send lock (file turns): %s", strerror(errno));
	return -OTP_ESTORE;
}

void
store_sqlite_send_lock_release(struct store *base)
{
	struct sqlite_store *s = (struct sqlite_store *)base;

	own_close(&s->send_lock);
	s->send_lock = -1;
}
