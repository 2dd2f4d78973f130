#include "helpers/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "common/trust.h"
#include "helpers/json.h"
#include "helpers/profile_read.h"

enum { PROFILE_MAX = 256 * 1024 };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const class_names[] = {
    [CLASS_OK] = "ok",
    [CLASS_WRONG_CODE] = "wrong_code",
    [CLASS_EXPIRED] = "expired",
    [CLASS_TOO_MANY] = "too_many",
    [CLASS_RATE_LIMITED] = "rate_limited",
    [CLASS_BAD_CREDENTIALS] = "bad_credentials",
    [CLASS_BAD_DESTINATION] = "bad_destination",
    [CLASS_NO_CREDIT] = "no_credit",
    [CLASS_ACTION_NEEDED] = "action_needed",
    [CLASS_PROVIDER_DOWN] = "provider_down",
    [CLASS_UNANSWERED] = "unanswered",
    [CLASS_REFUSED] = "refused",
    [CLASS_BROKEN] = "broken",
};

/* Known in every template. `code` is there when we make it. */
static const char *const builtins[] = {"user", "host", "service", "channel", "dest", "code",
    "ttl_min", "ttl_sec", "code_length", "message", "phone", "phone.digits", "phone.cc",
    "phone.pluscc", "phone.national", "phone.masked", "email", "email.masked"};

const char *
provider_class_name(enum provider_class c)
{
	return class_names[c];
}

bool
status_listed(const int *list, size_t n, long status)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == (list[i] < 10 ? status / 100 : status))
			return true;
	return false;
}

bool
profile_is_builtin(const char *name)
{
	/* A user's attribute for this provider: whether there is one shows at the sign-in. */
	if (!strncmp(name, "attr.", 5) && name[5])
		return true;
	for (size_t i = 0; i < COUNT(builtins); i++)
		if (!strcmp(builtins[i], name))
			return true;
	return false;
}

/* The file's text from the first folder that has it. */
static int
find_file(const char *name, const struct strlist *folders, uid_t also, char **file,
    struct secret *text, struct buf *report)
{
	int r = -OTP_ENOENT;

	for (size_t i = 0; r == -OTP_ENOENT && i < folders->n; i++) {
		free(take(file));
		if (asprintf(file, "%s/%s.json", folders->item[i], name) < 0) {
			*file = NULL;
			return -OTP_ENOMEM;
		}
		r = trust_read(*file, also, TRUST_PUBLIC, PROFILE_MAX, text);
	}
	if (r == -OTP_ENOENT)
		buf_putf(report, "profile %s: no %s.json in the folders of [paths] profiles\n",
		    name, name);
	else if (r)
		buf_putf(report,
		    "%s: %s: expected a regular file, owned by root, writable by "
		    "nobody else\n",
		    *file, otp_strerror(r));
	return r ? -OTP_ECONF : 0;
}

static int
apply_variant(struct reader *rd, json_t *root, const char *variant)
{
	json_t *variants = json_object_get(root, "variants");
	/* Held, for a patch may change `variants` too. */
	_auto_json json_t *patch = variant ? json_incref(json_object_get(variants, variant)) : NULL;

	if (variants && !json_is_object(variants))
		reader_fault(rd, "/variants: expected an object");
	else if (variant && !json_is_object(patch))
		reader_fault(rd, "there is no variant \"%s\"", variant);
	else if (patch && json_merge_patch(root, patch))
		return -OTP_ENOMEM;
	return rd->failed ? -OTP_ECONF : 0;
}

int
profile_load(const char *name, const char *variant, const struct strlist *folders, uid_t also,
    struct profile **out, struct buf *report)
{
	_auto_secret struct secret text = {0};
	_auto_json json_t *root = NULL;
	struct profile *p = calloc(1, sizeof(*p));
	struct reader rd = {.report = report, .p = p};
	char why[128];
	int r = p ? find_file(name, folders, also, &p->file, &text, report) : -OTP_ENOMEM;

	if (r)
		goto out;
	rd.file = p->file;
	if (json_read(secret_str(&text), text.len, &root, why, sizeof(why))) {
		buf_putf(report, "%s: %s\n", p->file, why);
		r = -OTP_ECONF;
		goto out;
	}
	r = apply_variant(&rd, root, variant);
	if (!r)
		profile_read(&rd, root);
	if (!r && rd.failed)
		r = -OTP_ECONF;
out:
	if (r)
		profile_free(p);
	else
		*out = p;
	return r;
}

static void
free_pairs(struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->n; i++) {
		free(pairs->item[i].name);
		free(pairs->item[i].value);
	}
	free(pairs->item);
}

static void
free_expect(struct expect *e)
{
	for (size_t i = 0; i < e->nchecks; i++) {
		free(e->check[i].pointer);
		json_decref(e->check[i].value);
		if (e->check[i].text)
			regfree(e->check[i].text);
		free(e->check[i].text);
	}
	free(e->check);
}

static void
free_request(struct request *q)
{
	free(q->method);
	free(q->url);
	free_pairs(&q->headers);
	free_pairs(&q->query);
	json_decref(q->json);
	free_pairs(&q->form);
	free_pairs(&q->mail);
	free(q->text);
	free(q->login);
	free(q->password);
	free_expect(&q->expect);
	for (size_t i = 0; i < q->ncaptures; i++) {
		free(q->capture[i].name);
		free(q->capture[i].where);
	}
	free(q->capture);
	for (size_t i = 0; i < q->nfails; i++)
		free_expect(&q->fail[i].when);
	free(q->fail);
}

static void
free_own_request(struct request *q)
{
	if (q)
		free_request(q);
	free(q);
}

void
profile_free(struct profile *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->nvars; i++) {
		free(p->var[i].name);
		free(p->var[i].value);
	}
	free(p->var);
	for (size_t i = 0; i < p->nchannels; i++) {
		free(p->channel[i].name);
		free(p->channel[i].dest);
		free_pairs(&p->channel[i].set);
	}
	free(p->channel);
	if (p->session) {
		free_request(&p->session->request);
		free(p->session->key);
	}
	free(p->session);
	free_request(&p->send);
	free_own_request(p->resend);
	free_own_request(p->verify);
	free_own_request(p->cleanup);
	free_own_request(p->warm);
	free(p->warning);
	free(p->code_pointer);
	free(p->code_echo);
	free(p->file);
	free(p->title);
	free(p->message);
	free(p->placeholder);
	free(p);
}

const struct pair *
pairs_find(const struct pairs *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (!strcmp(pairs->item[i].name, name))
			return &pairs->item[i];
	return NULL;
}

const struct profile_channel *
profile_channel(const struct profile *p, const char *name)
{
	for (size_t i = 0; i < p->nchannels; i++)
		if (!strcmp(p->channel[i].name, name))
			return &p->channel[i];
	return NULL;
}

const struct profile_var *
profile_var(const struct profile *p, const char *name)
{
	for (size_t i = 0; i < p->nvars; i++)
		if (!strcmp(p->var[i].name, name))
			return &p->var[i];
	return NULL;
}
