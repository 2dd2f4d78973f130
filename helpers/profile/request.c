#include "helpers/profile/request.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helpers/template/template.h"

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

/* Reads ["", "text", "EXTENDED REGULAR EXPRESSION"], a check for answers that are not JSON. */
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
		reader_fault(
		    rd, "expected status, all or any; without them every answer would match");
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

/*
 * Reads "/pointer", {"ptr": ...}, {"header": ...} or {"cookie": ...}. An object may also have the
 * member "optional".
 */
static void
read_capture(struct reader *rd, const char *name, json_t *spec, struct capture *c)
{
	static const char *const keys[] = {"ptr", "header", "cookie", "optional"};
	static const char *const from[] = {
	    [CAPTURE_BODY] = "ptr", [CAPTURE_HEADER] = "header", [CAPTURE_COOKIE] = "cookie"};
	size_t found = 0;

	c->name = strdup(name);
	if (profile_is_builtin(name))
		reader_fault(rd, "this is the name of a built-in variable; choose another name");
	if (reader_is_set(rd, name))
		reader_fault(rd, "this is a variable already; an answer must not replace it");
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
		    "${%s} is not allowed in a host name; expected a variable of vars that is not "
		    "secret",
		    name);
	return 0;
}

/* The length of the scheme of the URL with "://"; 0 if the scheme is not allowed. */
static size_t
scheme_len(const struct request *q)
{
	static const char *const web[] = {"https://"}, *const mail[] = {"smtp://", "smtps://"};
	const char *const *scheme = q->mail.n ? mail : web;
	size_t n = q->mail.n ? COUNT(mail) : COUNT(web);

	for (size_t i = 0; i < n; i++)
		if (!strncmp(q->url, scheme[i], strlen(scheme[i])))
			return strlen(scheme[i]);
	return 0;
}

/*
 * Checks a URL. Its scheme, host and port may come only from the profile and the configuration: a
 * user or an answer must not choose where a code and a token are sent.
 */
static void
check_url(struct reader *rd, const struct request *q)
{
	size_t before = reader_down(rd, "url"), scheme = q->url ? scheme_len(q) : 0;
	bool by_var = q->url && !strncmp(q->url, "${", 2);
	const char *why, *from = by_var ? strchr(q->url, '}') : scheme ? q->url + scheme : NULL;
	char origin[512];

	reader_template(rd, q->url);
	if (q->url && !by_var && !scheme) {
		reader_fault(rd, "expected a URL that begins with %s or with a variable of vars",
		    q->mail.n ? "smtp:// or smtps://" : "https://");
	} else if (from) {
		int len = (int)(from - q->url + (ptrdiff_t)strcspn(from, "/?#"));

		if (snprintf(origin, sizeof(origin), "%.*s", len, q->url) >= (int)sizeof(origin))
			reader_fault(rd, "the host name is too long, expected at most %zu bytes",
			    sizeof(origin) - 1);
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
		size_t before = reader_down(rd, key), len = strlen(key);

		rd->optional = len > 1 && key[len - 1] == '?' && json_is_string(item);
		check_json(rd, item);
		rd->optional = false;
		reader_up(rd, before);
	}
	json_array_foreach (value, i, item) {
		size_t before = reader_down_index(rd, i);

		check_json(rd, item);
		reader_up(rd, before);
	}
}

static void
read_mail(struct reader *rd, json_t *spec, struct request *q)
{
	static const char *const required[] = {"from", "to", "subject", "text"};
	static const char *const keys[] = {
	    "from", "from_name", "from_name?", "to", "subject", "text"};
	size_t before = reader_down(rd, "mail");
	json_t *mail = json_object_get(spec, "mail");

	if (mail && reader_known_keys(rd, mail, keys, COUNT(keys))) {
		for (size_t i = 0; i < COUNT(required); i++)
			free(reader_string(rd, mail, required[i], NULL));
		if (json_object_get(mail, "from_name") && json_object_get(mail, "from_name?"))
			reader_fault(rd, "expected from_name or from_name?, not both");
		reader_up(rd, before);
		reader_pairs(rd, spec, "mail", &q->mail);
		reader_check_pairs(rd, "mail", &q->mail);
	}
	reader_up(rd, before);
}

/* Reads the body: at most one of json, form, text and mail. */
static void
read_body(struct reader *rd, json_t *spec, struct request *q)
{
	json_t *text = json_object_get(spec, "text");
	size_t before;

	if (!!json_object_get(spec, "json") + !!json_object_get(spec, "form") + !!text +
		!!json_object_get(spec, "mail") >
	    1)
		reader_fault(rd, "expected at most one of json, form, text and mail");
	q->json = json_incref(json_object_get(spec, "json"));
	before = reader_down(rd, "json");
	check_json(rd, q->json);
	reader_up(rd, before);
	reader_pairs(rd, spec, "form", &q->form);
	reader_check_pairs(rd, "form", &q->form);
	reader_check_query(rd, "form", &q->form);
	before = reader_down(rd, "text");
	if (text)
		q->text = reader_copy(rd, text);
	reader_template(rd, q->text);
	reader_up(rd, before);
	read_mail(rd, spec, q);
}

/* Reads "auth" or "auth?": {"basic": [login, password]}. */
static void
read_auth(struct reader *rd, json_t *spec, struct request *q)
{
	static const char *const keys[] = {"basic"};
	const char *key = json_object_get(spec, "auth") ? "auth" : "auth?";
	json_t *auth = json_object_get(spec, key), *basic = json_object_get(auth, "basic");
	size_t before = reader_down(rd, key);

	if (auth && reader_known_keys(rd, auth, keys, COUNT(keys))) {
		if (json_array_size(basic) == 2) {
			q->login = reader_copy(rd, json_array_get(basic, 0));
			q->password = reader_copy(rd, json_array_get(basic, 1));
			q->login_optional = !strcmp(key, "auth?");
			rd->optional = q->login_optional;
			reader_template(rd, q->login);
			reader_template(rd, q->password);
			rd->optional = false;
		} else {
			reader_fault(rd, "expected {\"basic\": [login, password]}");
		}
		if (json_object_get(spec, "auth") && json_object_get(spec, "auth?"))
			reader_fault(rd, "expected auth or auth?, not both");
	}
	reader_up(rd, before);
}

static void
read_method(struct reader *rd, json_t *spec, struct request *q)
{
	static const char *const methods[] = {"POST", "GET", "PUT"};
	size_t before = reader_down(rd, "method");
	int m = reader_one_of(rd, json_object_get(spec, "method"), methods, COUNT(methods));

	q->method = strdup(m < 0 ? "" : methods[m]);
	reader_up(rd, before);
}

/* Reports members that have no meaning for a mail. Its answer is only a status. */
static void
check_mail(struct reader *rd, json_t *spec, const char *key, const struct request *q)
{
	static const char *const not_of_mail[] = {"method", "headers", "query", "capture"};
	bool checks = q->expect.nchecks;

	for (size_t i = 0; i < COUNT(not_of_mail); i++)
		if (json_object_get(spec, not_of_mail[i]))
			reader_fault(rd, "%s is not allowed with mail", not_of_mail[i]);
	for (size_t i = 0; i < q->nfails; i++)
		checks |= q->fail[i].when.nchecks > 0;
	if (checks)
		reader_fault(rd, "the answer to a mail has only a status, and no body to check");
	if (strcmp(key, "send") && strcmp(key, "resend"))
		reader_fault(rd, "mail is allowed only in send and resend");
	if (rd->p->code_by != CODE_BY_MODULE || rd->p->code_echo)
		reader_fault(rd, "mail is allowed only with a code by \"module\" and without echo");
}

void
reader_request(struct reader *rd, json_t *object, const char *key, struct request *q)
{
	static const char *const keys[] = {"method", "url", "auth", "auth?", "headers", "query",
	    "json", "form", "text", "mail", "expect", "capture", "fail"};
	json_t *spec = json_object_get(object, key);
	size_t before = reader_down(rd, key);

	if (!reader_known_keys(rd, spec, keys, COUNT(keys))) {
		reader_up(rd, before);
		return;
	}
	if (!json_object_get(spec, "mail"))
		read_method(rd, spec, q);
	q->url = reader_string(rd, spec, "url", NULL);
	read_auth(rd, spec, q);
	reader_pairs(rd, spec, "headers", &q->headers);
	reader_check_pairs(rd, "headers", &q->headers);
	reader_check_headers(rd, &q->headers, q->login != NULL);
	reader_pairs(rd, spec, "query", &q->query);
	reader_check_pairs(rd, "query", &q->query);
	reader_check_query(rd, "query", &q->query);
	read_body(rd, spec, q);
	check_url(rd, q);
	read_expect(rd, spec, &q->expect);
	read_captures(rd, spec, q);
	read_fail(rd, spec, q);
	if (q->mail.n)
		check_mail(rd, spec, key, q);
	reader_up(rd, before);
}
