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
	bool has_body;
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
render_form(const struct pairs *form, const struct template_values *v, struct buf *body)
{
	int r = 0;

	for (size_t i = 0; !r && i < form->n; i++) {
		const struct pair *p = &form->item[i];

		if (p->optional && template_uses_empty(p->value, v))
			continue;
		buf_putf(body, "%s%s=", body->len ? "&" : "", p->name);
		r = template_render(p->value, PLACE_QUERY, v, body);
	}
	return r ? r : buf_err(body);
}

/* The body and its type; *type is NULL where there is no body. */
static int
render_body(
    const struct request *q, const struct template_values *v, struct buf *body, const char **type)
{
	*type = NULL;
	if (q->json) {
		_auto_json json_t *json = json_render(q->json, v);

		*type = "application/json";
		return json ? json_write(json, body) : -OTP_EINVAL;
	}
	if (q->form.n) {
		*type = "application/x-www-form-urlencoded";
		return render_form(&q->form, v, body);
	}
	if (!q->text)
		return 0;
	*type = "text/plain; charset=utf-8";
	return template_render(q->text, PLACE_TEXT, v, body);
}

static int
request_render(const struct request *q, const struct template_values *v, struct rendered *d)
{
	const char *type;
	int r;

	d->url = (struct buf)BUF_INIT(HTTP_URL_MAX);
	d->body = (struct buf)BUF_INIT(REQUEST_BODY_MAX);
	r = render_body(q, v, &d->body, &type);
	d->has_body = type != NULL;
	if (!r && type)
		r = add_header(d, "Content-Type", type, v);
	for (size_t i = 0; !r && i < q->headers.n; i++) {
		const struct pair *p = &q->headers.item[i];

		if (!p->optional || !template_uses_empty(p->value, v))
			r = add_header(d, p->name, p->value, v);
	}
	return r ? r : render_url(q, v, &d->url);
}

/* Borrowed from d. */
static struct http_request
rendered_request(const struct request *q, struct rendered *d)
{
	return (struct http_request){
	    .method = q->method,
	    .url = buf_str(&d->url),
	    .header = d->line,
	    .nheaders = d->nheaders,
	    .body = d->has_body ? buf_str(&d->body) : NULL,
	    .body_len = d->body.len,
	};
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

/* Something of the kind: what is of another type proves nothing. */
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
		/* Of an answer that cannot be read nothing is proven, not even that a member is
		 * absent. */
		bool readable = e->check[i].op == CHECK_TEXT || a->json;
		bool holds = readable && check_holds(&e->check[i], a);

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
		enum provider_class send, verify;
	} table[] = {
	    {200, 299, CLASS_PROVIDER_DOWN, CLASS_WRONG_CODE}, /* not what was expected */
	    {400, 400, CLASS_REFUSED, CLASS_WRONG_CODE},
	    {401, 401, CLASS_BAD_CREDENTIALS, CLASS_BAD_CREDENTIALS},
	    {402, 402, CLASS_NO_CREDIT, CLASS_NO_CREDIT},
	    /* Of a send it may be said of the person: blocked, opted out, of another country. */
	    {403, 403, CLASS_REFUSED, CLASS_BAD_CREDENTIALS},
	    {404, 404, CLASS_REFUSED, CLASS_EXPIRED},
	    {408, 408, CLASS_PROVIDER_DOWN, CLASS_PROVIDER_DOWN},
	    {410, 410, CLASS_REFUSED, CLASS_EXPIRED},
	    {422, 422, CLASS_REFUSED, CLASS_WRONG_CODE},
	    {429, 429, CLASS_RATE_LIMITED, CLASS_RATE_LIMITED},
	    {500, 599, CLASS_PROVIDER_DOWN, CLASS_PROVIDER_DOWN},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (status >= table[i].from && status <= table[i].to)
			return purpose == REQUEST_VERIFY ? table[i].verify : table[i].send;
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

static bool
is_outage(enum provider_class c, long status)
{
	return c == CLASS_NO_CREDIT || c == CLASS_BAD_CREDENTIALS ||
	       (c == CLASS_PROVIDER_DOWN && status >= 500);
}

/* By `expect`, then by the rules, then by the status. */
static void
judge_reply(
    const struct request *q, enum request_purpose purpose, const struct reply *a, struct outcome *o)
{
	if (expect_holds(&q->expect, a)) {
		o->class = CLASS_OK;
		return;
	}
	for (size_t i = 0; i < q->nfails; i++) {
		if (expect_holds(&q->fail[i].when, a)) {
			o->class = q->fail[i].is;
			o->detail = "by a rule of the profile";
			return;
		}
	}
	o->class = class_by_status(purpose, a->status);
	/* Whoever talks nonsense has not said that the code is wrong. */
	if (o->class == CLASS_WRONG_CODE && a->status < 300 && !a->json)
		o->class = CLASS_PROVIDER_DOWN;
	if (!*o->detail)
		o->detail = "the answer is not the expected one";
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
		o->detail = "the answer is no JSON";
	reply.json = json;
	judge_reply(q, purpose, &reply, o);
	if (o->class == CLASS_OK && capture(q, a, json, b)) {
		o->class = CLASS_PROVIDER_DOWN;
		o->detail = "the answer lacks a value to capture";
	} else if (o->class == CLASS_OK) {
		o->detail = "";
	}
	o->outage = is_outage(o->class, a->status);
}

/* No whole answer came. */
static void
judge_failure(int r, const struct http_answer *a, struct outcome *o)
{
	o->detail = a->failure;
	if (r == -OTP_EINVAL) {
		o->class = CLASS_REFUSED;
		o->detail = "neither https nor a literal loopback address, or `ca` is unreadable";
	} else if (r == -OTP_ESYS || r == -OTP_ENOMEM) {
		o->class = CLASS_BROKEN;
	} else {
		o->class = a->written ? CLASS_UNANSWERED : CLASS_PROVIDER_DOWN;
		o->outage = !a->written;
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
		o->detail = "a value does not fit its place in the request";
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
