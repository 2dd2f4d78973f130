/*
 * One sign-in under way: what login.c runs and its steps share. The declarations below stand by the
 * file that defines them, from the bottom up: a file calls only those that stand before it.
 */
#ifndef OTP_LOGIN_INTERNAL_H
#define OTP_LOGIN_INTERNAL_H

#include "helpers/login/login.h"
#include "helpers/login/typed_answer.h"
#include "helpers/login/prompts.h"
#include "helpers/login/source.h"

enum {
	PROMPTS_MAX = 20,      /* of one sign-in: a host that answers by itself must end */
	CHALLENGE_TRIES = 5,   /* on one challenge, across sign-ins */
	DECOY_BUCKETS = 65536, /* counters that unknown users share */
};

enum step {
	STEP_IDENTIFY,
	STEP_RULES,
	STEP_REMEMBERED,
	STEP_OPEN,
	STEP_CONTACT,
	STEP_BUDGET,
	STEP_LOCKED,
	STEP_JOIN,
	STEP_ASK_FIRST,
	STEP_MENU,
	STEP_SEND,
	STEP_CODE,
	STEP_RESEND,
	STEP_TRY_CODE,
	STEP_TRY_RECOVERY,
	STEP_END,
};

/* What a step may send to the module: the letters of pam_otp-protocol(7). */
enum { SENDS_P = 1, SENDS_I = 2, SENDS_R = 4 };

struct login;

/* A row of the table in login.c. */
struct login_step {
	const char *name;
	enum step (*run)(struct login *l);
	unsigned next; /* bit 1 << STEP_X for each step that it may lead to */
	unsigned sends;
};

/* A way for a code to go: a channel and an address that it serves. */
struct destination {
	const char *channel;
	struct contact contact;
	char masked[64];
	int64_t sent_wall_ms; /* the last one that this sign-in knows of; 0 for none */
};

enum { CONCURRENT_WAIT_MS = 50 }; /* between two looks at what a sibling does */

/* What proves that somebody may be let in. There is no other way to LOGIN_OK. */
enum proof {
	PROOF_CODE,	/* try_mac() compared the code and put its use on disk */
	PROOF_PROVIDER, /* the provider proved it, and consume() put its use on disk */
	PROOF_RECOVERY, /* recovery_use() compared the code and put its use on disk */
};

struct login {
	const struct login_ports *io; /* &ports */
	struct login_ports ports;
	const struct login_start *start;
	const struct conf_signin *options;
	struct deadline deadline;
	struct login_result *result;

	struct account account;
	char name[256];	   /* whom rules, counters and challenges know */
	char service[256]; /* as stored: "peer:NAME" where the host is not root */
	struct source source;
	struct budget budget; /* of failures and sends */
	bool decoy;	      /* nothing is sent, no sent code is right */
	const char *decoy_reason;

	struct destination destination[PROMPT_DESTINATIONS_MAX];
	int ndestinations;
	int chosen;
	struct recovery recovery; /* n is 0 where there is none to be had */
	bool has_recovery;	  /* told at the prompts; of a decoy: made up */

	struct challenge challenge;
	bool has_challenge;
	struct secret captures; /* of the challenge's send, for its check */
	bool unanswered;	/* that send was */
	bool locked;		/* no code that is sent is taken now */
	bool code_prompted;
	enum note note;
	enum instead instead;
	const char *first_channel; /* of INSTEAD_CHANNEL */
	int64_t wait_ms;	   /* for notes that tell a time */
	int wrong;		   /* refused in this sign-in */
	int prompts;
	struct typed typed; /* the last answer, for the step that judges it */
	bool wants_code;    /* the first question is answered, and not asked again */
	unsigned sends;	    /* what the step under way may send */
	bool strayed;	    /* it tried to send something else */
};

/* One attempt to have a code sent: what became of it. */
struct attempt {
	struct delivered last; /* by the way that was tried last */
	int64_t reservation;
	bool counted;	      /* one of the sends stays counted */
	bool outage;	      /* each failed by an outage */
	bool bad_destination; /* one refused the address */
	bool is_resend;	      /* a code can be typed already */
	bool limited;	      /* a limit stopped it: */
	struct store_refusal limit;
};

/*
 * A step does its part and returns the step that follows. Steps are called by the table in login.c
 * alone. What only prepares returns an error, or false where the sign-in has ended: then the end
 * is noted, and its step returns STEP_END.
 */

/* login/end.c: the end, always STEP_END. */
enum step login_end(struct login *l, enum login_word word, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What needs no better words: the store, the network, the peer. */
enum step login_end_by_error(struct login *l, int r, const char *what);
/* The same for what only prepares: always false. */
bool login_fail(struct login *l, int r, const char *what);
/* The one place that lets in. */
enum step login_accept(struct login *l, enum proof proof);
struct instant login_now(struct login *l);
bool login_must_ask_first(const struct login *l);

/* ask.c */
/* What prompts tell. */
struct prompt_facts login_facts(struct login *l);
/* Asks once; the answer is in l->typed. false: the sign-in has ended. */
bool login_ask(struct login *l, const char *text);
/* The code that was typed, handed over to the step that judges it. */
struct secret login_take_typed(struct login *l);
/* Shows a line; nothing depends on it. */
void login_show_line(struct login *l, const char *text);
/* Tells why it ends, where the host lets a person see it; the end itself follows. */
void login_last_words(struct login *l, const char *text);
/*
 * What was wanted cannot be had: STEP_CODE while a code that was sent, or a recovery code, can
 * still be typed; else the note is told and the sign-in ends.
 */
enum step login_stay_or_end(struct login *l, enum note note, enum login_word word, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));
/* What was typed is not right: STEP_CODE, or the end when no try of this sign-in is left. */
enum step login_refuse(struct login *l, enum note note, const char *why);
/*
 * sshd answers for users whom it has refused already. They must see what others see: it looks like
 * a wrong code, and costs nobody anything. As login_refuse().
 */
enum step login_refuse_blind(struct login *l);
/* Until when something holds, for notes that tell a time. */
void login_wait_until(struct login *l, int64_t until_wall_ms);
/* The budget is locked until then, and only a recovery code is taken: as login_stay_or_end(). */
enum step login_locked(struct login *l, int64_t until_wall_ms);

/* limits.c */
struct try_rule login_try_rule(const struct login *l);
/*
 * Counts a send by the chosen way; where a limit is reached, a->limited says so. false: the sign-in
 * has ended.
 */
bool login_reserve_send(struct login *l, struct attempt *a);
/* The budget of recovery codes: their own. Nobody guesses 80 bits, so its back-off has no end. */
struct budget login_recovery_budget(const struct login *l);
struct try_rule login_recovery_rule(const struct login *l);
enum step login_set_budget(struct login *l);   /* STEP_BUDGET */
enum step login_check_locked(struct login *l); /* STEP_LOCKED */

/* login/exempt.c */
/*
 * May somebody be let in unasked? Not where sshd has had nothing proved before: that would be no
 * factor at all. why is for the log.
 */
bool login_may_skip(const struct login *l, const char *why);
enum step login_consult_rules(struct login *l); /* STEP_RULES */

/* remembered.c */
/* What a sign-in that ends in ok leaves behind. Borrowed from l. */
struct success_effects login_success_effects(const struct login *l);
enum step login_remembered(struct login *l); /* STEP_REMEMBERED */

/* login/destination.c */
/*
 * Every address of the list that a channel can serve, in the order of the channels. left_out: told
 * of each that may not be sent to; or NULL.
 */
typedef void left_out_fn(const struct login *l, const struct contact *c);
void login_take_destinations(
    struct login *l, const struct contact_list *list, left_out_fn *left_out);
/* May this address be sent to? */
bool login_may_send_to(const struct login *l, const struct contact *c);
/* Fills in what may be shown of each way's address. */
void login_mask_destinations(struct login *l);
/* Where codes go, for prompts and the log. */
void login_record_destination(struct login *l, const char *channel, const char *address);
/* For how many milliseconds no other code may go this way; 0 for none. */
int64_t login_cool_down(struct login *l, const struct destination *to);

/* decoy.c */
/* From here on nothing is sent and no code is right. */
void login_become_decoy(struct login *l, const char *reason);
/* Beside the class in the outcome of a sample: another provider took it. */
enum { SAMPLE_INSTEAD = 0x100 };
/*
 * Waits as long as a real send or check of late, and says how it went; CLASS_OK where nothing is
 * known. -OTP_EGONE.
 */
int login_decoy_wait(struct login *l, const char *what, const char *channel, int *outcome);
/* Notes how long a real one took. */
void login_note_sample(struct login *l, const char *what, const char *channel,
    const struct instant *began, int outcome);

/* login/decoy_destinations.c */
/* The ways of somebody who has none: they look like a real user's. */
int login_decoy_destinations(struct login *l);
/* Looks up as much as that for somebody who has ways, and changes nothing: it takes as long. */
int login_imitate_decoy(struct login *l);

/* who.c */
enum step login_identify(struct login *l); /* STEP_IDENTIFY */

/* login/registered.c */
enum step login_find_destinations(struct login *l); /* STEP_CONTACT */

/* login/live.c */
/* What captured values are sealed for: this challenge, and no other. */
void login_captures_context(const struct challenge *c, char *context, size_t size);
/* A live code of the same user, source and service is made this sign-in's, where there is one
 * (*found). false: the sign-in has ended. */
bool login_find_live(struct login *l, bool *found);
enum step login_join(struct login *l); /* STEP_JOIN */

/* login/turn.c */
/*
 * Sign-ins that share a code may want it at the same time: one has it sent, the others wait for
 * it. *found: there is one now, and this sign-in is not to send. false: the sign-in has ended.
 */
bool login_take_send_lock(struct login *l, bool *found);
void login_release_send_lock(struct login *l);

/* login/deliver.c */
/* What a provider is told, of a send or a check. Borrowed from l and code. */
struct sending login_sending(
    struct login *l, const char *channel, const struct contact *contact, const struct secret *code);
/* Has one code sent by one way, until `all` at most. 0 or -OTP_EGONE. */
int login_deliver(struct login *l, const struct destination *to, const struct secret *code,
    struct deadline all, struct delivered *d);

/* login/fallback.c */
/*
 * Counts and delivers, by the chosen way and then by the other channels, until somebody takes the
 * code or a limit is reached. l->chosen is the way that was tried last. false: the sign-in has
 * ended.
 */
bool login_try_destinations(struct login *l, const struct secret *code, struct attempt *a);

/* login/replace.c */
/* A challenge of this sign-in, with a code of ours. 0, -OTP_ESYS, -OTP_ECRYPTO, -OTP_ENOMEM. */
int login_make_challenge(struct login *l, struct challenge *c, struct secret *code);
/*
 * The new code takes the place of the old one, which is dead from now on; c is this sign-in's.
 * false: the sign-in has ended.
 */
bool login_replace_challenge(
    struct login *l, struct challenge *c, const struct secret *code, struct attempt *a);

/* login/judge_send.c */
/* STEP_CODE where the code is, or may be, on its way; else as login_stay_or_end(). */
enum step login_judge_send(struct login *l, const struct attempt *a);

/* login/resend.c */
enum step login_resend(struct login *l); /* STEP_RESEND */

/* send.c */
enum step login_send_code(struct login *l); /* STEP_SEND */

/* try_code.c, try_recovery.c */
enum step login_try_code(struct login *l);     /* STEP_TRY_CODE */
enum step login_try_recovery(struct login *l); /* STEP_TRY_RECOVERY */

/* ask_code.c */
enum step login_ask_code(struct login *l); /* STEP_CODE */

/* login/menu.c */
enum step login_ask_first(struct login *l); /* STEP_ASK_FIRST */
enum step login_menu(struct login *l);	    /* STEP_MENU */

/* login.c */
enum step login_open_delivery(struct login *l); /* STEP_OPEN */
extern const struct login_step login_steps[];

/* The reason of a host that cannot prompt. */
#define BLIND_HOST "the host cannot prompt: it answered by itself"

#endif
