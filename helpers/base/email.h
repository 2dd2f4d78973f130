/* The only check of e-mail addresses: those of contacts, and of senders and recipients of mail. */
#ifndef OTP_BASE_EMAIL_H
#define OTP_BASE_EMAIL_H

/* Bytes: a path has at most 256 with its two brackets (RFC 5321, 4.5.3.1.3). */
enum { EMAIL_MAX = 254 };

enum email_role { EMAIL_RECIPIENT, EMAIL_SENDER };

/*
 * Checks one address. A well-formed address is ASCII and has at most 254 bytes. It consists of:
 *  - an unquoted local part with the characters of RFC 5321, at most 64 bytes;
 *  - an '@';
 *  - a domain name. Its labels have 1 to 63 letters, digits and dashes, with no dash at an end.
 *
 * The domain of a recipient has a dot. That of a sender needs none and may have underscores,
 * because root@HOST is the sender on every machine, whatever its name is.
 *
 * 0, with *why ""; or -OTP_EINVAL, with *why a sentence that says what is wrong.
 */
int email_check(const char *address, enum email_role role, const char **why);

#endif
