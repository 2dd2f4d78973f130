/* Every text that a person reads during a sign-in. Each fits a PAM prompt, and is ASCII. */
#ifndef OTP_LOGIN_PROMPTS_H
#define OTP_LOGIN_PROMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

/* What happened since the last prompt. */
enum note {
	NOTE_NOTHING,
	NOTE_SENT,	 /* a code was sent */
	NOTE_MAYBE_SENT, /* the provider did not answer */
	NOTE_WRONG,	 /* tries left are told, as with the following */
	NOTE_MALFORMED,
	NOTE_WRONG_RECOVERY,
	NOTE_UNCHECKED,	      /* whoever checks it cannot be reached */
	NOTE_WAIT,	      /* a new code can be sent in wait_ms */
	NOTE_LIMIT,	      /* no more codes for wait_ms */
	NOTE_LOCKED,	      /* no more tries for wait_ms; STORE_FOREVER: until unlocked */
	NOTE_LOCKED_RECOVERY, /* no more recovery codes for wait_ms */
	NOTE_NOT_SENT,	      /* the resend failed */
	NOTE_UNAVAILABLE,     /* nobody could send it */
	NOTE_USED,	      /* a sibling used it */
	NOTE_USED_RECOVERY,   /* it was used before */
	NOTE_ENDED,	      /* expired, or its tries are spent */
	NOTE_NO_CODE,	      /* a code was typed, and none was sent */
	NOTE_NO_CHOICE,	      /* what was typed is none of the menu's numbers */
};

/* Who took a code in the place of whom was asked first. */
enum instead { AS_CHOSEN, INSTEAD_PROVIDER, INSTEAD_CHANNEL };

struct prompt_destination {
	const char *channel;
	const char *masked; /* where to */
};

enum { PROMPT_DESTINATIONS_MAX = 5 };

struct prompt_facts {
	struct prompt_destination destination; /* of the code */
	const char *first; /* the channel that was tried first, of INSTEAD_CHANNEL */
	enum instead instead;
	int64_t left_ms; /* the code's life */
	int tries;	 /* left in this sign-in */
	int64_t wait_ms; /* until a new code can be sent, a lock ends */
	int least;	 /* digits of a code */
	int most;
	bool has_code;	   /* a verification code can be typed */
	bool has_recovery; /* the user has recovery codes */
	bool may_resend;
	struct prompt_destination menu[PROMPT_DESTINATIONS_MAX];
	int nmenu; /* more than one: there is a choice */
};

/* Into text, WIRE_PROMPT_MAX + 1 bytes. */
void prompt_ask_first(char *text, enum note note, const struct prompt_facts *f);
/* back: Enter goes back to the code, not to the first way. */
void prompt_menu(char *text, enum note note, const struct prompt_facts *f, bool back);
void prompt_code(char *text, enum note note, const struct prompt_facts *f);
/* A note by itself: last words. */
void prompt_note(char *text, enum note note, const struct prompt_facts *f);
void prompt_action_needed(char *text);
void prompt_check_paused(char *text);
void prompt_recovery_left(char *text, int left);
/* text with a question behind it, where only a question is shown. */
void prompt_last(char *prompt, const char *text);

#endif
