#include "helpers/profile/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helpers/profile/request.h"

enum {
	PROFILE_VERSION = 1,
	CODE_LENGTH_LEAST = 4,
	CODE_LENGTH_MOST = 12,
	TOKEN_TTL_MOST_MS = 7 * 24 * 3600 * 1000,
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
read_var(struct reader *rd, const char *name, json_t *spec, struct profile_var *v)
{
	static const char *const keys[] = {"required", "secret", "default"};

	v->name = strdup(name);
	reader_check_name(rd, name, "variable");
	if (profile_is_builtin(name))
		reader_fault(rd, "this is the name of a built-in variable; choose another name");
	if (json_is_string(spec)) {
		v->value = reader_copy(rd, spec);
		reader_early_template(rd, v->value);
		return;
	}
	if (!reader_known_keys(rd, spec, keys, COUNT(keys)))
		return;
	v->required = reader_bool(rd, spec, "required");
	v->secret = reader_bool(rd, spec, "secret");
	v->value = reader_string(rd, spec, "default", "");
	reader_early_template(rd, v->value);
	if (v->secret && v->value && *v->value)
		reader_fault(rd, "a secret must not have a default");
}

static void
read_vars(struct reader *rd, json_t *root)
{
	json_t *vars = json_object_get(root, "vars"), *spec;
	size_t before = reader_down(rd, "vars");
	const char *name;

	if (vars && !json_is_object(vars))
		reader_fault(rd, "expected an object");
	rd->p->var = calloc(json_object_size(vars) + 1, sizeof(*rd->p->var));
	if (!rd->p->var)
		reader_fault(rd, "out of memory");
	json_object_foreach (rd->p->var ? vars : NULL, name, spec) {
		size_t inner = reader_down(rd, name);

		read_var(rd, name, spec, &rd->p->var[rd->p->nvars++]);
		reader_up(rd, inner);
	}
	reader_up(rd, before);
}

static void
read_channel(struct reader *rd, const char *name, json_t *spec, struct profile_channel *c)
{
	static const char *const keys[] = {"needs", "dest", "set"};
	static const char *const kinds[] = {[CONTACT_PHONE] = "phone", [CONTACT_EMAIL] = "email"};
	size_t before;
	int kind;

	c->name = strdup(name);
	reader_check_name(rd, name, "channel");
	if (!reader_known_keys(rd, spec, keys, COUNT(keys)))
		return;
	before = reader_down(rd, "needs");
	kind = reader_one_of(rd, json_object_get(spec, "needs"), kinds, COUNT(kinds));
	reader_up(rd, before);
	c->needs = kind == CONTACT_EMAIL ? CONTACT_EMAIL : CONTACT_PHONE;
	c->dest = reader_string(rd, spec, "dest", kind == CONTACT_EMAIL ? "${email}" : "${phone}");
	reader_pairs(rd, spec, "set", &c->set);
	for (size_t i = 0; i < c->set.n; i++)
		if (c->set.item[i].name && profile_is_builtin(c->set.item[i].name))
			reader_fault(rd, "set: ${%s} is a built-in variable; choose another name",
			    c->set.item[i].name);
}

static void
read_channels(struct reader *rd, json_t *root)
{
	json_t *channels = json_object_get(root, "channels"), *spec;
	size_t before = reader_down(rd, "channels");
	const char *name;

	if (!json_is_object(channels) || !json_object_size(channels))
		reader_fault(rd, "expected an object with at least one channel");
	rd->p->channel = calloc(json_object_size(channels) + 1, sizeof(*rd->p->channel));
	if (!rd->p->channel)
		reader_fault(rd, "out of memory");
	json_object_foreach (rd->p->channel ? channels : NULL, name, spec) {
		size_t inner = reader_down(rd, name);

		read_channel(rd, name, spec, &rd->p->channel[rd->p->nchannels++]);
		reader_up(rd, inner);
	}
	for (size_t i = 0; i < rd->p->nchannels; i++) {
		size_t inner = reader_down(rd, rd->p->channel[i].name);

		reader_early_template(rd, rd->p->channel[i].dest);
		reader_check_pairs(rd, "set", &rd->p->channel[i].set);
		reader_up(rd, inner);
	}
	reader_up(rd, before);
}

/* Reads 6 or [4, 10]: how many digits a code of the provider has. */
static void
read_length(struct reader *rd, json_t *code)
{
	json_t *value = json_object_get(code, "length");
	json_t *least = json_is_array(value) ? json_array_get(value, 0) : value;
	json_t *most = json_is_array(value) ? json_array_get(value, 1) : value;
	size_t before = reader_down(rd, "length");

	rd->p->code_min = value ? (int)json_integer_value(least) : CODE_LENGTH_LEAST;
	rd->p->code_max = value ? (int)json_integer_value(most) : CODE_LENGTH_MOST;
	if (rd->p->code_min < CODE_LENGTH_LEAST || rd->p->code_max > CODE_LENGTH_MOST ||
	    rd->p->code_min > rd->p->code_max || json_array_size(value) > 2)
		reader_fault(rd, "expected a number of digits, or [least, most], from %d to %d",
		    CODE_LENGTH_LEAST, CODE_LENGTH_MOST);
	reader_up(rd, before);
}

static char *
read_pointer(struct reader *rd, json_t *code, const char *key)
{
	char *pointer = json_object_get(code, key) ? reader_string(rd, code, key, NULL) : NULL;
	size_t before = reader_down(rd, key);

	if (pointer && *pointer != '/')
		reader_fault(rd, "expected a JSON pointer, which begins with '/'");
	reader_up(rd, before);
	return pointer;
}

static void
read_code(struct reader *rd, json_t *root)
{
	static const char *const keys[] = {"by", "placeholder", "ptr", "echo", "length"};
	static const char *const makers[] = {
	    [CODE_BY_MODULE] = "module",
	    [CODE_BY_RESPONSE] = "response",
	    [CODE_BY_PROVIDER] = "provider",
	};
	json_t *code = json_object_get(root, "code");
	size_t before = reader_down(rd, "code"), inner;
	struct profile *p = rd->p;

	if (reader_known_keys(rd, code, keys, COUNT(keys))) {
		inner = reader_down(rd, "by");
		p->code_by = (enum code_by)reader_one_of(
		    rd, json_object_get(code, "by"), makers, COUNT(makers));
		reader_up(rd, inner);
		if (json_object_get(code, "placeholder"))
			p->placeholder = reader_string(rd, code, "placeholder", NULL);
		if (p->placeholder && !*p->placeholder)
			reader_fault(rd, "placeholder: expected text");
		p->code_pointer = read_pointer(rd, code, "ptr");
		p->code_echo = read_pointer(rd, code, "echo");
		if ((p->code_by == CODE_BY_RESPONSE) != (p->code_pointer != NULL))
			reader_fault(rd,
			    "ptr is required with \"by\": \"response\", and allowed only with it");
		if (p->code_echo && p->code_by != CODE_BY_MODULE)
			reader_fault(rd, "echo is allowed only with \"by\": \"module\"");
		read_length(rd, code);
	}
	reader_up(rd, before);
}

static void
read_token(struct reader *rd, json_t *root)
{
	static const char *const keys[] = {"request", "key", "ttl", "renew_on"};
	json_t *spec = json_object_get(root, "session");
	size_t before = reader_down(rd, "session"), inner;
	struct profile_token *s;

	if (spec && reader_known_keys(rd, spec, keys, COUNT(keys))) {
		s = rd->p->token = calloc(1, sizeof(*s));
		if (!s) {
			reader_fault(rd, "out of memory");
			return;
		}
		reader_request(rd, spec, "request", &s->request);
		s->key = reader_string(rd, spec, "key", "");
		inner = reader_down(rd, "key");
		reader_template(rd, s->key);
		reader_up(rd, inner);
		inner = reader_down(rd, "ttl");
		s->ttl = json_integer_value(json_object_get(spec, "ttl")) * 1000;
		if (s->ttl < 1000 || s->ttl > TOKEN_TTL_MOST_MS)
			reader_fault(rd, "expected a number of seconds, from 1 to %d",
			    TOKEN_TTL_MOST_MS / 1000);
		reader_up(rd, inner);
		reader_status(rd, spec, "renew_on", s->renew_on, COUNT(s->renew_on), &s->nrenew_on);
	}
	reader_up(rd, before);
}

static struct request *
read_optional(struct reader *rd, json_t *root, const char *key)
{
	struct request *q;

	if (!json_object_get(root, key))
		return NULL;
	q = calloc(1, sizeof(*q));
	if (!q)
		reader_fault(rd, "out of memory");
	else
		reader_request(rd, root, key, q);
	return q;
}

/* Adds a capture for the value that the helper itself needs from a send: the code or its echo. */
static void
add_response(struct reader *rd, struct request *q)
{
	const struct profile *p = rd->p;
	const char *where = p->code_pointer ? p->code_pointer : p->code_echo;
	struct capture *more;

	if (!where)
		return;
	more = reallocarray(q->capture, q->ncaptures + 1, sizeof(*more));
	if (!more) {
		reader_fault(rd, "out of memory");
		return;
	}
	q->capture = more;
	q->capture[q->ncaptures++] = (struct capture){
	    .name = strdup(p->code_pointer ? "response.code" : "response.echo"),
	    .from = CAPTURE_BODY,
	    .where = strdup(where),
	    .optional = !p->code_pointer,
	};
}

/* Reads the requests in the order of a sign-in: later ones may use the captures of earlier ones. */
static void
read_requests(struct reader *rd, json_t *root)
{
	struct profile *p = rd->p;

	rd->has_code = false;
	p->warm = read_optional(rd, root, "warm");
	read_token(rd, root);
	rd->has_code = p->code_by == CODE_BY_MODULE;
	reader_request(rd, root, "send", &p->send);
	p->resend = read_optional(rd, root, "resend");
	rd->has_code = true;
	p->verify = read_optional(rd, root, "verify");
	rd->has_code = false;
	p->cleanup = read_optional(rd, root, "cleanup");
	add_response(rd, &p->send);
	if (p->resend)
		add_response(rd, p->resend);
	if ((p->code_by == CODE_BY_PROVIDER) != (p->verify != NULL))
		reader_fault(
		    rd, "verify is required with a code by \"provider\", and allowed only with it");
	if (p->cleanup && !p->verify)
		reader_fault(rd, "cleanup is allowed only with verify, which is missing");
}

static void
read_version(struct reader *rd, json_t *root)
{
	json_t *version = json_object_get(root, "profile");
	size_t before = reader_down(rd, "profile");

	if (!json_is_integer(version) || json_integer_value(version) != PROFILE_VERSION)
		reader_fault(rd, "expected %d, the version of the format", PROFILE_VERSION);
	reader_up(rd, before);
}

void
profile_read(struct reader *rd, json_t *root)
{
	static const char *const keys[] = {"profile", "name", "title", "warning", "vars",
	    "channels", "code", "bound_to", "message", "warm", "session", "send", "resend",
	    "verify", "cleanup", "variants"};
	static const char *const bound[] = {
	    [BOUND_TO_CHALLENGE] = "challenge", [BOUND_TO_ADDRESS] = "address"};
	size_t before;

	if (!reader_known_keys(rd, root, keys, COUNT(keys)))
		return;
	read_version(rd, root);
	free(reader_string(rd, root, "name", NULL));
	rd->p->title = reader_string(rd, root, "title", "");
	rd->p->warning = reader_string(rd, root, "warning", "");
	rd->p->message = reader_string(rd, root, "message", "");
	before = reader_down(rd, "bound_to");
	rd->p->bound_to = (enum bound_to)reader_one_of(
	    rd, json_object_get(root, "bound_to"), bound, COUNT(bound));
	reader_up(rd, before);
	read_vars(rd, root);
	read_channels(rd, root);
	read_code(rd, root);
	before = reader_down(rd, "message");
	rd->has_code = rd->p->code_by != CODE_BY_PROVIDER;
	reader_template(rd, rd->p->message);
	reader_up(rd, before);
	read_requests(rd, root);
}
