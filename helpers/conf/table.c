#include "helpers/conf/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "helpers/base/hosts.h"
#include "helpers/conf/parse.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* The index of a word is its value in the enum of conf.h. */
static const char *const ask_first_words[] = {"auto", "always", "never", NULL};
static const char *const unregistered_words[] = {"deny", "skip", NULL};
static const char *const identity_words[] = {"target", "caller", NULL};
static const char *const require_verified_words[] = {"no", "yes", NULL};
static const char *const first_factor_words[] = {"check", "trust", NULL};
static const char *const fallback_words[] = {"no", "yes", NULL};

#define OTP(member)	 CONF_OTP, #member, offsetof(struct conf_signin, member)
#define LIMIT(member)	 CONF_LIMITS, #member, offsetof(struct conf_limits, member)
#define PATHS(member)	 CONF_PATHS, #member, offsetof(struct conf_paths, member)
#define CHANNEL(member)	 CONF_CHANNEL, #member, offsetof(struct conf_channel, member)
#define PROVIDER(member) CONF_PROVIDER, #member, offsetof(struct conf_provider, member)
#define EXEMPT(member)	 CONF_EXEMPT, #member, offsetof(struct conf_exempt, member)

#define OPTION_(kind_, key_, offset_, type_, def_, ...)                               \
	{                                                                             \
		.kind = (kind_), .key = (key_), .type = (type_), .offset = (offset_), \
		.def = (def_), ##__VA_ARGS__                                          \
	}
#define OPTION(...)	   OPTION_(__VA_ARGS__)
#define RANGE(least, most) .min = (least), .max = (most)

const struct conf_option conf_table[] = {
    OPTION(OTP(channels), CONF_NAMES, "sms", RANGE(1, 16)),
    OPTION(OTP(code_length), CONF_NUMBER, "6", RANGE(6, 10)),
    OPTION(OTP(code_ttl), CONF_DURATION, "5m", RANGE(30 * SECOND, 10 * MINUTE)),
    OPTION(OTP(tries), CONF_NUMBER, "3", RANGE(1, 5)),
    OPTION(OTP(ask_first), CONF_WORD, "auto", .words = ask_first_words),
    OPTION(OTP(interactive_services), CONF_SERVICES, HOSTS_INTERACTIVE, RANGE(0, 64)),
    OPTION(OTP(never_prompt_services), CONF_SERVICES, HOSTS_NEVER_PROMPT, RANGE(0, 64)),
    OPTION(OTP(unregistered), CONF_WORD, "deny", .words = unregistered_words),
    OPTION(OTP(require_verified), CONF_WORD, "no", .words = require_verified_words),
    OPTION(OTP(identity), CONF_WORD, "target", .words = identity_words),
    OPTION(OTP(first_factor), CONF_WORD, "check", .words = first_factor_words),
    OPTION(OTP(fallback), CONF_WORD, "yes", .words = fallback_words),
    OPTION(OTP(send_timeout), CONF_DURATION, "10s", RANGE(1 * SECOND, 60 * SECOND)),
    OPTION(OTP(attempt_timeout), CONF_DURATION, "4s", RANGE(SECOND / 2, 30 * SECOND)),
    OPTION(OTP(verify_timeout), CONF_DURATION, "8s", RANGE(1 * SECOND, 60 * SECOND)),
    OPTION(OTP(login_timeout), CONF_DURATION, "100s", RANGE(10 * SECOND, 300 * SECOND)),
    OPTION(OTP(remember), CONF_DURATION, "0s", RANGE(0, 1 * DAY)),

    OPTION(LIMIT(resend_wait), CONF_DURATION, "30s", RANGE(0, 10 * MINUTE)),
    OPTION(LIMIT(sends_per_user), CONF_WINDOWS, "5/15m, 20/1d", RANGE(1, 1000)),
    OPTION(LIMIT(sends_per_address), CONF_WINDOWS, "5/15m, 20/1d", RANGE(1, 1000)),
    OPTION(LIMIT(sends_per_client), CONF_WINDOWS, "60/1h", RANGE(1, 100000)),
    OPTION(LIMIT(sends_per_host), CONF_WINDOWS, "300/1h", RANGE(1, 1000000)),
    OPTION(LIMIT(messages_per_address), CONF_WINDOWS, "100/1h", RANGE(1, 100000)),
    OPTION(LIMIT(prefixes), CONF_PREFIXES, NULL, RANGE(1, 256)),
    OPTION(LIMIT(failures), CONF_NUMBER, "10", RANGE(1, CONF_FAILURES_MOST)),
    OPTION(LIMIT(backoff_first), CONF_DURATION, "30s", RANGE(1 * SECOND, 1 * HOUR)),
    OPTION(LIMIT(backoff_most), CONF_DURATION, "1h", RANGE(1 * SECOND, 1 * DAY)),

    OPTION(PATHS(contacts), CONF_PATH, OTP_CONTACTS),
    OPTION(PATHS(state), CONF_PATH, OTP_STATE),
    OPTION(PATHS(host_key), CONF_PATH, OTP_HOST_KEY),
    OPTION(PATHS(profiles), CONF_FOLDERS, OTP_PROFILES_ETC ", " OTP_PROFILES_DATA, RANGE(1, 16)),

    OPTION(CHANNEL(providers), CONF_NAMES, NULL, .required = true, RANGE(1, 16)),
    OPTION(CHANNEL(message), CONF_TEXT, "", RANGE(0, 1000)),

    OPTION(PROVIDER(profile), CONF_OWN_NAME, NULL),
    OPTION(PROVIDER(variant), CONF_NAME, NULL),
    OPTION(PROVIDER(ca), CONF_PATH, NULL),
    OPTION(PROVIDER(proxy), CONF_PROXY, NULL),
    OPTION(PROVIDER(low_credits), CONF_NUMBER, "50", RANGE(0, 1000000)),

    OPTION(EXEMPT(users), CONF_USERS, NULL, RANGE(1, CONF_LIST_MAX)),
    OPTION(EXEMPT(groups), CONF_GROUPS, NULL, RANGE(1, CONF_LIST_MAX)),
    OPTION_(CONF_EXEMPT, "networks", 0, CONF_NETWORKS, NULL, RANGE(1, CONF_LIST_MAX)),
    OPTION(EXEMPT(services), CONF_SERVICES, NULL, RANGE(1, 64)),
    OPTION_(CONF_EXEMPT, "requires", offsetof(struct conf_exempt, requires_publickey),
	CONF_REQUIRES, NULL),
    OPTION(EXEMPT(reason), CONF_TEXT, NULL, .required = true, RANGE(1, 160)),
    OPTION_(CONF_EXEMPT, "until", offsetof(struct conf_exempt, until_s), CONF_DATE, NULL,
	.required = true),
};
const size_t conf_table_n = sizeof(conf_table) / sizeof(conf_table[0]);

enum { WINDOW_SPAN_MIN = 60 * 1000 };
static const int64_t window_span_max = 31 * DAY;

const char *
conf_kind_name(enum conf_kind kind)
{
	static const char *const names[CONF_NKINDS] = {
	    [CONF_OTP] = "otp",
	    [CONF_LIMITS] = "limits",
	    [CONF_PATHS] = "paths",
	    [CONF_CHANNEL] = "channel",
	    [CONF_PROVIDER] = "provider",
	    [CONF_SERVICE] = "service",
	    [CONF_EXEMPT] = "exempt",
	};

	return names[kind];
}

const struct conf_option *
conf_option(enum conf_kind kind, const char *key)
{
	if (kind == CONF_SERVICE)
		kind = CONF_OTP;
	for (size_t i = 0; i < conf_table_n; i++)
		if (conf_table[i].kind == kind && !strcmp(conf_table[i].key, key))
			return &conf_table[i];
	return NULL;
}

static const char *
expects_number(const struct conf_option *o, char *dst)
{
	char least[CONF_DURATION_TEXT], most[CONF_DURATION_TEXT];

	if (o->type == CONF_NUMBER)
		(void)snprintf(
		    dst, CONF_EXPECTS_MAX, "a number from %" PRId64 " to %" PRId64, o->min, o->max);
	else if (o->type == CONF_DURATION)
		(void)snprintf(dst, CONF_EXPECTS_MAX, "a duration from %s to %s",
		    conf_duration_text(o->min, least), conf_duration_text(o->max, most));
	else
		(void)snprintf(dst, CONF_EXPECTS_MAX,
		    "up to %d limits COUNT/SPAN, COUNT from %" PRId64 " to %" PRId64
		    ", SPAN from %s to %s",
		    CONF_WINDOWS_MAX, o->min, o->max, conf_duration_text(WINDOW_SPAN_MIN, least),
		    conf_duration_text(window_span_max, most));
	return dst;
}

const char *
conf_expects(const struct conf_option *o, char dst[static CONF_EXPECTS_MAX])
{
	static const char *const noun[] = {
	    [CONF_NAME] = "a name",
	    [CONF_OWN_NAME] = "a name",
	    [CONF_TEXT] = "text",
	    [CONF_PATH] = "an absolute path",
	    [CONF_PROXY] = "a URL of a proxy, without user and password",
	    [CONF_NAMES] = "a list of names",
	    [CONF_SERVICES] = "a list of PAM services",
	    [CONF_USERS] = "a list of users",
	    [CONF_GROUPS] = "a list of groups",
	    [CONF_FOLDERS] = "a list of absolute paths",
	    [CONF_PREFIXES] = "a list of number prefixes like +977",
	    [CONF_NETWORKS] = "a list of networks in CIDR form",
	    [CONF_REQUIRES] = "the word publickey",
	    [CONF_DATE] = "a date of the calendar, as YYYY-MM-DD",
	};

	if (o->type == CONF_NUMBER || o->type == CONF_DURATION || o->type == CONF_WINDOWS)
		return expects_number(o, dst);
	if (o->type == CONF_WORD) {
		size_t len = (size_t)snprintf(dst, CONF_EXPECTS_MAX, "one of");

		for (size_t i = 0; o->words[i]; i++)
			len += (size_t)snprintf(
			    dst + len, CONF_EXPECTS_MAX - len, "%s %s", i ? "," : "", o->words[i]);
		return dst;
	}
	(void)snprintf(dst, CONF_EXPECTS_MAX, "%s", noun[o->type]);
	return dst;
}

static int
set_number(const struct conf_option *o, void *value, const char *text)
{
	int64_t n;
	int r = o->type == CONF_NUMBER ? conf_number(text, &n) : conf_duration(text, &n);

	if (r)
		return r;
	if (n < o->min || n > o->max)
		return -OTP_EINVAL;
	if (o->type == CONF_NUMBER)
		*(int *)value = (int)n;
	else
		*(int64_t *)value = n;
	return 0;
}

static int
set_word(const struct conf_option *o, void *value, const char *text)
{
	_Static_assert(sizeof(enum ask_first) == sizeof(unsigned), "enums are unsigned int");

	for (unsigned i = 0; o->words[i]; i++)
		if (!strcmp(o->words[i], text)) {
			*(unsigned *)value = i;
			return 0;
		}
	return -OTP_EINVAL;
}

static int
set_string(const struct conf_option *o, char **value, const char *text)
{
	char *copy;

	if (((o->type == CONF_NAME || o->type == CONF_OWN_NAME) && !conf_is_name(text)) ||
	    (o->type == CONF_PATH && !conf_is_path(text)) ||
	    (o->type == CONF_PROXY && !conf_is_proxy(text)) ||
	    (o->type == CONF_TEXT &&
		(strlen(text) < (size_t)o->min || strlen(text) > (size_t)o->max)))
		return -OTP_EINVAL;
	copy = strdup(text);
	if (!copy)
		return -OTP_ENOMEM;
	free(*value);
	*value = copy;
	return 0;
}

static bool
is_network(const char *s)
{
	struct conf_network n;

	return conf_network(s, &n) == 0 && !conf_network_is_wide(&n);
}

/* What an item of a list must be, by enum conf_type. */
static const struct {
	conf_item_fn *is;
	const char *noun;
} items[] = {
    [CONF_NAMES] = {.is = conf_is_name, .noun = "a name of a-z, 0-9, _ and -"},
    [CONF_SERVICES] = {.is = conf_is_service, .noun = "a PAM service, in lower case"},
    [CONF_USERS] = {.is = conf_is_account, .noun = "a user, without : / # ; and quotes"},
    [CONF_GROUPS] = {.is = conf_is_account, .noun = "a group, without : / # ; and quotes"},
    [CONF_FOLDERS] = {.is = conf_is_path, .noun = "an absolute path"},
    [CONF_PREFIXES] = {.is = conf_is_prefix, .noun = "a number prefix like +977"},
    [CONF_NETWORKS] = {.is = is_network, .noun = "a numeric address, or a network like 10.0.0.0/8"},
    [CONF_DATE] = {.is = NULL}, /* the last type: the array has an element for each */
};

static int
set_list(const struct conf_option *o, struct strlist *value, const char *text)
{
	struct strlist l = {0};
	int r = conf_list(text, items[o->type].is, &l);

	if (!r && (l.n < (size_t)o->min || l.n > (size_t)o->max))
		r = -OTP_EINVAL;
	if (r) {
		strlist_free(&l);
		return r;
	}
	strlist_free(value);
	*value = l;
	return 0;
}

static int
set_windows(const struct conf_option *o, struct conf_windows *value, const char *text)
{
	struct conf_windows w;
	int r = conf_windows(text, &w);

	for (size_t i = 0; !r && i < w.n; i++)
		if (w.item[i].count < o->min || w.item[i].count > o->max ||
		    w.item[i].span < WINDOW_SPAN_MIN || w.item[i].span > window_span_max)
			r = -OTP_EINVAL;
	if (!r)
		*value = w;
	return r;
}

static int
set_networks(const struct conf_option *o, struct conf_exempt *e, const char *text)
{
	struct strlist l = {0};
	struct conf_network *n;
	int r = conf_list(text, items[CONF_NETWORKS].is, &l);

	if (!r && l.n < (size_t)o->min)
		r = -OTP_EINVAL;
	n = r ? NULL : calloc(l.n, sizeof(*n));
	if (!r && !n)
		r = -OTP_ENOMEM;
	for (size_t i = 0; !r && i < l.n; i++)
		r = conf_network(l.item[i], &n[i]);
	if (r) {
		free(n);
	} else {
		free(e->network);
		e->network = n;
		e->nnetworks = l.n;
	}
	strlist_free(&l);
	return r;
}

int
conf_set(const struct conf_option *o, void *base, const char *text)
{
	void *value = (char *)base + o->offset;

	switch (o->type) {
	case CONF_NUMBER:
	case CONF_DURATION:
		return set_number(o, value, text);
	case CONF_WORD:
		return set_word(o, value, text);
	case CONF_NAME:
	case CONF_OWN_NAME:
	case CONF_TEXT:
	case CONF_PATH:
	case CONF_PROXY:
		return set_string(o, value, text);
	case CONF_NAMES:
	case CONF_SERVICES:
	case CONF_USERS:
	case CONF_GROUPS:
	case CONF_FOLDERS:
	case CONF_PREFIXES:
		return set_list(o, value, text);
	case CONF_WINDOWS:
		return set_windows(o, value, text);
	case CONF_NETWORKS:
		return set_networks(o, base, text);
	case CONF_REQUIRES:
		if (strcmp(text, "publickey") != 0)
			return -OTP_EINVAL;
		*(bool *)value = true;
		return 0;
	case CONF_DATE:
		return conf_date(text, value);
	}
	return -OTP_EINVAL;
}

static bool
item_is_right(const struct conf_option *o, const char *item)
{
	struct conf_windows w;

	return o->type == CONF_WINDOWS ? !set_windows(o, &w, item) : items[o->type].is(item);
}

/* Checks the next item of a list. Writes what is wrong with it, or adds a right item to *before. */
static void
judge_item(const struct conf_option *o, const char *item, struct strlist *before, char *dst)
{
	size_t most = o->type == CONF_WINDOWS ? CONF_WINDOWS_MAX : (size_t)o->max;
	char cause[CONF_WRONG_MAX - 100], expects[CONF_EXPECTS_MAX];

	if (before->n == most) {
		(void)snprintf(dst, CONF_WRONG_MAX, "there are more than %zu items", most);
		return;
	}
	if (!*item) {
		(void)snprintf(
		    cause, sizeof(cause), "an item is empty; is there a comma too many?");
	} else if (o->type != CONF_WINDOWS && strlist_has(before, item)) {
		(void)snprintf(cause, sizeof(cause), "stands twice in the list");
	} else if (item_is_right(o, item)) {
		(void)strlist_add(before, item);
		return;
	} else if (o->type != CONF_NETWORKS || !conf_network_wrong(item, cause, sizeof(cause))) {
		(void)snprintf(cause, sizeof(cause), "expected %s",
		    o->type == CONF_WINDOWS ? conf_expects(o, expects) : items[o->type].noun);
	}
	(void)snprintf(
	    dst, CONF_WRONG_MAX, "\"%.80s%s\": %s", item, strlen(item) > 80 ? "..." : "", cause);
}

const char *
conf_wrong(const struct conf_option *o, const char *text, char dst[static CONF_WRONG_MAX])
{
	bool is_list = o->type == CONF_WINDOWS || items[o->type].is;
	const char *rest = is_list && text[strspn(text, " \t")] ? text : NULL;
	char expects[CONF_EXPECTS_MAX];
	struct strlist before = {0};

	*dst = '\0';
	while (rest && !*dst) {
		_auto_free char *item = conf_item(&rest);

		if (!item)
			break;
		judge_item(o, item, &before, dst);
	}
	strlist_free(&before);
	if (*dst)
		return dst;
	(void)conf_expects(o, expects);
	if (o->type == CONF_TEXT && strlen(text) > (size_t)o->max)
		(void)snprintf(dst, CONF_WRONG_MAX, "it has %zu bytes, expected at most %" PRId64,
		    strlen(text), o->max);
	else if (o->type == CONF_PROXY) /* no value: the URL may have a password in it */
		(void)snprintf(dst, CONF_WRONG_MAX, "expected %s", expects);
	else
		(void)snprintf(dst, CONF_WRONG_MAX, "\"%.80s\": expected %s", text, expects);
	return dst;
}

static void
unset(const struct conf_option *o, void *base)
{
	void *value = (char *)base + o->offset;

	switch (o->type) {
	case CONF_NAME:
	case CONF_OWN_NAME:
	case CONF_TEXT:
	case CONF_PATH:
	case CONF_PROXY:
		free(take((char **)value));
		break;
	case CONF_NAMES:
	case CONF_SERVICES:
	case CONF_USERS:
	case CONF_GROUPS:
	case CONF_FOLDERS:
	case CONF_PREFIXES:
		strlist_free(value);
		break;
	case CONF_NETWORKS:
		free(take(&((struct conf_exempt *)base)->network));
		break;
	default:
		break;
	}
}

void
conf_unset_all(enum conf_kind kind, void *base)
{
	if (kind == CONF_SERVICE)
		kind = CONF_OTP;
	for (size_t i = 0; i < conf_table_n; i++)
		if (conf_table[i].kind == kind)
			unset(&conf_table[i], base);
}
