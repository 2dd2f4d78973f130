/*
 * The messages between module and helper, as pam_otp-protocol(7) defines them.
 *
 * A struct wire is one end of the socket. It knows which message is legal next, and refuses to send
 * or to receive any other. After it has refused one, no message is legal any more.
 */
#ifndef OTP_WIRE_H
#define OTP_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/deadline.h"

enum {
	WIRE_VERSION_LOW = 1,
	WIRE_VERSION_HIGH = 1,
	WIRE_START_MAX = 16 * 1024, /* bytes of a start message */
	WIRE_MAX = 2048,	    /* bytes of a message of any other type */
	WIRE_PROMPT_MAX = 511,	    /* bytes of a prompt's text: PAM_MAX_MSG_SIZE without the NUL */
	WIRE_ANSWER_MAX = 255,	    /* bytes of an answer */
	WIRE_SSH_MAX = 4095,	    /* bytes of ssh_connection or ssh_auth_info */
	WIRE_FIELDS_MAX = 13,	    /* fields of the message that has most, the start message */
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

/* The fields of each message that has more than one, in their order. */
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

/* Returns the protocol version that s names, 1 to 9999, or 0 if s is no such number. */
int wire_version(const char *s);

enum wire_side { WIRE_MODULE, WIRE_HELPER };

/* What has happened on the socket. wire.c lists the messages that are legal in each state. */
enum wire_state {
	WIRE_AT_START, /* nothing: the helper sends its hello next */
	WIRE_AT_HELLO, /* the hello: the module sends the start message next */
	WIRE_IDLE,     /* the helper works, and may send anything but a hello */
	WIRE_ASKED,    /* a prompt has no answer yet */
	WIRE_DONE,     /* the result, or an error: no message is legal any more */
};

struct wire {
	int fd; /* borrowed; may be blocking or non-blocking */
	enum wire_side side;
	enum wire_state state;
};

/* A received message. Its fields point into bytes. Wipe it if it may hold an answer. */
struct frame {
	enum wire_type type;
	const char *field[WIRE_FIELDS_MAX];
	size_t nfields;
	char bytes[WIRE_START_MAX + 1];
};

/* Makes w one end of the connection fd. w does not close fd. */
void wire_init(struct wire *w, int fd, enum wire_side side);

/*
 * Sends one message before dl. field has as many strings as this type has fields.
 * 0. -OTP_EPROTO: the message is not legal now. -OTP_ETOOBIG: it exceeds the maximum of its type.
 * -OTP_ENOMEM. -OTP_ETIME: dl passed while the socket was full. -OTP_EGONE: the peer has closed the
 * connection. -OTP_ESYS: send(2) or poll(2) failed.
 */
int wire_send(struct wire *w, enum wire_type type, const char *const *field, struct deadline dl);

/*
 * Receives one message into f before dl. A message that is already queued is received even if dl
 * has passed.
 * 0. -OTP_ETIME: dl passed; the caller may try again. -OTP_EGONE: end-of-file. -OTP_EPROTO: the
 * message is malformed or not legal now. -OTP_ESYS: recvmsg(2) or poll(2) failed.
 */
int wire_recv(struct wire *w, struct frame *f, struct deadline dl);

/*
 * Waits until the peer closes the connection.
 * 0. -OTP_EPROTO: a message came instead. -OTP_ETIME: dl passed. -OTP_ESYS.
 */
int wire_eof(struct wire *w, struct deadline dl);

#endif
