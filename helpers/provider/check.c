/*
 * Checks the settings of a provider's section. Whatever makes each request of the provider fail is
 * an error here, so that a sign-in and `otpctl config check` refuse the same configurations.
 */
#include "helpers/provider/internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "helpers/http/url.h"
#include "helpers/provider/render.h"

/* --- ca and proxy ---------------------------------------------------------------------------- */

/* True if the file's name is a hash, as `openssl rehash` makes it: "5ed36f99.0". */
static bool
is_hash(const char *name)
{
	for (int i = 0; i < 8; i++)
		if (!isxdigit((unsigned char)name[i]))
			return false;
	return name[8] == '.' && isdigit((unsigned char)name[9]);
}

/* 0 if the folder has a certificate that OpenSSL can find; or -1 with errno, 0 if there is none. */
static int
look_for_hash(const char *path)
{
	DIR *d = opendir(path);
	int found = -1;

	if (!d)
		return -1;
	errno = 0;
	for (struct dirent *e; found && (e = readdir(d));)
		if (is_hash(e->d_name))
			found = 0;
	(void)closedir(d);
	return found;
}

/* Counts the certificates of a PEM file. -1: it cannot be opened, or one of them is malformed. */
static int
count_certificates(const char *path)
{
	BIO *in = BIO_new_file(path, "re");
	STACK_OF(X509_INFO) *all = in ? PEM_X509_INFO_read_bio(in, NULL, NULL, NULL) : NULL;
	int n = all ? 0 : -1;

	for (int i = 0; all && i < sk_X509_INFO_num(all); i++)
		n += sk_X509_INFO_value(all, i)->x509 != NULL;
	sk_X509_INFO_pop_free(all, X509_INFO_free);
	BIO_free(in);
	ERR_clear_error();
	return n;
}

static int
judge_ca(const struct provider *p, struct conf_report *report)
{
	const char *ca = p->section->ca;
	struct stat st;

	if (access(ca, R_OK) || stat(ca, &st))
		return provider_fault(
		    p, "ca", report, "%s cannot be read: %s", ca, strerror(errno));
	if (S_ISDIR(st.st_mode)) {
		if (strchr(ca, ':'))
			return provider_fault(p, "ca", report,
			    "the name of a folder of certificates must not have a ':'");
		if (look_for_hash(ca))
			return provider_fault(p, "ca", report,
			    "no certificate can be found in the folder %s; expected names such as "
			    "5ed36f99.0; run: openssl rehash %s",
			    ca, ca);
		return 0;
	}
	if (!S_ISREG(st.st_mode) || count_certificates(ca) < 1)
		return provider_fault(p, "ca", report,
		    "%s has no certificate, or a malformed one; expected a file in PEM format, "
		    "with -----BEGIN CERTIFICATE-----, or a folder",
		    ca);
	return 0;
}

int
provider_judge_route(const struct provider *p, struct conf_report *report)
{
	const struct profile *f = p->profile;
	bool mails = f->send.mail.n || (f->resend && f->resend->mail.n);
	int r = p->section->ca ? judge_ca(p, report) : 0;

	if (p->section->proxy && mails)
		return provider_fault(
		    p, "proxy", report, "a mail cannot be sent through a proxy; remove this key");
	return r;
}

/* --- URLs ------------------------------------------------------------------------------------ */

/* The setting or default of a variable, as a template. */
static const char *
text_of(const struct provider *p, const char *name)
{
	const struct conf_setting *s = provider_setting(p->section, name);
	const struct profile_var *v = profile_var(p->profile, name);

	return s ? s->value : v ? v->value : "";
}

static int
not_of_this_machine(const char *name, const char *conversion, void *arg)
{
	(void)arg;
	return *conversion || strcmp(name, "host") != 0;
}

/* The variables of a URL's origin, and the first that lets a user choose the server. */
struct origin {
	const struct provider *p;
	char first[TEMPLATE_NAME_MAX]; /* the first variable, or "" */
	char bad[TEMPLATE_NAME_MAX];
	struct bindings *b;
	int r;
};

static int
bind_origin(const char *name, const char *conversion, void *arg)
{
	struct origin *o = arg;
	const char *why, *text = text_of(o->p, name);

	(void)conversion;
	if (!*o->first)
		(void)snprintf(o->first, sizeof(o->first), "%s", name);
	if (template_scan(text, not_of_this_machine, NULL, &why))
		(void)snprintf(o->bad, sizeof(o->bad), "%s", name);
	else if (!o->r)
		o->r = bindings_render(o->b, name, text);
	return 0;
}

/* Reports why no request can go to the request's URL, as far as the configuration decides it. */
static int
judge_url(const struct provider *p, const struct named_request *n, struct bindings *b,
    struct conf_report *report)
{
	const struct request *q = n->request;
	bool by_variable = !strncmp(q->url, "${", 2);
	const char *from = by_variable ? strchr(q->url, '}') : strstr(q->url, "://") + 3, *why;
	_auto_free char *text = strndup(q->url, (size_t)(from - q->url) + strcspn(from, "/?#"));
	_auto_buf struct buf url = BUF_INIT(HTTP_URL_MAX);
	struct origin o = {.p = p, .b = b, .r = text ? 0 : -OTP_ENOMEM};
	struct url read;

	if (text)
		(void)template_scan(text, bind_origin, &o, &why);
	if (*o.bad)
		return provider_fault(p, o.bad, report,
		    "no variable but ${host} may choose the server to which codes go");
	if (!o.r)
		o.r = template_render(text, PLACE_URL, &b->values, &url);
	if (o.r == -OTP_ENOMEM)
		return o.r;
	why = o.r ? "a value that no URL can have"
		  : url_read(buf_str(&url), url_use_of(q->mail.n, p->section->proxy), &read);
	if (why && *o.first)
		return provider_fault(p, o.first, report, "%s", why);
	if (why)
		conf_error(report, p->profile->file, 0, "/%s/url: %s", n->name, why);
	return why ? -OTP_ECONF : 0;
}

/* --- values ---------------------------------------------------------------------------------- */

/* Reports settings that are no number or boolean where the request needs one. */
static int
judge_json(const struct provider *p, json_t *value, bool optional, struct conf_report *report)
{
	char name[TEMPLATE_NAME_MAX];
	const char *conversion, *key, *text;
	json_t *item;
	size_t i;
	int r = 0;

	if (json_is_string(value) &&
	    template_typed(json_string_value(value), name, sizeof(name), &conversion) &&
	    profile_var(p->profile, name)) {
		text = text_of(p, name);
		if (!strstr(text, "${") && !(optional && !*text) && !render_fits(conversion, text))
			return provider_fault(p, name, report, "expected %s",
			    !strcmp(conversion, "bool") ? "true or false"
							: "a number of 1 to 18 digits");
	}
	json_object_foreach (value, key, item) {
		int e = judge_json(p, item, *key && key[strlen(key) - 1] == '?', report);

		r = r ? r : e;
	}
	json_array_foreach (value, i, item) {
		int e = judge_json(p, item, false, report);

		r = r ? r : e;
	}
	return r;
}

/* The variables of the configuration in a login, with and without a value. */
struct login_use {
	const struct provider *p;
	char with[TEMPLATE_NAME_MAX], without[TEMPLATE_NAME_MAX];
};

static int
note_login(const char *name, const char *conversion, void *arg)
{
	struct login_use *u = arg;

	(void)conversion;
	if (profile_var(u->p->profile, name))
		(void)snprintf(
		    provider_has(u->p, name) ? u->with : u->without, TEMPLATE_NAME_MAX, "%s", name);
	return 0;
}

/* Reports a login without a password, which would be left out, and the other way round. */
static int
judge_login(const struct provider *p, const struct request *q, struct conf_report *report)
{
	struct login_use u = {.p = p};
	const char *why;

	if (!q->login_optional)
		return 0;
	(void)template_scan(q->login, note_login, &u, &why);
	(void)template_scan(q->password, note_login, &u, &why);
	if (!*u.with || !*u.without)
		return 0;
	return provider_fault(p, u.without, report,
	    "is missing, and %s is set; expected both, or neither for no login", u.with);
}

int
provider_judge_requests(const struct provider *p, struct conf_report *report)
{
	struct named_request all[PROVIDER_REQUESTS];
	struct utsname host;
	struct bindings b;
	int r;

	bindings_init(&b);
	r = bindings_set(&b, "host", uname(&host) ? "" : host.nodename);
	provider_requests(p, all);
	for (size_t i = 0; !r && i < PROVIDER_REQUESTS; i++) {
		const struct request *q = all[i].request;

		if (!q)
			continue;
		r = judge_url(p, &all[i], &b, report);
		r = r ? r : judge_login(p, q, report);
		r = r ? r : judge_json(p, q->json, false, report);
	}
	bindings_clear(&b);
	return r;
}
