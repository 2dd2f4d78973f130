/* Where a sign-in comes from: what a challenge is bound to, and what the rules look at. */
#ifndef OTP_LOGIN_SOURCE_H
#define OTP_LOGIN_SOURCE_H

#include <netinet/in.h>
#include <stdbool.h>

#include "helpers/store/store.h"

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
	/* What a client is limited by: its address, or the /64 of IPv6; "" without one. */
	char network[64];
	/*
	 * Where the user may have signed in before, coarser than the key: network and public key
	 * for ssh; locally the user who calls, or the terminal. "" where nothing tells: then
	 * nobody is known there.
	 */
	char known_source[STORE_KEY_MAX + 1];
	bool publickey; /* sshd says that a public key, or a certificate of one, was accepted */
	/*
	 * Where the same user need not be asked again for a while: service, public key and client
	 * address for ssh; locally the calling user, the kind of service, the terminal, the session
	 * and the start of its leader, and the boot. "" where there is no key or no terminal.
	 */
	char remember[STORE_KEY_MAX + 1];
};

/* 0 or -OTP_ECRYPTO. */
int source_of(const struct login_start *start, struct source *out);

#endif
