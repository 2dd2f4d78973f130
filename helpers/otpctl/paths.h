/* The configuration as otpctl needs it, and where things are by it. */
#ifndef OTP_OTPCTL_PATHS_H
#define OTP_OTPCTL_PATHS_H

#include "helpers/conf/conf.h"
#include "helpers/conf/report.h"
#include "helpers/otpctl/otpctl.h"

/* The configuration; NULL where none was named and none is installed. An exit code, as below. */
int otpctl_conf_load(const struct otpctl *ctl, struct conf **out);
/* Prints each row of the report on standard error. */
void otpctl_print_report(const struct conf_report *report);

static inline void
otpctl_conf_release(struct conf **c)
{
	conf_free(*c);
}
#define _auto_conf __attribute__((cleanup(otpctl_conf_release)))

/* Where contacts, state and host key are: from [paths], or as installed where there is no file. */
struct otpctl_paths {
	char *contacts;
	char *state;
	char *host_key;
};

/* An exit code: what is wrong with the configuration was printed. The caller clears out. */
int otpctl_paths_load(const struct otpctl *ctl, struct otpctl_paths *out);
/* Of a configuration that was loaded, or NULL. */
int otpctl_paths_of(const struct conf *c, struct otpctl_paths *out);
void otpctl_paths_clear(struct otpctl_paths *p);

#define _auto_paths __attribute__((cleanup(otpctl_paths_clear)))

#endif
