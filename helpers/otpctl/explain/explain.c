/*
 * otpctl explain: shows which rule decides for a sign-in, why the others do not, and what would
 * follow. run.c simulates the sign-in; this file opens what the helper opens.
 */
#include "helpers/otpctl/explain/explain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "common/text.h"
#include "common/trust.h"
#include "common/wire.h"
#include "helpers/base/hosts.h"
#include "helpers/codes/code.h"
#include "helpers/base/json.h"
#include "helpers/otpctl/explain/run.h"
#include "helpers/otpctl/explain/text.h"
#include "helpers/otpctl/options.h"
#include "helpers/otpctl/otpctl.h"
#include "helpers/otpctl/paths.h"
#include "helpers/otpctl/privileges.h"
#include "helpers/otpctl/status/facts.h"
#include "helpers/otpctl/store.h"
#include "helpers/provider/retry_after.h"
#include "helpers/provider/tokens.h"
#include "helpers/login/source.h"

/* KEY_MAX: the most that the module passes on, and a zero byte. sscanf() has the same width. */
enum { REPORT_MAX = 64 * 1024, KEY_MAX = WIRE_SSH_MAX + 1 };

struct explain_arguments {
	const char *user;
	const char *service;
	const char *rhost;
	const char *key;
	const char *ruser;
	const char *tty;
};

static void
parse_explain(struct otpctl *ctl, int argc, char **argv, struct explain_arguments *a)
{
	const struct otpctl_option options[] = {
	    {"service", "NAME", "The PAM service of the sign-in, such as sshd",
		.take = otpctl_take_service, .to = &a->service},
	    {"rhost", "ADDRESS", "The address of the client", .string = &a->rhost},
	    {"key", "KEY",
		"The public key that sshd accepted: the line of a .pub file, the absolute path of "
		"that file, or a fingerprint",
		.string = &a->key},
	    {"ruser", "USER", "The user who calls su or sudo; for sudo the default is USER",
		.string = &a->ruser},
	    {"tty", "TTY", "The terminal of the sign-in; a calling user has one by default",
		.string = &a->tty},
	    {0},
	};
	const struct otpctl_syntax syntax = {
	    .name = "otpctl explain",
	    .usage = "USER --service NAME",
	    .summary = "Runs a sign-in of USER that sends, counts and asks nothing. Shows which "
		       "rule decides, why the others do not, and what would follow.",
	    .example = "otpctl explain asha --service sshd --rhost 192.0.2.7",
	    .argument = {{"USER", &a->user}},
	    .options = options,
	};

	otpctl_parse(ctl, &syntax, argc, argv);
	if (!a->service)
		otpctl_misuse(&syntax, "--service is missing: expected %s", syntax.usage);
}

/* Reads the first line of a file, without its newline: SSH_AUTH_INFO_0 has one key a line. */
static int
read_key(const char *path, char *dst, size_t size)
{
	_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, dst, size - 1);

	if (n < 0)
		return otpctl_fail("%s: the key cannot be read: %s", path, strerror(errno));
	dst[n] = '\0';
	dst[strcspn(dst, "\n")] = '\0';
	return OTPCTL_OK;
}

/* A start message in which the host has passed on nothing. */
#define EMPTY_START                                                                            \
	{                                                                                      \
		.service = "", .user = "", .rhost = "", .tty = "", .ruser = "",                \
		.ssh_connection = "", .ssh_auth_info = "", .session = "", .session_start = "", \
		.boot_id = "",                                                                 \
	}

/* True for "SHA256:" and the base64 of 32 bytes without padding. */
static bool
is_fingerprint(const char *s)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";

	return !strncmp(s, "SHA256:", 7) && strlen(s) == 7 + 43 && strspn(s + 7, base64) == 43;
}

/* Writes the key to dst as sshd passes it on: "publickey ALGORITHM BASE64". */
static int
auth_info(const char *key, char *dst, size_t size)
{
	char text[KEY_MAX] = "", algorithm[128], base64[KEY_MAX];
	struct login_start probe = EMPTY_START;
	struct source source;
	int r = OTPCTL_OK;

	if (key[0] == '/')
		r = read_key(key, text, sizeof(text));
	else
		(void)snprintf(text, sizeof(text), "%s", key);
	if (r)
		return r;
	if (strlen(key) < sizeof(text) && sscanf(text, "%127s %4095s", algorithm, base64) == 2 &&
	    snprintf(dst, size, "publickey %s %s", algorithm, base64) >= (int)size)
		dst[0] = '\0';
	probe.ssh_auth_info = dst;
	if (!source_of(&probe, &source) && source.publickey)
		return OTPCTL_OK;
	(void)otpctl_fail("--key expects a line like 'ssh-ed25519 AAAA...', the absolute path of a "
			  ".pub file, or a fingerprint like SHA256:...");
	return OTPCTL_USAGE;
}

/* What the helper opens for a sign-in. Owned, but for ctl and service. */
struct opened {
	struct login_opener opener; /* first */
	const struct otpctl *ctl;
	const char *service;
	struct conf *conf;
	struct otpctl_paths paths;
	struct secret host_key;
	struct contacts *contacts;
	struct store *store;
	struct stored_tokens tokens;
	struct stored_retry_after retry_after;
	struct delivery *delivery;
};

static void
opened_close(struct opened *o)
{
	delivery_close(o->delivery);
	if (o->store)
		o->store->ops->close(o->store);
	if (o->contacts)
		o->contacts->ops->close(o->contacts);
	secret_clear(&o->host_key);
	otpctl_paths_clear(&o->paths);
	conf_free(o->conf);
}

#define _auto_opened __attribute__((cleanup(opened_close)))

static int
unusable(const char *path, int r)
{
	return otpctl_fail("%s: cannot be used (%s), so every sign-in ends with the result broken; "
			   "run: otpctl init",
	    path, otp_strerror(r));
}

/* Opens the providers if the sign-in would ask for a code. None of them gets a request. */
static int
open_providers(struct login_opener *opener, struct delivery **out)
{
	struct opened *o = (struct opened *)opener;
	struct provider_io io = {
	    .tokens = &o->tokens.base,
	    .retry_after = &o->retry_after.base,
	    .contacts = o->contacts,
	};
	_auto_report struct conf_report report = {.max = REPORT_MAX};
	int r;

	tokens_init(&o->tokens, o->store, &o->host_key, NULL);
	retry_after_init(&o->retry_after, o->store, NULL);
	r = delivery_open(o->conf, &conf_signin_for(o->conf, o->service)->channels,
	    o->ctl->second_owner, PROVIDER_READ_SECRETS, &io, &o->delivery, &report);
	otpctl_print_report(&report);
	*out = o->delivery;
	return r;
}

static int
open_conf(const struct otpctl *ctl, struct opened *o)
{
	int r = otpctl_conf_load(ctl, &o->conf);

	if (!r && !o->conf)
		r = otpctl_fail("%s does not exist, so no sign-in succeeds", ctl->config);
	return r ? r : otpctl_paths_of(o->conf, &o->paths);
}

/*
 * Finds the user who is asked for a code, as login_identify() does. With identity = caller, that is
 * the caller, and the user who is signed in must exist too. If there is no caller, nobody is asked:
 * the sign-in ends as broken, and the answer is about the user who is signed in.
 */
static int
find_asked_user(const struct conf *c, const struct explain_arguments *a, struct explain_query *q,
    char *user, size_t size)
{
	bool caller = conf_signin_for(c, a->service)->identity == IDENTITY_CALLER;
	int r;

	q->asked = a->user;
	r = otpctl_canonical(NAME_OR_TYPED, q->asked, user, size, &q->known);
	if (r || !caller || !*a->ruser || q->known == USER_UNKNOWN)
		return r;
	q->asked = a->ruser;
	return otpctl_canonical(NAME_OR_TYPED, q->asked, user, size, &q->known);
}

/* Opens all as the helper's user: what that user cannot read fails here as in a sign-in. */
static int
open_all(const struct otpctl *ctl, struct opened *o)
{
	int r = otpctl_store_open(ctl, o->paths.state, &o->store);

	if (r)
		return r;
	r = host_key_read(o->paths.host_key, ctl->second_owner, &o->host_key);
	if (r)
		return unusable(o->paths.host_key, r);
	r = contacts_sqlite_open(o->paths.contacts, ctl->second_owner, &o->contacts);
	return r ? unusable(o->paths.contacts, r) : OTPCTL_OK;
}

/*
 * Adds the times until which providers have asked to wait. They are read from the store: the
 * simulation cannot meet them, because it sends no message. 0 or a negative OTP_E.
 */
static int
add_retry_after(const struct explain_query *q, const char *user, json_t *answer)
{
	struct contact_list list = {0};
	_auto_json json_t *status = NULL;
	struct status_query all = {
	    .conf = q->conf, .store = q->store, .now = q->now, .user = user, .contacts = &list};
	int r = q->contacts->ops->find(q->contacts, user, &list);

	if (!r)
		r = status_of_user(&all, &status);
	contact_list_free(&list);
	if (!r && json_object_set(answer, "pauses", json_object_get(status, "pauses")))
		r = -OTP_ENOMEM;
	return r;
}

static int
print_answer(const struct otpctl *ctl, const json_t *answer, enum otpctl_known known)
{
	int r = OTPCTL_OK;

	if (ctl->json)
		r = otpctl_print_json(answer);
	else
		explain_print(answer);
	return r || known != USER_UNKNOWN ? r : OTPCTL_NONE;
}

int
otpctl_explain(struct otpctl *ctl, int argc, char **argv)
{
	_auto_opened struct opened o = {.opener = {.open = open_providers}, .ctl = ctl};
	_auto_json json_t *answer = NULL;
	struct explain_arguments a = {.rhost = "", .tty = ""};
	struct login_start start = {
	    .first_factor = true, /* otpctl(8): the sign-in is assumed to have come this far */
	    .ssh_connection = "",
	    .session = "",
	    .session_start = "",
	    .boot_id = ""};
	struct explain_query q = {.start = &start};
	char user[CONTACT_USER_MAX + 1], key[WIRE_SSH_MAX + 1] = "";
	int r = OTPCTL_OK;

	parse_explain(ctl, argc, argv, &a);
	if (!a.ruser)
		a.ruser = host_of(a.service)->calls_itself ? a.user : "";
	/* A caller sits at some terminal. Which one makes no difference to the limits. */
	if (!*a.tty && !*a.rhost && *a.ruser)
		a.tty = "/dev/tty";
	/* The file of the key is read as the caller, all the rest as the helper's user. */
	if (a.key && is_fingerprint(a.key))
		start.fingerprint = a.key;
	else if (a.key)
		r = auth_info(a.key, key, sizeof(key));
	if (!r)
		r = otpctl_as_helper(ctl);
	if (!r)
		r = open_conf(ctl, &o);
	if (!r)
		r = find_asked_user(o.conf, &a, &q, user, sizeof(user));
	if (!r)
		r = otpctl_now(&q.now);
	if (!r)
		r = open_all(ctl, &o);
	if (r)
		return r;
	start.service = a.service;
	start.user = a.user;
	start.rhost = a.rhost;
	start.ruser = a.ruser;
	start.tty = a.tty;
	start.ssh_auth_info = key;
	q.conf = o.conf;
	q.host_key = &o.host_key;
	q.contacts = o.contacts;
	q.store = o.store;
	q.opener = &o.opener;
	o.service = a.service;
	r = explain_sign_in(&q, &answer);
	if (!r && q.known != USER_UNKNOWN)
		r = add_retry_after(&q, user, answer);
	if (r)
		return otpctl_fail("the sign-in could not be simulated: %s", otp_strerror(r));
	return print_answer(ctl, answer, q.known);
}
