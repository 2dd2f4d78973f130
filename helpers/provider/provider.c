#include "helpers/provider/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/trust.h"
#include "helpers/template/template.h"

enum { PROVIDER_SECRET_MAX = 4096 };

static void
fault_at(const struct conf_provider *section, const struct conf_setting *s, const char *key,
    const char *what, struct conf_report *report)
{
	conf_error(report, s ? s->file : section->file, s ? s->line : section->line,
	    "[provider %s] %s: %s", section->name, key, what);
}

/* The file that holds a secret, from "file:/PATH" or "cred:NAME". */
static int
secret_path(const char *value, char *path, size_t size, const char **why)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	int n;

	if (!strncmp(value, "file:/", 6)) {
		n = snprintf(path, size, "%s", value + 5);
	} else if (!strncmp(value, "cred:", 5)) {
		*why = "cred: works only if systemd starts the helper, through pam_otp.socket; "
		       "expected file:/PATH";
		if (!folder)
			return -OTP_ENOENT;
		*why = "expected cred:NAME, without '/'";
		if (!value[5] || strchr(value, '/') || value[5] == '.')
			return -OTP_EINVAL;
		n = snprintf(path, size, "%s/%s", folder, value + 5);
	} else {
		*why = "a secret must not stand in the configuration; expected file:/PATH or "
		       "cred:NAME";
		return -OTP_EINVAL;
	}
	*why = "the path is too long";
	return n < 0 || (size_t)n >= size ? -OTP_ETOOBIG : 0;
}

/* Reads a secret: one line of text, without its newline. */
static int
secret_read(const char *value, uid_t second_owner, struct secret *out, const char **why)
{
	char path[4096];
	int r = secret_path(value, path, sizeof(path), why);

	if (r)
		return r;
	r = trust_read(path, second_owner, TRUST_SECRET, PROVIDER_SECRET_MAX, out);
	*why = r == -OTP_EPERM ? "the file must be owned by root, writable by nobody else and not "
				 "readable by others; expected root:" OTP_USER " and mode 0640"
	       : r	       ? "the file cannot be read; expected root:" OTP_USER
		     " and mode 0640, in a folder that " OTP_USER " may enter"
		   : "";
	if (r)
		return r;
	if (out->len && out->bytes[out->len - 1] == '\n')
		out->bytes[--out->len] = '\0';
	for (size_t i = 0; i < out->len; i++)
		if ((unsigned char)out->bytes[i] < 0x20 || out->bytes[i] == 0x7f)
			r = -OTP_EINVAL;
	*why = "expected a file with one line of text";
	return out->len ? r : -OTP_EINVAL;
}

static int
load_secret(struct provider *p, size_t i, uid_t second_owner, enum provider_secrets secrets,
    struct conf_report *report)
{
	const struct profile_var *v = &p->profile->var[i];
	const struct conf_setting *s = provider_setting(p->section, v->name);
	const char *why;
	char path[4096];
	int r;

	if (!s || !*s->value)
		return 0;
	if (secrets == PROVIDER_READ_SECRETS)
		r = secret_read(s->value, second_owner, &p->secret[i], &why);
	else if (!strncmp(s->value, "cred:", 5))
		r = 0;
	else
		r = secret_path(s->value, path, sizeof(path), &why);
	if (r)
		fault_at(p->section, s, v->name, why, report);
	return r ? -OTP_ECONF : 0;
}

static int
judge_setting(const char *name, const char *conversion, void *arg)
{
	(void)conversion, (void)arg;
	return profile_is_builtin(name) ? 0 : 1;
}

/* Checks the section's settings against the profile's variables. */
static int
judge_settings(const struct provider *p, struct conf_report *report)
{
	const struct profile *f = p->profile;
	const char *known[64];
	size_t nknown = 0;
	int r = 0;

	for (size_t i = 0; i < f->nvars && nknown < 64; i++)
		known[nknown++] = f->var[i].name;
	for (size_t i = 0; i < p->section->nvars; i++) {
		const struct conf_setting *s = &p->section->vars[i];
		const char *near = conf_suggest(s->key, known, nknown), *why = "";
		char what[256];

		if (profile_var(f, s->key)) {
			if (!template_scan(s->value, judge_setting, NULL, &why))
				continue;
			(void)snprintf(what, sizeof(what), "%s",
			    *why ? why : "only built-in variables can be used in a setting");
		} else {
			(void)snprintf(what, sizeof(what),
			    "the profile %s has no such setting%s%s%s", p->section->profile,
			    near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
		}
		fault_at(p->section, s, s->key, what, report);
		r = -OTP_ECONF;
	}
	for (size_t i = 0; i < f->nvars; i++) {
		const struct conf_setting *s = provider_setting(p->section, f->var[i].name);

		if (!f->var[i].required || (s && *s->value))
			continue;
		fault_at(
		    p->section, s, f->var[i].name, "the profile requires this setting", report);
		r = -OTP_ECONF;
	}
	return r;
}

/* Checks the keys that say how the provider is reached. */
static int
judge_route(
    const struct conf_provider *section, const struct profile *f, struct conf_report *report)
{
	bool mails = f->send.mail.n || (f->resend && f->resend->mail.n);

	if (section->ca && access(section->ca, R_OK))
		conf_error(report, section->file, section->line,
		    "[provider %s] ca: %s cannot be read: %s", section->name, section->ca,
		    strerror(errno));
	else if (section->proxy && mails)
		conf_error(report, section->file, section->line,
		    "[provider %s] proxy: a mail cannot be sent through a proxy; remove this key",
		    section->name);
	else
		return 0;
	return -OTP_ECONF;
}

int
provider_load(const struct conf *c, const struct conf_provider *section, uid_t second_owner,
    enum provider_secrets secrets, struct provider **out, struct conf_report *report)
{
	struct provider *p = calloc(1, sizeof(*p));
	int r = p ? 0 : -OTP_ENOMEM;

	if (!r) {
		p->section = section;
		r = profile_load(section->profile, section->variant, &c->paths.profiles,
		    second_owner, &p->profile, report);
	}
	if (!r)
		r = judge_route(section, p->profile, report);
	if (!r) {
		p->secret = calloc(p->profile->nvars + 1, sizeof(*p->secret));
		r = p->secret ? judge_settings(p, report) : -OTP_ENOMEM;
	}
	for (size_t i = 0; !r && i < p->profile->nvars; i++)
		if (p->profile->var[i].secret)
			r = load_secret(p, i, second_owner, secrets, report);
	if (!r && *p->profile->warning)
		conf_warn(report, section->file, section->line, "[provider %s] %s", section->name,
		    p->profile->warning);
	if (r)
		provider_free(p);
	else
		*out = p;
	return r;
}

void
provider_free(struct provider *p)
{
	if (!p)
		return;
	for (size_t i = 0; p->secret && i < p->profile->nvars; i++)
		secret_clear(&p->secret[i]);
	free(p->secret);
	profile_free(p->profile);
	free(p);
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

const char *
provider_message(const struct provider *p, const char *message)
{
	return message && *message ? message : p->profile->message;
}

struct message_use {
	bool code;
	const char *unknown;
	char name[TEMPLATE_NAME_MAX];
};

static int
note_use(const char *name, const char *conversion, void *arg)
{
	struct message_use *u = arg;

	(void)conversion;
	if (!strcmp(name, "code"))
		u->code = true;
	if (!profile_is_builtin(name) || !strcmp(name, "message")) {
		(void)snprintf(u->name, sizeof(u->name), "%s", name);
		u->unknown = u->name;
	}
	return 0;
}

int
provider_check_channel(
    const struct provider *p, const char *channel, const char *message, struct conf_report *report)
{
	struct message_use use = {0};
	const char *why = "";

	if (!profile_channel(p->profile, channel)) {
		conf_error(report, NULL, 0,
		    "[channel %s] providers: the profile %s of [provider %s] has no channel %s",
		    channel, p->section->profile, provider_name(p), channel);
		return -OTP_ECONF;
	}
	if (template_scan(provider_message(p, message), note_use, &use, &why))
		conf_error(report, NULL, 0, "[channel %s] message: %s", channel, why);
	else if (use.unknown)
		conf_error(report, NULL, 0,
		    "[channel %s] message: ${%s} is not a variable of messages", channel,
		    use.unknown);
	else if (!use.code && provider_takes_message(p))
		conf_error(report, NULL, 0,
		    "[channel %s] message: expected ${code} in it; without it, a message without "
		    "a code would be sent",
		    channel);
	else
		return 0;
	return -OTP_ECONF;
}

bool
provider_takes_message(const struct provider *p)
{
	return p->profile->code_by != CODE_BY_PROVIDER;
}

int
provider_no_message(const char *channel, struct conf_report *report)
{
	conf_error(report, NULL, 0,
	    "[channel %s] message: all its providers write their own text, so this one would not "
	    "be sent; remove it",
	    channel);
	return -OTP_ECONF;
}
