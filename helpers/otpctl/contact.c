/* otpctl contact: the addresses of users. Names are canonical, so that every alias shares them. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/account.h"
#include "helpers/contacts.h"
#include "helpers/json.h"
#include "helpers/log.h"
#include "helpers/otpctl/otpctl.h"

enum {
	OPT_PHONE = 0x200,
	OPT_EMAIL,
	OPT_LABEL,
	OPT_PREFERRED,
	OPT_VERIFIED,
	OPT_FORCE,
	OPT_FULL,
	OPT_ALL,
};

struct wish {
	const char *user;
	const char *address;
	const char *label;
	enum contact_kind kind;
	bool preferred;
	bool verified;
	bool force;
	bool full;
	bool all;
};

bool
otpctl_may_write(const struct otpctl *ctl)
{
	if (geteuid() == 0 || ctl->config_given)
		return true;
	(void)otpctl_fail("contacts are root's to change; run it with sudo");
	return false;
}

static const char *
shown_address(const struct contact *c, bool full, char *dst, size_t size)
{
	if (full)
		return c->address;
	return c->kind == CONTACT_PHONE ? text_mask_phone(dst, size, c->address)
					: text_mask_email(dst, size, c->address);
}

int
otpctl_canonical(const char *user, char *dst, size_t size, bool *exists)
{
	struct account a;
	int r;

	if (!*user || strlen(user) >= size || strcmp(text_clean(dst, size, user), user)) {
		(void)otpctl_fail("'%s' cannot be a user's name", user);
		return OTPCTL_USAGE;
	}
	r = account_lookup(user, &a);
	if (r)
		return otpctl_fail("who '%s' is could not be asked (%s); see: getent passwd %s",
		    user, otp_strerror(r), user);
	*exists = a.exists;
	(void)snprintf(dst, size, "%s", a.exists ? a.name : user);
	account_clear(&a);
	return OTPCTL_OK;
}

static json_t *
contact_json(const struct contact *c, bool full)
{
	char masked[CONTACT_ADDRESS_MAX + 1];

	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:b}", "user", c->user, "kind",
	    contact_kind_name(c->kind), "address", shown_address(c, full, masked, sizeof(masked)),
	    "label", c->label, "verified_at", (json_int_t)c->verified_at, "preferred",
	    (int)c->preferred);
}

/* For whoever asks later how a number came in. */
static void
audit(const char *what, const struct contact *c)
{
	char masked[CONTACT_ADDRESS_MAX + 1];

	log_open("otpctl", false);
	otp_log(LOG_NOTICE, "contact %s: user=%s kind=%s address=%s by uid=%ld", what, c->user,
	    contact_kind_name(c->kind), shown_address(c, false, masked, sizeof(masked)),
	    (long)getuid());
	log_open("otpctl", true);
}

static int
print_contact(const struct otpctl *ctl, const char *what, const struct contact *c)
{
	char masked[CONTACT_ADDRESS_MAX + 1];

	if (ctl->json) {
		_auto_json json_t *j = json_pack("{s:o?}", what, contact_json(c, false));

		if (!j || json_dumpf(j, stdout, JSON_INDENT(2)))
			return otpctl_fail("no memory");
		(void)putchar('\n');
		return OTPCTL_OK;
	}
	(void)printf("%s: %s of %s, %s\n", what, contact_kind_name(c->kind), c->user,
	    shown_address(c, false, masked, sizeof(masked)));
	return OTPCTL_OK;
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

static const struct argp add_argp = {.options = add_options,
    .parser = parse_add,
    .args_doc = "USER",
    .doc = "Adds an address to which codes for USER may be sent."};

static int
add_one(const char *path, const struct contact *c)
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
	if (r) {
		contacts_edit_abort(e);
		return otpctl_fail("nothing was added: %s", otp_strerror(r));
	}
	return contacts_edit_commit(e) ? otpctl_fail("nothing was added") : OTPCTL_OK;
}

static int
contact_add(struct otpctl *ctl, int argc, char **argv)
{
	_auto_paths struct otpctl_paths paths = {0};
	struct wish w = {.label = ""};
	struct contact c = {0};
	bool exists;
	int r;

	otpctl_parse(ctl, &add_argp, "otpctl contact add", argc, argv, &w);
	if (!otpctl_may_write(ctl))
		return OTPCTL_FAILED;
	r = otpctl_canonical(w.user, c.user, sizeof(c.user), &exists);
	if (!r && !exists && !w.force) {
		(void)otpctl_fail("this machine knows no user '%s'; check the spelling with: "
				  "getent passwd %s (or add --force)",
		    w.user, w.user);
		r = OTPCTL_NONE;
	}
	if (!r)
		r = otpctl_paths_load(ctl, &paths);
	if (r)
		return r;
	c.kind = w.kind;
	c.preferred = w.preferred;
	c.verified_at = w.verified ? time(NULL) : 0;
	(void)snprintf(c.address, sizeof(c.address), "%s", w.address);
	(void)snprintf(c.label, sizeof(c.label), "%s", w.label);
	r = add_one(paths.contacts, &c);
	if (r)
		return r;
	audit("added", &c);
	return print_contact(ctl, "added", &c);
}

/* --- list ---------------------------------------------------------------------------------- */

static const struct argp_option list_options[] = {
    {.name = "full", .key = OPT_FULL, .doc = "Show addresses whole, not masked"},
    {0},
};

static error_t
parse_list(int key, char *arg, struct argp_state *state)
{
	struct wish *w = state->input;

	switch (key) {
	case OPT_FULL:
		w->full = true;
		return 0;
	case ARGP_KEY_ARG:
		if (w->user)
			argp_error(state, "one user or all, not also '%s'", arg);
		w->user = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp list_argp = {.options = list_options,
    .parser = parse_list,
    .args_doc = "[USER]",
    .doc = "Lists the contacts of USER, or of everyone."};

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
	    shown_address(c, l->full, masked, sizeof(masked)), day, c->preferred ? "yes" : "no",
	    text_clean(label, sizeof(label), c->label));
	return 0;
}

static int
contact_list(struct otpctl *ctl, int argc, char **argv)
{
	_auto_paths struct otpctl_paths paths = {0};
	struct wish w = {0};
	struct listing l = {0};
	char user[CONTACT_USER_MAX + 1];
	bool exists;
	int r;

	otpctl_parse(ctl, &list_argp, "otpctl contact list", argc, argv, &w);
	r = w.user ? otpctl_canonical(w.user, user, sizeof(user), &exists) : OTPCTL_OK;
	if (!r)
		r = otpctl_paths_load(ctl, &paths);
	if (r)
		return r;
	l.json = ctl->json;
	l.full = w.full;
	if (l.json)
		(void)putchar('[');
	r = contacts_sqlite_each(paths.contacts, w.user ? user : NULL, list_one, &l);
	if (l.json)
		(void)fputs(l.n ? "\n]\n" : "]\n", stdout);
	if (r)
		return otpctl_fail("the contacts could not be read%s",
		    geteuid() == 0 || ctl->config_given ? "" : "; run it with sudo");
	if (l.n || !w.user)
		return OTPCTL_OK;
	(void)otpctl_fail(
	    "%s has no contact; add one with: otpctl contact add %s --phone +NUMBER", user, user);
	return OTPCTL_NONE;
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
    .args_doc = "USER [ADDRESS]",
    .doc = "Removes one address of USER, or all with --all."};

/* How many were removed; an exit code. */
static int
remove_some(const char *path, const char *user, const char *address, int *removed)
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
		(void)otpctl_fail(
		    "%s has no such contact; see: otpctl contact list %s --full", user, user);
		return OTPCTL_NONE;
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
report_removed(const struct otpctl *ctl, const char *path, const char *user, int removed)
{
	int left = 0;

	if (contacts_sqlite_each(path, user, count_one, &left))
		return OTPCTL_FAILED;
	log_open("otpctl", false);
	otp_log(LOG_NOTICE, "contacts removed: user=%s removed=%d left=%d by uid=%ld", user,
	    removed, left, (long)getuid());
	log_open("otpctl", true);
	if (ctl->json) {
		_auto_json json_t *j =
		    json_pack("{s:s, s:i, s:i}", "user", user, "removed", removed, "left", left);

		if (!j || json_dumpf(j, stdout, JSON_INDENT(2)))
			return otpctl_fail("no memory");
		(void)putchar('\n');
	} else {
		(void)printf("removed: %d of %s, %d left\n", removed, user, left);
	}
	if (left == 0)
		(void)fprintf(stderr,
		    "otpctl: note: %s has no contact now, and is not let in where "
		    "pam_otp asks for a code\n",
		    user);
	return OTPCTL_OK;
}

static int
contact_remove(struct otpctl *ctl, int argc, char **argv)
{
	_auto_paths struct otpctl_paths paths = {0};
	struct wish w = {0};
	char user[CONTACT_USER_MAX + 1];
	bool exists;
	int r, removed = 0;

	otpctl_parse(ctl, &remove_argp, "otpctl contact remove", argc, argv, &w);
	if (!otpctl_may_write(ctl))
		return OTPCTL_FAILED;
	r = otpctl_canonical(w.user, user, sizeof(user), &exists);
	if (!r)
		r = otpctl_paths_load(ctl, &paths);
	if (!r)
		r = remove_some(paths.contacts, user, w.address, &removed);
	return r ? r : report_removed(ctl, paths.contacts, user, removed);
}

static const struct otpctl_command contact_commands[] = {
    {"add", "add an address", contact_add},
    {"list", "list addresses, masked", contact_list},
    {"remove", "remove one address or all", contact_remove},
};

int
otpctl_contact(struct otpctl *ctl, int argc, char **argv)
{
	return otpctl_dispatch(ctl, "otpctl contact", "The addresses to which codes are sent.",
	    contact_commands, sizeof(contact_commands) / sizeof(*contact_commands), argc, argv);
}
