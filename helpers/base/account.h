/* Users of this machine, asked of the name service. */
#ifndef OTP_BASE_ACCOUNT_H
#define OTP_BASE_ACCOUNT_H

#include <stdbool.h>
#include <sys/types.h>

struct account {
	bool exists;
	char name[256]; /* canonical: pw_name, whatever spelling was asked for */
	uid_t uid;
	gid_t gid;
	gid_t *group; /* all groups, owned; only after account_groups() */
	size_t ngroups;
};

/* 0, with exists false for an unknown user; -OTP_ENAMES, -OTP_ENOMEM or -OTP_ETOOBIG. */
int account_lookup(const char *name, struct account *out);
/*
 * Adds the groups: those that are known. getgrouplist(3) does not tell a part of the name service
 * that failed from one that knows of no more; account_group_lookup() does. 0, -OTP_ENOMEM or
 * -OTP_ETOOBIG.
 */
int account_groups(struct account *a);
/* The group's number. 0; -OTP_ENOENT when there is no such group; -OTP_ENAMES or -OTP_ENOMEM. */
int account_group_lookup(const char *name, gid_t *gid);
void account_clear(struct account *a);

#endif
