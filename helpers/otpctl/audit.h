/*
 * The log of what otpctl changes: events in the grammar of pam_otp(8), with the id that all lines
 * of one command carry and the user id of who gave it.
 */
#ifndef OTP_OTPCTL_AUDIT_H
#define OTP_OTPCTL_AUDIT_H

#include <signal.h>
#include <stdbool.h>

#include "helpers/contacts/contacts.h"

/* At the start: who gives the command, before otpctl becomes anybody else. */
void audit_begin(void);
/* Made at the first call; "" where the kernel gives no random number. */
const char *audit_id(void);
/* "event=EVENT by=UID " and the pairs of fmt, whose quoted values the caller made so. */
void audit(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same of one contact, its address masked; more is pairs behind it, or "". */
void audit_contact(const char *event, const struct contact *c, const char *more);

/*
 * From before a change to its line in the log no interrupt ends the program. A signal that the
 * caller has ignored (nohup, a job in the background) stays nothing.
 */
struct audit_hold {
	bool holds;
	sigset_t before;
};

/* An exit code, after a word to the user. */
int audit_hold(struct audit_hold *h);
/*
 * What was printed is out; then an interrupt that had to wait ends the program here. Directly
 * behind the line: to print may take for ever. Also where nothing is held.
 */
void audit_release(struct audit_hold *h);
/* Is one waiting? Of a terminal that is gone nobody has said that it shall end. */
bool audit_interrupted(void);

#define _auto_hold __attribute__((cleanup(audit_release)))

#endif
