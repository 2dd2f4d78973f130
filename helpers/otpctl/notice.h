/*
 * A change of contacts is told at the old address, by its channel, once it is on disk: whoever was
 * robbed of a factor hears of it where they still look. Best effort; the change stands anyway.
 *
 * MUST: every address that is not told is in the log, whatever kept us from it.
 */
#ifndef OTP_OTPCTL_NOTICE_H
#define OTP_OTPCTL_NOTICE_H

#include "helpers/conf/conf.h"
#include "helpers/contacts/contacts.h"
#include "helpers/otpctl/audit.h"
#include "helpers/otpctl/otpctl.h"

enum notice_wish { NOTICE_UNSAID, NOTICE_YES, NOTICE_NO };

/* So many are sent unasked: nobody means to send ten thousand messages by one command. */
enum { NOTICES_UNASKED = 20 };
/* Of those that nobody wants told, so many are in the log each by itself, and the others counted.
 */
enum { NOTICES_LOGGED = 100 };

struct notice {
	char *user;
	char *address;
	enum contact_kind kind;
	enum contact_fate fate;
	bool told;
	char *how; /* by whom, or why not; NULL before it was tried */
};

struct notices {
	enum notice_wish wish; /* said before */
	size_t old;	       /* addresses that should hear of it */
	struct notice *item;   /* those that are told; with NOTICE_NO, those that are logged */
	size_t n;
	struct audit_hold hold;
};

/*
 * Who is to hear of the edit, into n. An exit code: OTPCTL_FAILED, with a word to the user,
 * where so many are not told without being asked to. From here on no interrupt ends the program,
 * until notices_settled() where nobody is to be told, else until notices_clear(): one that comes
 * lets the rest go unsent, and be told of as such.
 */
int notices_collect(struct contacts_edit *e, struct notices *n);
/*
 * Behind the change's own line in the log: of whom nobody wants told the log has a line, too, and
 * where nobody is to be told, an interrupt ends the program again.
 */
void notices_settled(struct notices *n);
/* Tells each and prints a line for each, and logs it; then see told and how. */
void notices_send(const struct otpctl *ctl, const struct conf *conf, struct notices *n);
/* An array of objects; NULL without memory. */
json_t *notices_json(const struct notices *n);
/* A change, its notices sent, as JSON: j is given away. An exit code. */
int notices_print_json(json_t *j, const struct notices *n);
/* An interrupt that had to wait ends the program here. */
void notices_clear(struct notices *n);

#define _auto_notices __attribute__((cleanup(notices_clear)))

/* --notice and --no-notice, for the commands that change contacts. The parser's input is an
 * enum notice_wish. */
extern const struct argp notice_argp;

#endif
