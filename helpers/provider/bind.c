/* Gives the variables of a provider's requests their values. */
#include "helpers/provider/internal.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/text.h"

static int
bind_phone(struct bindings *b, const char *phone)
{
	const char *digits = phone + 1; /* contacts hold E.164, with '+' */
	size_t cc = text_calling_code(digits);
	char masked[64];
	int r = cc ? bindings_set(b, "phone", phone) : -OTP_EINVAL;

	r = r ? r : bindings_set(b, "phone.digits", digits);
	r = r ? r : bindings_setf(b, "phone.cc", "%.*s", (int)cc, digits);
	r = r ? r : bindings_setf(b, "phone.pluscc", "+%.*s", (int)cc, digits);
	r = r ? r : bindings_set(b, "phone.national", digits + cc);
	return r ? r
		 : bindings_set(b, "phone.masked", text_mask_phone(masked, sizeof(masked), phone));
}

static int
bind_contact(struct bindings *b, const struct contact *c)
{
	char masked[64];
	int r;

	if (c->kind == CONTACT_PHONE)
		return bind_phone(b, c->address);
	r = bindings_set(b, "email", c->address);
	return r ? r
		 : bindings_set(
		       b, "email.masked", text_mask_email(masked, sizeof(masked), c->address));
}

int
provider_bind_settings(const struct provider *p, struct bindings *b, enum bind_how how)
{
	int r = 0;

	for (size_t i = 0; !r && i < p->profile->nvars; i++) {
		const struct profile_var *v = &p->profile->var[i];
		const struct conf_setting *s = provider_setting(p->section, v->name);

		/* A secret is not a template: it is sent as it is in its file. */
		if (v->secret)
			r = bindings_set(b, v->name, secret_str(&p->secret[i]));
		else
			r = bindings_render(b, v->name, s ? s->value : v->value);
		if (r == -OTP_ENOENT && how == BIND_KNOWN)
			r = 0;
	}
	return r;
}

/* The order matters: a template can use earlier variables only. */
int
provider_bind(const struct provider *p, const struct sending *q, struct bindings *b)
{
	const struct profile_channel *c = profile_channel(p->profile, q->channel);
	const char *placeholder = p->profile->placeholder;
	int r = bindings_set(b, "user", q->user);

	/* A built-in variable without a value is empty. */
	static const char *const forms[] = {"phone", "phone.digits", "phone.cc", "phone.pluscc",
	    "phone.national", "phone.masked", "email", "email.masked"};
	for (size_t i = 0; !r && i < sizeof(forms) / sizeof(*forms); i++)
		r = bindings_set(b, forms[i], "");
	r = r ? r : bindings_set(b, "host", q->host);
	r = r ? r : bindings_set(b, "service", q->service);
	r = r ? r : bindings_set(b, "channel", q->channel);
	r = r ? r : bindings_setf(b, "ttl_sec", "%lld", (long long)(q->ttl / 1000));
	r = r ? r : bindings_setf(b, "ttl_min", "%lld", (long long)(q->ttl + 59999) / 60000);
	r = r ? r : bind_contact(b, q->contact);
	r = r ? r : bindings_render(b, "dest", c->dest);
	/* In the message ${code} may be a placeholder, which the provider replaces by the code. */
	r = r ? r : bindings_setf(b, "code_length", "%d", q->code_length);
	r = r ? r : bindings_set(b, "code", placeholder ? placeholder : q->code);
	r = r ? r : bindings_render(b, "message", provider_message(p, q->message));
	r = r ? r : bindings_set(b, "code", q->code);
	r = r ? r : provider_bind_settings(p, b, BIND_ALL);
	for (size_t i = 0; !r && i < c->set.n; i++)
		r = bindings_render(b, c->set.item[i].name, c->set.item[i].value);
	return r;
}
