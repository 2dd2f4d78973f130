#include "helpers/otp-helper/machine.h"

int
machine_open(struct real_machine *m)
{
	*m = (struct real_machine){.base = login_this_machine};
	return machine_clock_open(&m->clock);
}
