/* The kernel's session that the host runs in. It tells the terminals of a user apart. */
#ifndef OTP_PAM_SESSION_H
#define OTP_PAM_SESSION_H

/* A string is empty if its value cannot be found out. */
struct session {
	char id[24];	  /* session ID of the host process, decimal */
	char start[24];	  /* start of the session's leader, in clock ticks since boot, decimal */
	char boot_id[40]; /* the random ID of this boot, from the kernel */
};

/* Fills *s for the calling process. */
void session_read(struct session *s);

#endif
