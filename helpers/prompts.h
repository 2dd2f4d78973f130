/* Every text that a person reads during a sign-in. Each fits a PAM prompt. */
#ifndef OTP_PROMPTS_H
#define OTP_PROMPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/wire.h"

/* What happened since the last prompt. */
enum note {
	NOTE_SENT,	 /* a code was sent */
	NOTE_MAYBE_SENT, /* the provider did not answer */
	NOTE_EMPTY,	 /* nothing was typed */
	NOTE_WRONG,	 /* tries left: n */
	NOTE_MALFORMED,	 /* not so many digits; tries left are told too */
	NOTE_UNCHECKED,	 /* whoever checks it cannot be reached; tries left are told too */
	NOTE_WAIT,	 /* a new code can be sent in n seconds */
	NOTE_LIMIT,	 /* no more codes for now */
	NOTE_NOT_SENT,	 /* the resend failed */
	NOTE_USED,	 /* a sibling used it */
	NOTE_ENDED,	 /* expired, or its tries are spent */
};

struct prompt_facts {
	const char *channel;
	const char *masked; /* where to */
	int64_t left_ms;    /* the code's life */
	int tries;	    /* left in this sign-in */
	int64_t wait_ms;    /* until a new code can be sent */
	int least;	    /* digits of a code */
	int most;
};

/* Into text, WIRE_PROMPT_MAX + 1 bytes. */
void prompt_ask_first(char *text, const struct prompt_facts *f);
void prompt_code(char *text, enum note note, const struct prompt_facts *f);
void prompt_locked(char *text, int64_t left_ms);
void prompt_limit(char *text, int64_t left_ms);
void prompt_unavailable(char *text);
void prompt_action_needed(char *text);
/* text with a question behind it, where only a question is shown. */
void prompt_last(char *prompt, const char *text);

#endif
