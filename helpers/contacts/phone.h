/* Phone numbers as people and spreadsheets write them. */
#ifndef OTP_CONTACTS_PHONE_H
#define OTP_CONTACTS_PHONE_H

#include "helpers/contacts/contacts.h"

/*
 * Reads a number into its E.164 form. Blanks, dashes, dots, slashes and brackets only group its
 * digits. In "+44 (0)20 7946 0958" the bracketed 0 is left out. country is a calling code, or "":
 * then a number must begin with '+'. With a country, "00" stands for '+', and one leading 0 of any
 * other number is replaced by the code; Italian numbers keep theirs.
 *
 * A number is refused rather than guessed, because the code would go to somebody else: one without
 * a leading 0 that begins with the calling code, or one that a spreadsheet has rounded.
 *
 * 0, with *why ""; -OTP_EINVAL, with *why a sentence without the number that says what is wrong; or
 * -OTP_ENOMEM.
 */
int phone_read(const char *typed, const char *country, char dst[static CONTACT_ADDRESS_MAX + 1],
    const char **why);

/* True if s is the calling code of a country: 1 to 3 digits. */
bool phone_is_country(const char *s);

#endif
