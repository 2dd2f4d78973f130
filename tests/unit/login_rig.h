/*
 * A sign-in with everything but the sign-in replaced: a person who follows a script that must end
 * empty, a phone, a clock, a few users, a configuration. Store and contacts are real SQLite in a
 * folder of the test, with a fault for any one call of them.
 */
#ifndef OTP_LOGIN_RIG_H
#define OTP_LOGIN_RIG_H

#include "tests/unit/unit.h"

#include "helpers/login/login.h"
#include "helpers/codes/recovery.h"

/* One prompt and its answer. */
struct line {
	const char *prompt; /* must be in the prompt */
	/*
	 * Typed; "@code" is the code on the phone, "@spaced" the same with blanks and a dash,
	 * "@wide" in full-width digits, "@old" the one before, "@wrong" a code that was never
	 * sent; "@rc0" to "@rc3" a recovery code, "@rcx" one that was never issued.
	 */
	const char *answer;
	enum answer kind;
	int error;	   /* what asking returns, 0 for an answer */
	int64_t before_ms; /* passes before the answer, on the injected clock */
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
/* What ends a sign-in where the host asks first: one more prompt, whose answer changes nothing. */
#define LAST(text) SAY(text "\nPress Enter to end: ", "")

enum { RIG_CODES = 4 }; /* recovery codes of one issue */

enum rig_fault { FAULT_BEFORE, FAULT_AFTER }; /* is the operation carried out all the same? */

struct rig {
	struct folder folder;
	struct login_start start;
	struct login_result result;
	struct instant now;
	struct conf *conf;
	struct store *real_store;
	struct contacts *real_contacts;
	/* The phone. */
	enum provider_class says[8]; /* of each send, the last one for all that follow */
	size_t nsays;
	int error; /* what a send or a check returns */
	enum code_by code_by;
	char before[320]; /* what the last send was told: the provider before, its captures */
	int checks, warmed;
	enum provider_class checks_as; /* the answer to every check; CLASS_OK: compare */
	const char *right;	       /* for the provider; NULL: the last code */
	bool check_unwritten;	       /* the check reached no wire */
	char checked[320];	       /* address, captures and code of the last check */
	long retry_after;
	enum provider_class email_says; /* of each send by e-mail, if not CLASS_OK */
	bool instead;			/* another provider of the channel took it */
	int64_t stall_ms;		/* of the monotonic clock, in each send */
	char sent_destinations[256];	/* "sms +919876543219 123456; email ..." */
	int64_t send_takes_ms, check_takes_ms;
	int sends;
	char code[16], old[16], sent_to[256], sent_channel[64];
	/* The person. */
	const struct line *script;
	/* Instead of a script: what it types, and whether there is an answer. */
	int (*person)(const char *prompt, enum answer *kind, char *typed, size_t size);
	size_t left;
	int prompts, code_prompts, last_prompts;
	char told[8][WIRE_PROMPT_MAX + 1];
	int ntold;
	char transcript[8192]; /* every prompt and every line told, over all runs */
	int64_t waited_ms;     /* for decoys, for siblings */
	int turns_busy;	       /* looks at a sibling that is sending */
	int waits, wait_error;
	void (*on_wait)(void);
	void (*on_check)(void);			     /* while the provider checks */
	char recovery[RIG_CODES][RECOVERY_CODE_MAX]; /* as they were issued */
	int hashes;				     /* of recovery codes */
	bool hash_really;			     /* slow: else something quick stands for it */
	/* The machine. */
	int account_error, groups_error;
	/* Which call of store or contacts fails, from 1 on; 0 for none. */
	int fail_at, calls;
	int fail_with;
	enum rig_fault fault;
	bool fault_hit;
	bool fault_ignored; /* it changes nothing, by design */
	char ops[1024]; /* the store's and the contacts' calls of this sign-in: "contacts put " */
	int64_t deadline_ms;
	int64_t mono_ms; /* put on the monotonic clock */
};

extern struct rig rig;
extern int
    rig_wrong; /* codes that the store compared, and found wrong and counted: over all runs */

int rig_setup(void **state);
int rig_teardown(void **state);
/*
 * Lines for [otp] and [limits], and sections for the end. Replaces the configuration. The channels
 * are sms and email where [otp] does not name them; voice is there, too.
 */
void rig_conf(const char *otp, const char *limits, const char *rest);
void rig_start(const char *service, const char *user);
void rig_contact(const char *user, enum contact_kind kind, const char *address);
/* Users u00, u01 and so on exist; the first n get a phone each. */
void rig_office(int n);
/* Runs the sign-in against the script, which must end empty. */
enum login_word rig_run_lines(const struct line *script, size_t n);
/* The same with another store, e.g. one in memory. */
enum login_word rig_run_store(struct store *store, const struct line *script, size_t n);
void rig_later(int64_t ms);
/* A new issue of recovery codes, `n` of them. */
void rig_issue(const char *user, int n);
/* How often an operation was called in this sign-in: "put", "try_mac". */
int rig_did(const char *op);
/* One number from the store's file, past the interface. */
int64_t rig_number(const char *sql);
/* All that the store counts and keeps, as one text: the same where nothing was written. */
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
