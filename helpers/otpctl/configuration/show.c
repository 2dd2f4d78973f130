/* otpctl config show: every option with its value, and no secret. */
#include "helpers/otpctl/configuration/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "common/text.h"
#include "helpers/base/json.h"
#include "helpers/conf/conf.h"
#include "helpers/otpctl/options.h"
#include "helpers/otpctl/paths.h"
#include "helpers/profile/profile.h"

enum { REPORT_MAX = 256 * 1024, SHOW_MAX = 64 * 1024 * 1024 };

struct showing {
	const struct otpctl *ctl;
	const struct conf *c;
	json_t *rows;
	struct conf_show_text text;
};

/*
 * True if the value may be shown. A secret must be in a file: or cred:, but an unchecked
 * configuration may have the secret itself as the value. The profile says which keys are secret;
 * if it cannot be read, all are.
 */
static bool
may_show(const struct showing *to, const struct conf_shown *shown)
{
	_auto_report struct conf_report ignored = {.max = REPORT_MAX};
	const struct conf_provider *section;
	const struct profile_var *var;
	struct profile *p = NULL;
	bool secret;

	if (!shown->free_key || !strncmp(shown->value, "file:/", strlen("file:/")) ||
	    !strncmp(shown->value, "cred:", strlen("cred:")))
		return true;
	section = conf_provider(to->c, shown->section + strlen("provider "));
	if (profile_load(section->profile, section->variant, &to->c->paths.profiles,
		to->ctl->second_owner, &p, &ignored))
		return false;
	var = profile_var(p, shown->key);
	secret = !var || var->secret;
	profile_free(p);
	return !secret;
}

static void
add_row(const struct conf_shown *shown, void *arg)
{
	struct showing *to = arg;
	json_t *row = json_pack("{s:s, s:s, s:s, s:s?, s:o}", "section", shown->section, "key",
	    shown->key, "value", may_show(to, shown) ? shown->value : "(hidden)", "file",
	    shown->line ? shown->file : NULL, "line",
	    shown->line ? json_integer(shown->line) : json_null());

	json_array_append_new(to->rows, row);
}

static void
add_text(const struct conf_shown *shown, void *arg)
{
	struct showing *to = arg;
	struct conf_shown row = *shown;

	if (!may_show(to, shown))
		row.value = NULL;
	conf_show_text(&row, &to->text);
}

/*
 * Prints the text line by line. On a terminal, which would obey them, control characters are
 * replaced. A file or a pipe gets the values as they are. Returns OTPCTL_OK or OTPCTL_FAILED.
 */
static int
print_text(const char *text)
{
	bool bad = !text, cleaned = isatty(STDOUT_FILENO);

	for (size_t len; !bad && *text; text += len + 1) {
		_auto_free char *line = NULL, *shown = NULL;

		len = strcspn(text, "\n");
		line = strndup(text, len);
		shown = malloc(len + 1);
		bad = !line || !shown ||
		      puts(cleaned ? text_clean(shown, len + 1, line) : line) == EOF;
	}
	return bad || otpctl_flush() ? otpctl_fail("the output could not be written") : OTPCTL_OK;
}

int
config_show(struct otpctl *ctl, int argc, char **argv)
{
	const char *service = NULL;
	const struct otpctl_option options[] = {
	    {"service", "NAME", "Print the options that hold for this PAM service",
		.take = otpctl_take_service, .to = &service},
	    {0},
	};
	const struct otpctl_syntax syntax = {
	    .name = "otpctl config show",
	    .usage = "",
	    .summary = "Prints every option with its value, as a configuration file. Comments name "
		       "the file and line that set it.",
	    .example = "otpctl config show --service sshd",
	    .options = options,
	};
	_auto_conf struct conf *c = NULL;
	_auto_json json_t *rows = json_array();
	_auto_report struct conf_report report = {.max = REPORT_MAX};
	_auto_buf struct buf text = BUF_INIT(SHOW_MAX);
	struct showing to = {.ctl = ctl, .rows = rows, .text = {.out = &text}};
	int r;

	otpctl_parse(ctl, &syntax, argc, argv);
	r = conf_load(ctl->config, ctl->second_owner, &c, &report);
	otpctl_print_report(&report);
	if (r)
		return otpctl_fail("%s: %s", ctl->config, otp_strerror(r));
	to.c = c;
	conf_show(c, service, ctl->json ? add_row : add_text, &to);
	return ctl->json ? otpctl_print_json(rows) : print_text(buf_str(&text));
}
