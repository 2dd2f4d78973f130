/*
 * MUST:
 *  - Each call of the host's conversation function gets one message.
 *  - Every answer is wiped and freed, on every path, and none is logged.
 *  - An answer that the host gave by itself never reaches the helper: no person typed it, and it
 *    may be the user's password.
 *  - Text from the helper is cleaned before it reaches a terminal or the log.
 *  - A result counts only if end-of-file follows it.
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
	EOF_WAIT_MS = 2000, /* the longest time from a result to the end-of-file */
	LANGUAGE_MAX = 63,  /* bytes */
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

/* A PAM item that is a string, or "" if it is not set. Borrowed. */
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
	pam_syslog(t->pamh, LOG_NOTICE, "%s is longer than %d bytes, so the helper does not get it",
	    name, WIRE_SSH_MAX);
	return "";
}

/* The locale of messages, as setlocale(3) finds it. Users choose it, so it decides texts only. */
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

/* True if a message or an end-of-file is in the socket. wire_recv() checks if it is legal. */
static bool
helper_sent(struct talk *t)
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

	/* A result that came before the start message cannot be about this user. */
	if (helper_sent(t))
		return -OTP_EPROTO;
	list_flags(t, flags, sizeof(flags));
	session_read(&session);
	return wire_send(&t->wire, WIRE_START, field, t->deadline);
}

/* Cleans text as text_clean() does, but keeps line feeds: a prompt may have several lines. */
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

/*
 * True if sshd gave the answer. For a user whom it refuses, sshd replaces what was typed by this
 * text, repeated to the length of the answer.
 */
static bool
is_sshd_filler(const char *answer)
{
	static const char filler[] = "\b\n\r\177INCORRECT";
	size_t i;

	for (i = 0; answer[i]; i++)
		if (answer[i] != filler[i % (sizeof(filler) - 1)])
			return false;
	return i > 0;
}

static bool
is_item(struct talk *t, int type, const char *answer)
{
	const char *value = item(t, type);

	return *value && secret_str_equal(answer, value);
}

/* NULL if the helper may get this answer, else the word that tells the helper why not. */
static const char *
refuse_answer(struct talk *t, int rc, const char *answer)
{
	if (rc != PAM_SUCCESS)
		return "conv";
	if (!answer)
		return "cancelled";
	if (is_item(t, PAM_AUTHTOK, answer) || is_item(t, PAM_USER, answer) ||
	    is_sshd_filler(answer))
		return "blind";
	return strlen(answer) > WIRE_ANSWER_MAX ? "conv" : NULL;
}

static int
talk_reply(struct talk *t, enum wire_type type, const char *text)
{
	int r = 0;

	/* The helper may have timed out: then its result is in the socket, and comes first. */
	if (!helper_sent(t)) {
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
	/* Even a conversation that fails may set answer. */
	rc = pam_prompt(
	    t->pamh, *echo == '1' ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF, &answer, "%s", shown);
	why = refuse_answer(t, rc, answer);
	if (t->debug)
		pam_syslog(t->pamh, LOG_DEBUG, "prompt: %s", why ? why : "answered");
	r = talk_reply(t, why ? WIRE_GONE : WIRE_ANSWER, why ? why : answer);
	secret_str_free(answer);
	return r;
}

/* Shows an information or error text. Nothing depends on its being seen; a long text is cut. */
static void
talk_show(struct talk *t)
{
	int style = t->frame.type == WIRE_ERROR ? PAM_ERROR_MSG : PAM_TEXT_INFO;
	char shown[WIRE_PROMPT_MAX + 1] = "";
	char *answer = NULL;

	/* sudo sets PAM_SILENT by default, so errors are shown all the same. */
	if (t->silent && t->frame.type == WIRE_INFO)
		return;
	clean_lines(shown, sizeof(shown), t->frame.field[0]);
	(void)pam_prompt(t->pamh, style, &answer, "%s", shown);
	secret_str_free(answer);
}

/* Refuses two words that contradict what the module itself has seen. */
static void
check_result(struct talk *t)
{
	const char *why = NULL;

	if (t->word == TALK_SKIP && t->asked)
		why = "the helper sent skip after a prompt";
	else if (t->word == TALK_OK && t->unanswered)
		why = "the helper sent ok, but the last prompt got no answer";
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
	check_result(t);
	return wire_eof(&t->wire, deadline_in(EOF_WAIT_MS));
}

int
talk_result(struct talk *t, const char *user)
{
	int r = talk_start(t, user);

	if (!r)
		r = wire_recv(&t->wire, &t->frame, t->deadline);
	while (!r && t->frame.type != WIRE_RESULT) {
		/* After the deadline only a result counts, or a helper could prompt forever. */
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
