/*
 * Makes the requests of a provider. It binds the variables of their templates, obtains the token
 * that they may need, and keeps values of their answers.
 *
 * MUST:
 *  - A request is made once. Only a send whose token has expired is made again, once. A verify is
 *    never repeated.
 *  - A check uses the address and the captures that belong to its challenge, not newer ones.
 *  - A provider that named a Retry-After gets no send for that address before that time.
 */
#include "helpers/provider/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/text.h"
#include "helpers/template/bindings.h"
#include "helpers/base/json.h"
#include "helpers/base/log.h"
#include "helpers/provider/request.h"

static int
bind_attribute(const char *name, const char *value, void *arg)
{
	struct bindings *b = arg;
	char full[TEMPLATE_NAME_MAX];
	int n = snprintf(full, sizeof(full), "attr.%s", name);

	return n < 0 || (size_t)n >= sizeof(full) ? -OTP_ETOOBIG : bindings_set(b, full, value);
}

/* Binds what an earlier request captured: a JSON object of strings. */
static int
bind_captures(struct bindings *b, const char *text)
{
	_auto_json json_t *all = NULL;
	const char *name;
	char why[128];
	json_t *value;
	int r = 0;

	if (!text || !*text)
		return 0;
	if (json_read(text, strlen(text), &all, why, sizeof(why)))
		return -OTP_EINVAL;
	json_object_foreach (all, name, value)
		if (!r)
			r = json_is_string(value) ? bindings_set(b, name, json_string_value(value))
						  : -OTP_EINVAL;
	return r;
}

static int
bind_all(const struct provider *p, const struct provider_io *io, const struct sending *q,
    struct bindings *b)
{
	int r = io->contacts->ops->attributes(
	    io->contacts, q->user, provider_name(p), bind_attribute, b);

	r = r ? r : provider_bind(p, q, b);
	return r ? r : bind_captures(b, q->captures);
}

/*
 * Writes the captures of a request as a JSON object. It leaves out those that the helper itself
 * uses, because a code must not be kept.
 */
static int
keep_captures(const struct request *q, const struct bindings *b, struct secret *out)
{
	_auto_json json_t *all = json_object();
	_auto_buf struct buf text = BUF_INIT(SECRET_MAX);
	int r = all ? 0 : -OTP_ENOMEM;

	for (size_t i = 0; !r && i < q->ncaptures; i++) {
		const char *name = q->capture[i].name;
		const char *value = b->values.get(&b->values, name);

		if (!value || !strncmp(name, "response.", 9) || !strncmp(name, "credits.", 8))
			continue;
		if (json_object_set_new(all, name, json_string(value)))
			r = -OTP_EINVAL;
	}
	if (!r && json_object_size(all))
		r = json_write(all, &text);
	return r ? r : secret_set(out, text.bytes, text.len);
}

/* A longer Retry-After is cut: a provider's mistake must not lock a user out for a year. */
enum { RETRY_AFTER_MAX_S = 24 * 60 * 60 };

/* Logs a Retry-After without the address. */
static void
log_retry_after(const struct provider *p, long s)
{
	otp_log(LOG_WARNING, "event=pause provider=%s s=%ld", provider_name(p), s);
}

/*
 * True if the provider must not be asked now for this address; *s has the class then. If the store
 * fails, the class stays CLASS_BROKEN, and the provider is not asked either.
 */
static bool
must_wait(
    const struct provider *p, const struct provider_io *io, const struct sending *q, struct sent *s)
{
	int64_t ms = 0;
	int r = io->retry_after->left(io->retry_after, provider_name(p), q->contact->address, &ms);

	if (r == -OTP_ENOENT)
		return false;
	if (r) {
		otp_logr(LOG_ERR, r, "event=pause provider=%s", provider_name(p));
		return true;
	}
	s->outcome.class = CLASS_RATE_LIMITED;
	s->outcome.retry_after = (long)((ms + 999) / 1000);
	log_retry_after(p, s->outcome.retry_after);
	return true;
}

static void
keep_retry_after(const struct provider *p, const struct provider_io *io, const struct sending *q,
    const struct outcome *o)
{
	long seconds = o->retry_after < RETRY_AFTER_MAX_S ? o->retry_after : RETRY_AFTER_MAX_S;
	int r;

	if (seconds <= 0 || (o->class != CLASS_RATE_LIMITED && o->class != CLASS_TOO_MANY))
		return;
	r = io->retry_after->keep(
	    io->retry_after, provider_name(p), q->contact->address, (int64_t)seconds * 1000);
	if (r)
		otp_logr(LOG_WARNING, r, "event=pause provider=%s", provider_name(p));
	else
		log_retry_after(p, seconds);
}

/* Makes one request and logs a line about it. */
static int
make(const struct provider *p, const struct provider_io *io, const struct request *request,
    const char *event, struct bindings *b, struct deadline dl, struct outcome *o)
{
	struct http_route route = {p->section->ca, p->section->proxy, io->request_id};
	enum request_purpose purpose = strcmp(event, "verify") ? REQUEST_SEND : REQUEST_VERIFY;
	int64_t began = clock_ms(CLOCK_MONOTONIC);
	int r = request_make(request, purpose, b, io->http, &route, dl, o);

	otp_log(o->class == CLASS_OK ? LOG_INFO : LOG_WARNING,
	    "event=%s provider=%s channel=%s class=%s status=%ld ms=%" PRId64 "%s%s%s", event,
	    provider_name(p), b->values.get(&b->values, "channel"),
	    r ? "gone" : provider_class_name(o->class), o->status,
	    clock_ms(CLOCK_MONOTONIC) - began, *o->detail ? " detail=\"" : "", o->detail,
	    *o->detail ? "\"" : "");
	return r;
}

/*
 * Writes the key of a token: the name of the provider and the rendered key of its profile. Sign-ins
 * with the same key share the token.
 */
static int
token_key(const struct provider *p, const struct bindings *b, struct buf *key)
{
	size_t name;
	int r;

	buf_putf(key, "%s ", provider_name(p));
	name = key->len;
	r = template_render(p->profile->token->key, PLACE_TEXT, &b->values, key);
	/*
	 * A profile's key may use variables that are empty for some users. Those users would all
	 * share one token, so this is an error.
	 */
	return !r && *p->profile->token->key && key->len == name ? -OTP_EINVAL : r;
}

/*
 * Binds the token, if the profile has one: from the cache (*cached becomes true), or else by a
 * request. If no token can be obtained, *o has the class; otherwise it is CLASS_OK.
 */
static int
bind_token(const struct provider *p, const struct provider_io *io, struct bindings *b,
    struct deadline dl, bool *cached, struct outcome *o)
{
	const struct profile_token *t = p->profile->token;
	_auto_buf struct buf key = BUF_INIT(1024);
	_auto_secret struct secret kept = {0};
	int r;

	*cached = false;
	*o = (struct outcome){.class = CLASS_OK, .detail = ""};
	if (!t)
		return 0;
	if (token_key(p, b, &key) || !buf_str(&key)) {
		*o = (struct outcome){.class = CLASS_REFUSED,
		    .detail = "the key of the token is empty for this user"};
		return 0;
	}
	if (!io->tokens->get(io->tokens, buf_str(&key), &kept) &&
	    !bind_captures(b, secret_str(&kept))) {
		*cached = true;
		return 0;
	}
	r = make(p, io, &t->request, "session", b, dl, o);
	/* However this request ended, no message was sent yet. */
	o->written = false;
	if (o->class == CLASS_UNANSWERED) {
		o->class = CLASS_PROVIDER_DOWN;
		/* An answer that cannot be used shows that somebody is there. */
		o->outage = !o->status;
	}
	if (r || o->class != CLASS_OK)
		return r;
	if (keep_captures(&t->request, b, &kept) ||
	    io->tokens->put(io->tokens, buf_str(&key), &kept, t->ttl))
		otp_log(LOG_WARNING,
		    "event=session provider=%s detail=\"the token cannot be kept\"",
		    provider_name(p));
	return 0;
}

static void
drop_token(const struct provider *p, const struct provider_io *io, const struct bindings *b)
{
	_auto_buf struct buf key = BUF_INIT(1024);

	if (!token_key(p, b, &key) && buf_str(&key))
		io->tokens->drop(io->tokens, buf_str(&key));
}

/* Obtains a token and makes a send. If the token has expired, does both once more. */
static int
send_with_token(const struct provider *p, const struct provider_io *io,
    const struct request *request, struct bindings *b, struct deadline dl, struct outcome *o)
{
	const struct profile_token *t = p->profile->token;
	bool cached;
	int r = bind_token(p, io, b, dl, &cached, o);

	if (r || o->class != CLASS_OK)
		return r;
	r = make(p, io, request, "send", b, dl, o);
	if (r || !cached || !status_listed(t->renew_on, t->nrenew_on, o->status))
		return r;
	drop_token(p, io, b);
	r = bind_token(p, io, b, dl, &cached, o);
	return r || o->class != CLASS_OK ? r : make(p, io, request, "send", b, dl, o);
}

/* Takes what the helper itself uses from the answer to a send: code, echo, credits. */
static int
take_response(
    const struct provider *p, const struct sending *q, const struct bindings *b, struct sent *s)
{
	const char *code = b->values.get(&b->values, "response.code");
	const char *echo = b->values.get(&b->values, "response.echo");
	const char *credits;
	char name[TEMPLATE_NAME_MAX + 16];
	char *end;

	if (echo && strcmp(echo, q->code))
		otp_log(LOG_WARNING,
		    "event=send provider=%s detail=\"the provider replaced the code\"",
		    provider_name(p));
	(void)snprintf(name, sizeof(name), "credits.%s", q->channel);
	credits = b->values.get(&b->values, name);
	if (credits && *credits >= '0' && *credits <= '9') {
		s->credits = strtoll(credits, &end, 10);
		s->has_credits = !*end;
	}
	if (!code)
		return p->profile->code_by == CODE_BY_RESPONSE ? -OTP_EINVAL : 0;
	if (strspn(code, "0123456789") != strlen(code) ||
	    strlen(code) < (size_t)p->profile->code_min ||
	    strlen(code) > (size_t)p->profile->code_max)
		return -OTP_EINVAL;
	return secret_set(&s->code, code, strlen(code));
}

void
sent_clear(struct sent *s)
{
	secret_clear(&s->captures);
	secret_clear(&s->code);
	*s = SENT_INIT(CLASS_BROKEN);
}

int
provider_send(const struct provider *p, const struct provider_io *io, const struct sending *q,
    struct deadline dl, struct sent *s)
{
	const struct profile *f = p->profile;
	const struct request *request = q->captures && f->resend ? f->resend : &f->send;
	struct bindings b;
	int r = 0;

	*s = SENT_INIT(CLASS_BROKEN);
	if (must_wait(p, io, q, s))
		return 0;
	bindings_init(&b);
	if (bind_all(p, io, q, &b))
		otp_log(LOG_ERR,
		    "event=send provider=%s detail=\"a variable of the profile has no valid "
		    "value\"",
		    provider_name(p));
	else
		r = send_with_token(p, io, request, &b, dl, &s->outcome);
	keep_retry_after(p, io, q, &s->outcome);
	if (!r && s->outcome.class == CLASS_OK &&
	    (keep_captures(request, &b, &s->captures) || take_response(p, q, &b, s))) {
		otp_log(LOG_ERR,
		    "event=send provider=%s detail=\"the answer has no usable code or capture\"",
		    provider_name(p));
		s->outcome.class = CLASS_REFUSED;
	}
	bindings_clear(&b);
	return r;
}

int
provider_verify(const struct provider *p, const struct provider_io *io, const struct sending *q,
    struct deadline dl, struct sent *s)
{
	struct outcome *o = &s->outcome;
	struct bindings b;
	bool cached;
	int r = 0;

	*s = SENT_INIT(CLASS_BROKEN);
	bindings_init(&b);
	if (!p->profile->verify || bind_all(p, io, q, &b)) {
		otp_log(LOG_ERR,
		    "event=verify provider=%s detail=\"a variable of the profile has no valid "
		    "value\"",
		    provider_name(p));
	} else {
		const struct profile_token *t = p->profile->token;

		r = bind_token(p, io, &b, dl, &cached, o);
		if (!r && o->class == CLASS_OK)
			r = make(p, io, p->profile->verify, "verify", &b, dl, o);
		/* Perhaps the token had expired: then the next send must obtain a new one. */
		if (t && status_listed(t->renew_on, t->nrenew_on, o->status))
			drop_token(p, io, &b);
	}
	if (!r && o->class == CLASS_OK)
		(void)keep_captures(p->profile->verify, &b, &s->captures);
	bindings_clear(&b);
	return r;
}

void
provider_cleanup(const struct provider *p, const struct provider_io *io, const struct sending *q,
    struct deadline dl)
{
	struct outcome o;
	struct bindings b;
	bool cached;

	if (!p->profile->cleanup)
		return;
	bindings_init(&b);
	if (!bind_all(p, io, q, &b) && !bind_token(p, io, &b, dl, &cached, &o) &&
	    o.class == CLASS_OK)
		(void)make(p, io, p->profile->cleanup, "cleanup", &b, dl, &o);
	bindings_clear(&b);
}

void
provider_warm(const struct provider *p, const struct provider_io *io)
{
	struct http_route route = {p->section->ca, p->section->proxy, io->request_id};
	struct bindings b;

	if (!p->profile->warm)
		return;
	bindings_init(&b);
	/* The request contains nothing about the user, so it needs no setting that does. */
	(void)provider_bind_settings(p, &b, BIND_KNOWN);
	request_warm(p->profile->warm, &b, io->http, &route);
	bindings_clear(&b);
}
