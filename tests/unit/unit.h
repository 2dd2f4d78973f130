/* What the unit tests share: cmocka with what it needs, and a folder of the test's own. */
#ifndef OTP_UNIT_H
#define OTP_UNIT_H

#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Fails with the name of the row: a table's failure must say which row it was. */
#define ROW(ok, name)                                          \
	do {                                                   \
		if (!(ok))                                     \
			fail_msg("row \"%s\": %s", name, #ok); \
	} while (0)

struct folder {
	char path[256];
	char file[320]; /* of the last folder_at() */
};

static inline bool
is_in_memory(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == TMPFS_MAGIC && !access(path, W_OK | X_OK);
}

/*
 * Below TMPDIR or /tmp, but in memory if there is any: a store waits for the disk at each commit,
 * and no test of these proves what a disk keeps.
 */
static inline void
folder_make(struct folder *f)
{
	const char *tmp = getenv("TMPDIR");

	if (!tmp || !*tmp)
		tmp = "/tmp";
	if (!is_in_memory(tmp) && is_in_memory("/dev/shm"))
		tmp = "/dev/shm";
	(void)snprintf(f->path, sizeof(f->path), "%s/pam_otp-unit.XXXXXX", tmp);
	assert_non_null(mkdtemp(f->path));
	assert_int_equal(chmod(f->path, 0755), 0);
}

static inline void
folder_drop(const struct folder *f)
{
	char cmd[sizeof(f->path) + 32];

	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", f->path);
	assert_int_equal(system(cmd), 0);
}

/* Borrowed until the next call. */
static inline const char *
folder_at(struct folder *f, const char *name)
{
	int n = snprintf(f->file, sizeof(f->file), "%s/%s", f->path, name);

	assert_in_range(n, 1, sizeof(f->file) - 1);
	return f->file;
}

static inline const char *
folder_write(struct folder *f, const char *name, const char *text, mode_t mode)
{
	int fd = open(folder_at(f, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
	return f->file;
}

/* So many rounds; a tenth of them under valgrind, which is some fifty times slower. */
static inline int
rounds(int n)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && strstr(preload, "vgpreload") ? n / 10 : n;
}

/* Numbers that look random and are the same in every run (xorshift64*). */
static inline uint64_t
fixed_random(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * UINT64_C(2685821657736338717);
}

#endif
