/* otpctl contact add. Names are canonical, so that every alias shares the addresses. */
#include "helpers/otpctl/contact/add.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/contacts/contacts.h"
#include "helpers/otpctl/addresses.h"
#include "helpers/otpctl/contact/limit.h"
#include "helpers/otpctl/notice.h"
#include "helpers/otpctl/paths.h"
#include "helpers/otpctl/privileges.h"
#include "helpers/otpctl/user.h"

enum {
	OPT_PHONE = 0x200,
	OPT_EMAIL,
	OPT_LABEL,
	OPT_PREFERRED,
	OPT_VERIFIED,
	OPT_FORCE,
};

struct wish {
	enum notice_wish notice;
	const char *user;
	const char *address;
	const char *label;
	enum contact_kind kind;
	bool preferred;
	bool verified;
	bool force;
};

static const struct argp_option add_options[] = {
    {.name = "phone",
	.key = OPT_PHONE,
	.arg = "+NUMBER",
	.doc = "A telephone number in E.164 form: +, calling code, number"},
    {.name = "email", .key = OPT_EMAIL, .arg = "ADDRESS", .doc = "An e-mail address"},
    {.name = "label", .key = OPT_LABEL, .arg = "TEXT", .doc = "What people call it, e.g. work"},
    {.name = "preferred", .key = OPT_PREFERRED, .doc = "Use it before the others of its kind"},
    {.name = "verified", .key = OPT_VERIFIED, .doc = "You have made sure it is the user's"},
    {.name = "force", .key = OPT_FORCE, .doc = "Even if this machine does not know the user"},
    {0},
};

static void
want_address(struct wish *w, enum contact_kind kind, const char *address, struct argp_state *state)
{
	const char *why;

	if (w->address)
		argp_error(state, "one --phone or --email at a time");
	if (contact_check(kind, address, &why))
		argp_error(state, "'%s': %s", address, why);
	w->kind = kind;
	w->address = address;
}

static void
want_label(struct wish *w, const char *label, struct argp_state *state)
{
	char clean[CONTACT_LABEL_MAX + 1];

	if (strcmp(text_clean(clean, sizeof(clean), label), label))
		argp_error(state, "a label has at most %d bytes and no control characters",
		    CONTACT_LABEL_MAX);
	w->label = label;
}

static error_t
parse_add(int key, char *arg, struct argp_state *state)
{
	struct wish *w = state->input;

	switch (key) {
	case OPT_PHONE:
		want_address(w, CONTACT_PHONE, arg, state);
		return 0;
	case OPT_EMAIL:
		want_address(w, CONTACT_EMAIL, arg, state);
		return 0;
	case OPT_LABEL:
		want_label(w, arg, state);
		return 0;
	case OPT_PREFERRED:
		w->preferred = true;
		return 0;
	case OPT_VERIFIED:
		w->verified = true;
		return 0;
	case OPT_FORCE:
		w->force = true;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &w->notice;
		return 0;
	case ARGP_KEY_ARG:
		if (w->user)
			argp_error(state, "one user at a time, not also '%s'", arg);
		w->user = arg;
		return 0;
	case ARGP_KEY_END:
		if (!w->user)
			argp_error(state, "whose contact? Name the user");
		if (!w->address)
			argp_error(state, "which address? Give --phone or --email");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child notice_child[] = {{.argp = &notice_argp}, {0}};

static const struct argp add_argp = {.options = add_options,
    .parser = parse_add,
    .children = notice_child,
    .args_doc = "USER",
    .doc = "Adds an address to which codes for USER may be sent."};

static int
add_one(const char *path, const struct contact *c, struct notices *n)
{
	struct contacts_edit *e = NULL;
	int r = contacts_edit_begin(path, &e);

	if (r)
		return otpctl_fail("nothing was added");
	r = contacts_edit_add(e, c);
	if (r == -OTP_EEXIST) {
		contacts_edit_abort(e);
		(void)otpctl_fail(
		    "%s has this address already; see: otpctl contact list %s", c->user, c->user);
		return OTPCTL_EXISTS;
	}
	if (r)
		(void)otpctl_fail("nothing was added: %s", otp_strerror(r));
	if (r || notices_collect(e, n)) {
		contacts_edit_abort(e);
		return OTPCTL_FAILED;
	}
	return contacts_edit_commit(e) ? otpctl_fail("nothing was added") : OTPCTL_OK;
}

/* May codes be sent there? An exit code. */
static int
check_prefix(const struct conf *conf, const struct contact *c)
{
	char limit[PATH_MAX + 64];

	if (!conf || c->kind != CONTACT_PHONE || conf_allows_number(conf, c->address))
		return OTPCTL_OK;
	return otpctl_fail("nothing was added: %s is outside of %s, so no code would be sent to it",
	    c->address, contact_limit(conf, "prefixes", limit, sizeof(limit)));
}

/* Added, logged, said, and told at the old address. */
static int
report_added(
    const struct otpctl *ctl, const struct conf *conf, const struct contact *c, struct notices *n)
{
	char masked[CONTACT_ADDRESS_MAX + 1];

	audit_contact("contact_add", c, c->verified_at ? "verified=yes" : "verified=no");
	notices_settled(n);
	if (!ctl->json)
		(void)printf("added: %s of %s, %s\n", contact_kind_name(c->kind), c->user,
		    contact_shown(c, false, masked, sizeof(masked)));
	notices_send(ctl, conf, n);
	return ctl->json
		   ? notices_print_json(json_pack("{s:o?}", "added", contact_json(c, false)), n)
		   : OTPCTL_OK;
}

int
contact_add(struct otpctl *ctl, int argc, char **argv)
{
	_auto_paths struct otpctl_paths paths = {0};
	_auto_conf struct conf *conf = NULL;
	_auto_notices struct notices n = {0};
	struct wish w = {.label = ""};
	struct contact c = {0};
	enum otpctl_known known;
	int r;

	otpctl_parse(ctl, &add_argp, "otpctl contact add", argc, argv, &w);
	if (!otpctl_may_write(ctl))
		return OTPCTL_FAILED;
	r = otpctl_canonical(NAME_LOOKED_UP, w.user, c.user, sizeof(c.user), &known);
	if (!r && known == USER_UNKNOWN && !w.force)
		r = otpctl_unknown_unless_forced(w.user);
	if (!r)
		r = otpctl_conf_load(ctl, &conf);
	if (!r)
		r = otpctl_paths_of(conf, &paths);
	if (r)
		return r;
	c.kind = w.kind;
	c.preferred = w.preferred;
	c.verified_at = w.verified ? time(NULL) : 0;
	(void)snprintf(c.address, sizeof(c.address), "%s", w.address);
	(void)snprintf(c.label, sizeof(c.label), "%s", w.label);
	n.wish = w.notice;
	r = check_prefix(conf, &c);
	if (!r)
		r = add_one(paths.contacts, &c, &n);
	return r ? r : report_added(ctl, conf, &c, &n);
}
