/*
 * What every command of otpctl shares. A command group is one function in a file of its own, in the
 * table of main.c.
 */
#ifndef OTP_OTPCTL_H
#define OTP_OTPCTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

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
	bool root;	    /* gave the command, whoever it is now */
	uid_t second_owner; /* whose files are trusted beside root's: 0, or the caller's with
			       --config */
};

struct otpctl_command {
	const char *name;
	const char *summary;				       /* one line for --help */
	int (*run)(struct otpctl *ctl, int argc, char **argv); /* argv[0] = name; an exit code */
};

/* Prints "otpctl: ..." and a newline on standard error. Returns OTPCTL_FAILED. */
int otpctl_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* As fflush(stdout); its error is told at the end. */
int otpctl_flush(void);
/* The exit code, once everything that was to be said is out. */
int otpctl_end_output(int r);

/* Prints it, indented; NULL is a failure. An exit code. */
int otpctl_print_json(const json_t *j);

#endif
