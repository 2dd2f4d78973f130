/*
 * One sign-in, as a state machine. It reaches everything outside through the structs of functions
 * below, which tests and otpctl explain replace: it uses no socket, database or clock itself.
 */
#ifndef OTP_LOGIN_H
#define OTP_LOGIN_H

#include <netinet/in.h>
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

/* The result of a sign-in. pam_otp-protocol(7) defines each word. */
enum login_word {
	LOGIN_BROKEN,
	LOGIN_OK,
	LOGIN_DENIED,
	LOGIN_LOCKED,
	LOGIN_UNAVAIL,
	LOGIN_GONE,
	LOGIN_SKIP,
};

/* The word as the protocol and the log write it: "ok", "denied" and so on. */
const char *login_word(enum login_word w);

/* What came back from a prompt. */
enum answer {
	ANSWER_TEXT,	  /* the user typed something, or only Enter */
	ANSWER_CONV,	  /* the host's conversation failed, or the answer was too long */
	ANSWER_CANCELLED, /* the conversation returned no answer */
	ANSWER_BLIND,	  /* the host program answered by itself: no person typed anything */
};

/* The user, as seen through the module and the host program. */
struct login_peer {
	/*
	 * Shows a prompt and waits until dl for the answer. Sets *kind and, with ANSWER_TEXT, what
	 * was typed; the caller owns *typed. 0, -OTP_ETIME (no answer before dl), -OTP_EGONE (the
	 * host closed the connection), -OTP_EPROTO (the module broke the protocol), -OTP_ESYS,
	 * -OTP_ETOOBIG or -OTP_ENOMEM.
	 */
	int (*ask)(struct login_peer *p, const char *text, struct deadline dl, enum answer *kind,
	    struct secret *typed);
	/* Shows a line. A failure is ignored: the sign-in does not depend on the line. */
	void (*show)(struct login_peer *p, const char *text);
	/*
	 * Waits for ms milliseconds. 0, or -OTP_EGONE if the host closed the connection meanwhile,
	 * or sent a message that was not due.
	 */
	int (*wait)(struct login_peer *p, int64_t ms);
};

/* The users, groups and addresses of this machine. */
struct login_machine {
	/* Looks a user up. 0 or the errors of account_lookup(). */
	int (*account)(struct login_machine *m, const char *name, struct account *out);
	/*
	 * Adds the user's groups to *a. A slow name service makes this slow, so it is called only
	 * if an [exempt] rule asks for groups. 0 or the errors of account_groups().
	 */
	int (*groups)(struct login_machine *m, struct account *a);
	/* True if the address is this machine's own, see own_address(). */
	bool (*is_own)(struct login_machine *m, const struct in6_addr *a);
};
/* Copy it to get what the name service and the kernel of this machine say. */
extern const struct login_machine login_this_machine;

/*
 * What the module sent about this sign-in, in its start message. The strings are borrowed. A string
 * that the module did not know is "", and only `fingerprint` may be NULL.
 */
struct login_start {
	const char *service;
	const char *user;
	const char *rhost;
	const char *tty;
	const char *ruser;
	const char *ssh_connection;
	const char *ssh_auth_info;
	/* "SHA256:...": otpctl explain names an accepted key by its fingerprint alone. Or NULL. */
	const char *fingerprint;
	const char *session;
	const char *session_start;
	const char *boot_id;
	/* The host program's effective uid, as the kernel gives it. 0 also if it is trusted as
	 * root. */
	uid_t peer;
	/*
	 * With sshd: an authentication method has succeeded before, or an earlier PAM module has
	 * kept a password. Always true with other hosts, because they do not report it.
	 */
	bool first_factor;
};

/* The destinations that a sign-in has found for the user. Borrowed for the call. */
struct login_destinations {
	const struct prompt_destination *destination; /* masked, in the order of the menu */
	int n;
	bool has_recovery; /* the user really has unused recovery codes */
	/* NULL, or why the destinations are a decoy's: made up, and nothing is sent to them. */
	const char *decoy;
};

/* An observer that changes nothing: otpctl explain. */
struct login_watch {
	/* why_not is NULL if the rule decides, else the reason why it does not match. */
	void (*rule)(struct login_watch *w, const struct conf_exempt *rule, const char *why_not);
	void (*destinations)(struct login_watch *w, const struct login_destinations *found);
};

/* Opens the delivery of codes. A sign-in that ends without a prompt never opens it. */
struct login_opener {
	/*
	 * Loads the providers into *out, which the opener keeps and closes. It logs the cause of a
	 * failure. 0, the errors of delivery_open() or, in the helper, of http_load() and
	 * http_open_fn: -OTP_ECONF, -OTP_ENOMEM, -OTP_ECRYPTO, -OTP_EPERM, -OTP_ESYS, -OTP_EPROTO.
	 */
	int (*open)(struct login_opener *r, struct delivery **out);
};

/* Everything that a sign-in uses. All is borrowed. */
struct login_ports {
	const struct conf *conf;
	const struct secret *host_key;
	const char *host; /* the name of this machine, for the text that carries the code */
	struct login_peer *peer;
	struct login_machine *machine;
	struct clock_source *clock;
	struct contacts *contacts;
	struct store *store;
	struct delivery *delivery; /* NULL: `opener` opens it when it is needed */
	struct login_opener *opener;
	struct login_watch *watch; /* NULL: nobody watches */
};

/* How long a real send or check took. Later decoys wait as long. */
struct login_sample {
	char what[80]; /* "send sms", "check voice" */
	int64_t took_ms;
	int outcome; /* enum provider_class, perhaps with SAMPLE_INSTEAD of internal.h */
};
enum { LOGIN_SAMPLES_MAX = 8 };

struct login_result {
	enum login_word word;
	char reason[240]; /* for the log; long enough for a rule's name and reason */
	/* The rest of the log line. */
	/* The canonical name. "" for an unknown user: the name may be a password typed too early.
	 */
	char user[256];
	char service[256]; /* "peer:NAME" if the host program does not run as root */
	char client[64];   /* numeric address, or "" */
	char channel[64];
	char provider[64];
	char masked[64];
	int wrong; /* how many codes of this sign-in were refused */
	/* For the caller to store after it has sent the result, so that the user need not wait. */
	struct login_sample sample[LOGIN_SAMPLES_MAX];
	int nsamples;
};

/*
 * Runs the sign-in, until dl at most, and fills *out. It is LOGIN_OK only if a code proved right
 * and the store has recorded on disk that the code is used. Each failure ends in another word.
 */
void login_run(const struct login_ports *ports, const struct login_start *start, struct deadline dl,
    struct login_result *out);

#endif
