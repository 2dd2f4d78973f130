/*
 * Reads a CSV file of any length row by row, as RFC 4180 requires, in bounded memory. libcsv parses
 * it. A UTF-8 byte order mark at the start is skipped. A line may end in LF, CRLF or CR. Blank
 * lines are skipped, and so are rows whose fields are all empty, as spreadsheets leave them.
 */
#ifndef OTP_OTPCTL_CONTACT_CSV_ROWS_H
#define OTP_OTPCTL_CONTACT_CSV_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
	CSV_COLUMNS_MAX = 128,
	CSV_FIELD_MAX = 511, /* bytes of a field that are kept */
};

struct csv_field {
	size_t len; /* of the whole field without its quotes; may be over CSV_FIELD_MAX */
	char text[CSV_FIELD_MAX + 1];
};

struct csv_row {
	int64_t line; /* where the row begins; the first line is 1 */
	size_t n;     /* number of its fields; those beyond CSV_COLUMNS_MAX are not kept */
	struct csv_field field[CSV_COLUMNS_MAX];
};

/*
 * Takes one row, which is borrowed for the call. Returns what csv_rows() shall do: 0 to go on, or
 * the error with which it ends.
 */
typedef int csv_row_fn(const struct csv_row *row, void *arg);
/* Is called after each chunk; bytes is the number of bytes that were read so far. */
typedef void csv_progress_fn(int64_t bytes, void *arg);

/* The place from which the file cannot be read as CSV. */
struct csv_stop {
	int64_t line;
	const char *why; /* what was found and what was expected */
};

/*
 * Calls fn for each row, and progress after each chunk, both with arg. 0; the error of fn;
 * -OTP_EINVAL with *stop set if the rest of the file cannot be divided into rows; -OTP_ESYS with
 * errno set if the file cannot be read; -OTP_ENOMEM.
 */
int csv_rows(
    FILE *file, csv_row_fn *fn, csv_progress_fn *progress, void *arg, struct csv_stop *stop);

#endif
