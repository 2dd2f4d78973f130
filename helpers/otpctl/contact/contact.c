#include "helpers/otpctl/contact/contact.h"

#include "helpers/otpctl/contact/add.h"
#include "helpers/otpctl/contact/import.h"
#include "helpers/otpctl/contact/list.h"
#include "helpers/otpctl/contact/remove.h"
#include "helpers/otpctl/contact/verify.h"
#include "helpers/otpctl/options.h"

static const struct otpctl_command contact_commands[] = {
    {"add", "add an address", contact_add},
    {"list", "list addresses, masked", contact_list},
    {"remove", "remove one address, or all of a user", contact_remove},
    {"verify", "send a code to an address and ask for it", contact_verify},
    {"import", "add the addresses of a CSV file", contact_import},
    {0},
};

static const struct otpctl_syntax contact_syntax = {
    .name = "otpctl contact",
    .usage = "COMMAND [ARGUMENT...]",
    .summary = "Changes and lists the addresses to which codes are sent.",
    .example = "otpctl contact add asha --phone +9779800000019",
    .commands = contact_commands,
};

int
otpctl_contact(struct otpctl *ctl, int argc, char **argv)
{
	return otpctl_dispatch(ctl, &contact_syntax, argc, argv);
}
