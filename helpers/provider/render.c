#include "helpers/provider/render.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/err.h"
#include "helpers/base/json.h"

enum {
	REQUEST_BODY_MAX = 64 * 1024,
	JSON_DIGITS = 18, /* they fit into a JSON integer */
};

static json_t *json_render(json_t *value, const struct template_values *v);

bool
render_fits(const char *conversion, const char *value)
{
	size_t len = strlen(value);

	if (!strcmp(conversion, "bool"))
		return !strcmp(value, "true") || !strcmp(value, "false");
	return len && len <= JSON_DIGITS && strspn(value, "0123456789") == len;
}

/* Renders a whole string "${name:number}" or "${name:bool}" as a JSON number or boolean. */
static json_t *
typed_render(const char *name, const char *conversion, const struct template_values *v)
{
	const char *value = v->get(v, name);

	if (!value || !render_fits(conversion, value))
		return NULL;
	/* Leading zeros of a number are dropped, because JSON forbids them. */
	return !strcmp(conversion, "bool") ? json_boolean(*value == 't')
					   : json_integer(atoll(value));
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
	return s ? json_string(s) : NULL; /* json_string() returns NULL if s is not UTF-8 */
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

/* Returns a copy of the value with every string rendered, or NULL if one cannot be rendered. */
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

/* Renders the body. *type is its Content-Type, or NULL if there is no body. */
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

/* True if the profile sets a header of this name for this request. */
static bool
sets_header(const struct request *q, const char *name, const struct template_values *v)
{
	for (size_t i = 0; i < q->headers.n; i++) {
		const struct pair *p = &q->headers.item[i];

		if (!strcasecmp(p->name, name) &&
		    !(p->optional && template_uses_empty(p->value, v)))
			return true;
	}
	return false;
}

static int
render_headers(const struct request *q, const struct template_values *v, struct rendered *d)
{
	int r = 0;

	for (size_t i = 0; !r && i < q->headers.n; i++) {
		const struct pair *p = &q->headers.item[i];

		if (!p->optional || !template_uses_empty(p->value, v))
			r = add_header(d, p->name, p->value, v);
	}
	return r;
}

/* Renders the login. An optional login is left out if a variable in it is empty. */
static int
render_login(const struct request *q, const struct template_values *v, struct rendered *d)
{
	int r;

	d->has_login = q->login && !(q->login_optional && (template_uses_empty(q->login, v) ||
							      template_uses_empty(q->password, v)));
	if (!d->has_login)
		return 0;
	r = template_render(q->login, PLACE_HEADER, v, &d->login);
	return r ? r : template_render(q->password, PLACE_HEADER, v, &d->password);
}

static int
render_mail(const struct pairs *mail, const struct template_values *v, struct rendered *d)
{
	static const char *const names[MAIL_PARTS] = {
	    [MAIL_FROM] = "from",
	    [MAIL_FROM_NAME] = "from_name",
	    [MAIL_TO] = "to",
	    [MAIL_SUBJECT] = "subject",
	    [MAIL_BODY] = "text",
	};
	const char **const texts[MAIL_PARTS] = {
	    [MAIL_FROM] = &d->mail.from,
	    [MAIL_FROM_NAME] = &d->mail.from_name,
	    [MAIL_TO] = &d->mail.to,
	    [MAIL_SUBJECT] = &d->mail.subject,
	    [MAIL_BODY] = &d->mail.text,
	};

	for (size_t i = 0; i < MAIL_PARTS; i++) {
		const struct pair *p = pairs_find(mail, names[i]);
		enum template_place place = i == MAIL_BODY ? PLACE_TEXT : PLACE_HEADER;
		int r = 0;

		if (p && !(p->optional && template_uses_empty(p->value, v)))
			r = template_render(p->value, place, v, &d->part[i]);
		*texts[i] = buf_str(&d->part[i]);
		if (r || !*texts[i])
			return r ? r : -OTP_ENOMEM;
	}
	return 0;
}

int
request_render(const struct request *q, const struct template_values *v, struct rendered *d)
{
	const char *type = NULL;
	int r;

	d->url = (struct buf)BUF_INIT(HTTP_URL_MAX);
	d->body = (struct buf)BUF_INIT(REQUEST_BODY_MAX);
	d->login = d->password = (struct buf)BUF_INIT(HTTP_HEAD_MAX);
	for (size_t i = 0; i < MAIL_PARTS; i++)
		d->part[i] = (struct buf)BUF_INIT(REQUEST_BODY_MAX);
	d->is_mail = q->mail.n > 0;
	r = d->is_mail ? render_mail(&q->mail, v, d) : render_body(q, v, &d->body, &type);
	d->has_body = type != NULL;
	if (!r && type && !sets_header(q, "Content-Type", v))
		r = add_header(d, "Content-Type", type, v);
	r = r ? r : render_headers(q, v, d);
	r = r ? r : render_login(q, v, d);
	return r ? r : render_url(q, v, &d->url);
}

struct http_request
rendered_request(const struct request *q, struct rendered *d)
{
	return (struct http_request){
	    .method = q->method,
	    .url = buf_str(&d->url),
	    .login = d->has_login ? buf_str(&d->login) : NULL,
	    .password = d->has_login ? buf_str(&d->password) : NULL,
	    .mail = d->is_mail ? &d->mail : NULL,
	    .header = d->line,
	    .nheaders = d->nheaders,
	    .body = d->has_body ? buf_str(&d->body) : NULL,
	    .body_len = d->body.len,
	};
}

void
rendered_free(struct rendered *d)
{
	buf_free(&d->url);
	buf_free(&d->login);
	buf_free(&d->password);
	buf_free(&d->body);
	for (size_t i = 0; i < d->nheaders; i++)
		buf_free(&d->header[i]);
	for (size_t i = 0; i < MAIL_PARTS; i++)
		buf_free(&d->part[i]);
}
