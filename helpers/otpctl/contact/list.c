/* otpctl contact list: shows addresses, masked unless --full is given. */
#include "helpers/otpctl/contact/list.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/base/json.h"
#include "helpers/otpctl/addresses.h"
#include "helpers/otpctl/options.h"
#include "helpers/otpctl/paths.h"
#include "helpers/otpctl/user.h"

struct listing {
	bool json;
	bool full;
	size_t n;
};

static int
list_json(const struct contact *c, struct listing *l)
{
	_auto_json json_t *j = contact_json(c, l->full);

	(void)fputs(l->n++ ? ",\n  " : "\n  ", stdout);
	return j && !json_dumpf(j, stdout, JSON_COMPACT) ? 0 : -OTP_ENOMEM;
}

static int
list_one(const struct contact *c, void *arg)
{
	struct listing *l = arg;
	char masked[CONTACT_ADDRESS_MAX + 1], day[16] = "no", label[CONTACT_LABEL_MAX + 1];
	time_t at = (time_t)c->verified_at;
	struct tm tm;

	if (l->json)
		return list_json(c, l);
	if (l->n++ == 0)
		(void)printf("%-16s %-5s  %-26s %-10s  %-9s %s\n", "USER", "KIND", "ADDRESS",
		    "VERIFIED", "PREFERRED", "LABEL");
	if (c->verified_at && gmtime_r(&at, &tm))
		(void)strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	(void)printf("%-16s %-5s  %-26s %-10s  %-9s %s\n", c->user, contact_kind_name(c->kind),
	    contact_shown(c, l->full, masked, sizeof(masked)), day, c->preferred ? "yes" : "no",
	    text_clean(label, sizeof(label), c->label));
	return 0;
}

int
contact_list(struct otpctl *ctl, int argc, char **argv)
{
	_auto_paths struct otpctl_paths paths = {0};
	const char *name = NULL;
	struct listing l = {0};
	const struct otpctl_option options[] = {
	    {"full", NULL, "Show whole addresses instead of masked ones", .flag = &l.full},
	    {0},
	};
	const struct otpctl_syntax syntax = {
	    .name = "otpctl contact list",
	    .usage = "[USER]",
	    .summary = "Lists the contacts of USER, or of all users.",
	    .example = "otpctl contact list asha",
	    .argument = {{"USER", &name}},
	    .optional = 1,
	    .options = options,
	};
	char user[CONTACT_USER_MAX + 1];
	enum otpctl_known known = USER_KNOWN;
	int r;

	otpctl_parse(ctl, &syntax, argc, argv);
	r = name ? otpctl_canonical(NAME_OR_TYPED, name, user, sizeof(user), &known) : OTPCTL_OK;
	if (!r)
		r = otpctl_paths_load(ctl, &paths);
	if (r)
		return r;
	l.json = ctl->json;
	if (l.json)
		(void)putchar('[');
	r = contacts_sqlite_each(paths.contacts, name ? user : NULL, list_one, &l);
	if (l.json)
		(void)fputs(l.n ? "\n]\n" : "]\n", stdout);
	if (r)
		return otpctl_fail("the contacts could not be read%s",
		    geteuid() == 0 || ctl->config_given ? "" : "; run it with sudo");
	if (l.n || !name)
		return OTPCTL_OK;
	if (known == USER_UNKNOWN)
		return otpctl_unknown_user(user);
	(void)otpctl_fail(
	    "%s has no contact; add one with: otpctl contact add %s --phone +NUMBER", user, user);
	return OTPCTL_NONE;
}
