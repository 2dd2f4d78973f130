/*
 * A name service for tests that acts like a directory. It comes after "files" in nsswitch.conf. It
 * finds every user of /etc/passwd in any spelling of upper and lower case, and the groups and
 * members of /etc/otptest-group, which has the form of /etc/group.
 *
 * It fails on purpose: always for the names below, and for every name while /run/otptest contains
 * one of them. "ns-away": sssd, nslcd or winbind does not run, or nslcd's server does not.
 * "ns-unavail": the service is unavailable for another reason. "ns-tryagain": the directory is
 * busy.
 */
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <shadow.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GROUPS	"/etc/otptest-group"
#define TROUBLE "/run/otptest"
#define WAITED	"/run/otptest-waited"

enum nss_status _nss_otptest_getpwnam_r(
    const char *name, struct passwd *pw, char *buf, size_t len, int *errnop);
enum nss_status _nss_otptest_getspnam_r(
    const char *name, struct spwd *sp, char *buf, size_t len, int *errnop);
enum nss_status _nss_otptest_getgrnam_r(
    const char *name, struct group *gr, char *buf, size_t len, int *errnop);
enum nss_status _nss_otptest_initgroups_dyn(
    const char *user, gid_t gid, long *start, long *size, gid_t **groups, long limit, int *errnop);

/* Waits three seconds. If a test has made the file WAITED, its size counts the waits. */
static void
keep_waiting(void)
{
	FILE *f = fopen(WAITED, "re+");

	if (f) {
		(void)fseek(f, 0, SEEK_END);
		(void)fputc('x', f);
		fclose(f);
	}
	(void)sleep(3);
}

static enum nss_status
named_failure(const char *name, int *errnop)
{
	static const struct {
		const char *name;
		enum nss_status status;
		int error;
	} failures[] = {
	    {"ns-away", NSS_STATUS_UNAVAIL, ENOENT},
	    {"ns-unavail", NSS_STATUS_UNAVAIL, EIO},
	    {"ns-tryagain", NSS_STATUS_TRYAGAIN, EAGAIN},
	    {"ns-silent", NSS_STATUS_UNAVAIL, 0}, /* errno stays unset */
	    {"ns-slow", NSS_STATUS_UNAVAIL, ETIMEDOUT},
	};

	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++)
		if (strcmp(name, failures[i].name) == 0) {
			if (failures[i].error == ETIMEDOUT)
				keep_waiting();
			if (failures[i].error)
				*errnop = failures[i].error;
			return failures[i].status;
		}
	return NSS_STATUS_SUCCESS;
}

static enum nss_status
failure(const char *name, int *errnop)
{
	char trouble[32] = "";
	FILE *f = fopen(TROUBLE, "re");

	if (f) {
		if (!fgets(trouble, sizeof(trouble), f))
			trouble[0] = '\0';
		fclose(f);
	}
	return named_failure(*trouble ? trouble : name, errnop);
}

enum nss_status
_nss_otptest_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t len, int *errnop)
{
	enum nss_status s = failure(name, errnop);
	struct passwd *found = NULL;
	FILE *f;

	if (s != NSS_STATUS_SUCCESS)
		return s;
	f = fopen("/etc/passwd", "re");
	if (!f) {
		*errnop = errno;
		return NSS_STATUS_UNAVAIL;
	}
	s = NSS_STATUS_NOTFOUND;
	*errnop = ENOENT;
	for (int r = 0; r == 0 && s == NSS_STATUS_NOTFOUND;) {
		r = fgetpwent_r(f, pw, buf, len, &found);
		if (r == 0 && strcasecmp(found->pw_name, name) == 0)
			s = NSS_STATUS_SUCCESS;
		if (r == ERANGE) {
			*errnop = ERANGE;
			s = NSS_STATUS_TRYAGAIN;
		}
	}
	fclose(f);
	return s;
}

/* For hosts that check the password under the spelling that was typed. */
enum nss_status
_nss_otptest_getspnam_r(const char *name, struct spwd *sp, char *buf, size_t len, int *errnop)
{
	enum nss_status s = NSS_STATUS_NOTFOUND;
	struct spwd *found = NULL;
	FILE *f = fopen("/etc/shadow", "re");

	*errnop = ENOENT;
	if (!f)
		return NSS_STATUS_UNAVAIL;
	while (s == NSS_STATUS_NOTFOUND && fgetspent_r(f, sp, buf, len, &found) == 0)
		if (strcasecmp(found->sp_namp, name) == 0)
			s = NSS_STATUS_SUCCESS;
	fclose(f);
	return s;
}

enum nss_status
_nss_otptest_getgrnam_r(const char *name, struct group *gr, char *buf, size_t len, int *errnop)
{
	enum nss_status s = failure(name, errnop);
	struct group *found = NULL;
	FILE *f;

	if (s != NSS_STATUS_SUCCESS)
		return s;
	s = NSS_STATUS_NOTFOUND;
	*errnop = ENOENT;
	f = fopen(GROUPS, "re");
	while (f && s == NSS_STATUS_NOTFOUND && fgetgrent_r(f, gr, buf, len, &found) == 0)
		if (strcmp(found->gr_name, name) == 0)
			s = NSS_STATUS_SUCCESS;
	if (f)
		fclose(f);
	return s;
}

static bool
has_member(const struct group *gr, const char *user)
{
	for (char **m = gr->gr_mem; *m; m++)
		if (strcmp(*m, user) == 0)
			return true;
	return false;
}

static bool
append(gid_t gid, long *start, long *size, gid_t **groups)
{
	if (*start == *size) {
		gid_t *more = reallocarray(*groups, 2 * (size_t)*size, sizeof(**groups));

		if (!more)
			return false;
		*groups = more;
		*size *= 2;
	}
	(*groups)[(*start)++] = gid;
	return true;
}

/* The groups of the user besides gid. libc does not report failures of this function. */
enum nss_status
_nss_otptest_initgroups_dyn(
    const char *user, gid_t gid, long *start, long *size, gid_t **groups, long limit, int *errnop)
{
	enum nss_status s = failure(user, errnop);
	char buf[4096];
	struct group gr, *found = NULL;
	FILE *f;

	(void)limit;
	if (s != NSS_STATUS_SUCCESS)
		return s;
	s = NSS_STATUS_NOTFOUND;
	*errnop = ENOENT;
	f = fopen(GROUPS, "re");
	while (f && s != NSS_STATUS_TRYAGAIN && fgetgrent_r(f, &gr, buf, sizeof(buf), &found) == 0)
		if (gr.gr_gid != gid && has_member(&gr, user))
			s = append(gr.gr_gid, start, size, groups) ? NSS_STATUS_SUCCESS
								   : NSS_STATUS_TRYAGAIN;
	if (f)
		fclose(f);
	return s;
}
