/* otpctl contact remove: removes one address of a user, or all of them. */
#include "helpers/otpctl/contact/remove.h"

#include <stdio.h>

#include "common/text.h"
#include "helpers/contacts/contacts.h"
#include "helpers/otpctl/notice.h"
#include "helpers/otpctl/options.h"
#include "helpers/otpctl/paths.h"
#include "helpers/otpctl/privileges.h"
#include "helpers/otpctl/revoked.h"
#include "helpers/otpctl/user.h"

struct wish {
	enum notice_wish notice;
	const char *user;
	const char *address;
	bool all;
};

static void
parse_remove(struct otpctl *ctl, int argc, char **argv, struct wish *w)
{
	const struct otpctl_option options[] = {
	    {"all", NULL, "Remove all addresses of USER", .flag = &w->all},
	    notice_option(&w->notice, NOTICE_YES),
	    notice_option(&w->notice, NOTICE_NO),
	    {0},
	};
	const struct otpctl_syntax syntax = {
	    .name = "otpctl contact remove",
	    .usage = "USER ADDRESS | --all",
	    .summary = "Removes one address of USER, or all of them with --all.",
	    .example = "otpctl contact remove asha +9779800000019",
	    .argument = {{"USER", &w->user}, {"ADDRESS", &w->address}},
	    .optional = 1,
	    .options = options,
	};

	otpctl_parse(ctl, &syntax, argc, argv);
	if (w->all == (w->address != NULL))
		otpctl_misuse(&syntax, "expected either ADDRESS or --all");
}

/* Removes the address, or all of them without one. Returns the exit code. */
static int
remove_some(const char *path, const char *user, enum otpctl_known known, const char *address,
    int *removed, struct notices *n)
{
	struct contacts_edit *e = NULL;
	int r = contacts_edit_begin(path, &e);

	if (r)
		return otpctl_fail("nothing was removed");
	r = contacts_edit_remove(e, user, address, removed);
	if (r || *removed == 0) {
		contacts_edit_abort(e);
		if (r)
			return otpctl_fail("nothing was removed");
		if (known == USER_AS_TYPED)
			return otpctl_nothing_typed(user);
		(void)otpctl_fail(
		    "%s has no such contact; see: otpctl contact list %s --full", user, user);
		return OTPCTL_NONE;
	}
	if (notices_collect(e, n)) {
		contacts_edit_abort(e);
		return OTPCTL_FAILED;
	}
	return contacts_edit_commit(e) ? otpctl_fail("nothing was removed") : OTPCTL_OK;
}

static int
count_one(const struct contact *c, void *arg)
{
	(void)c;
	++*(int *)arg;
	return 0;
}

static int
report_removed(const struct otpctl *ctl, const struct conf *conf, const char *path,
    const char *user, int removed, struct notices *n)
{
	char shown[16] = "?", quoted[CONTACT_USER_MAX + 1];
	int left = 0, r = contacts_sqlite_each(path, user, count_one, &left);

	/* The removal stands and is reported even if the remaining addresses cannot be counted. */
	if (!r)
		(void)snprintf(shown, sizeof(shown), "%d", left);
	audit("contact_remove", "user=\"%s\" removed=%d left=%s",
	    text_quotable(quoted, sizeof(quoted), user), removed, shown);
	notices_settled(n);
	if (!ctl->json)
		(void)printf("removed: %d of %s, %s left\n", removed, user, shown);
	notices_send(ctl, conf, n);
	if (!r && left == 0)
		(void)fprintf(stderr,
		    "otpctl: note: %s has no contact now, and is not let in where "
		    "pam_otp asks for a code\n",
		    user);
	if (ctl->json &&
	    notices_print_json(json_pack("{s:s, s:i, s:o}", "user", user, "removed", removed,
				   "left", r ? json_null() : json_integer(left)),
		n))
		return OTPCTL_FAILED;
	return r ? otpctl_fail(
		       "the addresses were removed, but those that are left could not be counted")
		 : OTPCTL_OK;
}

int
contact_remove(struct otpctl *ctl, int argc, char **argv)
{
	_auto_paths struct otpctl_paths paths = {0};
	_auto_conf struct conf *conf = NULL;
	_auto_notices struct notices n = {0};
	struct wish w = {0};
	char user[CONTACT_USER_MAX + 1];
	enum otpctl_known known;
	int r, revoked, removed = 0;

	parse_remove(ctl, argc, argv, &w);
	if (!otpctl_may_write(ctl))
		return OTPCTL_FAILED;
	r = otpctl_canonical(NAME_OR_TYPED, w.user, user, sizeof(user), &known);
	if (!r)
		r = otpctl_conf_load(ctl, &conf);
	if (!r)
		r = otpctl_paths_of(conf, &paths);
	n.wish = w.notice;
	if (!r)
		r = remove_some(paths.contacts, user, known, w.address, &removed, &n);
	if (r)
		return r;
	revoked =
	    otpctl_forget_remembered(ctl, paths.state, &(const struct strlist){&(char *){user}, 1});
	r = report_removed(ctl, conf, paths.contacts, user, removed, &n);
	return r ? r : revoked;
}
