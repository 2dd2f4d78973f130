/* The person who signs in, as the sign-in sees them: asked and told over the wire to the module. */
#ifndef OTP_OTP_HELPER_PEER_H
#define OTP_OTP_HELPER_PEER_H

#include "common/wire.h"
#include "helpers/provider/delivery.h"
#include "helpers/login/login.h"

struct wire_peer {
	struct login_peer base; /* first */
	struct wire *wire;
	struct delivery **delivery; /* goes on connecting while the person is thinking */
};

/* Both are borrowed; *delivery may be NULL, and become one later. */
void peer_init(struct wire_peer *p, struct wire *wire, struct delivery **delivery);

#endif
