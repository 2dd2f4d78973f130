/* otpctl config check: every error of the configuration, with its file and line. */
#include "helpers/otpctl/configuration/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "helpers/base/json.h"
#include "helpers/conf/conf.h"
#include "helpers/conf/parse.h"
#include "helpers/contacts/contacts.h"
#include "helpers/otpctl/options.h"
#include "helpers/otpctl/paths.h"
#include "helpers/otpctl/privileges.h"
#include "helpers/profile/profile.h"
#include "helpers/provider/provider.h"
#include "helpers/rules/rules.h"

enum { REPORT_MAX = 256 * 1024 };

static bool
uses_credentials(const struct conf_provider *p)
{
	for (size_t i = 0; i < p->nvars; i++)
		if (!strncmp(p->vars[i].value, "cred:", strlen("cred:")))
			return true;
	return false;
}

/*
 * Checks one provider for each channel that names it. Sets takes_message[i] if the provider sends
 * the text of channel i. If the provider could not be loaded, sets it too, because that is not
 * known. 0, or a negative OTP_E; the errors and warnings are in the report.
 */
static int
check_provider(const struct otpctl *ctl, const struct conf *c, const struct conf_provider *section,
    enum provider_secrets secrets, bool *takes_message, struct conf_report *report)
{
	struct provider *p = NULL;
	int r;

	if (secrets == PROVIDER_READ_SECRETS && uses_credentials(section)) {
		secrets = PROVIDER_NAME_SECRETS;
		conf_warn(report, section->file, section->line,
		    "[provider %s] cred: works only where systemd starts the helper, so its "
		    "secrets were not read",
		    section->name);
	}
	r = provider_load(c, section, ctl->second_owner, secrets, &p, report);
	for (size_t i = 0; i < c->nchannels; i++) {
		const struct conf_channel *ch = &c->channel[i];
		int e;

		if (!strlist_has(&ch->providers, section->name))
			continue;
		takes_message[i] |= !p || provider_takes_message(p);
		if (!p)
			continue;
		e = provider_check_channel(p, ch->name, ch->message, report);
		r = r ? r : e;
	}
	provider_free(p);
	return r;
}

enum { OUTSIDE_SHOWN = 20 };

/* The registered numbers that [limits] prefixes does not allow. */
struct outside {
	const struct conf *conf;
	const char *file; /* that sets prefixes */
	unsigned line;
	struct conf_report *report;
	size_t n; /* of all such numbers; the report has the first of them */
};

static int
warn_of_number(const struct contact *c, void *arg)
{
	struct outside *o = arg;
	char masked[CONTACT_ADDRESS_MAX + 1];

	if (c->kind == CONTACT_PHONE && !conf_allows_number(o->conf, c->address) &&
	    o->n++ < OUTSIDE_SHOWN)
		conf_warn(o->report, o->file, o->line,
		    "[limits] prefixes: %s of %s is outside, so no code is sent there",
		    contact_masked(masked, sizeof(masked), c->address), c->user);
	return 0;
}

static void
find_prefixes(const struct conf_shown *shown, void *arg)
{
	struct outside *o = arg;

	if (strcmp(shown->section, "limits") != 0 || strcmp(shown->key, "prefixes") != 0)
		return;
	o->file = shown->file;
	o->line = shown->line;
}

/* Warns of registered numbers to which no code is sent: the number or the option is wrong. */
static void
check_numbers(const struct conf *c, struct conf_report *report)
{
	struct outside o = {.conf = c, .report = report};

	if (!c->limits.prefixes.n || (access(c->paths.contacts, F_OK) && errno == ENOENT))
		return;
	conf_show(c, NULL, find_prefixes, &o);
	if (contacts_sqlite_each(c->paths.contacts, NULL, warn_of_number, &o))
		conf_warn(report, o.file, o.line,
		    "[limits] prefixes: the registered numbers were not checked, because the "
		    "contacts could not be read");
	if (o.n > OUTSIDE_SHOWN)
		conf_warn(report, o.file, o.line,
		    "[limits] prefixes: %zu registered numbers are outside; the first %d are "
		    "listed",
		    o.n, OUTSIDE_SHOWN);
}

/* The folders in which PAM looks for services: of the administrator, and of packages. */
static const char *const pam_folders[] = {"/etc/pam.d", "/usr/lib/pam.d"};

static bool
is_installed(const char *service)
{
	char path[sizeof("/usr/lib/pam.d/") + CONF_WORD_MAX];

	for (size_t i = 0; i < sizeof(pam_folders) / sizeof(pam_folders[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", pam_folders[i], service);
		if (!access(path, F_OK))
			return true;
	}
	return false;
}

/* Services are named by the headings of [service ...] and by the key "services" of rules. */
struct naming {
	struct conf_report *report;
	char *section; /* the heading that was checked last */
};

static void
check_services(const struct conf_shown *shown, const char *key, const char *parted_by,
    struct conf_report *report)
{
	_auto_free char *names = strdup(*key ? shown->value : strchr(shown->section, ' '));
	char *rest = names;

	for (const char *name; names && (name = strsep(&rest, parted_by));)
		if (*name && !is_installed(name))
			conf_warn(report, shown->file, shown->line,
			    "[%s]%s: no program signs in by the service \"%s\": it has no file in "
			    "/etc/pam.d",
			    shown->section, key, name);
}

/* Warns of services that PAM does not have: what is set for a misspelt one never takes effect. */
static void
check_naming(const struct conf_shown *shown, void *arg)
{
	struct naming *n = arg;

	if (!shown->line)
		return;
	if (!strncmp(shown->section, "exempt ", 7) && !strcmp(shown->key, "services"))
		check_services(shown, " services", ", \t", n->report);
	if (strncmp(shown->section, "service ", 8) != 0 ||
	    (n->section && !strcmp(shown->section, n->section)))
		return;
	free(n->section);
	n->section = strdup(shown->section);
	check_services(shown, "", " ", n->report);
}

static int
check_all(const struct otpctl *ctl, bool no_secrets, struct conf_report *report)
{
	_auto_conf struct conf *c = NULL;
	_auto_free bool *takes_message = NULL;
	struct naming naming = {.report = report};
	enum provider_secrets secrets = PROVIDER_READ_SECRETS;
	bool sees_secrets = geteuid() == 0 || geteuid() == ctl->second_owner;
	int r = otpctl_as_helper(ctl), names;

	if (r)
		return -OTP_EPERM;
	r = conf_load(ctl->config, ctl->second_owner, &c, report);
	if (r)
		return r;
	takes_message = calloc(c->nchannels + 1, sizeof(*takes_message));
	if (!takes_message)
		return -OTP_ENOMEM;
	if (ctl->root && geteuid() == 0 && !ctl->config_given)
		conf_warn(report, NULL, 0,
		    "read as root, because the user " OTP_USER " could not be looked up; no "
		    "sign-in succeeds without that user");
	names = rules_check(c, report);
	check_numbers(c, report);
	if (!access(pam_folders[0], X_OK))
		conf_show(c, NULL, check_naming, &naming);
	free(naming.section);
	if (!no_secrets && !sees_secrets)
		conf_warn(report, NULL, 0, "the secrets were not read, because that takes root");
	if (no_secrets || !sees_secrets)
		secrets = PROVIDER_NAME_SECRETS;
	for (size_t i = 0; i < c->nproviders; i++) {
		int e = check_provider(ctl, c, &c->provider[i], secrets, takes_message, report);

		r = r ? r : e;
	}
	for (size_t i = 0; i < c->nchannels; i++) {
		if (takes_message[i] || !*c->channel[i].message)
			continue;
		r = provider_no_message(c->channel[i].name, report);
	}
	return r ? r : names;
}

static int
print_check(const struct otpctl *ctl, int r, const struct conf_report *report)
{
	_auto_json json_t *lists = NULL;
	json_t *list[CONF_WARNING + 1];
	char text[CONF_ROW_TEXT];

	if (!ctl->json) {
		otpctl_print_report(report);
		if (r == -OTP_ECONF)
			return otpctl_fail(
			    "%s: there are errors; nobody can sign in until they are corrected",
			    ctl->config);
		if (r == -OTP_ENOENT)
			return otpctl_fail(
			    "%s: there are errors; sign-ins work, but the rules do not apply to "
			    "the users and groups that the errors name",
			    ctl->config);
		if (r)
			return otpctl_fail("%s: %s", ctl->config, otp_strerror(r));
		return printf("%s: no errors\n", ctl->config) < 0 || otpctl_flush() ? OTPCTL_FAILED
										    : OTPCTL_OK;
	}
	list[CONF_ERROR] = json_array();
	list[CONF_WARNING] = json_array();
	for (size_t i = 0; i < report->n; i++)
		json_array_append_new(list[report->row[i].severity],
		    json_string(conf_row_text(&report->row[i], text)));
	lists = json_pack("{s:s, s:b, s:o, s:o}", "file", ctl->config, "ok", !r, "errors",
	    list[CONF_ERROR], "warnings", list[CONF_WARNING]);
	return otpctl_print_json(lists) || r ? OTPCTL_FAILED : OTPCTL_OK;
}

int
config_check(struct otpctl *ctl, int argc, char **argv)
{
	bool no_secrets = false;
	const struct otpctl_option options[] = {
	    {"no-secrets", NULL, "Do not read the files that hold secrets", .flag = &no_secrets},
	    {0},
	};
	const struct otpctl_syntax syntax = {
	    .name = "otpctl config check",
	    .usage = "",
	    .summary = "Reads the configuration, its drop-ins, the profiles and the secrets as a "
		       "sign-in does. Prints each error with its file and line.",
	    .example = "otpctl config check",
	    .options = options,
	};
	_auto_report struct conf_report report = {.max = REPORT_MAX};

	otpctl_parse(ctl, &syntax, argc, argv);
	return print_check(ctl, check_all(ctl, no_secrets, &report), &report);
}
