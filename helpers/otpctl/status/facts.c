/* otpctl status: compares what the store has counted with the limits of the configuration. */
#include "helpers/otpctl/status/facts.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "common/text.h"
#include "helpers/conf/parse.h"
#include "helpers/contacts/contacts.h"
#include "helpers/base/json.h"
#include "helpers/otpctl/addresses.h"
#include "helpers/otpctl/store.h"
#include "helpers/login/prompts.h"
#include "helpers/login/source.h"

/* KEY_SHOWN: how many characters of the fingerprint of a key are shown. */
enum { SOURCE_TEXT = 640, KEY_SHOWN = sizeof("SHA256:") - 1 + 8 };

struct fact {
	struct store_fact f;
	char *detail;
};

/* The messages that count against one budget, and when each was sent. There may be very many. */
struct sends {
	struct budget budget;
	int64_t *at; /* wall clock, ms */
	size_t n;
};

struct facts {
	struct fact *item;
	size_t n;
	struct sends *sends;
	size_t nsends;
};

static void
facts_clear(struct facts *all)
{
	for (size_t i = 0; i < all->n; i++)
		free(all->item[i].detail);
	for (size_t i = 0; i < all->nsends; i++)
		free(all->sends[i].at);
	free(all->item);
	free(all->sends);
	*all = (struct facts){0};
}

#define _auto_facts __attribute__((cleanup(facts_clear)))

static bool
same_budget(const struct budget *a, const struct budget *b)
{
	return !strcmp(a->kind, b->kind) && !strcmp(a->owner, b->owner) &&
	       !strcmp(a->known_source, b->known_source);
}

/* Finds the entry of the budget, or adds one; NULL without memory. */
static struct sends *
sends_of(struct facts *all, const struct budget *b)
{
	struct sends *more;

	/*
	 * The search starts at the end, because the store reports all sends of one budget together.
	 */
	for (size_t i = all->nsends; i-- > 0;)
		if (same_budget(&all->sends[i].budget, b))
			return &all->sends[i];
	more = reallocarray(all->sends, all->nsends + 1, sizeof(*more));
	if (!more)
		return NULL;
	all->sends = more;
	more[all->nsends] = (struct sends){.budget = *b};
	return &more[all->nsends++];
}

static int
keep_send(struct facts *all, const struct store_fact *f)
{
	struct sends *s = sends_of(all, &f->budget);
	int64_t *more = s ? reallocarray(s->at, s->n + 1, sizeof(*more)) : NULL;

	if (!more)
		return -OTP_ENOMEM;
	s->at = more;
	more[s->n++] = f->at_wall_ms;
	return 0;
}

static int
keep_fact(const struct store_fact *f, void *arg)
{
	struct facts *all = arg;
	struct fact *more;

	if (f->kind == FACT_SEND)
		return keep_send(all, f);
	more = reallocarray(all->item, all->n + 1, sizeof(*more));
	if (!more)
		return -OTP_ENOMEM;
	all->item = more;
	more[all->n] = (struct fact){*f, strdup(f->detail)};
	if (!more[all->n].detail)
		return -OTP_ENOMEM;
	all->n++;
	return 0;
}

/*
 * Makes text of a known source, which login/source.c writes as "net NETWORK KEY", "user NAME" or
 * "tty NAME". An empty source stands for all new sources together; it becomes JSON null.
 */
static json_t *
source_json(const char *known_source)
{
	char text[SOURCE_TEXT], clean[SOURCE_TEXT];
	const char *blank = strchr(known_source, ' ');
	size_t net;

	if (!*known_source)
		return json_null();
	if (!blank)
		(void)snprintf(text, sizeof(text), "%s", known_source);
	else if (!strncmp(known_source, "user ", 5))
		(void)snprintf(text, sizeof(text), "this machine, called by %s", blank + 1);
	else if (!strncmp(known_source, "tty ", 4))
		(void)snprintf(text, sizeof(text), "this machine, terminal %s", blank + 1);
	else {
		net = strcspn(blank + 1, " ");
		(void)snprintf(text, sizeof(text), "%.*s%s%.*s", (int)net, blank + 1,
		    blank[net + 1] && blank[net + 2] ? ", key " : "", KEY_SHOWN,
		    blank[net + 1] ? blank + net + 2 : "");
	}
	return json_string(text_clean(clean, sizeof(clean), text));
}

static json_t *
time_json(int64_t wall_ms)
{
	char text[OTPCTL_TIME_MAX];

	return json_string(otpctl_time(wall_ms, text));
}

static json_t *
clean_json(const char *s)
{
	char text[SOURCE_TEXT];

	return json_string(text_clean(text, sizeof(text), s));
}

static json_t *
masked_json(const char *address)
{
	char text[SOURCE_TEXT];

	return json_string(contact_masked(text, sizeof(text), address));
}

/* The text that a prompt would show to the user now. */
static json_t *
shown_json(enum note note, int64_t wait_ms)
{
	const struct prompt_facts f = {.wait_ms = wait_ms};
	char text[WIRE_PROMPT_MAX + 1];

	prompt_note(text, note, &f);
	return json_string(text);
}

/*
 * Returns the kind of a budget without its prefix "peer-". Only a budget of a host that is not root
 * has this prefix; *root is false then.
 */
static const char *
bare_kind(const struct budget *b, bool *root)
{
	*root = strncmp(b->kind, "peer-", 5) != 0;
	return *root ? b->kind : b->kind + 5;
}

/* --- failures ------------------------------------------------------------------------------ */

static int
failures_json(const struct status_query *q, const struct store_fact *f, json_t *rows, bool *held)
{
	bool root, recovery = !strcmp(bare_kind(&f->budget, &root), "recovery");
	const struct try_rule rule = {
	    .failures = q->conf->limits.failures,
	    .most = CONF_FAILURES_MOST,
	    .backoff_first_ms = q->conf->limits.backoff_first,
	    .backoff_most_ms = q->conf->limits.backoff_most,
	    .per_challenge = 1,
	};
	/* Wrong recovery codes never lock. */
	int64_t until = recovery ? 0 : try_locked_until(&rule, f->n, f->at_wall_ms);
	bool for_good = until == STORE_FOREVER, locked = until > q->now.wall_ms;
	json_t *shown = json_null(), *end = json_null();

	if (locked)
		shown = shown_json(NOTE_LOCKED, for_good ? STORE_FOREVER : until - q->now.wall_ms);
	if (locked && !for_good)
		end = time_json(until);
	*held |= locked;
	return json_array_append_new(
		   rows, json_pack("{s:s, s:b, s:o, s:I, s:o, s:b, s:b, s:o, s:o}", "of",
			     recovery ? "recovery codes" : "codes", "root", root, "place",
			     source_json(f->budget.known_source), "in_a_row", (json_int_t)f->n,
			     "last", time_json(f->at_wall_ms), "locked", locked, "for_good",
			     for_good, "until", end, "told", shown))
		   ? -OTP_ENOMEM
		   : 0;
}

/* --- messages ------------------------------------------------------------------------------ */

static const struct {
	const char *kind, *key;
	size_t offset;
	bool of_address;
} limits[] = {
    {"user", "sends_per_user", offsetof(struct conf_limits, sends_per_user), false},
    {"address", "sends_per_address", offsetof(struct conf_limits, sends_per_address), true},
    {"message", "messages_per_address", offsetof(struct conf_limits, messages_per_address), true},
    {"host", "sends_per_host", offsetof(struct conf_limits, sends_per_host), false},
};

static int
newer_first(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x < y) - (x > y);
}

/*
 * An array with the count of each window. If a window is full, *next becomes the time at which it
 * has room again, unless *next is later already. at is sorted, newest first; all times in ms.
 */
static json_t *
windows_json(const struct conf_windows *w, const int64_t *at, size_t n, int64_t now, int64_t *next)
{
	json_t *rows = json_array();
	char span[CONF_DURATION_TEXT];

	for (size_t i = 0; i < w->n; i++) {
		const struct conf_window *one = &w->item[i];
		size_t used = 0;

		while (used < n && at[used] > now - one->span)
			used++;
		if (used >= (size_t)one->count && at[one->count - 1] + one->span > *next)
			*next = at[one->count - 1] + one->span;
		json_array_append_new(
		    rows, json_pack("{s:I, s:i, s:s}", "sent", (json_int_t)used, "of", one->count,
			      "in", conf_duration_text(one->span, span)));
	}
	return rows;
}

static int
sends_json(const struct status_query *q, struct sends *sends, json_t *rows, bool *held)
{
	const struct budget *b = &sends->budget;
	const struct conf_windows *w;
	int64_t next = q->now.wall_ms;
	json_t *windows;
	size_t k = 0;
	bool root, full;
	const char *kind = bare_kind(b, &root);

	while (k < sizeof(limits) / sizeof(*limits) && strcmp(limits[k].kind, kind) != 0)
		k++;
	if (k == sizeof(limits) / sizeof(*limits))
		return 0;
	qsort(sends->at, sends->n, sizeof(*sends->at), newer_first);
	w = (const void *)((const char *)&q->conf->limits + limits[k].offset);
	windows = windows_json(w, sends->at, sends->n, q->now.wall_ms, &next);
	full = next > q->now.wall_ms;
	*held |= full;
	return json_array_append_new(
		   rows, json_pack("{s:s, s:b, s:o, s:o, s:o, s:b, s:o, s:o}", "key", limits[k].key,
			     "root", root, "address",
			     limits[k].of_address ? masked_json(b->owner) : json_null(), "place",
			     source_json(b->known_source), "windows", windows, "full", full, "next",
			     full ? time_json(next) : json_null(), "told",
			     full ? shown_json(NOTE_LIMIT, next - q->now.wall_ms) : json_null()))
		   ? -OTP_ENOMEM
		   : 0;
}

/* Adds a row for each budget. Sets *held if one of the limits is reached. */
static int
all_sends_json(const struct status_query *q, struct facts *all, json_t *rows, bool *held)
{
	int r = 0;

	for (size_t i = 0; !r && i < all->nsends; i++)
		r = sends_json(q, &all->sends[i], rows, held);
	return r;
}

/* --- the rest ------------------------------------------------------------------------------ */

/*
 * Makes an object of a code that can still be used. The detail is "SERVICE CHANNEL PROVIDER";
 * channel and provider contain no blank.
 */
static json_t *
code_json(const struct fact *fact)
{
	char *provider = strrchr(fact->detail, ' '), *channel;

	if (provider)
		*provider++ = '\0';
	channel = strrchr(fact->detail, ' ');
	if (channel)
		*channel++ = '\0';
	return json_pack("{s:o, s:o, s:o, s:o, s:I}", "service", clean_json(fact->detail),
	    "channel", clean_json(channel ? channel : ""), "provider",
	    clean_json(provider ? provider : ""), "sent", time_json(fact->f.at_wall_ms), "tries",
	    (json_int_t)fact->f.n);
}

static json_t *
retry_after_json(const struct fact *fact)
{
	return json_pack("{s:o, s:o, s:o}", "provider", clean_json(fact->detail), "address",
	    masked_json(fact->f.budget.owner), "until", time_json(fact->f.at_wall_ms));
}

/* Adds one fact to the member of out that it belongs to. Sends were kept apart by keep_fact(). */
static int
add_fact(const struct status_query *q, const struct fact *fact, json_t *out, bool *held)
{
	const struct store_fact *f = &fact->f;

	switch (f->kind) {
	case FACT_FAILURES:
		return failures_json(q, f, json_object_get(out, "failures"), held);
	case FACT_CHALLENGE:
		return json_array_append_new(json_object_get(out, "codes"), code_json(fact));
	case FACT_SOURCE:
		return json_array_append_new(json_object_get(out, "places"),
		    json_pack("{s:o, s:b, s:o}", "place", source_json(f->budget.known_source),
			"known", source_can_be_known(f->budget.known_source), "last",
			time_json(f->at_wall_ms)));
	case FACT_RECOVERY:
		return json_object_set_new(out, "recovery_codes",
		    json_pack("{s:I, s:o}", "left", (json_int_t)f->n, "issued",
			time_json(f->at_wall_ms)));
	case FACT_RETRY_AFTER:
		return json_array_append_new(
		    json_object_get(out, "pauses"), retry_after_json(fact));
	case FACT_SEND:
		break;
	}
	return 0;
}

static int
add_contacts(const struct status_query *q, json_t *rows)
{
	int r = 0;

	for (size_t i = 0; !r && i < q->contacts->n; i++) {
		const struct contact *c = &q->contacts->item[i];
		bool allowed = c->kind != CONTACT_PHONE || conf_allows_number(q->conf, c->address);

		r = json_array_append_new(
		    rows, json_pack("{s:s, s:o, s:b}", "kind", contact_kind_name(c->kind),
			      "address", masked_json(c->address), "allowed", allowed));
	}
	return r;
}

/* Reads the facts of a user and n addresses, or of this machine if user is "". */
static int
ask_store(const struct status_query *q, const char *user, const char *const *address, size_t n,
    struct facts *out)
{
	return q->store->ops->facts(q->store, &q->now, user, address, n, keep_fact, out);
}

int
status_of_host(const struct status_query *q, json_t **out)
{
	_auto_facts struct facts all = {0};
	_auto_json json_t *rows = json_array();
	bool held = false;
	int r = ask_store(q, "", NULL, 0, &all);

	if (!r)
		r = all_sends_json(q, &all, rows, &held);
	if (!r)
		*out = json_incref(rows);
	return r;
}

int
status_of_user(const struct status_query *q, json_t **out)
{
	_auto_free const char **address = otpctl_addresses(q->contacts);
	_auto_facts struct facts all = {0};
	_auto_json json_t *host = NULL;
	_auto_json json_t *j = json_pack("{s:s, s:b, s:[], s:n, s:[], s:[], s:[], s:[], s:[]}",
	    "user", q->user, "held", 0, "contacts", "recovery_codes", "places", "failures", "sends",
	    "codes", "pauses");
	bool held = false;
	size_t i;
	json_t *row;
	int r;

	if (!address)
		return -OTP_ENOMEM;
	r = ask_store(q, q->user, address, q->contacts->n, &all);
	if (!r)
		r = status_of_host(q, &host);
	if (r)
		return r;
	if (!j || add_contacts(q, json_object_get(j, "contacts")))
		return -OTP_ENOMEM;
	for (i = 0; i < all.n; i++)
		if (add_fact(q, &all.item[i], j, &held))
			return -OTP_ENOMEM;
	if (all_sends_json(q, &all, json_object_get(j, "sends"), &held))
		return -OTP_ENOMEM;
	json_array_foreach (host, i, row)
		held |= json_is_true(json_object_get(row, "full"));
	if (json_array_extend(json_object_get(j, "sends"), host) ||
	    json_object_set_new(j, "held", json_boolean(held)))
		return -OTP_ENOMEM;
	*out = json_incref(j);
	return 0;
}
