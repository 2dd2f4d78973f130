/*
 * The simulation of otpctl explain: the sign-in of login.c, with a replacement for each part that
 * would have an effect.
 *
 * MUST:
 *  - Nothing is sent: no provider gets a request or a connection.
 *  - Nothing is counted or stored: a send is only checked against its limits, and the simulation
 *    ends there.
 *  - The code of a real sign-in makes every decision. This file only records it.
 */
#include "helpers/otpctl/explain/run.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/base/json.h"
#include "helpers/otpctl/store.h"
#include "helpers/login/source.h"

enum { TEXT_MAX = 1200, SENDS_MAX = 8 };

/* The replacements that login_run() gets, and what they have recorded. */
struct dry {
	struct login_peer peer;
	struct login_machine machine;
	struct clock_source clock;
	struct login_watch watch;
	struct login_opener opener;
	struct delivery delivery;
	struct delivery *real_delivery;
	struct store_ops ops;
	const struct explain_query *q;
	const struct store_ops *real;
	json_t *answer;
	bool no_memory;
	bool asked;	   /* a prompt was shown */
	bool sending;	   /* the sign-in wanted to send a message, or to pretend to send one */
	bool refused;	   /* a limit refused that message */
	bool decoy;	   /* the sign-in would only have pretended to send it */
	bool has_recovery; /* the user has recovery codes */
};

#define DRY_OF(member, p) ((struct dry *)(void *)((char *)(p)-offsetof(struct dry, member)))

static json_t *
clean(const char *s)
{
	char text[TEXT_MAX];

	return json_string(text_clean(text, sizeof(text), s));
}

/* The text of a prompt, fit for a terminal. Its line breaks stay; all other bytes are ASCII. */
static json_t *
clean_lines(const char *s)
{
	char text[WIRE_PROMPT_MAX + 1];

	(void)snprintf(text, sizeof(text), "%s", s);
	for (char *c = text; *c; c++)
		if (*c != '\n' && (*c < ' ' || *c > '~'))
			*c = '?';
	return json_string(text);
}

static void
add(struct dry *d, const char *key, json_t *row)
{
	d->no_memory |= json_array_append_new(json_object_get(d->answer, key), row) != 0;
}

static void
set(struct dry *d, const char *key, json_t *value)
{
	d->no_memory |= json_object_set_new(d->answer, key, value) != 0;
}

/* --- the person presses Enter once and then leaves ----------------------------------------- */

static int
peer_ask(struct login_peer *p, const char *text, struct deadline dl, enum answer *kind,
    struct secret *typed)
{
	struct dry *d = DRY_OF(peer, p);
	bool first = !d->asked;

	(void)dl;
	(void)typed;
	d->asked = true;
	/* The second prompt says something new only if a limit refused the message. */
	if (first || d->refused)
		add(d, "prompts", clean_lines(text));
	*kind = ANSWER_TEXT;
	return first ? 0 : -OTP_EGONE;
}

static void
peer_tell(struct login_peer *p, const char *text)
{
	add(DRY_OF(peer, p), "prompts", clean_lines(text));
}

/*
 * A simulated sign-in waits only to pretend that it sends a code. The simulation ends there, as it
 * does before a real send.
 */
static int
peer_wait(struct login_peer *p, int64_t ms)
{
	(void)ms;
	DRY_OF(peer, p)->sending = true;
	return -OTP_EGONE;
}

/* --- the clock ----------------------------------------------------------------------------- */

static void
clock_now(struct clock_source *c, struct instant *out)
{
	*out = DRY_OF(clock, c)->q->now;
}

/* --- what login_run() reports -------------------------------------------------------------- */

static void
watch_rule(struct login_watch *w, const struct conf_exempt *rule, const char *why_not)
{
	add(DRY_OF(watch, w), "rules",
	    json_pack("{s:s, s:b, s:o, s:o}", "rule", rule->name, "decides", !why_not, "why_not",
		why_not ? clean(why_not) : json_null(), "reason", clean(rule->reason)));
}

static void
watch_destinations(struct login_watch *w, const struct login_destinations *found)
{
	struct dry *d = DRY_OF(watch, w);

	d->decoy = found->decoy != NULL;
	d->has_recovery = found->has_recovery;
	set(d, "recovery_codes", json_boolean(found->has_recovery));
	if (found->decoy)
		set(d, "reason", clean(found->decoy));
	for (int i = 0; !found->decoy && i < found->n; i++)
		add(d, "ways",
		    json_pack("{s:s, s:o}", "channel", found->destination[i].channel, "to",
			clean(found->destination[i].masked)));
}

/* --- the store ----------------------------------------------------------------------------- */

static void
add_limit(struct dry *d, const char *limit, int64_t until)
{
	char text[OTPCTL_TIME_MAX];

	add(d, "limits",
	    json_pack("{s:s, s:o}", "limit", limit, "until",
		until == STORE_FOREVER ? json_null() : json_string(otpctl_time(until, text))));
}

static int
store_locked(
    struct store *s, const struct instant *now, const struct trial *trial, struct trial_result *out)
{
	struct dry *d = DRY_OF(ops, s->ops);
	int r = d->real->locked(s, now, trial, out);

	if (r == -OTP_ELIMIT)
		add_limit(d, "failures", out->until_wall_ms);
	return r;
}

/* The key of a limit in pam_otp.conf(5), by the kind of its budget. */
static const char *
limit_of(const char *kind)
{
	static const char *const keys[][2] = {
	    {"user", "sends_per_user"},
	    {"address", "sends_per_address"},
	    {"message", "messages_per_address"},
	    {"host", "sends_per_host"},
	    {"client", "sends_per_client"},
	};
	size_t len = strcspn(kind, "-");

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strlen(keys[i][0]) == len && !strncmp(kind, keys[i][0], len))
			return keys[i][1];
	return kind;
}

/* Takes no lock: nothing is sent, so no concurrent sign-in has to wait. */
static int
store_send_lock(struct store *s, uint64_t number)
{
	(void)s, (void)number;
	return 0;
}

static void
store_send_lock_release(struct store *s)
{
	(void)s;
}

/* A sign-in ends the code of a contact that is gone; a look at it does not. */
static int
store_kill(struct store *s, const char *id)
{
	(void)s, (void)id;
	return 0;
}

/* Checks whether the limits allow the message, but does not count it. */
static int
store_reserve(struct store *s, const struct instant *now, const struct send_count *count, size_t n,
    int64_t *id, struct store_refusal *why)
{
	struct dry *d = DRY_OF(ops, s->ops);
	struct send_count look[SENDS_MAX];
	int r;

	if (n > SENDS_MAX)
		return -OTP_ETOOBIG;
	for (size_t i = 0; i < n; i++) {
		look[i] = count[i];
		look[i].mode = SEND_CHECK_ONLY;
	}
	r = d->real->send_reserve(s, now, look, n, id, why);
	d->refused = r == -OTP_ELIMIT;
	if (d->refused)
		add_limit(d, limit_of(why->kind), why->until_wall_ms);
	return r;
}

/* --- the providers ------------------------------------------------------------------------- */

static int
delivery_needs(struct delivery *v, const char *channel, enum contact_kind *kind)
{
	struct delivery *real = DRY_OF(delivery, v)->real_delivery;

	return real->needs(real, channel, kind);
}

static void
delivery_code_length(
    struct delivery *v, const char *channel, const char *provider, int *least, int *most)
{
	struct delivery *real = DRY_OF(delivery, v)->real_delivery;

	real->code_length(real, channel, provider, least, most);
}

static int
delivery_send(struct delivery *v, const struct sending *q, const struct last_send *last,
    const struct conf_signin *options, struct deadline all, struct delivered *out)
{
	(void)q, (void)last, (void)options, (void)all, (void)out;
	DRY_OF(delivery, v)->sending = true;
	return -OTP_EGONE;
}

static int
delivery_verify(struct delivery *v, const struct sending *q, const char *provider,
    const struct conf_signin *options, struct delivered *out)
{
	(void)v, (void)q, (void)provider, (void)options, (void)out;
	return -OTP_EGONE;
}

static void
delivery_warm(struct delivery *v, const char *channel)
{
	(void)v, (void)channel;
}

static int
opener_open(struct login_opener *opener, struct delivery **out)
{
	struct dry *d = DRY_OF(opener, opener);
	int r = d->q->opener->open(d->q->opener, &d->real_delivery);

	*out = r ? NULL : &d->delivery;
	return r;
}

/* --- the answer ---------------------------------------------------------------------------- */

static void
add_option(const struct conf_shown *o, void *arg)
{
	struct dry *d = arg;

	if (strcmp(o->section, "otp") != 0 && strncmp(o->section, "service ", 8) != 0)
		return;
	add(d, "options",
	    json_pack("{s:s, s:s, s:o, s:s?, s:o}", "section", o->section, "key", o->key, "value",
		clean(o->value), "file", o->line ? o->file : NULL, "line",
		o->line ? json_integer(o->line) : json_null()));
}

/*
 * The outcome in the answer. The simulated sign-in ends at a prompt or before a send. In both cases
 * a real sign-in would ask for a code.
 */
static const char *
outcome(const struct dry *d, const struct login_result *r)
{
	if (r->word != LOGIN_GONE || !(d->asked || d->sending))
		return login_word(r->word);
	return d->decoy && !d->has_recovery ? "denied" : "asked";
}

static void
run(struct dry *d)
{
	const struct explain_query *q = d->q;
	const struct conf_signin *options = conf_signin_for(q->conf, q->start->service);
	struct login_result result;
	struct utsname host;
	struct login_ports ports = {
	    .conf = q->conf,
	    .host_key = q->host_key,
	    .host = uname(&host) ? "" : host.nodename,
	    .peer = &d->peer,
	    .machine = &d->machine,
	    .clock = &d->clock,
	    .contacts = q->contacts,
	    .store = q->store,
	    .opener = &d->opener,
	    .watch = &d->watch,
	};
	const char *end;

	q->store->ops = &d->ops;
	login_run(&ports, q->start, deadline_in(options->login_timeout), &result);
	q->store->ops = d->real;
	end = outcome(d, &result);
	set(d, "outcome", json_string(end));
	if (strcmp(end, "asked") != 0 && !(d->decoy && !strcmp(end, "denied")))
		set(d, "reason", clean(result.reason));
	set(d, "decoy", json_boolean(d->decoy));
	set(d, "client", *result.client ? clean(result.client) : json_null());
	if (*result.user)
		set(d, "user", clean(result.user));
}

/* True if the start message has a source by which the user may be known, see source_of(). */
static bool
has_known_source(const struct login_start *s)
{
	struct source source;

	return !source_of(s, &source) && *source.known_source;
}

int
explain_sign_in(const struct explain_query *q, json_t **out)
{
	bool has_key = q->start->fingerprint || *q->start->ssh_auth_info;
	_auto_json json_t *answer = json_pack(
	    "{s:o, s:o, s:o, s:n, s:o, s:b, s:b, s:[], s:n, s:n, s:[], s:b, s:[], s:[], s:[]}",
	    "user", clean(q->asked), "exists",
	    q->known == USER_AS_TYPED ? json_null() : json_boolean(q->known == USER_KNOWN),
	    "service", clean(q->start->service), "client", "caller",
	    *q->start->ruser ? clean(q->start->ruser) : json_null(), "place",
	    has_known_source(q->start), "public_key", has_key, "rules", "outcome", "reason", "ways",
	    "recovery_codes", 0, "prompts", "limits", "options");
	struct dry d = {
	    .peer = {.ask = peer_ask, .show = peer_tell, .wait = peer_wait},
	    .machine = login_this_machine,
	    .clock = {.now = clock_now},
	    .watch = {.rule = watch_rule, .destinations = watch_destinations},
	    .opener = {.open = opener_open},
	    .delivery = {.send = delivery_send,
		.verify = delivery_verify,
		.warm = delivery_warm,
		.needs = delivery_needs,
		.code_length = delivery_code_length},
	    .ops = *q->store->ops,
	    .q = q,
	    .real = q->store->ops,
	    .answer = answer,
	};

	if (!answer)
		return -OTP_ENOMEM;
	d.ops.locked = store_locked;
	d.ops.challenge_kill = store_kill;
	d.ops.send_reserve = store_reserve;
	d.ops.send_lock_take = store_send_lock;
	d.ops.send_lock_release = store_send_lock_release;
	run(&d);
	conf_show(q->conf, q->start->service, add_option, &d);
	if (d.no_memory)
		return -OTP_ENOMEM;
	*out = json_incref(answer);
	return 0;
}
