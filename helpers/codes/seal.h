/*
 * Encryption of secrets that are stored: AES-256-GCM under a key that is derived from the host key.
 * OpenSSL does the cryptography.
 */
#ifndef OTP_CODES_SEAL_H
#define OTP_CODES_SEAL_H

#include "common/buf.h"
#include "common/secret.h"

/*
 * Encrypts plain and appends it to out as hexadecimal text. The context says what the secret is and
 * whose, and only unseal() with the same context can read it.
 * 0, -OTP_ECRYPTO, -OTP_ENOMEM or -OTP_ETOOBIG.
 */
int seal(const struct secret *host_key, const char *context, const struct secret *plain,
    struct buf *out);
/*
 * Decrypts what seal() wrote. 0; -OTP_EINVAL: it was not sealed under this key and context;
 * -OTP_ECRYPTO; -OTP_ETOOBIG; -OTP_ENOMEM.
 */
int unseal(
    const struct secret *host_key, const char *context, const char *sealed, struct secret *plain);

#endif
