/* otpctl status: prints what was found as text. */
#include "helpers/otpctl/status/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"

static const char *
text_of(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));

	return s ? s : "";
}

static long long
number_of(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

static bool
is_true(const json_t *row, const char *key)
{
	return json_is_true(json_object_get(row, key));
}

/*
 * Prints from which source the answers or messages of a row came. If the program was not root,
 * prints this, too.
 */
static void
print_source(const json_t *row)
{
	const char *known_source = text_of(row, "place");

	(void)printf(" from %s%s", *known_source ? known_source : "new sources",
	    is_true(row, "root") ? "" : " by programs that are not root");
}

static void
print_shown(const json_t *status, const json_t *row)
{
	bool recovery = number_of(json_object_get(status, "recovery_codes"), "left") > 0;

	(void)printf("    the user now reads: \"%s\"%s\n", text_of(row, "told"),
	    recovery ? "; a recovery code is accepted" : "");
}

static void
print_contacts(const json_t *status)
{
	json_t *rows = json_object_get(status, "contacts"), *row;
	size_t i;

	if (!json_array_size(rows))
		(void)printf("Contacts: none, so no code can be sent; to add one: otpctl contact "
			     "add %s --phone +NUMBER\n",
		    text_of(status, "user"));
	else
		(void)printf("Contacts:\n");
	json_array_foreach (rows, i, row)
		(void)printf("  %s %s%s\n", text_of(row, "kind"), text_of(row, "address"),
		    is_true(row, "allowed") ? ""
					    : ", outside of [limits] prefixes: nothing is sent");
}

static void
print_recovery(const json_t *status)
{
	const json_t *codes = json_object_get(status, "recovery_codes");

	if (!json_is_object(codes))
		(void)printf("Recovery codes: none; to issue some: otpctl recovery issue %s\n",
		    text_of(status, "user"));
	else
		(void)printf("Recovery codes: %lld left, issued %s\n", number_of(codes, "left"),
		    text_of(codes, "issued"));
}

static void
print_sources(const json_t *status)
{
	json_t *rows = json_object_get(status, "places"), *row;
	size_t i;

	(void)printf("Known sources:%s\n", json_array_size(rows) ? "" : " none");
	json_array_foreach (rows, i, row)
		(void)printf("  %s, last sign-in %s%s\n", text_of(row, "place"),
		    text_of(row, "last"),
		    is_true(row, "known") ? "" : " (a network alone is only seen, not known)");
}

static void
print_failures(const json_t *status)
{
	json_t *rows = json_object_get(status, "failures"), *row;
	size_t i;

	(void)printf("Wrong answers in a row:%s\n", json_array_size(rows) ? "" : " none");
	json_array_foreach (rows, i, row) {
		(void)printf("  %lld wrong %s", number_of(row, "in_a_row"), text_of(row, "of"));
		print_source(row);
		(void)printf(", the last at %s\n", text_of(row, "last"));
		if (!is_true(row, "locked"))
			continue;
		if (is_true(row, "for_good"))
			(void)printf("    no more are accepted");
		else
			(void)printf("    no more are accepted until %s", text_of(row, "until"));
		(void)printf("; to end this: otpctl unlock %s\n", text_of(status, "user"));
		print_shown(status, row);
	}
}

static void
print_send(const json_t *row, const json_t *status)
{
	json_t *windows = json_object_get(row, "windows"), *w;
	const char *key = text_of(row, "key"), *address = text_of(row, "address");
	bool has_known_source = !strcmp(key, "sends_per_user") || !strcmp(key, "sends_per_address");
	size_t i;

	(void)printf("  %s:", key);
	json_array_foreach (windows, i, w)
		(void)printf("%s %lld of %lld in %s", i ? "," : "", number_of(w, "sent"),
		    number_of(w, "of"), text_of(w, "in"));
	if (*address)
		(void)printf(" to %s", address);
	if (has_known_source)
		print_source(row);
	(void)putchar('\n');
	if (!is_true(row, "full"))
		return;
	(void)printf("    the next is possible at %s", text_of(row, "next"));
	if (status && strcmp(key, "sends_per_host") != 0)
		(void)printf("; to end this: otpctl unlock %s", text_of(status, "user"));
	(void)putchar('\n');
	print_shown(status, row);
}

static void
print_codes(const json_t *status)
{
	json_t *rows = json_object_get(status, "codes"), *row;
	size_t i;

	(void)printf("Codes that can still be used:%s\n", json_array_size(rows) ? "" : " none");
	json_array_foreach (rows, i, row)
		(void)printf("  for %s, %s by %s, sent %s, tries: %lld\n", text_of(row, "service"),
		    text_of(row, "channel"), text_of(row, "provider"), text_of(row, "sent"),
		    number_of(row, "tries"));
}

static void
print_retry_after(const json_t *status)
{
	json_t *rows = json_object_get(status, "pauses"), *row;
	size_t i;

	json_array_foreach (rows, i, row)
		(void)printf("Provider %s asked to wait: it gets no request for %s until %s\n",
		    text_of(row, "provider"), text_of(row, "address"), text_of(row, "until"));
}

void
status_print_host(const json_t *sends)
{
	size_t i;
	json_t *row;

	(void)printf(
	    "Messages of this machine:%s\n", json_array_size(sends) ? "" : " none counted");
	json_array_foreach (sends, i, row)
		print_send(row, NULL);
}

void
status_print_user(const json_t *status)
{
	json_t *sends = json_object_get(status, "sends"), *row;
	size_t i;

	(void)printf("%s: %s\n", text_of(status, "user"),
	    is_true(status, "held") ? "a lock-out or a limit is in force"
				    : "no lock-out and no limit of this user is in force");
	if (!is_true(status, "held"))
		(void)printf("For those of a client address, run: otpctl explain %s --service "
			     "SERVICE --rhost ADDRESS\n",
		    text_of(status, "user"));
	print_contacts(status);
	print_recovery(status);
	print_sources(status);
	print_failures(status);
	(void)printf("Messages counted:%s\n", json_array_size(sends) ? "" : " none");
	json_array_foreach (sends, i, row)
		print_send(row, status);
	print_codes(status);
	print_retry_after(status);
}
