#include "helpers/otp-helper/machine.h"

#include "helpers/base/account.h"
#include "helpers/base/own_address.h"

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

static bool
machine_is_own(struct login_machine *m, const struct in6_addr *a)
{
	(void)m;
	return own_address(a);
}

int
machine_open(struct real_machine *m)
{
	*m = (struct real_machine){
	    .base = {
		.account = machine_account, .groups = machine_groups, .is_own = machine_is_own}};
	return machine_clock_open(&m->clock);
}
