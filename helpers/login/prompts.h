/*
 * What a person reads during a sign-in: a note of what happened, and a question. It consists of
 * lines, and each line is a text of the table in texts.c. It is ASCII and fits a prompt of PAM
 * (PAM_MAX_MSG_SIZE: 512 bytes with the NUL).
 */
#ifndef OTP_LOGIN_PROMPTS_H
#define OTP_LOGIN_PROMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

/* What happened since the last prompt. */
enum note {
	NOTE_NOTHING,
	NOTE_SENT,	     /* a code was sent */
	NOTE_MAYBE_SENT,     /* the provider gave no answer: the code may arrive */
	NOTE_WRONG,	     /* a wrong code; shows the tries left */
	NOTE_MALFORMED,	     /* no code has this form; shows the right form and the tries left */
	NOTE_WRONG_RECOVERY, /* a wrong recovery code; shows the tries left */
	NOTE_MALFORMED_RECOVERY, /* no recovery code has this form; shows the right form and the
				    tries left */
	NOTE_UNCHECKED,		 /* the provider could not be asked; shows the tries left */
	NOTE_WAIT,		 /* a new code can be sent in wait_ms */
	NOTE_LIMIT,		 /* no code is sent for wait_ms */
	NOTE_LOCKED,		 /* no code is accepted for wait_ms */
	NOTE_NOT_SENT,		 /* the resend failed */
	NOTE_UNAVAILABLE,	 /* no provider could send the first code */
	NOTE_USED,		 /* a concurrent sign-in used the code */
	NOTE_USED_RECOVERY,	 /* the recovery code was used before */
	NOTE_ENDED,		 /* the code expired, or it was tried too often */
	NOTE_NO_CODE,		 /* a code was typed, and none was sent */
	NOTE_NO_CHOICE,		 /* what was typed is no number of the menu */
	PROMPT_NOTES,		 /* how many there are */
};

/* Whether the code was sent as chosen, or by another provider or channel after a failure. */
enum instead { AS_CHOSEN, INSTEAD_PROVIDER, INSTEAD_CHANNEL };

struct prompt_destination {
	const char *channel; /* its first PROMPT_CHANNEL_MAX bytes are shown */
	const char *masked;  /* the address; its first PROMPT_ADDRESS_MAX bytes are shown */
};

enum {
	PROMPT_DESTINATIONS_MAX = 5,
	PROMPT_CHANNEL_MAX = 16,
	/* The longest top-level domain that exists has 24 letters: "j***@e***." and they are 34. */
	PROMPT_ADDRESS_MAX = 36,
};

/* What the texts say. Strings are borrowed; those that a text does not need may be NULL. */
struct prompt_facts {
	struct prompt_destination destination; /* of the code */
	const char *first;		       /* INSTEAD_CHANNEL: the channel that failed before */
	enum instead instead;
	int64_t left_ms; /* until the code expires */
	int tries;	 /* left in this sign-in */
	int64_t wait_ms; /* 0: not known; STORE_FOREVER: until an administrator unlocks it */
	int least;	 /* digits of a code */
	int most;
	bool has_code;	   /* a verification code can be typed */
	bool has_recovery; /* the user has recovery codes */
	bool may_resend;
	struct prompt_destination menu[PROMPT_DESTINATIONS_MAX];
	int nmenu; /* more than one: the user can choose */
};

/*
 * Each writes text, WIRE_PROMPT_MAX + 1 bytes. A prompt is the note, if there is one, and a
 * question.
 */
void prompt_ask_first(char *text, enum note note, const struct prompt_facts *f);
/*
 * back: Enter goes back to the prompt for the code instead of choosing the first entry. The notes
 * that say where a code was sent (NOTE_SENT, NOTE_MAYBE_SENT) may be too long for a menu.
 */
void prompt_menu(char *text, enum note note, const struct prompt_facts *f, bool back);
void prompt_code(char *text, enum note note, const struct prompt_facts *f);
/* The note alone, as the last words of a sign-in. */
void prompt_note(char *text, enum note note, const struct prompt_facts *f);
void prompt_action_needed(char *text);
void prompt_check_paused(char *text);
/* left: how many recovery codes the user still has. */
void prompt_recovery_left(char *text, int left);
/* Last words with a question behind them, for hosts that show nothing else than questions. */
void prompt_last(char *prompt, const char *text);

#endif
