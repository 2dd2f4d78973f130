/*
 * What all commands of otpctl share: the exit codes, the global options, and how they print
 * messages and output.
 */
#ifndef OTP_OTPCTL_H
#define OTP_OTPCTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The exit codes, as in otpctl(8). */
enum otpctl_exit {
	OTPCTL_OK = 0,
	OTPCTL_FAILED = 1, /* standard error says why, and what to do next */
	OTPCTL_USAGE = 2,  /* the command line is wrong */
	OTPCTL_NONE = 3,   /* the user, contact or code that was named does not exist */
	OTPCTL_EXISTS = 4, /* what was to be added exists already */
};

/* The global options, and who runs otpctl. */
struct otpctl {
	const char *config; /* the argument of --config, or the installed file; never NULL */
	bool config_given;
	bool json;
	bool root; /* root started otpctl, even if it has become another user since */
	/* Files of this user are trusted like those of root: the caller with --config, else root.
	 */
	uid_t second_owner;
};

struct otpctl_command {
	const char *name;
	const char *summary; /* its line in the help of its group */
	/*
	 * Runs the command; argv[0] is its name. Returns the exit code. NULL for "help", which
	 * otpctl_dispatch() answers itself.
	 */
	int (*run)(struct otpctl *ctl, int argc, char **argv);
};

/*
 * Prints "otpctl: ", the message and a newline on standard error. Control characters in the message
 * become '?'. Returns OTPCTL_FAILED.
 */
int otpctl_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Flushes standard output. Returns the result of fflush(3). otpctl_end_output() reports the first
 * error.
 */
int otpctl_flush(void);
/*
 * Flushes standard output as the last step of the program. Returns r, or OTPCTL_FAILED with a
 * message if any of the output could not be written.
 */
int otpctl_end_output(int r);

/*
 * Prints j, indented, on standard output. NULL, for a value that could not be made, is a failure.
 * Returns OTPCTL_OK, or OTPCTL_FAILED with a message.
 */
int otpctl_print_json(const json_t *j);

#endif
