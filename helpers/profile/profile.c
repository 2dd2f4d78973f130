#include "helpers/profile/profile.h"

#include <stdlib.h>
#include <string.h>

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

/* The variables of every profile, see pam_otp-provider(5). */
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
	/* An attribute of the user. Which attributes a user has is known only at the sign-in. */
	if (!strncmp(name, "attr.", 5) && name[5])
		return true;
	for (size_t i = 0; i < COUNT(builtins); i++)
		if (!strcmp(builtins[i], name))
			return true;
	return false;
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
	if (p->token) {
		free_request(&p->token->request);
		free(p->token->key);
	}
	free(p->token);
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
