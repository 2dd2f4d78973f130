#include "helpers/conf/sections.h"

#include <stdlib.h>
#include <string.h>

#include "common/err.h"

struct conf_section *
conf_sections_find(const struct conf_sections *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->item[i].name, name))
			return &s->item[i];
	return NULL;
}

struct conf_setting *
conf_section_get(const struct conf_section *s, const char *key)
{
	for (size_t i = 0; s && i < s->nsettings; i++)
		if (!strcmp(s->setting[i].key, key))
			return &s->setting[i];
	return NULL;
}

static void
setting_free(struct conf_setting *s)
{
	free(s->key);
	free(s->value);
	free(s->file);
}

void
conf_sections_free(struct conf_sections *s)
{
	for (size_t i = 0; i < s->n; i++) {
		for (size_t j = 0; j < s->item[i].nsettings; j++)
			setting_free(&s->item[i].setting[j]);
		free(s->item[i].setting);
		free(s->item[i].name);
		free(s->item[i].file);
	}
	free(s->item);
	*s = (struct conf_sections){0};
}

struct conf_section *
conf_sections_get(struct conf_sections *s, const char *name, const char *file, unsigned line)
{
	struct conf_section *found = conf_sections_find(s, name), *grown;
	struct conf_section new = {.line = line};

	if (found)
		return found;
	grown = reallocarray(s->item, s->n + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	s->item = grown;
	new.name = strdup(name);
	new.file = strdup(file);
	if (!new.name || !new.file) {
		free(new.name);
		free(new.file);
		return NULL;
	}
	grown[s->n] = new;
	return &grown[s->n++];
}

int
conf_setting_put(
    struct conf_section *s, const char *key, const char *value, const char *file, unsigned line)
{
	struct conf_setting *old = conf_section_get(s, key), *grown;
	struct conf_setting new = {
	    .key = strdup(key), .value = strdup(value), .file = strdup(file), .line = line};

	if (!new.key || !new.value || !new.file) {
		setting_free(&new);
		return -OTP_ENOMEM;
	}
	if (old) {
		setting_free(old);
		*old = new;
		return 0;
	}
	grown = reallocarray(s->setting, s->nsettings + 1, sizeof(*grown));
	if (!grown) {
		setting_free(&new);
		return -OTP_ENOMEM;
	}
	s->setting = grown;
	grown[s->nsettings++] = new;
	return 0;
}
