/*
 * One mail at a time, to a mail server that misbehaves: recipient, content, when it counts as
 * written, maximum sizes, deadlines, a peer that hangs up (U1, U41, C9, C19).
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "common/clock.h"
#include "common/err.h"
#include "helpers/http/curl.h"
#include "tests/unit/mail_rig.h"
#include "tests/unit/server_rig.h"

static struct post *post;
static struct http *http;
static struct http_answer answer;
static char url[128];
static const struct http_route direct;
static const struct http_mail plain = {
    "root@box", "", "asha@mail.example", "Sign-in", "Code 012345"};
/* Handles that a deadline cut off are never freed, on purpose. They are kept here, so that no leak
 * is reported. */
static struct http *volatile left_behind[256];
static size_t nleft_behind;

static int
setup(void **state)
{
	(void)state;
	post = post_start();
	(void)snprintf(url, sizeof(url), "smtp://127.0.0.1:%d/box", post_port(post));
	return curl_http_open(-1, "/etc/ssl/certs", &http);
}

static int
teardown(void **state)
{
	(void)state;
	http_answer_clear(&answer);
	left_behind[nleft_behind++ % COUNT(left_behind)] = http;
	http_close(http);
	post_stop(post);
	return 0;
}

static int
mail_to(const char *where, const struct http_mail *m, int64_t ms)
{
	const struct http_request q = {.url = where, .mail = m};

	return http_perform(http, &q, &direct, deadline_in(ms), &answer);
}

static int
mail(const struct http_mail *m)
{
	return mail_to(url, m, 5000);
}

static int
mail_as(const char *login, const char *password)
{
	const struct http_request q = {
	    .url = url, .login = login, .password = password, .mail = &plain};

	return http_perform(http, &q, &direct, deadline_in(5000), &answer);
}

static void
the_mail_is_what_was_asked(void **state)
{
	static const char envelope[] = "EHLO box\r\nMAIL FROM:<root@box>\r\n"
				       "RCPT TO:<asha@mail.example>\r\nDATA\r\n";
	static const char *const lines[] = {"\r\nFrom: <root@box>\r\n",
	    "\r\nTo: <asha@mail.example>\r\n", "\r\nSubject: Sign-in\r\n",
	    "\r\nDate: ", " +0000\r\n", "\r\nMessage-ID: <", "@box>\r\n",
	    "\r\nAuto-Submitted: auto-generated\r\n",
	    "\r\nContent-Type: text/plain; charset=utf-8\r\n", "\r\n\r\nCode 012345\r\n",
	    "\r\n.\r\n"};
	char *heard, *code;

	(void)state;
	assert_int_equal(mail(&plain), 0);
	assert_int_equal(answer.status, 250);
	assert_true(answer.written);
	assert_string_equal(answer.failure, "");
	assert_int_equal(answer.body.len, 0);
	heard = post_heard(post);
	for (size_t i = 0; i < COUNT(lines); i++)
		ROW(strstr(heard, lines[i]), lines[i]);
	assert_ptr_equal(strstr(heard, envelope), heard);
	/* The code is in the text only. */
	code = strstr(heard, "012345");
	assert_null(strstr(code + 1, "012345"));
	assert_null(strstr(code, "Message-ID"));
	free(heard);
}

/* Each mail has its own Message-ID, connection and QUIT. */
static void
two_mails_have_nothing_in_common(void **state)
{
	char *heard, *first, *second;

	(void)state;
	assert_int_equal(mail(&plain), 0);
	assert_int_equal(mail(&plain), 0);
	assert_int_equal(post_connections(post), 2);
	/* The second QUIT may not have arrived yet; the second mail has. */
	heard = post_heard(post);
	first = strstr(heard, "Message-ID: <");
	second = strstr(first + 1, "Message-ID: <");
	assert_non_null(second);
	assert_int_not_equal(strncmp(first, second, 32), 0);
	free(heard);
}

static void
subjects_and_names_are_encoded(void **state)
{
	static const struct {
		const char *name, *subject, *says;
	} rows[] = {
	    {"", "Sign-in to box", "\r\nSubject: Sign-in to box\r\n"},
	    {"", "é", "\r\nSubject: =?UTF-8?B?w6k=?=\r\n"},
	    {"", "=?UTF-8?Q?a?=", "\r\nSubject: =?UTF-8?B?PT9VVEYtOD9RP2E/PQ==?=\r\n"},
	    /* No word divides a character, and no line has more than 76 bytes (RFC 2047, 2). */
	    {"", "aकखगघङचछजझञटठ",
		"\r\nSubject: =?UTF-8?B?YeCkleCkluCkl+CkmOCkmeCkmuCkm+CknOCkneCknuCknw==?=\r\n"
		" =?UTF-8?B?4KSg?=\r\n"},
	    {"", "0123456789012345678901234567890123456789",
		"\r\nSubject: =?UTF-8?B?MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1?=\r\n"
		" =?UTF-8?B?Njc4OQ==?=\r\n"},
	    {"", "", "\r\nSubject:"},
	    {"Example Ltd.", "s", "\r\nFrom: \"Example Ltd.\" <root@box>\r\n"},
	    {"a\"b\\c", "s", "\r\nFrom: \"a\\\"b\\\\c\" <root@box>\r\n"},
	    {"उदाहरण", "s", "\r\nFrom: =?UTF-8?B?4KSJ4KSm4KS+4KS54KSw4KSj?= <root@box>\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_mail m = plain;

		m.from_name = rows[i].name;
		m.subject = rows[i].subject;
		assert_int_equal(mail(&m), 0);
		ROW(post_received(post, rows[i].says), rows[i].says);
		post_reset(post);
	}
}

/* A value that could end a header or a command, or a malformed address, opens no connection (C19).
 */
static void
malformed_values_are_refused(void **state)
{
	static const char *const addresses[] = {"", "root", "@box", "root@", "a b@box", "a@b@c",
	    "a@box\r\nRCPT TO:<b@box>", "a@box>\r\n", "a@box\n", "<a@box>", "a@box,b@box",
	    "\"a\"@box", "a\tb@box", "a@b c", "a@box.", "a@.box", "a..b@box", ".a@box", "a@b..c",
	    "ä@box", "a@bär", "a@[127.0.0.1]", "a\x01@box", "a@box\x7f", "(a)@box", "a;b@box",
	    "a:b@box", "a@box SIZE=1"};
	static const char *const lines[] = {
	    "a\r\nBcc: b@box", "a\nb", "a\rb", "a\tb", "a\x1b[2J", "\x7f", "\xff", "a\xc3"};
	static char longer[300];
	struct http_mail m;

	(void)state;
	memset(longer, 'a', sizeof(longer) - 1);
	for (size_t i = 0; i < COUNT(addresses); i++) {
		m = plain, m.from = addresses[i];
		ROW(mail(&m) == -OTP_EINVAL, addresses[i]);
		m = plain, m.to = addresses[i];
		ROW(mail(&m) == -OTP_EINVAL && *answer.failure, addresses[i]);
	}
	/* The domain of the sender may be a host name, as in `plain`. */
	m = plain, m.to = plain.from;
	assert_int_equal(mail(&m), -OTP_EINVAL);
	for (size_t i = 0; i < COUNT(lines); i++) {
		m = plain, m.subject = lines[i];
		ROW(mail(&m) == -OTP_EINVAL, lines[i]);
		m = plain, m.from_name = lines[i];
		ROW(mail(&m) == -OTP_EINVAL, lines[i]);
	}
	m = plain, m.subject = longer;
	assert_int_equal(mail(&m), -OTP_EINVAL);
	m = plain, m.text = "\xff";
	assert_int_equal(mail(&m), -OTP_EINVAL);
	assert_false(answer.written);
	assert_int_equal(post_connections(post), 0);
}

/* No text can end the mail early, and no line is longer than mail servers accept. */
static void
any_text_stays_in_its_mail(void **state)
{
	static char text[8192];
	struct http_mail m = plain;
	char *heard, *next;
	int ends = 0;

	(void)state;
	memset(text, 'a', 5000);
	strcpy(text + 5000, "\n.\nMAIL FROM:<x@y>\r\n.\r\n..\r.\nend");
	m.text = text;
	assert_int_equal(mail(&m), 0);
	assert_int_equal(answer.status, 250);
	heard = post_heard(post);
	for (char *line = heard; (next = strchr(line, '\n')); line = next + 1) {
		assert_true(next - line < 100 && next[-1] == '\r');
		ends += !strncmp(line, ".\r\n", 3);
	}
	assert_int_equal(ends, 1);
	free(heard);
}

/* Each refusal has the stage that it belongs to. Before DATA no mail can be on its way. */
static void
every_refusal_is_an_answer(void **state)
{
	static const struct {
		enum turn turn;
		const char *reply;
		long status;
		enum mail_stage stage;
		bool written;
	} rows[] = {
	    {TURN_GREETING, "554 no\r\n", 554, MAIL_CONNECT, false},
	    {TURN_GREETING, "421-no\r\n421 no\r\n", 421, MAIL_CONNECT, false},
	    {TURN_MAIL, "550 no\r\n", 550, MAIL_SENDER, false},
	    {TURN_MAIL, "530 5.7.0 log in\r\n", 530, MAIL_SENDER, false},
	    {TURN_MAIL, "452 full\r\n", 452, MAIL_SENDER, false},
	    {TURN_RCPT, "550 no\r\n", 550, MAIL_RECIPIENT, false},
	    {TURN_RCPT, "450-later\r\n450 later\r\n", 450, MAIL_RECIPIENT, false},
	    {TURN_RCPT, "599\r\n", 599, MAIL_RECIPIENT, false},
	    {TURN_DATA, "554 no\r\n", 554, MAIL_TEXT, false},
	    {TURN_DATA, "451 no\r\n", 451, MAIL_TEXT, false},
	    {TURN_TEXT, "550 spam\r\n", 550, MAIL_TEXT, true},
	    {TURN_TEXT, "250-ok\r\n552 full\r\n", 552, MAIL_TEXT, true},
	    {TURN_TEXT, "421 down\r\n", 421, MAIL_TEXT, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		post_say(post, rows[i].turn, rows[i].reply, WEB_KEEP);
		assert_int_equal(mail(&plain), 0);
		if (answer.status != rows[i].status || answer.stage != rows[i].stage ||
		    answer.written != rows[i].written)
			fail_msg("row %zu: %ld, stage %d%s", i, answer.status, answer.stage,
			    answer.written ? ", written" : "");
		post_reset(post);
	}
	/* RFC 5321, 3.2: a server that does not know EHLO. */
	post_say(post, TURN_EHLO, "502 what\r\n", WEB_KEEP);
	assert_int_equal(mail(&plain), 0);
	assert_int_equal(answer.status, 250);
}

/* Dialogs that end without a refusal and without the final 250 are errors. */
static void
an_incomplete_dialog_is_an_error(void **state)
{
	static const struct {
		enum turn turn;
		const char *reply;
		enum web_then effects;
		int r;
		bool written;
	} rows[] = {
	    {TURN_GREETING, "", WEB_CLOSE, -OTP_ENET, false},
	    {TURN_GREETING, "HTTP/1.1 200 OK\r\n\r\n", WEB_KEEP, -OTP_EPROTO, false},
	    {TURN_GREETING, "SSH-2.0-OpenSSH\r\n", WEB_HOLD, -OTP_EPROTO, false},
	    {TURN_GREETING, "\r\n", WEB_KEEP, -OTP_EPROTO, false},
	    {TURN_GREETING, "22\r\n", WEB_KEEP, -OTP_EPROTO, false},
	    {TURN_GREETING, "120 soon\r\n", WEB_KEEP, -OTP_EPROTO, false},
	    {TURN_GREETING, "620 what\r\n", WEB_KEEP, -OTP_EPROTO, false},
	    {TURN_GREETING, "2x0 what\r\n", WEB_KEEP, -OTP_EPROTO, false},
	    {TURN_GREETING, "220_what\r\n", WEB_KEEP, -OTP_EPROTO, false},
	    {TURN_EHLO, "", WEB_CLOSE, -OTP_ENET, false},
	    {TURN_MAIL, "", WEB_CLOSE, -OTP_ENET, false},
	    {TURN_MAIL, "354 go on\r\n", WEB_KEEP, -OTP_ENET, false},
	    {TURN_RCPT, "25", WEB_CLOSE, -OTP_ENET, false},
	    {TURN_RCPT, "354 go on\r\n", WEB_KEEP, -OTP_ENET, false},
	    {TURN_DATA, "250 taken\r\n", WEB_KEEP, -OTP_ENET, false},
	    {TURN_DATA, "", WEB_CLOSE, -OTP_ENET, false},
	    {TURN_TEXT, "", WEB_CLOSE, -OTP_ENET, true},
	    {TURN_TEXT, "250", WEB_CLOSE, -OTP_ENET, true},
	    {TURN_TEXT, "250-taken\r\n", WEB_CLOSE, -OTP_ENET, true},
	    {TURN_TEXT, "251 taken\r\n", WEB_KEEP, -OTP_EPROTO, true},
	    {TURN_TEXT, "354 more\r\n", WEB_KEEP, -OTP_EPROTO, true},
	    {TURN_TEXT, "\xff\xfe\r\n250 taken\r\n", WEB_KEEP, -OTP_EPROTO, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int r;

		post_say(post, rows[i].turn, rows[i].reply, rows[i].effects);
		r = mail(&plain);
		if (r != rows[i].r || answer.status || answer.written != rows[i].written ||
		    !*answer.failure)
			fail_msg("row %zu: %d, %ld, %s", i, r, answer.status, answer.failure);
		post_reset(post);
	}
}

/* A line that never ends meets libcurl's maximum; a reply that never ends meets ours. */
static void
a_reply_has_a_maximum(void **state)
{
	static const enum turn at[] = {TURN_GREETING, TURN_EHLO, TURN_RCPT, TURN_TEXT};
	static char line[4 * 1024 * 1024], lines[4 * 1024 * 1024];
	int r;

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	memcpy(line, "250 ", 4);
	for (size_t i = 0; i + 8 < sizeof(lines); i += 8)
		memcpy(lines + i, "250-xx\r\n", 8);
	for (size_t i = 0; i < COUNT(at); i++) {
		post_say(post, at[i], line, WEB_HOLD);
		r = mail(&plain);
		assert_true((r == -OTP_ETOOBIG || r == -OTP_ENET) && !answer.status);
		post_say(post, at[i], lines, WEB_HOLD);
		r = mail(&plain);
		assert_true((r == -OTP_ETOOBIG || r == -OTP_ENET) && !answer.status);
		assert_int_equal(answer.written, at[i] == TURN_TEXT);
		post_reset(post);
	}
}

/* The deadline holds if the server falls silent at any command, or sends a byte now and then, even
 * in a wait of libcurl's own (U1). */
static void
the_deadline_is_kept(void **state)
{
	static const enum turn at[] = {
	    TURN_GREETING, TURN_EHLO, TURN_MAIL, TURN_RCPT, TURN_DATA, TURN_TEXT};
	static const enum web_then how[] = {WEB_HOLD, WEB_DRIP};

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(at); i++) {
		int64_t began = clock_ms(CLOCK_MONOTONIC);
		int r;

		post_say(post, at[i / 2], "", how[i % 2]);
		r = mail_to(url, &plain, 300);
		if (r != -OTP_ETIME || answer.written != (at[i / 2] == TURN_TEXT))
			fail_msg("turn %d: %d %s", at[i / 2], r, answer.failure);
		assert_true(clock_ms(CLOCK_MONOTONIC) - began < 2000);
		post_reset(post);
	}
	assert_int_equal(mail(&plain), 0);
}

/* libcurl must not wait for the answer to its QUIT, which may take two minutes. */
static void
the_answer_to_quit_is_not_awaited(void **state)
{
	static const struct {
		enum turn turn;
		const char *reply;
	} rows[] = {{TURN_TEXT, "250 taken\r\n"}, {TURN_TEXT, "550 no\r\n"},
	    {TURN_RCPT, "550 no\r\n"}, {TURN_MAIL, "421 no\r\n"}, {TURN_DATA, "554 no\r\n"},
	    {TURN_RCPT, "what\r\n"}};
	static char flood[1024 * 1024];
	int64_t began = clock_ms(CLOCK_MONOTONIC);

	(void)state;
	for (size_t i = 0; i + 8 < sizeof(flood); i += 8)
		memcpy(flood + i, "221-xx\r\n", 8);
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (int how = 0; how < 3; how++) {
			post_say(post, rows[i].turn, rows[i].reply, WEB_KEEP);
			post_say(
			    post, TURN_QUIT, how == 2 ? flood : "", how == 1 ? WEB_DRIP : WEB_HOLD);
			ROW((mail(&plain) == 0) == (answer.status != 0), rows[i].reply);
			ROW(answer.status == atol(rows[i].reply), rows[i].reply);
			post_reset(post);
		}
	}
	http_close(http);
	assert_int_equal(curl_http_open(-1, "/etc/ssl/certs", &http), 0);
	assert_true(clock_ms(CLOCK_MONOTONIC) - began < 10000);
	/* QUIT was sent all the same. */
	post_say(post, TURN_RCPT, "550 no\r\n", WEB_KEEP);
	assert_int_equal(mail(&plain), 0);
	while (!post_received(post, "QUIT\r\n") && clock_ms(CLOCK_MONOTONIC) - began < 20000)
		(void)usleep(1000);
	assert_true(post_received(post, "QUIT\r\n"));
}

static void
a_peer_that_hangs_up_ends_the_wait(void **state)
{
	static const enum turn at[] = {TURN_GREETING, TURN_RCPT, TURN_TEXT};

	(void)state;
	for (size_t i = 0; i < COUNT(at); i++) {
		int64_t began = clock_ms(CLOCK_MONOTONIC);
		int fd[2], r;

		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
		close(fd[1]);
		http_close(http);
		assert_int_equal(curl_http_open(fd[0], "/etc/ssl/certs", &http), 0);
		post_say(post, at[i], "", WEB_HOLD);
		/* It is noticed at once before the greeting, and within a second after the text. */
		r = mail_to(url, &plain, 60000);
		assert_int_equal(r, -OTP_EGONE);
		assert_true(clock_ms(CLOCK_MONOTONIC) - began < 10000);
		left_behind[nleft_behind++ % COUNT(left_behind)] = http;
		close(fd[0]);
		post_reset(post);
	}
}

/* Runs in a child, which is stopped after 300 ms for stopped_ms. */
static int
mail_stopped(int64_t deadline_ms, int stopped_ms)
{
	pid_t pid = fork_alone();
	int status;

	if (!pid) {
		int r = mail_to(url, &plain, deadline_ms);

		_exit(r <= 0 && r > -100 && !answer.status ? -r : 100);
	}
	(void)usleep(300 * 1000);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	(void)usleep((useconds_t)stopped_ms * 1000);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

/* A process that was stopped until after its deadline learned nothing about the mail server. */
static void
a_deadline_missed_while_stopped_is_no_servers_fault(void **state)
{
	(void)state;
	post_say(post, TURN_GREETING, "", WEB_HOLD);
	assert_int_equal(mail_stopped(1000, 2000), -OTP_ESYS);
	assert_int_equal(mail_stopped(1000, 100), -OTP_ETIME);
}

static void
urls_that_are_refused(void **state)
{
	static const char *const urls[] = {"http://127.0.0.1/", "https://192.0.2.1/",
	    "imap://127.0.0.1/", "smtp://user@127.0.0.1/", "smtps://user:pw@192.0.2.1/", "",
	    "127.0.0.1", "smtp:/", "smtp://", "lmtp://127.0.0.1/", "smtp+unix://127.0.0.1/"};
	const struct http_route proxied = {.proxy = "http://127.0.0.1:1"};
	const struct http_request q = {.url = url, .mail = &plain};
	const struct http_request no_mail = {.method = "GET", .url = url};

	(void)state;
	for (size_t i = 0; i < COUNT(urls); i++)
		ROW(mail_to(urls[i], &plain, 2000) == -OTP_EINVAL && !answer.written, urls[i]);
	assert_int_equal(http_perform(http, &q, &proxied, deadline_in(2000), &answer), -OTP_EINVAL);
	assert_int_equal(
	    http_perform(http, &no_mail, &direct, deadline_in(2000), &answer), -OTP_EINVAL);
	assert_int_equal(post_connections(post), 0);
}

/* A host name, even localhost, is no literal loopback address: no mail is sent without TLS. */
static void
without_tls_only_to_literal_loopback(void **state)
{
	static const char tls[] = "250-mail.example\r\n250 STARTTLS\r\n";
	static const struct {
		const char *ehlo, *starttls;
	} rows[] = {
	    {"250 mail.example\r\n", ""},		/* somebody removed the offer of STARTTLS */
	    {"502 what\r\n", ""},			/* no EHLO: no STARTTLS */
	    {tls, "454 not now\r\n"},			/* refused */
	    {tls, "250 go on\r\n"},			/* not 220, so it is a refusal */
	    {tls, "220 go on\r\n250 mail.example\r\n"}, /* injected before the handshake */
	    {tls, "220 go on\r\n"},			/* and then no handshake */
	};

	(void)state;
	(void)snprintf(url, sizeof(url), "smtp://localhost:%d/box", post_port(post));
	for (size_t i = 0; i < COUNT(rows); i++) {
		int r;

		post_say(post, TURN_EHLO, rows[i].ehlo, WEB_KEEP);
		post_say(post, TURN_STARTTLS, rows[i].starttls, WEB_KEEP);
		r = mail(&plain);
		if (r == 0 && answer.status < 400)
			fail_msg("row %zu: sent", i);
		assert_false(answer.written);
		assert_false(post_received(post, "MAIL"));
		assert_false(post_received(post, "AUTH"));
		post_reset(post);
	}
	(void)snprintf(url, sizeof(url), "smtps://127.0.0.1:%d/box", post_port(post));
	assert_int_equal(mail(&plain), -OTP_ENET);
	assert_false(post_received(post, "EHLO"));
}

static void
a_login_is_accepted_before_a_sender_is_named(void **state)
{
	static const struct {
		enum turn turn;
		const char *reply;
		int r;
		long status;
	} rows[] = {
	    {TURN_LOGIN, "535 5.7.8 no\r\n", 0, 535},
	    {TURN_AUTH, "454 later\r\n", 0, 454},
	    {TURN_AUTH, "538 not without TLS\r\n", 0, 538},
	    {TURN_EHLO, "250 mail.example\r\n", -OTP_EPERM, 0},
	    {TURN_EHLO, "250 AUTH CRAM-MD5 NTLM GSSAPI\r\n", -OTP_EPERM, 0},
	    {TURN_EHLO, "250 AUTH\r\n", -OTP_EPERM, 0},
	    {TURN_EHLO, "502 what\r\n", -OTP_EPERM, 0},
	    {TURN_LOGIN, "250 hello\r\n", -OTP_EPERM, 0},
	};

	(void)state;
	assert_int_equal(mail_as("u", "p"), 0);
	assert_int_equal(answer.status, 250);
	/* \0u\0p */
	assert_true(post_received(post, "AUTH PLAIN\r\nAHUAcA==\r\nMAIL FROM"));
	post_reset(post);
	for (size_t i = 0; i < COUNT(rows); i++) {
		int r;

		post_say(post, rows[i].turn, rows[i].reply, WEB_KEEP);
		r = mail_as("u", "p");
		if (r != rows[i].r || answer.status != rows[i].status ||
		    (!r && answer.stage != MAIL_CONNECT))
			fail_msg("row %zu: %d, %ld, %s", i, r, answer.status, answer.failure);
		assert_false(answer.written);
		assert_false(post_received(post, "MAIL"));
		post_reset(post);
	}
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(the_mail_is_what_was_asked),
	    TEST(two_mails_have_nothing_in_common),
	    TEST(subjects_and_names_are_encoded),
	    TEST(malformed_values_are_refused),
	    TEST(any_text_stays_in_its_mail),
	    TEST(every_refusal_is_an_answer),
	    TEST(an_incomplete_dialog_is_an_error),
	    TEST(a_reply_has_a_maximum),
	    TEST(the_deadline_is_kept),
	    TEST(the_answer_to_quit_is_not_awaited),
	    TEST(a_peer_that_hangs_up_ends_the_wait),
	    TEST(a_deadline_missed_while_stopped_is_no_servers_fault),
	    TEST(urls_that_are_refused),
	    TEST(without_tls_only_to_literal_loopback),
	    TEST(a_login_is_accepted_before_a_sender_is_named),
	};

	return cmocka_run_group_tests_name("http_mail", tests, NULL, NULL);
}
