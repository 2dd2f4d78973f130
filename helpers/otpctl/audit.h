/*
 * Logs what otpctl changes, as events in the grammar of pam_otp(8). All lines of one command have
 * the same id, and the user ID of the caller.
 */
#ifndef OTP_OTPCTL_AUDIT_H
#define OTP_OTPCTL_AUDIT_H

#include <signal.h>
#include <stdbool.h>

#include "helpers/contacts/contacts.h"

/* Notes the user ID of the caller. To be called first, while otpctl still has it. */
void audit_begin(void);
/* The id of this command, made at the first call. "" if the kernel gives no random number. */
const char *audit_id(void);
/*
 * Logs "event=EVENT by=UID " and then fmt, which is further pairs. The caller passes each quoted
 * value through text_quotable().
 */
void audit(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Logs an event about a contact, with the address masked. more is further pairs, or "". */
void audit_contact(const char *event, const struct contact *c, const char *more);

/*
 * Holds interrupts back while a change is made and logged. So no interrupt can end the program
 * after the change but before its line is in the log. Signals that the caller ignores (nohup, a
 * background job) stay ignored.
 */
struct audit_hold {
	bool holds;
	sigset_t before; /* the signals that were blocked before */
};

/*
 * Blocks SIGHUP, SIGINT, SIGQUIT and SIGTERM. Returns OTPCTL_OK, or OTPCTL_FAILED after it has
 * printed why.
 */
int audit_hold(struct audit_hold *h);
/*
 * Writes out what was printed, then lets interrupts through again: one that was held back ends the
 * program here. To be called directly after the line is logged, because printing more may take for
 * ever. Does nothing if h holds nothing.
 */
void audit_release(struct audit_hold *h);
/*
 * True if SIGINT, SIGQUIT or SIGTERM is pending. SIGHUP does not count: a lost terminal is no
 * request to stop.
 */
bool audit_interrupted(void);

#define _auto_hold __attribute__((cleanup(audit_release)))

#endif
