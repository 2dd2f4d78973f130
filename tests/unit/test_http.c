/*
 * One request at a time, to a server that misbehaves: maximum sizes, deadlines, a peer that hangs
 * up, and no influence of the environment (U1, U41, C9, C19).
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "common/clock.h"
#include "common/err.h"
#include "helpers/http/curl.h"
#include "tests/unit/server_rig.h"
#include "tests/unit/web_rig.h"

static struct web *web;
static struct http *http;
static struct http_answer answer;
static const struct http_route direct;
/* Handles that a deadline cut off are never freed, on purpose. They are kept here, so that no leak
 * is reported. */
static struct http *volatile left_behind[64];
static size_t nleft_behind;

static int
setup(void **state)
{
	(void)state;
	web = web_start();
	return curl_http_open(-1, "/etc/ssl/certs", &http);
}

static int
teardown(void **state)
{
	(void)state;
	http_answer_clear(&answer);
	left_behind[nleft_behind++ % COUNT(left_behind)] = http;
	http_close(http);
	web_stop(web);
	return 0;
}

static int
ask_within(const char *url, int64_t ms)
{
	const struct http_request q = {.method = "POST", .url = url, .body = "{}", .body_len = 2};

	return http_perform(http, &q, &direct, deadline_in(ms), &answer);
}

static int
ask(const char *path)
{
	return ask_within(web_url(web, path), 5000);
}

static void
the_request_is_what_was_asked(void **state)
{
	static const char *const header[] = {"Authorization: Bearer t", "X-Two: 2"};
	struct http_request q = {.method = "PUT",
	    .header = header,
	    .nheaders = 2,
	    .body = "{\"a\":\"b\"}",
	    .body_len = 9};
	char *last;

	(void)state;
	web_answer(web, "201 Created", "X-Id: 7 \r\nx-id: 8\r\n", "{\"ok\":true}");
	q.url = web_url(web, "/a/../b?c=%20d");
	assert_int_equal(http_perform(http, &q, &direct, deadline_in(5000), &answer), 0);
	assert_int_equal(answer.status, 201);
	assert_true(answer.written);
	assert_string_equal(answer.failure, "");
	assert_string_equal(buf_str(&answer.body), "{\"ok\":true}");
	last = web_last(web);
	assert_int_equal(strncmp(last, "PUT /a/../b?c=%20d HTTP/1.1\r\n", 29), 0);
	assert_non_null(strstr(last, "\r\nAuthorization: Bearer t\r\n"));
	assert_non_null(strstr(last, "\r\nX-Two: 2\r\n"));
	assert_non_null(strstr(last, "\r\n\r\n{\"a\":\"b\"}"));
	assert_null(strstr(last, "Expect"));
	assert_null(strstr(last, "Cookie"));
	free(last);
}

/* Without a length, a server may wait for a body. */
static void
without_a_body_its_length_is_sent(void **state)
{
	static const struct {
		const char *method, *body;
		const char *length; /* NULL: no length is sent */
	} rows[] = {{"POST", NULL, "0"}, {"PUT", NULL, "0"}, {"POST", "", "0"}, {"POST", "{}", "2"},
	    {"PUT", "{}", "2"}, {"GET", NULL, NULL}};
	static const char *const header[] = {"X-One: 1"};
	char line[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct http_request q = {.method = rows[i].method,
		    .url = web_url(web, "/"),
		    .header = header,
		    .nheaders = 1,
		    .body = rows[i].body,
		    .body_len = rows[i].body ? strlen(rows[i].body) : 0};
		char *last;

		assert_int_equal(http_perform(http, &q, &direct, deadline_in(5000), &answer), 0);
		last = web_last(web);
		(void)snprintf(line, sizeof(line), "\r\nContent-Length: %s\r\n",
		    rows[i].length ? rows[i].length : "");
		ROW(!strncmp(last, rows[i].method, strlen(rows[i].method)), rows[i].method);
		ROW(rows[i].length ? !!strstr(last, line) : !strstr(last, "Content-Length"),
		    rows[i].method);
		ROW(rows[i].body || !strstr(last, "Content-Type"), rows[i].method);
		ROW(strstr(last, "\r\nX-One: 1\r\n"), rows[i].method);
		ROW(!strstr(last, "Transfer-Encoding"), rows[i].method);
		free(last);
	}
}

static void
every_status_is_an_answer(void **state)
{
	static const long statuses[] = {
	    200, 204, 301, 302, 307, 400, 401, 404, 418, 429, 500, 503, 599};
	char line[32];

	(void)state;
	for (size_t i = 0; i < COUNT(statuses); i++) {
		(void)snprintf(line, sizeof(line), "%ld Whatever", statuses[i]);
		web_answer(web, line, "", statuses[i] == 204 ? "" : "{}");
		assert_int_equal(ask("/"), 0);
		assert_int_equal(answer.status, statuses[i]);
	}
}

static void
a_redirect_is_not_followed(void **state)
{
	struct web *other = web_start();
	char where[512];

	(void)state;
	(void)snprintf(where, sizeof(where), "Location: %s\r\n", web_url(other, "/stolen"));
	web_answer(web, "307 Temporary Redirect", where, "");
	assert_int_equal(ask("/"), 0);
	assert_int_equal(answer.status, 307);
	assert_int_equal(web_connections(other), 0);
	web_stop(other);
}

static void
retry_after_is_seconds_or_a_date(void **state)
{
	static const struct {
		const char *header;
		long least, most;
	} rows[] = {{"", 0, 0}, {"Retry-After: 30\r\n", 30, 30}, {"retry-after: 0\r\n", 0, 0},
	    {"Retry-After: -5\r\n", 0, 0}, {"Retry-After: soon\r\n", 0, 0},
	    {"Retry-After: 99999999\r\n", 86400, 86400},
	    {"Retry-After: 99999999999999999999999\r\n", 0, 86400},
	    {"Retry-After: Wed, 21 Oct 2099 07:28:00 GMT\r\n", 86400, 86400},
	    {"Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", 0, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		web_answer(web, "429 Too Many", rows[i].header, "{}");
		assert_int_equal(ask("/"), 0);
		ROW(answer.retry_after >= rows[i].least && answer.retry_after <= rows[i].most,
		    rows[i].header);
	}
}

static void
headers_and_cookies_are_found(void **state)
{
	static const struct {
		const char *name;
		bool cookie;
		const char *value;
	} rows[] = {{"X-Id", false, "7 8"}, {"x-ID", false, "7 8"}, {"X-I", false, NULL},
	    {"X-Empty", false, ""}, {"Missing", false, NULL}, {"qt", true, "abc=="},
	    {"second", true, "2"}, {"q", true, NULL}, {"Path", true, NULL}, {"empty", true, ""}};

	(void)state;
	web_answer(web, "200 OK",
	    "X-Id: \t 7 8 \t\r\nX-Id: 9\r\nX-Empty:\r\nSet-Cookie: qt=abc==; Path=/; Secure\r\n"
	    "set-cookie: second=2\r\nSet-Cookie: empty=\r\n",
	    "{}");
	assert_int_equal(ask("/"), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		_auto_buf struct buf b = BUF_INIT(64);
		int r = rows[i].cookie ? http_cookie(&answer, rows[i].name, &b)
				       : http_header(&answer, rows[i].name, &b);

		ROW(r == (rows[i].value ? 0 : -OTP_ENOENT), rows[i].name);
		if (!r)
			assert_string_equal(buf_str(&b), rows[i].value);
	}
}

static void
an_interim_answers_headers_are_dropped(void **state)
{
	static const char text[] = "HTTP/1.1 103 Early Hints\r\nX-Id: early\r\n\r\n"
				   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
	_auto_buf struct buf b = BUF_INIT(64);

	(void)state;
	web_say(web, text, sizeof(text) - 1, WEB_KEEP);
	assert_int_equal(ask("/"), 0);
	assert_int_equal(answer.status, 200);
	assert_int_equal(http_header(&answer, "X-Id", &b), -OTP_ENOENT);
}

/* Answers with a body of len bytes. */
static size_t
big_answer(char **text, size_t len)
{
	char head[96];
	int n = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);

	*text = malloc((size_t)n + len);
	assert_non_null(*text);
	memcpy(*text, head, (size_t)n);
	memset(*text + n, 'y', len);
	return (size_t)n + len;
}

static void
a_body_has_a_maximum(void **state)
{
	static const size_t sizes[] = {HTTP_BODY_MAX, HTTP_BODY_MAX + 1, 50 * 1000 * 1000};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		char *text;
		size_t len = big_answer(&text, sizes[i]);

		web_say(web, text, len, WEB_KEEP);
		assert_int_equal(ask("/"), i ? -OTP_ETOOBIG : 0);
		assert_true(answer.written);
		assert_int_equal(answer.body.len <= HTTP_BODY_MAX, 1);
		free(text);
	}
}

/* A body whose Content-Length is too large is not read. */
static void
a_content_length_has_a_maximum(void **state)
{
	static const struct {
		const char *length;
		int r;
	} rows[] = {{"65536", -OTP_ETIME}, {"65537", -OTP_ETOOBIG}, {" \t 65537 ", -OTP_ETOOBIG},
	    {"0000000000065536", -OTP_ETIME}, {"0000000000065537", -OTP_ETOOBIG},
	    {"4294967296", -OTP_ETOOBIG}, {"18446744073709551616", -OTP_ETOOBIG},
	    {"99999999999999999999999999999999999", -OTP_ETOOBIG}};
	static const char *const names[] = {"Content-Length", "content-length", "CONTENT-LENGTH"};
	char text[160];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t began = clock_ms(CLOCK_MONOTONIC);

		(void)snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\n%s:%s\r\n\r\n{",
		    names[i % COUNT(names)], rows[i].length);
		web_say(web, text, strlen(text), WEB_HOLD);
		ROW(ask_within(web_url(web, "/"), rows[i].r == -OTP_ETIME ? 300 : 5000) ==
			rows[i].r,
		    rows[i].length);
		ROW(clock_ms(CLOCK_MONOTONIC) - began < 2000, rows[i].length);
		ROW(answer.written && !answer.status, rows[i].length);
	}
}

/* What follows a body is not part of the head, and does not make the answer an error. */
static void
trailers_after_a_body_are_ignored(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nX-Id: 7\r\nTransfer-Encoding: chunked\r\n"
				   "\r\n2\r\n{}\r\n0\r\n";
	static const char *const trailers[] = {"", "X-Late: 1\r\n", "X-Id: 8\r\nX-Late: 1\r\n",
	    "Set-Cookie: late=1\r\nRetry-After: 9\r\n"};
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(trailers); i++) {
		_auto_buf struct buf id = BUF_INIT(64), late = BUF_INIT(64);

		(void)snprintf(text, sizeof(text), "%s%s\r\n", head, trailers[i]);
		web_say(web, text, strlen(text), WEB_KEEP);
		ROW(ask("/") == 0, trailers[i]);
		assert_int_equal(answer.status, 200);
		assert_string_equal(buf_str(&answer.body), "{}");
		assert_int_equal(http_header(&answer, "X-Id", &id), 0);
		assert_string_equal(buf_str(&id), "7");
		ROW(http_header(&answer, "X-Late", &late) == -OTP_ENOENT, trailers[i]);
		ROW(http_cookie(&answer, "late", &late) == -OTP_ENOENT, trailers[i]);
		/* An answer that is cut off after the body is not complete. */
		web_say(web, text, strlen(text) - 2, WEB_CLOSE);
		ROW(ask("/") == -OTP_ENET, trailers[i]);
		ROW(answer.written && !answer.status, trailers[i]);
	}
}

static void
a_head_has_a_maximum(void **state)
{
	enum { LINES = 1000, LEN = 60 };
	static char text[64 + LINES * LEN];
	char *p = text + sprintf(text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");

	(void)state;
	for (int i = 0; i < LINES; i++)
		p += sprintf(p, "X-%03d: %040d\r\n", i, 0);
	strcpy(p, "\r\n");
	web_say(web, text, strlen(text), WEB_KEEP);
	assert_int_equal(ask("/"), -OTP_ETOOBIG);
	assert_true(answer.written);
}

/* Each row cuts the answer off: the request was written, and no complete answer came. */
static void
an_incomplete_answer_is_an_error(void **state)
{
	static const struct {
		const char *name, *bytes;
		int r;
	} rows[] = {
	    {"closed after the request", "", -OTP_ENET},
	    {"half a status line", "HTTP/1.", -OTP_ENET},
	    {"another protocol", "SSH-2.0-OpenSSH_9.2\r\n", -OTP_EPROTO},
	    {"a body alone", "{\"ok\":true}", -OTP_EPROTO},
	    {"a page alone", "<html>200 OK</html>\r\n\r\n", -OTP_EPROTO},
	    {"a status without a version", "200 OK\r\n\r\n{}", -OTP_EPROTO},
	    {"an empty line", "\r\n\r\n", -OTP_EPROTO},
	    {"half a head", "HTTP/1.1 200 OK\r\nContent-Le", -OTP_ENET},
	    {"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"ok\":", -OTP_ENET},
	    {"half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
		-OTP_ENET},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int r;

		web_say(web, rows[i].bytes, strlen(rows[i].bytes), WEB_CLOSE);
		r = ask("/");
		if (r != rows[i].r)
			fail_msg("%s: %d", rows[i].name, r);
		ROW(answer.written, rows[i].name);
		ROW(answer.status == 0, rows[i].name);
		ROW(*answer.failure, rows[i].name);
	}
}

static void
refused_connections_are_not_written(void **state)
{
	char url[64];

	(void)state;
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", web_dead_port());
	assert_int_equal(ask_within(url, 5000), -OTP_ENET);
	assert_false(answer.written);
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/", web_port(web));
	web_say(web, "no TLS here\n", 12, WEB_DROP);
	assert_int_equal(ask_within(url, 5000), -OTP_ENET);
	assert_false(answer.written);
}

static void
only_https_or_literal_loopback(void **state)
{
	static const char *const rows[] = {"http://localhost/", "http://192.0.2.1/",
	    "http://127.0.0.1.example/", "http://127.0.0.1@192.0.2.1/", "http://user@127.0.0.1/",
	    "https://user:pw@192.0.2.1/", "http://[::2]/", "http://[::ffff:127.0.0.1]/",
	    "ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/", "", "127.0.0.1/",
	    "//127.0.0.1/", "https:/", "http://128.0.0.1/", "https://", "ldap://127.0.0.1/"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		ROW(ask_within(rows[i], 2000) == -OTP_EINVAL, rows[i]);
		ROW(!answer.written, rows[i]);
	}
}

/* The deadline holds for a silent server and for one that sends a byte now and then (U1). */
static void
the_deadline_is_kept(void **state)
{
	static const struct {
		const char *name, *bytes;
		enum web_then effects;
	} rows[] = {
	    {"silent", "", WEB_HOLD},
	    {"head, then silent", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", WEB_HOLD},
	    {"drip of the head", "HTTP/1.1 200 OK\r\nX: ", WEB_DRIP},
	    {"drip of the body", "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", WEB_DRIP},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t began = clock_ms(CLOCK_MONOTONIC);

		web_say(web, rows[i].bytes, strlen(rows[i].bytes), rows[i].effects);
		ROW(ask_within(web_url(web, "/"), 300) == -OTP_ETIME, rows[i].name);
		ROW(clock_ms(CLOCK_MONOTONIC) - began < 1500, rows[i].name);
		ROW(answer.written, rows[i].name);
	}
	/* The next request works although others were abandoned. */
	web_answer(web, "200 OK", "", "{}");
	assert_int_equal(ask("/"), 0);
}

static void
a_deadline_that_has_passed_sends_nothing(void **state)
{
	(void)state;
	assert_int_equal(ask_within(web_url(web, "/"), 0), -OTP_ETIME);
	assert_int_equal(web_requests(web), 0);
}

static int
ask_with_peer(int peer)
{
	int64_t began = clock_ms(CLOCK_MONOTONIC);
	int r;

	http_close(http);
	assert_int_equal(curl_http_open(peer, "/etc/ssl/certs", &http), 0);
	r = ask("/");
	left_behind[nleft_behind++ % COUNT(left_behind)] = http;
	assert_true(clock_ms(CLOCK_MONOTONIC) - began < 2000);
	return r;
}

static void
a_peer_that_hangs_up_ends_the_wait(void **state)
{
	int fd[2];

	(void)state;
	web_say(web, "", 0, WEB_HOLD);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	close(fd[1]);
	assert_int_equal(ask_with_peer(fd[0]), -OTP_EGONE);
	close(fd[0]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	assert_int_equal(send(fd[1], "A123456", 8, 0), 8);
	assert_int_equal(ask_with_peer(fd[0]), -OTP_EGONE);
	close(fd[0]);
	close(fd[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	assert_int_equal(send(fd[1], "", 0, 0), 0);
	assert_int_equal(ask_with_peer(fd[0]), -OTP_EGONE);
	close(fd[0]);
	close(fd[1]);
	/* A silent peer has no influence. */
	web_answer(web, "200 OK", "", "{}");
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	assert_int_equal(ask_with_peer(fd[0]), 0);
	close(fd[0]);
	close(fd[1]);
}

static void
connections_are_used_again(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask("/"), 0);
	assert_int_equal(web_requests(web), 3);
	assert_int_equal(web_connections(web), 1);
}

/* libcurl must not repeat the request by itself: the code would be sent twice. */
static void
a_broken_kept_connection_does_not_repeat_the_request(void **state)
{
	(void)state;
	assert_int_equal(ask("/"), 0);
	web_say(web, "", 0, WEB_CLOSE);
	assert_int_equal(ask("/"), -OTP_ENET);
	assert_true(answer.written);
	assert_int_equal(web_requests(web), 2);
}

/* http_begin() opens the connection that the next request uses. */
static void
http_begin_opens_the_connection(void **state)
{
	const struct http_request q = {.method = "GET", .url = web_url(web, "/warm")};
	int fd[2];

	(void)state;
	http_begin(http, &q, &direct);
	http_idle(http, deadline_in(300));
	assert_int_equal(web_requests(web), 1);
	assert_int_equal(ask("/"), 0);
	assert_int_equal(web_connections(web), 1);
	/* http_idle() returns when the peer sends something. */
	http_close(http);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	assert_int_equal(curl_http_open(fd[0], "/etc/ssl/certs", &http), 0);
	web_say(web, "", 0, WEB_HOLD);
	http_begin(http, &q, &direct);
	assert_int_equal(send(fd[1], "A", 1, 0), 1);
	http_idle(http, deadline_in(5000));
	close(fd[0]);
	close(fd[1]);
}

/* C9: the environment, which the user may set, has no influence. */
static void
the_environment_has_no_influence(void **state)
{
	static const char *const names[] = {
	    "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
	struct web *evil = web_start();
	char proxy[64];

	(void)state;
	(void)snprintf(proxy, sizeof(proxy), "%s", web_url(evil, ""));
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(setenv(names[i], proxy, 1), 0);
	assert_int_equal(setenv("no_proxy", "*", 1), 0);
	assert_int_equal(ask("/"), 0);
	(void)ask_within("https://name.invalid/", 500);
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(unsetenv(names[i]), 0);
	assert_int_equal(web_requests(web), 1);
	assert_int_equal(web_connections(evil), 0);
	assert_int_equal(unsetenv("no_proxy"), 0);
	web_stop(evil);
}

/* The proxy is used for https, whatever no_proxy says. It sees only the name of the host. */
static void
a_configured_proxy_is_used(void **state)
{
	const struct http_request q = {.method = "GET", .url = "https://x.invalid/secret"};
	struct http_route route = {.ca = NULL};
	char proxy[64], *last;

	(void)state;
	(void)snprintf(proxy, sizeof(proxy), "%s", web_url(web, ""));
	route.proxy = proxy;
	web_answer(web, "502 Bad Gateway", "", "");
	assert_int_equal(setenv("no_proxy", "*", 1), 0);
	assert_int_equal(http_perform(http, &q, &route, deadline_in(5000), &answer), -OTP_ENET);
	assert_int_equal(unsetenv("no_proxy"), 0);
	assert_false(answer.written);
	assert_int_equal(answer.status, 0);
	last = web_last(web);
	assert_int_equal(strncmp(last, "CONNECT x.invalid:443 HTTP/1.1\r\n", 32), 0);
	assert_null(strstr(last, "secret"));
	free(last);
}

/* Over plain http the proxy would read the code, and connect to its own loopback. */
static void
a_proxy_gets_nothing_in_plain_text(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "127.0.0.2", "[::1]"};
	struct web *target = web_start();
	struct http_route route = {.ca = NULL};
	char proxy[64], url[64];

	(void)state;
	(void)snprintf(proxy, sizeof(proxy), "%s", web_url(web, ""));
	route.proxy = proxy;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		const struct http_request q = {.method = "GET", .url = url};

		(void)snprintf(url, sizeof(url), "http://%s:%d/", hosts[i], web_port(target));
		ROW(http_perform(http, &q, &route, deadline_in(5000), &answer) == -OTP_EINVAL,
		    hosts[i]);
		ROW(!answer.written, hosts[i]);
	}
	assert_int_equal(web_connections(web) + web_connections(target), 0);
	web_stop(target);
}

/* The user who signs in may have used up descriptors: that is no failure of the provider. */
static void
no_descriptor_left_is_this_machines_fault(void **state)
{
	struct rlimit was, none;
	char url[64];
	int r;

	(void)state;
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", web_dead_port());
	assert_int_equal(ask_within(url, 5000), -OTP_ENET);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = (struct rlimit){0, was.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = ask_within(url, 5000);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(r, -OTP_ESYS);
	assert_false(answer.written);
	assert_true(*answer.failure);
}

/* Runs a request in a child, which is stopped after after_ms for stopped_ms. */
static int
ask_stopped(const char *url, int64_t deadline_ms, int after_ms, int stopped_ms)
{
	pid_t pid = fork_alone();
	int status;

	if (!pid) {
		int r = ask_within(url, deadline_ms);

		_exit(r <= 0 && r > -100 && !answer.status ? -r : 100);
	}
	usleep((useconds_t)after_ms * 1000);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	usleep((useconds_t)stopped_ms * 1000);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

/* A process that was stopped until after its deadline learned nothing about the provider. */
static void
a_deadline_missed_while_stopped_is_no_providers_fault(void **state)
{
	int r = -OTP_ESYS;
	char url[64];

	(void)state;
	web_say(web, "", 0, WEB_HOLD);
	/* The TLS handshake is never answered, so no request is written. */
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/", web_port(web));
	assert_int_equal(ask_stopped(url, 1000, 300, 2000), -OTP_ESYS);
	/* On a busy machine the process may lose more time than the stop takes. */
	for (int i = 0; i < 10 && r == -OTP_ESYS; i++)
		r = ask_stopped(url, 1200, 300, 100);
	assert_int_equal(r, -OTP_ETIME);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(the_request_is_what_was_asked),
	    TEST(without_a_body_its_length_is_sent),
	    TEST(every_status_is_an_answer),
	    TEST(a_redirect_is_not_followed),
	    TEST(retry_after_is_seconds_or_a_date),
	    TEST(headers_and_cookies_are_found),
	    TEST(an_interim_answers_headers_are_dropped),
	    TEST(a_body_has_a_maximum),
	    TEST(a_content_length_has_a_maximum),
	    TEST(trailers_after_a_body_are_ignored),
	    TEST(a_head_has_a_maximum),
	    TEST(an_incomplete_answer_is_an_error),
	    TEST(refused_connections_are_not_written),
	    TEST(only_https_or_literal_loopback),
	    TEST(the_deadline_is_kept),
	    TEST(a_deadline_that_has_passed_sends_nothing),
	    TEST(a_peer_that_hangs_up_ends_the_wait),
	    TEST(connections_are_used_again),
	    TEST(a_broken_kept_connection_does_not_repeat_the_request),
	    TEST(http_begin_opens_the_connection),
	    TEST(the_environment_has_no_influence),
	    TEST(a_configured_proxy_is_used),
	    TEST(a_proxy_gets_nothing_in_plain_text),
	    TEST(no_descriptor_left_is_this_machines_fault),
	    TEST(a_deadline_missed_while_stopped_is_no_providers_fault),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
