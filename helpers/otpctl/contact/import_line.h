/* Checks the lines of a file of contacts one by one and puts them into the edit, for import.c. */
#ifndef OTP_OTPCTL_CONTACT_IMPORT_LINE_H
#define OTP_OTPCTL_CONTACT_IMPORT_LINE_H

#include "helpers/otpctl/contact/import_fault.h"

/*
 * A csv_row_fn; arg is the struct import. The first row names the columns. Every other row is
 * checked and put into the edit; an error in it is printed and counted, and the reading goes on.
 *
 * 0; -OTP_EINVAL if the first row is wrong, so that no other can be understood; -OTP_ENOMEM;
 * -OTP_ESTORE.
 */
int import_row(const struct csv_row *row, void *arg);
/*
 * Notes that this user loses something from which a remembered sign-in may have come. 0 or
 * -OTP_ENOMEM.
 */
int import_revoke(struct import *im, const char *user);
/* Frees what import_row() stored in im. */
void import_forget(struct import *im);

#endif
