/* Where a sign-in comes from: what a challenge is bound to, and what the rules look at. */
#ifndef OTP_SOURCE_H
#define OTP_SOURCE_H

#include <netinet/in.h>
#include <stdbool.h>

#include "helpers/store.h"

struct login_start;

struct source {
	/*
	 * Client address and key fingerprint for ssh; session and terminal locally. Where nothing
	 * tells two sign-ins apart it is random, so that they never share a challenge.
	 */
	char key[STORE_KEY_MAX + 1];
	bool joins;	 /* may a challenge of this source be joined? */
	bool has_client; /* is there a numeric address? */
	struct in6_addr address;
	char client[64]; /* the same as text, or "" */
	bool publickey;	 /* sshd says that a public key was accepted */
};

/* 0 or -OTP_ECRYPTO. */
int source_of(const struct login_start *start, struct source *out);

#endif
