/*
 * From the text of one value to what it means. Each parser takes the whole text, says 0, or
 * -OTP_EINVAL when the text is not of its kind, or -OTP_ENOMEM; nothing is changed on failure.
 */
#ifndef OTP_CONF_PARSE_H
#define OTP_CONF_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helpers/conf/conf.h"

enum { CONF_NAME_MAX = 63, CONF_WORD_MAX = 255, CONF_LIST_MAX = 256 };

/* A name that an administrator gives: [a-z0-9][a-z0-9_-]*, at most CONF_NAME_MAX bytes. */
bool conf_is_name(const char *s);
/* As libpam keeps it: lower case, no blank, comma or slash. */
bool conf_is_service(const char *s);
/* A user or a group: no comma, colon, slash or '#'; inner blanks are fine. */
bool conf_is_account(const char *s);
/* "/a/b": no empty, "." or ".." component, no slash at the end, no " #" or " ;" in it. */
bool conf_is_path(const char *s);
/* "+977": how numbers begin; '+', a first digit 1-9, at most 15 digits. */
bool conf_is_prefix(const char *s);
/* http or socks5h, a host, perhaps a port; no user, password, path or query. */
bool conf_is_proxy(const char *s);

/* Decimal digits alone, with no superfluous zero in front. */
int conf_number(const char *s, int64_t *n);
/* "COUNT/SPAN, COUNT/SPAN ..."; ranges are not judged. */
int conf_windows(const char *s, struct conf_windows *out);
/* "YYYY-MM-DD": the end of that day in local time, seconds of the wall clock. */
int conf_date(const char *s, int64_t *end_s);
/* "10.0.0.0/8", "2001:db8::/32", or one address; no bit set behind the prefix, no /0. */
int conf_network(const char *s, struct conf_network *out);
bool conf_network_is_v4(const struct conf_network *n);
/* More than anybody's: IPv4 wider than /8, IPv6 wider than /16, but what is private. */
bool conf_network_is_wide(const struct conf_network *n);
enum { CONF_NETWORK_TEXT = 64 };
/* As conf_network() reads it. Returns dst. */
const char *conf_network_text(const struct conf_network *n, char dst[static CONF_NETWORK_TEXT]);
/* Why a network is refused that is one in form; false where it is none. */
bool conf_network_wrong(const char *s, char *dst, size_t size);

/* The next item of a list parted by commas, trimmed, in a copy; *s is NULL after the last. */
char *conf_item(const char **s);

typedef bool conf_item_fn(const char *item);
/*
 * Items parted by commas, blanks around them dropped. Empty items, items twice and items that `is`
 * refuses are -OTP_EINVAL; an empty text is an empty list.
 */
int conf_list(const char *s, conf_item_fn *is, struct strlist *out);

bool strlist_add(struct strlist *l, const char *s); /* false: no memory */
void strlist_free(struct strlist *l);

enum { CONF_DURATION_TEXT = 32 };
/* The shortest text that conf_duration() reads as ms. Returns dst. */
const char *conf_duration_text(int64_t ms, char dst[static CONF_DURATION_TEXT]);

#endif
