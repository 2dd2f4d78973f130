#include "helpers/request.h"

#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "helpers/json.h"
#include "helpers/log.h"

enum { REQUEST_HEADERS_MAX = 32, REQUEST_BODY_MAX = 64 * 1024 };

/* The texts of one request; all of it may hold secrets. */
struct rendered {
	struct buf url;
	struct buf body;
	struct buf header[REQUEST_HEADERS_MAX];
	const char *line[REQUEST_HEADERS_MAX];
	size_t nheaders;
};

static void
rendered_free(struct rendered *d)
{
	buf_free(&d->url);
	buf_free(&d->body);
	for (size_t i = 0; i < d->nheaders; i++)
		buf_free(&d->header[i]);
}

static json_t *json_render(json_t *value, const struct template_values *v);

/* "${name:number}" and "${name:bool}" as a whole leaf. */
static json_t *
typed_render(const char *name, const char *conversion, const struct template_values *v)
{
	const char *value = v->get(v, name);
	size_t len = value ? strlen(value) : 0;

	if (!value)
		return NULL;
	if (!strcmp(conversion, "bool")) {
		if (!strcmp(value, "true"))
			return json_true();
		return strcmp(value, "false") ? NULL : json_false();
	}
	/* 18 digits fit a JSON integer; leading zeros fall away, for JSON knows none. */
	if (!len || len > 18 || strspn(value, "0123456789") != len)
		return NULL;
	return json_integer(atoll(value));
}

static json_t *
string_render(const char *text, const struct template_values *v)
{
	_auto_buf struct buf b = BUF_INIT(REQUEST_BODY_MAX);
	char name[TEMPLATE_NAME_MAX];
	const char *conversion, *s;

	if (template_typed(text, name, sizeof(name), &conversion))
		return typed_render(name, conversion, v);
	if (template_render(text, PLACE_TEXT, v, &b))
		return NULL;
	s = buf_str(&b);
	return s ? json_string(s) : NULL; /* NULL too for what is no UTF-8 */
}

static json_t *
object_render(json_t *object, const struct template_values *v)
{
	json_t *out = json_object(), *item;
	const char *key;

	json_object_foreach (object, key, item) {
		size_t len = strlen(key);
		bool optional = len > 1 && key[len - 1] == '?';

		if (optional && json_is_string(item) &&
		    template_uses_empty(json_string_value(item), v))
			continue;
		if (json_object_setn_new(
			out, key, len - (optional ? 1 : 0), json_render(item, v))) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

/* A copy of the value with every string rendered; NULL where one cannot be. */
static json_t *
json_render(json_t *value, const struct template_values *v)
{
	json_t *out, *item;
	size_t i;

	if (json_is_string(value))
		return string_render(json_string_value(value), v);
	if (json_is_object(value))
		return object_render(value, v);
	if (!json_is_array(value))
		return json_incref(value);
	out = json_array();
	json_array_foreach (value, i, item) {
		if (json_array_append_new(out, json_render(item, v))) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

static int
render_url(const struct request *q, const struct template_values *v, struct buf *url)
{
	char between = strchr(q->url, '?') ? '&' : '?';
	int r = template_render(q->url, PLACE_URL, v, url);

	for (size_t i = 0; !r && i < q->query.n; i++) {
		const struct pair *p = &q->query.item[i];

		if (p->optional && template_uses_empty(p->value, v))
			continue;
		buf_putf(url, "%c%s=", between, p->name);
		between = '&';
		r = template_render(p->value, PLACE_QUERY, v, url);
	}
	return r;
}

static int
add_header(struct rendered *d, const char *name, const char *value, const struct template_values *v)
{
	struct buf *b = &d->header[d->nheaders];
	int r;

	if (d->nheaders == REQUEST_HEADERS_MAX)
		return -OTP_ETOOBIG;
	*b = (struct buf)BUF_INIT(HTTP_HEAD_MAX);
	d->nheaders++;
	buf_putf(b, "%s: ", name);
	r = template_render(value, PLACE_HEADER, v, b);
	d->line[d->nheaders - 1] = buf_str(b);
	return r ? r : buf_err(b);
}

static int
request_render(const struct request *q, const struct template_values *v, struct rendered *d)
{
	_auto_json json_t *body = q->json ? json_render(q->json, v) : NULL;
	int r = q->json && !body ? -OTP_EINVAL : 0;

	d->url = (struct buf)BUF_INIT(HTTP_URL_MAX);
	d->body = (struct buf)BUF_INIT(REQUEST_BODY_MAX);
	if (!r && body)
		r = json_write(body, &d->body);
	if (!r && body)
		r = add_header(d, "Content-Type", "application/json", v);
	for (size_t i = 0; !r && i < q->headers.n; i++) {
		const struct pair *p = &q->headers.item[i];

		if (!p->optional || !template_uses_empty(p->value, v))
			r = add_header(d, p->name, p->value, v);
	}
	return r ? r : render_url(q, v, &d->url);
}

static bool
status_matches(const struct expect *e, long status)
{
	for (size_t i = 0; i < e->nstatus; i++)
		if (e->status[i] == status || (e->status[i] < 10 && e->status[i] == status / 100))
			return true;
	return !e->nstatus;
}

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

static bool
nonempty(json_t *value)
{
	if (json_is_string(value))
		return json_string_length(value) > 0;
	if (json_is_object(value))
		return json_object_size(value) > 0;
	if (json_is_array(value))
		return json_array_size(value) > 0;
	return json_is_number(value) || json_is_true(value);
}

static bool
check_holds(const struct check *c, json_t *body)
{
	json_t *value = json_at(body, c->pointer);

	switch (c->op) {
	case CHECK_EQ:
		return value && value_is(value, c->value);
	case CHECK_ABSENT_OR:
		return !value || value_is(value, c->value);
	case CHECK_NONEMPTY:
		return value && nonempty(value);
	case CHECK_ABSENT:
		return !value;
	}
	return false;
}

bool
expect_holds(const struct expect *e, long status, json_t *body)
{
	bool all = true, any = false;

	if (!status_matches(e, status))
		return false;
	/* Of an answer that cannot be read nothing is proven, not even that a member is absent. */
	if (e->nchecks && !body)
		return false;
	for (size_t i = 0; i < e->nchecks; i++) {
		bool holds = check_holds(&e->check[i], body);

		all &= holds;
		any |= holds;
	}
	return e->any ? any : all;
}

/* What a status means where neither `expect` nor a `fail` rule says it. */
static enum provider_class
class_by_status(enum request_purpose purpose, long status)
{
	static const struct {
		long from, to;
		enum provider_class class;
	} send[] = {
	    {200, 299, CLASS_PROVIDER_DOWN}, /* not what was expected */
	    {401, 401, CLASS_BAD_CREDENTIALS},
	    {402, 402, CLASS_NO_CREDIT},
	    {403, 403, CLASS_BAD_CREDENTIALS},
	    {408, 408, CLASS_PROVIDER_DOWN},
	    {429, 429, CLASS_RATE_LIMITED},
	    {500, 599, CLASS_PROVIDER_DOWN},
	};

	(void)purpose;
	for (size_t i = 0; i < sizeof(send) / sizeof(*send); i++)
		if (status >= send[i].from && status <= send[i].to)
			return send[i].class;
	return CLASS_REFUSED;
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

static void
judge_answer(const struct request *q, enum request_purpose purpose, struct http_answer *a,
    struct bindings *b, struct outcome *o)
{
	_auto_json json_t *body = NULL;
	const char *text = buf_str(&a->body);
	char why[128] = "";

	o->status = a->status;
	o->retry_after = a->retry_after;
	if (text && a->body.len && json_read(text, a->body.len, &body, why, sizeof(why)))
		o->detail = "the answer is no JSON";
	if (expect_holds(&q->expect, a->status, body)) {
		bool whole = !capture(q, a, body, b);

		o->class = whole ? CLASS_OK : CLASS_PROVIDER_DOWN;
		o->detail = whole ? "" : "the answer lacks a value to capture";
		return;
	}
	for (size_t i = 0; i < q->nfails; i++) {
		if (expect_holds(&q->fail[i].when, a->status, body)) {
			o->class = q->fail[i].is;
			o->outage = o->class == CLASS_NO_CREDIT ||
				    o->class == CLASS_BAD_CREDENTIALS ||
				    (o->class == CLASS_PROVIDER_DOWN && a->status >= 500);
			o->detail = "by a rule of the profile";
			return;
		}
	}
	o->class = class_by_status(purpose, a->status);
	o->outage =
	    a->status >= 500 || o->class == CLASS_NO_CREDIT || o->class == CLASS_BAD_CREDENTIALS;
	if (!*o->detail)
		o->detail = "the answer is not the expected one";
}

/* No whole answer came. */
static void
judge_failure(int r, const struct http_answer *a, struct outcome *o)
{
	o->detail = a->failure;
	if (r == -OTP_EINVAL) {
		o->class = CLASS_REFUSED;
		o->detail = "the URL is neither https nor a literal loopback address";
	} else if (r == -OTP_ESYS || r == -OTP_ENOMEM) {
		o->class = CLASS_BROKEN;
	} else {
		o->class = a->written ? CLASS_UNANSWERED : CLASS_PROVIDER_DOWN;
		o->outage = !a->written;
	}
}

int
request_make(const struct request *q, enum request_purpose purpose, struct bindings *b,
    struct http *h, const char *ca, const char *proxy, struct deadline dl, struct outcome *o)
{
	struct rendered d = {.nheaders = 0};
	struct http_answer a = {0};
	int r = request_render(q, &b->values, &d);

	*o = (struct outcome){.class = CLASS_BROKEN, .detail = ""};
	if (r) {
		o->class = r == -OTP_ENOMEM ? CLASS_BROKEN : CLASS_REFUSED;
		o->detail = "a value does not fit its place in the request";
		r = 0;
	} else {
		r = http_perform(h,
		    &(struct http_request){
			.method = q->method,
			.url = buf_str(&d.url),
			.header = d.line,
			.nheaders = d.nheaders,
			.body = q->json ? buf_str(&d.body) : NULL,
			.body_len = d.body.len,
			.ca = ca,
			.proxy = proxy,
		    },
		    dl, &a);
		o->written = a.written;
		if (!r)
			judge_answer(q, purpose, &a, b, o);
		else if (r != -OTP_EGONE)
			judge_failure(r, &a, o), r = 0;
	}
	http_answer_clear(&a);
	rendered_free(&d);
	return r;
}
