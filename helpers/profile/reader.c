#include "helpers/profile/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helpers/template/template.h"

void
reader_fault(struct reader *rd, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	conf_error(rd->report, rd->file, 0, "%s: %s", *rd->at ? rd->at : "/", text);
	rd->failed = true;
}

size_t
reader_down(struct reader *rd, const char *token)
{
	size_t before = strlen(rd->at);

	(void)snprintf(rd->at + before, sizeof(rd->at) - before, "/%s", token);
	return before;
}

size_t
reader_down_index(struct reader *rd, size_t i)
{
	char token[24];

	(void)snprintf(token, sizeof(token), "%zu", i);
	return reader_down(rd, token);
}

void
reader_up(struct reader *rd, size_t before)
{
	rd->at[before] = '\0';
}

bool
reader_known_keys(struct reader *rd, json_t *object, const char *const *known, size_t n)
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
		before = reader_down(rd, key);
		close = conf_suggest(key, known, n);
		reader_fault(rd, "unknown key%s%s%s", close ? ", did you mean \"" : "",
		    close ? close : "", close ? "\"?" : "");
		reader_up(rd, before);
		ok = false;
	}
	return ok;
}

char *
reader_copy(struct reader *rd, const json_t *value)
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

char *
reader_string(struct reader *rd, json_t *object, const char *key, const char *fallback)
{
	json_t *value = json_object_get(object, key);
	size_t before = reader_down(rd, key);
	char *s = NULL;

	if (value)
		s = reader_copy(rd, value);
	else if (fallback)
		s = strdup(fallback);
	else
		reader_fault(rd, "is missing; expected a string");
	reader_up(rd, before);
	return s;
}

bool
reader_bool(struct reader *rd, json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	size_t before = reader_down(rd, key);

	if (value && !json_is_boolean(value))
		reader_fault(rd, "expected true or false");
	reader_up(rd, before);
	return json_is_true(value);
}

int
reader_one_of(struct reader *rd, const json_t *value, const char *const *word, size_t n)
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
captures(const struct request *q, const char *name)
{
	for (size_t i = 0; q && i < q->ncaptures; i++)
		if (!strcmp(q->capture[i].name, name))
			return true;
	return false;
}

bool
reader_is_set(const struct reader *rd, const char *name)
{
	const struct profile *p = rd->p;

	if (profile_var(p, name))
		return true;
	for (size_t i = 0; i < p->nchannels; i++)
		for (size_t k = 0; k < p->channel[i].set.n; k++)
			if (!strcmp(p->channel[i].set.item[k].name, name))
				return true;
	return false;
}

/* True for variables of the profile, and for captures of the requests that were read so far. */
static bool
is_known(const struct reader *rd, const char *name)
{
	const struct profile *p = rd->p;

	return reader_is_set(rd, name) || (p->token && captures(&p->token->request, name)) ||
	       captures(&p->send, name) || captures(p->resend, name) || captures(p->verify, name);
}

/*
 * The first channel that leaves the variable without a value, or NULL. A request that needs this
 * variable cannot be made over that channel.
 */
static const char *
channel_without(const struct reader *rd, const char *name)
{
	const struct profile *p = rd->p;

	if (profile_is_builtin(name) || profile_var(p, name))
		return NULL;
	for (size_t i = 0; reader_is_set(rd, name) && i < p->nchannels; i++)
		if (!pairs_find(&p->channel[i].set, name))
			return p->channel[i].name;
	return NULL;
}

static int
check_variable(const char *name, const char *conversion, void *arg)
{
	struct reader *rd = arg;
	const char *channel = rd->optional ? NULL : channel_without(rd, name);

	(void)conversion;
	if (!profile_is_builtin(name) && !is_known(rd, name))
		reader_fault(rd, "${%s} is not a variable of this profile", name);
	if (channel)
		reader_fault(rd, "the channel %s does not set ${%s}; add it to /channels/%s/set",
		    channel, name, channel);
	if (!strcmp(name, "code") && !rd->has_code)
		reader_fault(rd, "${code} has no value at this point");
	return 0;
}

static int
check_early(const char *name, const char *conversion, void *arg)
{
	static const char *const late[] = {"dest", "message", "code"};
	struct reader *rd = arg;
	bool known = profile_is_builtin(name);

	(void)conversion;
	for (size_t i = 0; i < sizeof(late) / sizeof(*late); i++)
		known &= strcmp(name, late[i]) != 0;
	if (!known)
		reader_fault(rd,
		    "${%s} has no value at this point; expected a variable of the user, host, "
		    "service or contact",
		    name);
	return 0;
}

void
reader_early_template(struct reader *rd, const char *text)
{
	const char *why;

	if (text && template_scan(text, check_early, rd, &why))
		reader_fault(rd, "%s", why);
}

void
reader_template(struct reader *rd, const char *text)
{
	const char *why;

	if (text && template_scan(text, check_variable, rd, &why))
		reader_fault(rd, "%s", why);
}

void
reader_pairs(struct reader *rd, json_t *object, const char *key, struct pairs *out)
{
	json_t *of = json_object_get(object, key), *value;
	size_t before = reader_down(rd, key), inner;
	const char *name;

	if (of && !json_is_object(of))
		reader_fault(rd, "expected an object of strings");
	out->item = calloc(json_object_size(of) + 1, sizeof(*out->item));
	if (!out->item)
		reader_fault(rd, "out of memory");
	json_object_foreach (out->item ? of : NULL, name, value) {
		struct pair *p = &out->item[out->n++];
		size_t len = strlen(name);

		inner = reader_down(rd, name);
		p->optional = len > 1 && name[len - 1] == '?';
		p->name = strndup(name, len - (p->optional ? 1 : 0));
		p->value = reader_copy(rd, value);
		if (!p->name || !*p->name)
			reader_fault(rd, "expected a name that is not empty");
		reader_up(rd, inner);
	}
	reader_up(rd, before);
}

void
reader_check_pairs(struct reader *rd, const char *key, const struct pairs *pairs)
{
	size_t before = reader_down(rd, key);

	for (size_t i = 0; i < pairs->n; i++) {
		size_t inner = reader_down(rd, pairs->item[i].name);

		rd->optional = pairs->item[i].optional;
		reader_template(rd, pairs->item[i].value);
		rd->optional = false;
		reader_up(rd, inner);
	}
	reader_up(rd, before);
}
