/*
 * The errors of all parts of pam_otp. A function that can fail returns 0 or a negative value of
 * these; the comment of its prototype names those that are possible.
 */
#ifndef OTP_ERR_H
#define OTP_ERR_H

enum otp_err {
	OTP_ENOMEM = 1, /* there is no memory */
	OTP_ESYS,	/* a system call failed; errno has its reason */
	OTP_ETIME,	/* the deadline has passed */
	OTP_EGONE,	/* the peer has closed the connection */
	OTP_EPROTO,	/* the peer broke the protocol */
	OTP_ETOOBIG,	/* larger than its maximum */
	OTP_EINVAL,	/* malformed input */
	OTP_ENOENT,	/* it does not exist */
	OTP_EEXIST,	/* it exists already */
	OTP_EPERM,	/* a file has a wrong owner or mode, or a peer is the wrong user */
	OTP_ECONF,	/* the configuration is wrong; whoever read it has reported where */
	OTP_ESTORE,  /* contacts or store: missing, of another format, unreadable or unwritable */
	OTP_EUSED,   /* the code has been used */
	OTP_EWRONG,  /* the code is wrong */
	OTP_EBUSY,   /* another process is doing it: retry soon */
	OTP_ELIMIT,  /* a rate limit or a lock-out forbids it */
	OTP_ENET,    /* host name lookup, TCP or TLS failed */
	OTP_ECRYPTO, /* OpenSSL failed */
	OTP_ENAMES,  /* the name service could not look up a user or a group */
	OTP_E_END    /* no error: the number of values */
};

/* A short lower-case text for the log; never NULL. r is 0 or a negative OTP_E*. */
const char *otp_strerror(int r);

#endif
