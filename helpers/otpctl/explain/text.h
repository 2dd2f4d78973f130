/* What otpctl explain found, as text. */
#ifndef OTP_OTPCTL_EXPLAIN_TEXT_H
#define OTP_OTPCTL_EXPLAIN_TEXT_H

#include <jansson.h>

/* As text on standard output; the values are fit for a terminal. */
void explain_print(const json_t *answer);

#endif
