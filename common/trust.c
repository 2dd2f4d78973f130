#include "common/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"

static bool
trusted_owner(const struct stat *st, uid_t second_owner)
{
	return st->st_uid == 0 || st->st_uid == second_owner;
}

static int
judge_component(const char *path, bool last, uid_t second_owner)
{
	struct stat st;

	if (lstat(path, &st))
		return last && errno == ENOENT ? 0 : -OTP_ESYS;
	if (S_ISLNK(st.st_mode) || !trusted_owner(&st, second_owner) ||
	    (!last && !S_ISDIR(st.st_mode)))
		return -OTP_EPERM;
	if (S_ISDIR(st.st_mode) && st.st_uid == 0 && st.st_mode & S_ISVTX)
		return 0;
	/*
	 * Others may have write permission for a socket: it only lets them connect. To replace the
	 * socket, they would need write permission for its directory.
	 */
	if (S_ISSOCK(st.st_mode))
		return 0;
	return st.st_mode & (S_IWGRP | S_IWOTH) ? -OTP_EPERM : 0;
}

static bool
is_normal(const char *path)
{
	for (const char *p = path; *p; p++)
		if (p[0] == '/' &&
		    (p[1] == '/' || !p[1] ||
			(p[1] == '.' &&
			    (!p[2] || p[2] == '/' || (p[2] == '.' && (!p[3] || p[3] == '/'))))))
			return false;
	return path[0] == '/';
}

int
trust_path(const char *path, uid_t second_owner, char *culprit, size_t size)
{
	char part[PATH_MAX];
	size_t len = strlen(path);
	int r = judge_component("/", false, second_owner);

	(void)snprintf(culprit, size, "/");
	if (!is_normal(path) || len >= sizeof(part)) {
		(void)snprintf(culprit, size, "%s", path);
		return -OTP_EINVAL;
	}
	for (size_t i = 1; !r && i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		(void)snprintf(part, sizeof(part), "%.*s", (int)i, path);
		(void)snprintf(culprit, size, "%s", part);
		r = judge_component(part, i == len, second_owner);
	}
	return r;
}

static int
read_all(int fd, size_t size, struct secret *out)
{
	_auto_secret struct secret s = {0};
	size_t got = 0;

	s.bytes = calloc(1, size + 1);
	if (!s.bytes)
		return -OTP_ENOMEM;
	s.len = size;
	while (got < size) {
		ssize_t n = read(fd, s.bytes + got, size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -OTP_ESYS;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	s.len = got;
	secret_clear(out);
	*out = s;
	s = (struct secret){0};
	return 0;
}

int
trust_read(const char *path, uid_t second_owner, enum trust_secrecy secrecy, size_t max,
    struct secret *out)
{
	_auto_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? -OTP_ENOENT : errno == ELOOP ? -OTP_EPERM : -OTP_ESYS;
	if (fstat(fd, &st))
		return -OTP_ESYS;
	if (!S_ISREG(st.st_mode) || !trusted_owner(&st, second_owner) ||
	    st.st_mode & (S_IWGRP | S_IWOTH) || (secrecy == TRUST_SECRET && st.st_mode & S_IROTH))
		return -OTP_EPERM;
	if (st.st_size < 0 || (size_t)st.st_size > max)
		return -OTP_ETOOBIG;
	return read_all(fd, (size_t)st.st_size, out);
}
