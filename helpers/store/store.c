#include "helpers/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "common/secret.h"

static const char reserve_name[] = "reserve";

/* The reserve file is made only while the disk has this many free bytes. */
enum { RESERVE_NEEDS_FREE = 16 * STORE_RESERVE };

void
challenge_clear(struct challenge *c)
{
	secret_str_free(c->captures);
	otp_wipe(*c);
}

int
trial_check(const struct trial *t)
{
	const struct try_rule *rule = &t->rule;

	if (!t->budget || !t->budget->kind[0] || rule->failures < 1 ||
	    rule->most < rule->failures || rule->per_challenge < 1 || rule->backoff_first_ms < 1 ||
	    rule->backoff_most_ms < rule->backoff_first_ms)
		return -OTP_EINVAL;
	return 0;
}

int64_t
try_locked_until(const struct try_rule *rule, int64_t failures, int64_t last_wall_ms)
{
	int64_t backoff = rule->backoff_first_ms, until;

	if (failures >= rule->most)
		return STORE_FOREVER;
	if (failures < rule->failures)
		return 0;
	for (int64_t n = rule->failures; n < failures && backoff < rule->backoff_most_ms; n++)
		backoff = backoff > rule->backoff_most_ms / 2 ? rule->backoff_most_ms : backoff * 2;
	return __builtin_add_overflow(last_wall_ms, backoff, &until) ? STORE_FOREVER : until;
}

static int
reserve_open(int dir, int flags, struct stat *st)
{
	_auto_close int fd =
	    openat(dir, reserve_name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);

	if (fd < 0 || fstat(fd, st) || !S_ISREG(st->st_mode) || st->st_uid != geteuid() ||
	    st->st_nlink != 1)
		return -1;
	return take_fd(&fd);
}

static bool
has_room(int dir)
{
	struct statvfs fs;

	return !fstatvfs(dir, &fs) &&
	       (uint64_t)fs.f_bavail * fs.f_frsize >= (uint64_t)RESERVE_NEEDS_FREE;
}

/*
 * Fills the file with random bytes, so that also a file system that compresses, or leaves holes,
 * allocates all blocks.
 */
static bool
reserve_fill(int fd)
{
	unsigned char block[4096];

	for (size_t done = 0; done < STORE_RESERVE; done += sizeof(block)) {
		if (getrandom(block, sizeof(block), 0) != (ssize_t)sizeof(block))
			return false;
		if (pwrite(fd, block, sizeof(block), (off_t)done) != (ssize_t)sizeof(block))
			return false;
	}
	return fsync(fd) == 0;
}

void
reserve_keep(int dir)
{
	_auto_close int fd = -1;
	struct stat st;

	if (!fstatat(dir, reserve_name, &st, AT_SYMLINK_NOFOLLOW) && st.st_size >= STORE_RESERVE)
		return;
	if (!has_room(dir))
		return;
	fd = reserve_open(dir, O_WRONLY | O_CREAT, &st);
	if (fd >= 0 && !reserve_fill(fd) && ftruncate(fd, 0))
		(void)unlinkat(dir, reserve_name, 0);
}

bool
reserve_release(int dir)
{
	struct stat st;
	_auto_close int fd = reserve_open(dir, O_WRONLY, &st);

	/* Some file systems can use freed blocks again only after fsync(2). */
	return fd >= 0 && st.st_size > 0 && !ftruncate(fd, 0) && !fsync(fd);
}
