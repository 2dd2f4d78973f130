/* otpctl remember: lists and revokes remembered sign-ins, which are not asked again for a while. */
#include "helpers/otpctl/remember.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/base/json.h"
#include "helpers/otpctl/audit.h"
#include "helpers/otpctl/options.h"
#include "helpers/otpctl/otpctl.h"
#include "helpers/otpctl/paths.h"
#include "helpers/otpctl/store.h"
#include "helpers/otpctl/user.h"

struct listing {
	json_t *json; /* NULL for a table */
	size_t n;
};

static int
list_one(const char *user, const char *key, int64_t made_wall_ms, void *arg)
{
	struct listing *l = arg;
	char when[OTPCTL_TIME_MAX], who[CONTACT_USER_MAX + 1], where[STORE_KEY_MAX + 1];

	otpctl_time(made_wall_ms, when);
	text_clean(who, sizeof(who), user);
	text_clean(where, sizeof(where), key);
	l->n++;
	if (l->json)
		return json_array_append_new(l->json,
			   json_pack("{s:s, s:s, s:s}", "user", who, "where", where, "since", when))
			   ? -OTP_ENOMEM
			   : 0;
	if (l->n == 1)
		(void)printf("%-16s  %-20s  %s\n", "USER", "SINCE", "WHERE");
	(void)printf("%-16s  %-20s  %s\n", who, when, where);
	return 0;
}

/*
 * Finds the name under which the store knows the user, "" without one, and opens the store. Returns
 * an exit code.
 */
static int
open_store(const struct otpctl *ctl, const char *name, char *user, size_t size,
    enum otpctl_known *known, struct store **s)
{
	_auto_paths struct otpctl_paths paths = {0};
	int r = OTPCTL_OK;

	user[0] = '\0';
	*known = USER_KNOWN;
	/* A user who no longer exists may have remembered sign-ins. */
	if (name)
		r = otpctl_canonical(NAME_OR_TYPED, name, user, size, known);
	if (!r)
		r = otpctl_paths_load(ctl, &paths);
	return r ? r : otpctl_store_open(ctl, paths.state, s);
}

static int
remember_list(struct otpctl *ctl, int argc, char **argv)
{
	const char *name = NULL;
	const struct otpctl_syntax syntax = {
	    .name = "otpctl remember list",
	    .usage = "[USER]",
	    .summary = "Lists where and since when sign-ins are remembered. At each sign-in, the "
		       "key remember of the configuration decides whether that still counts.",
	    .example = "otpctl remember list asha",
	    .argument = {{"USER", &name}},
	    .optional = 1,
	};
	_auto_json json_t *json = NULL;
	char user[CONTACT_USER_MAX + 1];
	struct listing l = {0};
	struct store *s = NULL;
	enum otpctl_known known;
	int r;

	otpctl_parse(ctl, &syntax, argc, argv);
	r = open_store(ctl, name, user, sizeof(user), &known, &s);
	if (r)
		return r;
	if (ctl->json)
		l.json = json = json_array();
	r = s->ops->remembered_each(s, *user ? user : NULL, list_one, &l);
	s->ops->close(s);
	if (r)
		return otpctl_fail("the store could not be read: %s", otp_strerror(r));
	if (!l.n && known == USER_UNKNOWN)
		return otpctl_unknown_user(user);
	if (json)
		return otpctl_print_json(json);
	if (!l.n)
		(void)printf("No sign-in is remembered.\n");
	return OTPCTL_OK;
}

static int
remember_revoke(struct otpctl *ctl, int argc, char **argv)
{
	const char *name = NULL;
	bool all = false;
	const struct otpctl_option options[] = {
	    {"all", NULL, "Forget those of all users", .flag = &all},
	    {0},
	};
	const struct otpctl_syntax syntax = {
	    .name = "otpctl remember revoke",
	    .usage = "USER | --all",
	    .summary = "Forgets the remembered sign-ins of USER, or of all users. At the next "
		       "sign-in they are asked for a code again.",
	    .example = "otpctl remember revoke asha",
	    .argument = {{"USER", &name}},
	    .optional = 1,
	    .options = options,
	};
	_auto_hold struct audit_hold hold = {.holds = false};
	char user[CONTACT_USER_MAX + 1], quoted[CONTACT_USER_MAX + 1];
	struct store *s = NULL;
	enum otpctl_known known;
	int r, removed = 0;

	otpctl_parse(ctl, &syntax, argc, argv);
	if (all == (name != NULL))
		otpctl_misuse(&syntax, "expected either USER or --all");
	r = open_store(ctl, name, user, sizeof(user), &known, &s);
	if (r)
		return r;
	r = audit_hold(&hold);
	if (!r && s->ops->remembered_drop(s, *user ? user : NULL, &removed))
		r = otpctl_fail("the store could not be written; nothing was forgotten");
	s->ops->close(s);
	if (r)
		return r;
	if (!removed && known == USER_UNKNOWN)
		return otpctl_unknown_user(user);
	if (!removed && known == USER_AS_TYPED)
		return otpctl_nothing_typed(user);
	audit("remember_revoke", "user=\"%s\" forgotten=%d",
	    *user ? text_quotable(quoted, sizeof(quoted), user) : "*", removed);
	audit_release(&hold);
	if (ctl->json) {
		_auto_json json_t *j = json_pack("{s:i}", "forgotten", removed);

		return otpctl_print_json(j);
	}
	(void)printf("%d remembered sign-in%s forgotten.\n", removed, removed == 1 ? "" : "s");
	return OTPCTL_OK;
}

static const struct otpctl_command remember_commands[] = {
    {"list", "list the remembered sign-ins of a user or of all", remember_list},
    {"revoke", "forget the remembered sign-ins of a user or of all", remember_revoke},
    {0},
};

static const struct otpctl_syntax remember_syntax = {
    .name = "otpctl remember",
    .usage = "COMMAND [ARGUMENT...]",
    .summary = "Lists and revokes remembered sign-ins. While a sign-in is remembered, its user is "
	       "not asked for a code again at the same source.",
    .example = "otpctl remember revoke asha",
    .commands = remember_commands,
};

int
otpctl_remember(struct otpctl *ctl, int argc, char **argv)
{
	return otpctl_dispatch(ctl, &remember_syntax, argc, argv);
}
