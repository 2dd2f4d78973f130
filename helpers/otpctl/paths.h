/* Reads the configuration for otpctl, and finds the files that it names. */
#ifndef OTP_OTPCTL_PATHS_H
#define OTP_OTPCTL_PATHS_H

#include "helpers/conf/conf.h"
#include "helpers/conf/report.h"
#include "helpers/otpctl/otpctl.h"

/*
 * Loads the configuration; the caller frees it with conf_free(). *out is NULL if --config was not
 * given and no configuration is installed. Returns OTPCTL_OK, or OTPCTL_FAILED after every error
 * was printed with its file and line.
 */
int otpctl_conf_load(const struct otpctl *ctl, struct conf **out);
/* Prints each row of the report on standard error. */
void otpctl_print_report(const struct conf_report *report);

static inline void
otpctl_conf_release(struct conf **c)
{
	conf_free(*c);
}
#define _auto_conf __attribute__((cleanup(otpctl_conf_release)))

/* Absolute paths, owned: those of [paths], or the installed ones without a configuration. */
struct otpctl_paths {
	char *contacts; /* the file */
	char *state;	/* the folder */
	char *host_key;
};

/*
 * Loads the configuration for its paths alone. Returns the exit code as otpctl_conf_load() does.
 * The caller clears out, also after a failure.
 */
int otpctl_paths_load(const struct otpctl *ctl, struct otpctl_paths *out);
/*
 * Copies the paths of c, which may be NULL. Returns OTPCTL_OK, or OTPCTL_FAILED without memory. The
 * caller clears out, also after a failure.
 */
int otpctl_paths_of(const struct conf *c, struct otpctl_paths *out);
/* Frees the paths. */
void otpctl_paths_clear(struct otpctl_paths *p);

#define _auto_paths __attribute__((cleanup(otpctl_paths_clear)))

#endif
