/*
 * Where a sign-in comes from. A challenge is bound to its source, and rules, limits and remembered
 * sign-ins look at parts of it.
 */
#ifndef OTP_LOGIN_SOURCE_H
#define OTP_LOGIN_SOURCE_H

#include <netinet/in.h>
#include <stdbool.h>

#include "helpers/store/store.h"

struct login_start;

struct source {
	/*
	 * The joining source. Concurrent sign-ins of one user with the same key share a challenge.
	 * With ssh: client address and key fingerprint. Locally: terminal and session. If there is
	 * neither, the key is random, so that this sign-in shares its challenge with no other.
	 */
	char key[STORE_KEY_MAX + 1];
	bool joins;		 /* the key is not random */
	bool has_client;	 /* the host gave a numeric client address */
	struct in6_addr address; /* of the client; IPv4 is mapped (::ffff:192.0.2.1) */
	char client[64];	 /* the same as text, or "" */
	/* The network that the limits of a client count: its IPv4 address or IPv6 /64, or "". */
	char network[64];
	/*
	 * What the store keeps of a source after a sign-in, coarser than `key`. With ssh: network
	 * and public key. At a terminal of this machine: the calling user, or else the terminal. ""
	 * if there is none of these. See source_can_be_known().
	 */
	char known_source[STORE_KEY_MAX + 1];
	bool publickey; /* sshd reports that it accepted a public key or a certificate */
	/*
	 * The key under which a sign-in is remembered, so that the same user is not asked again for
	 * a while. With ssh: service, client address and public key. Locally: service family,
	 * calling user, terminal, session, start of the session's leader, and boot. "" if there is
	 * no public key and no terminal device: such a sign-in is never remembered.
	 */
	char remember[STORE_KEY_MAX + 1];
};

/*
 * True if a sign-in from there makes the source known: it names a public key, or is a terminal of
 * this machine. A network alone is only seen, because others may share it. It gets a budget of its
 * own for failures, and nothing else.
 */
bool source_can_be_known(const char *known_source);

/* Fills *out from what the module sent. 0, -OTP_ECRYPTO, -OTP_ENOMEM or -OTP_ESYS. */
int source_of(const struct login_start *start, struct source *out);

#endif
