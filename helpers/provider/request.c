#include "helpers/provider/request.h"

#include <string.h>

#include "common/err.h"
#include "helpers/base/json.h"
#include "helpers/provider/render.h"

static bool
value_is(json_t *value, json_t *allowed)
{
	json_t *one;
	size_t i;

	if (!json_is_array(allowed))
		return json_equal(value, allowed);
	json_array_foreach (allowed, i, one)
		if (json_equal(value, one))
			return true;
	return false;
}

/* True for a nonempty value of the given type; without a type, for a string or a number. */
static bool
nonempty(json_t *value, const json_t *kind)
{
	const char *k = kind ? json_string_value(kind) : "";

	if (!strcmp(k, "object"))
		return json_is_object(value) && json_object_size(value);
	if (!strcmp(k, "array"))
		return json_is_array(value) && json_array_size(value);
	if (json_is_number(value))
		return !*k;
	return json_is_string(value) && json_string_length(value);
}

static bool
check_holds(const struct check *c, const struct reply *a)
{
	json_t *value = c->op == CHECK_TEXT ? NULL : json_at(a->json, c->pointer);

	switch (c->op) {
	case CHECK_EQ:
		return value && value_is(value, c->value);
	case CHECK_ABSENT_OR:
		return !value || value_is(value, c->value);
	case CHECK_NONEMPTY:
		return value && nonempty(value, c->value);
	case CHECK_ABSENT:
		return !value;
	case CHECK_TEXT:
		return a->text && !regexec(c->text, a->text, 0, NULL, 0);
	}
	return false;
}

bool
expect_holds(const struct expect *e, const struct reply *a)
{
	bool all = true, any = false;

	if (e->nstatus && !status_listed(e->status, e->nstatus, a->status))
		return false;
	for (size_t i = 0; i < e->nchecks; i++) {
		/* An answer that is not JSON matches no check, not even that a member is absent. */
		bool readable = e->check[i].op == CHECK_TEXT || a->json;
		bool holds = readable && check_holds(&e->check[i], a);

		all &= holds;
		any |= holds;
	}
	return e->any ? any : all;
}

/* The class of a status that neither `expect` nor a `fail` rule matches. */
static enum provider_class
class_by_status(enum request_purpose purpose, long status)
{
	static const struct {
		long from, to;
		enum provider_class send, verify;
	} table[] = {
	    /* The provider may have done what was asked. */
	    {100, 199, CLASS_UNANSWERED, CLASS_REFUSED},
	    {200, 299, CLASS_REFUSED, CLASS_WRONG_CODE}, /* `expect` did not match */
	    {300, 399, CLASS_UNANSWERED, CLASS_REFUSED},
	    {400, 400, CLASS_REFUSED, CLASS_WRONG_CODE},
	    {401, 401, CLASS_BAD_CREDENTIALS, CLASS_BAD_CREDENTIALS},
	    {402, 402, CLASS_NO_CREDIT, CLASS_NO_CREDIT},
	    /* The reason of a refused send may be the user: blocked, opted out, another country. */
	    {403, 403, CLASS_REFUSED, CLASS_BAD_CREDENTIALS},
	    {404, 404, CLASS_REFUSED, CLASS_EXPIRED},
	    {408, 408, CLASS_UNANSWERED, CLASS_PROVIDER_DOWN},
	    {409, 409, CLASS_UNANSWERED, CLASS_REFUSED},
	    {410, 410, CLASS_REFUSED, CLASS_EXPIRED},
	    {422, 422, CLASS_REFUSED, CLASS_WRONG_CODE},
	    {425, 425, CLASS_UNANSWERED, CLASS_REFUSED},
	    {429, 429, CLASS_RATE_LIMITED, CLASS_RATE_LIMITED},
	    {500, 599, CLASS_PROVIDER_DOWN, CLASS_PROVIDER_DOWN},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (status >= table[i].from && status <= table[i].to)
			return purpose == REQUEST_VERIFY ? table[i].verify : table[i].send;
	return CLASS_REFUSED;
}

/*
 * The class of a mail server's reply (RFC 5321, 4.2.3; RFC 4954, 6). A refusal of the recipient or
 * of the text is about this mail. Any earlier refusal is about the server or the configuration.
 */
static enum provider_class
class_by_reply(enum mail_stage stage, long reply)
{
	bool refuses_login = reply == 530 || reply == 534 || reply == 535 || reply == 538;

	if (refuses_login)
		return CLASS_BAD_CREDENTIALS;
	if (reply < 500 || stage == MAIL_CONNECT)
		return CLASS_PROVIDER_DOWN;
	/* A refused sender is a mistake in the configuration's `from`. */
	return stage == MAIL_SENDER ? CLASS_REFUSED : CLASS_BAD_DESTINATION;
}

static int
capture(const struct request *q, struct http_answer *a, json_t *body, struct bindings *b)
{
	for (size_t i = 0; i < q->ncaptures; i++) {
		const struct capture *c = &q->capture[i];
		_auto_buf struct buf value = BUF_INIT(SECRET_MAX);
		const char *s;
		int r;

		switch (c->from) {
		case CAPTURE_BODY:
			r = json_scalar(json_at(body, c->where), &value);
			break;
		case CAPTURE_HEADER:
			r = http_header(a, c->where, &value);
			break;
		default:
			r = http_cookie(a, c->where, &value);
		}
		if (r && c->optional)
			continue;
		s = r ? NULL : buf_str(&value);
		if (!s || bindings_set(b, c->name, s))
			return -OTP_EINVAL;
	}
	return 0;
}

/* True for failures that neither the user nor the user's mailbox can cause. */
static bool
is_outage(const struct request *q, enum provider_class c, const struct http_answer *a)
{
	bool down = q->mail.n ? a->stage == MAIL_CONNECT : a->status >= 500;

	return c == CLASS_NO_CREDIT || c == CLASS_BAD_CREDENTIALS ||
	       (c == CLASS_PROVIDER_DOWN && down);
}

/* The detail in the log for an answer that neither `expect` nor a rule matches. */
static const char *
detail_of(const struct request *q, const struct http_answer *a)
{
	static const char *const of_mail[] = {
	    [MAIL_CONNECT] = "the mail server refuses the connection or the login",
	    [MAIL_SENDER] = "the mail server refuses the sender",
	    [MAIL_RECIPIENT] = "the mail server refuses the recipient",
	    [MAIL_TEXT] = "the mail server refuses the text",
	};

	return q->mail.n && a->status >= 400 ? of_mail[a->stage]
					     : "the answer does not match the profile's expect";
}

/* True if the predicate needs an answer in JSON. */
static bool
looks_into_json(const struct expect *e)
{
	for (size_t i = 0; i < e->nchecks; i++)
		if (e->check[i].op != CHECK_TEXT)
			return true;
	return false;
}

/* Judges an answer by `expect`, else by the rules, else by the status. */
static void
judge_reply(const struct request *q, enum request_purpose purpose, const struct http_answer *answer,
    const struct reply *a, struct outcome *o)
{
	if (expect_holds(&q->expect, a)) {
		o->class = CLASS_OK;
		return;
	}
	for (size_t i = 0; i < q->nfails; i++) {
		if (expect_holds(&q->fail[i].when, a)) {
			o->class = q->fail[i].is;
			o->detail = "the answer matches a fail rule of the profile";
			return;
		}
	}
	o->class = q->mail.n ? class_by_reply(answer->stage, a->status)
			     : class_by_status(purpose, a->status);
	/* A successful status with a body that is not JSON says neither "wrong" nor "not sent". */
	if (!q->mail.n && a->status / 100 == 2 && !a->json && looks_into_json(&q->expect))
		o->class = purpose == REQUEST_SEND ? CLASS_UNANSWERED : CLASS_PROVIDER_DOWN;
	if (!*o->detail)
		o->detail = detail_of(q, answer);
}

static void
judge_answer(const struct request *q, enum request_purpose purpose, struct http_answer *a,
    struct bindings *b, struct outcome *o)
{
	_auto_json json_t *json = NULL;
	struct reply reply = {.status = a->status, .text = buf_str(&a->body)};
	char why[128] = "";

	o->status = a->status;
	o->retry_after = a->retry_after;
	if (reply.text && a->body.len &&
	    json_read(reply.text, a->body.len, &json, why, sizeof(why)))
		o->detail = "the answer is not JSON";
	reply.json = json;
	judge_reply(q, purpose, a, &reply, o);
	if (o->class == CLASS_OK && capture(q, a, json, b)) {
		o->class = CLASS_REFUSED;
		o->detail = "the answer lacks a value that the profile captures";
	} else if (o->class == CLASS_OK) {
		o->detail = "";
	}
	o->outage = is_outage(q, o->class, a);
}

/* Judges a request to which no complete answer came. */
static void
judge_failure(int r, const struct http_answer *a, struct outcome *o)
{
	o->detail = a->failure;
	if (r == -OTP_EINVAL) {
		o->class = CLASS_REFUSED;
	} else if (r == -OTP_EPERM) {
		o->class = CLASS_BAD_CREDENTIALS;
		o->outage = true;
	} else if (r == -OTP_ESYS || r == -OTP_ENOMEM) {
		o->class = CLASS_BROKEN;
	} else {
		o->class = a->written ? CLASS_UNANSWERED : CLASS_PROVIDER_DOWN;
		/* Once it knows the sender, a mail server may hang up because of this mail. */
		o->outage = !a->written && a->stage == MAIL_CONNECT;
	}
}

int
request_make(const struct request *q, enum request_purpose purpose, struct bindings *b,
    struct http *h, const struct http_route *route, struct deadline dl, struct outcome *o)
{
	struct rendered d = {.nheaders = 0};
	struct http_answer a = {0};
	struct http_request request;
	int r = request_render(q, &b->values, &d);

	*o = (struct outcome){.class = CLASS_BROKEN, .detail = ""};
	if (r) {
		o->class = r == -OTP_ENOMEM ? CLASS_BROKEN : CLASS_REFUSED;
		o->detail = "a value is not allowed at its place in the request";
		r = 0;
	} else {
		request = rendered_request(q, &d);
		r = http_perform(h, &request, route, dl, &a);
		o->written = a.written;
		if (!r) {
			judge_answer(q, purpose, &a, b, o);
		} else if (r != -OTP_EGONE) {
			judge_failure(r, &a, o);
			r = 0;
		}
	}
	http_answer_clear(&a);
	rendered_free(&d);
	return r;
}

void
request_warm(
    const struct request *q, struct bindings *b, struct http *h, const struct http_route *route)
{
	struct rendered d = {.nheaders = 0};
	struct http_request request;

	if (!request_render(q, &b->values, &d)) {
		request = rendered_request(q, &d);
		http_begin(h, &request, route);
	}
	rendered_free(&d);
}
