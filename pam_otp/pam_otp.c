/*
 * pam_otp.so, the part that lives in the program that signs a user in. It opens a door to a helper
 * and relays; it has no network, no file of its own, no secret, no thread, no state.
 *
 * MUST:
 *  - start at PAM_PERM_DENIED; PAM_SUCCESS is assigned once, where its proof is;
 *  - never try a second door once the helper has been told of the sign-in;
 *  - leave the host as it was found: descriptors, signals, environment, children, folder.
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
	pid_t supervisor; /* of door 2, or NOBODY; owned */
	struct talk talk;
	char why[512]; /* what went wrong on our side; uncleaned */
};

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
		(void)snprintf(s->why, sizeof(s->why), "the helper cannot be executed");
	else if (grace_ms && status >= 0)
		(void)snprintf(
		    s->why, sizeof(s->why), "the helper ended at once, status %d", status);
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

static int
explain(struct signin *s, int r, const char *what)
{
	if (r == -OTP_ESYS)
		(void)snprintf(s->why, sizeof(s->why), "%s: %m", what);
	else if (r)
		(void)snprintf(s->why, sizeof(s->why), "%s: %s", what, otp_strerror(r));
	return r;
}

static int
hello(struct signin *s)
{
	struct deadline dl = deadline_first(s->talk.deadline, deadline_in(HELLO_WAIT_MS));

	return talk_hello(&s->talk, s->fd, dl);
}

/* -OTP_ENOENT when no helper answers there, which is the only reason to try the other door. */
static int
open_door_1(struct signin *s)
{
	const char *path = s->options.socket ? s->options.socket : OTP_SOCKET;
	uid_t second_owner = s->options.socket ? s->euid : 0;
	int r = explain(
	    s, connect_socket(path, second_owner, s->talk.deadline, &s->fd), "door 1, connect");

	if (r)
		return r;
	r = explain(s, hello(s), "door 1, hello");
	if (r != -OTP_EGONE)
		return r;
	signin_close(s, 0);
	return -OTP_ENOENT;
}

static int
open_spawned(struct signin *s)
{
	const char *path = s->options.helper ? s->options.helper : OTP_HELPER;
	int r = spawn_helper(path, s->options.config, &s->fd, &s->supervisor);

	if (r)
		return explain(s, r, "door 2, spawn");
	r = explain(s, hello(s), "door 2, hello");
	if (r == -OTP_EGONE)
		signin_close(s, SPAWN_GRACE_MS);
	return r;
}

static int
open_door(struct signin *s, pam_handle_t *pamh)
{
	int r;

	if (s->options.helper || s->options.config)
		return open_spawned(s);
	r = open_door_1(s);
	if (r != -OTP_ENOENT || s->euid != 0)
		return r;
	if (s->options.debug)
		pam_syslog(pamh, LOG_DEBUG, "no helper at door 1, door 2 is taken");
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
		return explain(s, -OTP_ENOENT, "user name");
	s->talk.pamh = pamh;
	s->talk.silent = (flags & PAM_SILENT) != 0;
	s->talk.debug = s->options.debug;
	s->talk.deadline = deadline_in(s->options.timeout_s * 1000);
	r = open_door(s, pamh);
	return r ? r : explain(s, talk_result(&s->talk, user), "helper");
}

/* The code of every word that lets nobody in. */
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
 * One line an outcome. Only a user who got through is named: any other name may be a password that
 * was typed too early. The helper's line with the same request names those that exist.
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
		/* Proof: run() returns 0 for the helper's word and the end-of-file behind it only.
		 */
		rc = PAM_SUCCESS;
	log_outcome(pamh, rc, s->talk.request_id, s->talk.reason);
out:
	return rc;
}

/* Also after "skip": a stack whose other lines say PAM_IGNORE must not fail here. */
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
