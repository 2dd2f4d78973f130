/*
 * Contacts: the registered addresses of users. Read by the helper, written by otpctl alone.
 * The interface is a struct of functions, so that another source can stand beside SQLite.
 */
#ifndef OTP_CONTACTS_H
#define OTP_CONTACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum contact_kind { CONTACT_PHONE, CONTACT_EMAIL };

const char *contact_kind_name(enum contact_kind kind); /* "phone", "email" */

enum {
	CONTACT_USER_MAX = 255,
	CONTACT_ADDRESS_MAX = 254,
	CONTACT_LABEL_MAX = 64,
	ATTRIBUTE_NAME_MAX = 32,
	ATTRIBUTE_VALUE_MAX = 2047,
};

struct contact {
	char user[CONTACT_USER_MAX + 1];
	enum contact_kind kind;
	char address[CONTACT_ADDRESS_MAX + 1]; /* E.164 with '+', or an e-mail address */
	char label[CONTACT_LABEL_MAX + 1];
	int64_t verified_at; /* wall clock, seconds; 0: not verified */
	bool preferred;
};

struct contact_list {
	struct contact *item;
	size_t n;
};

void contact_list_free(struct contact_list *l);

/*
 * The kind of a well-formed address. Who has a struct contact has it there: this is for addresses
 * that are kept alone, such as that of a challenge.
 */
enum contact_kind contact_kind_of(const char *address);
/* The address as text_mask_phone() or text_mask_email() shows it, by its kind. Returns dst. */
char *contact_masked(char *dst, size_t size, const char *address);

/*
 * Is the text a well-formed address of the kind? E.164: '+', a first digit 1-9, 8 to 15 digits in
 * all, nothing else. E-mail: a recipient of email_check(). 0 or -OTP_EINVAL; *why says in words
 * what is wrong.
 */
int contact_check(enum contact_kind kind, const char *address, const char **why);

/* One attribute, borrowed for the call. 0 to go on, or an error that ends the listing. */
typedef int attribute_fn(const char *name, const char *value, void *arg);

struct contacts;
struct contacts_ops {
	/* The user's contacts, preferred first, then by age. None: 0 with n = 0. Or -OTP_ESTORE. */
	int (*find)(struct contacts *c, const char *user, struct contact_list *out);
	/* Some contact of the kind, the same for the same pick: what a decoy looks like. Or
	 * -OTP_ENOENT where there is none, -OTP_ESTORE. */
	int (*any)(struct contacts *c, enum contact_kind kind, uint64_t pick, struct contact *out);
	/* What the user has at a provider (an id, a session cookie): fn for each. Or fn's error. */
	int (*attributes)(struct contacts *c, const char *user, const char *provider,
	    attribute_fn *fn, void *arg);
	void (*close)(struct contacts *c);
};
struct contacts {
	const struct contacts_ops *ops;
};

/* SQLite, read-only. The file must be owned by root or `also` and writable by nobody else.
 * 0, -OTP_ESTORE (missing, empty, foreign, other schema), -OTP_EPERM. The cause is logged. */
int contacts_sqlite_open(const char *path, uid_t second_owner, struct contacts **out);

/* One contact of a listing, borrowed for the call. 0 to go on, or an error that ends the listing.
 */
typedef int contact_fn(const struct contact *c, void *arg);
/* Every contact, ordered by user; of one user only where user is not NULL. Or fn's error. */
int contacts_sqlite_each(const char *path, const char *user, contact_fn *fn, void *arg);

/*
 * The writer's side, for otpctl. An edit works on a copy in memory and replaces the file by rename,
 * owner, group and mode kept: readers see the old or the new, nothing between. One edit at a time:
 * a lock file beside it is held; a second waits. The folder and all above it must be root's or the
 * caller's, and nobody else's to write. Errors as of contacts_sqlite_open(); the cause is logged.
 */
struct contacts_edit;
/* Makes an empty one, 0640. -OTP_EEXIST if there is anything of that name. */
int contacts_sqlite_create(const char *path, uid_t owner, gid_t group);
int contacts_edit_begin(const char *path, struct contacts_edit **out);
/*
 * A preferred contact takes the place of the one preferred before, of that user and kind.
 * -OTP_EEXIST: the user has this address already (the case of letters does not count);
 * -OTP_EINVAL: user, address or label is malformed.
 */
int contacts_edit_add(struct contacts_edit *e, const struct contact *c);
/* Removes one address, or all of the user's where address is NULL; *removed counts. */
int contacts_edit_remove(
    struct contacts_edit *e, const char *user, const char *address, int *removed);
/* Verified at (wall clock, seconds). -OTP_ENOENT: the user has no such address of the kind. */
int contacts_edit_verified(struct contacts_edit *e, const struct contact *c, int64_t at);
/*
 * Sets what the user has at a provider (replacing what was there), or removes it where value is
 * NULL. -OTP_EINVAL: a name that is not [a-z0-9_]{1,32}, an empty, too long or control-bearing
 * value; -OTP_ENOENT: there was none to remove.
 */
int contacts_edit_attribute(struct contacts_edit *e, const char *user, const char *provider,
    const char *name, const char *value);
/* One contact of a file, and what the file says of it: the rest of an old contact stays. */
struct contact_line {
	struct contact contact;
	bool says_label;
	bool says_preferred;
	bool says_verified;
	int64_t number; /* of the line; not 0 */
};

enum import_mode {
	IMPORT_ADD,	/* a contact that is there stays as it is */
	IMPORT_REPLACE, /* it becomes what the file says */
};

enum imported {
	IMPORTED_NEW,
	IMPORTED_SAME,
	IMPORTED_CHANGED,
	/* Not taken: */
	IMPORTED_TWICE,	       /* an earlier line has this address of the user's */
	IMPORTED_TWO_PREFERRED /* an earlier line is the user's preferred one of its kind */
};

/*
 * Takes one line of a file of any length. *earlier is the number of the earlier line.
 * -OTP_EINVAL as of contacts_edit_add().
 */
int contacts_edit_import(struct contacts_edit *e, const struct contact_line *l,
    enum import_mode mode, enum imported *what, int64_t *earlier);
/* Behind the last line: removes all other contacts of the users that the file named. */
int contacts_edit_import_rest(struct contacts_edit *e, int64_t *removed);

/* What an edit does to an address that was there before. */
enum contact_fate {
	CONTACT_REMOVED,
	CONTACT_REPLACED, /* removed, or no longer the first of its kind: there is another one */
	CONTACT_JOINED,	  /* it stays, and the user has one more, of whichever kind */
};

/*
 * fn for each old address that this edit takes from its user, and, where it gives the user one, for
 * the first of each kind that stays. Borrowed for the call. Or fn's error.
 */
typedef int contact_old_fn(const struct contact *c, enum contact_fate fate, void *arg);
int contacts_edit_old(struct contacts_edit *e, contact_old_fn *fn, void *arg);

/*
 * fsync, rename, fsync of the folder, whose failure is only logged. After an error the old file is
 * untouched. Frees e.
 */
int contacts_edit_commit(struct contacts_edit *e);
void contacts_edit_abort(struct contacts_edit *e);

#endif
