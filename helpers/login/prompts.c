/* Chooses the texts of a prompt, and puts the arguments into them. */
#include "helpers/login/prompts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "helpers/codes/recovery.h"
#include "helpers/login/texts.h"
#include "helpers/store/store.h"

enum { ROOM = WIRE_PROMPT_MAX + 1 };

/* --- arguments ----------------------------------------------------------------------------- */

enum { ARGUMENTS_MAX = 12, VALUE_ROOM = PROMPT_ADDRESS_MAX + 1 };

struct arguments {
	struct {
		const char *name;
		char value[VALUE_ROOM];
	} item[ARGUMENTS_MAX];
	int n;
};

static void add(struct arguments *a, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
add(struct arguments *a, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	a->item[a->n].name = name;
	(void)vsnprintf(a->item[a->n++].value, VALUE_ROOM, fmt, ap);
	va_end(ap);
}

static const char *
value_of(const struct arguments *a, const char *name, size_t len)
{
	for (int i = 0; i < a->n; i++)
		if (strlen(a->item[i].name) == len && !strncmp(a->item[i].name, name, len))
			return a->item[i].value;
	return "";
}

/* A text that grows in a buffer of the caller. */
struct draft {
	char *text;
	size_t room; /* with the NUL */
	size_t len;
};

static struct draft
draft_in(char *text, size_t room)
{
	text[0] = '\0';
	return (struct draft){.text = text, .room = room};
}

static void
put(struct draft *d, const char *s, size_t n)
{
	size_t left = d->room - d->len - 1;

	if (n > left)
		n = left;
	memcpy(d->text + d->len, s, n);
	d->len += n;
	d->text[d->len] = '\0';
}

/* Puts a text of the table with its arguments. */
static void
put_text(struct draft *d, const char *text, const struct arguments *a)
{
	while (*text) {
		size_t n = strcspn(text, "{");

		put(d, text, n);
		text += n;
		if (*text) {
			const char *value;

			n = strcspn(text, "}");
			value = value_of(a, text + 1, n - 1);
			put(d, value, strlen(value));
			text += n + 1;
		}
	}
}

/* "5 minutes". It is rounded up: after that time it must not be too early. */
static const char *
time_text(char text[VALUE_ROOM], int64_t ms)
{
	int64_t s = ms <= 0 ? 1 : (ms - 1) / 1000 + 1, n = s;
	struct draft d = draft_in(text, VALUE_ROOM);
	struct arguments a = {.n = 0};
	int unit = TEXT_SECONDS;

	if (s >= 7200)
		n = (s + 3599) / 3600, unit = TEXT_HOURS;
	else if (s >= 90)
		n = (s + 59) / 60, unit = TEXT_MINUTES;
	add(&a, "count", "%lld", (long long)n);
	put_text(&d, prompt_text(unit, n == 1 ? ONE : MANY), &a);
	return text;
}

static const char *
or_empty(const char *s)
{
	return s ? s : "";
}

/* n is for the texts that have {number} or {left}. */
static struct arguments
arguments_of(const struct prompt_facts *f, int n)
{
	struct arguments a = {.n = 0};
	char time[VALUE_ROOM];

	add(&a, "address", "%.*s", PROMPT_ADDRESS_MAX, or_empty(f->destination.masked));
	add(&a, "channel", "%.*s", PROMPT_CHANNEL_MAX, or_empty(f->destination.channel));
	add(&a, "time", "%s", time_text(time, f->left_ms));
	add(&a, "wait", "%s", time_text(time, f->wait_ms));
	add(&a, "tries", "%d", f->tries);
	add(&a, "digits", "%d", f->least);
	add(&a, "least", "%d", f->least);
	add(&a, "most", "%d", f->most);
	add(&a, "symbols", "%d", RECOVERY_SYMBOLS);
	add(&a, "number", "%d", n);
	add(&a, "left", "%d", n);
	return a;
}

/* --- variants ------------------------------------------------------------------------------ */

static int
variant_of_channel(const char *channel)
{
	static const char *const names[] = {
	    [BY_SMS] = "sms", [BY_CALL] = "voice", [BY_EMAIL] = "email"};

	for (int i = 0; channel && i < BY_OTHER; i++)
		if (!strcmp(names[i], channel))
			return i;
	return BY_OTHER;
}

static int
variant_of_wait(int64_t wait_ms)
{
	if (wait_ms == STORE_FOREVER)
		return BY_ADMINISTRATOR;
	return wait_ms > 0 ? IN_TIME : LATER;
}

/* The letters that can be typed instead of a code. */
static int
variant_of_letters(int message, const struct prompt_facts *f)
{
	if (!f->may_resend)
		return NO_LETTER;
	return message == TEXT_ASK_CODE && f->nmenu > 1 ? LETTERS_R_O : LETTER_R;
}

static int
variant_of_number(int n)
{
	if (n <= 0)
		return NONE;
	return n == 1 ? ONE : MANY;
}

static int
variant_of(int message, const struct prompt_facts *f, int n)
{
	switch (message) {
	case NOTE_SENT:
	case TEXT_FIRST_FAILED:
	case TEXT_SENT_BY_ANOTHER:
	case NOTE_MAYBE_SENT:
	case TEXT_ASK_FIRST:
	case TEXT_ASK_FIRST_OR_RECOVERY:
	case TEXT_MENU_ENTRY:
		return variant_of_channel(f->destination.channel);
	case NOTE_WRONG:
	case NOTE_MALFORMED:
	case TEXT_MALFORMED_RANGE:
	case NOTE_WRONG_RECOVERY:
	case NOTE_MALFORMED_RECOVERY:
	case NOTE_UNCHECKED:
		return f->tries == 1 ? ONE : MANY;
	case NOTE_LIMIT:
	case NOTE_LOCKED:
		return variant_of_wait(f->wait_ms);
	case TEXT_MENU_FIRST:
	case TEXT_MENU_BACK:
		return f->has_recovery ? OR_RECOVERY : CODE_ALONE;
	case TEXT_ASK_CODE:
	case TEXT_ASK_RECOVERY:
		return variant_of_letters(message, f);
	case TEXT_RECOVERY_LEFT:
		return variant_of_number(n);
	default:
		return ONLY;
	}
}

/* --- prompts ------------------------------------------------------------------------------- */

/* Puts a message on a line of its own. */
static void
put_line(struct draft *d, int message, const struct prompt_facts *f, int n)
{
	const char *text = prompt_text(message, variant_of(message, f, n));
	const struct arguments a = arguments_of(f, n);

	if (!*text)
		return;
	if (d->len)
		put(d, "\n", 1);
	put_text(d, text, &a);
}

static void
put_note(struct draft *d, enum note note, const struct prompt_facts *f)
{
	const struct prompt_facts first = {.destination.channel = f->first};
	int message = (int)note;

	if (note == NOTE_SENT && f->instead == INSTEAD_CHANNEL)
		put_line(d, TEXT_FIRST_FAILED, &first, 0);
	if (note == NOTE_SENT && f->instead == INSTEAD_PROVIDER)
		message = TEXT_SENT_BY_ANOTHER;
	if (note == NOTE_MALFORMED && f->least != f->most)
		message = TEXT_MALFORMED_RANGE;
	put_line(d, message, f, 0);
}

void
prompt_note(char *text, enum note note, const struct prompt_facts *f)
{
	struct draft d = draft_in(text, ROOM);

	put_note(&d, note, f);
}

void
prompt_ask_first(char *text, enum note note, const struct prompt_facts *f)
{
	struct draft d = draft_in(text, ROOM);

	put_note(&d, note, f);
	put_line(&d, f->has_recovery ? TEXT_ASK_FIRST_OR_RECOVERY : TEXT_ASK_FIRST, f, 0);
}

void
prompt_menu(char *text, enum note note, const struct prompt_facts *f, bool back)
{
	struct draft d = draft_in(text, ROOM);

	put_note(&d, note, f);
	put_line(&d, TEXT_MENU, f, 0);
	for (int i = 0; i < f->nmenu; i++) {
		const struct prompt_facts entry = {.destination = f->menu[i]};

		put_line(&d, TEXT_MENU_ENTRY, &entry, i + 1);
	}
	put_line(&d, back ? TEXT_MENU_BACK : TEXT_MENU_FIRST, f, 0);
}

void
prompt_code(char *text, enum note note, const struct prompt_facts *f)
{
	struct draft d = draft_in(text, ROOM);

	put_note(&d, note, f);
	put_line(&d, f->has_code ? TEXT_ASK_CODE : TEXT_ASK_RECOVERY, f, 0);
}

static void
only(char *text, int message, int n)
{
	const struct prompt_facts none = {0};
	struct draft d = draft_in(text, ROOM);

	put_line(&d, message, &none, n);
}

void
prompt_action_needed(char *text)
{
	only(text, TEXT_ACTION_NEEDED, 0);
}

void
prompt_check_paused(char *text)
{
	only(text, TEXT_CHECK_PAUSED, 0);
}

void
prompt_recovery_left(char *text, int left)
{
	only(text, TEXT_RECOVERY_LEFT, left);
}

void
prompt_last(char *prompt, const char *text)
{
	const char *end = prompt_text(TEXT_END, ONLY);

	(void)snprintf(prompt, ROOM, "%.*s\n%s", (int)(ROOM - strlen(end) - 2), text, end);
}
