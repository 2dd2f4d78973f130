/* otpctl explain: prints the answer as text. The values are fit for a terminal already. */
#include "helpers/otpctl/explain/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *
text_of(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));

	return s ? s : "";
}

static void
print_request(const json_t *a)
{
	const char *client = text_of(a, "client"), *caller = text_of(a, "caller");

	(void)printf("%s, service %s, from %s%s%s%s\n", text_of(a, "user"), text_of(a, "service"),
	    *client ? client : "no numeric client address",
	    json_is_true(json_object_get(a, "public_key")) ? ", with a public key" : "",
	    *caller ? ", called by " : "", caller);
	if (json_is_false(json_object_get(a, "exists")))
		(void)printf("This machine knows no user of that name.\n");
}

static void
print_rules(const json_t *a)
{
	json_t *rows = json_object_get(a, "rules"), *row;
	size_t i;

	(void)printf("Rules that were tried:%s\n", json_array_size(rows) ? "" : " none");
	json_array_foreach (rows, i, row) {
		if (json_is_true(json_object_get(row, "decides")))
			(void)printf("  exempt %s decides: no code is asked for (%s)\n",
			    text_of(row, "rule"), text_of(row, "reason"));
		else
			(void)printf("  exempt %s does not apply: %s\n", text_of(row, "rule"),
			    text_of(row, "why_not"));
	}
}

static void
print_outcome(const json_t *a)
{
	static const char *const words[][2] = {
	    {"asked", "a code is asked for"},
	    {"skip", "no code is asked for, and the user is let in"},
	    {"denied", "denied"},
	    {"locked", "locked out: not signed in"},
	    {"broken", "broken: not signed in"},
	    {"gone", "ended without a prompt: not signed in"},
	};
	const char *outcome = text_of(a, "outcome"), *reason = text_of(a, "reason");
	const char *sentence = outcome;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i][0], outcome))
			sentence = words[i][1];
	(void)printf("Outcome: %s%s%s\n", sentence, *reason ? ": " : "", reason);
	if (json_is_true(json_object_get(a, "decoy")) && strcmp(outcome, "asked") != 0)
		(void)printf("  It looks like any other sign-in, but nothing is sent, and no code "
			     "is accepted.\n");
}

static void
print_destinations(const json_t *a)
{
	json_t *rows = json_object_get(a, "ways"), *row;
	size_t i;

	json_array_foreach (rows, i, row)
		(void)printf("  destination %zu: %s to %s\n", i + 1, text_of(row, "channel"),
		    text_of(row, "to"));
	if (json_is_true(json_object_get(a, "recovery_codes")))
		(void)printf("  a recovery code is accepted too\n");
}

static void
print_prompts(const json_t *a)
{
	json_t *rows = json_object_get(a, "prompts"), *row;
	size_t i;

	if (json_array_size(rows))
		(void)printf("The user first reads this, and presses Enter:\n");
	json_array_foreach (rows, i, row) {
		(void)fputs("  ", stdout);
		for (const char *c = json_string_value(row); c && *c; c++) {
			(void)putchar(*c);
			if (*c == '\n')
				(void)fputs("  ", stdout);
		}
		(void)putchar('\n');
	}
}

static void
print_limits(const json_t *a)
{
	json_t *rows = json_object_get(a, "limits"), *row;
	size_t i;

	if (json_is_false(json_object_get(a, "place")))
		(void)printf(
		    "The limits are those of a new source, where the user never signed in. "
		    "Name another source with --rhost, --ruser or --tty.\n");
	json_array_foreach (rows, i, row) {
		const char *until = text_of(row, "until");

		(void)printf("Limit in force: %s, until %s\n", text_of(row, "limit"),
		    *until ? until : "it is unlocked");
	}
	rows = json_object_get(a, "pauses");
	json_array_foreach (rows, i, row)
		(void)printf("Provider %s asked to wait: it gets no request for %s until %s\n",
		    text_of(row, "provider"), text_of(row, "address"), text_of(row, "until"));
}

/* The options that the service has of its own. `otpctl config show` prints the others. */
static void
print_options(const json_t *a)
{
	json_t *rows = json_object_get(a, "options"), *row;
	bool own = false;
	size_t i;

	json_array_foreach (rows, i, row) {
		if (!strcmp(text_of(row, "section"), "otp"))
			continue;
		if (!own)
			(void)printf("Options of [%s]; the others are those of [otp]:\n",
			    text_of(row, "section"));
		own = true;
		(void)printf("  %s = %s\n", text_of(row, "key"), text_of(row, "value"));
	}
	if (!own)
		(void)printf("Options: those of [otp]\n");
}

void
explain_print(const json_t *answer)
{
	print_request(answer);
	print_rules(answer);
	print_outcome(answer);
	print_destinations(answer);
	print_limits(answer);
	print_prompts(answer);
	print_options(answer);
}
