/* Secrets at rest: AES-256-GCM under a key made of the host key. OpenSSL does the work. */
#ifndef OTP_CODES_SEAL_H
#define OTP_CODES_SEAL_H

#include "common/buf.h"
#include "common/secret.h"

/*
 * Seals plain, bound to a context (what it is and whose), as hexadecimal text into out.
 * 0, -OTP_ECRYPTO, -OTP_ENOMEM or -OTP_ETOOBIG.
 */
int seal(const struct secret *host_key, const char *context, const struct secret *plain,
    struct buf *out);
/* -OTP_EINVAL for what was not sealed under this key and context. */
int unseal(
    const struct secret *host_key, const char *context, const char *sealed, struct secret *plain);

#endif
