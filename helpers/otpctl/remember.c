/* otpctl remember: lists and revokes remembered sign-ins, which are not asked again for a while. */
#include "helpers/otpctl/remember.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/base/json.h"
#include "helpers/otpctl/audit.h"
#include "helpers/otpctl/otpctl.h"
#include "helpers/otpctl/paths.h"
#include "helpers/otpctl/store.h"
#include "helpers/otpctl/user.h"

enum { OPT_ALL = 0x200 };

struct revoking {
	struct otpctl_user user; /* first: otpctl_parse_user() fills it */
	bool all;
};

static const struct argp list_argp = {.parser = otpctl_parse_user,
    .args_doc = "[USER]",
    .doc = "Lists where a code was given lately. Whether that still counts is decided at each "
	   "sign-in, by `remember` of the configuration."};

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
	struct otpctl_user u = {.optional = true};
	_auto_json json_t *json = NULL;
	char user[CONTACT_USER_MAX + 1];
	struct listing l = {0};
	struct store *s = NULL;
	enum otpctl_known known;
	int r;

	otpctl_parse(ctl, &list_argp, "otpctl remember list", argc, argv, &u);
	r = open_store(ctl, u.name, user, sizeof(user), &known, &s);
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

static error_t
parse_revoke(int key, char *arg, struct argp_state *state)
{
	struct revoking *v = state->input;

	switch (key) {
	case OPT_ALL:
		v->all = true;
		return 0;
	case ARGP_KEY_END:
		if (!v->all == !v->user.name)
			argp_error(state, "name one user, or --all");
		return 0;
	default:
		return otpctl_parse_user(key, arg, state);
	}
}

static const struct argp_option revoke_options[] = {
    {.name = "all", .key = OPT_ALL, .doc = "Those of every user"},
    {0},
};

static const struct argp revoke_argp = {.options = revoke_options,
    .parser = parse_revoke,
    .args_doc = "USER\n--all",
    .doc = "Forgets them: the next sign-in is asked again."};

static int
remember_revoke(struct otpctl *ctl, int argc, char **argv)
{
	struct revoking v = {.user = {.optional = true}};
	_auto_hold struct audit_hold hold = {.holds = false};
	char user[CONTACT_USER_MAX + 1], quoted[CONTACT_USER_MAX + 1];
	struct store *s = NULL;
	enum otpctl_known known;
	int r, removed = 0;

	otpctl_parse(ctl, &revoke_argp, "otpctl remember revoke", argc, argv, &v);
	r = open_store(ctl, v.user.name, user, sizeof(user), &known, &s);
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
    {"list", "where a code was given lately", remember_list},
    {"revoke", "forget that, of a user or of all", remember_revoke},
};

int
otpctl_remember(struct otpctl *ctl, int argc, char **argv)
{
	return otpctl_dispatch(ctl, "otpctl remember",
	    "Sign-ins that are not asked again for a while.", remember_commands,
	    sizeof(remember_commands) / sizeof(*remember_commands), argc, argv);
}
