/* One line of a file of contacts, and what all of them share: for import.c. */
#ifndef OTP_OTPCTL_CONTACT_IMPORT_LINE_H
#define OTP_OTPCTL_CONTACT_IMPORT_LINE_H

#include "helpers/contacts/contacts.h"
#include "helpers/base/json.h"
#include "helpers/otpctl/contact/csv_rows.h"
#include "helpers/otpctl/notice.h"

enum { IMPORT_ERRORS_TOLD = 100 };
/* So many contacts are in the log each by itself; the others are counted. */
enum { IMPORT_LOGGED = 100 };

enum column { COL_USER, COL_KIND, COL_ADDRESS, COL_LABEL, COL_PREFERRED, COL_VERIFIED_AT, COLUMNS };

struct known; /* what the name service said of a name */

struct import_counts {
	int64_t lines; /* rows, without the first */
	int64_t what[IMPORTED_CHANGED + 1];
	int64_t removed;
	int64_t errors;
};

/* One that is added or changed, until it is. */
struct import_logged {
	enum imported what;
	bool says_verified;
	struct contact contact;
};

struct import {
	enum notice_wish notice;
	const char *file;
	const char *shown; /* its name, for people */
	bool replace;
	bool dry_run;
	bool force;

	const struct otpctl *ctl;
	const struct conf *conf; /* or NULL */
	struct contacts_edit *edit;
	int column[CSV_COLUMNS_MAX]; /* which one a field is */
	size_t ncolumns;	     /* 0 before the first line */
	bool has[COLUMNS];
	void *known; /* of tsearch(3) */
	const struct known *last;
	struct import_counts n;
	struct import_logged *logged; /* of IMPORT_LOGGED, owned */
	size_t nlogged;
	json_t *errors;
	int64_t size; /* of the file, 0 where that is not known */
	bool shows;   /* how far it is: somebody looks on */
	int step;     /* shown last: per cent, or MiB where nobody knows how much there is */
};

/* Takes the line that shows how far it is off the terminal. */
void import_clear_progress(struct import *im);
/* One fault: where it is, and what was expected there. Told, kept and counted. */
void import_fault(struct import *im, int64_t line, const char *column, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * A csv_row_fn; arg is the struct import. The first row names the columns; every other is judged
 * and put into the edit. What is wrong with a row is told and no error; -OTP_EINVAL where no row
 * means anything; -OTP_ENOMEM, -OTP_ESTORE.
 */
int import_row(const struct csv_row *row, void *arg);
/* What rows have left behind. */
void import_forget(struct import *im);

#endif
