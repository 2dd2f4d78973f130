/* The part of otpctl contact verify that runs in the send worker. */
#ifndef OTP_OTPCTL_CONTACT_PROVE_H
#define OTP_OTPCTL_CONTACT_PROVE_H

#include "helpers/otpctl/send_worker.h"

/* The service name in the store and the log for codes that belong to no sign-in. */
#define CONTACT_SERVICE "otpctl"

/* Whose address is to be verified. Everything is borrowed. */
struct contact_proof {
	const char *user;
	const struct contact *contact;
	const char *channel; /* NULL: the first channel that reaches the address */
	char masked[64];     /* the masked address */
};

/*
 * A send_worker_fn; arg is a struct contact_proof. Sends a code, asks the parent for it by
 * WORKER_QUESTION, up to three times, and sends WORKER_PROVED once the right code is used up.
 * Returns the exit code: OTPCTL_OK, or OTPCTL_FAILED with a message.
 */
int contact_prove(struct send_worker *c, void *arg);

#endif
