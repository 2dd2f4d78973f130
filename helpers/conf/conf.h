/*
 * The configuration: pam_otp.conf(5) in C. table.c holds the table of all keys, with their types,
 * defaults and ranges.
 *
 * All times are milliseconds, unless a name ends in _s (seconds). A struct conf owns everything in
 * it; conf_free() frees it all.
 */
#ifndef OTP_CONF_H
#define OTP_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "helpers/conf/report.h"

struct strlist {
	char **item;
	size_t n;
};

/* True if one item equals s, byte for byte. */
bool strlist_has(const struct strlist *l, const char *s);

enum ask_first { ASK_AUTO, ASK_ALWAYS, ASK_NEVER };
enum unregistered { UNREGISTERED_DENY, UNREGISTERED_SKIP };
enum identity { IDENTITY_TARGET, IDENTITY_CALLER };
enum fallback { FALLBACK_NO, FALLBACK_YES };
enum first_factor { FIRST_FACTOR_CHECK, FIRST_FACTOR_TRUST };
enum require_verified { REQUIRE_VERIFIED_NO, REQUIRE_VERIFIED_YES };

/* The options of [otp], or of one service: its [service ...] section overrides [otp]. */
struct conf_signin {
	struct strlist channels; /* the user is offered them in this order */
	int code_length;	 /* 6..10 digits of a code that the helper makes */
	int64_t code_ttl;	 /* 30s..10m */
	int tries;		 /* wrong answers that end a sign-in, 1..5 */
	enum ask_first ask_first;
	struct strlist interactive_services;
	struct strlist never_prompt_services; /* these cannot ask the user anything */
	enum unregistered unregistered;
	enum require_verified require_verified; /* send codes to verified contacts only? */
	enum identity identity;
	/* At sshd, must a first factor be proved before a user is let in without a code? */
	enum first_factor first_factor;
	enum fallback fallback;	 /* try the next channel if every provider of one fails? */
	int64_t send_timeout;	 /* for all attempts to send one message */
	int64_t attempt_timeout; /* for one provider to accept a message */
	int64_t verify_timeout;	 /* for one provider to check a code */
	int64_t login_timeout;	 /* for the whole sign-in */
	int64_t remember; /* how long after a success the user is not asked again; 0: ask always */
};

/* At most count events in any span of this length. */
struct conf_window {
	int count;
	int64_t span;
};

enum { CONF_WINDOWS_MAX = 4 };

struct conf_windows {
	struct conf_window item[CONF_WINDOWS_MAX];
	size_t n;
};

/* After this many wrong codes in a row on one counter, only `otpctl unlock` ends the lock-out. */
enum { CONF_FAILURES_MOST = 100 };

/* [limits] */
struct conf_limits {
	int64_t resend_wait;
	/* These four do not count the messages of sign-ins that succeeded. */
	struct conf_windows sends_per_user;
	struct conf_windows sends_per_address;
	struct conf_windows sends_per_client; /* one IPv4 address, or one /64 network of IPv6 */
	struct conf_windows sends_per_host;
	struct conf_windows messages_per_address; /* counts every message */
	struct strlist prefixes; /* messages go only to numbers that begin so; empty: to all */
	int failures;		 /* wrong codes in a row before the first lock-out */
	int64_t backoff_first;	 /* the first lock-out; each further wrong code doubles it */
	int64_t backoff_most;	 /* the longest lock-out */
};

/* [paths]: for machines that do not use the installed files, such as a developer's. */
struct conf_paths {
	char *contacts;		 /* the database of contacts, contacts.db */
	char *state;		 /* the folder that holds store.db */
	char *host_key;		 /* a file of at least 32 random bytes */
	struct strlist profiles; /* folders, searched in this order for NAME.json */
};

/* One KEY = VALUE of a file, as text, with the file and line that it comes from. */
struct conf_setting {
	char *key;
	char *value;
	char *file;
	unsigned line;
};

/* [channel NAME] */
struct conf_channel {
	char *name;
	struct strlist providers;
	char *message; /* a template, not yet parsed; "": the profile's message is sent */
};

/* [provider NAME]: the keys of every provider, and the settings of its profile. */
struct conf_provider {
	char *name;
	char *profile;	 /* NAME of the profile's file NAME.json; by default the section's name */
	char *variant;	 /* or NULL */
	char *ca;	 /* a file or folder of certificates, besides the system's; or NULL */
	char *proxy;	 /* a URL, or NULL */
	int low_credits; /* log a warning if fewer messages than this are left */
	struct conf_setting *vars; /* all other keys; provider_load() checks them */
	size_t nvars;
	char
	    *file; /* where the section's heading stands; the first one, if several files have it */
	unsigned line;
};

/* A network in CIDR form. An IPv4 network is kept as v4-mapped IPv6 (RFC 4291, 2.5.5.2). */
struct conf_network {
	unsigned char addr[16];
	int prefix; /* 0..128 */
};

/* [exempt NAME]: it matches if every key that is set matches. A list matches if one item does. */
struct conf_exempt {
	char *name;
	struct strlist users;
	struct strlist groups;
	struct strlist services;
	struct conf_network *network;
	size_t nnetworks;
	bool requires_publickey;
	char *reason;
	int64_t until_s; /* seconds since the epoch: the end of the named day in local time */
};

struct conf {
	struct conf_signin signin; /* [otp]; use conf_signin_for() for the options of a service */
	struct conf_limits limits;
	struct conf_paths paths;
	struct conf_channel *channel;
	size_t nchannels;
	struct conf_provider *provider;
	size_t nproviders;
	struct conf_exempt *exempt;
	size_t nexempts;
	struct conf_internal *internal; /* the text of all settings, and the options per service */
};

/*
 * Reads the file and its drop-in files, which are PATH.d/ *.conf in the order of strverscmp(3).
 * Root or second_owner must own each file. Each error and warning becomes a row of *report, which
 * must be empty before: "[SECTION] KEY: what is wrong, what was expected". Profiles are not read
 * here, see provider_load(). The caller frees *out with conf_free().
 * 0; -OTP_ECONF if there is an error; -OTP_ENOMEM.
 */
int conf_load(const char *path, uid_t second_owner, struct conf **out, struct conf_report *report);
/*
 * Does the same as conf_load() at the time now_s (seconds since the epoch). The time decides only
 * which [exempt] rules a warning calls expired, or close to it. 0 or the errors of conf_load().
 */
int conf_load_at(const char *path, uid_t second_owner, int64_t now_s, struct conf **out,
    struct conf_report *report);
void conf_free(struct conf *c);

/* The options of a service, or of [otp] if no section names it. Borrowed from c. */
const struct conf_signin *conf_signin_for(const struct conf *c, const char *service);
/* Finds the section of this name. It is borrowed from c; NULL if there is none. */
const struct conf_channel *conf_channel(const struct conf *c, const char *name);
const struct conf_provider *conf_provider(const struct conf *c, const char *name);

/* One key with its value in effect. All strings are borrowed. */
struct conf_shown {
	const char *section; /* "otp", "provider tingting" */
	const char *key;
	const char *value; /* as in a file; "" if the key is not set and has no default */
	const char *file;  /* the file that sets it, or "default" */
	unsigned line;	   /* 0 for a default */
	bool free_key;	   /* a setting of a provider's profile */
};
typedef void conf_show_fn(const struct conf_shown *shown, void *arg);
/*
 * Calls fn for each key, in the order of the table. With a service, the keys that its section sets
 * are shown in that section and not in [otp], and sections of other services are left out. The
 * value of a free key may be a secret that was written there by mistake. Only the provider's
 * profile knows which keys are secret, so the caller must ask the profile before it prints one.
 */
void conf_show(const struct conf *c, const char *service, conf_show_fn *fn, void *arg);

/*
 * The arg of conf_show_text(), a conf_show_fn that appends each row to *out as lines of a
 * configuration file. If the rows of conf_show() without a service are written to a file, that file
 * gives the same configuration. A comment names the file and line that set the values below it. A
 * key without a value becomes a comment. So does a key whose value the caller replaced by NULL
 * because it may be a secret.
 */
struct conf_show_text {
	struct buf *out;
	const char *section, *file; /* of the row before, borrowed from the configuration */
	unsigned line;
};
void conf_show_text(const struct conf_shown *shown, void *arg);

/*
 * Add a row about a key: "[SECTION] KEY: what fmt says", with the file and line that set the key;
 * if no file sets it, with those of the section; if there is no such section, with the main file.
 */
void conf_error_at(struct conf_report *rep, const struct conf *c, const char *section,
    const char *key, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void conf_warn_at(struct conf_report *rep, const struct conf *c, const char *section,
    const char *key, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* True if messages may go to this E.164 number: [limits] prefixes is empty, or one matches. */
bool conf_allows_number(const struct conf *c, const char *phone);

/* The candidate that a misspelt word most likely means, or NULL if none is close. */
const char *conf_suggest(const char *word, const char *const *candidate, size_t n);

/* Reads "100ms", "30s", "5m", "1h" or "2d" as milliseconds. 0 or -OTP_EINVAL. */
int conf_duration(const char *s, int64_t *ms);

#endif
