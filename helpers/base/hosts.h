/*
 * The programs that are known to sign users in, by their PAM service: what each of them can tell of
 * a sign-in, and whether a person is in front of it.
 */
#ifndef OTP_BASE_HOSTS_H
#define OTP_BASE_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

enum host_person {
	HOST_PERSON_UNSURE,
	HOST_PERSON_THERE, /* a person is in front of it: one of HOSTS_INTERACTIVE */
	HOST_PERSON_NONE,  /* a program answers its prompts: one of HOSTS_NEVER_PROMPT */
};

/* What is not known for sure is false. */
struct host {
	const char *service;
	/* The service that stands for this one where the user sees no difference; NULL: itself. */
	const char *family;
	bool no_client; /* never tells a client's address: its users are on this machine already */
	bool no_caller; /* names no caller: its users call from nowhere, or from another machine */
	bool no_key;	/* tells of no public key, which only sshd does */
	bool calls_itself; /* names the user who signs in as the caller */
	enum host_person person;
};

extern const struct host hosts[];
extern const size_t hosts_n;

/* The service's row; of a service without a row nothing is known, and its .service is NULL. */
const struct host *host_of(const char *service);

/* The service that stands for all of its family: "sudo" for "sudo-i". Any other is its own. */
const char *host_family(const char *service);

/*
 * The defaults of two options, as pam_otp.conf(5) prints them. A test holds them against the table,
 * which has the same services in the same order.
 */
#define HOSTS_INTERACTIVE "sudo, sudo-i, su, su-l, login"
#define HOSTS_NEVER_PROMPT                                                                      \
	"dovecot, imap, pop, pop3, smtp, esmtp, sieve, lmtp, vsftpd, proftpd, pure-ftpd, ftp, " \
	"cups, samba, postgresql, mysql, mariadb, openvpn, squid"

#endif
