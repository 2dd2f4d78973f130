/*
 * otpctl: the administrator's command. A command group is one function in a file of its own, in the
 * table of otpctl.c; it parses its arguments with glibc's argp through otpctl_parse().
 */
#ifndef OTP_OTPCTL_H
#define OTP_OTPCTL_H

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "helpers/account.h"
#include "helpers/conf.h"
#include "helpers/contacts.h"
#include "helpers/store.h"

/* Exit codes, as in otpctl(8). */
enum otpctl_exit {
	OTPCTL_OK = 0,
	OTPCTL_FAILED = 1, /* it did not work; standard error says why and what to do next */
	OTPCTL_USAGE = 2,  /* the command line is wrong */
	OTPCTL_NONE = 3,   /* what was named does not exist */
	OTPCTL_EXISTS = 4, /* what was to be added is there already */
};

/* The global options: accepted before and behind the command's name. */
struct otpctl {
	const char *config; /* --config FILE, or the installed one; never NULL */
	bool config_given;
	bool json;
	bool root;  /* gave the command, whoever it is now */
	uid_t also; /* whose files are trusted beside root's: 0, or the caller's with --config */
};

struct otpctl_command {
	const char *name;
	const char *summary;				       /* one line for --help */
	int (*run)(struct otpctl *ctl, int argc, char **argv); /* argv[0] = name; an exit code */
};

/*
 * Parses argc, argv with the command's own options and the global ones. name is how --help and
 * errors call the command ("otpctl contact add"). Exits by itself after --help and, with
 * OTPCTL_USAGE, after an error; in a parser, argp_error(state, "...") does so.
 */
void otpctl_parse(struct otpctl *ctl, const struct argp *argp, const char *name, int argc,
    char **argv, void *input);

/*
 * Runs the command that argv[1] names, of a group ("otpctl contact"), with argv[0] its name. Global
 * options and --help may stand before it.
 */
int otpctl_dispatch(struct otpctl *ctl, const char *name, const char *doc,
    const struct otpctl_command *command, size_t n, int argc, char **argv);

/* One word, the name of a user. An argp parser whose input this is, and may be the parser's part.
 */
struct otpctl_user {
	const char *name; /* or NULL */
	bool optional;
};
error_t otpctl_parse_user(int key, char *arg, struct argp_state *state);

/* Prints "otpctl: ..." and a newline on standard error. Returns OTPCTL_FAILED. */
int otpctl_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* As fflush(stdout); its error is told at the end. */
int otpctl_flush(void);

/* Prints it, indented; NULL is a failure. An exit code. */
int otpctl_print_json(const json_t *j);

/*
 * Where the name service fails: what is made must have its right name, or nobody finds it again;
 * what is looked at or taken away is wanted on that day, too, and its name is taken as typed.
 */
enum otpctl_name { NAME_LOOKED_UP, NAME_OR_TYPED };
enum otpctl_known { USER_UNKNOWN, USER_KNOWN, USER_AS_TYPED };

/* The name that contacts are kept under, into dst. An exit code, after a word to the user. */
int otpctl_canonical(
    enum otpctl_name how, const char *user, char *dst, size_t size, enum otpctl_known *known);

/* The same, for a user of this machine: OTPCTL_NONE where it knows none of that name. */
int otpctl_known_user(
    enum otpctl_name how, const char *user, char *dst, size_t size, enum otpctl_known *known);

/* Says that this machine knows none of that name. OTPCTL_NONE. */
int otpctl_unknown_user(const char *user);
/* The same, where --force would take the name. OTPCTL_NONE. */
int otpctl_unknown_unless_forced(const char *user);
/* Says that there was nothing to take away under a name that was taken as typed. OTPCTL_FAILED. */
int otpctl_nothing_typed(const char *user);
/* All addresses of a user. An exit code. */
int otpctl_contacts_of(
    const struct otpctl *ctl, const char *path, const char *user, struct contact_list *out);
/* The list's addresses, borrowed, and a NULL; the caller frees the array. NULL without memory. */
const char **otpctl_addresses(const struct contact_list *l);

/*
 * Opens the store, as the user who owns it: root becomes that user for good, so all else that
 * takes root is done before. An exit code, after a word to the user.
 */
int otpctl_store_open(const struct otpctl *ctl, const char *state, struct store **out);
/* What the store calls now. An exit code. */
int otpctl_now(struct instant *out);

enum { OTPCTL_TIME_MAX = 32 };
/* "2026-11-22 13:04:11Z". Returns dst. */
const char *otpctl_time(int64_t wall_ms, char dst[static OTPCTL_TIME_MAX]);

int otpctl_init(struct otpctl *ctl, int argc, char **argv);
int otpctl_contact(struct otpctl *ctl, int argc, char **argv);
int otpctl_attribute(struct otpctl *ctl, int argc, char **argv);
int otpctl_recovery(struct otpctl *ctl, int argc, char **argv);
int otpctl_status(struct otpctl *ctl, int argc, char **argv);
int otpctl_explain(struct otpctl *ctl, int argc, char **argv);
int otpctl_remember(struct otpctl *ctl, int argc, char **argv);
int otpctl_unlock(struct otpctl *ctl, int argc, char **argv);
int otpctl_config(struct otpctl *ctl, int argc, char **argv);

#endif
