/* A configured provider: a profile with its settings, and the requests it makes. */
#ifndef OTP_PROVIDER_H
#define OTP_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/deadline.h"
#include "common/secret.h"
#include "helpers/conf/conf.h"
#include "helpers/contacts/contacts.h"
#include "helpers/http/http.h"
#include "helpers/profile/profile.h"
#include "helpers/provider/request.h"

struct provider;

/* Do secrets have to be readable now? */
enum provider_secrets {
	PROVIDER_NAME_SECRETS, /* only named: `config check` as a user who may not read them */
	PROVIDER_READ_SECRETS,
};

/*
 * Loads the profile of a [provider] section and judges the section against it: unknown settings,
 * missing required ones, secrets that are not file: or cred:. Errors become rows of
 * *report, and so does the profile's own warning. 0, -OTP_ECONF, -OTP_ENOMEM.
 */
int provider_load(const struct conf *c, const struct conf_provider *section, uid_t second_owner,
    enum provider_secrets secrets, struct provider **out, struct conf_report *report);
void provider_free(struct provider *p);

const char *provider_name(const struct provider *p);
const struct profile *provider_profile(const struct provider *p);
/* The kind of contact that the channel needs; the channel must be one of the profile's. */
enum contact_kind provider_needs(const struct provider *p, const char *channel);

/*
 * Can it serve the channel with this text (a template; "" for the profile's own)? Errors, e.g. a
 * text without ${code}, go to *report. 0 or -OTP_ECONF.
 */
int provider_check_channel(
    const struct provider *p, const char *channel, const char *message, struct conf_report *report);
/* Does it send a text of ours? One that makes and checks the code itself writes its own. */
bool provider_takes_message(const struct provider *p);
/* The error where none of a channel's providers takes the channel's text. -OTP_ECONF. */
int provider_no_message(const char *channel, struct conf_report *report);

/* Tokens that outlive a sign-in. The interface of who keeps them. */
struct token_cache {
	/* -OTP_ENOENT where there is none that still lives. */
	int (*get)(struct token_cache *c, const char *key, struct secret *json);
	int (*put)(struct token_cache *c, const char *key, const struct secret *json, int64_t ttl);
	void (*drop)(struct token_cache *c, const char *key);
};

/*
 * Until when a provider wants no message for an address. By address: the limit that one person has
 * run into must not lock the others out. The interface of who remembers.
 */
struct retry_after_book {
	/* 0 with how many milliseconds are left; -OTP_ENOENT where there is none, or it is over. */
	int (*left)(struct retry_after_book *b, const char *provider, const char *address,
	    int64_t *left_ms);
	int (*keep)(struct retry_after_book *b, const char *provider, const char *address,
	    int64_t retry_after_ms);
};

/* What a provider's requests need from outside. Borrowed. */
struct provider_io {
	const char *request_id; /* of the sign-in, or NULL */
	struct http *http;
	struct token_cache *tokens;
	struct retry_after_book *retry_after;
	struct contacts *contacts; /* for attributes */
};

enum sending_kind {
	SENDING_CODE,
	/*
	 * A text that tells of something and asks for nothing: ${code} in it is a number to refer
	 * to, for some providers send no text without one. Only by who sends texts of ours.
	 */
	SENDING_NOTICE,
};

/* One send, or the check of a code. Borrowed strings. */
struct sending {
	enum sending_kind kind;
	const char *user;
	const char *host;
	const char *service;
	const char *channel;
	const char *message; /* a template, "" for the profile's */
	const struct contact *contact;
	const char *code; /* made by us, or typed */
	int code_length;  /* digits, where the provider is told */
	int64_t ttl;	  /* milliseconds */
	/* What the send before captured, a JSON object; NULL for none. */
	const char *captures;
};

struct sent {
	struct outcome outcome; /* of the last request that was made */
	struct secret captures; /* a JSON object of what later requests need */
	struct secret code;	/* of CODE_BY_RESPONSE */
	bool has_credits;	/* the provider said how many messages are left */
	int64_t credits;
};

/* Nobody has said anything yet: what it is of this class. */
#define SENT_INIT(c)                                 \
	((struct sent){                              \
	    .outcome = {.class = (c), .detail = ""}, \
	})

void sent_clear(struct sent *s);

/*
 * Makes the request once. What became of it is in *s, which the caller clears, and in the log with
 * the provider, the class, the status and the time it took. A send with captures is a resend, where
 * the profile has one.
 * A provider that refuses for its rate limit and says for how long (Retry-After, a day at most) is
 * not asked again for this address before that: CLASS_RATE_LIMITED with what is left.
 * 0; -OTP_EGONE when the peer has gone meanwhile. Everything else is a class.
 */
int provider_send(const struct provider *p, const struct provider_io *io, const struct sending *q,
    struct deadline dl, struct sent *s);
/* q->code is what was typed. CLASS_OK is the only right answer. The captures are for the clean-up.
 */
int provider_verify(const struct provider *p, const struct provider_io *io, const struct sending *q,
    struct deadline dl, struct sent *s);
/* Best effort. */
void provider_cleanup(const struct provider *p, const struct provider_io *io,
    const struct sending *q, struct deadline dl);
/* Begins the profile's `warm` request, if it has one; nothing of a user goes into it. */
void provider_warm(const struct provider *p, const struct provider_io *io);

#endif
