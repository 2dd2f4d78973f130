/*
 * The dialog with a mail server (RFC 5321).
 *
 * MUST:
 *  - Each line of the server is a well-formed reply, and all replies together have a maximum size.
 *  - If there is a login, no sender is named before the server has accepted it.
 *  - `written` becomes true when the server asks for the text, and not earlier.
 *  - libcurl waits without our loop while the server judges the text, and after QUIT. There the
 *    callbacks watch the deadline and the peer.
 */
#include "helpers/http/mail.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "helpers/http/failure.h"
#include "helpers/http/peer.h"
#include "helpers/http/transfer.h"

enum {
	BACKSTOP_MS = 50, /* from the deadline to libcurl's own timeout */
	LOGIN_OK = 235,
	TEXT_WANTED = 354,
	FIRST_REFUSAL = 400,
};

/* The number of the reply, counted from the command MAIL, and what it answers. */
enum { OF_SENDER = 1, OF_RECIPIENT, OF_DATA, OF_TEXT };

/* The code of a line, from 200 to 599; -1 if the line is no reply. */
static long
reply_code(const char *line, size_t len)
{
	if (len < 4 || line[0] < '2' || line[0] > '5' || !memchr("- \r\n", line[3], 4))
		return -1;
	for (size_t i = 1; i < 3; i++)
		if (line[i] < '0' || line[i] > '9')
			return -1;
	return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

/* Takes one line from the server. 0; -OTP_EPROTO if it is no reply; -OTP_ETOOBIG. */
static int
take_line(struct mail_dialog *t, const char *line, size_t len)
{
	long code = reply_code(line, len);

	t->received += len;
	if (t->received > HTTP_HEAD_MAX)
		return -OTP_ETOOBIG;
	if (code < 0)
		return -OTP_EPROTO;
	if (line[3] == '-')
		return 0;
	t->reply = code;
	t->logged_in |= code == LOGIN_OK;
	if (!t->in_mail)
		return 0;
	t->replies++;
	t->handed_over |= t->replies == OF_DATA && code == TEXT_WANTED;
	t->over = t->replies >= OF_TEXT ||
		  (t->replies == OF_DATA ? code != TEXT_WANTED : code / 100 != 2);
	return 0;
}

static enum mail_stage
stage_of(const struct mail_dialog *t)
{
	static const enum mail_stage stage[] = {
	    [OF_SENDER] = MAIL_SENDER,
	    [OF_RECIPIENT] = MAIL_RECIPIENT,
	    [OF_DATA] = MAIL_TEXT,
	    [OF_TEXT] = MAIL_TEXT,
	};

	return t->replies <= OF_TEXT ? stage[t->replies] : MAIL_TEXT;
}

/*
 * Ends reading only: what was written still reaches the server. libcurl sends QUIT when it closes,
 * and would otherwise wait for the answer.
 */
static void
hang_up(const struct mail_dialog *t)
{
	for (size_t i = 0; i < MAIL_SOCKETS; i++)
		if (t->socket[i] >= 0)
			(void)shutdown(t->socket[i], SHUT_RD);
}

static size_t
on_reply(char *line, size_t one, size_t len, void *arg)
{
	struct transfer *t = arg;

	(void)one;
	if (t->dialog.over || t->overflow)
		return 0;
	t->overflow = take_line(&t->dialog, line, len);
	t->answer->written |= t->dialog.handed_over;
	t->answer->stage = stage_of(&t->dialog);
	if (t->overflow || t->dialog.over)
		hang_up(&t->dialog);
	return t->overflow ? 0 : len;
}

/* libcurl calls this before it names the sender. */
static int
on_mail(void *arg, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
	struct mail_dialog *t = &((struct transfer *)arg)->dialog;

	(void)remote_ip, (void)local_ip, (void)remote_port, (void)local_port;
	/* If the server offers no login, libcurl would continue without one. */
	if (t->wants_login && !t->logged_in) {
		hang_up(t);
		return CURL_PREREQFUNC_ABORT;
	}
	t->in_mail = true;
	return CURL_PREREQFUNC_OK;
}

/* libcurl calls this at least once a second while libcurl itself waits. */
static int
on_progress(void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
	struct mail_dialog *t = &((struct transfer *)arg)->dialog;

	(void)down_all, (void)down, (void)up_all, (void)up;
	if (!t->handed_over || t->over)
		return 0;
	t->cut = peer_check(t->peer);
	if (!t->cut && deadline_passed(t->deadline))
		t->cut = -OTP_ETIME;
	if (t->cut)
		hang_up(t);
	return t->cut ? 1 : 0;
}

/* Opens a socket and keeps it for hang_up(). */
static curl_socket_t
on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct mail_dialog *t = &((struct transfer *)arg)->dialog;
	size_t i = 0;

	while (i < MAIL_SOCKETS && t->socket[i] >= 0)
		i++;
	if (i == MAIL_SOCKETS)
		return CURL_SOCKET_BAD;
	t->socket[i] = transfer_socket(arg, purpose, address);
	return t->socket[i];
}

static int
on_socket_close(void *arg, curl_socket_t fd)
{
	struct mail_dialog *t = &((struct transfer *)arg)->dialog;

	for (size_t i = 0; i < MAIL_SOCKETS; i++)
		if (t->socket[i] == fd)
			t->socket[i] = -1;
	return close(fd);
}

static CURLcode
set_callbacks(CURL *e, struct transfer *t)
{
	CURLcode c = curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_reply);

	c = c ? c : curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_mail);
	c = c ? c : curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
	c = c ? c : curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
	c = c ? c : curl_easy_setopt(e, CURLOPT_XFERINFODATA, t);
	c = c ? c : curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	c = c ? c : curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, on_socket_close);
	return c ? c : curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, t);
}

int
mail_set(const struct http_request *q, const char *request_id, bool starttls, int peer,
    struct deadline dl, struct transfer *t)
{
	CURL *e = t->easy;
	CURLcode c = set_callbacks(e, t);

	t->dialog.wants_login = q->login != NULL;
	t->dialog.peer = peer;
	t->dialog.deadline = dl;
	for (size_t i = 0; i < MAIL_SOCKETS; i++)
		t->dialog.socket[i] = -1;
	c = c ? c
	      : curl_easy_setopt(
		    e, CURLOPT_USE_SSL, starttls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_NONE);
	/* TLS protects the password, so the older challenge-response methods add nothing. */
	c = c ? c : curl_easy_setopt(e, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN");
	/* If a kept connection broke, libcurl would send the mail a second time. */
	c = c ? c : curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
	/* The connection closes with its transfer, while the callbacks still watch it. */
	c = c ? c : curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	c = c ? c : curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)deadline_left(dl) + BACKSTOP_MS);
	return c ? -OTP_ENOMEM : mail_message(e, q->mail, request_id, &t->dialog);
}

int
mail_judge(CURLcode code, const struct transfer *t, struct http_answer *a)
{
	const struct mail_dialog *dialog = &t->dialog;
	bool no_login =
	    code == CURLE_LOGIN_DENIED || (code == CURLE_ABORTED_BY_CALLBACK && !dialog->in_mail);

	a->failure = curl_easy_strerror(code);
	if (dialog->cut || t->overflow)
		return dialog->cut ? dialog->cut : t->overflow;
	/* After a refusal libcurl reports an error, but the server's reply is the answer. */
	if (code && dialog->reply < FIRST_REFUSAL) {
		if (no_login)
			a->failure = "the mail server accepts no login by PLAIN or LOGIN";
		return no_login ? -OTP_EPERM : transfer_judge_failure(code, t, a);
	}
	a->status = dialog->reply;
	a->failure = "";
	return 0;
}
