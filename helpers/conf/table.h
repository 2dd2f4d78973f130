/*
 * The option table: every key of the configuration with its section, type, default and range. The
 * parser and `otpctl config show` work from it. Tests compare it with pam_otp.conf(5) and set every
 * option.
 */
#ifndef OTP_CONF_TABLE_H
#define OTP_CONF_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helpers/conf/conf.h"

enum conf_kind {
	CONF_OTP,      /* [otp]: struct conf_signin */
	CONF_LIMITS,   /* [limits]: struct conf_limits */
	CONF_PATHS,    /* [paths]: struct conf_paths */
	CONF_CHANNEL,  /* [channel NAME]: struct conf_channel */
	CONF_PROVIDER, /* [provider NAME]: struct conf_provider */
	CONF_SERVICE,  /* [service NAME ...]: the options of [otp] */
	CONF_EXEMPT,   /* [exempt NAME]: struct conf_exempt */
	CONF_NKINDS
};

/* The first word in the heading of such a section. */
const char *conf_kind_name(enum conf_kind kind);

enum conf_type {
	CONF_NUMBER,   /* int */
	CONF_DURATION, /* int64_t, milliseconds */
	CONF_WORD,     /* an enum; its value is the index of the word in .words */
	CONF_NAME,     /* char *, or NULL if the key is not set */
	CONF_OWN_NAME, /* char *; by default the section's name */
	CONF_TEXT,     /* char *, never NULL */
	CONF_PATH,     /* char *, or NULL if the key is not set */
	CONF_PROXY,    /* char *, or NULL if the key is not set */
	CONF_NAMES,    /* struct strlist, like the next five */
	CONF_SERVICES,
	CONF_USERS,
	CONF_GROUPS,
	CONF_FOLDERS,
	CONF_PREFIXES,
	CONF_WINDOWS,  /* struct conf_windows; the range is that of the counts */
	CONF_NETWORKS, /* struct conf_exempt's network and nnetworks */
	CONF_REQUIRES, /* bool */
	CONF_DATE,     /* int64_t, seconds since the epoch */
};

struct conf_option {
	enum conf_kind kind; /* CONF_OTP stands for CONF_SERVICE, too */
	const char *key;
	enum conf_type type;
	size_t offset;	  /* offset of the value in the struct that enum conf_kind names */
	const char *def;  /* the default, as in a file; NULL if there is none */
	bool required;	  /* the section must set the key */
	int64_t min, max; /* of a number or duration; of a list, how many items; of a text, bytes */
	const char *const *words; /* of CONF_WORD: the words and a NULL */
};

extern const struct conf_option conf_table[];
extern const size_t conf_table_n;

/* Finds the row of a key. NULL if sections of this kind have no such key. */
const struct conf_option *conf_option(enum conf_kind kind, const char *key);

enum { CONF_EXPECTS_MAX = 160, CONF_WRONG_MAX = 320 };
/* Writes what a value must be, as a noun phrase: "a number from 6 to 10". Returns dst. */
const char *conf_expects(const struct conf_option *o, char dst[static CONF_EXPECTS_MAX]);

/*
 * Reads the text and stores the value in the struct at base; the older value is freed. 0;
 * -OTP_EINVAL if the text is not what conf_expects() says; -OTP_ENOMEM. On failure nothing changes.
 */
int conf_set(const struct conf_option *o, void *base, const char *text);
/*
 * Writes why conf_set() refused the text, and what it expected: "\"9\": expected a number from 1 to
 * 5". If the value is a list, the message is about its first wrong item. Returns dst.
 */
const char *conf_wrong(
    const struct conf_option *o, const char *text, char dst[static CONF_WRONG_MAX]);
/* Frees all values that keys of this kind own in the struct at base. */
void conf_unset_all(enum conf_kind kind, void *base);

#endif
