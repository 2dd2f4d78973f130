/*
 * Contacts: the registered addresses of users. The helper reads them; otpctl alone writes them.
 * The interface is a struct of functions, so that another source can be used instead of SQLite.
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
	char label[CONTACT_LABEL_MAX + 1];     /* the administrator's note; may be "" */
	int64_t verified_at;		       /* wall clock, seconds; 0: not verified */
	bool preferred;			       /* the first of its user and kind */
};

struct contact_list {
	struct contact *item;
	size_t n;
};

void contact_list_free(struct contact_list *l);

/*
 * Returns the kind of a well-formed address. Use it for an address without a struct contact, such
 * as the address of a challenge.
 */
enum contact_kind contact_kind_of(const char *address);
/* Writes the masked address (text_mask_phone(), text_mask_email()) into dst. Returns dst. */
char *contact_masked(char *dst, size_t size, const char *address);

/*
 * Checks an address of the kind. A phone number has the form of ITU-T E.164: '+' and 8 to 15
 * digits, the first of them 1 to 9. An e-mail address is an EMAIL_RECIPIENT of email_check().
 * 0, with *why ""; or -OTP_EINVAL, with *why a sentence that says what is wrong.
 */
int contact_check(enum contact_kind kind, const char *address, const char **why);

/*
 * Takes one attribute, borrowed for the call. 0 to go on, or any -OTP_E..., which ends the listing.
 */
typedef int attribute_fn(const char *name, const char *value, void *arg);

struct contacts;
struct contacts_ops {
	/*
	 * Reads the user's contacts: preferred ones first, then the oldest. out->n may be 0. The
	 * caller frees *out. 0, -OTP_ENOMEM or -OTP_ESTORE.
	 */
	int (*find)(struct contacts *c, const char *user, struct contact_list *out);
	/*
	 * Reads a contact of any user, of this kind, which a decoy then imitates. The number pick
	 * chooses the contact. 0; -OTP_ENOENT: there is none; -OTP_ENOMEM; -OTP_ESTORE.
	 */
	int (*any)(struct contacts *c, enum contact_kind kind, uint64_t pick, struct contact *out);
	/*
	 * Calls fn for each attribute that the user has at a provider, such as an id or a session
	 * cookie. 0, -OTP_ESTORE or the error of fn.
	 */
	int (*attributes)(struct contacts *c, const char *user, const char *provider,
	    attribute_fn *fn, void *arg);
	/*
	 * Makes the next calls see the contacts as they are now, if they were changed since they
	 * were opened or refreshed. After an error, the caller must not go on with the older ones.
	 * 0, -OTP_EPERM, -OTP_ENOMEM or -OTP_ESTORE.
	 */
	int (*refresh)(struct contacts *c);
	void (*close)(struct contacts *c);
};
struct contacts {
	const struct contacts_ops *ops;
};

/*
 * Opens an SQLite file for reading. It must belong to root or to second_owner, and nobody else may
 * write it. The caller owns *out and calls close().
 * 0; -OTP_EPERM: wrong owner, mode or kind of file; -OTP_ESTORE: it is missing, empty, foreign or
 * of another schema; -OTP_ENOMEM. All errors but -OTP_ENOMEM are logged.
 */
int contacts_sqlite_open(const char *path, uid_t second_owner, struct contacts **out);

/*
 * Takes one contact, borrowed for the call. 0 to go on, or any -OTP_E..., which ends the listing.
 */
typedef int contact_fn(const struct contact *c, void *arg);
/*
 * Calls fn for each contact, ordered by user, or for those of one user if user is not NULL.
 * 0, the errors of contacts_sqlite_open() or the error of fn.
 */
int contacts_sqlite_each(const char *path, const char *user, contact_fn *fn, void *arg);

/* --- writing, for otpctl alone ------------------------------------------------------------- */

/*
 * An edit works on a copy in memory. The commit replaces the file by rename and keeps owner, group
 * and mode, so that a reader sees the old file or the new one. An edit holds a lock file beside the
 * contacts; a second edit waits for it. The folder and all folders above it must belong to root or
 * to the caller, and nobody else may write to them. Errors but -OTP_ENOMEM, -OTP_EEXIST,
 * -OTP_ENOENT and those of an argument are logged.
 */
struct contacts_edit;
/*
 * Makes a file without contacts, with mode 0640.
 * 0; -OTP_EEXIST: the name is taken; -OTP_EINVAL: path is not an absolute path of a file, or not
 * normal; -OTP_EPERM: a folder has a wrong owner or mode; -OTP_ENOMEM; -OTP_ESTORE.
 */
int contacts_sqlite_create(const char *path, uid_t owner, gid_t group);
/*
 * Begins an edit. The caller ends it with contacts_edit_commit() or contacts_edit_abort().
 * 0; -OTP_EPERM: a folder or the file has a wrong owner, mode or kind; -OTP_EINVAL: as of
 * contacts_sqlite_create(); -OTP_ENOMEM; -OTP_ESTORE: the file is missing, empty, foreign or of
 * another schema.
 */
int contacts_edit_begin(const char *path, struct contacts_edit **out);
/*
 * Adds a contact. If it is preferred, all other contacts of the same user and kind lose this mark.
 * 0; -OTP_EEXIST: the user has this address already (the case of letters does not count);
 * -OTP_EINVAL: user, address or label is malformed; -OTP_ESTORE.
 */
int contacts_edit_add(struct contacts_edit *e, const struct contact *c);
/*
 * Removes one address of the user, or all if address is NULL. *removed is their number.
 * 0 or -OTP_ESTORE.
 */
int contacts_edit_remove(
    struct contacts_edit *e, const char *user, const char *address, int *removed);
/*
 * Sets when the address of c was verified (wall clock, seconds; 0: not verified).
 * 0; -OTP_ENOENT: the user has no such address of this kind; -OTP_ESTORE.
 */
int contacts_edit_verified(struct contacts_edit *e, const struct contact *c, int64_t at);
/*
 * Sets an attribute of the user at a provider, or removes it if value is NULL.
 * 0; -OTP_EINVAL: the name is not [a-z0-9_]{1,32}, or user, provider or value is empty or too long,
 * or the value has a control character; -OTP_ENOENT: there was none to remove; -OTP_ESTORE.
 */
int contacts_edit_attribute(struct contacts_edit *e, const char *user, const char *provider,
    const char *name, const char *value);

/*
 * One contact of an imported file. The has_ members say which columns the file has; for the others,
 * an old contact keeps what it has.
 */
struct contact_line {
	struct contact contact;
	bool has_label;
	bool has_preferred;
	bool has_verified;
	int64_t number; /* of the line, from 1 on */
};

enum import_mode {
	IMPORT_ADD,	/* an old contact stays as it is */
	IMPORT_REPLACE, /* an old contact becomes what the file says */
};

enum imported {
	IMPORTED_NEW,
	IMPORTED_SAME,
	IMPORTED_CHANGED,
	/* The line is not taken: */
	IMPORTED_TWICE,	       /* an earlier line has this address of this user */
	IMPORTED_TWO_PREFERRED /* an earlier line is the user's preferred contact of this kind */
};

/*
 * Takes one line of a file into the edit. *what says what became of the line. *earlier is the
 * number of an earlier line that conflicts with it, or 0. 0; -OTP_EINVAL: user, address or label is
 * malformed; -OTP_ESTORE.
 */
int contacts_edit_import(struct contacts_edit *e, const struct contact_line *l,
    enum import_mode mode, enum imported *what, int64_t *earlier);
/*
 * Call it after the last line. Of each user whom the file names, it removes all contacts that the
 * file does not name. *removed is their number. 0 or -OTP_ESTORE.
 */
int contacts_edit_import_rest(struct contacts_edit *e, int64_t *removed);

/* What an edit does to an address that its user had before. */
enum contact_fate {
	CONTACT_REMOVED,
	CONTACT_REPLACED, /* the user has another first address of this kind now */
	CONTACT_JOINED,	  /* it stays, and the user has a new address of either kind beside it */
};

/*
 * Takes one old address, borrowed for the call. 0 to go on, or any -OTP_E..., which ends the
 * listing. Of c, user, kind and address are set.
 */
typedef int contact_old_fn(const struct contact *c, enum contact_fate fate, void *arg);
/*
 * Calls fn for each address that this edit removes or replaces. If the edit gives a user a new
 * address, it also calls fn for each old address that was the first of its kind and still is. So
 * otpctl can notify the user at the old addresses. 0, -OTP_ESTORE or the error of fn.
 */
int contacts_edit_old(struct contacts_edit *e, contact_old_fn *fn, void *arg);

/*
 * Writes the new file to disk and renames it over the old one. Frees e. After an error, the old
 * file is as it was. If only the last fsync of the folder fails, this is logged, but the edit
 * counts as done. 0, -OTP_ENOMEM or -OTP_ESTORE.
 */
int contacts_edit_commit(struct contacts_edit *e);
/* Ends an edit without a change. Frees e. */
void contacts_edit_abort(struct contacts_edit *e);

#endif
