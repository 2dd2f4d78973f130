#include "helpers/http/url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"

enum { PORT_DIGITS = 5, PORT_MOST = 65535 };

static const char *
expected_scheme(enum url_use use)
{
	return use == URL_MAIL ? "expected smtp://HOST or smtps://HOST, and perhaps a port"
			       : "expected https://HOST, and perhaps a port and a path";
}

/* The rest of the URL after "SCHEME://", or NULL if the scheme is none of those of this use. */
static const char *
read_scheme(const char *s, enum url_use use, struct url *out)
{
	static const char *const web[] = {"https", "http"}, *const mail[] = {"smtp", "smtps"};
	const char *const *known = use == URL_MAIL ? mail : web;

	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(known[i]);

		if (strncasecmp(s, known[i], len) != 0 || strncmp(s + len, "://", 3) != 0)
			continue;
		(void)snprintf(out->scheme, sizeof(out->scheme), "%s", known[i]);
		return s + len + 3;
	}
	return NULL;
}

/* The rest of the URL after "[ADDRESS]" or "[ADDRESS%25ZONE]", or NULL. */
static const char *
read_v6(const char *s, struct url *out)
{
	size_t len = strcspn(++s, "%]"), zone = 0;
	struct in6_addr address;

	if (!strncmp(s + len, "%25", 3))
		zone = strspn(s + len + 3, LETTERS DIGITS "._-");
	if (zone)
		zone += 3;
	if (len >= INET6_ADDRSTRLEN || s[len + zone] != ']')
		return NULL;
	(void)snprintf(out->host, sizeof(out->host), "%.*s", (int)len, s);
	out->loopback = !strcmp(out->host, "::1");
	return inet_pton(AF_INET6, out->host, &address) == 1 ? s + len + zone + 1 : NULL;
}

/* The rest of the URL after the host, or NULL. */
static const char *
read_host(const char *s, struct url *out)
{
	size_t len = strspn(s, LETTERS DIGITS "._-");
	struct in_addr address;

	if (*s == '[')
		return read_v6(s, out);
	if (!len || len >= sizeof(out->host) || *s == '.' || *s == '-')
		return NULL;
	(void)snprintf(out->host, sizeof(out->host), "%.*s", (int)len, s);
	out->loopback =
	    inet_pton(AF_INET, out->host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
	return s + len;
}

/* The rest of the URL after the port, if there is one, or NULL. */
static const char *
read_port(const char *s)
{
	size_t len;
	long port;

	if (*s != ':')
		return s;
	len = strspn(++s, DIGITS);
	port = len && len <= PORT_DIGITS ? strtol(s, NULL, 10) : 0;
	return port >= 1 && port <= PORT_MOST ? s + len : NULL;
}

static bool
is_printable(const char *s)
{
	while (*s > ' ' && *s < 0x7f)
		s++;
	return !*s;
}

const char *
url_read(const char *s, enum url_use use, struct url *out)
{
	const char *at;

	*out = (struct url){.loopback = false};
	at = read_scheme(s, use, out);
	if (!at)
		return expected_scheme(use);
	if (!is_printable(s))
		return "expected no blank and no character beyond ASCII (a host name in another "
		       "script has a form that begins with xn--)";
	if (memchr(at, '@', strcspn(at, "/?#")))
		return "expected no user and no password in a URL";
	at = read_host(at, out);
	if (!at || !strchr(":/?#", *at))
		return "expected a host name or address after ://, an IPv6 address in brackets";
	at = read_port(at);
	if (!at || !strchr("/?#", *at))
		return "expected a port from 1 to 65535 after the host's ':'";
	if (!strcmp(out->scheme, "http") && use == URL_WEB_PROXY)
		return "expected https://HOST, because a proxy would see the code of plain http";
	if (!strcmp(out->scheme, "http") && !out->loopback)
		return "expected https://HOST; plain http may go to a literal loopback address "
		       "alone, such as http://127.0.0.1:8080 or http://[::1]:8080";
	return NULL;
}
