/* What a provider's section and profile say, for all that makes requests of them. */
#include "helpers/provider/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "helpers/conf/parse.h"

enum { FAULT_MAX = 512 };

int
provider_fault(
    const struct provider *p, const char *key, struct conf_report *report, const char *fmt, ...)
{
	char section[sizeof("provider ") + CONF_NAME_MAX], what[FAULT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	(void)snprintf(section, sizeof(section), "provider %s", p->section->name);
	conf_error_at(report, p->conf, section, key, "%s", what);
	return -OTP_ECONF;
}

void
provider_requests(const struct provider *p, struct named_request out[static PROVIDER_REQUESTS])
{
	const struct profile *f = p->profile;
	const struct named_request all[PROVIDER_REQUESTS] = {
	    {"session/request", f->token ? &f->token->request : NULL},
	    {"send", &f->send},
	    {"resend", f->resend},
	    {"verify", f->verify},
	    {"cleanup", f->cleanup},
	    {"warm", f->warm},
	};

	memcpy(out, all, sizeof(all));
}

const char *
provider_name(const struct provider *p)
{
	return p->section->name;
}

const struct profile *
provider_profile(const struct provider *p)
{
	return p->profile;
}

enum contact_kind
provider_needs(const struct provider *p, const char *channel)
{
	return profile_channel(p->profile, channel)->needs;
}

const struct conf_setting *
provider_setting(const struct conf_provider *section, const char *key)
{
	for (size_t i = 0; i < section->nvars; i++)
		if (!strcmp(section->vars[i].key, key))
			return &section->vars[i];
	return NULL;
}

bool
provider_has(const struct provider *p, const char *name)
{
	const struct conf_setting *s = provider_setting(p->section, name);
	const struct profile_var *v = profile_var(p->profile, name);

	return s ? *s->value : v && *v->value;
}

const char *
provider_message(const struct provider *p, const char *message)
{
	return message && *message ? message : p->profile->message;
}
