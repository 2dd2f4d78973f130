/* Reads the addresses of users, and shows them whole or masked. */
#ifndef OTP_OTPCTL_ADDRESSES_H
#define OTP_OTPCTL_ADDRESSES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "helpers/contacts/contacts.h"
#include "helpers/otpctl/otpctl.h"

/* Returns the whole address of c if full is true, else dst with the masked address. */
const char *contact_shown(const struct contact *c, bool full, char *dst, size_t size);
/*
 * Makes an object of c, with the whole address if full is true, else masked. The caller frees it.
 * NULL without memory.
 */
json_t *contact_json(const struct contact *c, bool full);

/*
 * Reads all contacts of a user from the file path; the caller frees out with contact_list_free().
 * Returns OTPCTL_OK, or OTPCTL_FAILED with a message.
 */
int otpctl_contacts_of(
    const struct otpctl *ctl, const char *path, const char *user, struct contact_list *out);
/*
 * Makes an array of the addresses in the list, with a NULL behind the last. The caller frees the
 * array; the addresses stay those of the list. NULL without memory.
 */
const char **otpctl_addresses(const struct contact_list *l);

#endif
