/* A mail server of a few lines on loopback: it says what it is told to. */
#ifndef OTP_MAIL_RIG_H
#define OTP_MAIL_RIG_H

#include "tests/unit/web_rig.h"

/* What it is answering. */
enum turn {
	TURN_GREETING,
	TURN_EHLO,
	TURN_HELO,
	TURN_STARTTLS,
	TURN_AUTH,  /* the command */
	TURN_LOGIN, /* the line behind it */
	TURN_MAIL,
	TURN_RCPT,
	TURN_DATA,
	TURN_TEXT,
	TURN_QUIT,
	TURNS,
};

struct post;

/* It takes every mail, and every login. */
struct post *post_start(void);
/* Ends every connection. */
void post_stop(struct post *p);
/* What it says from now on at this turn, and what it does then: not WEB_DROP. */
void post_say(struct post *p, enum turn turn, const char *reply, enum web_then effects);
/* As in the beginning, and nothing heard. */
void post_reset(struct post *p);
int post_port(const struct post *p);
int post_connections(struct post *p);
/* All lines that clients said; a copy that the caller frees. */
char *post_heard(struct post *p);
/* Whether the text is in it. */
bool post_received(struct post *p, const char *text);

#endif
