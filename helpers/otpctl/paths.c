#include "helpers/otpctl/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helpers/otpctl/otpctl.h"

enum { REPORT_MAX = 64 * 1024 };

static int
paths_copy(struct otpctl_paths *out, const char *contacts, const char *state, const char *host_key)
{
	out->contacts = strdup(contacts);
	out->state = strdup(state);
	out->host_key = strdup(host_key);
	if (out->contacts && out->state && out->host_key)
		return OTPCTL_OK;
	return otpctl_fail("no memory");
}

void
otpctl_print_report(const struct conf_report *report)
{
	char text[CONF_ROW_TEXT];

	for (size_t i = 0; i < report->n; i++)
		(void)fprintf(stderr, "%s\n", conf_row_text(&report->row[i], text));
}

int
otpctl_conf_load(const struct otpctl *ctl, struct conf **out)
{
	_auto_report struct conf_report report = {.max = REPORT_MAX};

	*out = NULL;
	if (!ctl->config_given && access(ctl->config, F_OK) && errno == ENOENT)
		return OTPCTL_OK;
	if (!conf_load(ctl->config, ctl->second_owner, out, &report))
		return OTPCTL_OK;
	otpctl_print_report(&report);
	return otpctl_fail("cannot use the configuration %s; run: otpctl%s%s config check",
	    ctl->config, ctl->config_given ? " --config " : "",
	    ctl->config_given ? ctl->config : "");
}

int
otpctl_paths_of(const struct conf *c, struct otpctl_paths *out)
{
	if (!c)
		return paths_copy(out, OTP_CONTACTS, OTP_STATE, OTP_HOST_KEY);
	return paths_copy(out, c->paths.contacts, c->paths.state, c->paths.host_key);
}

int
otpctl_paths_load(const struct otpctl *ctl, struct otpctl_paths *out)
{
	_auto_conf struct conf *c = NULL;
	int r = otpctl_conf_load(ctl, &c);

	return r ? r : otpctl_paths_of(c, out);
}

void
otpctl_paths_clear(struct otpctl_paths *p)
{
	free(p->contacts);
	free(p->state);
	free(p->host_key);
	*p = (struct otpctl_paths){0};
}
