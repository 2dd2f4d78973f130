/*
 * One sign-in under way: what login.c runs and its steps share. The declarations below stand by the
 * file that defines them, from the bottom up: a file calls only those that stand before it.
 */
#ifndef OTP_LOGIN_INTERNAL_H
#define OTP_LOGIN_INTERNAL_H

#include "helpers/login/login.h"
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
	STEP_LOCKED,
	STEP_JOIN,
	STEP_ASK_FIRST,
	STEP_SEND,
	STEP_CODE,
	STEP_MENU,
	STEP_END,
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
};

/* login/end.c: the end, always STEP_END. */
enum step login_end(struct login *l, enum login_word word, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What needs no better words: the store, the network, the peer. */
enum step login_end_by_error(struct login *l, int r, const char *what);
/* The one place that lets in. */
enum step login_accept(struct login *l, enum proof proof);
struct instant login_now(struct login *l);
bool login_must_ask_first(const struct login *l);

/* ask.c */
/* What prompts tell. */
struct prompt_facts login_facts(struct login *l);
/*
 * Asks once. STEP_CODE: there is an answer in *typed, trimmed, or *blind says that the host
 * answered by itself; else the sign-in has ended.
 */
enum step login_ask(struct login *l, const char *text, struct secret *typed, bool *blind);
/* Tells why it ends, where the host lets a person see it; the end itself follows. */
void login_last_words(struct login *l, const char *text);
/*
 * What was wanted cannot be had. It goes on at the prompt for a code while a code that was sent, or
 * a recovery code, can still be typed; else the note is told and the sign-in ends.
 */
enum step login_stay_or_end(struct login *l, enum note note, enum login_word word, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));
/* What was typed is not right: the next prompt, or the end when no try of this sign-in is left. */
enum step login_refuse(struct login *l, enum note note, const char *why);
/* Until when something holds, for notes that tell a time. */
void login_wait_until(struct login *l, int64_t until_wall_ms);
/* The budget is locked until then: only a recovery code is taken now. */
enum step login_locked(struct login *l, int64_t until_wall_ms);

/* limits.c */
struct try_rule login_try_rule(const struct login *l);
enum step login_set_budget(struct login *l);
/* Counts a send by the chosen way. STEP_SEND, or where it goes on when a limit is reached. */
enum step login_reserve_send(struct login *l, int64_t *reservation);
/* The budget of recovery codes: their own. Nobody guesses 80 bits, so its back-off has no end. */
struct budget login_recovery_budget(const struct login *l);
struct try_rule login_recovery_rule(const struct login *l);
enum step login_check_locked(struct login *l); /* a step */

/* login/exempt.c */
/*
 * May somebody be let in unasked? Not where sshd has had nothing proved before: that would be no
 * factor at all. why is for the log.
 */
bool login_may_skip(const struct login *l, const char *why);
enum step login_consult_rules(struct login *l); /* a step */

/* remembered.c */
/* What a sign-in that ends in ok leaves behind. Borrowed from l. */
struct success_effects login_success_effects(const struct login *l);
enum step login_remembered(struct login *l); /* a step */

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
void login_mask_ways(struct login *l);
/* Where codes go, for prompts and the log. */
void login_show_destination(struct login *l, const char *channel, const char *address);

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

/* login/decoy_ways.c */
/* The ways of somebody who has none: they look like a real user's. */
int login_decoy_destinations(struct login *l);
/* Looks up as much as that for somebody who has ways, and changes nothing: it takes as long. */
int login_decoy_trouble(struct login *l);

/* who.c */
enum step login_identify(struct login *l); /* a step */

/* login/registered.c */
enum step login_find_destinations(struct login *l); /* a step */

/* login/live.c */
/* What captured values are sealed for: this challenge, and no other. */
void login_captures_context(const struct challenge *c, char *context, size_t size);
/* A live code of the same user, source and service, made this sign-in's: STEP_CODE, or otherwise.
 */
enum step login_find_live(struct login *l, enum step otherwise);
enum step login_join(struct login *l); /* a step */

/* login/turn.c */
/*
 * Sign-ins that share a code may want it at the same time: one has it sent, the others wait for
 * it. STEP_SEND where this one is to send.
 */
enum step login_take_turn(struct login *l);
void login_end_turn(struct login *l);

/* send.c */
/* What a provider is told, of a send or a check. Borrowed from l and code. */
struct sending login_sending(
    struct login *l, const char *channel, const struct contact *contact, const struct secret *code);
/* `r` was typed. */
enum step login_resend(struct login *l);
enum step login_send_code(struct login *l); /* a step */

/* try_code.c, try_recovery.c */
enum step login_try_code(struct login *l, const struct secret *code);
enum step login_try_recovery(struct login *l, const struct secret *typed);

/* ask_code.c */
/* What was typed where a code may be: at the prompt for it, at the menu (here: STEP_MENU). */
enum step login_take_answer(struct login *l, const struct secret *typed, enum step here);
enum step login_ask_code(struct login *l); /* a step */

/* login/menu.c */
enum step login_ask_first(struct login *l); /* a step */
enum step login_menu(struct login *l);	    /* a step */

/* login.c */
enum step login_opener(struct login *l); /* a step */

/* The reason of a host that cannot prompt. */
#define BLIND_HOST "the host cannot prompt: it answered by itself"

#endif
