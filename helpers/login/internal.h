/*
 * What login.c, its steps and their parts share: the state of one sign-in, and the functions of the
 * folder. The functions are grouped by the file that defines them, from the bottom up: a file calls
 * only functions of files that stand above it here.
 */
#ifndef OTP_LOGIN_INTERNAL_H
#define OTP_LOGIN_INTERNAL_H

#include "helpers/login/login.h"
#include "helpers/login/typed_answer.h"
#include "helpers/login/prompts.h"
#include "helpers/login/source.h"

enum {
	PROMPTS_MAX = 20, /* in one sign-in: a host that answers by itself must not go on forever */
	CHALLENGE_TRIES = 5,	  /* wrong codes on one challenge, in all sign-ins together */
	DECOY_BUCKETS = 65536,	  /* failure counters that unknown users share */
	CONCURRENT_WAIT_MS = 50,  /* between two looks at what a concurrent sign-in does */
	HASH_WAIT_MS = 10,	  /* between two looks for a place to hash a recovery code */
	RECOVERY_WRONG_FREE = 10, /* wrong recovery codes in a row that are answered at once */
	RECOVERY_DELAY_FIRST_MS = 1000, /* the next one is late, and each further one twice as */
	RECOVERY_DELAY_MOST_MS = 10000, /* late, up to this */
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

/* The messages that a step may send to the module, by their letters in pam_otp-protocol(7). */
enum { SENDS_P = 1, SENDS_I = 2, SENDS_R = 4 };

struct login;

/* A row of the table in login.c. */
struct login_step {
	const char *name;
	enum step (*run)(struct login *l);
	unsigned next;	/* bit 1 << STEP_X for each step that it may lead to */
	unsigned sends; /* SENDS_... */
};

/* Where a code may be sent: a channel, and a contact that the channel serves. */
struct destination {
	const char *channel;
	struct contact contact;
	char masked[64];      /* the address as it may be shown */
	int64_t sent_wall_ms; /* when the last code that this sign-in knows of was sent; 0: none */
};

/* The proofs with which login_accept() lets a user in. */
enum proof {
	PROOF_CODE,	/* try_mac() compared the code and recorded its use on disk */
	PROOF_PROVIDER, /* the provider checked it, and consume() recorded its use on disk */
	PROOF_RECOVERY, /* recovery_use() compared the code and recorded its use on disk */
	/*
	 * remembered_find() found that a concurrent sign-in from the same source was let in after
	 * this one began. The use of that one's code is recorded on disk.
	 */
	PROOF_REMEMBERED,
};

/* The state of one sign-in. */
struct login {
	const struct login_ports *io; /* &ports, for those who only read it */
	struct login_ports ports;
	const struct login_start *start;
	const struct conf_signin *options;
	struct deadline deadline;
	struct instant began;
	struct login_result *result;

	struct account account;
	char name[256];	   /* the user's name in rules, counters and challenges */
	char service[256]; /* as stored: "peer:NAME" if the host does not run as root */
	struct source source;
	struct budget budget; /* counts the failures of this sign-in */
	bool known;	      /* the source is known: see source_can_be_known() */
	bool decoy;	      /* nothing is sent, and no code but a recovery code can be right */
	const char *decoy_reason;

	struct destination destination[PROMPT_DESTINATIONS_MAX];
	int ndestinations;
	int chosen;		  /* index of the destination that the next code goes to */
	struct recovery recovery; /* n is 0 if the user has no unused recovery code */
	bool has_recovery;	  /* prompts mention recovery codes; a decoy's may be made up */

	struct challenge challenge; /* of the code that can be typed now */
	bool has_challenge;
	struct secret captures; /* values captured from that code's send, for the check */
	bool unanswered;	/* the provider did not answer that send */
	bool locked;		/* the budget is locked: only a recovery code is accepted */
	bool code_prompted;	/* the user has seen a prompt for a code */
	enum note note;		/* what the next prompt says first */
	enum instead instead;
	const char *first_channel; /* with INSTEAD_CHANNEL: the channel that failed */
	int64_t wait_ms;	   /* for notes that show a time; STORE_FOREVER: until unlocked */
	int wrong;		   /* codes that this sign-in has refused */
	int prompts;		   /* questions asked so far */
	struct typed typed;	   /* the last answer, for the step that judges it */
	bool wants_code;	   /* the user has answered the first question or the menu */
	unsigned sends;		   /* the messages that the current step may send: SENDS_... */
	bool strayed;		   /* the current step tried to send another message */
};

/* The outcome of one attempt to send a code, over all the destinations that it tried. */
struct attempt {
	struct delivered last; /* the outcome at the destination that was tried last */
	int64_t reservation;   /* the store's number of the counted send */
	bool counted;	       /* at least one send stays counted */
	bool outage;	       /* every destination failed by an outage */
	bool bad_destination;  /* a provider refused the address */
	bool rate_limited;     /* of a known source: the providers of a channel limit the rate */
	long retry_after;      /* the shortest time in seconds that such a provider named, or 0 */
	bool is_resend;	       /* there was a code already that can still be typed */
	bool limited;	       /* a limit stopped the attempt: */
	struct store_refusal limit;
};

/*
 * A step does its part and returns the step that follows. Only the table in login.c calls steps.
 * Other functions return an error, data or a bool. "false: the sign-in has ended" means that the
 * function has called login_end(), and that its caller, in the end the step, returns STEP_END.
 */

/* login/end.c */
/* Sets the result and its reason. Always returns STEP_END. */
enum step login_end(struct login *l, enum login_word word, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/*
 * Ends with the reason "WHAT: ERROR". The result is gone if the host has left or has broken the
 * protocol, else broken. Always returns STEP_END.
 */
enum step login_end_by_error(struct login *l, int r, const char *what);
/* As login_end_by_error(), for functions that are no steps: always returns false. */
bool login_fail(struct login *l, int r, const char *what);
/* The only function that sets LOGIN_OK. Always returns STEP_END. */
enum step login_accept(struct login *l, enum proof proof);
struct instant login_now(struct login *l);
/* True if a person must press Enter before a code is sent: see ask_first in pam_otp.conf(5). */
bool login_must_ask_first(const struct login *l);

/* login/exempt.c */
/*
 * True if this sign-in may succeed without a code. False with sshd if it has not proved a first
 * factor: there would be no factor at all. Then a warning is logged, with `why` as the rule.
 */
bool login_may_skip(const struct login *l, const char *why);
enum step login_consult_rules(struct login *l); /* STEP_RULES */

/* login/remembered.c */
/* What the store records if this sign-in ends in ok. Borrowed from l. */
struct success_effects login_success_effects(const struct login *l);
enum step login_remembered(struct login *l); /* STEP_REMEMBERED */
/*
 * Lets the user in if a concurrent sign-in from the same source was let in since this one began,
 * and is remembered. True: the sign-in has ended.
 */
bool login_remembered_meanwhile(struct login *l);

/* login/ask.c */
/* Collects what the texts of prompts.c need. Borrowed from l. */
struct prompt_facts login_facts(struct login *l);
/*
 * Asks once and reads the answer into l->typed. false: the sign-in has ended, also if a concurrent
 * sign-in was remembered meanwhile.
 */
bool login_ask(struct login *l, const char *text);
/* Hands the code in l->typed over to the caller, who owns it. */
struct secret login_take_typed(struct login *l);
/* Shows a line. A failure is ignored: the sign-in does not depend on the line. */
void login_show_line(struct login *l, const char *text);
/* Shows the user why the sign-in ends. The caller then ends it. */
void login_last_words(struct login *l, const char *text);
/*
 * For a send or a check that failed. Returns STEP_CODE if the user can still type a code that was
 * sent, or a recovery code. Else shows the note, ends with the word and the reason, and returns
 * STEP_END.
 */
enum step login_stay_or_end(struct login *l, enum note note, enum login_word word, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));
/*
 * Counts a wrong or malformed answer. Returns STEP_CODE, or ends the sign-in and returns STEP_END
 * if it has no try left.
 */
enum step login_refuse(struct login *l, enum note note, const char *why);
/*
 * For an answer that the host program gave by itself, as sshd does for a user whom it has already
 * refused. It looks like a wrong code and ends in the same way, but no failure is counted for the
 * user. Returns as login_refuse().
 */
enum step login_refuse_blind(struct login *l);
/* Sets l->wait_ms to the time from now until then. */
void login_wait_until(struct login *l, int64_t until_wall_ms);
/*
 * Marks the budget as locked until then, so that only a recovery code is accepted. Returns as
 * login_stay_or_end().
 */
enum step login_locked(struct login *l, int64_t until_wall_ms);

/* login/limits.c */
/* The limits on wrong codes, from the configuration. */
struct try_rule login_try_rule(const struct login *l);
/*
 * Counts a send to the chosen destination, or sets a->limited and a->limit if a limit is reached.
 * false: the sign-in has ended.
 */
bool login_reserve_send(struct login *l, struct attempt *a);
/*
 * True for a decoy whose destinations are made up. A sign-in that became a decoy later, because a
 * send has to be pretended, has those of its user, and goes on to count against them.
 */
bool login_is_made_up(const struct login *l);
/* Recovery codes have a budget of their own. */
struct budget login_recovery_budget(const struct login *l);
/* As login_try_rule(). Recovery codes are never locked: nobody guesses their 80 bits. */
struct try_rule login_recovery_rule(const struct login *l);
/* Returns how many milliseconds late a wrong recovery code is answered: the n-th in a row. */
int64_t login_recovery_delay(int64_t in_a_row);
enum step login_set_budget(struct login *l);   /* STEP_BUDGET */
enum step login_check_locked(struct login *l); /* STEP_LOCKED */

/* login/destination.c */
/* Called for each contact that a channel could serve, but that no code may be sent to. */
typedef void left_out_fn(const struct login *l, const struct contact *c);
/*
 * Adds a destination for each channel and each contact of the list that it serves, in the order of
 * the channels. left_out may be NULL.
 */
void login_take_destinations(
    struct login *l, const struct contact_list *list, left_out_fn *left_out);
/* False if the contact has to be verified first, or its number is outside of `prefixes`. */
bool login_may_send_to(const struct login *l, const struct contact *c);
/* Fills in the masked address of each destination. */
void login_mask_destinations(struct login *l);
/* Records where the code goes, for prompts and for the log line of the outcome. */
void login_record_destination(struct login *l, const char *channel, const char *address);
/* How many milliseconds of resend_wait are left before another code may go there; 0 for none. */
int64_t login_cool_down(struct login *l, const struct destination *to);

/* login/decoy.c */
/*
 * Makes the sign-in a decoy: from here on nothing is sent, and no code but a recovery code can be
 * right. The reason must be a constant; it goes to the log.
 */
void login_become_decoy(struct login *l, const char *reason);
/* A flag in the outcome of a sample, beside the class: another provider accepted the message. */
enum { SAMPLE_INSTEAD = 0x100 };
/*
 * Waits as long as a recent real send or check took, and sets *outcome to how that one ended;
 * CLASS_OK if there was none. 0, -OTP_EGONE, -OTP_ESTORE or -OTP_ECRYPTO.
 */
int login_decoy_wait(struct login *l, const char *what, const char *channel, int *outcome);
/* Adds a sample to the result: how long a real send or check took, and how it ended. */
void login_note_sample(struct login *l, const char *what, const char *channel,
    const struct instant *began, int outcome);

/* login/decoy_destinations.c */
/*
 * Gives a user without destinations some that look like a real user's. 0, -OTP_ENOENT (the first
 * channel is not open), -OTP_ESTORE, -OTP_ETOOBIG, -OTP_ENOMEM or -OTP_ECRYPTO.
 */
int login_decoy_destinations(struct login *l);
/*
 * Does the same look-ups for a user who has destinations and throws their result away, so that both
 * users wait equally long. 0 or the errors of login_decoy_destinations().
 */
int login_imitate_decoy(struct login *l);

/* login/who.c */
enum step login_identify(struct login *l); /* STEP_IDENTIFY */

/* login/registered.c */
enum step login_find_destinations(struct login *l); /* STEP_CONTACT */

/* login/live.c */
/* The context for seal(): values captured for this challenge can be unsealed for no other. */
void login_captures_context(const struct challenge *c, char *context, size_t size);
/*
 * Looks for a live challenge of the same user, source and service. If there is one, sets *found and
 * makes it this sign-in's challenge. false: the sign-in has ended.
 */
bool login_find_live(struct login *l, bool *found);
enum step login_join(struct login *l); /* STEP_JOIN */
/*
 * Reads the contacts again: the code of this sign-in's challenge lets in only while its address is
 * one of the user's that may get codes. If it is not, the challenge has ended.
 * 0; -OTP_ENOENT: it has ended; -OTP_EPERM, -OTP_ENOMEM or -OTP_ESTORE.
 */
int login_check_address(struct login *l);

/* login/send_lock.c */
/*
 * Takes the send lock, so that only one of several concurrent sign-ins that share a challenge sends
 * a code. Waits while another one sends. *found: that one has sent a code, which is now this
 * sign-in's, and the caller must not send. false: the sign-in has ended.
 */
bool login_take_send_lock(struct login *l, bool *found);
/* Always safe to call: without the lock it does nothing. */
void login_release_send_lock(struct login *l);

/* login/deliver.c */
/* What a provider needs to know for a send or a check. Borrowed from l, contact and code. */
struct sending login_sending(
    struct login *l, const char *channel, const struct contact *contact, const struct secret *code);
/*
 * Sends a code to one destination, until `all` at most. For a decoy it only waits. 0 with *d,
 * -OTP_EGONE or, for a decoy, the errors of login_decoy_wait().
 */
int login_deliver(struct login *l, const struct destination *to, const struct secret *code,
    struct deadline all, struct delivered *d);

/* login/fallback.c */
/*
 * Sends the code to the chosen destination, then to the other channels, until a provider accepts it
 * or a limit is reached. Counts each send before it is made. Sets l->chosen to the destination that
 * was tried last. false: the sign-in has ended.
 */
bool login_try_destinations(struct login *l, const struct secret *code, struct attempt *a);

/* login/replace.c */
/*
 * Makes a new challenge of this sign-in, and a random code. The caller owns both. 0, -OTP_ESYS or
 * the errors of code_make().
 */
int login_make_challenge(struct login *l, struct challenge *c, struct secret *code);
/*
 * Stores the challenge of a code that was sent. It replaces the old challenge, whose code is no
 * longer accepted. Takes *c over. false: the sign-in has ended.
 */
bool login_replace_challenge(
    struct login *l, struct challenge *c, const struct secret *code, struct attempt *a);

/* login/judge_send.c */
/* Returns STEP_CODE if the code was, or may have been, sent; else as login_stay_or_end(). */
enum step login_judge_send(struct login *l, const struct attempt *a);

/* login/resend.c */
enum step login_resend(struct login *l); /* STEP_RESEND */

/* login/send.c */
enum step login_send_code(struct login *l); /* STEP_SEND */

/* login/try_code.c, login/try_recovery.c */
enum step login_try_code(struct login *l);     /* STEP_TRY_CODE */
enum step login_try_recovery(struct login *l); /* STEP_TRY_RECOVERY */

/* login/ask_code.c */
enum step login_ask_code(struct login *l); /* STEP_CODE */

/* login/menu.c */
enum step login_ask_first(struct login *l); /* STEP_ASK_FIRST */
enum step login_menu(struct login *l);	    /* STEP_MENU */

/* login/login.c */
enum step login_open_delivery(struct login *l); /* STEP_OPEN */
extern const struct login_step login_steps[];

/* The reason in the log if the host program answered a prompt by itself. */
#define BLIND_HOST "the host cannot prompt: it answered by itself"

#endif
