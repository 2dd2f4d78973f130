/* otpctl config check: every error of the configuration, with its file and line. */
#include "helpers/otpctl/configuration/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "helpers/base/account.h"
#include "helpers/base/json.h"
#include "helpers/base/log.h"
#include "helpers/conf/conf.h"
#include "helpers/conf/parse.h"
#include "helpers/contacts/contacts.h"
#include "helpers/login/files.h"
#include "helpers/otpctl/options.h"
#include "helpers/otpctl/paths.h"
#include "helpers/otpctl/privileges.h"
#include "helpers/provider/delivery.h"
#include "helpers/rules/rules.h"

enum { REPORT_MAX = 256 * 1024 };

/* --- channels and providers ------------------------------------------------------------------ */

/* Adds the channels of these options that are not in the list yet. 0 or -OTP_ENOMEM. */
static int
add_channels(struct strlist *all, const struct conf_signin *options)
{
	for (size_t i = 0; i < options->channels.n; i++)
		if (!strlist_has(all, options->channels.item[i]) &&
		    !strlist_add(all, options->channels.item[i]))
			return -OTP_ENOMEM;
	return 0;
}

/* Sections [service ...] have options of their own, with channels of their own. */
struct in_use {
	const struct conf *c;
	struct strlist channels; /* that a sign-in can use */
	int r;
};

static void
note_service(const struct conf_shown *shown, void *arg)
{
	struct in_use *u = arg;
	_auto_free char *names = NULL;
	char *rest;

	if (strncmp(shown->section, "service ", 8) != 0)
		return;
	names = rest = strdup(shown->section + strlen("service "));
	for (const char *name; !u->r && rest && (name = strsep(&rest, " "));)
		u->r = add_channels(&u->channels, conf_signin_for(u->c, name));
	if (!names)
		u->r = -OTP_ENOMEM;
}

/* Adds each row as a warning: nobody is locked out by it now. */
static void
add_warnings(const struct conf_report *from, struct conf_report *report)
{
	for (size_t i = 0; i < from->n; i++)
		conf_warn(report, from->row[i].file, from->row[i].line, "%s", from->row[i].message);
}

/* Warns of channels that no sign-in uses, and of what is wrong in them. 0 or -OTP_ENOMEM. */
static int
warn_of_channels(const struct otpctl *ctl, const struct in_use *u, enum provider_secrets secrets,
    struct conf_report *report)
{
	for (size_t i = 0; i < u->c->nchannels; i++) {
		_auto_report struct conf_report own = {.max = REPORT_MAX};
		char *name = u->c->channel[i].name;
		const struct strlist one = {&name, 1};
		struct delivery *d = NULL;

		if (strlist_has(&u->channels, name))
			continue;
		conf_warn_at(report, u->c, "otp", "channels",
		    "no sign-in uses [channel %s]; name it here, or remove it", name);
		if (delivery_open(u->c, &one, ctl->second_owner, secrets,
			&(const struct provider_io){.http = NULL}, &d, &own) == -OTP_ENOMEM)
			return -OTP_ENOMEM;
		delivery_close(d);
		add_warnings(&own, report);
	}
	return 0;
}

static bool
is_named(const struct conf *c, const char *provider)
{
	for (size_t i = 0; i < c->nchannels; i++)
		if (strlist_has(&c->channel[i].providers, provider))
			return true;
	return false;
}

/* Warns of providers that no channel names, and of what is wrong in them. */
static void
warn_of_providers(const struct otpctl *ctl, const struct conf *c, enum provider_secrets secrets,
    struct conf_report *report)
{
	for (size_t i = 0; i < c->nproviders; i++) {
		_auto_report struct conf_report own = {.max = REPORT_MAX};
		const struct conf_provider *section = &c->provider[i];
		struct provider *p = NULL;

		if (is_named(c, section->name))
			continue;
		conf_warn(report, section->file, section->line, "[provider %s]: no channel uses it",
		    section->name);
		if (!provider_load(c, section, ctl->second_owner, secrets, &p, &own))
			provider_free(p);
		add_warnings(&own, report);
	}
}

/* Checks the channels that sign-ins use as a sign-in does. 0, or a negative OTP_E. */
static int
check_delivery(const struct otpctl *ctl, const struct conf *c, enum provider_secrets secrets,
    struct conf_report *report)
{
	struct in_use u = {.c = c};
	struct delivery *d = NULL;
	int r;

	u.r = add_channels(&u.channels, &c->signin);
	conf_show(c, NULL, note_service, &u);
	r = u.r;
	if (!r)
		r = delivery_open(c, &u.channels, ctl->second_owner, secrets,
		    &(const struct provider_io){.http = NULL}, &d, report);
	delivery_close(d);
	if (warn_of_channels(ctl, &u, secrets, report))
		r = -OTP_ENOMEM;
	warn_of_providers(ctl, c, secrets, report);
	strlist_free(&u.channels);
	return r;
}

/* --- host key, contacts and store ------------------------------------------------------------ */

struct opening {
	const struct conf *c;
	struct conf_report *report;
	struct login_files files;
};

/* Takes what a sign-in would log about a file. */
static void
note_line(int priority, const char *line, void *arg)
{
	struct opening *o = arg;

	if (priority <= LOG_ERR)
		conf_error_at(o->report, o->c, "paths", o->files.key, "%s", line);
}

/*
 * Opens the files as a sign-in does, and for that becomes the helper's user for good: root in the
 * state folder would leave files there that the helper cannot use.
 */
static int
check_files(const struct otpctl *ctl, const struct conf *c, struct conf_report *report)
{
	struct opening o = {.c = c, .report = report};
	struct account helper;
	int r;

	if (geteuid() == 0) {
		if (!otpctl_helper_user(&helper) || !otpctl_become(helper.uid, helper.gid)) {
			conf_warn(report, NULL, 0,
			    "host key, contacts and store were not opened, because the "
			    "user " OTP_USER " could not be looked up");
			return 0;
		}
	}
	log_divert(note_line, &o);
	r = login_files_open(c, ctl->second_owner, NULL, NULL, &o.files);
	log_divert(NULL, NULL);
	login_files_close(&o.files);
	return r ? -OTP_ECONF : 0;
}

/* --- contacts and services ------------------------------------------------------------------- */

enum { OUTSIDE_SHOWN = 20 };

/* Collects the registered numbers that the option `prefixes` of [limits] does not allow. */
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

struct check_options {
	bool no_secrets;
	bool no_state;
};

static int
check_all(const struct otpctl *ctl, const struct check_options *options, struct conf_report *report)
{
	_auto_conf struct conf *c = NULL;
	struct naming naming = {.report = report};
	bool sees_secrets = geteuid() == 0 || geteuid() == ctl->second_owner;
	bool reads = sees_secrets && !options->no_secrets;
	int r = otpctl_as_helper(ctl), names, e;

	if (r)
		return -OTP_EPERM;
	r = conf_load(ctl->config, ctl->second_owner, &c, report);
	if (r)
		return r;
	if (ctl->root && geteuid() == 0 && !ctl->config_given)
		conf_warn(report, NULL, 0,
		    "read as root, because the user " OTP_USER " could not be looked up; no "
		    "sign-in succeeds without that user");
	names = rules_check(c, report);
	check_numbers(c, report);
	if (!access(pam_folders[0], X_OK))
		conf_show(c, NULL, check_naming, &naming);
	free(naming.section);
	if (!options->no_secrets && !sees_secrets)
		conf_warn(report, NULL, 0,
		    "the secrets, the host key and the store were not read, because that takes "
		    "root");
	r = check_delivery(ctl, c, reads ? PROVIDER_READ_FILES : PROVIDER_NAME_SECRETS, report);
	e = options->no_state || !sees_secrets ? 0 : check_files(ctl, c, report);
	r = r ? r : e;
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
	struct check_options check = {.no_secrets = false};
	const struct otpctl_option options[] = {
	    {"no-secrets", NULL, "Do not read the files that hold secrets",
		.flag = &check.no_secrets},
	    {"no-state", NULL, "Do not open the host key, the contacts and the store",
		.flag = &check.no_state},
	    {0},
	};
	const struct otpctl_syntax syntax = {
	    .name = "otpctl config check",
	    .usage = "",
	    .summary = "Reads the configuration, its drop-ins, the profiles and the secrets as a "
		       "sign-in does, and opens the host key, the contacts and the store. Prints "
		       "each error with its file and line.",
	    .example = "otpctl config check",
	    .options = options,
	};
	_auto_report struct conf_report report = {.max = REPORT_MAX};

	otpctl_parse(ctl, &syntax, argc, argv);
	return print_check(ctl, check_all(ctl, &check, &report), &report);
}
