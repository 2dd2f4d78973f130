/*
 * pam_otp.so: the part of pam_otp that runs inside the host, the program that signs a user in. It
 * reaches a helper through a socket or starts one, and relays between the helper and the user. It
 * uses no network, no file of its own, no secret and no thread, and keeps nothing between two
 * sign-ins.
 *
 * MUST:
 *  - The result starts as PAM_PERM_DENIED. Only one line assigns PAM_SUCCESS, next to its proof.
 *  - Once a helper knows the sign-in, the module never asks another helper.
 *  - The module leaves the host as it found it: descriptors, signals, environment, children and
 *    working directory.
 */
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "common/secret.h"
#include "common/text.h"
#include "pam_otp/connect.h"
#include "pam_otp/options.h"
#include "pam_otp/spawn.h"
#include "pam_otp/talk.h"

enum { HELLO_WAIT_MS = 10 * 1000, SPAWN_GRACE_MS = 200, NOBODY = -1 };

/* One call of pam_sm_authenticate(). */
struct signin {
	struct options options;
	uid_t euid;
	int fd;		  /* the helper's socket; owned */
	pid_t supervisor; /* of a spawned helper, or NOBODY; owned */
	struct talk talk;
	char why[512]; /* the module's own reason for a failure; uncleaned */
};

static const char *
helper_path(const struct signin *s)
{
	return s->options.helper ? s->options.helper : OTP_HELPER;
}

/* Closes the socket and ends the supervisor. With a grace, it also notes how the helper ended. */
static void
signin_close(struct signin *s, int grace_ms)
{
	int status;

	if (s->fd >= 0)
		(void)close(take_fd(&s->fd));
	if (s->supervisor == NOBODY)
		return;
	status = spawn_end(s->supervisor, grace_ms);
	s->supervisor = NOBODY;
	if (grace_ms && status == SPAWN_NO_EXEC)
		(void)snprintf(
		    s->why, sizeof(s->why), "cannot execute the helper %s", helper_path(s));
	else if (grace_ms && status >= 0)
		(void)snprintf(s->why, sizeof(s->why),
		    "the helper %s ended before its first message, exit status %d", helper_path(s),
		    status);
}

static void
signin_free(struct signin **s)
{
	if (!*s)
		return;
	signin_close(*s, 0);
	otp_wipe(**s);
	free(*s);
}

/* Returns r. If it is an error, why becomes "what object: the text of the error". */
static int
explain(struct signin *s, int r, const char *what, const char *object)
{
	if (r == -OTP_ESYS)
		(void)snprintf(s->why, sizeof(s->why), "%s %s: %m", what, object);
	else if (r)
		(void)snprintf(s->why, sizeof(s->why), "%s %s: %s", what, object, otp_strerror(r));
	return r;
}

static int
hello(struct signin *s)
{
	struct deadline dl = deadline_first(s->talk.deadline, deadline_in(HELLO_WAIT_MS));

	return talk_hello(&s->talk, s->fd, dl);
}

static const char *
socket_path(const struct signin *s)
{
	return s->options.socket ? s->options.socket : OTP_SOCKET;
}

/*
 * Connects to the helper at the socket. -OTP_ENOENT if no helper answers there. Only then may the
 * module start a helper instead.
 */
static int
open_socket(struct signin *s)
{
	uid_t second_owner = s->options.socket ? s->euid : 0;
	int r = connect_socket(socket_path(s), second_owner, s->talk.deadline, &s->fd);

	if (r)
		return explain(s, r, "cannot connect to the socket", socket_path(s));
	r = explain(
	    s, hello(s), "no valid first message from the helper at the socket", socket_path(s));
	if (r != -OTP_EGONE)
		return r;
	signin_close(s, 0);
	return -OTP_ENOENT;
}

static int
open_spawned(struct signin *s)
{
	int r = spawn_helper(helper_path(s), s->options.config, &s->fd, &s->supervisor);

	if (r)
		return explain(s, r, "cannot start the helper", helper_path(s));
	r = explain(s, hello(s), "no valid first message from the helper", helper_path(s));
	if (r == -OTP_EGONE)
		signin_close(s, SPAWN_GRACE_MS);
	return r;
}

static int
open_helper(struct signin *s, pam_handle_t *pamh)
{
	int r;

	if (s->options.helper || s->options.config)
		return open_spawned(s);
	r = open_socket(s);
	if (r != -OTP_ENOENT || s->euid != 0)
		return r;
	if (s->options.debug)
		pam_syslog(pamh, LOG_DEBUG,
		    "no helper at the socket %s, so the module starts one itself", socket_path(s));
	return open_spawned(s);
}

static int
run(struct signin *s, pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	const char *user = NULL;
	int r = options_parse(&s->options, argc, argv, s->euid, s->why, sizeof(s->why));

	if (r)
		return r;
	if (pam_get_user(pamh, &user, NULL) != PAM_SUCCESS || !user)
		return explain(s, -OTP_ENOENT, "cannot get the user name", "from the host");
	s->talk.pamh = pamh;
	s->talk.silent = (flags & PAM_SILENT) != 0;
	s->talk.debug = s->options.debug;
	s->talk.deadline = deadline_in(s->options.timeout_s * 1000);
	r = open_helper(s, pamh);
	return r ? r
		 : explain(s, talk_result(&s->talk, user), "no valid result from", "the helper");
}

/* Returns the PAM code for a word that does not sign the user in. */
static int
refusal(enum talk_word word)
{
	switch (word) {
	case TALK_DENIED:
		return PAM_AUTH_ERR;
	case TALK_LOCKED:
		return PAM_MAXTRIES;
	case TALK_UNAVAIL:
		return PAM_AUTHINFO_UNAVAIL;
	case TALK_GONE:
		return PAM_CONV_ERR;
	case TALK_SKIP:
		return PAM_IGNORE;
	case TALK_OK:
	case TALK_BROKEN:
		break;
	}
	return PAM_PERM_DENIED;
}

/*
 * Logs one line for the sign-in. It names the user only if the sign-in went on: any other name may
 * be a password that was typed too early. The helper's line with the same request ID names the user
 * if there is such a user.
 */
static void
log_outcome(pam_handle_t *pamh, int rc, const char *request_id, const char *reason)
{
	static const struct {
		int rc, priority;
		const char *word;
	} lines[] = {
	    {PAM_SUCCESS, LOG_INFO, "ok"},
	    {PAM_AUTH_ERR, LOG_NOTICE, "denied"},
	    {PAM_MAXTRIES, LOG_NOTICE, "locked"},
	    {PAM_AUTHINFO_UNAVAIL, LOG_WARNING, "unavail"},
	    {PAM_CONV_ERR, LOG_NOTICE, "gone"},
	    {PAM_IGNORE, LOG_INFO, "skip"},
	    {PAM_PERM_DENIED, LOG_ERR, "broken"},
	};
	char rhost[128], user[128], request[64], text[512];
	bool known = rc == PAM_SUCCESS || rc == PAM_IGNORE;
	const void *item[2] = {NULL, NULL};
	size_t i = 0;

	(void)pam_get_item(pamh, PAM_RHOST, &item[0]);
	(void)pam_get_item(pamh, PAM_USER, &item[1]);
	while (lines[i].rc != rc && lines[i].rc != PAM_PERM_DENIED)
		i++;
	pam_syslog(pamh, lines[i].priority,
	    "rhost=\"%s\" user=\"%s\" result=%s request=\"%s\" reason=\"%s\"",
	    text_quotable(rhost, sizeof(rhost), item[0]),
	    text_quotable(user, sizeof(user), known ? item[1] : "?"), lines[i].word,
	    text_quotable(request, sizeof(request), request_id),
	    text_quotable(text, sizeof(text), reason));
}

int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	__attribute__((cleanup(signin_free))) struct signin *s = calloc(1, sizeof(*s));
	int rc = PAM_PERM_DENIED;
	int r;

	if (!s) {
		log_outcome(pamh, rc, "", otp_strerror(-OTP_ENOMEM));
		goto out;
	}
	s->fd = -1;
	s->supervisor = NOBODY;
	s->euid = geteuid();
	r = run(s, pamh, flags, argc, argv);
	if (r) {
		log_outcome(pamh, rc, "", s->why);
		goto out;
	}
	rc = refusal(s->talk.word);
	if (s->talk.word == TALK_OK)
		/* Proof: run() is 0, so the helper sent this word and then end-of-file. */
		rc = PAM_SUCCESS;
	log_outcome(pamh, rc, s->talk.request_id, s->talk.reason);
out:
	return rc;
}

/*
 * Always succeeds, also after "skip". If every module of the stack returned PAM_IGNORE, the stack
 * would fail.
 */
int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}

int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_IGNORE;
}
