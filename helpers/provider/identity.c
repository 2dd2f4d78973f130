/* The identity of an address at a provider: what the send request says of it, at its host. */
#include "helpers/provider/internal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/conf/report.h"
#include "helpers/http/url.h"

enum { URL_TEXT_MAX = 8192 };

/* 1 if the variable has the country's calling code in it, for template_scan(). */
static int
has_country(const char *name, const char *conversion, void *arg)
{
	static const char *const with[] = {"phone", "phone.digits", "phone.cc", "phone.pluscc"};

	(void)conversion, (void)arg;
	for (size_t i = 0; i < sizeof(with) / sizeof(*with); i++)
		if (!strcmp(name, with[i]))
			return 1;
	return 0;
}

static bool
text_names_country(const char *text)
{
	const char *why;

	return text && template_scan(text, has_country, NULL, &why) == 1;
}

static bool
pairs_name_country(const struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (text_names_country(pairs->item[i].value))
			return true;
	return false;
}

static bool
json_names_country(json_t *value)
{
	const char *key;
	json_t *item;
	bool found = json_is_string(value) && text_names_country(json_string_value(value));
	size_t i;

	json_object_foreach (value, key, item)
		found |= json_names_country(item);
	json_array_foreach (value, i, item)
		found |= json_names_country(item);
	return found;
}

/*
 * True if the request names the country by itself, or by a variable of the channel or the section.
 */
static bool
request_names_country(const struct provider *p, const struct profile_channel *c)
{
	const struct request *q = &p->profile->send;

	if (text_names_country(c->dest) || text_names_country(q->url) ||
	    text_names_country(q->text) || pairs_name_country(&q->headers) ||
	    pairs_name_country(&q->query) || pairs_name_country(&q->form) ||
	    pairs_name_country(&q->mail) || json_names_country(q->json) ||
	    pairs_name_country(&c->set))
		return true;
	for (size_t i = 0; i < p->profile->nvars; i++) {
		const struct profile_var *v = &p->profile->var[i];
		const struct conf_setting *s = provider_setting(p->section, v->name);

		if (!v->secret && text_names_country(s ? s->value : v->value))
			return true;
	}
	return false;
}

bool
provider_drops_country(const struct provider *p, const char *channel)
{
	const struct profile_channel *c = profile_channel(p->profile, channel);

	return c && c->needs == CONTACT_PHONE && !request_names_country(p, c);
}

/* Returns how many digits of a prefix such as +97798 are its calling code, or 0 if it is shorter.
 */
static size_t
country_of(const char *prefix)
{
	char number[16];
	size_t len = strlen(prefix + 1), code;

	/* One number that begins so is enough: no calling code is the beginning of another. */
	(void)snprintf(number, sizeof(number), "%s%s", prefix + 1, len < 8 ? "00000000" : "");
	code = text_calling_code(number);
	return code <= len ? code : 0;
}

/* True if `prefixes` allows the numbers of one country alone. */
static bool
one_country(const struct strlist *prefixes)
{
	size_t first = prefixes->n ? country_of(prefixes->item[0]) : 0;

	for (size_t i = 1; i < prefixes->n; i++)
		if (country_of(prefixes->item[i]) != first ||
		    strncmp(prefixes->item[i], prefixes->item[0], first + 1) != 0)
			return false;
	return first > 0;
}

void
provider_warn_of_identity(const struct provider *p, struct conf_report *report)
{
	const struct profile *f = p->profile;

	if (f->bound_to == BOUND_TO_ADDRESS)
		conf_warn(report, p->section->file, p->section->line,
		    "[provider %s] it ties a code to the address alone: a code that another "
		    "machine sent to the same address through this account signs in here, too",
		    p->section->name);
	for (size_t i = 0; i < f->nchannels; i++)
		if (provider_drops_country(p, f->channel[i].name) &&
		    !one_country(&p->conf->limits.prefixes)) {
			conf_warn(report, p->section->file, p->section->line,
			    "[provider %s] it is told numbers without their country, so a message "
			    "may go to a stranger; allow one country, with a line in [limits] "
			    "such as: prefixes = +977",
			    p->section->name);
			break;
		}
}

/* Writes the host that the send request goes to, or "" if it is known only later. */
static void
host_of(const struct provider *p, const struct bindings *b, char *dst, size_t size)
{
	_auto_buf struct buf url = BUF_INIT(URL_TEXT_MAX);
	enum url_use use = url_use_of(p->profile->send.mail.n, p->section->proxy);
	struct url u;

	*dst = '\0';
	if (!template_render(p->profile->send.url, PLACE_URL, &b->values, &url) && buf_str(&url) &&
	    !url_read(buf_str(&url), use, &u))
		(void)snprintf(dst, size, "%s", u.host);
}

int
provider_identity(
    const struct provider *p, const struct sending *q, char dst[static IDENTITY_MAX + 1])
{
	struct bindings b;
	char host[sizeof(((struct url *)0)->host)];
	const char *dest;
	int r, n = 0;

	bindings_init(&b);
	r = provider_bind(p, q, &b);
	dest = r ? NULL : b.values.get(&b.values, "dest");
	if (!r && !dest)
		r = -OTP_ENOENT;
	if (!r) {
		host_of(p, &b, host, sizeof(host));
		/* With the country beside it, a national number means one number of the world. */
		if (q->contact->kind == CONTACT_PHONE && !provider_drops_country(p, q->channel))
			n = snprintf(dst, IDENTITY_MAX + 1, "%s %s", host, q->contact->address);
		else
			n = snprintf(dst, IDENTITY_MAX + 1, "%s %s", host, dest);
		r = n < 0 || n > IDENTITY_MAX ? -OTP_ETOOBIG : 0;
	}
	for (int i = 0; !r && i < n; i++)
		dst[i] = (char)tolower((unsigned char)dst[i]);
	bindings_clear(&b);
	return r;
}
