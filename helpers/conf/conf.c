#include "helpers/conf/conf.h"

#include <stdlib.h>
#include <string.h>

#include "helpers/conf/internal.h"
#include "helpers/conf/parse.h"

int
conf_section_kind(const struct conf_section *s, const char **rest)
{
	size_t len = strcspn(s->name, " ");

	*rest = s->name + len + (s->name[len] == ' ');
	for (int k = 0; k < CONF_NKINDS; k++)
		if (strlen(conf_kind_name(k)) == len && !strncmp(s->name, conf_kind_name(k), len))
			return k;
	return -1;
}

static void
provider_free(struct conf_provider *p)
{
	for (size_t i = 0; i < p->nvars; i++) {
		free(p->vars[i].key);
		free(p->vars[i].value);
		free(p->vars[i].file);
	}
	free(p->vars);
	free(p->name);
	free(p->file);
	conf_unset_all(CONF_PROVIDER, p);
}

static void
internal_free(struct conf_internal *in)
{
	for (size_t i = 0; i < in->nservices; i++) {
		strlist_free(&in->service[i].names);
		conf_unset_all(CONF_SERVICE, &in->service[i].signin);
	}
	free(in->service);
	conf_sections_free(&in->sections);
	free(in->path);
	free(in);
}

void
conf_free(struct conf *c)
{
	if (!c)
		return;
	conf_unset_all(CONF_OTP, &c->signin);
	conf_unset_all(CONF_LIMITS, &c->limits);
	conf_unset_all(CONF_PATHS, &c->paths);
	for (size_t i = 0; i < c->nchannels; i++) {
		free(c->channel[i].name);
		conf_unset_all(CONF_CHANNEL, &c->channel[i]);
	}
	for (size_t i = 0; i < c->nproviders; i++)
		provider_free(&c->provider[i]);
	for (size_t i = 0; i < c->nexempts; i++) {
		free(c->exempt[i].name);
		conf_unset_all(CONF_EXEMPT, &c->exempt[i]);
	}
	free(c->channel);
	free(c->provider);
	free(c->exempt);
	if (c->internal)
		internal_free(c->internal);
	free(c);
}

static const struct conf_service *
service_of(const struct conf *c, const char *service)
{
	for (size_t i = 0; service && i < c->internal->nservices; i++)
		if (strlist_has(&c->internal->service[i].names, service))
			return &c->internal->service[i];
	return NULL;
}

const struct conf_signin *
conf_signin_for(const struct conf *c, const char *service)
{
	const struct conf_service *s = service_of(c, service);

	return s ? &s->signin : &c->signin;
}

const struct conf_channel *
conf_channel(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->nchannels; i++)
		if (!strcmp(c->channel[i].name, name))
			return &c->channel[i];
	return NULL;
}

const struct conf_provider *
conf_provider(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->nproviders; i++)
		if (!strcmp(c->provider[i].name, name))
			return &c->provider[i];
	return NULL;
}
