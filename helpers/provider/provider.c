#include "helpers/provider/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/buf.h"
#include "common/trust.h"
#include "helpers/base/typed.h"
#include "helpers/conf/parse.h"
#include "helpers/template/template.h"

enum { PROVIDER_SECRET_MAX = 4096, CHANNELS_TEXT_MAX = 512 };

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
	if (!out->len || r)
		return -OTP_EINVAL;
	*why = "expected a file whose text has no byte order mark, and no blank or invisible "
	       "character at its beginning or end";
	return typed_has_edge(secret_str(out)) ? -OTP_EINVAL : 0;
}

static int
load_secret(struct provider *p, size_t i, uid_t second_owner, enum provider_secrets secrets,
    struct conf_report *report)
{
	const struct profile_var *v = &p->profile->var[i];
	const struct conf_setting *s = provider_setting(p->section, v->name);
	bool by_systemd = s && !strncmp(s->value, "cred:", 5);
	const char *why;
	char path[4096];
	int r;

	if (!s || !*s->value)
		return 0;
	if (by_systemd && secrets == PROVIDER_READ_FILES)
		conf_warn(report, s->file, s->line,
		    "[provider %s] %s: cred: works only where systemd starts the helper, so the "
		    "secret was not read",
		    p->section->name, v->name);
	if (secrets == PROVIDER_READ_SECRETS || (secrets == PROVIDER_READ_FILES && !by_systemd))
		r = secret_read(s->value, second_owner, &p->secret[i], &why);
	else if (by_systemd)
		r = 0;
	else
		r = secret_path(s->value, path, sizeof(path), &why);
	if (r)
		provider_fault(p, v->name, report, "%s", why);
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
		provider_fault(p, s->key, report, "%s", what);
		r = -OTP_ECONF;
	}
	for (size_t i = 0; i < f->nvars; i++) {
		const struct conf_setting *s = provider_setting(p->section, f->var[i].name);

		if (!f->var[i].required || (s && *s->value))
			continue;
		provider_fault(p, f->var[i].name, report,
		    "the profile %s requires this setting; add a line %s = VALUE",
		    p->section->profile, f->var[i].name);
		r = -OTP_ECONF;
	}
	return r;
}

/* Checks all that the section says. Each error is reported, not only the first. */
static int
judge_all(struct provider *p, uid_t second_owner, enum provider_secrets secrets,
    struct conf_report *report)
{
	int r = provider_judge_route(p, report), e = 0;

	p->secret = calloc(p->profile->nvars + 1, sizeof(*p->secret));
	if (!p->secret)
		return -OTP_ENOMEM;
	e = judge_settings(p, report);
	for (size_t i = 0; i < p->profile->nvars; i++)
		if (p->profile->var[i].secret && load_secret(p, i, second_owner, secrets, report))
			e = -OTP_ECONF;
	/* What is missing was reported: a request without it is no second error. */
	e = e ? e : provider_judge_requests(p, report);
	return r ? r : e;
}

static int
report_no_profile(const struct provider *p, struct conf_report *report)
{
	const char *name = p->section->profile;
	char dst[CONF_NAME_MAX + 1];
	const char *near = profile_suggest(name, &p->conf->paths.profiles, dst, sizeof(dst));

	return provider_fault(p, "profile", report,
	    "there is no %s.json in any folder of [paths] profiles%s%s%s", name,
	    near ? "; did you mean profile = " : "", near ? near : "", near ? "?" : "");
}

int
provider_load(const struct conf *c, const struct conf_provider *section, uid_t second_owner,
    enum provider_secrets secrets, struct provider **out, struct conf_report *report)
{
	struct provider *p = calloc(1, sizeof(*p));
	int r = p ? 0 : -OTP_ENOMEM;

	if (!r) {
		p->conf = c;
		p->section = section;
		r = profile_load(section->profile, section->variant, &c->paths.profiles,
		    second_owner, &p->profile, report);
	}
	if (r == -OTP_ENOENT)
		r = report_no_profile(p, report);
	if (!r)
		r = judge_all(p, second_owner, secrets, report);
	if (!r && *p->profile->warning)
		conf_warn(report, section->file, section->line, "[provider %s] %s", section->name,
		    p->profile->warning);
	/* At each sign-in, the log would repeat what config check says. */
	if (!r && secrets != PROVIDER_READ_SECRETS)
		provider_warn_of_identity(p, report);
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

/* Reports the channels that the profile has instead of the one that is asked for. */
static int
no_such_channel(
    const struct provider *p, const char *where, const char *channel, struct conf_report *report)
{
	const struct profile *f = p->profile;
	_auto_buf struct buf all = BUF_INIT(CHANNELS_TEXT_MAX);
	const char *text;

	for (size_t i = 0; i < f->nchannels; i++)
		buf_putf(&all, "%s%s", i ? ", " : "", f->channel[i].name);
	text = buf_str(&all);
	conf_error_at(report, p->conf, where, "providers",
	    "the profile %s of [provider %s] has no channel %s; it has: %s", p->section->profile,
	    provider_name(p), channel, text ? text : "");
	return -OTP_ECONF;
}

int
provider_check_channel(
    const struct provider *p, const char *channel, const char *message, struct conf_report *report)
{
	char where[sizeof("channel ") + CONF_NAME_MAX];
	struct message_use use = {0};
	const char *why = "";

	(void)snprintf(where, sizeof(where), "channel %s", channel);
	if (!profile_channel(p->profile, channel))
		return no_such_channel(p, where, channel, report);
	if (template_scan(provider_message(p, message), note_use, &use, &why))
		conf_error_at(report, p->conf, where, "message", "%s", why);
	else if (use.unknown)
		conf_error_at(report, p->conf, where, "message",
		    "${%s} is not a variable of messages", use.unknown);
	else if (!use.code && provider_takes_message(p))
		conf_error_at(report, p->conf, where, "message",
		    "expected ${code} in it; without it, a message without a code would be sent");
	else
		return provider_rehearse(p, channel, message, report);
	return -OTP_ECONF;
}

bool
provider_takes_message(const struct provider *p)
{
	return p->profile->code_by != CODE_BY_PROVIDER;
}

int
provider_no_message(const struct conf *c, const char *channel, struct conf_report *report)
{
	char where[sizeof("channel ") + CONF_NAME_MAX];

	(void)snprintf(where, sizeof(where), "channel %s", channel);
	conf_error_at(report, c, where, "message",
	    "all its providers write their own text, so this one would not be sent; remove it");
	return -OTP_ECONF;
}
