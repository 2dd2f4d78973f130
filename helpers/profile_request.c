#include "helpers/profile_read.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helpers/template.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

void
reader_status(struct reader *rd, json_t *object, const char *key, int *out, size_t max, size_t *n)
{
	json_t *list = json_object_get(object, key), *value;
	size_t before = reader_down(rd, key), i;

	if (list && !json_is_array(list))
		reader_fault(rd, "expected an array");
	if (json_array_size(list) > max)
		reader_fault(rd, "expected at most %zu entries", max);
	json_array_foreach (json_array_size(list) <= max ? list : NULL, i, value) {
		const char *s = json_string_value(value);
		json_int_t status = json_integer_value(value);
		size_t inner = reader_down_index(rd, i);

		if (s && s[0] >= '1' && s[0] <= '5' && !strcmp(s + 1, "xx"))
			out[(*n)++] = s[0] - '0';
		else if (status >= 100 && status <= 599)
			out[(*n)++] = (int)status;
		else
			reader_fault(rd, "expected a status like 200, or a class like \"2xx\"");
		reader_up(rd, inner);
	}
	reader_up(rd, before);
}

/* ["", "text", "EXTENDED REGULAR EXPRESSION"]: of an answer that is no JSON. */
static void
read_text_check(struct reader *rd, json_t *value, struct check *c)
{
	regex_t *compiled = calloc(1, sizeof(*compiled));

	if (!json_is_string(value) || !compiled ||
	    regcomp(compiled, json_string_value(value), REG_EXTENDED | REG_NOSUB)) {
		reader_fault(rd, "expected [\"\", \"text\", an extended regular expression]");
		free(compiled);
		return;
	}
	c->text = compiled;
}

static void
read_check(struct reader *rd, json_t *spec, struct check *c)
{
	static const char *const ops[] = {
	    [CHECK_EQ] = "eq",
	    [CHECK_ABSENT_OR] = "absent_or",
	    [CHECK_NONEMPTY] = "nonempty",
	    [CHECK_ABSENT] = "absent",
	    [CHECK_TEXT] = "text",
	};
	static const char *const kinds[] = {"string", "object", "array"};
	json_t *pointer = json_array_get(spec, 0), *value = json_array_get(spec, 2);
	int op;

	if (!json_is_array(spec) || json_array_size(spec) < 2 || json_array_size(spec) > 3) {
		reader_fault(rd, "expected [pointer, operation, value]");
		return;
	}
	op = reader_one_of(rd, json_array_get(spec, 1), ops, COUNT(ops));
	if (op < 0)
		return;
	c->op = (enum check_op)op;
	c->pointer = reader_copy(rd, pointer);
	if (c->pointer && *c->pointer && *c->pointer != '/')
		reader_fault(rd, "a JSON pointer begins with '/'");
	if (c->op == CHECK_TEXT) {
		read_text_check(rd, value, c);
		return;
	}
	if (c->op == CHECK_NONEMPTY) {
		if (value && reader_one_of(rd, value, kinds, COUNT(kinds)) < 0)
			return;
	} else if ((c->op == CHECK_ABSENT) != (value == NULL)) {
		reader_fault(rd, "eq and absent_or take a value, absent does not");
	}
	c->value = json_incref(value);
}

static void
read_checks(struct reader *rd, json_t *object, const char *key, struct expect *e)
{
	json_t *list = json_object_get(object, key), *spec;
	size_t before = reader_down(rd, key), i;

	if (list && !json_is_array(list))
		reader_fault(rd, "expected an array");
	if (list && json_is_array(list)) {
		e->any = !strcmp(key, "any");
		e->check = calloc(json_array_size(list) + 1, sizeof(*e->check));
		if (!e->check)
			reader_fault(rd, "out of memory");
		json_array_foreach (e->check ? list : NULL, i, spec) {
			size_t inner = reader_down_index(rd, i);

			read_check(rd, spec, &e->check[e->nchecks++]);
			reader_up(rd, inner);
		}
	}
	reader_up(rd, before);
}

static void
read_predicate(struct reader *rd, json_t *object, struct expect *e)
{
	reader_status(rd, object, "status", e->status, COUNT(e->status), &e->nstatus);
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
	size_t before = reader_down(rd, "expect");

	if (reader_known_keys(rd, json_object_get(request, "expect"), keys, COUNT(keys)))
		read_predicate(rd, json_object_get(request, "expect"), e);
	reader_up(rd, before);
}

static void
read_fail(struct reader *rd, json_t *request, struct request *q)
{
	static const char *const keys[] = {"status", "all", "any", "is"};
	json_t *list = json_object_get(request, "fail"), *rule;
	size_t before = reader_down(rd, "fail"), i;
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
		size_t inner = reader_down_index(rd, i), is;
		int c;

		if (reader_known_keys(rd, rule, keys, COUNT(keys))) {
			read_predicate(rd, rule, &f->when);
			is = reader_down(rd, "is");
			c = reader_one_of(rd, json_object_get(rule, "is"), classes, COUNT(classes));
			f->is = c < 0 ? CLASS_REFUSED : (enum provider_class)c;
			reader_up(rd, is);
		}
		reader_up(rd, inner);
	}
	reader_up(rd, before);
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
	if (profile_is_builtin(name))
		reader_fault(rd, "is the name of a built-in variable");
	if (reader_is_set(rd, name))
		reader_fault(rd, "is a variable already: an answer must not replace it");
	if (json_is_string(spec)) {
		c->where = reader_copy(rd, spec);
		if (c->where && *c->where != '/')
			reader_fault(rd, "a JSON pointer begins with '/'");
		return;
	}
	if (!reader_known_keys(rd, spec, keys, COUNT(keys)))
		return;
	for (size_t i = 0; i < COUNT(from); i++) {
		if (!json_object_get(spec, from[i]) || found++)
			continue;
		c->from = (enum capture_from)i;
		c->where = reader_string(rd, spec, from[i], NULL);
	}
	if (found != 1)
		reader_fault(rd, "expected one of ptr, header and cookie");
	else if (c->from == CAPTURE_BODY && c->where && *c->where != '/')
		reader_fault(rd, "a JSON pointer begins with '/'");
	c->optional = reader_bool(rd, spec, "optional");
}

static void
read_captures(struct reader *rd, json_t *request, struct request *q)
{
	json_t *of = json_object_get(request, "capture"), *spec;
	size_t before = reader_down(rd, "capture");
	const char *name;

	if (of && !json_is_object(of))
		reader_fault(rd, "expected an object");
	q->capture = calloc(json_object_size(of) + 1, sizeof(*q->capture));
	if (!q->capture)
		reader_fault(rd, "out of memory");
	json_object_foreach (q->capture ? of : NULL, name, spec) {
		size_t inner = reader_down(rd, name);

		read_capture(rd, name, spec, &q->capture[q->ncaptures++]);
		reader_up(rd, inner);
	}
	reader_up(rd, before);
}

static int
check_origin(const char *name, const char *conversion, void *arg)
{
	struct reader *rd = arg;
	const struct profile_var *v = profile_var(rd->p, name);

	if (!v || v->secret || *conversion)
		reader_fault(rd,
		    "${%s}: a host is named by vars that are not secret, and by nothing "
		    "else",
		    name);
	return 0;
}

/* Only the configuration may say where a request goes. */
static void
check_url(struct reader *rd, const char *url)
{
	size_t before = reader_down(rd, "url");
	bool by_var = url && !strncmp(url, "${", 2);
	const char *why, *from = by_var ? strchr(url, '}') : url ? url + strlen("https://") : NULL;
	char origin[512];

	reader_template(rd, url);
	if (url && !by_var && strncmp(url, "https://", 8)) {
		reader_fault(rd, "a URL begins with https:// or with one of vars");
	} else if (from) {
		int len = (int)(from - url + (ptrdiff_t)strcspn(from, "/?#"));

		if (snprintf(origin, sizeof(origin), "%.*s", len, url) >= (int)sizeof(origin))
			reader_fault(rd, "the name of the host is too long");
		else
			(void)template_scan(origin, check_origin, rd, &why);
	}
	reader_up(rd, before);
}

static void
check_json(struct reader *rd, json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_string(value))
		reader_template(rd, json_string_value(value));
	json_object_foreach (value, key, item) {
		size_t before = reader_down(rd, key);

		check_json(rd, item);
		reader_up(rd, before);
	}
	json_array_foreach (value, i, item) {
		size_t before = reader_down_index(rd, i);

		check_json(rd, item);
		reader_up(rd, before);
	}
}

/* At most one of json, form and text. */
static void
read_body(struct reader *rd, json_t *spec, struct request *q)
{
	json_t *text = json_object_get(spec, "text");
	size_t before;

	if (!!json_object_get(spec, "json") + !!json_object_get(spec, "form") + !!text > 1)
		reader_fault(rd, "expected one of json, form and text");
	q->json = json_incref(json_object_get(spec, "json"));
	before = reader_down(rd, "json");
	check_json(rd, q->json);
	reader_up(rd, before);
	reader_pairs(rd, spec, "form", &q->form);
	reader_check_pairs(rd, "form", &q->form);
	before = reader_down(rd, "text");
	if (text)
		q->text = reader_copy(rd, text);
	reader_template(rd, q->text);
	reader_up(rd, before);
}

void
reader_request(struct reader *rd, json_t *object, const char *key, struct request *q)
{
	static const char *const keys[] = {"method", "url", "headers", "query", "json", "form",
	    "text", "expect", "capture", "fail"};
	static const char *const methods[] = {"POST", "GET", "PUT"};
	json_t *spec = json_object_get(object, key);
	size_t before = reader_down(rd, key), inner;
	int m;

	if (!reader_known_keys(rd, spec, keys, COUNT(keys))) {
		reader_up(rd, before);
		return;
	}
	inner = reader_down(rd, "method");
	m = reader_one_of(rd, json_object_get(spec, "method"), methods, COUNT(methods));
	reader_up(rd, inner);
	q->method = strdup(m < 0 ? "" : methods[m]);
	q->url = reader_string(rd, spec, "url", NULL);
	check_url(rd, q->url);
	reader_pairs(rd, spec, "headers", &q->headers);
	reader_check_pairs(rd, "headers", &q->headers);
	reader_pairs(rd, spec, "query", &q->query);
	reader_check_pairs(rd, "query", &q->query);
	read_body(rd, spec, q);
	read_expect(rd, spec, &q->expect);
	read_captures(rd, spec, q);
	read_fail(rd, spec, q);
	reader_up(rd, before);
}
