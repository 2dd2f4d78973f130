#include "helpers/otpctl/addresses.h"

#include <stdlib.h>
#include <unistd.h>

const char *
contact_shown(const struct contact *c, bool full, char *dst, size_t size)
{
	return full ? c->address : contact_masked(dst, size, c->address);
}

json_t *
contact_json(const struct contact *c, bool full)
{
	char masked[CONTACT_ADDRESS_MAX + 1];

	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:b}", "user", c->user, "kind",
	    contact_kind_name(c->kind), "address", contact_shown(c, full, masked, sizeof(masked)),
	    "label", c->label, "verified_at", (json_int_t)c->verified_at, "preferred",
	    (int)c->preferred);
}

int
otpctl_contacts_of(
    const struct otpctl *ctl, const char *path, const char *user, struct contact_list *out)
{
	struct contacts *c = NULL;
	int r = contacts_sqlite_open(path, ctl->second_owner, &c);

	if (!r) {
		r = c->ops->find(c, user, out);
		c->ops->close(c);
	}
	if (!r)
		return OTPCTL_OK;
	return otpctl_fail("the contacts could not be read%s",
	    geteuid() == 0 || ctl->config_given ? "" : "; run it with sudo");
}

const char **
otpctl_addresses(const struct contact_list *l)
{
	const char **address = calloc(l->n + 1, sizeof(*address));

	for (size_t i = 0; address && i < l->n; i++)
		address[i] = l->item[i].address;
	return address;
}
