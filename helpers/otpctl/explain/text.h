/* What otpctl explain found, as text. */
#ifndef OTP_OTPCTL_EXPLAIN_TEXT_H
#define OTP_OTPCTL_EXPLAIN_TEXT_H

#include <jansson.h>

/* Prints the answer of explain_sign_in() as text. The values are fit for a terminal already. */
void explain_print(const json_t *answer);

#endif
