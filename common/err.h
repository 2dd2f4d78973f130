/* Errors of every part: functions return 0 or a negative OTP_E*. */
#ifndef OTP_ERR_H
#define OTP_ERR_H

enum otp_err {
	OTP_ENOMEM = 1, /* no memory */
	OTP_ESYS,	/* a system call failed; errno says why */
	OTP_ETIME,	/* the deadline has passed */
	OTP_EGONE,	/* the peer has gone */
	OTP_EPROTO,	/* the peer broke the protocol */
	OTP_ETOOBIG,	/* larger than its bound */
	OTP_EINVAL,	/* malformed input */
	OTP_ENOENT,	/* there is no such thing */
	OTP_EEXIST,	/* there is one already */
	OTP_EPERM,	/* wrong owner or mode of a file, or wrong peer */
	OTP_ECONF,	/* the configuration is wrong; the detail is with whoever read it */
	OTP_ESTORE,	/* contacts or state are missing, foreign or cannot be read or written */
	OTP_EUSED,	/* the code was used already */
	OTP_EWRONG,	/* the code is not right */
	OTP_EBUSY,	/* a sibling is at it: try again in a moment */
	OTP_ELIMIT,	/* a limit or a lock-out is in force */
	OTP_ENET,	/* name lookup, TCP or TLS failed */
	OTP_ECRYPTO,	/* OpenSSL refused */
	OTP_ENAMES,	/* users or groups could not be looked up */
	OTP_E_END
};

/* A lower-case phrase for the log, never NULL; r is a negative OTP_E* or 0. */
const char *otp_strerror(int r);

#endif
