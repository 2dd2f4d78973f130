/* The child's side of `otpctl contact verify`. */
#ifndef OTP_OTPCTL_CONTACT_PROVE_H
#define OTP_OTPCTL_CONTACT_PROVE_H

#include "helpers/otpctl/send_worker.h"

/* What service codes are sent for that no sign-in asks for. */
#define CONTACT_SERVICE "otpctl"

/* What is to be proved. Borrowed. */
struct contact_proof {
	const char *user;
	const struct contact *contact;
	const char *channel; /* NULL: the first that reaches it */
	char masked[64];
};

/*
 * A send_worker_fn; arg is a struct contact_proof. Sends a code, asks for it by WORKER_QUESTION up
 * to three times, and sends WORKER_PROVED when it is used up.
 */
int contact_prove(struct send_worker *c, void *arg);

#endif
