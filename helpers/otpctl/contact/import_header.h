/* Reads the first line of a file of contacts: which column is where, and what the file calls it. */
#ifndef OTP_OTPCTL_CONTACT_IMPORT_HEADER_H
#define OTP_OTPCTL_CONTACT_IMPORT_HEADER_H

#include "helpers/otpctl/contact/import_fault.h"

/*
 * A function for .take of an option; to is the struct import. Takes COLUMN=NAME: the file calls
 * this column NAME. Returns NULL, or what is wrong.
 */
const char *import_map(void *to, const char *argument);

/* The name that we give to a column. */
const char *import_column(enum column c);

/* Fills im->ncolumns, im->column and im->has. What is wrong is an import_fault(). */
void import_header(struct import *im, const struct csv_row *row);

#endif
