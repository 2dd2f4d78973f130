/*
 * otpctl contact: the addresses of users, added, listed and removed; contact_verify.c and
 * contact_import.c have the rest. Names are canonical, so that every alias shares them.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/contacts.h"
#include "helpers/json.h"
#include "helpers/otpctl/addresses.h"
#include "helpers/otpctl/audit.h"
#include "helpers/otpctl/contact.h"
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
	OPT_ALL,
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
	bool all;
};

/* A change, its notices sent, as JSON: j is given away. An exit code. */
static int
print_change_json(json_t *j, const struct notices *n)
{
	_auto_json json_t *all = j;

	if (all && json_object_set_new(all, "notices", notices_json(n)))
		return otpctl_fail("no memory");
	return otpctl_print_json(all);
}

/* --- add ----------------------------------------------------------------------------------- */

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

/* Where a key of the configuration is set. */
struct origin {
	const char *key;
	char *text;
	size_t size;
};

static void
find_origin(const struct conf_shown *shown, void *arg)
{
	struct origin *o = arg;

	if (!strcmp(shown->section, "limits") && !strcmp(shown->key, o->key))
		(void)snprintf(o->text, o->size, "[limits] %s = %s (%s:%u)", o->key, shown->value,
		    shown->file, shown->line);
}

char *
contact_limit(const struct conf *conf, const char *key, char *dst, size_t size)
{
	struct origin o = {.key = key, .text = dst, .size = size};

	(void)snprintf(dst, size, "[limits] %s", key);
	conf_show(conf, NULL, find_origin, &o);
	return dst;
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
		   ? print_change_json(json_pack("{s:o?}", "added", contact_json(c, false)), n)
		   : OTPCTL_OK;
}

static int
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

/* --- remove -------------------------------------------------------------------------------- */

static const struct argp_option remove_options[] = {
    {.name = "all", .key = OPT_ALL, .doc = "Remove all addresses of USER"},
    {0},
};

static error_t
parse_remove(int key, char *arg, struct argp_state *state)
{
	struct wish *w = state->input;

	switch (key) {
	case OPT_ALL:
		w->all = true;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &w->notice;
		return 0;
	case ARGP_KEY_ARG:
		if (w->user && w->address)
			argp_error(state, "one address at a time, not also '%s'", arg);
		*(w->user ? &w->address : &w->user) = arg;
		return 0;
	case ARGP_KEY_END:
		if (!w->user)
			argp_error(state, "whose contact? Name the user");
		if (!w->address == !w->all)
			argp_error(state, "name one address, or give --all");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp remove_argp = {.options = remove_options,
    .parser = parse_remove,
    .children = notice_child,
    .args_doc = "USER [ADDRESS]",
    .doc = "Removes one address of USER, or all with --all."};

/* How many were removed; an exit code. */
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

	/* They are gone whether or not the others can be counted, and it is told. */
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
	    print_change_json(json_pack("{s:s, s:i, s:o}", "user", user, "removed", removed, "left",
				  r ? json_null() : json_integer(left)),
		n))
		return OTPCTL_FAILED;
	return r ? otpctl_fail("they were removed, but what is left could not be read") : OTPCTL_OK;
}

static int
contact_remove(struct otpctl *ctl, int argc, char **argv)
{
	_auto_paths struct otpctl_paths paths = {0};
	_auto_conf struct conf *conf = NULL;
	_auto_notices struct notices n = {0};
	struct wish w = {0};
	char user[CONTACT_USER_MAX + 1];
	enum otpctl_known known;
	int r, removed = 0;

	otpctl_parse(ctl, &remove_argp, "otpctl contact remove", argc, argv, &w);
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
	return r ? r : report_removed(ctl, conf, paths.contacts, user, removed, &n);
}

static const struct otpctl_command contact_commands[] = {
    {"add", "add an address", contact_add},
    {"list", "list addresses, masked", contact_list},
    {"remove", "remove one address or all", contact_remove},
    {"verify", "prove an address by a code", contact_verify},
    {"import", "take many from a file", contact_import},
};

int
otpctl_contact(struct otpctl *ctl, int argc, char **argv)
{
	return otpctl_dispatch(ctl, "otpctl contact", "The addresses to which codes are sent.",
	    contact_commands, sizeof(contact_commands) / sizeof(*contact_commands), argc, argv);
}
