/* Connects a sign-in with its user: prompts and messages go to the module, which shows them. */
#ifndef OTP_OTP_HELPER_PEER_H
#define OTP_OTP_HELPER_PEER_H

#include "common/wire.h"
#include "helpers/provider/delivery.h"
#include "helpers/login/login.h"

struct wire_peer {
	struct login_peer base; /* must be the first member */
	struct wire *wire;
	struct delivery **delivery; /* it connects while the user reads a prompt */
};

/* wire and delivery are borrowed. *delivery must be set before the first prompt. */
void peer_init(struct wire_peer *p, struct wire *wire, struct delivery **delivery);

#endif
