#include "helpers/base/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/own.h"

enum { ACCOUNT_ROOM = 64 * 1024, ACCOUNT_GROUPS_MAX = 65536 };
/* Bytes for a group, which may have many members. */
enum { GROUP_ROOM_FIRST = 4096, GROUP_ROOM_MAX = 16 * 1024 * 1024 };

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
	do {
		errno = EIO; /* the error if a failing service sets none */
		e = getpwnam_r(name, &pw, room, ACCOUNT_ROOM, &found);
	} while (e == EINTR);
	/*
	 * Only "no error and nobody found" means that there is no such user. ENOENT does not: with
	 * glibc it is the error if sssd, nslcd or winbind cannot be reached.
	 */
	if (e)
		return -OTP_ENAMES;
	if (!found)
		return 0;
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
	return -OTP_ETOOBIG;
}

int
account_group_lookup(const char *name, gid_t *gid)
{
	struct group record, *found = NULL;
	int e = ERANGE;

	for (size_t size = GROUP_ROOM_FIRST; e == ERANGE && size <= GROUP_ROOM_MAX; size *= 4) {
		_auto_free char *memory = malloc(size);

		if (!memory)
			return -OTP_ENOMEM;
		do {
			errno = EIO; /* as in account_lookup() */
			e = getgrnam_r(name, &record, memory, size, &found);
		} while (e == EINTR);
		if (!e && found) {
			*gid = record.gr_gid;
			return 0;
		}
	}
	return e ? -OTP_ENAMES : -OTP_ENOENT;
}

void
account_clear(struct account *a)
{
	free(a->group);
	a->group = NULL;
	a->ngroups = 0;
}
