/*
 * A sign-in with everything but the sign-in replaced: a person who follows a script that must end
 * empty, a phone, a clock, a few users, a configuration. Store and contacts are real SQLite in a
 * folder of the test, with a fault for any one call of them.
 */
#ifndef OTP_LOGIN_RIG_H
#define OTP_LOGIN_RIG_H

#include "tests/unit/unit.h"

#include "helpers/login.h"

/* One prompt and its answer. */
struct line {
	const char *prompt; /* must be in the prompt */
	/*
	 * Typed; "@code" is the code on the phone, "@spaced" the same with blanks and a dash,
	 * "@old" the one before, "@wrong" a code that was never sent.
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
/* What ends a sign-in where the host asks first: one more prompt, whose answer changes nothing. */
#define LAST(text) SAY(text "\nPress Enter to end: ", "")

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
	/* The machine. */
	int account_error, groups_error;
	/* Which call of store or contacts fails, from 1 on; 0 for none. */
	int fail_at, calls;
	int fail_with;
	enum rig_fault fault;
	bool fault_hit, fault_in_return;
	int64_t deadline_ms;
};

extern struct rig rig;

int rig_setup(void **state);
int rig_teardown(void **state);
/* Lines for [otp] and [limits], and sections for the end. Replaces the configuration. */
void rig_conf(const char *otp, const char *limits, const char *rest);
void rig_start(const char *service, const char *user);
void rig_contact(const char *user, enum contact_kind kind, const char *address);
/* Runs the sign-in against the script, which must end empty. */
enum login_word rig_run_lines(const struct line *script, size_t n);
/* The same with another store, e.g. one in memory. */
enum login_word rig_run_store(struct store *store, const struct line *script, size_t n);
void rig_later(int64_t ms);

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
