/*
 * otpctl attribute: what a user has at a provider, such as an ID or a session cookie. A value may
 * give access to the user's account there. So it is read from standard input, and never shown
 * again.
 */
#include "helpers/otpctl/attribute.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/secret.h"
#include "common/text.h"
#include "helpers/contacts/contacts.h"
#include "helpers/base/json.h"
#include "helpers/otpctl/audit.h"
#include "helpers/otpctl/options.h"
#include "helpers/otpctl/otpctl.h"
#include "helpers/otpctl/paths.h"
#include "helpers/otpctl/privileges.h"
#include "helpers/otpctl/user.h"

struct words {
	const char *user;
	const char *provider;
	const char *name; /* NULL where there is none */
	bool force;
};

/* Reads one line from standard input. Returns OTPCTL_OK or OTPCTL_FAILED. */
static int
read_value(struct secret *value)
{
	char line[ATTRIBUTE_VALUE_MAX + 2];
	int r = OTPCTL_OK;

	if (isatty(STDIN_FILENO))
		(void)fputs("Value (the terminal shows what you type; a pipe or < FILE is safer): ",
		    stderr);
	if (!fgets(line, sizeof(line), stdin) || (!strchr(line, '\n') && !feof(stdin)) ||
	    (!isatty(STDIN_FILENO) && getc(stdin) != EOF))
		r = otpctl_fail(
		    "expected one line of at most %d bytes on standard input", ATTRIBUTE_VALUE_MAX);
	line[strcspn(line, "\n")] = '\0';
	if (!r && secret_set(value, line, strlen(line)))
		r = otpctl_fail("no memory");
	otp_wipe_array(line);
	return r;
}

static void
audit_change(const char *event, const char *user, const struct words *w)
{
	char quoted[CONTACT_USER_MAX + 1], provider[64];

	audit(event, "user=\"%s\" provider=\"%s\" name=%s",
	    text_quotable(quoted, sizeof(quoted), user),
	    text_quotable(provider, sizeof(provider), w->provider), w->name);
}

/* Sets the attribute, or removes it if value is NULL. Returns an exit code. */
static int
change(const char *path, const char *user, enum otpctl_known known, const struct words *w,
    const char *value)
{
	_auto_hold struct audit_hold hold = {.holds = false};
	struct contacts_edit *e = NULL;
	int r;

	if (contacts_edit_begin(path, &e))
		return otpctl_fail("nothing was changed");
	r = contacts_edit_attribute(e, user, w->provider, w->name, value);
	if (!r && audit_hold(&hold)) {
		contacts_edit_abort(e);
		return OTPCTL_FAILED;
	}
	if (!r) {
		if (contacts_edit_commit(e))
			return otpctl_fail("nothing was changed");
		audit_change(value ? "attribute_set" : "attribute_remove", user, w);
		return OTPCTL_OK;
	}
	contacts_edit_abort(e);
	if (r == -OTP_ENOENT && known == USER_AS_TYPED)
		return otpctl_nothing_typed(user);
	if (r == -OTP_ENOENT) {
		(void)otpctl_fail(
		    "%s has no attribute %s for the provider %s", user, w->name, w->provider);
		return OTPCTL_NONE;
	}
	if (r == -OTP_EINVAL)
		return otpctl_fail("nothing was changed: a name has up to %d characters a-z, 0-9 "
				   "and _; a value has at least one byte and no control character",
		    ATTRIBUTE_NAME_MAX);
	return otpctl_fail("nothing was changed: %s", otp_strerror(r));
}

/* Loads the user, the configuration and the paths of a command. Returns an exit code. */
static int
begin(struct otpctl *ctl, enum otpctl_name how, const struct words *w, char *user, size_t size,
    enum otpctl_known *known, struct conf **conf, struct otpctl_paths *paths)
{
	int r = otpctl_canonical(how, w->user, user, size, known);

	if (!r && how == NAME_LOOKED_UP && *known == USER_UNKNOWN && !w->force)
		r = otpctl_unknown_unless_forced(w->user);
	if (!r)
		r = otpctl_conf_load(ctl, conf);
	return r ? r : otpctl_paths_of(*conf, paths);
}

/* Refuses a provider that is not configured, because no profile would use its attributes. */
static int
need_provider(const struct conf *conf, const char *name)
{
	if (!conf || conf_provider(conf, name))
		return OTPCTL_OK;
	(void)otpctl_fail("there is no [provider %s]; see: otpctl config show", name);
	return OTPCTL_USAGE;
}

static int
print_change(const struct otpctl *ctl, const char *what, const char *user, const struct words *w)
{
	if (ctl->json) {
		_auto_json json_t *j = json_pack("{s:s, s:s, s:s, s:b}", "user", user, "provider",
		    w->provider, "name", w->name, what, 1);

		return otpctl_print_json(j);
	}
	(void)printf("%s: %s of %s at %s\n", what, w->name, user, w->provider);
	return OTPCTL_OK;
}

static int
attribute_set(struct otpctl *ctl, int argc, char **argv)
{
	_auto_paths struct otpctl_paths paths = {0};
	_auto_conf struct conf *conf = NULL;
	_auto_secret struct secret value = {0};
	struct words w = {.user = NULL};
	const struct otpctl_option options[] = {
	    {"force", NULL, "Set it even if this machine does not know the user", .flag = &w.force},
	    {0},
	};
	const struct otpctl_syntax syntax = {
	    .name = "otpctl attribute set",
	    .usage = "USER PROVIDER NAME",
	    .summary =
		"Sets the attribute NAME of USER at PROVIDER, a section of the configuration. "
		"Profiles read it as ${attr.NAME}. The value is one line on standard input.",
	    .example = "otpctl attribute set asha kgen user_id < FILE",
	    .argument = {{"USER", &w.user}, {"PROVIDER", &w.provider}, {"NAME", &w.name}},
	    .options = options,
	};
	enum otpctl_known known = USER_KNOWN;
	char user[CONTACT_USER_MAX + 1];
	int r;

	otpctl_parse(ctl, &syntax, argc, argv);
	r = begin(ctl, NAME_LOOKED_UP, &w, user, sizeof(user), &known, &conf, &paths);
	if (!r && !otpctl_may_write(ctl))
		r = OTPCTL_FAILED;
	if (!r)
		r = need_provider(conf, w.provider);
	if (!r)
		r = read_value(&value);
	if (!r)
		r = change(paths.contacts, user, known, &w, secret_str(&value));
	return r ? r : print_change(ctl, "set", user, &w);
}

static int
attribute_remove(struct otpctl *ctl, int argc, char **argv)
{
	_auto_paths struct otpctl_paths paths = {0};
	_auto_conf struct conf *conf = NULL;
	struct words w = {.user = NULL};
	const struct otpctl_syntax syntax = {
	    .name = "otpctl attribute remove",
	    .usage = "USER PROVIDER NAME",
	    .summary = "Removes the attribute NAME of USER at PROVIDER.",
	    .example = "otpctl attribute remove asha kgen user_id",
	    .argument = {{"USER", &w.user}, {"PROVIDER", &w.provider}, {"NAME", &w.name}},
	};
	enum otpctl_known known = USER_KNOWN;
	char user[CONTACT_USER_MAX + 1];
	int r;

	otpctl_parse(ctl, &syntax, argc, argv);
	r = begin(ctl, NAME_OR_TYPED, &w, user, sizeof(user), &known, &conf, &paths);
	if (!r && !otpctl_may_write(ctl))
		r = OTPCTL_FAILED;
	if (!r)
		r = change(paths.contacts, user, known, &w, NULL);
	return r ? r : print_change(ctl, "removed", user, &w);
}

static int
add_name(const char *name, const char *value, void *arg)
{
	(void)value;
	return json_array_append_new(arg, json_string(name)) ? -OTP_ENOMEM : 0;
}

static int
print_names(const struct otpctl *ctl, const json_t *names)
{
	json_t *name;
	size_t i;

	if (ctl->json)
		return json_dumpf(names, stdout, JSON_INDENT(2)) || putchar('\n') == EOF
			   ? otpctl_fail("the output could not be written")
			   : OTPCTL_OK;
	json_array_foreach (names, i, name)
		(void)printf("%s\n", json_string_value(name));
	return OTPCTL_OK;
}

static int
attribute_list(struct otpctl *ctl, int argc, char **argv)
{
	_auto_paths struct otpctl_paths paths = {0};
	_auto_json json_t *names = json_array();
	struct words w = {.user = NULL};
	const struct otpctl_syntax syntax = {
	    .name = "otpctl attribute list",
	    .usage = "USER PROVIDER",
	    .summary = "Lists the names of the attributes of USER at PROVIDER, not their values.",
	    .example = "otpctl attribute list asha kgen",
	    .argument = {{"USER", &w.user}, {"PROVIDER", &w.provider}},
	};
	_auto_conf struct conf *conf = NULL;
	struct contacts *c = NULL;
	enum otpctl_known known = USER_KNOWN;
	char user[CONTACT_USER_MAX + 1];
	int r;

	otpctl_parse(ctl, &syntax, argc, argv);
	r = begin(ctl, NAME_OR_TYPED, &w, user, sizeof(user), &known, &conf, &paths);
	if (r)
		return r;
	if (contacts_sqlite_open(paths.contacts, ctl->second_owner, &c))
		return otpctl_fail("%s: the contacts could not be read", paths.contacts);
	r = c->ops->attributes(c, user, w.provider, add_name, names);
	c->ops->close(c);
	if (r)
		return otpctl_fail("%s: the contacts could not be read", paths.contacts);
	if (!json_array_size(names) && !ctl->json) {
		(void)otpctl_fail("%s has no attribute for the provider %s", user, w.provider);
		return OTPCTL_NONE;
	}
	return print_names(ctl, names);
}

static const struct otpctl_command attribute_commands[] = {
    {"set", "set an attribute; its value is read from standard input", attribute_set},
    {"list", "list the names of the attributes, not their values", attribute_list},
    {"remove", "remove an attribute", attribute_remove},
    {0},
};

static const struct otpctl_syntax attribute_syntax = {
    .name = "otpctl attribute",
    .usage = "COMMAND [ARGUMENT...]",
    .summary = "Changes and lists attributes of users at providers, such as an ID.",
    .example = "otpctl attribute list asha kgen",
    .commands = attribute_commands,
};

int
otpctl_attribute(struct otpctl *ctl, int argc, char **argv)
{
	return otpctl_dispatch(ctl, &attribute_syntax, argc, argv);
}
