/* otpctl explain: which rule decides for a sign-in, which do not and why, and what would follow. */
#include "helpers/otpctl/explain/explain.h"

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
#include "helpers/conf/parse.h"
#include "helpers/base/json.h"
#include "helpers/otpctl/explain/run.h"
#include "helpers/otpctl/explain/text.h"
#include "helpers/otpctl/otpctl.h"
#include "helpers/otpctl/paths.h"
#include "helpers/otpctl/privileges.h"
#include "helpers/otpctl/status/facts.h"
#include "helpers/otpctl/store.h"
#include "helpers/provider/retry_after.h"
#include "helpers/provider/tokens.h"
#include "helpers/login/source.h"

enum { OPT_SERVICE = 0xa00, OPT_RHOST, OPT_KEY, OPT_RUSER, OPT_TTY };
/* A key with the words around it is what the module would hand on, and sscanf() is told so. */
enum { REPORT_MAX = 64 * 1024, LINE_SHOWN = 1200, KEY_MAX = WIRE_SSH_MAX + 1 };

struct explain_arguments {
	struct otpctl_user user; /* first: the parser's part */
	const char *service;
	const char *rhost;
	const char *key;
	const char *ruser;
	const char *tty;
};

static error_t
parse_explain(int key, char *arg, struct argp_state *state)
{
	struct explain_arguments *a = state->input;

	switch (key) {
	case OPT_SERVICE:
		if (!conf_is_service(arg))
			argp_error(state, "\"%s\" is not the name of a PAM service", arg);
		a->service = arg;
		return 0;
	case OPT_RHOST:
		a->rhost = arg;
		return 0;
	case OPT_KEY:
		a->key = arg;
		return 0;
	case OPT_RUSER:
		a->ruser = arg;
		return 0;
	case OPT_TTY:
		a->tty = arg;
		return 0;
	case ARGP_KEY_END:
		if (!a->service)
			argp_error(state, "by which program? Name its PAM service: --service sshd");
		return otpctl_parse_user(key, arg, state);
	default:
		return otpctl_parse_user(key, arg, state);
	}
}

static const struct argp_option explain_options[] = {
    {"service", OPT_SERVICE, "NAME", 0, "The PAM service that signs in", 0},
    {"rhost", OPT_RHOST, "ADDRESS", 0, "The client's address", 0},
    {"key", OPT_KEY, "KEY", 0,
	"The public key that sshd took: as in its .pub file, that file, or its fingerprint", 0},
    {"ruser", OPT_RUSER, "USER", 0, "Who calls, as su says it; with sudo it is USER", 0},
    {"tty", OPT_TTY, "TTY", 0, "The terminal", 0},
    {0},
};

static const struct argp explain_argp = {
    .options = explain_options,
    .parser = parse_explain,
    .args_doc = "USER --service NAME",
    .doc = "Goes through a sign-in of USER without a message, a count or a prompt, and says which "
	   "rule decides, why the others do not, and what would follow.",
};

/* The first line of a file, without what it must not have in SSH_AUTH_INFO_0. */
static int
read_key(const char *path, char *dst, size_t size)
{
	_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, dst, size - 1);

	if (n < 0)
		return otpctl_fail("%s: the key cannot be read", path);
	dst[n] = '\0';
	dst[strcspn(dst, "\n")] = '\0';
	return OTPCTL_OK;
}

/* What no host has said. */
#define NOTHING_SAID                                                                           \
	{                                                                                      \
		.service = "", .user = "", .rhost = "", .tty = "", .ruser = "",                \
		.ssh_connection = "", .ssh_auth_info = "", .session = "", .session_start = "", \
		.boot_id = "",                                                                 \
	}

/* "SHA256:" and the base64 of 32 bytes, without padding. */
static bool
is_fingerprint(const char *s)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";

	return !strncmp(s, "SHA256:", 7) && strlen(s) == 7 + 43 && strspn(s + 7, base64) == 43;
}

/* A key as sshd would say it: "publickey ALGORITHM BASE64". */
static int
auth_info(const char *key, char *dst, size_t size)
{
	char text[KEY_MAX] = "", algorithm[128], base64[KEY_MAX];
	struct login_start probe = NOTHING_SAID;
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
	(void)otpctl_fail("--key wants a line like 'ssh-ed25519 AAAA...', the absolute path of a "
			  ".pub file, or a fingerprint like SHA256:...");
	return OTPCTL_USAGE;
}

/* What a sign-in opens, opened as the helper does. */
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
cannot(const char *what, const char *why)
{
	return otpctl_fail("%s cannot be used (%s), so every sign-in ends in broken; see: otpctl "
			   "config check",
	    what, why);
}

/* Where a code would be asked for: the providers, which are never asked. */
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
	    o->ctl->second_owner, &io, &o->delivery, &report);
	otpctl_print_report(&report);
	*out = o->delivery;
	return r;
}

static int
open_conf(const struct otpctl *ctl, struct opened *o)
{
	int r = otpctl_conf_load(ctl, &o->conf);

	if (!r && !o->conf)
		r = otpctl_fail("there is no %s, so no sign-in works", ctl->config);
	return r ? r : otpctl_paths_of(o->conf, &o->paths);
}

/*
 * As login_identify(): without a caller nobody is asked, and the sign-in is broken whoever was
 * named; and who is signed in must exist whoever is asked.
 */
static int
who_is_asked(const struct conf *c, const struct explain_arguments *a, struct explain_query *q,
    char *user, size_t size)
{
	bool caller = conf_signin_for(c, a->service)->identity == IDENTITY_CALLER;
	int r;

	q->asked = a->user.name;
	r = otpctl_canonical(NAME_OR_TYPED, q->asked, user, size, &q->known);
	if (r || !caller || !*a->ruser || q->known == USER_UNKNOWN)
		return r;
	q->asked = a->ruser;
	return otpctl_canonical(NAME_OR_TYPED, q->asked, user, size, &q->known);
}

/* As the helper's own user: what that one cannot read, a sign-in cannot. */
static int
open_all(const struct otpctl *ctl, struct opened *o)
{
	int r = otpctl_store_open(ctl, o->paths.state, &o->store);

	if (r)
		return r;
	r = host_key_read(o->paths.host_key, ctl->second_owner, &o->host_key);
	if (r)
		return cannot(o->paths.host_key, otp_strerror(r));
	r = contacts_sqlite_open(o->paths.contacts, ctl->second_owner, &o->contacts);
	return r ? cannot(o->paths.contacts, otp_strerror(r)) : OTPCTL_OK;
}

/* What providers want is met by a message alone; the store knows it. */
static int
add_pauses(const struct explain_query *q, const char *user, json_t *answer)
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
tell(const struct otpctl *ctl, const json_t *answer, enum otpctl_known known)
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
	    .first_factor = true, /* who asks of a sign-in means one that came so far */
	    .ssh_connection = "",
	    .session = "",
	    .session_start = "",
	    .boot_id = ""};
	struct explain_query q = {.start = &start};
	char user[CONTACT_USER_MAX + 1], key[WIRE_SSH_MAX + 1] = "";
	int r = OTPCTL_OK;

	otpctl_parse(ctl, &explain_argp, "otpctl explain", argc, argv, &a);
	if (!a.ruser)
		a.ruser = host_of(a.service)->calls_itself ? a.user.name : "";
	/* The caller's file, and from here on what the helper sees. */
	if (a.key && is_fingerprint(a.key))
		start.fingerprint = a.key;
	else if (a.key)
		r = auth_info(a.key, key, sizeof(key));
	if (!r)
		r = otpctl_as_helper(ctl);
	if (!r)
		r = open_conf(ctl, &o);
	if (!r)
		r = who_is_asked(o.conf, &a, &q, user, sizeof(user));
	if (!r)
		r = otpctl_now(&q.now);
	if (!r)
		r = open_all(ctl, &o);
	if (r)
		return r;
	start.service = a.service;
	start.user = a.user.name;
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
	if (explain_sign_in(&q, &answer) ||
	    (q.known != USER_UNKNOWN && add_pauses(&q, user, answer)))
		return otpctl_fail("the sign-in could not be gone through");
	return tell(ctl, answer, q.known);
}
