/*
 * A name service for tests, after "files" in nsswitch.conf. It knows every user of /etc/passwd
 * under any spelling of upper and lower case (as directories do), no group, and fails on purpose
 * for either: "ns-unavail" as a directory that is away, "ns-tryagain" as one that is busy.
 */
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <string.h>

enum nss_status _nss_otptest_getpwnam_r(
    const char *name, struct passwd *pw, char *buf, size_t len, int *errnop);
enum nss_status _nss_otptest_getspnam_r(
    const char *name, struct spwd *sp, char *buf, size_t len, int *errnop);
enum nss_status _nss_otptest_getgrnam_r(
    const char *name, struct group *gr, char *buf, size_t len, int *errnop);

static enum nss_status
failure(const char *name, int *errnop)
{
	if (strcmp(name, "ns-unavail") == 0) {
		*errnop = EIO;
		return NSS_STATUS_UNAVAIL;
	}
	if (strcmp(name, "ns-tryagain") == 0) {
		*errnop = EAGAIN;
		return NSS_STATUS_TRYAGAIN;
	}
	return NSS_STATUS_SUCCESS;
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

/* For hosts that ask for the password of whom they were told. */
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

	(void)gr, (void)buf, (void)len;
	if (s != NSS_STATUS_SUCCESS)
		return s;
	*errnop = ENOENT;
	return NSS_STATUS_NOTFOUND;
}
