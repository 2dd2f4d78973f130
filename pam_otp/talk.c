/*
 * MUST:
 *  - one message for each call of the host's conversation;
 *  - every answer is wiped and freed, whatever became of it, and none is logged;
 *  - what a host answered by itself never reaches the helper: it is no human's answer, and may be
 *    the user's password;
 *  - text from the helper reaches a terminal or the log only when cleaned;
 *  - a result counts only when end-of-file follows it.
 */
#include "pam_otp/talk.h"

#include <poll.h>
#include <security/pam_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "common/err.h"
#include "common/secret.h"
#include "common/text.h"
#include "pam_otp/session.h"

enum {
	/* From a result to the end-of-file behind it. */
	EOF_WAIT_MS = 2000,
	LANGUAGE_MAX = 63,
};

static const struct {
	const char *text;
	enum talk_word word;
} words[] = {
    {"ok", TALK_OK},
    {"denied", TALK_DENIED},
    {"locked", TALK_LOCKED},
    {"unavail", TALK_UNAVAIL},
    {"gone", TALK_GONE},
    {"skip", TALK_SKIP},
    {"broken", TALK_BROKEN},
};

int
talk_hello(struct talk *t, int fd, struct deadline dl)
{
	int lowest, highest, r;

	wire_init(&t->wire, fd, WIRE_MODULE);
	r = wire_recv(&t->wire, &t->frame, dl);
	if (r)
		return r;
	lowest = wire_version(t->frame.field[HELLO_LOWEST]);
	highest = wire_version(t->frame.field[HELLO_HIGHEST]);
	if (!lowest || highest < lowest || lowest > WIRE_VERSION_HIGH || highest < WIRE_VERSION_LOW)
		return -OTP_EPROTO;
	if (highest > WIRE_VERSION_HIGH)
		highest = WIRE_VERSION_HIGH;
	(void)snprintf(t->version, sizeof(t->version), "%d", highest);
	return 0;
}

/* An item of the host's that is a string; empty where it is not set. Borrowed. */
static const char *
item(struct talk *t, int type)
{
	const void *value = NULL;

	if (pam_get_item(t->pamh, type, &value) != PAM_SUCCESS || !value)
		return "";
	return value;
}

static const char *
pam_variable(struct talk *t, const char *name)
{
	const char *value = pam_getenv(t->pamh, name);

	if (!value || strlen(value) <= WIRE_SSH_MAX)
		return value ? value : "";
	pam_syslog(
	    t->pamh, LOG_NOTICE, "%s is longer than %d bytes and left out", name, WIRE_SSH_MAX);
	return "";
}

/* What the C library would take for LC_MESSAGES. The caller's choice: for texts only. */
static const char *
language(void)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strlen(value) <= LANGUAGE_MAX ? value : "";
	}
	return "";
}

static void
list_flags(struct talk *t, char *out, size_t size)
{
	bool authtok = *item(t, PAM_AUTHTOK) != '\0';

	(void)snprintf(out, size, "%s%s%s%s%s", t->silent ? "silent" : "",
	    t->silent && authtok ? "," : "", authtok ? "authtok" : "",
	    t->debug && (t->silent || authtok) ? "," : "", t->debug ? "debug" : "");
}

/* Has the helper said something, or gone? wire_recv() then judges whether it might. */
static bool
helper_spoke(struct talk *t)
{
	struct pollfd p = {.fd = t->wire.fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

static int
talk_start(struct talk *t, const char *user)
{
	struct session session;
	char flags[32];
	const char *field[START_FIELDS] = {
	    [START_VERSION] = t->version,
	    [START_SERVICE] = item(t, PAM_SERVICE),
	    [START_USER] = user,
	    [START_RHOST] = item(t, PAM_RHOST),
	    [START_TTY] = item(t, PAM_TTY),
	    [START_RUSER] = item(t, PAM_RUSER),
	    [START_LANGUAGE] = language(),
	    [START_FLAGS] = flags,
	    [START_SSH_CONNECTION] = pam_variable(t, "SSH_CONNECTION"),
	    [START_SSH_AUTH_INFO] = pam_variable(t, "SSH_AUTH_INFO_0"),
	    [START_SESSION] = session.id,
	    [START_SESSION_START] = session.start,
	    [START_BOOT_ID] = session.boot_id,
	};

	/* Nothing is legal before S: what was said without knowing whom it is about is refused. */
	if (helper_spoke(t))
		return -OTP_EPROTO;
	list_flags(t, flags, sizeof(flags));
	session_read(&session);
	return wire_send(&t->wire, WIRE_START, field, t->deadline);
}

/* text_clean() that leaves line feeds: a prompt has more than one line. */
static void
clean_lines(char *dst, size_t size, const char *src)
{
	char line[WIRE_MAX];

	while (size > 1) {
		size_t len = strcspn(src, "\n"), used;

		(void)snprintf(line, sizeof(line), "%.*s", (int)len, src);
		used = strlen(text_clean(dst, size, line));
		src += len;
		dst += used;
		size -= used;
		if (!*src++ || size < 2)
			return;
		*dst++ = '\n';
		*dst = '\0';
		size--;
	}
}

/* sshd answers for a user it has refused: this text, over and over to the length of the answer. */
static bool
is_sshd_junk(const char *answer)
{
	static const char junk[] = "\b\n\r\177INCORRECT";
	size_t i;

	for (i = 0; answer[i]; i++)
		if (answer[i] != junk[i % (sizeof(junk) - 1)])
			return false;
	return i > 0;
}

static bool
is_item(struct talk *t, int type, const char *answer)
{
	const char *value = item(t, type);

	return *value && secret_str_equal(answer, value);
}

/* Why there is no answer to hand over; NULL when there is one. */
static const char *
refuse_answer(struct talk *t, int rc, const char *answer)
{
	if (rc != PAM_SUCCESS)
		return "conv";
	if (!answer)
		return "cancelled";
	if (is_item(t, PAM_AUTHTOK, answer) || is_item(t, PAM_USER, answer) || is_sshd_junk(answer))
		return "blind";
	return strlen(answer) > WIRE_ANSWER_MAX ? "conv" : NULL;
}

static int
talk_hand_over(struct talk *t, enum wire_type type, const char *text)
{
	int r = 0;

	/* It may have given up meanwhile: then its result lies in the socket. */
	if (!helper_spoke(t)) {
		r = wire_send(&t->wire, type, &text, t->deadline);
		t->unanswered = r || type != WIRE_ANSWER;
	}
	return r == -OTP_EGONE || r == -OTP_ETIME ? 0 : r;
}

static int
talk_ask(struct talk *t)
{
	const char *echo = t->frame.field[PROMPT_ECHO];
	const char *why, *text = t->frame.field[PROMPT_TEXT];
	char shown[WIRE_PROMPT_MAX + 1] = "";
	char *answer = NULL;
	int r, rc;

	if ((strcmp(echo, "0") != 0 && strcmp(echo, "1") != 0) || strlen(text) > WIRE_PROMPT_MAX)
		return -OTP_EPROTO;
	clean_lines(shown, sizeof(shown), text);
	t->asked = t->unanswered = true;
	/* A conversation that fails may still leave an answer behind. */
	rc = pam_prompt(
	    t->pamh, *echo == '1' ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF, &answer, "%s", shown);
	why = refuse_answer(t, rc, answer);
	if (t->debug)
		pam_syslog(t->pamh, LOG_DEBUG, "prompt: %s", why ? why : "answered");
	r = talk_hand_over(t, why ? WIRE_GONE : WIRE_ANSWER, why ? why : answer);
	secret_str_free(answer);
	return r;
}

/* Decoration: nobody minds whether it is seen, and a text too long for a host is cut. */
static void
talk_show(struct talk *t)
{
	int style = t->frame.type == WIRE_ERROR ? PAM_ERROR_MSG : PAM_TEXT_INFO;
	char shown[WIRE_PROMPT_MAX + 1] = "";
	char *answer = NULL;

	/* sudo asks for silence by default: an error is what remains. */
	if (t->silent && t->frame.type == WIRE_INFO)
		return;
	clean_lines(shown, sizeof(shown), t->frame.field[0]);
	(void)pam_prompt(t->pamh, style, &answer, "%s", shown);
	secret_str_free(answer);
}

/* Two words that contradict what the module itself has seen. */
static void
doubt_result(struct talk *t)
{
	const char *why = NULL;

	if (t->word == TALK_SKIP && t->asked)
		why = "the helper says skip after a prompt";
	else if (t->word == TALK_OK && t->unanswered)
		why = "the helper says ok without an answer";
	if (!why)
		return;
	t->word = TALK_BROKEN;
	(void)snprintf(t->reason, sizeof(t->reason), "%s", why);
}

static int
take_result(struct talk *t)
{
	const char *word = t->frame.field[RESULT_WORD];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(word, words[i].text))
			t->word = words[i].word;
	(void)text_clean(t->reason, sizeof(t->reason), t->frame.field[RESULT_REASON]);
	(void)text_clean(t->request_id, sizeof(t->request_id), t->frame.field[RESULT_REQUEST_ID]);
	doubt_result(t);
	return wire_eof(&t->wire, deadline_in(EOF_WAIT_MS));
}

int
talk_result(struct talk *t, const char *user)
{
	int r = talk_start(t, user);

	if (!r)
		r = wire_recv(&t->wire, &t->frame, t->deadline);
	while (!r && t->frame.type != WIRE_RESULT) {
		/* Only a result may come late: a helper that talks on would never end. */
		if (deadline_passed(t->deadline))
			return -OTP_ETIME;
		if (t->frame.type == WIRE_PROMPT)
			r = talk_ask(t);
		else
			talk_show(t);
		if (!r)
			r = wire_recv(&t->wire, &t->frame, t->deadline);
	}
	return r ? r : take_result(t);
}
