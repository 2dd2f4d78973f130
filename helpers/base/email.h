/* What an e-mail address is, for whoever keeps one and for whoever sends to it. */
#ifndef OTP_BASE_EMAIL_H
#define OTP_BASE_EMAIL_H

enum { EMAIL_MAX = 254 }; /* bytes; RFC 5321, 4.5.3.1.3, without the brackets */

enum email_role { EMAIL_RECIPIENT, EMAIL_SENDER };

/*
 * Is the text one well-formed address? It has an unquoted local part of RFC 5321's characters, an
 * '@', and a domain name whose labels have 1 to 63 letters, digits and dashes, no dash at an end.
 * It has at most 254 bytes, 64 of them before the '@', all of them ASCII.
 *
 * A recipient's domain has a dot in it. A sender's needs none and may have underscores:
 * root@HOST is the sender on every machine, whatever the machine is called.
 *
 * 0 or -OTP_EINVAL; *why says in words what is wrong, and is "" where nothing is.
 */
int email_check(const char *address, enum email_role role, const char **why);

#endif
