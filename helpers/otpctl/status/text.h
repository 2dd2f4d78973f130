/* Prints what otpctl status found as text. The values are fit for a terminal already. */
#ifndef OTP_OTPCTL_STATUS_TEXT_H
#define OTP_OTPCTL_STATUS_TEXT_H

#include <jansson.h>

/* Prints the object of status_of_user(). */
void status_print_user(const json_t *status);
/* Prints the array of status_of_host(). */
void status_print_host(const json_t *sends);

#endif
