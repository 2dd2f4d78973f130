#include "helpers/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/own.h"

enum { ACCOUNT_ROOM = 64 * 1024, ACCOUNT_GROUPS_MAX = 65536 };

int
account_lookup(const char *name, struct account *out)
{
	_auto_free char *room = malloc(ACCOUNT_ROOM);
	struct passwd pw, *found = NULL;
	int e;

	*out = (struct account){.exists = false};
	if (!room)
		return -OTP_ENOMEM;
	if (!*name)
		return 0;
	e = getpwnam_r(name, &pw, room, ACCOUNT_ROOM, &found);
	/* POSIX leaves open how "no such user" is said: these are the ways of getpwnam(3). */
	if (!found && (e == 0 || e == ENOENT || e == ESRCH))
		return 0;
	if (!found) {
		errno = e;
		return -OTP_ESYS;
	}
	if (strlen(pw.pw_name) >= sizeof(out->name))
		return -OTP_ETOOBIG;
	(void)snprintf(out->name, sizeof(out->name), "%s", pw.pw_name);
	out->uid = pw.pw_uid;
	out->gid = pw.pw_gid;
	out->exists = true;
	return 0;
}

int
account_groups(struct account *a)
{
	int n = 64, had;

	do {
		gid_t *more = reallocarray(a->group, (size_t)n, sizeof(*more));

		if (!more)
			return -OTP_ENOMEM;
		a->group = more;
		had = n;
		if (getgrouplist(a->name, a->gid, a->group, &n) >= 0) {
			a->ngroups = (size_t)n;
			return 0;
		}
	} while (n > had && n <= ACCOUNT_GROUPS_MAX);
	errno = ERANGE;
	return -OTP_ESYS;
}

void
account_clear(struct account *a)
{
	free(a->group);
	a->group = NULL;
	a->ngroups = 0;
}
