/*
 * otpctl contact add: adds an address. Contacts are stored under the canonical name, so all aliases
 * of a user share them.
 */
#include "helpers/otpctl/contact/add.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/contacts/contacts.h"
#include "helpers/contacts/phone.h"
#include "helpers/otpctl/addresses.h"
#include "helpers/otpctl/contact/limit.h"
#include "helpers/otpctl/notice.h"
#include "helpers/otpctl/options.h"
#include "helpers/otpctl/paths.h"
#include "helpers/otpctl/privileges.h"
#include "helpers/otpctl/user.h"

struct wish {
	enum notice_wish notice;
	const char *user;
	char address[CONTACT_ADDRESS_MAX + 1]; /* "" until an option gives one */
	const char *label;
	enum contact_kind kind;
	bool preferred;
	bool verified;
	bool force;
};

static const char *
take_address(struct wish *w, enum contact_kind kind, const char *address)
{
	const char *why = "there is no memory";

	if (*w->address)
		return "expected only one --phone or --email";
	w->kind = kind;
	if (kind == CONTACT_PHONE ? phone_read(address, "", w->address, &why)
				  : contact_check(kind, address, &why))
		return why;
	if (kind == CONTACT_EMAIL)
		(void)snprintf(w->address, sizeof(w->address), "%s", address);
	return NULL;
}

static const char *
take_phone(void *to, const char *argument)
{
	return take_address(to, CONTACT_PHONE, argument);
}

static const char *
take_email(void *to, const char *argument)
{
	return take_address(to, CONTACT_EMAIL, argument);
}

static const char *
take_label(void *to, const char *argument)
{
	char clean[CONTACT_LABEL_MAX + 1];

	_Static_assert(CONTACT_LABEL_MAX == 64, "the text below");
	if (strcmp(text_clean(clean, sizeof(clean), argument), argument) != 0)
		return "a label has at most 64 bytes and no control characters";
	*(const char **)to = argument;
	return NULL;
}

static void
parse_add(struct otpctl *ctl, int argc, char **argv, struct wish *w)
{
	const struct otpctl_option options[] = {
	    {"phone", "+NUMBER", "A telephone number in E.164 form: +, calling code, number",
		.take = take_phone, .to = w},
	    {"email", "ADDRESS", "An e-mail address", .take = take_email, .to = w},
	    {"label", "TEXT", "A name for the address, such as work", .take = take_label,
		.to = &w->label},
	    {"preferred", NULL, "Use this address before the user's others of its kind",
		.flag = &w->preferred},
	    {"verified", NULL, "Mark it as verified: you have made sure that it is the user's",
		.flag = &w->verified},
	    {"force", NULL, "Add it even if this machine does not know the user",
		.flag = &w->force},
	    notice_option(&w->notice, NOTICE_YES),
	    notice_option(&w->notice, NOTICE_NO),
	    {0},
	};
	const struct otpctl_syntax syntax = {
	    .name = "otpctl contact add",
	    .usage = "USER --phone +NUMBER | --email ADDRESS",
	    .summary = "Adds an address to which codes for USER may be sent.",
	    .example = "otpctl contact add asha --phone +9779800000019 --label work",
	    .argument = {{"USER", &w->user}},
	    .options = options,
	};

	otpctl_parse(ctl, &syntax, argc, argv);
	if (!*w->address)
		otpctl_misuse(&syntax, "expected --phone or --email");
}

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

/* Checks that [limits] prefixes allow codes to be sent to the address. Returns the exit code. */
static int
check_prefix(const struct conf *conf, const struct contact *c)
{
	char limit[PATH_MAX + 64];

	if (!conf || c->kind != CONTACT_PHONE || conf_allows_number(conf, c->address))
		return OTPCTL_OK;
	return otpctl_fail("nothing was added: %s is outside of %s, so no code would be sent to it",
	    c->address, contact_limit(conf, "prefixes", limit, sizeof(limit)));
}

/* Logs and prints what was added, and notifies old addresses. Returns the exit code. */
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

	parse_add(ctl, argc, argv, &w);
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
