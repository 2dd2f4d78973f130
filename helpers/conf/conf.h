/*
 * The configuration: pam_otp.conf(5) in C. One option table in table.c drives types, defaults,
 * ranges, `otpctl config show`, the manual's check and the test that flips every option.
 *
 * All times are milliseconds unless the name says otherwise. Everything in a struct conf belongs to
 * it and goes with conf_free().
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

bool strlist_has(const struct strlist *l, const char *s);

enum ask_first { ASK_AUTO, ASK_ALWAYS, ASK_NEVER };
enum unregistered { UNREGISTERED_DENY, UNREGISTERED_SKIP };
enum identity { IDENTITY_TARGET, IDENTITY_CALLER };
enum fallback { FALLBACK_NO, FALLBACK_YES };
enum first_factor { FIRST_FACTOR_CHECK, FIRST_FACTOR_TRUST };
enum require_verified { REQUIRE_VERIFIED_NO, REQUIRE_VERIFIED_YES };

/* [otp], overridden by the [service ...] section that names the service. */
struct conf_signin {
	struct strlist channels; /* offered in this order */
	int code_length;	 /* 6..10 digits, when we make the code */
	int64_t code_ttl;	 /* 30s..10m */
	int tries;		 /* per sign-in, 1..5 */
	enum ask_first ask_first;
	struct strlist interactive_services;
	struct strlist never_prompt_services; /* nobody is behind them */
	enum unregistered unregistered;
	enum require_verified require_verified; /* of contacts */
	enum identity identity;
	enum first_factor first_factor; /* of sshd, before anybody is let in unasked */
	enum fallback fallback;		/* to the next channel, when none of its providers works */
	int64_t send_timeout;		/* all providers together */
	int64_t attempt_timeout;	/* one provider */
	int64_t verify_timeout;
	int64_t login_timeout;
	int64_t remember; /* for so long a sign-in that ended in ok is not asked again; 0: never */
};

/* At most count events within span. */
struct conf_window {
	int count;
	int64_t span;
};

enum { CONF_WINDOWS_MAX = 4 };

struct conf_windows {
	struct conf_window item[CONF_WINDOWS_MAX];
	size_t n;
};

/* Wrong codes in a row on one budget, and no more, until somebody unlocks it. */
enum { CONF_FAILURES_MOST = 100 };

/* [limits] */
struct conf_limits {
	int64_t resend_wait;
	/* Messages, but those of sign-ins that ended in ok. */
	struct conf_windows sends_per_user;
	struct conf_windows sends_per_address;
	struct conf_windows sends_per_client; /* a remote address, or an IPv6 /64 */
	struct conf_windows sends_per_host;
	struct conf_windows messages_per_address; /* every message */
	struct strlist prefixes; /* of the numbers that may be sent to; empty: all */
	int failures;		 /* in a row; then back-off */
	int64_t backoff_first;	 /* doubles with each further failure */
	int64_t backoff_most;
};

/* [paths]: where the installed ones are not wanted (a developer's machine, tests). */
struct conf_paths {
	char *contacts;		 /* contacts.db */
	char *state;		 /* the folder that holds store.db */
	char *host_key;		 /* a file of 32 random bytes or more */
	struct strlist profiles; /* folders, searched in this order for NAME.json */
};

/* A key of a section whose keys are not fixed, and where it stands. */
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
	char *message; /* a template, unparsed; "" is the profile's own */
};

/* [provider NAME]: the fixed keys, and the rest, which the profile's `vars` judge. */
struct conf_provider {
	char *name;
	char *profile; /* NAME of NAME.json; the section's name by default */
	char *variant; /* or NULL */
	char *ca;      /* absolute path of a file or folder, in addition to the system's; or NULL */
	char *proxy;   /* URL, or NULL */
	int low_credits; /* fewer messages left than this are warned of */
	struct conf_setting *vars;
	size_t nvars;
	char *file; /* where the section stands (first) */
	unsigned line;
};

/* A network in CIDR form; IPv4 is kept as its v4-mapped IPv6 address. */
struct conf_network {
	unsigned char addr[16];
	int prefix; /* 0..128 */
};

/* [exempt NAME]: all kinds that are given must match; within a kind, any of its items. */
struct conf_exempt {
	char *name;
	struct strlist users;
	struct strlist groups;
	struct strlist services;
	struct conf_network *network;
	size_t nnetworks;
	bool requires_publickey;
	char *reason;
	int64_t until_s; /* wall clock, seconds: the end of the named day, local time */
};

struct conf {
	struct conf_signin signin; /* [otp] alone: see conf_signin_for() */
	struct conf_limits limits;
	struct conf_paths paths;
	struct conf_channel *channel;
	size_t nchannels;
	struct conf_provider *provider;
	size_t nproviders;
	struct conf_exempt *exempt;
	size_t nexempts;
	struct conf_internal *internal; /* values with their origins, per-service overrides */
};

/*
 * Reads the file and its drop-ins (PATH.d/ *.conf, in strverscmp order: every one must be readable
 * and right). Files must be owned by root or `also`. Every error and warning found becomes a row
 * of *report: "[section] key: what is wrong, what was expected". The report must be empty before.
 * Profiles are not judged here: provider_load() does that. 0, -OTP_ECONF, -OTP_ENOMEM.
 */
int conf_load(const char *path, uid_t second_owner, struct conf **out, struct conf_report *report);
/* The same at another time: now_s (wall clock, seconds) decides which [exempt] rules are over. */
int conf_load_at(const char *path, uid_t second_owner, int64_t now_s, struct conf **out,
    struct conf_report *report);
void conf_free(struct conf *c);

/* The options for one service; borrowed from c. */
const struct conf_signin *conf_signin_for(const struct conf *c, const char *service);
/* NULL where there is none. */
const struct conf_channel *conf_channel(const struct conf *c, const char *name);
const struct conf_provider *conf_provider(const struct conf *c, const char *name);

/*
 * Every option with its effective value and the file that set it ("default" where none did), in the
 * table's order. The value is as it would be written in a file. With a service, the options that
 * its section sets follow those of [otp], which lacks them then, and other services are left out.
 * The free keys of a provider are shown as they are written; which of them may hold a secret is
 * known to its profile alone: whoever prints must ask it.
 */
struct conf_shown {
	const char *section; /* "otp", "provider tingting" */
	const char *key;
	const char *value; /* "" where there is none */
	const char *file;
	unsigned line; /* 0 for a default */
	bool free_key; /* of a provider, judged by its profile */
};
typedef void conf_show_fn(const struct conf_shown *shown, void *arg);
void conf_show(const struct conf *c, const char *service, conf_show_fn *fn, void *arg);

/*
 * A conf_show_fn that puts each row behind *out, as lines of a configuration file. What all rows of
 * conf_show() without a service make is read as the same configuration. A comment above a value
 * names the file and line that set it, where they are not those of the value before. A row without
 * a value is a comment; so is one whose value the caller set to NULL, since it may be a secret.
 */
struct conf_show_text {
	struct buf *out;
	const char *section, *file; /* of the row before, borrowed from the configuration */
	unsigned line;
};
void conf_show_text(const struct conf_shown *shown, void *arg);

/* May a message go to this E.164 number: does it begin with one of [limits] prefixes? */
bool conf_allows_number(const struct conf *c, const char *phone);

/* The closest of the candidates to a misspelt word, or NULL when none is close. */
const char *conf_suggest(const char *word, const char *const *candidate, size_t n);

/* "5m", "30s", "100ms", "1h", "2d" in milliseconds. 0 or -OTP_EINVAL. */
int conf_duration(const char *s, int64_t *ms);

#endif
