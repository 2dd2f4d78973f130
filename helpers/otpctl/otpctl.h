/*
 * otpctl: the administrator's command. A command group is one function in a file of its own, in the
 * table of otpctl.c; it parses its arguments with glibc's argp through otpctl_parse().
 */
#ifndef OTP_OTPCTL_H
#define OTP_OTPCTL_H

#include <argp.h>
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

/* Prints "otpctl: ..." and a newline on standard error. Returns OTPCTL_FAILED. */
int otpctl_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Where contacts, state and host key are: from [paths], or as installed where there is no file. */
struct otpctl_paths {
	char *contacts;
	char *state;
	char *host_key;
};

/* An exit code: what is wrong with the configuration was printed. The caller clears out. */
int otpctl_paths_load(const struct otpctl *ctl, struct otpctl_paths *out);
void otpctl_paths_clear(struct otpctl_paths *p);

#define _auto_paths __attribute__((cleanup(otpctl_paths_clear)))

/* May this caller change contacts? Says so if not. */
bool otpctl_may_write(const struct otpctl *ctl);
/* The name that contacts are kept under, into dst. An exit code, after a word to the user. */
int otpctl_canonical(const char *user, char *dst, size_t size, bool *exists);

/* From root to the helper's user, for good and proved; anybody else stays who they are. */
bool otpctl_become(uid_t uid, gid_t gid);

int otpctl_init(struct otpctl *ctl, int argc, char **argv);
int otpctl_contact(struct otpctl *ctl, int argc, char **argv);
int otpctl_attribute(struct otpctl *ctl, int argc, char **argv);
int otpctl_status(struct otpctl *ctl, int argc, char **argv);
int otpctl_config(struct otpctl *ctl, int argc, char **argv);

#endif
