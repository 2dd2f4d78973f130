/* A configured provider: its profile, its settings and its requests. */
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

enum provider_secrets {
	PROVIDER_NAME_SECRETS, /* check the names only, for a caller who cannot read the secrets */
	PROVIDER_READ_FILES,   /* warn of those that only systemd can hand over: cred:NAME */
	PROVIDER_READ_SECRETS,
};

/*
 * Loads the profile of a [provider] section and checks the section's settings: unknown ones,
 * missing ones, secrets that are not file:/PATH or cred:NAME. Errors become rows of *report, and so
 * does the warning of the profile. c must outlive *out. 0; -OTP_ECONF if there is an error;
 * -OTP_ENOMEM.
 */
int provider_load(const struct conf *c, const struct conf_provider *section, uid_t second_owner,
    enum provider_secrets secrets, struct provider **out, struct conf_report *report);
void provider_free(struct provider *p);

const char *provider_name(const struct provider *p);
const struct profile *provider_profile(const struct provider *p);
/* Which kind of contact the channel needs. The profile must have the channel. */
enum contact_kind provider_needs(const struct provider *p, const char *channel);

/*
 * Checks that the profile has the channel, and that every request can be made over it. The message
 * is a template, or "" for the profile's own. Errors, such as a message without ${code}, become
 * rows of *report. 0, -OTP_ECONF or -OTP_ENOMEM.
 */
int provider_check_channel(
    const struct provider *p, const char *channel, const char *message, struct conf_report *report);
/* True if it sends our text. A provider that makes and checks the code writes its own text. */
bool provider_takes_message(const struct provider *p);
/*
 * Reports that a channel has a message, but no provider that takes one. Returns -OTP_ECONF, never
 * 0.
 */
int provider_no_message(const struct conf *c, const char *channel, struct conf_report *report);

/* Keeps tokens of providers from one sign-in to the next. */
struct token_cache {
	/*
	 * Reads a token that has not expired. 0; -OTP_ENOENT if there is none; or another error,
	 * such as -OTP_ESTORE, after which the caller obtains a new token.
	 */
	int (*get)(struct token_cache *c, const char *key, struct secret *json);
	/* Keeps a token for ttl milliseconds. 0, or an error such as -OTP_ESTORE. */
	int (*put)(struct token_cache *c, const char *key, const struct secret *json, int64_t ttl);
	void (*drop)(struct token_cache *c, const char *key);
};

/*
 * Keeps the time before which a provider wants no request for an address (Retry-After). Each
 * address has a time of its own, so that a user who meets a limit does not lock others out.
 */
struct retry_after_book {
	/*
	 * Finds how long the address still has to wait. 0, with the milliseconds in *left_ms;
	 * -OTP_ENOENT if it need not wait; or another error, such as -OTP_ESTORE, after which the
	 * caller must send nothing.
	 */
	int (*left)(struct retry_after_book *b, const char *provider, const char *address,
	    int64_t *left_ms);
	/*
	 * Makes the address wait for retry_after_ms from now. 0, or an error such as -OTP_ESTORE.
	 */
	int (*keep)(struct retry_after_book *b, const char *provider, const char *address,
	    int64_t retry_after_ms);
};

/* What the requests of a provider use. Borrowed. */
struct provider_io {
	const char *request_id; /* of the sign-in, or NULL */
	struct http *http;
	struct token_cache *tokens;
	struct retry_after_book *retry_after;
	struct contacts *contacts; /* for the attributes of users */
};

enum sending_kind {
	SENDING_CODE,
	/*
	 * A message that informs the user and asks for nothing. Its ${code} is a reference number,
	 * because some providers send no text without one. Only providers that take our text send
	 * it.
	 */
	SENDING_NOTICE,
};

/* What to send, or which code to check. All strings are borrowed. */
struct sending {
	enum sending_kind kind;
	const char *user;
	const char *host;
	const char *service;
	const char *channel;
	const char *message; /* a template; "": the profile's message */
	const struct contact *contact;
	const char *code; /* the code to send, or the one to check, as the user typed it */
	int code_length;  /* digits: the value of ${code_length} */
	int64_t ttl;	  /* milliseconds that the code is valid */
	/*
	 * The person is at a known source. If a provider limits the rate, others may have used the
	 * limit up, so the next provider is asked.
	 */
	bool known;
	/*
	 * Asked before a send by a provider that ties its codes to the address alone. `identity` is
	 * of provider_identity(). True: the send would end a code that must stay, so it is only
	 * pretended. NULL: there is none.
	 */
	bool (*spares)(void *arg, const char *identity, const char *address);
	void *spares_arg;
	/* The JSON object of what an earlier send captured; NULL if there was none. */
	const char *captures;
};

enum { IDENTITY_MAX = 511 };
/*
 * Writes which address q->contact is at the provider: the host, and the address in the form in
 * which the send request names it, in small letters. Two sections, channels or users whose texts
 * are equal reach the same account of the provider, whatever their path or credential.
 * 0; -OTP_ENOENT or -OTP_EINVAL: the address cannot be rendered; -OTP_ETOOBIG; -OTP_ENOMEM.
 */
int provider_identity(
    const struct provider *p, const struct sending *q, char dst[static IDENTITY_MAX + 1]);
/*
 * True if the provider gets a phone number over this channel, and never its country. Then the same
 * number of another country is the same address there.
 */
bool provider_drops_country(const struct provider *p, const char *channel);

/* How a send or a check ended. sent_clear() wipes it. */
struct sent {
	struct outcome outcome; /* of the last request that was made */
	struct secret captures; /* a JSON object of what later requests need; empty for none */
	struct secret code;	/* of CODE_BY_RESPONSE: the code that the provider made */
	bool has_credits;	/* the answer has the number of messages that are left */
	int64_t credits;	/* that number */
};

/* The value before any request: nothing was written, and the class is c. */
#define SENT_INIT(c)                                 \
	((struct sent){                              \
	    .outcome = {.class = (c), .detail = ""}, \
	})

void sent_clear(struct sent *s);

/*
 * Makes the profile's `send` request once, or `resend` if q has captures and the profile has that.
 * *s says how it ended; the caller clears it with sent_clear(). The log gets the provider, the
 * class, the status and the time that it took.
 *
 * If a provider limits the rate and names a Retry-After, at most a day, later calls for the same
 * address do not ask it until the time is over: CLASS_RATE_LIMITED with the seconds that are left.
 *
 * 0, whatever the class; -OTP_EGONE if the peer hung up meanwhile.
 */
int provider_send(const struct provider *p, const struct provider_io *io, const struct sending *q,
    struct deadline dl, struct sent *s);
/*
 * Asks the provider whether q->code, which the user typed, is right. It is right only if the class
 * is CLASS_OK. The captures in *s are for provider_cleanup(). 0, whatever the class; -OTP_EGONE if
 * the peer hung up meanwhile.
 */
int provider_verify(const struct provider *p, const struct provider_io *io, const struct sending *q,
    struct deadline dl, struct sent *s);
/* Makes the profile's `cleanup` request, if it has one. Failures are only logged. */
void provider_cleanup(const struct provider *p, const struct provider_io *io,
    const struct sending *q, struct deadline dl);
/* Begins the profile's `warm` request, if it has one. It contains nothing about the user. */
void provider_warm(const struct provider *p, const struct provider_io *io);

#endif
