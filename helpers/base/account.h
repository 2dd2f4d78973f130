/* Users and groups of this machine, as the name service knows them. */
#ifndef OTP_BASE_ACCOUNT_H
#define OTP_BASE_ACCOUNT_H

#include <stdbool.h>
#include <sys/types.h>

struct account {
	bool exists;
	char name[256]; /* canonical: pw_name, which may differ from the name that was asked for */
	uid_t uid;
	gid_t gid;
	gid_t *group; /* all groups, owned; only after account_groups() */
	size_t ngroups;
};

/*
 * Looks a user up. 0, with out->exists false if there is no such user; -OTP_ENAMES: the name
 * service failed; -OTP_ENOMEM; -OTP_ETOOBIG: the canonical name is too long. The caller calls
 * account_clear().
 */
int account_lookup(const char *name, struct account *out);
/*
 * Adds the groups of the user. If one service of nsswitch.conf(5) fails, its groups are missing:
 * getgrouplist(3) reports no such error, but account_group_lookup() does.
 * 0, -OTP_ENOMEM or -OTP_ETOOBIG.
 */
int account_groups(struct account *a);
/*
 * Looks a group up. 0; -OTP_ENOENT: there is no such group; -OTP_ENAMES: the name service failed;
 * -OTP_ENOMEM.
 */
int account_group_lookup(const char *name, gid_t *gid);
/* Frees the groups. */
void account_clear(struct account *a);

#endif
