#include "helpers/prompts.h"

#include <stdio.h>
#include <string.h>

enum { ROOM = WIRE_PROMPT_MAX + 1, SPAN_ROOM = 48 };

static const char code_prompt[] = "Verification code (r = resend): ";

/* "5 minutes", "1 minute", "20 seconds": rounded up, so that nobody is promised too much. */
static const char *
span(char *text, int64_t ms)
{
	int64_t s = ms <= 0 ? 1 : (ms + 999) / 1000, n = s;
	const char *unit = "second";

	if (s >= 7200)
		n = (s + 3599) / 3600, unit = "hour";
	else if (s >= 90)
		n = (s + 59) / 60, unit = "minute";
	(void)snprintf(text, SPAN_ROOM, "%lld %s%s", (long long)n, unit, n == 1 ? "" : "s");
	return text;
}

static const char *
by(const char *channel)
{
	static const struct {
		const char *channel, *words;
	} known[] = {
	    {"sms", "by SMS to"},
	    {"voice", "by phone call to"},
	    {"email", "by e-mail to"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(known[i].channel, channel))
			return known[i].words;
	return "to";
}

void
prompt_ask_first(char *text, const struct prompt_facts *f)
{
	(void)snprintf(text, ROOM,
	    "Press Enter to have a verification code sent %s %s: ", by(f->channel), f->masked);
}

void
prompt_code(char *text, enum note note, const struct prompt_facts *f)
{
	char left[SPAN_ROOM], wait[SPAN_ROOM];
	const char *tries = f->tries == 1 ? "1 try" : "";
	char many[SPAN_ROOM];

	if (f->tries != 1) {
		(void)snprintf(many, sizeof(many), "%d tries", f->tries);
		tries = many;
	}
	switch (note) {
	case NOTE_SENT:
		(void)snprintf(text, ROOM, "A verification code was sent %s %s. It ends in %s.\n%s",
		    by(f->channel), f->masked, span(left, f->left_ms), code_prompt);
		return;
	case NOTE_MAYBE_SENT:
		(void)snprintf(text, ROOM,
		    "A verification code may be on its way %s %s. It ends in %s.\n%s",
		    by(f->channel), f->masked, span(left, f->left_ms), code_prompt);
		return;
	case NOTE_EMPTY:
		(void)snprintf(text, ROOM, "%s", code_prompt);
		return;
	case NOTE_WRONG:
		(void)snprintf(text, ROOM, "Wrong code, %s left.\n%s", tries, code_prompt);
		return;
	case NOTE_MALFORMED:
		(void)snprintf(text, ROOM, "A code has %d digits. %s left.\n%s", f->digits, tries,
		    code_prompt);
		return;
	case NOTE_WAIT:
		(void)snprintf(text, ROOM, "A new code can be sent in %s.\n%s",
		    span(wait, f->wait_ms), code_prompt);
		return;
	case NOTE_LIMIT:
		(void)snprintf(text, ROOM, "No new code can be sent for the next %s.\n%s",
		    span(wait, f->wait_ms), code_prompt);
		return;
	case NOTE_NOT_SENT:
		(void)snprintf(text, ROOM, "A new code could not be sent.\n%s", code_prompt);
		return;
	case NOTE_USED:
		(void)snprintf(text, ROOM,
		    "That code was used already. Type r to have a new one sent.\n%s", code_prompt);
		return;
	case NOTE_ENDED:
		(void)snprintf(text, ROOM,
		    "That code has ended. Type r to have a new one sent.\n%s", code_prompt);
		return;
	}
	(void)snprintf(text, ROOM, "%s", code_prompt);
}

void
prompt_locked(char *text, int64_t left_ms)
{
	char left[SPAN_ROOM];

	(void)snprintf(text, ROOM, "Too many wrong codes. Try again in %s.", span(left, left_ms));
}

void
prompt_limit(char *text, int64_t left_ms)
{
	char left[SPAN_ROOM];

	if (left_ms > 0)
		(void)snprintf(text, ROOM,
		    "Too many verification codes were sent. Try again in %s.", span(left, left_ms));
	else
		(void)snprintf(
		    text, ROOM, "Too many verification codes were sent. Try again later.");
}

void
prompt_unavailable(char *text)
{
	(void)snprintf(text, ROOM,
	    "The verification code could not be sent: its delivery service cannot be reached.");
}
