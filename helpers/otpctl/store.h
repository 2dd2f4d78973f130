/* The store as commands open it, and its time. */
#ifndef OTP_OTPCTL_STORE_H
#define OTP_OTPCTL_STORE_H

#include <stdint.h>

#include "helpers/base/instant.h"
#include "helpers/otpctl/otpctl.h"
#include "helpers/store/store.h"

/*
 * Opens the store, as the user who owns it: root becomes that user for good, so all else that
 * takes root is done before. An exit code, after a word to the user.
 */
int otpctl_store_open(const struct otpctl *ctl, const char *state, struct store **out);

/* What the store calls now. An exit code. */
int otpctl_now(struct instant *out);

enum { OTPCTL_TIME_MAX = 32 };
/* "2026-11-22 13:04:11Z". Returns dst. */
const char *otpctl_time(int64_t wall_ms, char dst[static OTPCTL_TIME_MAX]);

#endif
