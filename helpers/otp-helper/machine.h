/* Gives a sign-in what it needs of this machine: the name service and the clocks. */
#ifndef OTP_OTP_HELPER_MACHINE_H
#define OTP_OTP_HELPER_MACHINE_H

#include "helpers/base/instant.h"
#include "helpers/login/login.h"

struct real_machine {
	struct login_machine base; /* must be the first member */
	struct machine_clock clock;
};

/*
 * Reads the clocks and the kernel's boot id. The boot id that the module sends is not trusted for
 * the expiry of codes. 0 or -OTP_ESYS.
 */
int machine_open(struct real_machine *m);

#endif
