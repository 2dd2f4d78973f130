/*
 * Parsers for the text of one value. Each reads the whole text. On failure it changes none of its
 * results.
 */
#ifndef OTP_CONF_PARSE_H
#define OTP_CONF_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helpers/conf/conf.h"

enum { CONF_NAME_MAX = 63, CONF_WORD_MAX = 255, CONF_LIST_MAX = 256 };

/* True for the name of a channel, provider or rule: [a-z0-9][a-z0-9_-]*, up to CONF_NAME_MAX. */
bool conf_is_name(const char *s);
/* True for the name of a PAM service: lower case, without blank, comma or slash. */
bool conf_is_service(const char *s);
/* True for the name of a user or group: without , : / # ; and quotes. Blanks are allowed. */
bool conf_is_account(const char *s);
/*
 * True for an absolute path without an empty, "." or ".." component and without a slash at its end.
 * " #" and " ;" are refused too: they are most likely a comment.
 */
bool conf_is_path(const char *s);
/* True for the beginning of phone numbers: '+', and 1 to 15 digits of which the first is not 0. */
bool conf_is_prefix(const char *s);
/* True for http or socks5h, a host and perhaps a port; without user, password, path or query. */
bool conf_is_proxy(const char *s);

/* Reads up to 15 decimal digits without a leading zero. 0 or -OTP_EINVAL. */
int conf_number(const char *s, int64_t *n);
/* Reads "COUNT/SPAN, COUNT/SPAN ...". The caller checks ranges. 0, -OTP_EINVAL or -OTP_ENOMEM. */
int conf_windows(const char *s, struct conf_windows *out);
/*
 * Reads "YYYY-MM-DD". *end_s is the end of that day in local time, in seconds since the epoch. 0 or
 * -OTP_EINVAL.
 */
int conf_date(const char *s, int64_t *end_s);
/*
 * Reads "10.0.0.0/8", "2001:db8::/32" or one address. All bits after the prefix must be 0, and the
 * prefix must not be /0. 0 or -OTP_EINVAL.
 */
int conf_network(const char *s, struct conf_network *out);
bool conf_network_is_v4(const struct conf_network *n);
/*
 * True if no single owner has so many addresses: IPv4 wider than /8, IPv6 wider than /16. The
 * private networks fc00::/7 and fe80::/10 are allowed.
 */
bool conf_network_is_wide(const struct conf_network *n);
enum { CONF_NETWORK_TEXT = 64 };
/* Writes the network as conf_network() reads it. Returns dst. */
const char *conf_network_text(const struct conf_network *n, char dst[static CONF_NETWORK_TEXT]);
/*
 * Writes to dst why a network is refused: it is too wide, or has bits after its prefix. False, with
 * dst unchanged, if s does not have the form of a network at all.
 */
bool conf_network_wrong(const char *s, char *dst, size_t size);

/*
 * Returns a copy of the next item of a list that commas separate, without blanks around it, or NULL
 * without memory. *s moves to the item after it, or becomes NULL after the last.
 */
char *conf_item(const char **s);

typedef bool conf_item_fn(const char *item);
/*
 * Reads items that commas separate; blanks around them are dropped. An empty text is an empty list.
 * The older content of *out is freed. 0; -OTP_EINVAL for an empty item, an item that stands twice,
 * an item for which `is` is false, or more than CONF_LIST_MAX items; -OTP_ENOMEM.
 */
int conf_list(const char *s, conf_item_fn *is, struct strlist *out);

/* Appends a copy of s. False, with l unchanged, if there is no memory. */
bool strlist_add(struct strlist *l, const char *s);
void strlist_free(struct strlist *l);

enum { CONF_DURATION_TEXT = 32 };
/* Writes the shortest text that conf_duration() reads as ms. Returns dst. */
const char *conf_duration_text(int64_t ms, char dst[static CONF_DURATION_TEXT]);

#endif
