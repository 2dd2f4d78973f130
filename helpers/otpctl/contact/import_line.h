/* Checks the lines of a file of contacts one by one and puts them into the edit, for import.c. */
#ifndef OTP_OTPCTL_CONTACT_IMPORT_LINE_H
#define OTP_OTPCTL_CONTACT_IMPORT_LINE_H

#include "helpers/contacts/contacts.h"
#include "helpers/base/json.h"
#include "helpers/otpctl/contact/csv_rows.h"
#include "helpers/otpctl/notice.h"

/* The first errors are printed, the others only counted. */
enum { IMPORT_ERRORS_SHOWN = 100 };
/* The first contacts have a line each in the log; the others are only counted. */
enum { IMPORT_LOGGED = 100 };

enum column { COL_USER, COL_KIND, COL_ADDRESS, COL_LABEL, COL_PREFERRED, COL_VERIFIED_AT, COLUMNS };

struct known; /* the answer of the name service about one name */

struct import_counts {
	int64_t lines; /* rows without the first one, which names the columns */
	int64_t what[IMPORTED_CHANGED + 1]; /* for each enum imported */
	int64_t removed;
	int64_t errors;
};

/* A contact that is added or changed, kept for the log until the edit is committed. */
struct import_logged {
	enum imported what;
	bool says_verified;
	struct contact contact;
};

struct import {
	enum notice_wish notice;
	const char *file;
	const char *shown; /* the name of the file in messages */
	bool replace;
	bool dry_run;
	bool force;

	const struct otpctl *ctl;
	const struct conf *conf; /* or NULL */
	struct contacts_edit *edit;
	int column[CSV_COLUMNS_MAX]; /* the enum column of each field, or -1 */
	size_t ncolumns;	     /* 0 until the first line was read */
	bool has[COLUMNS];
	void *known; /* a tree of tsearch(3): the names that were looked up */
	const struct known *last;
	struct import_counts n;
	struct import_logged *logged; /* IMPORT_LOGGED of them, owned; NULL until one is kept */
	size_t nlogged;
	json_t *errors;
	int64_t size; /* of the file in bytes; 0 if it is unknown, as for a pipe */
	bool shows;   /* the progress is shown on the terminal */
	int step;     /* the progress that was shown last: per cent, or MiB if size is 0 */
};

/* Removes the line that shows the progress from the terminal. */
void import_clear_progress(struct import *im);
/*
 * Counts one error of the file. The first IMPORT_ERRORS_SHOWN are printed and kept for --json. line
 * is its number, column its name or ""; the text says what was expected there.
 */
void import_fault(struct import *im, int64_t line, const char *column, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * A csv_row_fn; arg is the struct import. The first row names the columns. Every other row is
 * checked and put into the edit; an error in it is printed and counted, and the reading goes on.
 *
 * 0; -OTP_EINVAL if the first row is wrong, so that no other can be understood; -OTP_ENOMEM;
 * -OTP_ESTORE.
 */
int import_row(const struct csv_row *row, void *arg);
/* Frees what import_row() stored in im. */
void import_forget(struct import *im);

#endif
