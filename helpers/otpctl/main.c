/* otpctl: the start of the program and the table of its commands. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "helpers/base/log.h"
#include "helpers/otpctl/attribute.h"
#include "helpers/otpctl/audit.h"
#include "helpers/otpctl/configuration/configuration.h"
#include "helpers/otpctl/contact/contact.h"
#include "helpers/otpctl/explain/explain.h"
#include "helpers/otpctl/init.h"
#include "helpers/otpctl/options.h"
#include "helpers/otpctl/recovery.h"
#include "helpers/otpctl/remember.h"
#include "helpers/otpctl/status/status.h"
#include "helpers/otpctl/unlock.h"

static const struct otpctl_command commands[] = {
    {"init", "make the store, the contacts and the host key", otpctl_init},
    {"contact", "add, list, verify, import and remove addresses of users", otpctl_contact},
    {"attribute", "set, list and remove attributes of users at providers", otpctl_attribute},
    {"recovery", "issue and revoke recovery codes of users", otpctl_recovery},
    {"status", "show the limits, lock-outs and messages of a user", otpctl_status},
    {"explain", "show which rule decides a sign-in, and what would follow", otpctl_explain},
    {"remember", "list and revoke remembered sign-ins", otpctl_remember},
    {"unlock", "end the lock-outs and limits of a user", otpctl_unlock},
    {"config", "check and show the configuration", otpctl_config},
    {"help", "print the help of a command", NULL},
    {0},
};

static const struct otpctl_syntax syntax = {
    .name = "otpctl",
    .usage = "COMMAND [ARGUMENT...]",
    .summary = "Administers pam_otp, the second factor by one-time code.",
    .example = "otpctl contact add asha --phone +9779800000019",
    .commands = commands,
};

/*
 * Opens /dev/null for those of the descriptors 0, 1 and 2 that the caller has closed: a file that
 * is opened later must not get such a number, or output would be written to it. Each is opened for
 * the wrong direction, so that reading and writing fail. False if that cannot be done.
 */
static bool
take_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return false;
	return true;
}

/*
 * Ignores the signals for a pipe that nobody reads and for a file at its size limit: they must not
 * end a change half-way, before its notices are sent. otpctl_end_output() reports the failure.
 */
static bool
ignore_output_signals(void)
{
	return signal(SIGPIPE, SIG_IGN) != SIG_ERR && signal(SIGXFSZ, SIG_IGN) != SIG_ERR;
}

int
main(int argc, char **argv)
{
	struct otpctl ctl = {.config = OTP_CONFIG, .root = geteuid() == 0};

	if (!take_standard_descriptors() || !ignore_output_signals())
		return OTPCTL_FAILED;
	audit_begin();
	/* The helper uses the machine's time zone. The last day of a rule must be the same here. */
	(void)unsetenv("TZ");
	log_open("otpctl", true);
	return otpctl_end_output(otpctl_dispatch(&ctl, &syntax, argc, argv));
}
