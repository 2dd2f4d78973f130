/* What all parts of an import share, and the report of what is wrong with its file. */
#ifndef OTP_OTPCTL_CONTACT_IMPORT_FAULT_H
#define OTP_OTPCTL_CONTACT_IMPORT_FAULT_H

#include "helpers/contacts/contacts.h"
#include "helpers/base/json.h"
#include "helpers/otpctl/contact/csv_rows.h"
#include "helpers/otpctl/notice.h"

/*
 * So many errors are printed, more than anybody mends by hand; only the others are counted. No
 * error repeats what stands in the file, because otpctl may read as root what its caller may not.
 */
enum { IMPORT_ERRORS_SHOWN = 10000 };
/* The first contacts have a line each in the log; the others are only counted. */
enum { IMPORT_LOGGED = 100 };

enum column { COL_USER, COL_KIND, COL_ADDRESS, COL_LABEL, COL_PREFERRED, COL_VERIFIED_AT, COLUMNS };

/* A field without a name in the first line must be empty; the map leaves a field out. */
enum { FIELD_UNNAMED = -1, FIELD_LEFT_OUT = -2 };

struct known; /* the answer of the name service about one name */

struct import_counts {
	int64_t lines;	 /* rows without the first one, which names the columns */
	int64_t without; /* rows without an address, which --kind leaves out */
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
	const char *country;	     /* the calling code of numbers without one; "" for none */
	const char *kind;	     /* of all addresses of a file without that column; or NULL */
	const char *header[COLUMNS]; /* what the file calls the column; NULL: as we do */
	bool mapped;		     /* one of these is set: other columns are left out */

	const struct otpctl *ctl;
	const struct conf *conf; /* or NULL */
	struct contacts_edit *edit;
	int column[CSV_COLUMNS_MAX]; /* of each field: an enum column, FIELD_UNNAMED, FIELD_LEFT_OUT
				      */
	size_t ncolumns;	     /* 0 until the first line was read */
	bool has[COLUMNS];
	void *known; /* a tree of tsearch(3): the names that were looked up */
	const struct known *last;
	struct import_counts n;
	struct import_logged *logged; /* IMPORT_LOGGED of them, owned; NULL until one is kept */
	size_t nlogged;
	struct strlist revoked; /* users who lose an address, or whose address is unverified now */
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

#endif
