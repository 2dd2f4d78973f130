/* The only judge of the URLs to which requests and mails go: libcurl gets no other. */
#ifndef OTP_HTTP_URL_H
#define OTP_HTTP_URL_H

#include <stdbool.h>

enum url_use {
	URL_WEB,       /* https, or http to a literal loopback address */
	URL_WEB_PROXY, /* through a proxy: https alone */
	URL_MAIL,      /* smtp or smtps */
};

/* The use of a URL by a mail, or by a request that goes through a proxy or not. */
static inline enum url_use
url_use_of(bool is_mail, bool has_proxy)
{
	return is_mail ? URL_MAIL : has_proxy ? URL_WEB_PROXY : URL_WEB;
}

struct url {
	char scheme[8]; /* in small letters */
	char host[256]; /* an IPv6 address has no brackets here and no zone */
	bool loopback;	/* the host is a literal loopback address */
};

/*
 * Reads a URL: SCHEME://HOST[:PORT][/PATH][?QUERY], of printable ASCII characters without blanks.
 * The host is a name, an IPv4 address or an IPv6 address in brackets. Returns NULL, or a phrase
 * that says what was expected; it is static, and *out is undefined then.
 */
const char *url_read(const char *s, enum url_use use, struct url *out);

#endif
