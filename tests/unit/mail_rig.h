/* A small mail server on loopback: it sends what the test sets. */
#ifndef OTP_MAIL_RIG_H
#define OTP_MAIL_RIG_H

#include "tests/unit/web_rig.h"

/* The command that it answers. */
enum turn {
	TURN_GREETING,
	TURN_EHLO,
	TURN_HELO,
	TURN_STARTTLS,
	TURN_AUTH,  /* the command */
	TURN_LOGIN, /* the line after it */
	TURN_MAIL,
	TURN_RCPT,
	TURN_DATA,
	TURN_TEXT,
	TURN_QUIT,
	TURNS,
};

struct post;

/* Starts a server that accepts every mail and every login. */
struct post *post_start(void);
/* Ends every connection. */
void post_stop(struct post *p);
/* Sets what it sends from now on at this turn, and what it does then (not WEB_DROP). */
void post_say(struct post *p, enum turn turn, const char *reply, enum web_then effects);
/* Restores the first answers and forgets what was received. */
void post_reset(struct post *p);
int post_port(const struct post *p);
int post_connections(struct post *p);
/* All lines that clients sent, as a copy that the caller frees. */
char *post_heard(struct post *p);
/* True if the text is in those lines. */
bool post_received(struct post *p, const char *text);

#endif
