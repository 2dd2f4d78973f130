#include "helpers/prompts.h"

#include <stdio.h>
#include <string.h>

static const char code_prompt[] = "Verification code (r = resend): ";

enum { ROOM = WIRE_PROMPT_MAX + 1, LINE = ROOM - (int)sizeof(code_prompt), SPAN_ROOM = 48 };

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

/* "6 digits", "4 to 10 digits" */
static const char *
digits(char *text, const struct prompt_facts *f)
{
	if (f->least == f->most)
		(void)snprintf(text, SPAN_ROOM, "%d digits", f->least);
	else
		(void)snprintf(text, SPAN_ROOM, "%d to %d digits", f->least, f->most);
	return text;
}

static const char *
tries(char *text, const struct prompt_facts *f)
{
	(void)snprintf(text, SPAN_ROOM, "%d %s left", f->tries, f->tries == 1 ? "try" : "tries");
	return text;
}

/* What happened, in a line; empty where nothing did. */
static void
say(char *line, enum note note, const struct prompt_facts *f)
{
	char one[SPAN_ROOM], two[SPAN_ROOM];

	*line = '\0';
	switch (note) {
	case NOTE_SENT:
	case NOTE_MAYBE_SENT:
		(void)snprintf(line, LINE, "A verification code %s %s %s. It ends in %s.",
		    note == NOTE_SENT ? "was sent" : "may be on its way", by(f->channel), f->masked,
		    span(one, f->left_ms));
		return;
	case NOTE_EMPTY:
		return;
	case NOTE_WRONG:
		(void)snprintf(line, LINE, "Wrong code, %s.", tries(one, f));
		return;
	case NOTE_MALFORMED:
		(void)snprintf(line, LINE, "A code has %s, %s.", digits(two, f), tries(one, f));
		return;
	case NOTE_UNCHECKED:
		(void)snprintf(line, LINE,
		    "The code could not be checked: its service cannot be reached. %s.",
		    tries(one, f));
		return;
	case NOTE_WAIT:
		(void)snprintf(line, LINE, "A new code can be sent in %s.", span(one, f->wait_ms));
		return;
	case NOTE_LIMIT:
		(void)snprintf(
		    line, LINE, "No new code can be sent for the next %s.", span(one, f->wait_ms));
		return;
	case NOTE_NOT_SENT:
		(void)snprintf(line, LINE, "A new code could not be sent.");
		return;
	case NOTE_USED:
		(void)snprintf(
		    line, LINE, "That code was used already. Type r to have a new one sent.");
		return;
	case NOTE_ENDED:
		(void)snprintf(line, LINE, "That code has ended. Type r to have a new one sent.");
		return;
	}
}

void
prompt_code(char *text, enum note note, const struct prompt_facts *f)
{
	char line[LINE];

	say(line, note, f);
	(void)snprintf(text, ROOM, "%s%s%s", line, *line ? "\n" : "", code_prompt);
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

void
prompt_action_needed(char *text)
{
	(void)snprintf(text, ROOM,
	    "The code was right, but your account at its service needs another step first. Ask "
	    "your administrator.");
}

void
prompt_last(char *prompt, const char *text)
{
	static const char question[] = "Press Enter to end: ";

	(void)snprintf(
	    prompt, ROOM, "%.*s\n%s", (int)(ROOM - sizeof(question) - 1), text, question);
}
