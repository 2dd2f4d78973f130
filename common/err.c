#include "common/err.h"

static const char *const texts[OTP_E_END] = {
    [0] = "no error",
    [OTP_ENOMEM] = "out of memory",
    [OTP_ESYS] = "system call failed",
    [OTP_ETIME] = "deadline passed",
    [OTP_EGONE] = "peer has gone",
    [OTP_EPROTO] = "protocol violated",
    [OTP_ETOOBIG] = "too large",
    [OTP_EINVAL] = "malformed",
    [OTP_ENOENT] = "not found",
    [OTP_EEXIST] = "already exists",
    [OTP_EPERM] = "wrong owner, mode or peer",
    [OTP_ECONF] = "configuration error",
    [OTP_ESTORE] = "contacts or store cannot be used",
    [OTP_EUSED] = "used already",
    [OTP_EWRONG] = "wrong code",
    [OTP_EBUSY] = "busy in another process",
    [OTP_ELIMIT] = "rate limit or lock-out in force",
    [OTP_ENET] = "network failure",
    [OTP_ECRYPTO] = "cryptographic failure",
    [OTP_ENAMES] = "the name service failed",
};

const char *
otp_strerror(int r)
{
	if (r > 0 || r <= -OTP_E_END || !texts[-r])
		return "unknown error";
	return texts[-r];
}
