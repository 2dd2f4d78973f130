/*
 * MUST:
 *  - nothing is sent and nothing counted before a human answered, where the host asks first;
 *  - a send is counted before it is made, a try before it is compared;
 *  - a user who does not exist or has no contact sees and waits for what every other user does,
 *    and is never let in, and an unknown one never skipped;
 *  - `unavail` and `skip` never follow a prompt for a code;
 *  - LOGIN_OK has one place, behind a consumption that is on disk.
 */
#include "helpers/login.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/challenge.h"
#include "helpers/log.h"
#include "helpers/prompts.h"
#include "helpers/rules.h"
#include "helpers/seal.h"
#include "helpers/source.h"

enum {
	PROMPTS_MAX = 20,     /* of one sign-in: a host that answers by itself must end */
	CHALLENGE_TRIES = 5,  /* on one challenge, across sign-ins */
	DECOY_BUCKETS = 1024, /* counters that unknown users share */
};

static const char blind_host[] = "the host cannot prompt: it answered by itself";

enum step {
	STEP_IDENTIFY,
	STEP_RULES,
	STEP_CONTACT,
	STEP_LOCKED,
	STEP_JOIN,
	STEP_ASK_FIRST,
	STEP_SEND,
	STEP_CODE,
	STEP_END,
};

struct login {
	const struct login_ports *io;
	const struct login_start *start;
	const struct conf_signin *options;
	struct deadline deadline;
	struct login_result *result;

	struct account account;
	char name[256];	   /* whom rules, counters and challenges know */
	char service[256]; /* as stored: "peer:NAME" where the host is not root */
	struct source source;
	char budget[STORE_KEY_MAX + 1];
	bool decoy; /* nothing is sent, no code is right */
	const char *decoy_reason;

	const char *channel;
	struct contact contact;
	struct challenge challenge;
	bool has_challenge;
	struct secret captures; /* of the challenge's send, for its check */
	bool code_prompted;
	enum note note;
	int64_t wait_ms; /* for NOTE_WAIT and NOTE_LIMIT */
	int wrong;	 /* refused in this sign-in */
	int prompts;
};

const char *
login_word(enum login_word w)
{
	static const char *const words[] = {
	    [LOGIN_BROKEN] = "broken",
	    [LOGIN_OK] = "ok",
	    [LOGIN_DENIED] = "denied",
	    [LOGIN_LOCKED] = "locked",
	    [LOGIN_UNAVAIL] = "unavail",
	    [LOGIN_GONE] = "gone",
	    [LOGIN_SKIP] = "skip",
	};

	return words[w];
}

static enum step end(struct login *l, enum login_word word, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static enum step
end(struct login *l, enum login_word word, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(l->result->reason, sizeof(l->result->reason), fmt, ap);
	va_end(ap);
	l->result->word = word;
	return STEP_END;
}

static struct instant
now(struct login *l)
{
	struct instant t;

	l->io->machine->now(l->io->machine, &t);
	return t;
}

static void
become_decoy(struct login *l, const char *reason)
{
	l->decoy = true;
	l->decoy_reason = reason;
}

/* The result of what needs no better words: the store, the network, the peer. */
static enum step
end_by_error(struct login *l, int r, const char *what)
{
	if (r == -OTP_EGONE || r == -OTP_EPROTO)
		return end(l, LOGIN_GONE, "%s: %s", what, otp_strerror(r));
	return end(l, LOGIN_BROKEN, "%s: %s", what, otp_strerror(r));
}

/* Budgets of a host that is not root are its own: it can neither spend nor reset the others'. */
static enum step
set_budget(struct login *l)
{
	const char *kind = l->start->peer ? "peer" : "user";
	uint64_t n = 0;
	int r;

	if (!l->decoy) {
		(void)snprintf(l->budget, sizeof(l->budget), "%s:%s", kind, l->name);
		return STEP_LOCKED;
	}
	r = keyed_number(l->io->host_key, "decoy budget", l->name, &n);
	if (r)
		return end_by_error(l, r, "budget");
	(void)snprintf(
	    l->budget, sizeof(l->budget), "%s-decoy:%u", kind, (unsigned)(n % DECOY_BUCKETS));
	return STEP_LOCKED;
}

static enum step
identify(struct login *l)
{
	const struct login_start *s = l->start;
	const char *asked = l->options->identity == IDENTITY_CALLER ? s->ruser : s->user;
	int r;

	if (!*asked)
		return end(l, LOGIN_BROKEN, "there is no user name");
	r = l->io->machine->account(l->io->machine, asked, &l->account);
	if (r)
		return end_by_error(l, r, "user lookup");
	(void)snprintf(l->name, sizeof(l->name), "%s", l->account.exists ? l->account.name : asked);
	(void)snprintf(l->result->user, sizeof(l->result->user), "%s", l->account.name);
	if (s->peer && (!l->account.exists || l->account.uid != s->peer))
		return end(l, LOGIN_DENIED, "uid %u may not sign in this user", (unsigned)s->peer);
	if (strlen(s->service) >= sizeof(l->service) - 5 || strlen(asked) >= sizeof(l->name))
		return end(l, LOGIN_DENIED, "a name is too long");
	(void)snprintf(l->service, sizeof(l->service), "%s%s", s->peer ? "peer:" : "", s->service);
	(void)snprintf(l->result->service, sizeof(l->result->service), "%s", l->service);
	r = source_of(s, &l->source);
	if (r)
		return end_by_error(l, r, "source");
	(void)snprintf(l->result->client, sizeof(l->result->client), "%s", l->source.client);
	if (!l->account.exists)
		become_decoy(l, "unknown user");
	return STEP_RULES;
}

static enum step
consult_rules(struct login *l)
{
	const struct conf_exempt *rule = NULL;
	struct rules_request q = {
	    .user = l->name,
	    .service = l->start->service,
	    .has_client = l->source.has_client,
	    .client = l->source.address,
	    .publickey = l->source.publickey,
	    .now_s = now(l).wall_ms / 1000,
	};
	int r = 0;

	if (!l->account.exists || l->start->peer || !l->io->conf->nexempts)
		return STEP_CONTACT;
	r = l->io->machine->groups(l->io->machine, &l->account);
	q.groups = l->account.group;
	q.ngroups = l->account.ngroups;
	if (!r)
		r = rules_decide(l->io->conf, &q, &rule);
	if (r)
		return end_by_error(l, r, "rules");
	if (rule)
		return end(l, LOGIN_SKIP, "rule exempt %s: %s", rule->name, rule->reason);
	return STEP_CONTACT;
}

/* The first contact of the first channel that has one. */
static bool
choose_contact(struct login *l, const struct contact_list *list)
{
	for (size_t i = 0; i < l->options->channels.n; i++) {
		const char *channel = l->options->channels.item[i];
		enum contact_kind kind;

		if (l->io->delivery->needs(l->io->delivery, channel, &kind))
			continue;
		for (size_t k = 0; k < list->n; k++) {
			if (list->item[k].kind != kind)
				continue;
			l->channel = channel;
			l->contact = list->item[k];
			return true;
		}
	}
	return false;
}

/* A made-up address that stays the same for the same name. */
static int
decoy_contact(struct login *l)
{
	uint64_t n = 0;
	int r = keyed_number(l->io->host_key, "decoy address", l->name, &n);
	struct contact like;

	if (r)
		return r;
	l->channel = l->options->channels.item[0];
	r = l->io->delivery->needs(l->io->delivery, l->channel, &l->contact.kind);
	if (r)
		return r;
	/* It looks like somebody's: country and length are borrowed from a real contact. */
	r = l->io->contacts->ops->any(l->io->contacts, l->contact.kind, n, &like);
	if (r == -OTP_ENOENT)
		(void)snprintf(like.address, sizeof(like.address), "%s",
		    l->contact.kind == CONTACT_PHONE ? "+9779800000000" : "a@a.example");
	else if (r)
		return r;
	if (l->contact.kind == CONTACT_PHONE) {
		size_t len = strlen(like.address);

		like.address[len - 1] = (char)('0' + n % 10);
		like.address[len - 2] = (char)('0' + n / 10 % 10);
	} else {
		like.address[0] = (char)('a' + n % 26);
	}
	(void)snprintf(l->contact.address, sizeof(l->contact.address), "%s", like.address);
	return 0;
}

static void
show_destination(struct login *l, const char *channel, const char *address)
{
	struct login_result *out = l->result;

	if (strchr(address, '@'))
		text_mask_email(out->masked, sizeof(out->masked), address);
	else
		text_mask_phone(out->masked, sizeof(out->masked), address);
	(void)snprintf(out->channel, sizeof(out->channel), "%s", channel);
}

static enum step
find_contact(struct login *l)
{
	struct contact_list list = {0};
	bool found;
	int r = 0;

	if (l->account.exists)
		r = l->io->contacts->ops->find(l->io->contacts, l->name, &list);
	if (r)
		return end_by_error(l, r, "contacts");
	found = choose_contact(l, &list);
	contact_list_free(&list);
	if (!found && l->account.exists) {
		if (l->options->unregistered == UNREGISTERED_SKIP && !l->start->peer)
			return end(l, LOGIN_SKIP, "no contact, and unregistered = skip");
		become_decoy(l, "no contact");
	}
	r = found ? 0 : decoy_contact(l);
	if (r)
		return end_by_error(l, r, "decoy");
	show_destination(l, l->channel, l->contact.address);
	return set_budget(l);
}

static struct try_rule
try_rule(const struct login *l)
{
	const struct conf_limits *c = &l->io->conf->limits;

	return (struct try_rule){c->failures, c->backoff_first, c->backoff_most, CHALLENGE_TRIES};
}

static bool must_ask_first(const struct login *l);

/*
 * Last words. Where the host is not interactive (sshd), a text is shown only with a prompt that
 * follows: so it asks once more, and no answer changes anything.
 */
static void
last_words(struct login *l, const char *text)
{
	_auto_secret struct secret typed = {0};
	char prompt[WIRE_PROMPT_MAX + 1];
	enum answer kind;

	if (!must_ask_first(l)) {
		l->io->peer->tell(l->io->peer, text);
		return;
	}
	prompt_last(prompt, text);
	(void)l->io->peer->ask(l->io->peer, prompt, l->deadline, &kind, &typed);
}

static enum step
end_locked(struct login *l, int64_t until_wall_ms)
{
	char text[WIRE_PROMPT_MAX + 1];

	prompt_locked(text, until_wall_ms - now(l).wall_ms);
	last_words(l, text);
	return end(l, LOGIN_LOCKED, "too many failures in a row");
}

static enum step
check_locked(struct login *l)
{
	struct instant t = now(l);
	struct try_rule rule = try_rule(l);
	int64_t until = 0;
	int r = l->io->store->ops->locked(l->io->store, &t, l->budget, &rule, &until);

	if (r == -OTP_ELIMIT)
		return end_locked(l, until);
	return r ? end_by_error(l, r, "store") : STEP_JOIN;
}

static bool
must_ask_first(const struct login *l)
{
	if (l->options->ask_first == ASK_AUTO)
		return !strlist_has(&l->options->interactive_services, l->start->service);
	return l->options->ask_first == ASK_ALWAYS;
}

/* What a captured value is bound to: this challenge, and no other. */
static void
captures_context(const struct challenge *c, char *context, size_t size)
{
	(void)snprintf(context, size, "captures %s", c->id);
}

static int
open_captures(struct login *l)
{
	char context[64];

	secret_clear(&l->captures);
	if (!l->challenge.captures)
		return 0;
	captures_context(&l->challenge, context, sizeof(context));
	return unseal(l->io->host_key, context, l->challenge.captures, &l->captures);
}

/* A live code of the same user, source and service is used again instead of sending another. */
static enum step
find_live(struct login *l, enum step otherwise)
{
	struct instant t = now(l);
	int r;

	if (!l->source.joins)
		return otherwise;
	r = l->io->store->ops->challenge_find(
	    l->io->store, &t, l->name, l->service, l->source.key, &l->challenge);
	if (r == -OTP_ENOENT)
		return otherwise;
	if (r)
		return end_by_error(l, r, "store");
	l->has_challenge = true;
	l->note = l->challenge.tries < CHALLENGE_TRIES ? NOTE_SENT : NOTE_ENDED;
	r = open_captures(l);
	if (r)
		return end_by_error(l, r, "captures");
	show_destination(l, l->challenge.channel, l->challenge.address);
	(void)snprintf(
	    l->result->provider, sizeof(l->result->provider), "%s", l->challenge.provider);
	return STEP_CODE;
}

/* How many digits a code has here. */
static void
code_length(struct login *l, int *least, int *most)
{
	struct delivery *d = l->io->delivery;

	d->code_length(d, l->result->channel, l->result->provider, least, most);
	if (!*most)
		*least = *most = l->options->code_length;
}

static enum step
join(struct login *l)
{
	return find_live(l, must_ask_first(l) ? STEP_ASK_FIRST : STEP_SEND);
}

static struct prompt_facts
facts(struct login *l)
{
	int least = 0, most = 0;

	code_length(l, &least, &most);
	return (struct prompt_facts){
	    .channel = l->result->channel,
	    .masked = l->result->masked,
	    .left_ms = l->has_challenge ? l->challenge.expires_boot_ms - now(l).boot_ms : 0,
	    .tries = l->options->tries - l->wrong,
	    .wait_ms = l->wait_ms,
	    .least = least,
	    .most = most,
	};
}

/* Outer blanks mean nothing. */
static int
trim(struct secret *typed)
{
	const char *s = secret_str(typed);
	size_t from = strspn(s, " \t"), len = strlen(s);
	struct secret trimmed = {0};
	int r;

	while (len > from && (s[len - 1] == ' ' || s[len - 1] == '\t'))
		len--;
	r = secret_set(&trimmed, s + from, len - from);
	secret_clear(typed);
	*typed = trimmed;
	return r;
}

/* sshd's `password` method, for one, has nobody behind it whom a prompt could reach. */
static const char *
why_conv(const struct login *l)
{
	if (l->prompts == 1 && !strcmp(l->start->tty, "ssh"))
		return "the host cannot prompt: sshd's password method, or a client that left";
	return "the conversation failed";
}

/*
 * Asks once. STEP_CODE: there is an answer in *typed, or *blind says that the host answered by
 * itself; else the sign-in has ended.
 */
static enum step
ask(struct login *l, const char *text, struct secret *typed, bool *blind)
{
	enum answer kind = ANSWER_CONV;
	int r;

	*blind = false;
	if (++l->prompts > PROMPTS_MAX)
		return end(l, LOGIN_DENIED, "too many answers without a code");
	r = l->io->peer->ask(l->io->peer, text, l->deadline, &kind, typed);
	if (r == -OTP_ETIME)
		return end(l, LOGIN_DENIED, "no answer in time");
	if (r)
		return end_by_error(l, r, "prompt");
	switch (kind) {
	case ANSWER_BLIND:
		*blind = true;
		return STEP_CODE;
	case ANSWER_TEXT:
		return STEP_CODE;
	case ANSWER_CANCELLED:
		return end(l, LOGIN_GONE, "cancelled at the prompt");
	case ANSWER_CONV:
		break;
	}
	return end(l, LOGIN_GONE, "%s", why_conv(l));
}

static enum step
ask_first(struct login *l)
{
	char text[WIRE_PROMPT_MAX + 1];
	_auto_secret struct secret typed = {0};
	struct prompt_facts f = facts(l);
	bool blind;

	/* For an unknown user too: nothing of the person goes into it. */
	l->io->delivery->warm(l->io->delivery, l->channel);
	prompt_ask_first(text, &f);
	if (ask(l, text, &typed, &blind) == STEP_END)
		return STEP_END;
	if (blind)
		return end(l, LOGIN_GONE, "%s", blind_host);
	/* Only Enter is a yes: a program that answers with something is no human. */
	if (typed.len)
		return STEP_ASK_FIRST;
	/* While this one was asked, a sibling may have had a code sent. */
	return find_live(l, STEP_SEND);
}

/* What follows when a send was refused or failed: a live code can still be typed. */
static enum step
stay_or_end(struct login *l, enum note note, enum login_word word, const char *why)
{
	if (l->code_prompted && l->has_challenge) {
		l->note = note;
		return STEP_CODE;
	}
	/* After a prompt for a code nobody may conclude that the provider is down. */
	if (l->code_prompted && word == LOGIN_UNAVAIL)
		word = LOGIN_DENIED;
	return end(l, word, "%s", why);
}

static enum step
reserve_send(struct login *l, int64_t *reservation)
{
	struct send_count count = {.kind = "user", .windows = l->io->conf->limits.sends_per_user};
	struct store_refusal why = {0};
	struct instant t = now(l);
	char text[WIRE_PROMPT_MAX + 1];
	int r;

	(void)snprintf(count.key, sizeof(count.key), "%s", l->budget);
	r = l->io->store->ops->send_reserve(l->io->store, &t, &count, 1, reservation, &why);
	if (!r)
		return STEP_SEND;
	if (r != -OTP_ELIMIT)
		return end_by_error(l, r, "store");
	l->wait_ms = why.until_wall_ms - t.wall_ms;
	if (!l->code_prompted) {
		prompt_limit(text, l->wait_ms);
		last_words(l, text);
	}
	return stay_or_end(l, NOTE_LIMIT, LOGIN_LOCKED, "send limit reached");
}

/* What the provider said, made the next step. STEP_CODE: the code is, or may be, on its way. */
static enum step
judge_delivery(struct login *l, const struct delivered *d)
{
	char text[WIRE_PROMPT_MAX + 1];

	switch (d->class) {
	case CLASS_OK:
		l->note = NOTE_SENT;
		return STEP_CODE;
	case CLASS_UNANSWERED:
		l->note = NOTE_MAYBE_SENT;
		return STEP_CODE;
	case CLASS_BAD_DESTINATION:
		/* The person learns nothing of the address: it goes on as if a code had been sent.
		 */
		become_decoy(l, "the provider refuses the address");
		l->note = NOTE_SENT;
		return STEP_CODE;
	case CLASS_RATE_LIMITED:
	case CLASS_TOO_MANY:
		if (!l->code_prompted) {
			prompt_limit(text, (int64_t)d->retry_after * 1000);
			last_words(l, text);
		}
		return stay_or_end(
		    l, NOTE_NOT_SENT, LOGIN_LOCKED, "the provider's rate limit is in force");
	case CLASS_PROVIDER_DOWN:
	case CLASS_NO_CREDIT:
	case CLASS_BAD_CREDENTIALS:
		if (!l->code_prompted) {
			prompt_unavailable(text);
			last_words(l, text);
		}
		/*
		 * Whoever signs in on this machine has its ports, its processor and its memory at
		 * hand: that a provider cannot be reached from there proves nothing.
		 */
		return stay_or_end(l, NOTE_NOT_SENT,
		    l->source.has_client ? LOGIN_UNAVAIL : LOGIN_BROKEN, "every provider failed");
	case CLASS_ACTION_NEEDED:
		return stay_or_end(
		    l, NOTE_NOT_SENT, LOGIN_DENIED, "the provider's account needs another step");
	default:
		return stay_or_end(l, NOTE_NOT_SENT, LOGIN_BROKEN,
		    d->class == CLASS_BROKEN ? "this machine could not send"
					     : "the provider refused the request");
	}
}

static int
make_challenge(struct login *l, struct challenge *c, struct secret *code)
{
	struct instant t = now(l);
	int r = random_id(c->id, STORE_ID_LEN / 2);

	(void)snprintf(c->user, sizeof(c->user), "%s", l->name);
	(void)snprintf(c->service, sizeof(c->service), "%s", l->service);
	(void)snprintf(c->source, sizeof(c->source), "%s", l->source.key);
	(void)snprintf(c->channel, sizeof(c->channel), "%s", l->channel);
	(void)snprintf(c->address, sizeof(c->address), "%s", l->contact.address);
	c->sent_wall_ms = t.wall_ms;
	c->expires_boot_ms = t.boot_ms + l->options->code_ttl;
	return r ? r : code_make(l->options->code_length, code);
}

/* How the challenge will be checked: by a seal of the code, or by what the provider had us keep. */
static int
seal_challenge(
    struct login *l, struct challenge *c, const struct secret *ours, const struct delivered *d)
{
	_auto_buf struct buf sealed = BUF_INIT(2 * SECRET_MAX);
	char context[64];
	int r;

	if (l->decoy)
		return challenge_seal_nothing(c);
	c->alone_at_address = d->bound_to == BOUND_TO_ADDRESS;
	/* An answer that was lost took the code with it. */
	if (d->code_by == CODE_BY_RESPONSE && !d->code.len)
		return challenge_seal_nothing(c);
	if (d->code_by != CODE_BY_PROVIDER)
		return challenge_seal(c, l->io->host_key,
		    secret_str(d->code_by == CODE_BY_RESPONSE ? &d->code : ours));
	captures_context(c, context, sizeof(context));
	r = seal(l->io->host_key, context, &d->captures, &sealed);
	if (r)
		return r;
	c->captures = strdup(buf_str(&sealed) ? buf_str(&sealed) : "");
	return c->captures ? 0 : -OTP_ENOMEM;
}

static struct sending
sending(struct login *l, const char *channel, const struct secret *code)
{
	return (struct sending){
	    .user = l->name,
	    .host = l->io->host,
	    .service = l->start->service,
	    .channel = channel,
	    .message = "",
	    .contact = &l->contact,
	    .code = secret_str(code),
	    .code_length = l->options->code_length,
	    .ttl = l->options->code_ttl,
	    .captures = l->has_challenge && l->captures.len ? secret_str(&l->captures) : NULL,
	};
}

static int
deliver(struct login *l, const struct secret *code, struct delivered *d)
{
	struct sending q = sending(l, l->channel, code);

	*d = (struct delivered){.class = CLASS_OK};
	if (l->decoy)
		return 0;
	return l->io->delivery->send(
	    l->io->delivery, &q, l->has_challenge ? l->challenge.provider : NULL, l->options, d);
}

/* Credits are for the administrator: nothing here depends on their being kept. */
static void
note_credits(struct login *l, const struct delivered *d)
{
	const struct conf_provider *p = conf_provider(l->io->conf, d->provider);
	struct instant t = now(l);

	if (!d->has_credits || !p)
		return;
	if (l->io->store->ops->credits_put(l->io->store, &t, d->provider, l->channel, d->credits))
		otp_log(LOG_WARNING, "event=credits provider=%s: cannot be kept", d->provider);
	if (d->credits < p->low_credits)
		otp_log(LOG_WARNING, "event=credits provider=%s channel=%s left=%lld", d->provider,
		    l->channel, (long long)d->credits);
}

/* The new code takes the place of the old one, which is dead from now on. */
static enum step
replace_challenge(struct login *l, struct challenge *c, const struct secret *code,
    struct delivered *d, int64_t reservation, enum step next)
{
	struct instant t = now(l);
	int r;

	(void)snprintf(c->provider, sizeof(c->provider), "%s", d->provider);
	(void)snprintf(l->result->provider, sizeof(l->result->provider), "%s", d->provider);
	r = seal_challenge(l, c, code, d);
	if (!r)
		r = l->io->store->ops->challenge_put(l->io->store, &t, c, reservation);
	if (r) {
		challenge_clear(c);
		return end_by_error(l, r, "store");
	}
	challenge_clear(&l->challenge);
	l->challenge = *c;
	l->has_challenge = true;
	secret_clear(&l->captures);
	if (d->code_by == CODE_BY_PROVIDER) {
		l->captures = d->captures;
		d->captures = (struct secret){0};
	}
	show_destination(l, l->channel, l->contact.address);
	return next;
}

static enum step
finish_send(struct login *l, struct challenge *c, const struct secret *code, struct delivered *d,
    int64_t reservation)
{
	enum step next = judge_delivery(l, d);
	int r;

	if (d->class == CLASS_OK || d->class == CLASS_UNANSWERED ||
	    d->class == CLASS_BAD_DESTINATION) {
		note_credits(l, d);
		return replace_challenge(l, c, code, d, reservation, next);
	}
	/* A failure to give it back only leaves the count as it is. */
	r = d->nothing_sent ? l->io->store->ops->send_return(l->io->store, reservation) : 0;
	if (r)
		otp_logr(LOG_WARNING, r, "event=send_return");
	return next;
}

static enum step
send_code(struct login *l)
{
	_auto_secret struct secret code = {0};
	struct challenge c = {0};
	struct delivered d = {.class = CLASS_BROKEN};
	int64_t reservation = 0;
	enum step next = reserve_send(l, &reservation);
	int r;

	if (next != STEP_SEND)
		return next;
	r = make_challenge(l, &c, &code);
	if (!r)
		r = deliver(l, &code, &d);
	next = r ? end_by_error(l, r, "send") : finish_send(l, &c, &code, &d, reservation);
	delivered_clear(&d);
	return next;
}

/* `r` was typed. */
static enum step
resend(struct login *l)
{
	struct instant t = now(l);
	int64_t since = t.wall_ms - l->challenge.sent_wall_ms;
	int64_t wait = l->io->conf->limits.resend_wait;

	/* A clock that went back makes `since` negative: that is no reason to send sooner. */
	if (since < wait && !(l->note == NOTE_USED || l->note == NOTE_ENDED)) {
		l->wait_ms = since < 0 ? wait : wait - since;
		l->note = NOTE_WAIT;
		return STEP_CODE;
	}
	return STEP_SEND;
}

static enum step
refuse(struct login *l, enum note note, const char *why)
{
	l->wrong++;
	l->result->wrong = l->wrong;
	if (l->wrong >= l->options->tries)
		return end(l, LOGIN_DENIED, "%s", l->decoy ? l->decoy_reason : why);
	l->note = note;
	return STEP_CODE;
}

/* The code was this challenge's: it counts once it is consumed, whoever else has it. */
static enum step
accept_code(struct login *l)
{
	struct instant t = now(l);
	int r = l->decoy ? -OTP_ENOENT
			 : l->io->store->ops->consume(l->io->store, &t, l->challenge.id, l->budget);

	if (r == -OTP_EUSED) {
		l->note = NOTE_USED;
		return STEP_CODE;
	}
	if (r == -OTP_ENOENT)
		return refuse(l, NOTE_ENDED, "expired code");
	if (r)
		return end_by_error(l, r, "store");
	/* Proof: consume() put the use of this code on disk, and was the only one to. */
	return end(l, LOGIN_OK, "right code");
}

/* What the provider says of a code, made the next step. */
static enum step
judge_check(struct login *l, const struct delivered *d, int left)
{
	char text[WIRE_PROMPT_MAX + 1];

	switch (d->class) {
	case CLASS_OK:
		return accept_code(l);
	case CLASS_WRONG_CODE:
		/* Right, but a sibling's check had used it up at the provider. */
		if (l->io->store->ops->challenge_used(l->io->store, l->challenge.id) ==
		    -OTP_EUSED) {
			l->note = NOTE_USED;
			return STEP_CODE;
		}
		return refuse(l, left ? NOTE_WRONG : NOTE_ENDED, "wrong code");
	case CLASS_EXPIRED:
		return refuse(l, NOTE_ENDED, "expired code");
	case CLASS_TOO_MANY:
		(void)l->io->store->ops->challenge_kill(l->io->store, l->challenge.id);
		return refuse(l, NOTE_ENDED, "too many tries at the provider");
	case CLASS_RATE_LIMITED:
		return end(l, LOGIN_LOCKED, "the provider's rate limit is in force");
	case CLASS_ACTION_NEEDED:
		prompt_action_needed(text);
		last_words(l, text);
		return end(l, LOGIN_DENIED, "the provider's account needs another step");
	case CLASS_BROKEN:
		return end(l, LOGIN_BROKEN, "this machine could not check the code");
	default:
		return refuse(l, NOTE_UNCHECKED, "the code could not be checked");
	}
}

/* The provider checks the code: only what it proves right is right. */
static enum step
check_there(struct login *l, const struct secret *code, int left)
{
	struct sending q = sending(l, l->challenge.channel, code);
	struct delivered d = {.class = CLASS_BROKEN};
	struct contact contact = l->contact;
	enum step next;
	int r;

	/* It is checked for the address it went to, whatever the contacts say by now. */
	(void)snprintf(contact.address, sizeof(contact.address), "%s", l->challenge.address);
	contact.kind = strchr(contact.address, '@') ? CONTACT_EMAIL : CONTACT_PHONE;
	q.contact = &contact;
	r = l->io->delivery->verify(l->io->delivery, &q, l->challenge.provider, l->options, &d);
	if (!r && d.nothing_sent && d.class != CLASS_OK)
		(void)l->io->store->ops->try_return(l->io->store, l->challenge.id, l->budget);
	next = r ? end_by_error(l, r, "check") : judge_check(l, &d, left);
	delivered_clear(&d);
	return next;
}

static enum step
check_here(struct login *l, const struct secret *code, int left)
{
	int r = challenge_open(&l->challenge, l->io->host_key, secret_str(code));

	if (!r)
		return accept_code(l);
	if (r != -OTP_EINVAL)
		return end_by_error(l, r, "compare");
	return refuse(l, left ? NOTE_WRONG : NOTE_ENDED, "wrong code");
}

static enum step
try_code(struct login *l, const struct secret *code)
{
	struct instant t = now(l);
	struct try_rule rule = try_rule(l);
	int64_t until = 0;
	int left = 0;
	int r = l->io->store->ops->try_count(
	    l->io->store, &t, l->challenge.id, l->budget, &rule, &left, &until);

	switch (r) {
	case 0:
		return l->challenge.has_mac ? check_here(l, code, left)
					    : check_there(l, code, left);
	case -OTP_EUSED:
		l->note = NOTE_USED;
		return STEP_CODE;
	case -OTP_ENOENT:
		return refuse(l, NOTE_ENDED, "expired code");
	case -OTP_ELIMIT:
		if (until)
			return end_locked(l, until);
		return refuse(l, NOTE_ENDED, "too many tries on one code");
	default:
		return end_by_error(l, r, "store");
	}
}

/*
 * sshd answers for users whom it has refused already. They must see what others see: it looks like
 * a wrong code, and costs nobody anything.
 */
static enum step
refuse_blind(struct login *l)
{
	enum step next = refuse(l, NOTE_WRONG, blind_host);

	if (next == STEP_END)
		l->result->word = LOGIN_GONE;
	return next;
}

static enum step
ask_code(struct login *l)
{
	char text[WIRE_PROMPT_MAX + 1];
	_auto_secret struct secret typed = {0}, code = {0};
	struct prompt_facts f = facts(l);
	bool blind;

	l->code_prompted = true;
	prompt_code(text, l->note, &f);
	if (ask(l, text, &typed, &blind) == STEP_END)
		return STEP_END;
	if (blind)
		return refuse_blind(l);
	if (trim(&typed))
		return end(l, LOGIN_BROKEN, "out of memory");
	if (!typed.len) {
		l->note = NOTE_EMPTY;
		return STEP_CODE;
	}
	if (!strcmp(secret_str(&typed), "r") || !strcmp(secret_str(&typed), "R"))
		return resend(l);
	if (code_read(secret_str(&typed), f.least, f.most, &code))
		return refuse(l, NOTE_MALFORMED, "malformed code");
	return try_code(l, &code);
}

typedef enum step step_fn(struct login *l);
static step_fn *const steps[] = {
    [STEP_IDENTIFY] = identify,
    [STEP_RULES] = consult_rules,
    [STEP_CONTACT] = find_contact,
    [STEP_LOCKED] = check_locked,
    [STEP_JOIN] = join,
    [STEP_ASK_FIRST] = ask_first,
    [STEP_SEND] = send_code,
    [STEP_CODE] = ask_code,
};

void
login_run(const struct login_ports *ports, const struct login_start *start, struct deadline dl,
    struct login_result *out)
{
	struct login l = {
	    .io = ports,
	    .start = start,
	    .options = conf_signin_for(ports->conf, start->service),
	    .deadline = dl,
	    .result = out,
	};
	enum step step = STEP_IDENTIFY;

	*out = (struct login_result){.word = LOGIN_BROKEN};
	while (step != STEP_END) {
		if (deadline_passed(dl))
			step = end(&l, l.code_prompted ? LOGIN_DENIED : LOGIN_BROKEN,
			    "the time for this sign-in is over");
		else
			step = steps[step](&l);
	}
	account_clear(&l.account);
	challenge_clear(&l.challenge);
	secret_clear(&l.captures);
	otp_wipe(l);
}
