/* Opens the store for a command, and tells the time as the store understands it. */
#ifndef OTP_OTPCTL_STORE_H
#define OTP_OTPCTL_STORE_H

#include <stdint.h>

#include "helpers/base/instant.h"
#include "helpers/otpctl/otpctl.h"
#include "helpers/store/store.h"

/*
 * Opens the store in the state folder as its owner. If the process is root, it becomes that user
 * for good, so the caller first does everything that only root can do. The caller closes *out.
 * Returns OTPCTL_OK, or OTPCTL_FAILED after it has printed why.
 */
int otpctl_store_open(const struct otpctl *ctl, const char *state, struct store **out);

/*
 * Gets the time for calls of the store. Returns OTPCTL_OK, or OTPCTL_FAILED after it has printed
 * why.
 */
int otpctl_now(struct instant *out);

enum { OTPCTL_TIME_MAX = 32 };
/* Writes a wall clock time in ms as UTC, like "2026-11-22 13:04:11Z". Returns dst. */
const char *otpctl_time(int64_t wall_ms, char dst[static OTPCTL_TIME_MAX]);

#endif
