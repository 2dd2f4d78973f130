/*
 * The host programs that pam_otp knows, by their PAM service: what each of them reports about a
 * sign-in, and whether a person sits in front of it.
 */
#ifndef OTP_BASE_HOSTS_H
#define OTP_BASE_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

enum host_person {
	HOST_PERSON_UNSURE, /* it may have one or not */
	HOST_PERSON_THERE,  /* a person is in front of it: one of HOSTS_INTERACTIVE */
	HOST_PERSON_NONE,   /* a program answers its prompts: one of HOSTS_NEVER_PROMPT */
};

/* A flag is false if pam_otp does not know for sure. */
struct host {
	const char *service;
	/*
	 * The service that users take for the same one, such as "sudo" for "sudo-i". NULL: itself.
	 */
	const char *family;
	bool no_client; /* never reports a client address: its users are on this machine already */
	bool no_caller; /* never reports a calling user (PAM_RUSER) of this machine */
	bool no_key;	/* never reports a public key; only sshd does */
	bool calls_itself; /* the calling user is the one who signs in */
	enum host_person person;
};

extern const struct host hosts[];
extern const size_t hosts_n;

/*
 * Returns the row of the service. If there is none, the row has .service NULL, and no flag is set.
 */
const struct host *host_of(const char *service);

/* Returns the family of a service, such as "sudo" for "sudo-i", or the service itself. */
const char *host_family(const char *service);

/*
 * The defaults of interactive_services and never_prompt, as pam_otp.conf(5) prints them. A test
 * checks that the table has the same services in the same order.
 */
#define HOSTS_INTERACTIVE "sudo, sudo-i, su, su-l, login"
#define HOSTS_NEVER_PROMPT                                                                      \
	"dovecot, imap, pop, pop3, smtp, esmtp, sieve, lmtp, vsftpd, proftpd, pure-ftpd, ftp, " \
	"cups, samba, postgresql, mysql, mariadb, openvpn, squid"

#endif
