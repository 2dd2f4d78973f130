/* What otpctl status found, as text. */
#ifndef OTP_OTPCTL_STATUS_TEXT_H
#define OTP_OTPCTL_STATUS_TEXT_H

#include <jansson.h>

/* As text on standard output. */
void status_print_user(const json_t *status);
void status_print_host(const json_t *sends);

#endif
