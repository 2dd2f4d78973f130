#include "helpers/otp-helper/machine.h"

#include "helpers/base/account.h"

static int
machine_account(struct login_machine *m, const char *name, struct account *out)
{
	(void)m;
	return account_lookup(name, out);
}

static int
machine_groups(struct login_machine *m, struct account *a)
{
	(void)m;
	return account_groups(a);
}

int
machine_open(struct real_machine *m)
{
	*m = (struct real_machine){.base = {.account = machine_account, .groups = machine_groups}};
	return machine_clock_open(&m->clock);
}
