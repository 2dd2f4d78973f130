#include "helpers/login/prompts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "helpers/store/store.h"

enum { ROOM = WIRE_PROMPT_MAX + 1, SPAN_ROOM = 48 };

/*
 * All texts. A word in braces is a fact: {by} "by SMS to +91 ******** 19", {first} "by SMS", {left}
 * the code's life, {wait} a time, {again} when to come back, {tries} "2 tries left", {digits} "6
 * digits".
 */
static const char *const note_texts[] = {
    [NOTE_NOTHING] = "",
    [NOTE_SENT] = "A verification code was sent {by}. It ends in {left}.",
    [NOTE_MAYBE_SENT] = "A verification code may be on its way {by}. It ends in {left}.",
    [NOTE_WRONG] = "Wrong code, {tries}.",
    [NOTE_MALFORMED] = "A code has {digits}, {tries}.",
    [NOTE_WRONG_RECOVERY] = "Wrong recovery code, {tries}.",
    [NOTE_UNCHECKED] = "The code could not be checked: its service cannot be reached. {tries}.",
    [NOTE_WAIT] = "A new code can be sent in {wait}.",
    [NOTE_LIMIT] = "Too many verification codes were sent. {again}",
    [NOTE_LOCKED] = "Too many wrong codes. {again}",
    [NOTE_LOCKED_RECOVERY] = "Too many wrong recovery codes. {again}",
    [NOTE_NOT_SENT] = "A new code could not be sent.",
    [NOTE_UNAVAILABLE] =
	"The verification code could not be sent: its delivery service cannot be reached.",
    [NOTE_USED] = "That code was used already. Type r to have a new one sent.",
    [NOTE_USED_RECOVERY] = "That recovery code was used before. Type another one.",
    [NOTE_ENDED] = "That code has ended. Type r to have a new one sent.",
    [NOTE_NO_CODE] = "No verification code has been sent yet.",
    [NOTE_NO_CHOICE] = "Please type one of the numbers.",
};

static const char text_other_provider[] = " It was sent by another service than usual.";
static const char text_other_channel[] = "It could not be sent {first}. ";
static const char text_again_in[] = "Try again in %s.";
static const char text_again[] = "Try again later.";
static const char text_for_good[] = "Only your administrator can unlock this.";
static const char text_ask_first[] = "Press Enter to have a verification code sent {by}";
static const char text_or_recovery[] = " (or type a recovery code)";
static const char text_menu[] = "Have a verification code sent\n";
static const char text_menu_enter[] = "Number (Enter = 1";
static const char text_menu_back[] = "Number (Enter = back";
static const char text_menu_recovery[] = "), or a recovery code";
static const char text_code[] = "Verification code";
static const char text_recovery[] = "Recovery code";
static const char text_resend[] = "r = resend";
static const char text_send[] = "r = send a code";
static const char text_other_destination[] = "o = other way";
static const char text_action_needed[] =
    "The code was right, but your account at its service needs another step first. Ask your "
    "administrator.";
static const char text_check_paused[] =
    "The service that checks codes has had too many requests. Wait some minutes and sign in again.";
static const char text_left[] = "That recovery code is used up now. {n} left.";
static const char text_left_none[] =
    "That was your last recovery code. Ask your administrator for new ones.";
static const char text_end[] = "Press Enter to end: ";

static const struct {
	const char *channel, *to, *alone;
} channels[] = {
    {"sms", "by SMS to", "by SMS"},
    {"voice", "by phone call to", "by phone call"},
    {"email", "by e-mail to", "by e-mail"},
};

/* "5 minutes", "1 minute", "20 seconds": rounded up, so that nobody is promised too much. */
static const char *
span(char *text, int64_t ms)
{
	int64_t s = ms <= 0 ? 1 : (ms - 1) / 1000 + 1, n = s;
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
	for (size_t i = 0; i < sizeof(channels) / sizeof(*channels); i++)
		if (!strcmp(channels[i].channel, channel))
			return channels[i].to;
	return "to";
}

static const char *
alone(const char *channel)
{
	for (size_t i = 0; i < sizeof(channels) / sizeof(*channels); i++)
		if (!strcmp(channels[i].channel, channel))
			return channels[i].alone;
	return channel;
}

/* The fact that a text names, put behind what is in b. */
static void
put_fact(struct buf *b, const char *name, size_t len, const struct prompt_facts *f)
{
	char text[SPAN_ROOM];

	if (!strncmp(name, "by", len))
		buf_putf(b, "%s %s", by(f->destination.channel), f->destination.masked);
	else if (!strncmp(name, "first", len))
		buf_putf(b, "%s", alone(f->first));
	else if (!strncmp(name, "left", len))
		buf_putf(b, "%s", span(text, f->left_ms));
	else if (!strncmp(name, "wait", len))
		buf_putf(b, "%s", span(text, f->wait_ms));
	else if (!strncmp(name, "again", len) && f->wait_ms == STORE_FOREVER)
		buf_puts(b, text_for_good);
	else if (!strncmp(name, "again", len))
		buf_putf(b, f->wait_ms > 0 ? text_again_in : text_again, span(text, f->wait_ms));
	else if (!strncmp(name, "tries", len))
		buf_putf(b, "%d %s left", f->tries, f->tries == 1 ? "try" : "tries");
	else if (f->least == f->most)
		buf_putf(b, "%d digits", f->least);
	else
		buf_putf(b, "%d to %d digits", f->least, f->most);
}

static void
put(struct buf *b, const char *text, const struct prompt_facts *f)
{
	while (*text) {
		size_t n = strcspn(text, "{");

		buf_put(b, text, n);
		text += n;
		if (*text) {
			n = strcspn(text, "}");
			put_fact(b, text + 1, n - 1, f);
			text += n + 1;
		}
	}
}

static void
put_note(struct buf *b, enum note note, const struct prompt_facts *f)
{
	if (note == NOTE_SENT && f->instead == INSTEAD_CHANNEL)
		put(b, text_other_channel, f);
	put(b, note_texts[note], f);
	if (note == NOTE_SENT && f->instead == INSTEAD_PROVIDER)
		put(b, text_other_provider, f);
}

static void
put_note_line(struct buf *b, enum note note, const struct prompt_facts *f)
{
	size_t before = b->len;

	put_note(b, note, f);
	if (b->len > before)
		buf_putc(b, '\n');
}

/* What was built, or as much of it as fits. */
static void
finish(char *text, struct buf *b)
{
	const char *s = buf_str(b);

	(void)snprintf(text, ROOM, "%s", s ? s : "");
	buf_free(b);
}

void
prompt_note(char *text, enum note note, const struct prompt_facts *f)
{
	struct buf b = BUF_INIT(4 * ROOM);

	put_note(&b, note, f);
	finish(text, &b);
}

void
prompt_ask_first(char *text, enum note note, const struct prompt_facts *f)
{
	struct buf b = BUF_INIT(4 * ROOM);

	put_note_line(&b, note, f);
	put(&b, text_ask_first, f);
	put(&b, f->has_recovery ? text_or_recovery : "", f);
	buf_putf(&b, ": ");
	finish(text, &b);
}

void
prompt_menu(char *text, enum note note, const struct prompt_facts *f, bool back)
{
	struct buf b = BUF_INIT(4 * ROOM);

	put_note_line(&b, note, f);
	put(&b, text_menu, f);
	for (int i = 0; i < f->nmenu; i++)
		buf_putf(&b, "  %d  %s %.40s\n", i + 1, by(f->menu[i].channel), f->menu[i].masked);
	put(&b, back ? text_menu_back : text_menu_enter, f);
	put(&b, f->has_recovery ? text_menu_recovery : ")", f);
	buf_putf(&b, ": ");
	finish(text, &b);
}

void
prompt_code(char *text, enum note note, const struct prompt_facts *f)
{
	struct buf b = BUF_INIT(4 * ROOM);
	const char *resend = f->has_code ? text_resend : text_send;
	bool choice = f->has_code && f->nmenu > 1;

	put_note_line(&b, note, f);
	put(&b, f->has_code ? text_code : text_recovery, f);
	if (f->may_resend)
		buf_putf(&b, " (%s%s%s)", resend, choice ? ", " : "",
		    choice ? text_other_destination : "");
	buf_putf(&b, ": ");
	finish(text, &b);
}

void
prompt_action_needed(char *text)
{
	(void)snprintf(text, ROOM, "%s", text_action_needed);
}

void
prompt_check_paused(char *text)
{
	(void)snprintf(text, ROOM, "%s", text_check_paused);
}

void
prompt_recovery_left(char *text, int left)
{
	const char *n = strstr(text_left, "{n}");

	if (left > 0)
		(void)snprintf(text, ROOM, "%.*s%d%s", (int)(n - text_left), text_left, left,
		    n + sizeof("{n}") - 1);
	else
		(void)snprintf(text, ROOM, "%s", text_left_none);
}

void
prompt_last(char *prompt, const char *text)
{
	(void)snprintf(
	    prompt, ROOM, "%.*s\n%s", (int)(ROOM - sizeof(text_end) - 1), text, text_end);
}
