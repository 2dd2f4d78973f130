#include "helpers/conf/parse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "common/own.h"

static const struct {
	const char *unit;
	int64_t ms;
} units[] = {
    {"ms", 1},
    {"s", 1000},
    {"m", 60 * 1000},
    {"h", 60 * 60 * 1000},
    {"d", 24 * 60 * 60 * 1000},
};

enum { NUNITS = sizeof(units) / sizeof(units[0]) };

static bool
all_of(const char *s, const char *allowed, size_t max)
{
	size_t len = strlen(s);

	return len && len <= max && strspn(s, allowed) == len;
}

bool
conf_is_name(const char *s)
{
	return all_of(s, "abcdefghijklmnopqrstuvwxyz0123456789_-", CONF_NAME_MAX) && s[0] != '-' &&
	       s[0] != '_';
}

bool
conf_is_service(const char *s)
{
	return all_of(s, "abcdefghijklmnopqrstuvwxyz0123456789._+@-", CONF_WORD_MAX) &&
	       s[0] != '-' && s[0] != '.';
}

bool
conf_is_account(const char *s)
{
	size_t len = strlen(s);

	return len && len <= CONF_WORD_MAX && !strpbrk(s, ",:/#;\"");
}

bool
conf_is_path(const char *s)
{
	if (s[0] != '/' || strstr(s, " #") || strstr(s, " ;"))
		return false;
	while (*s == '/') {
		size_t len = strcspn(++s, "/");

		if (!len || (len == 1 && s[0] == '.') || (len == 2 && s[0] == '.' && s[1] == '.'))
			return false;
		s += len;
	}
	return !*s;
}

bool
conf_is_prefix(const char *s)
{
	return s[0] == '+' && s[1] != '0' && all_of(s + 1, "0123456789", 15);
}

bool
conf_is_proxy(const char *s)
{
	static const char *const scheme[] = {"http://", "socks5h://"};
	const char *colon;
	int64_t port;

	for (size_t i = 0; i < sizeof(scheme) / sizeof(scheme[0]); i++) {
		size_t len = strlen(scheme[i]);

		if (strncmp(s, scheme[i], len) != 0)
			continue;
		s += len;
		if (!*s || strpbrk(s, "@/?# \t\"\\"))
			return false;
		/* An IPv6 address stands in brackets, and the port follows them. */
		colon = s[0] == '[' ? strchr(s, ']') : s + strcspn(s, ":");
		if (!colon || colon == s)
			return false;
		colon += *colon == ']';
		return !*colon || (*colon == ':' && conf_number(colon + 1, &port) == 0 &&
				      port >= 1 && port <= 65535);
	}
	return false;
}

int
conf_number(const char *s, int64_t *n)
{
	int64_t v = 0;

	if (!all_of(s, "0123456789", 15) || (s[0] == '0' && s[1]))
		return -OTP_EINVAL;
	for (; *s; s++)
		v = v * 10 + (*s - '0');
	*n = v;
	return 0;
}

int
conf_duration(const char *s, int64_t *ms)
{
	size_t digits = strspn(s, "0123456789");
	char number[16];
	int64_t n;

	if (digits >= sizeof(number))
		return -OTP_EINVAL;
	(void)snprintf(number, sizeof(number), "%.*s", (int)digits, s);
	for (size_t i = 0; i < NUNITS; i++)
		if (!strcmp(s + digits, units[i].unit)) {
			if (conf_number(number, &n) || n > INT64_MAX / units[i].ms)
				return -OTP_EINVAL;
			*ms = n * units[i].ms;
			return 0;
		}
	return -OTP_EINVAL;
}

const char *
conf_duration_text(int64_t ms, char dst[static CONF_DURATION_TEXT])
{
	size_t i = NUNITS - 1;

	if (!ms)
		return strcpy(dst, "0s");
	while (ms % units[i].ms)
		i--;
	(void)snprintf(dst, CONF_DURATION_TEXT, "%" PRId64 "%s", ms / units[i].ms, units[i].unit);
	return dst;
}

char *
conf_item(const char **s)
{
	const char *end = *s + strcspn(*s, ",");
	const char *next = *end ? end + 1 : NULL;
	const char *start = *s + strspn(*s, " \t");

	if (start > end)
		start = end;
	while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*s = next;
	return strndup(start, (size_t)(end - start));
}

bool
strlist_has(const struct strlist *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->item[i], s))
			return true;
	return false;
}

bool
conf_allows_number(const struct conf *c, const char *phone)
{
	const struct strlist *l = &c->limits.prefixes;

	for (size_t i = 0; i < l->n; i++)
		if (!strncmp(phone, l->item[i], strlen(l->item[i])))
			return true;
	return l->n == 0;
}

bool
strlist_add(struct strlist *l, const char *s)
{
	char **grown = reallocarray(l->item, l->n + 1, sizeof(*grown));

	if (!grown)
		return false;
	l->item = grown;
	grown[l->n] = strdup(s);
	return grown[l->n] && ++l->n;
}

void
strlist_free(struct strlist *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->item[i]);
	free(l->item);
	*l = (struct strlist){0};
}

int
conf_list(const char *s, conf_item_fn *is, struct strlist *out)
{
	struct strlist l = {0};
	int r = 0;

	if (!s[strspn(s, " \t")])
		s = NULL;
	while (s && !r) {
		_auto_free char *item = conf_item(&s);

		if (!item)
			r = -OTP_ENOMEM;
		else if (!is(item) || strlist_has(&l, item) || l.n == CONF_LIST_MAX)
			r = -OTP_EINVAL;
		else if (!strlist_add(&l, item))
			r = -OTP_ENOMEM;
	}
	if (r) {
		strlist_free(&l);
		return r;
	}
	strlist_free(out);
	*out = l;
	return 0;
}

static int
window(char *item, struct conf_window *w)
{
	char *slash = strchr(item, '/');
	int64_t count;

	if (!slash)
		return -OTP_EINVAL;
	*slash = '\0';
	if (conf_number(item, &count) || count > INT32_MAX || conf_duration(slash + 1, &w->span))
		return -OTP_EINVAL;
	w->count = (int)count;
	return 0;
}

int
conf_windows(const char *s, struct conf_windows *out)
{
	struct conf_windows w = {0};

	while (s) {
		_auto_free char *item = conf_item(&s);

		if (!item)
			return -OTP_ENOMEM;
		if (w.n == CONF_WINDOWS_MAX || window(item, &w.item[w.n]))
			return -OTP_EINVAL;
		w.n++;
	}
	*out = w;
	return 0;
}

int
conf_date(const char *s, int64_t *end_s)
{
	struct tm day = {.tm_isdst = -1}, check;
	char again[16];
	time_t t;

	if (strlen(s) != strlen("YYYY-MM-DD") || !strptime(s, "%Y-%m-%d", &day))
		return -OTP_EINVAL;
	/* strptime() accepts the 30th of February, and blanks before a number. */
	check = (struct tm){.tm_year = day.tm_year,
	    .tm_mon = day.tm_mon,
	    .tm_mday = day.tm_mday,
	    .tm_hour = 12,
	    .tm_isdst = -1};
	if (mktime(&check) == -1 || !strftime(again, sizeof(again), "%Y-%m-%d", &check) ||
	    strcmp(again, s) != 0)
		return -OTP_EINVAL;
	check = (struct tm){.tm_year = day.tm_year,
	    .tm_mon = day.tm_mon,
	    .tm_mday = day.tm_mday + 1,
	    .tm_isdst = -1};
	t = mktime(&check);
	if (t == -1)
		return -OTP_EINVAL;
	*end_s = t;
	return 0;
}

/* True if all bits after the prefix are zero. */
static bool
host_bits_zero(const unsigned char *addr, int prefix)
{
	for (int bit = prefix; bit < 128; bit++)
		if (addr[bit / 8] & (0x80 >> bit % 8))
			return false;
	return true;
}

/* Reads any network in CIDR form. *most is the bits of an address of its family: 32 or 128. */
static int
network_read(const char *s, struct conf_network *n, int *most)
{
	const char *slash = strchr(s, '/');
	char address[INET6_ADDRSTRLEN];
	int64_t prefix;

	*n = (struct conf_network){.prefix = 128};
	if (strcspn(s, "/") >= sizeof(address))
		return -OTP_EINVAL;
	(void)snprintf(address, sizeof(address), "%.*s", (int)strcspn(s, "/"), s);
	if (inet_pton(AF_INET6, address, n->addr) == 1) {
		*most = 128;
	} else if (inet_pton(AF_INET, address, n->addr + 12) == 1) {
		memset(n->addr, 0, 10);
		n->addr[10] = n->addr[11] = 0xff;
		*most = 32;
	} else {
		return -OTP_EINVAL;
	}
	if (slash) {
		if (conf_number(slash + 1, &prefix) || prefix > *most)
			return -OTP_EINVAL;
		n->prefix = 128 - *most + (int)prefix;
	}
	return 0;
}

int
conf_network(const char *s, struct conf_network *out)
{
	struct conf_network n;
	int most;

	if (network_read(s, &n, &most) || n.prefix == 128 - most ||
	    !host_bits_zero(n.addr, n.prefix))
		return -OTP_EINVAL;
	*out = n;
	return 0;
}

enum { V4_BITS = 96, V4_WIDEST = V4_BITS + 8, V6_WIDEST = 16 };

bool
conf_network_is_v4(const struct conf_network *n)
{
	struct in6_addr a;

	memcpy(&a, n->addr, sizeof(a));
	return n->prefix >= V4_BITS && IN6_IS_ADDR_V4MAPPED(&a);
}

bool
conf_network_is_wide(const struct conf_network *n)
{
	/* fc00::/7 and fe80::/10 are private networks (RFC 4193, RFC 4291). */
	bool ula = n->prefix >= 7 && (n->addr[0] & 0xfe) == 0xfc;
	bool link = n->prefix >= 10 && n->addr[0] == 0xfe && (n->addr[1] & 0xc0) == 0x80;

	return n->prefix < (conf_network_is_v4(n) ? V4_WIDEST : V6_WIDEST) && !ula && !link;
}

const char *
conf_network_text(const struct conf_network *n, char dst[static CONF_NETWORK_TEXT])
{
	char address[INET6_ADDRSTRLEN] = "";
	bool v4 = conf_network_is_v4(n);

	(void)inet_ntop(
	    v4 ? AF_INET : AF_INET6, v4 ? n->addr + 12 : n->addr, address, sizeof(address));
	(void)snprintf(
	    dst, CONF_NETWORK_TEXT, "%s/%d", address, v4 ? n->prefix - V4_BITS : n->prefix);
	return dst;
}

bool
conf_network_wrong(const char *s, char *dst, size_t size)
{
	char text[CONF_NETWORK_TEXT];
	struct conf_network n;
	int most;

	if (network_read(s, &n, &most))
		return false;
	if (conf_network_is_wide(&n)) {
		(void)snprintf(dst, size,
		    "no single owner has a network wider than /%d; list the networks that you mean",
		    conf_network_is_v4(&n) ? V4_WIDEST - V4_BITS : V6_WIDEST);
		return true;
	}
	for (int bit = n.prefix; bit < 128; bit++)
		n.addr[bit / 8] &= (unsigned char)~(0x80 >> bit % 8);
	(void)snprintf(dst, size, "bits after /%d are set; did you mean %s?",
	    n.prefix - (128 - most), conf_network_text(&n, text));
	return true;
}

enum { SUGGEST_MAX = 64 };

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * The number of edits from a to b, ignoring case: insert, remove or replace a character, or swap
 * two neighbours (optimal string alignment distance).
 */
static size_t
distance(const char *a, const char *b)
{
	size_t row[3][SUGGEST_MAX + 1], la = strlen(a), lb = strlen(b);
	size_t *before = row[0], *last = row[1], *now = row[2];

	for (size_t j = 0; j <= lb; j++)
		last[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *oldest = before;

		now[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			int x = tolower((unsigned char)a[i - 1]);
			int y = tolower((unsigned char)b[j - 1]);

			now[j] =
			    least(least(last[j], now[j - 1]) + 1, last[j - 1] + (x == y ? 0 : 1));
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
			    y == tolower((unsigned char)a[i - 2]))
				now[j] = least(now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = oldest;
	}
	return last[lb];
}

const char *
conf_suggest(const char *word, const char *const *candidate, size_t n)
{
	size_t len = strlen(word), best = len < 4 ? 2 : 3 + len / 8;
	const char *found = NULL;

	for (size_t i = 0; len <= SUGGEST_MAX && i < n; i++) {
		size_t d =
		    strlen(candidate[i]) <= SUGGEST_MAX ? distance(word, candidate[i]) : best;

		if (d < best && d < strlen(candidate[i])) {
			best = d;
			found = candidate[i];
		}
	}
	return found;
}
