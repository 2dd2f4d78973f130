/*
 * The table of all texts that a person reads during a sign-in. A translation replaces texts.c and
 * nothing else.
 */
#ifndef OTP_LOGIN_TEXTS_H
#define OTP_LOGIN_TEXTS_H

#include <stddef.h>

#include "helpers/login/prompts.h"

/* The messages: those of enum note, and these. */
enum {
	TEXT_SENT_BY_ANOTHER = PROMPT_NOTES, /* NOTE_SENT, by another provider */
	TEXT_FIRST_FAILED,		     /* before NOTE_SENT, by another channel */
	TEXT_MALFORMED_RANGE,		     /* NOTE_MALFORMED, if codes differ in length */
	TEXT_ASK_FIRST,
	TEXT_ASK_FIRST_OR_RECOVERY,
	TEXT_MENU,
	TEXT_MENU_ENTRY,
	TEXT_MENU_FIRST, /* Enter chooses the first entry */
	TEXT_MENU_BACK,	 /* Enter goes back to the prompt for the code */
	TEXT_ASK_CODE,
	TEXT_ASK_RECOVERY,
	TEXT_ACTION_NEEDED,
	TEXT_CHECK_PAUSED,
	TEXT_RECOVERY_LEFT,
	TEXT_END,
	TEXT_SECONDS,
	TEXT_MINUTES,
	TEXT_HOURS,
};

/* The variants of a message. A message has the variants of one of these lines. */
enum { ONLY };
enum { BY_SMS, BY_CALL, BY_EMAIL, BY_OTHER };
enum { ONE, MANY, NONE };
enum { IN_TIME, LATER, BY_ADMINISTRATOR };
enum { CODE_ALONE, OR_RECOVERY };
enum { NO_LETTER, LETTER_R, LETTERS_R_O };

struct prompt_text {
	int message;
	int variant;
	int longest;	  /* bytes of the text with its longest arguments */
	const char *text; /* a name in braces is an argument */
};

extern const struct prompt_text prompt_texts[];
extern const size_t prompt_texts_n;

/* The text of a message; empty if the table has none, as for NOTE_NOTHING. */
const char *prompt_text(int message, int variant);

#endif
