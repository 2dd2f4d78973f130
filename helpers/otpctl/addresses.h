/* The addresses of users, shown and read. */
#ifndef OTP_OTPCTL_ADDRESSES_H
#define OTP_OTPCTL_ADDRESSES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "helpers/contacts/contacts.h"
#include "helpers/otpctl/otpctl.h"

/* The address whole, or masked into dst. */
const char *contact_shown(const struct contact *c, bool full, char *dst, size_t size);
/* A new object, the address whole or masked; NULL without memory. */
json_t *contact_json(const struct contact *c, bool full);

/* All addresses of a user. An exit code. */
int otpctl_contacts_of(
    const struct otpctl *ctl, const char *path, const char *user, struct contact_list *out);
/* The list's addresses, borrowed, and a NULL; the caller frees the array. NULL without memory. */
const char **otpctl_addresses(const struct contact_list *l);

#endif
