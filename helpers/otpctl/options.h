/*
 * The command line of otpctl. Each command describes its own in a struct otpctl_syntax. Only this
 * file reads options and arguments, and only this file writes --help.
 */
#ifndef OTP_OTPCTL_OPTIONS_H
#define OTP_OTPCTL_OPTIONS_H

#include <stdbool.h>

#include "helpers/otpctl/otpctl.h"

/* One option. It has exactly one of flag, string and take. */
struct otpctl_option {
	const char *name;     /* without the dashes; NULL ends a table */
	const char *argument; /* what --help calls the option's argument; NULL if it has none */
	const char *help;     /* one sentence, without a full stop */
	bool *flag;	      /* is set to true */
	const char **string;  /* is set to the option's argument, which stays argv's */
	/* Stores the argument in to. Returns NULL, or the text of the error. */
	const char *(*take)(void *to, const char *argument);
	void *to;
};

/* One argument of a command. */
struct otpctl_argument {
	const char *name;   /* as in usage; NULL ends the list */
	const char **value; /* is set to the argument, which stays argv's */
};

enum { OTPCTL_ARGUMENTS_MAX = 3 };

/* A command, or a group of commands. Everything is borrowed. */
struct otpctl_syntax {
	const char *name;    /* as it is typed: "otpctl contact add" */
	const char *usage;   /* what follows the name and the options; "" for a command alone */
	const char *summary; /* one or a few sentences */
	const char *example; /* a command line, whole */
	struct otpctl_argument argument[OTPCTL_ARGUMENTS_MAX + 1];
	int optional; /* so many of the last arguments may be missing; their values stay */
	const struct otpctl_option *options;   /* without the global ones; NULL for none */
	const struct otpctl_command *commands; /* of a group; ends with an empty row */
};

/*
 * Reads the options, which may stand before, between and behind the arguments, and the arguments.
 * argv[0] is the command's name. The global options go to ctl. Exits after --help and --version,
 * and as otpctl_misuse() if the command line is wrong.
 */
void otpctl_parse(struct otpctl *ctl, const struct otpctl_syntax *s, int argc, char **argv);

/*
 * Reads the global options up to the first argument, and runs the command of the group that this
 * argument names. "help" and the words of a command stand for its --help. Returns the exit status.
 */
int otpctl_dispatch(struct otpctl *ctl, const struct otpctl_syntax *s, int argc, char **argv);

/* For take: the name of a PAM service, into a const char *. */
const char *otpctl_take_service(void *to, const char *argument);

/* Prints the error and where the help is on standard error, and exits with OTPCTL_USAGE. */
_Noreturn void otpctl_misuse(const struct otpctl_syntax *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
