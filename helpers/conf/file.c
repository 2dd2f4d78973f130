/*
 * MUST:
 *  - A file that somebody other than root or the second owner may write has no effect. Owner, mode
 *    and type are checked on the descriptor that is read (common/trust.h). The same holds for the
 *    folder of drop-in files.
 *  - A drop-in file that cannot be read is an error. It is never skipped.
 */
#include "helpers/conf/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/err.h"
#include "common/own.h"
#include "common/trust.h"
#include "helpers/conf/ini.h"
#include "helpers/conf/parse.h"

/* Reports why a file or folder is not trusted, and the command that mends it. */
static void
report_untrusted(struct conf_report *rep, const char *path, bool folder, uid_t second_owner)
{
	struct stat st;

	if (lstat(path, &st))
		conf_error(rep, path, 0, "cannot be examined: %s", strerror(errno));
	else if (S_ISLNK(st.st_mode))
		conf_error(rep, path, 0, "is a symbolic link: name the file itself");
	else if (folder ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
		conf_error(rep, path, 0, "is not a %s", folder ? "folder" : "regular file");
	else if (st.st_uid != 0 && st.st_uid != second_owner)
		conf_error(rep, path, 0, "belongs to uid %u, expected root; run: chown root %s",
		    (unsigned)st.st_uid, path);
	else
		conf_error(rep, path, 0,
		    "may be written by others than its owner (mode %04o); run: chmod go-w %s",
		    (unsigned)st.st_mode & 07777, path);
}

static int
read_text(const char *path, uid_t second_owner, struct secret *text, struct conf_report *rep)
{
	int r = trust_read(path, second_owner, TRUST_PUBLIC, CONF_FILE_MAX, text);

	if (r == -OTP_EPERM)
		report_untrusted(rep, path, false, second_owner);
	else if (r == -OTP_ENOENT)
		conf_error(rep, path, 0, "there is no such file");
	else if (r == -OTP_ETOOBIG)
		conf_error(
		    rep, path, 0, "is too large, expected at most %d KiB", CONF_FILE_MAX / 1024);
	else if (r == -OTP_ESYS)
		conf_error(rep, path, 0, "cannot be read: %s", strerror(errno));
	return r;
}

int
conf_file_read(
    const char *path, uid_t second_owner, struct conf_sections *s, struct conf_report *rep)
{
	_auto_secret struct secret text = {0};
	const char *nul;
	unsigned line = 1;
	int r = read_text(path, second_owner, &text, rep);

	if (r)
		return r == -OTP_ENOMEM ? r : 0;
	nul = text.len ? memchr(text.bytes, '\0', text.len) : NULL;
	for (const char *c = text.bytes; nul && c < nul; c++)
		line += *c == '\n';
	if (nul) {
		conf_error(
		    rep, path, line, "this line has a NUL byte; the file must be UTF-8 text");
		return 0;
	}
	if (!strncmp(secret_str(&text), "\xef\xbb\xbf", 3)) {
		conf_error(rep, path, 1,
		    "the file begins with a byte order mark; save it as UTF-8 without one");
		memmove(text.bytes, text.bytes + 3, text.len - 3 + 1);
		text.len -= 3;
	}
	if (!text.len)
		return 0;
	return conf_ini_parse(path, text.bytes, text.len, s, rep);
}

static int
compare_names(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

static bool
is_dropin(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 5 && !strcmp(name + len - 5, ".conf");
}

static int
list_folder(DIR *d, const char *folder, struct strlist *out)
{
	for (struct dirent *entry; errno = 0, (entry = readdir(d));) {
		_auto_free char *path = NULL;

		if (!is_dropin(entry->d_name))
			continue;
		if (asprintf(&path, "%s/%s", folder, entry->d_name) < 0) {
			path = NULL;
			return -OTP_ENOMEM;
		}
		if (!strlist_add(out, path))
			return -OTP_ENOMEM;
	}
	return errno ? -OTP_ESYS : 0;
}

int
conf_file_dropins(
    const char *path, uid_t second_owner, struct strlist *out, struct conf_report *rep)
{
	_auto_free char *folder = NULL;
	struct stat st;
	DIR *d;
	int fd, r;

	if (asprintf(&folder, "%s.d", path) < 0) {
		folder = NULL;
		return -OTP_ENOMEM;
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
		report_untrusted(rep, folder, true, second_owner);
		return 0;
	}
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d || fstat(fd, &st)) {
		conf_error(rep, folder, 0, "cannot be read: %s", strerror(errno));
		if (d)
			(void)closedir(d);
		else if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	if ((st.st_uid != 0 && st.st_uid != second_owner) || st.st_mode & (S_IWGRP | S_IWOTH)) {
		report_untrusted(rep, folder, true, second_owner);
		r = 0;
	} else {
		r = list_folder(d, folder, out);
		if (r == -OTP_ESYS) {
			conf_error(rep, folder, 0, "cannot be read: %s", strerror(errno));
			r = 0;
		}
	}
	(void)closedir(d);
	if (out->n)
		qsort(out->item, out->n, sizeof(*out->item), compare_names);
	return r;
}
