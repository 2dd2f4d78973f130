/*
 * The messages between module and helper: pam_otp-protocol(7) in C.
 *
 * A struct wire is one end of the socket. It knows which message is legal now and refuses every
 * other, in both directions; after a refusal nothing is legal any more.
 */
#ifndef OTP_WIRE_H
#define OTP_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/deadline.h"

enum {
	WIRE_VERSION_LOW = 1,
	WIRE_VERSION_HIGH = 1,
	WIRE_START_MAX = 16 * 1024, /* bytes of an S */
	WIRE_MAX = 2048,	    /* bytes of every other message */
	WIRE_PROMPT_MAX = 511,	    /* bytes of a prompt's text: PAM_MAX_MSG_SIZE less the NUL */
	WIRE_ANSWER_MAX = 255,	    /* bytes of an answer */
	WIRE_SSH_MAX = 4095,	    /* bytes of ssh_connection, of ssh_auth_info */
	WIRE_FIELDS_MAX = 13,
};

enum wire_type {
	WIRE_HELLO = 'H',
	WIRE_START = 'S',
	WIRE_PROMPT = 'P',
	WIRE_ANSWER = 'A',
	WIRE_GONE = 'X',
	WIRE_INFO = 'I',
	WIRE_ERROR = 'E',
	WIRE_RESULT = 'R',
};

enum { HELLO_LOWEST, HELLO_HIGHEST, HELLO_FIELDS };
enum {
	START_VERSION,
	START_SERVICE,
	START_USER,
	START_RHOST,
	START_TTY,
	START_RUSER,
	START_LANGUAGE,
	START_FLAGS,
	START_SSH_CONNECTION,
	START_SSH_AUTH_INFO,
	START_SESSION,
	START_SESSION_START,
	START_BOOT_ID,
	START_FIELDS
};
enum { PROMPT_ECHO, PROMPT_TEXT, PROMPT_FIELDS };
enum { RESULT_WORD, RESULT_REASON, RESULT_REQUEST_ID, RESULT_FIELDS };

/* A version number of the protocol: 1 to 9999, or 0 for anything else. */
int wire_version(const char *s);

enum wire_side { WIRE_MODULE, WIRE_HELPER };
enum wire_state { WIRE_AT_START, WIRE_AT_HELLO, WIRE_IDLE, WIRE_ASKED, WIRE_DONE };

struct wire {
	int fd; /* borrowed, non-blocking or not */
	enum wire_side side;
	enum wire_state state;
};

/* A received message. The fields point into bytes; wipe it when an answer was in it. */
struct frame {
	enum wire_type type;
	const char *field[WIRE_FIELDS_MAX];
	size_t nfields;
	char bytes[WIRE_START_MAX + 1];
};

void wire_init(struct wire *w, int fd, enum wire_side side);

/*
 * Sends one message before dl. field holds as many strings as the type has.
 * 0, -OTP_EPROTO (not legal now), -OTP_ETOOBIG, -OTP_ETIME, -OTP_EGONE or -OTP_ESYS.
 */
int wire_send(struct wire *w, enum wire_type type, const char *const *field, struct deadline dl);

/*
 * Receives one message into f before dl; what is queued is received even when dl has passed.
 * 0, -OTP_ETIME, -OTP_EGONE (end-of-file), -OTP_EPROTO or -OTP_ESYS.
 */
int wire_recv(struct wire *w, struct frame *f, struct deadline dl);

/* Waits for end-of-file. 0, -OTP_EPROTO when a message comes instead, -OTP_ETIME or -OTP_ESYS. */
int wire_eof(struct wire *w, struct deadline dl);

#endif
