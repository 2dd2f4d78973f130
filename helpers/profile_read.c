#include "helpers/profile_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helpers/template.h"

enum { PROFILE_VERSION = 1 };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

void
reader_fault(struct reader *rd, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_putf(rd->report, "%s: %s: %s\n", rd->file, *rd->at ? rd->at : "/", text);
	rd->failed = true;
}

/* Steps down to a member; up() goes back to where `before` says. */
static size_t
down(struct reader *rd, const char *token)
{
	size_t before = strlen(rd->at);

	(void)snprintf(rd->at + before, sizeof(rd->at) - before, "/%s", token);
	return before;
}

static size_t
down_index(struct reader *rd, size_t i)
{
	char token[24];

	(void)snprintf(token, sizeof(token), "%zu", i);
	return down(rd, token);
}

static void
up(struct reader *rd, size_t before)
{
	rd->at[before] = '\0';
}

/* Every key must be one of the known ones. */
static bool
known_keys(struct reader *rd, json_t *object, const char *const *known, size_t n)
{
	const char *key, *close;
	json_t *value;
	bool ok = true;

	if (!json_is_object(object)) {
		reader_fault(rd, "expected an object");
		return false;
	}
	json_object_foreach (object, key, value) {
		bool found = false;
		size_t before;

		for (size_t i = 0; i < n; i++)
			found |= !strcmp(known[i], key);
		if (found)
			continue;
		before = down(rd, key);
		close = conf_suggest(key, known, n);
		reader_fault(rd, "unknown key%s%s%s", close ? ", did you mean \"" : "",
		    close ? close : "", close ? "\"?" : "");
		up(rd, before);
		ok = false;
	}
	return ok;
}

static char *
copy_string(struct reader *rd, const json_t *value)
{
	char *s;

	if (!json_is_string(value)) {
		reader_fault(rd, "expected a string");
		return NULL;
	}
	s = strdup(json_string_value(value));
	if (!s)
		reader_fault(rd, "out of memory");
	return s;
}

/* A member's string, or the fallback; NULL where the fallback is NULL and it is missing: an error.
 */
static char *
member_string(struct reader *rd, json_t *object, const char *key, const char *fallback)
{
	json_t *value = json_object_get(object, key);
	size_t before = down(rd, key);
	char *s = NULL;

	if (value)
		s = copy_string(rd, value);
	else if (fallback)
		s = strdup(fallback);
	else
		reader_fault(rd, "is missing: expected a string");
	up(rd, before);
	return s;
}

static bool
member_bool(struct reader *rd, json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	size_t before = down(rd, key);

	if (value && !json_is_boolean(value))
		reader_fault(rd, "expected true or false");
	up(rd, before);
	return json_is_true(value);
}

/* The index of a string in a list of words, or -1 after a fault that names them. */
static int
one_of(struct reader *rd, const json_t *value, const char *const *word, size_t n)
{
	char all[256] = "";
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		if (!word[i])
			continue;
		if (json_is_string(value) && !strcmp(json_string_value(value), word[i]))
			return (int)i;
		if (used < sizeof(all))
			used += (size_t)snprintf(
			    all + used, sizeof(all) - used, "%s%s", used ? ", " : "", word[i]);
	}
	reader_fault(rd, "expected one of: %s", all);
	return -1;
}

static bool
in_vars(const struct profile *p, const char *name)
{
	if (profile_var(p, name))
		return true;
	for (size_t i = 0; i < p->nchannels; i++)
		for (size_t k = 0; k < p->channel[i].set.n; k++)
			if (!strcmp(p->channel[i].set.item[k].name, name))
				return true;
	return false;
}

static int
check_variable(const char *name, const char *conversion, void *arg)
{
	struct reader *rd = arg;

	(void)conversion;
	if (!profile_is_builtin(name) && !in_vars(rd->p, name))
		reader_fault(rd, "${%s} is no variable of this profile", name);
	return 0;
}

static void
check_template(struct reader *rd, const char *text)
{
	const char *why;

	if (text && template_scan(text, check_variable, rd, &why))
		reader_fault(rd, "%s", why);
}

/* "name": "template", "name?": "template" */
static void
read_pairs(struct reader *rd, json_t *object, const char *key, struct pairs *out)
{
	json_t *of = json_object_get(object, key), *value;
	size_t before = down(rd, key), inner;
	const char *name;

	if (of && !json_is_object(of))
		reader_fault(rd, "expected an object of strings");
	out->item = calloc(json_object_size(of) + 1, sizeof(*out->item));
	if (!out->item)
		reader_fault(rd, "out of memory");
	json_object_foreach (out->item ? of : NULL, name, value) {
		struct pair *p = &out->item[out->n++];
		size_t len = strlen(name);

		inner = down(rd, name);
		p->optional = len > 1 && name[len - 1] == '?';
		p->name = strndup(name, len - (p->optional ? 1 : 0));
		p->value = copy_string(rd, value);
		if (!p->name || !*p->name)
			reader_fault(rd, "a name is missing");
		up(rd, inner);
	}
	up(rd, before);
}

static void
check_pairs(struct reader *rd, const char *key, const struct pairs *pairs)
{
	size_t before = down(rd, key);

	for (size_t i = 0; i < pairs->n; i++) {
		size_t inner = down(rd, pairs->item[i].name);

		check_template(rd, pairs->item[i].value);
		up(rd, inner);
	}
	up(rd, before);
}

static void
read_var(struct reader *rd, const char *name, json_t *spec, struct profile_var *v)
{
	static const char *const keys[] = {"required", "secret", "default"};

	v->name = strdup(name);
	if (profile_is_builtin(name))
		reader_fault(rd, "is the name of a built-in variable");
	if (json_is_string(spec)) {
		v->value = copy_string(rd, spec);
		return;
	}
	if (!known_keys(rd, spec, keys, COUNT(keys)))
		return;
	v->required = member_bool(rd, spec, "required");
	v->secret = member_bool(rd, spec, "secret");
	v->value = member_string(rd, spec, "default", "");
	if (v->secret && v->value && *v->value)
		reader_fault(rd, "a secret has no default");
}

static void
read_vars(struct reader *rd, json_t *root)
{
	json_t *vars = json_object_get(root, "vars"), *spec;
	size_t before = down(rd, "vars");
	const char *name;

	if (vars && !json_is_object(vars))
		reader_fault(rd, "expected an object");
	rd->p->var = calloc(json_object_size(vars) + 1, sizeof(*rd->p->var));
	if (!rd->p->var)
		reader_fault(rd, "out of memory");
	json_object_foreach (rd->p->var ? vars : NULL, name, spec) {
		size_t inner = down(rd, name);

		read_var(rd, name, spec, &rd->p->var[rd->p->nvars++]);
		up(rd, inner);
	}
	up(rd, before);
}

static void
read_channel(struct reader *rd, const char *name, json_t *spec, struct profile_channel *c)
{
	static const char *const keys[] = {"needs", "dest", "set"};
	static const char *const kinds[] = {[CONTACT_PHONE] = "phone", [CONTACT_EMAIL] = "email"};
	size_t before;
	int kind;

	c->name = strdup(name);
	if (!known_keys(rd, spec, keys, COUNT(keys)))
		return;
	before = down(rd, "needs");
	kind = one_of(rd, json_object_get(spec, "needs"), kinds, COUNT(kinds));
	up(rd, before);
	c->needs = kind == CONTACT_EMAIL ? CONTACT_EMAIL : CONTACT_PHONE;
	c->dest = member_string(rd, spec, "dest", kind == CONTACT_EMAIL ? "${email}" : "${phone}");
	read_pairs(rd, spec, "set", &c->set);
}

static void
read_channels(struct reader *rd, json_t *root)
{
	json_t *channels = json_object_get(root, "channels"), *spec;
	size_t before = down(rd, "channels");
	const char *name;

	if (!json_is_object(channels) || !json_object_size(channels))
		reader_fault(rd, "expected an object with a channel or more");
	rd->p->channel = calloc(json_object_size(channels) + 1, sizeof(*rd->p->channel));
	if (!rd->p->channel)
		reader_fault(rd, "out of memory");
	json_object_foreach (rd->p->channel ? channels : NULL, name, spec) {
		size_t inner = down(rd, name);

		read_channel(rd, name, spec, &rd->p->channel[rd->p->nchannels++]);
		up(rd, inner);
	}
	for (size_t i = 0; i < rd->p->nchannels; i++) {
		size_t inner = down(rd, rd->p->channel[i].name);

		check_template(rd, rd->p->channel[i].dest);
		check_pairs(rd, "set", &rd->p->channel[i].set);
		up(rd, inner);
	}
	up(rd, before);
}

static void
read_code(struct reader *rd, json_t *root)
{
	static const char *const keys[] = {"by", "placeholder"};
	static const char *const makers[] = {"module"};
	json_t *code = json_object_get(root, "code");
	size_t before = down(rd, "code"), inner;

	if (known_keys(rd, code, keys, COUNT(keys))) {
		inner = down(rd, "by");
		(void)one_of(rd, json_object_get(code, "by"), makers, COUNT(makers));
		up(rd, inner);
		if (json_object_get(code, "placeholder"))
			rd->p->placeholder = member_string(rd, code, "placeholder", NULL);
		if (rd->p->placeholder && !*rd->p->placeholder) {
			inner = down(rd, "placeholder");
			reader_fault(rd, "expected a text that is not empty");
			up(rd, inner);
		}
	}
	up(rd, before);
}

/* 200, or "2xx" */
static void
read_status(struct reader *rd, json_t *list, struct expect *e)
{
	size_t before = down(rd, "status"), i;
	json_t *value;

	if (list && !json_is_array(list))
		reader_fault(rd, "expected an array");
	if (json_array_size(list) > COUNT(e->status))
		reader_fault(rd, "expected at most %zu entries", COUNT(e->status));
	json_array_foreach (rd->failed ? NULL : list, i, value) {
		const char *s = json_string_value(value);
		json_int_t n = json_integer_value(value);
		size_t inner = down_index(rd, i);

		if (s && s[0] >= '1' && s[0] <= '5' && !strcmp(s + 1, "xx"))
			e->status[e->nstatus++] = s[0] - '0';
		else if (n >= 100 && n <= 599)
			e->status[e->nstatus++] = (int)n;
		else
			reader_fault(rd, "expected a status like 200, or a class like \"2xx\"");
		up(rd, inner);
	}
	up(rd, before);
}

static void
read_check(struct reader *rd, json_t *spec, struct check *c)
{
	static const char *const ops[] = {
	    [CHECK_EQ] = "eq",
	    [CHECK_ABSENT_OR] = "absent_or",
	    [CHECK_NONEMPTY] = "nonempty",
	    [CHECK_ABSENT] = "absent",
	};
	json_t *pointer = json_array_get(spec, 0), *value = json_array_get(spec, 2);
	int op;

	if (!json_is_array(spec) || json_array_size(spec) < 2 || json_array_size(spec) > 3) {
		reader_fault(rd, "expected [pointer, operation, value]");
		return;
	}
	op = one_of(rd, json_array_get(spec, 1), ops, COUNT(ops));
	if (op < 0)
		return;
	c->op = (enum check_op)op;
	c->pointer = copy_string(rd, pointer);
	if (c->pointer && *c->pointer && *c->pointer != '/')
		reader_fault(rd, "a JSON pointer begins with '/'");
	if ((c->op == CHECK_EQ || c->op == CHECK_ABSENT_OR) != (value != NULL))
		reader_fault(rd, "eq and absent_or take a value, nonempty and absent do not");
	c->value = json_incref(value);
}

static void
read_checks(struct reader *rd, json_t *object, const char *key, struct expect *e)
{
	json_t *list = json_object_get(object, key), *spec;
	size_t before = down(rd, key), i;

	if (list && !json_is_array(list))
		reader_fault(rd, "expected an array");
	if (list && json_is_array(list)) {
		e->any = !strcmp(key, "any");
		e->check = calloc(json_array_size(list) + 1, sizeof(*e->check));
		if (!e->check)
			reader_fault(rd, "out of memory");
		json_array_foreach (e->check ? list : NULL, i, spec) {
			size_t inner = down_index(rd, i);

			read_check(rd, spec, &e->check[e->nchecks++]);
			up(rd, inner);
		}
	}
	up(rd, before);
}

static void
read_predicate(struct reader *rd, json_t *object, struct expect *e)
{
	read_status(rd, json_object_get(object, "status"), e);
	if (json_object_get(object, "all") && json_object_get(object, "any"))
		reader_fault(rd, "expected all or any, not both");
	else
		read_checks(rd, object, json_object_get(object, "any") ? "any" : "all", e);
	if (!e->nstatus && !e->nchecks)
		reader_fault(rd,
		    "expected a status, all or any: a predicate that asks nothing is always true");
}

static void
read_expect(struct reader *rd, json_t *request, struct expect *e)
{
	static const char *const keys[] = {"status", "all", "any"};
	size_t before = down(rd, "expect");

	if (known_keys(rd, json_object_get(request, "expect"), keys, COUNT(keys)))
		read_predicate(rd, json_object_get(request, "expect"), e);
	up(rd, before);
}

static void
read_fail(struct reader *rd, json_t *request, struct request *q)
{
	static const char *const keys[] = {"status", "all", "any", "is"};
	json_t *list = json_object_get(request, "fail"), *rule;
	size_t before = down(rd, "fail"), i;
	const char *classes[CLASS_PROVIDER_DOWN + 1] = {NULL};

	for (i = CLASS_WRONG_CODE; i < COUNT(classes); i++)
		classes[i] = provider_class_name((enum provider_class)i);
	if (list && !json_is_array(list))
		reader_fault(rd, "expected an array");
	q->fail = calloc(json_array_size(list) + 1, sizeof(*q->fail));
	if (!q->fail)
		reader_fault(rd, "out of memory");
	json_array_foreach (q->fail ? list : NULL, i, rule) {
		struct fail_rule *f = &q->fail[q->nfails++];
		size_t inner = down_index(rd, i), is;
		int c;

		if (known_keys(rd, rule, keys, COUNT(keys))) {
			read_predicate(rd, rule, &f->when);
			is = down(rd, "is");
			c = one_of(rd, json_object_get(rule, "is"), classes, COUNT(classes));
			f->is = c < 0 ? CLASS_REFUSED : (enum provider_class)c;
			up(rd, is);
		}
		up(rd, inner);
	}
	up(rd, before);
}

/* "/pointer", {"ptr": ...}, {"header": ...} or {"cookie": ...}, with "optional" */
static void
read_capture(struct reader *rd, const char *name, json_t *spec, struct capture *c)
{
	static const char *const keys[] = {"ptr", "header", "cookie", "optional"};
	static const char *const from[] = {
	    [CAPTURE_BODY] = "ptr", [CAPTURE_HEADER] = "header", [CAPTURE_COOKIE] = "cookie"};
	size_t found = 0;

	c->name = strdup(name);
	if (json_is_string(spec)) {
		c->where = copy_string(rd, spec);
		return;
	}
	if (!known_keys(rd, spec, keys, COUNT(keys)))
		return;
	for (size_t i = 0; i < COUNT(from); i++) {
		if (!json_object_get(spec, from[i]) || found++)
			continue;
		c->from = (enum capture_from)i;
		c->where = member_string(rd, spec, from[i], NULL);
	}
	if (found != 1)
		reader_fault(rd, "expected one of ptr, header and cookie");
	c->optional = member_bool(rd, spec, "optional");
}

static void
read_captures(struct reader *rd, json_t *request, struct request *q)
{
	json_t *of = json_object_get(request, "capture"), *spec;
	size_t before = down(rd, "capture");
	const char *name;

	if (of && !json_is_object(of))
		reader_fault(rd, "expected an object");
	q->capture = calloc(json_object_size(of) + 1, sizeof(*q->capture));
	if (!q->capture)
		reader_fault(rd, "out of memory");
	json_object_foreach (q->capture ? of : NULL, name, spec) {
		size_t inner = down(rd, name);

		read_capture(rd, name, spec, &q->capture[q->ncaptures++]);
		up(rd, inner);
	}
	up(rd, before);
}

/* Only the configuration may say where a request goes. */
static void
check_url(struct reader *rd, const char *url)
{
	size_t before = down(rd, "url"), n;
	char name[TEMPLATE_NAME_MAX];
	const char *end;

	check_template(rd, url);
	if (url && !strncmp(url, "${", 2) && (end = strchr(url, '}'))) {
		n = (size_t)(end - url - 2);
		(void)snprintf(name, sizeof(name), "%.*s", (int)n, url + 2);
		if (!profile_var(rd->p, name))
			reader_fault(rd, "a URL begins with https:// or with one of vars");
	} else if (url && strncmp(url, "https://", 8)) {
		reader_fault(rd, "a URL begins with https:// or with one of vars");
	}
	up(rd, before);
}

static void
check_json(struct reader *rd, json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_string(value))
		check_template(rd, json_string_value(value));
	json_object_foreach (value, key, item) {
		size_t before = down(rd, key);

		check_json(rd, item);
		up(rd, before);
	}
	json_array_foreach (value, i, item) {
		size_t before = down_index(rd, i);

		check_json(rd, item);
		up(rd, before);
	}
}

static void
read_request(struct reader *rd, json_t *root, const char *key, struct request *q)
{
	static const char *const keys[] = {
	    "method", "url", "headers", "query", "json", "expect", "capture", "fail"};
	static const char *const methods[] = {"POST", "GET", "PUT"};
	json_t *spec = json_object_get(root, key);
	size_t before = down(rd, key), inner;
	int m;

	if (!known_keys(rd, spec, keys, COUNT(keys))) {
		up(rd, before);
		return;
	}
	inner = down(rd, "method");
	m = one_of(rd, json_object_get(spec, "method"), methods, COUNT(methods));
	up(rd, inner);
	q->method = strdup(m < 0 ? "" : methods[m]);
	q->url = member_string(rd, spec, "url", NULL);
	check_url(rd, q->url);
	read_pairs(rd, spec, "headers", &q->headers);
	check_pairs(rd, "headers", &q->headers);
	read_pairs(rd, spec, "query", &q->query);
	check_pairs(rd, "query", &q->query);
	q->json = json_incref(json_object_get(spec, "json"));
	inner = down(rd, "json");
	check_json(rd, q->json);
	up(rd, inner);
	read_expect(rd, spec, &q->expect);
	read_captures(rd, spec, q);
	read_fail(rd, spec, q);
	up(rd, before);
}

static void
read_version(struct reader *rd, json_t *root)
{
	json_t *version = json_object_get(root, "profile");
	size_t before = down(rd, "profile");

	if (!json_is_integer(version) || json_integer_value(version) != PROFILE_VERSION)
		reader_fault(rd, "expected %d, the version of the format", PROFILE_VERSION);
	up(rd, before);
}

void
profile_read(struct reader *rd, json_t *root)
{
	static const char *const keys[] = {"profile", "name", "title", "vars", "channels", "code",
	    "bound_to", "message", "send", "variants"};
	static const char *const bound[] = {"challenge", "address"};
	size_t before;

	if (!known_keys(rd, root, keys, COUNT(keys)))
		return;
	read_version(rd, root);
	free(member_string(rd, root, "name", NULL));
	rd->p->title = member_string(rd, root, "title", "");
	rd->p->message = member_string(rd, root, "message", "");
	before = down(rd, "bound_to");
	(void)one_of(rd, json_object_get(root, "bound_to"), bound, COUNT(bound));
	up(rd, before);
	read_vars(rd, root);
	read_channels(rd, root);
	read_code(rd, root);
	before = down(rd, "message");
	check_template(rd, rd->p->message);
	up(rd, before);
	read_request(rd, root, "send", &rd->p->send);
}
