/* This machine, as the sign-in sees it: the name service and the clocks. */
#ifndef OTP_OTP_HELPER_MACHINE_H
#define OTP_OTP_HELPER_MACHINE_H

#include "helpers/base/instant.h"
#include "helpers/login/login.h"

struct real_machine {
	struct login_machine base; /* first */
	struct machine_clock clock;
};

/*
 * Reads the kernel's boot id here: what the module says of it is only a part of the source.
 * 0 or -OTP_ESYS.
 */
int machine_open(struct real_machine *m);

#endif
