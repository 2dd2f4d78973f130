/*
 * The command line of otpctl. Each command describes its own in a struct otpctl_syntax. Only this
 * file reads options and arguments, and only this file writes --help.
 */
#ifndef OTP_OTPCTL_OPTIONS_H
#define OTP_OTPCTL_OPTIONS_H

#include <stdbool.h>

#include "helpers/otpctl/otpctl.h"

/* One option. Exactly one of flag, string and take is set. */
struct otpctl_option {
	const char *name;     /* without the dashes; NULL ends a table */
	const char *argument; /* what --help calls the option's argument; NULL if it has none */
	const char *help;     /* its text in --help, without a full stop */
	bool *flag;	      /* is set to true */
	const char **string;  /* is set to the option's argument, which argv owns */
	/* Checks the argument and stores it in to. Returns NULL, or what is wrong with it. */
	const char *(*take)(void *to, const char *argument);
	void *to;
};

/* One argument of a command. */
struct otpctl_argument {
	const char *name;   /* as in usage; NULL ends the list */
	const char **value; /* is set to the argument, which argv owns */
};

enum { OTPCTL_ARGUMENTS_MAX = 3 };

/* The command line of a command or of a group of commands. Everything is borrowed. */
struct otpctl_syntax {
	const char *name;    /* as it is typed: "otpctl contact add" */
	const char *usage;   /* what follows the name and the options; "" for a command alone */
	const char *summary; /* one or a few sentences */
	const char *example; /* a command line, whole */
	struct otpctl_argument argument[OTPCTL_ARGUMENTS_MAX + 1];
	int optional; /* how many arguments at the end may be missing; *value is unchanged then */
	const struct otpctl_option *options;   /* without the global ones; NULL for none */
	const struct otpctl_command *commands; /* of a group; ends with an empty row */
};

/*
 * Reads the options and arguments of a command; options may also stand behind arguments. argv[0] is
 * the command's name. Global options are stored in ctl. Exits with OTPCTL_OK after --help and
 * --version, and as otpctl_misuse() does if the command line is wrong.
 */
void otpctl_parse(struct otpctl *ctl, const struct otpctl_syntax *s, int argc, char **argv);

/*
 * Reads the global options up to the first argument, and runs the command of the group that it
 * names. "help" followed by a command prints the help of that command. Returns the exit code.
 */
int otpctl_dispatch(struct otpctl *ctl, const struct otpctl_syntax *s, int argc, char **argv);

/* A function for .take that accepts the name of a PAM service; to is a const char **. */
const char *otpctl_take_service(void *to, const char *argument);

/* Prints the message, and which --help to see, on standard error. Exits with OTPCTL_USAGE. */
_Noreturn void otpctl_misuse(const struct otpctl_syntax *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
