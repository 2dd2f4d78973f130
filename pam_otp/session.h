/* Which session of this machine the host runs in: it tells one person's terminals apart. */
#ifndef OTP_PAM_SESSION_H
#define OTP_PAM_SESSION_H

/* Each is empty where it cannot be learnt. */
struct session {
	char id[24];	  /* of the host process's session, decimal */
	char start[24];	  /* when its leader started, clock ticks since boot, decimal */
	char boot_id[40]; /* of the running kernel */
};

void session_read(struct session *s);

#endif
