/*
 * One sign-in under way: what login.c runs and its steps share. login_who.c, login_ask.c,
 * login_send.c and login_check.c hold the steps, in their order.
 */
#ifndef OTP_LOGIN_INTERNAL_H
#define OTP_LOGIN_INTERNAL_H

#include "helpers/login.h"
#include "helpers/prompts.h"
#include "helpers/source.h"

enum {
	PROMPTS_MAX = 20,     /* of one sign-in: a host that answers by itself must end */
	CHALLENGE_TRIES = 5,  /* on one challenge, across sign-ins */
	DECOY_BUCKETS = 1024, /* counters that unknown users share */
};

enum step {
	STEP_IDENTIFY,
	STEP_RULES,
	STEP_CONTACT,
	STEP_LOCKED,
	STEP_JOIN,
	STEP_ASK_FIRST,
	STEP_SEND,
	STEP_CODE,
	STEP_END,
};

struct login {
	const struct login_ports *io;
	const struct login_start *start;
	const struct conf_signin *options;
	struct deadline deadline;
	struct login_result *result;

	struct account account;
	char name[256];	   /* whom rules, counters and challenges know */
	char service[256]; /* as stored: "peer:NAME" where the host is not root */
	struct source source;
	char budget[STORE_KEY_MAX + 1];
	bool decoy; /* nothing is sent, no code is right */
	const char *decoy_reason;

	const char *channel;
	struct contact contact;
	struct challenge challenge;
	bool has_challenge;
	struct secret captures; /* of the challenge's send, for its check */
	bool code_prompted;
	enum note note;
	int64_t wait_ms; /* for NOTE_WAIT and NOTE_LIMIT */
	int wrong;	 /* refused in this sign-in */
	int prompts;
};

/* The reason of a host that cannot prompt. */
#define BLIND_HOST "the host cannot prompt: it answered by itself"

/* The steps. Each does its part and says which comes next. */
enum step login_identify(struct login *l);
enum step login_consult_rules(struct login *l);
enum step login_find_contact(struct login *l);
enum step login_check_locked(struct login *l);
enum step login_join(struct login *l);
enum step login_ask_first(struct login *l);
enum step login_send_code(struct login *l);
enum step login_ask_code(struct login *l);

/* The end: always STEP_END. */
enum step login_end(struct login *l, enum login_word word, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What needs no better words: the store, the network, the peer. */
enum step login_end_by_error(struct login *l, int r, const char *what);
enum step login_end_locked(struct login *l, int64_t until_wall_ms);
/* Tells why it ends, where the host lets a person see it; the end itself follows. */
void login_last_words(struct login *l, const char *text);

struct instant login_now(struct login *l);
bool login_must_ask_first(const struct login *l);
struct try_rule login_try_rule(const struct login *l);

/* From here on nothing is sent and no code is right. */
void login_become_decoy(struct login *l, const char *reason);
/* Where codes go, for prompts and the log. */
void login_show_destination(struct login *l, const char *channel, const char *address);

/* What prompts tell. */
struct prompt_facts login_facts(struct login *l);
/*
 * Asks once. STEP_CODE: there is an answer in *typed, or *blind says that the host answered by
 * itself; else the sign-in has ended.
 */
enum step login_ask(struct login *l, const char *text, struct secret *typed, bool *blind);

/* What a provider is told, of a send or a check. Borrowed from l and code. */
struct sending login_sending(struct login *l, const char *channel, const struct secret *code);
/* `r` was typed. */
enum step login_resend(struct login *l);
/* What captured values are sealed for: this challenge, and no other. */
void login_captures_context(const struct challenge *c, char *context, size_t size);

#endif
