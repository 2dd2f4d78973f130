/*
 * Whose turn it is to send. A lock of the kernel's, not a row: it ends with its process, however
 * that ends, and what it keeps apart is no more than two messages for one.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "helpers/base/log.h"
#include "helpers/store/sqlite/sqlite.h"

/* The number's byte of the file, which stays empty. */
static struct flock
byte_of(uint64_t number, short type)
{
	return (struct flock){
	    .l_type = type,
	    .l_whence = SEEK_SET,
	    .l_start = (off_t)(number >> 34), /* fits every off_t, and its end, too */
	    .l_len = 1,
	};
}

int
store_sqlite_send_lock_take(struct store *base, uint64_t number)
{
	struct sqlite_store *s = (struct sqlite_store *)base;
	struct flock lock = byte_of(number, F_WRLCK);

	if (s->turns < 0)
		s->turns = openat(
		    s->dir, "turns", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (s->turns >= 0 && !fcntl(s->turns, F_OFD_SETLK, &lock))
		return 0;
	if (s->turns >= 0 && (errno == EAGAIN || errno == EACCES))
		return -OTP_EBUSY;
	otp_log(LOG_WARNING, "store: turns: %s", strerror(errno));
	return -OTP_ESTORE;
}

void
store_sqlite_send_lock_release(struct store *base)
{
	struct sqlite_store *s = (struct sqlite_store *)base;

	own_close(&s->turns);
	s->turns = -1;
}
