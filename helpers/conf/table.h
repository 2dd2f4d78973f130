/*
 * The option table: every key of the configuration with its place, type, default and range. The
 * parser, `otpctl config show`, the check of the manual and the test that flips every option read
 * it.
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

/* The first word of a heading of the kind. */
const char *conf_kind_name(enum conf_kind kind);

enum conf_type {
	CONF_NUMBER,   /* int */
	CONF_DURATION, /* int64_t, milliseconds */
	CONF_WORD,     /* an enum, by the place of the word in .words */
	CONF_NAME,     /* char *; NULL where none is given */
	CONF_OWN_NAME, /* char *; the section's name by default */
	CONF_TEXT,     /* char *, never NULL */
	CONF_PATH,     /* char *; NULL where none is given */
	CONF_PROXY,    /* char *; NULL where none is given */
	CONF_NAMES,    /* struct strlist, as are the following */
	CONF_SERVICES,
	CONF_USERS,
	CONF_GROUPS,
	CONF_FOLDERS,
	CONF_PREFIXES,
	CONF_WINDOWS,  /* struct conf_windows; range: of the counts */
	CONF_NETWORKS, /* struct conf_exempt's network and nnetworks */
	CONF_REQUIRES, /* bool */
	CONF_DATE,     /* int64_t, seconds */
};

struct conf_option {
	enum conf_kind kind; /* CONF_OTP also stands for CONF_SERVICE */
	const char *key;
	enum conf_type type;
	size_t offset;	 /* in the struct of the kind */
	const char *def; /* as in a file; NULL: none */
	bool required;	 /* there is no default that would do */
	int64_t min, max;
	const char *const *words; /* CONF_WORD: ended by NULL */
};

extern const struct conf_option conf_table[];
extern const size_t conf_table_n;

/* NULL where the kind has no such key. */
const struct conf_option *conf_option(enum conf_kind kind, const char *key);

enum { CONF_EXPECTS_MAX = 160, CONF_WRONG_MAX = 320 };
/* What a value must be, as a noun phrase: "a number from 6 to 10". Returns dst. */
const char *conf_expects(const struct conf_option *o, char dst[static CONF_EXPECTS_MAX]);

/*
 * Puts the value of text into the option's place in the struct at base, whose older value is freed.
 * 0, -OTP_EINVAL (it is not what conf_expects() says) or -OTP_ENOMEM; base is unchanged then.
 */
int conf_set(const struct conf_option *o, void *base, const char *text);
/*
 * What is wrong with a text that conf_set() refused, and what it must be: "\"9\": expected a number
 * from 1 to 5"; of a list, with its first item that is wrong, and the cause. Returns dst.
 */
const char *conf_wrong(
    const struct conf_option *o, const char *text, char dst[static CONF_WRONG_MAX]);
/* Frees what the options of the kind own in the struct at base. */
void conf_unset_all(enum conf_kind kind, void *base);

#endif
