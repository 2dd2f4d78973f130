/* Users of this machine, asked of the name service. */
#ifndef OTP_ACCOUNT_H
#define OTP_ACCOUNT_H

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

/* 0, with exists false for an unknown user; -OTP_ESYS when the name service failed. */
int account_lookup(const char *name, struct account *out);
/* Adds the groups. 0, -OTP_ENOMEM or -OTP_ESYS. */
int account_groups(struct account *a);
void account_clear(struct account *a);

#endif
