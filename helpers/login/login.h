/*
 * One sign-in, as a state machine over small interfaces that tests replace. Nothing here knows a
 * socket, a database, a library or the time.
 */
#ifndef OTP_LOGIN_H
#define OTP_LOGIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/deadline.h"
#include "common/secret.h"
#include "common/wire.h"
#include "helpers/base/account.h"
#include "helpers/conf/conf.h"
#include "helpers/contacts/contacts.h"
#include "helpers/provider/delivery.h"
#include "helpers/base/instant.h"
#include "helpers/login/prompts.h"
#include "helpers/store/store.h"

/* How a sign-in ends: the words of pam_otp-protocol(7). */
enum login_word {
	LOGIN_BROKEN,
	LOGIN_OK,
	LOGIN_DENIED,
	LOGIN_LOCKED,
	LOGIN_UNAVAIL,
	LOGIN_GONE,
	LOGIN_SKIP,
};

const char *login_word(enum login_word w);

enum answer { ANSWER_TEXT, ANSWER_CONV, ANSWER_CANCELLED, ANSWER_BLIND };

/* The person, through module and host. */
struct login_peer {
	/* Asks, and waits for the answer. 0; -OTP_ETIME; anything else: gone or broken. */
	int (*ask)(struct login_peer *p, const char *text, struct deadline dl, enum answer *kind,
	    struct secret *typed);
	/* Shows a line; nothing depends on it. */
	void (*show)(struct login_peer *p, const char *text);
	/* Lets ms pass. 0, or -OTP_EGONE when the peer has gone or spoken meanwhile. */
	int (*wait)(struct login_peer *p, int64_t ms);
};

/* The machine: its users. */
struct login_machine {
	int (*account)(struct login_machine *m, const char *name, struct account *out);
	/* Only where a rule needs them: it may take long. */
	int (*groups)(struct login_machine *m, struct account *a);
};

/* What the module said of this sign-in. Borrowed strings; NULL only where it is said. */
struct login_start {
	const char *service;
	const char *user;
	const char *rhost;
	const char *tty;
	const char *ruser;
	const char *ssh_connection;
	const char *ssh_auth_info;
	const char *fingerprint; /* "SHA256:...", where the key is known by nothing else; or NULL */
	const char *session;
	const char *session_start;
	const char *boot_id;
	uid_t peer; /* the host's effective uid, from the kernel */
	/*
	 * Of sshd: it says that a method has succeeded, or the stack holds a password. True for all
	 * other hosts, which say no such thing.
	 */
	bool first_factor;
};

/* What a sign-in has found of the user's ways. Borrowed for the call. */
struct login_destinations {
	const struct prompt_destination *destination; /* masked, in their order */
	int n;
	bool has_recovery; /* real ones, whatever a decoy looks like */
	const char *decoy; /* why they only look like it and nothing is sent; NULL: they are real */
};

/* Who looks on, and changes nothing: otpctl explain. */
struct login_watch {
	void (*rule)(struct login_watch *w, const struct conf_exempt *rule, const char *why_not);
	void (*destinations)(struct login_watch *w, const struct login_destinations *found);
};

/* Opens what a code needs to be sent; whoever is not asked never needs it. */
struct login_opener {
	int (*open)(struct login_opener *r, struct delivery **out);
};

struct login_ports {
	const struct conf *conf;
	const struct secret *host_key;
	const char *host; /* this machine's name, for messages */
	struct login_peer *peer;
	struct login_machine *machine;
	struct clock_source *clock;
	struct contacts *contacts;
	struct store *store;
	struct delivery *delivery; /* NULL: `reach` opens it when it is needed */
	struct login_opener *opener;
	struct login_watch *watch; /* or NULL */
};

/* How long a real send or check took: what decoys will be made to look like. */
struct login_sample {
	char what[80]; /* "send sms" */
	int64_t took_ms;
	int outcome; /* enum provider_class, and perhaps more */
};
enum { LOGIN_SAMPLES_MAX = 8 };

struct login_result {
	enum login_word word;
	char reason[240]; /* for the log: a rule's, with its name, fits */
	/* For the log line of the outcome. */
	char user[256]; /* canonical; "" when unknown: it may be a password typed too early */
	char service[256];
	char client[64]; /* numeric address, or "" */
	char channel[64];
	char provider[64];
	char masked[64];
	int wrong; /* codes tried in this sign-in that did not prove right */
	/* To be kept after the result was told: nobody waits for that. */
	struct login_sample sample[LOGIN_SAMPLES_MAX];
	int nsamples;
};

/*
 * Runs the sign-in until dl. Always ends in a result; only a code whose consumption is on disk
 * makes it LOGIN_OK.
 */
void login_run(const struct login_ports *ports, const struct login_start *start, struct deadline dl,
    struct login_result *out);

#endif
