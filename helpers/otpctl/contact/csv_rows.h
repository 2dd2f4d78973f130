/*
 * A CSV file of any length as rows: RFC 4180 to the letter, by libcsv, in bounded memory. A mark of
 * UTF-8 at its start is passed over; a line may end in LF, CRLF or CR; blank lines are no rows.
 */
#ifndef OTP_OTPCTL_CONTACT_CSV_ROWS_H
#define OTP_OTPCTL_CONTACT_CSV_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
	CSV_COLUMNS_MAX = 16,
	CSV_FIELD_MAX = 511, /* bytes of a field that are kept; its length is told whole */
};

struct csv_field {
	size_t len; /* of the field as it stands in the file, quotes taken off */
	char text[CSV_FIELD_MAX + 1];
};

struct csv_row {
	int64_t line; /* where it begins; the first is 1 */
	size_t n;     /* of its fields, also of those beyond CSV_COLUMNS_MAX, which are not kept */
	struct csv_field field[CSV_COLUMNS_MAX];
};

/* Borrowed for the call. 0 to go on. */
typedef int csv_row_fn(const struct csv_row *row, void *arg);
/* So many bytes were read so far. */
typedef void csv_progress_fn(int64_t bytes, void *arg);

/* Where a file that is no CSV stops being one. */
struct csv_stop {
	int64_t line;
	const char *why; /* what was found and what was expected */
};

/*
 * fn for each row. 0; fn's error; -OTP_EINVAL with *stop, where nothing behind can be made out any
 * more; -OTP_ESYS: the file cannot be read; -OTP_ENOMEM.
 */
int csv_rows(
    FILE *file, csv_row_fn *fn, csv_progress_fn *progress, void *arg, struct csv_stop *stop);

#endif
