/*
 * Runs a sign-in whose surroundings are replaced. The user follows a script that must end empty;
 * the phone, the clock, the accounts and the configuration are the test's. Store and contacts are
 * real SQLite in a folder of the test, and any one of their calls can be made to fail.
 */
#ifndef OTP_LOGIN_RIG_H
#define OTP_LOGIN_RIG_H

#include "tests/unit/unit.h"

#include "helpers/login/login.h"
#include "helpers/codes/recovery.h"

/* One prompt and its answer. */
struct line {
	const char *prompt; /* a text that the prompt must contain */
	/*
	 * What the user types. "@code" is the code on the phone, "@spaced" the same with blanks and
	 * a dash, "@wide" the same in full-width digits, "@old" the code before it, "@wrong" a code
	 * that was never sent. "@rc0" to "@rc3" are recovery codes; "@rcx" was never issued.
	 */
	const char *answer;
	enum answer kind;
	int error;	   /* what ask() of struct login_peer returns; 0 for an answer */
	int64_t before_ms; /* how far the test's clock moves before the answer */
	void (*meanwhile)(void);
};

#define SAY(p, a)                            \
	{                                    \
		.prompt = (p), .answer = (a) \
	}
#define LATER(ms, p, a)                                         \
	{                                                       \
		.prompt = (p), .answer = (a), .before_ms = (ms) \
	}
#define KIND(k, p)                                       \
	{                                                \
		.prompt = (p), .answer = "", .kind = (k) \
	}
#define FAIL(r, p)                                        \
	{                                                 \
		.prompt = (p), .answer = "", .error = (r) \
	}

#define ENTER  "Press Enter to have a verification code sent"
#define SENT   "A verification code was sent by SMS to +91 ******** 19. It ends in 5 minutes.\n"
#define PROMPT "Verification code (r = resend): "
#define CHOICE "Verification code (r = resend, o = other way): "
#define RC     "Recovery code (r = send a code): "
/* The last words if the host asks first: one more prompt, whose answer is ignored. */
#define LAST(text) SAY(text "\nPress Enter to end: ", "")

enum { RIG_CODES = 4 }; /* recovery codes of one issue */

/* Does the call that fails do its work before? */
enum rig_fault { FAULT_BEFORE, FAULT_AFTER };

struct rig {
	struct folder folder;
	struct login_start start;
	struct login_result result;
	struct instant now;
	struct conf *conf;
	struct store *real_store;
	struct contacts *real_contacts;
	/* The phone. */
	enum provider_class sends_as[8]; /* the outcome of each send; the last for all others */
	size_t nsends_as;
	int error; /* what a send or a check returns */
	enum code_by code_by;
	char before[320]; /* what the last send received: the provider before, its captures */
	int checks, warmed;
	enum provider_class checks_as; /* the answer to every check; CLASS_OK: compare */
	const char *right;	       /* the code that the provider accepts; NULL: the last code */
	bool check_unwritten;	       /* no request of the check was written */
	char checked[320];	       /* address, captures and code of the last check */
	long retry_after;
	enum provider_class
	    email_sends_as;	     /* the outcome of each send by e-mail, if not CLASS_OK */
	bool instead;		     /* another provider of the channel accepted it */
	bool newest_counts;	     /* a provider ties its codes to the address alone */
	int pretended;		     /* sends that were spared because of that */
	int64_t stall_ms;	     /* how far each send moves the monotonic clock */
	char sent_destinations[256]; /* "sms +919876543219 123456; email ..." */
	int64_t send_takes_ms, check_takes_ms;
	int sends;
	char code[16], old[16], sent_to[256], sent_channel[64];
	/* The person. */
	const struct line *script;
	/* Instead of a script: writes what the user types. Returns as ask(). */
	int (*person)(const char *prompt, enum answer *kind, char *typed, size_t size);
	size_t left;
	int prompts, code_prompts, last_prompts;
	char shown[8][WIRE_PROMPT_MAX + 1]; /* lines without a question */
	int nshown;
	char transcript[8192]; /* every prompt and every line shown, over all runs */
	int64_t waited_ms;     /* by decoys, and for concurrent sign-ins */
	int lock_busy;	       /* how often another sign-in is found to hold the send lock */
	int places_busy;       /* how often others are found to hold the places for hashes */
	uint64_t place;	       /* the number with which a place for a hash was taken last, */
	bool place_known;      /* and whether it was one of known sources, */
	bool place_held;       /* and whether it is held now */
	int waits, wait_error;
	void (*on_wait)(void);
	void (*on_check)(void);			     /* while the provider checks */
	char recovery[RIG_CODES][RECOVERY_CODE_MAX]; /* as they were issued */
	int hashes;				     /* of recovery codes */
	bool hash_really;			     /* use the real, slow hash */
	/* The machine. */
	struct in6_addr own_address; /* the machine's only one; zeroed: none that a client has */
	int account_error, groups_error;
	/* Which call of store or contacts fails, from 1 on; 0 for none. */
	int fail_at, calls;
	int fail_with;
	enum rig_fault fault;
	bool fault_hit;
	bool fault_ignored; /* the sign-in goes on after this fault, by design */
	char ops[1024]; /* the store's and the contacts' calls of this sign-in: "contacts put " */
	int64_t deadline_ms;
	int64_t mono_ms; /* added to the monotonic clock */
};

extern struct rig rig;
/* How many codes the store compared, found wrong and counted, over all runs. */
extern int rig_wrong;

int rig_setup(void **state);
int rig_teardown(void **state);
/*
 * Replaces the configuration: lines for [otp] and [limits], and whole sections. The channels are
 * sms and email unless [otp] names others; a channel voice exists, too.
 */
void rig_conf(const char *otp, const char *limits, const char *rest);
void rig_start(const char *service, const char *user);
void rig_contact(const char *user, enum contact_kind kind, const char *address);
/* Registers a phone for each of the users u00, u01 and so on, n in all. */
void rig_office(int n);
/* Runs the sign-in against the script, which must end empty. */
enum login_word rig_run_lines(const struct line *script, size_t n);
/* As rig_run_lines(), with another store, for example one in memory. */
enum login_word rig_run_store(struct store *store, const struct line *script, size_t n);
void rig_later(int64_t ms);
/* Issues n recovery codes. */
void rig_issue(const char *user, int n);
/* How often an operation of the store or the contacts was called in this sign-in: "put". */
int rig_did(const char *op);
/* Reads one number directly from the store's file. */
int64_t rig_number(const char *sql);
/* All rows of the store as one text, which stays the same if nothing was written. */
const char *rig_rows(void);

#define RUN(...)                                          \
	rig_run_lines((const struct line[]){__VA_ARGS__}, \
	    sizeof((const struct line[]){__VA_ARGS__}) / sizeof(struct line))

#define ENDS(w, r)                                                                               \
	do {                                                                                     \
		if (rig.result.word != (w) || !strstr(rig.result.reason, (r)))                   \
			fail_msg(                                                                \
			    "ended %s, \"%s\"", login_word(rig.result.word), rig.result.reason); \
	} while (0)

#endif
