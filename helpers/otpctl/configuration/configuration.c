/* otpctl config: checks and shows the configuration, and changes nothing. */
#include "helpers/otpctl/configuration/configuration.h"

#include "helpers/otpctl/configuration/check.h"
#include "helpers/otpctl/configuration/show.h"
#include "helpers/otpctl/options.h"

int
otpctl_config(struct otpctl *ctl, int argc, char **argv)
{
	static const struct otpctl_command commands[] = {
	    {"check", "check the configuration and print every error", config_check},
	    {"show", "print every option, its value and the line that sets it", config_show},
	    {0},
	};
	static const struct otpctl_syntax syntax = {
	    .name = "otpctl config",
	    .usage = "COMMAND [ARGUMENT...]",
	    .summary = "Checks and shows the configuration, and changes nothing.",
	    .example = "otpctl config check",
	    .commands = commands,
	};

	return otpctl_dispatch(ctl, &syntax, argc, argv);
}
