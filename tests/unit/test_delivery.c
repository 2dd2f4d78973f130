/*
 * Which provider is asked to send, with servers on loopback: their order, the time that they share,
 * the class of several failures, and retry-after (C8, C29).
 */
#include "tests/unit/unit.h"

#include <sys/wait.h>

#include "common/err.h"
#include "helpers/provider/delivery.h"
#include "helpers/http/curl.h"
#include "helpers/provider/retry_after.h"
#include "tests/unit/server_rig.h"
#include "tests/unit/web_rig.h"
#include "tests/unit/report.h"

enum { PROVIDERS = 3, DAY = 24 * 60 * 60, HANG_GUARD = 25 /* s */ };

static struct folder folder;
static struct web *web[PROVIDERS];
static struct conf *conf;
static struct delivery *delivery;
static struct http *http;
static struct delivered out;

/* A store that keeps one retry-after, and a clock that stands still. */
static struct {
	char provider[64], address[64];
	int64_t until;
	int puts, put_error, find_error;
} kept;
static int64_t wall_ms;

static int
retry_after_put(struct store *s, const struct instant *now, const char *provider,
    const char *address, int64_t until_wall_ms)
{
	(void)s;
	assert_int_equal(now->wall_ms, wall_ms);
	if (kept.put_error)
		return kept.put_error;
	(void)snprintf(kept.provider, sizeof(kept.provider), "%s", provider);
	(void)snprintf(kept.address, sizeof(kept.address), "%s", address);
	kept.until = until_wall_ms;
	kept.puts++;
	return 0;
}

static int
retry_after_find(struct store *s, const struct instant *now, const char *provider,
    const char *address, int64_t *until_wall_ms)
{
	(void)s;
	assert_int_equal(now->wall_ms, wall_ms);
	if (kept.find_error)
		return kept.find_error;
	if (strcmp(provider, kept.provider) || strcmp(address, kept.address) ||
	    kept.until <= now->wall_ms)
		return -OTP_ENOENT;
	*until_wall_ms = kept.until;
	return 0;
}

static void
clock_now(struct clock_source *c, struct instant *now)
{
	(void)c;
	*now = (struct instant){.wall_ms = wall_ms};
}

static int
attributes(struct contacts *c, const char *user, const char *provider, attribute_fn *fn, void *arg)
{
	(void)c, (void)user, (void)provider, (void)fn, (void)arg;
	return 0;
}

static const struct store_ops store_ops = {
    .retry_after_put = retry_after_put, .retry_after_find = retry_after_find};
static struct store store = {&store_ops};
static struct clock_source source = {.now = clock_now};
static const struct contacts_ops contacts_ops = {.attributes = attributes};
static struct contacts contacts = {&contacts_ops};
static struct stored_retry_after retry_after;

static int
setup(void **state)
{
	(void)state;
	folder_make(&folder);
	for (int i = 0; i < PROVIDERS; i++) {
		web[i] = web_start();
		web_answer(web[i], "200 OK", "", "{\"ok\":true}");
	}
	memset(&kept, 0, sizeof(kept));
	wall_ms = INT64_C(1800000000000);
	return 0;
}

/* Closes what open_with() has opened, so that it can be called again. */
static void
close_all(void)
{
	delivery_close(delivery);
	delivery = NULL;
	http_close(http);
	http = NULL;
	conf_free(conf);
	conf = NULL;
}

static int
teardown(void **state)
{
	(void)state;
	delivered_clear(&out);
	close_all();
	for (int i = 0; i < PROVIDERS; i++)
		web_stop(web[i]);
	folder_drop(&folder);
	return 0;
}

#define EXPECT	   "\"expect\": {\"status\": [\"2xx\"], \"all\": [[\"/ok\", \"eq\", true]]}"
#define POST(path) "\"method\": \"POST\", \"url\": \"${base}" path "\", "
#define FAILS                                                                               \
	"\"fail\": [{\"status\": [400], \"is\": \"bad_destination\"}, {\"status\": [420], " \
	"\"is\": "                                                                          \
	"\"too_many\"}]"
#define BOUND(to, code)                                                                      \
	"{\"profile\": 1, \"name\": \"x\", \"vars\": {\"base\": \"\"}, \"channels\": "       \
	"{\"sms\": {\"needs\": \"phone\", \"dest\": \"${phone.national}\"}}, \"bound_to\": " \
	"\"" to "\"," code "}"
#define PROFILE(code) BOUND("challenge", code)

/* The helper makes the code; the provider makes it and returns it; the provider makes and checks
 * it. */
static const char *const profiles[][2] = {
    {"ours.json",
	PROFILE("\"code\": {\"by\": \"module\"}, \"message\": \"Code ${code}\", "
		"\"send\": {" POST("/send") "\"text\": \"${message}\", " EXPECT ", " FAILS "}")},
    {"answered.json",
	PROFILE("\"code\": {\"by\": \"response\", \"ptr\": \"/otp\"}, \"message\": \"${code}\", "
		"\"send\": {" POST("/send") EXPECT "}")},
    {"theirs.json",
	PROFILE("\"code\": {\"by\": \"provider\", \"length\": [4, 8]}, "
		"\"send\": {" POST("/send") EXPECT ", \"capture\": {\"id\": \"/id\"}, " FAILS "}, "
						   "\"resend\": {" POST("/again/${id}") EXPECT
	    ", \"capture\": {\"id\": \"/id\"}}, "
	    "\"verify\": {" POST("/check/${code}") EXPECT "}")},
    {"newest.json", BOUND("address", "\"code\": {\"by\": \"provider\", \"length\": [4, 8]}, "
				     "\"send\": {" POST("/send") EXPECT
			", " FAILS "}, "
			"\"verify\": {" POST("/check/${code}") EXPECT "}")},
    {"abroad.json",
	BOUND("address",
	    "\"code\": {\"by\": \"provider\", \"length\": [4, 8]}, "
	    "\"send\": {" POST("/send") "\"form\": {\"n\": \"${dest}\", \"cc\": "
					"\"${phone.cc}\"}, " EXPECT
					"}, \"verify\": {" POST("/check/${code}") EXPECT "}")},
};

static int
try_conf(const char *text, struct conf_report *report)
{
	struct provider_io io = {.retry_after = &retry_after.base, .contacts = &contacts};

	assert_int_equal(curl_http_open(-1, "/etc/ssl/certs", &http), 0);
	io.http = http;
	retry_after_init(&retry_after, &store, &source);
	for (size_t i = 0; i < COUNT(profiles); i++)
		folder_write(&folder, profiles[i][0], profiles[i][1], 0644);
	folder_write(&folder, "pam_otp.conf", text, 0644);
	if (conf_load(folder.file, geteuid(), &conf, report))
		fail_msg("%s", report_text(report));
	return delivery_open(
	    conf, &conf->signin.channels, geteuid(), PROVIDER_READ_SECRETS, &io, &delivery, report);
}

static void
open_conf(const char *text)
{
	_auto_report struct conf_report report = {.max = 4096};

	if (try_conf(text, &report))
		fail_msg("%s", report_text(&report));
}

/* Opens the channel with these of the providers a, b and c. a, b, c: the profile of each. */
static void
open_with(const char *providers, const char *a, const char *b, const char *c)
{
	char text[1024];

	assert_in_range(snprintf(text, sizeof(text),
			    "[paths]\nprofiles = %s\n[channel sms]\nproviders = %s\n"
			    "[provider a]\nprofile = %s\nbase = http://127.0.0.1:%d\n"
			    "[provider b]\nprofile = %s\nbase = http://127.0.0.1:%d\n"
			    "[provider c]\nprofile = %s\nbase = http://127.0.0.1:%d\n",
			    folder.path, providers, a, web_port(web[0]), b, web_port(web[1]), c,
			    web_port(web[2])),
	    1, sizeof(text) - 1);
	open_conf(text);
}

static const struct contact contact = {.kind = CONTACT_PHONE, .address = "+919876543219"};
static const struct contact other = {.kind = CONTACT_PHONE, .address = "+919876543220"};

static bool known; /* the next sends come from a known source */

static struct sending
sending(const struct contact *to)
{
	return (struct sending){.user = "asha",
	    .host = "h",
	    .service = "sshd",
	    .channel = "sms",
	    .contact = to,
	    .code = "012345",
	    .code_length = 6,
	    .ttl = 300000,
	    .known = known};
}

/* Sends. Returns the class. */
static int
send_to(const struct contact *to, const struct last_send *last, const char *captures,
    struct deadline all)
{
	struct sending q = sending(to);

	q.captures = captures;
	delivered_clear(&out);
	assert_int_equal(delivery->send(delivery, &q, last, &conf->signin, all, &out), 0);
	return (int)out.sent.outcome.class;
}

static int
send_it(void)
{
	return send_to(&contact, NULL, NULL, deadline_in(10000));
}

static int
send_after(const char *provider, bool unanswered, const char *captures)
{
	struct last_send last = {provider, unanswered};

	return send_to(&contact, &last, captures, deadline_in(10000));
}

static int
all_requests(void)
{
	return web_requests(web[0]) + web_requests(web[1]) + web_requests(web[2]);
}

static void
the_next_provider_is_asked_after_some_classes(void **state)
{
	static const struct {
		const char *first, *first_body, *second;
		enum provider_class class;
		int asked;
		bool nothing_sent;
	} rows[] = {
	    {"200 OK", "{\"ok\":true}", "200 OK", CLASS_OK, 1, false},
	    {"503 Oh", "{}", "200 OK", CLASS_OK, 2, false},
	    {"402 Pay", "{}", "200 OK", CLASS_OK, 2, false},
	    {"401 Who", "{}", "200 OK", CLASS_OK, 2, false},
	    {"403 No", "{}", "200 OK", CLASS_OK, 2, false},
	    {"403 No", "{}", "403 No", CLASS_REFUSED, 2, false},
	    {"403 No", "{}", "503 Oh", CLASS_REFUSED, 2, false},
	    {"302 Found", "{}", "200 OK", CLASS_UNANSWERED, 1, false},
	    {"200 OK", "<html>", "200 OK", CLASS_UNANSWERED, 1, false},
	    {"503 Oh", "{}", "403 No", CLASS_REFUSED, 2, false},
	    {"400 Bad", "{}", "200 OK", CLASS_OK, 2, false},
	    {"200 OK", "{\"ok\":false}", "200 OK", CLASS_OK, 2, false},
	    {"503 Oh", "{}", "503 Oh", CLASS_PROVIDER_DOWN, 2, false},
	    {"402 Pay", "{}", "401 Who", CLASS_PROVIDER_DOWN, 2, true},
	    {"200 OK", "{\"ok\":false}", "503 Oh", CLASS_REFUSED, 2, false},
	    {"503 Oh", "{}", "408 Late", CLASS_UNANSWERED, 2, false},
	    {"400 Bad", "{}", "503 Oh", CLASS_BAD_DESTINATION, 2, false},
	    {"503 Oh", "{}", "400 Bad", CLASS_BAD_DESTINATION, 2, false},
	    {"429 Slow", "{}", "200 OK", CLASS_RATE_LIMITED, 1, true},
	    {"420 Calm", "{}", "200 OK", CLASS_TOO_MANY, 1, false},
	    {"503 Oh", "{}", "429 Slow", CLASS_RATE_LIMITED, 2, false},
	    {"404 None", "{}", "200 OK", CLASS_OK, 2, false},
	};
	enum contact_kind kind = CONTACT_EMAIL;
	int before;

	(void)state;
	open_with("a, b", "ours", "ours", "ours");
	assert_int_equal(delivery->needs(delivery, "sms", &kind), 0);
	assert_int_equal(kind, CONTACT_PHONE);
	assert_int_equal(delivery->needs(delivery, "fax", &kind), -OTP_ENOENT);
	for (size_t i = 0; i < COUNT(rows); i++) {
		before = all_requests();
		web_answer(web[0], rows[i].first, "", rows[i].first_body);
		web_answer(web[1], rows[i].second, "", "{\"ok\":true}");
		if (send_it() != (int)rows[i].class || out.nothing_sent != rows[i].nothing_sent ||
		    out.instead != (rows[i].asked == 2))
			fail_msg("row %zu: %s, nothing_sent %d, instead %d", i,
			    provider_class_name(out.sent.outcome.class), out.nothing_sent,
			    out.instead);
		assert_int_equal(all_requests() - before, rows[i].asked);
		assert_string_equal(out.provider, rows[i].asked == 1 ? "a" : "b");
	}
	assert_int_equal(kept.puts, 0);
}

/* After a request that was written, the message may be out: no other provider may send it, too. */
static void
a_written_request_is_sent_by_no_other(void **state)
{
	(void)state;
	open_with("a, b, c", "ours", "ours", "ours");
	web_say(web[0], "", 0, WEB_CLOSE);
	assert_int_equal(send_it(), CLASS_UNANSWERED);
	assert_false(out.nothing_sent);
	assert_false(out.instead);
	assert_int_equal(all_requests(), 1);
	/* The third is not asked either if the second does not answer. */
	web_answer(web[0], "503 Oh", "", "{}");
	web_say(web[1], "", 0, WEB_CLOSE);
	assert_int_equal(send_it(), CLASS_UNANSWERED);
	assert_true(out.instead);
	assert_string_equal(out.provider, "b");
	assert_int_equal(web_requests(web[2]), 0);
	assert_int_equal(all_requests(), 3);
}

/* After an unanswered send, the other providers come first, in their order. */
static void
the_provider_that_did_not_answer_comes_last(void **state)
{
	static const struct {
		const char *name, *last;
		bool unanswered;
		int down; /* how many fail, beginning with the first one that is asked */
		const char *takes;
	} rows[] = {
	    {"answered", "a", false, 0, "a"},
	    {"answered, not the first", "b", false, 0, "a"},
	    {"the first", "a", true, 0, "b"},
	    {"the middle", "b", true, 0, "c"},
	    {"the last", "c", true, 0, "a"},
	    {"the middle, one down", "b", true, 1, "a"},
	    {"the middle, two down", "b", true, 2, "b"},
	    {"the first, two down", "a", true, 2, "a"},
	    {"no longer configured", "x", true, 0, "a"},
	    {"one that was never sent by", "", true, 0, "a"},
	};

	(void)state;
	open_with("a, b, c", "ours", "ours", "ours");
	for (size_t i = 0; i < COUNT(rows); i++) {
		int before = all_requests();
		/* The index of the provider that is asked first. */
		int first = (rows[i].takes[0] - 'a' + PROVIDERS - rows[i].down) % PROVIDERS;

		for (int k = 0; k < PROVIDERS; k++)
			web_answer(web[(first + k) % PROVIDERS],
			    k < rows[i].down ? "503 Oh" : "200 OK", "", "{\"ok\":true}");
		ROW(send_after(rows[i].last, rows[i].unanswered, NULL) == CLASS_OK, rows[i].name);
		ROW(!strcmp(out.provider, rows[i].takes), rows[i].name);
		ROW(all_requests() - before == rows[i].down + 1, rows[i].name);
		ROW(out.instead == (rows[i].down > 0), rows[i].name);
	}
}

static void
the_only_provider_is_asked_again(void **state)
{
	(void)state;
	open_with("a", "ours", "ours", "ours");
	web_say(web[0], "", 0, WEB_CLOSE);
	assert_int_equal(send_it(), CLASS_UNANSWERED);
	web_answer(web[0], "200 OK", "", "{\"ok\":true}");
	assert_int_equal(send_after("a", true, NULL), CLASS_OK);
	assert_false(out.instead);
	assert_int_equal(all_requests(), 2);
}

/* The profile of the provider that sent the code says who checks it. */
static void
the_provider_that_sends_decides_who_makes_the_code(void **state)
{
	(void)state;
	open_with("a, b, c", "ours", "theirs", "ours");
	web_answer(web[1], "200 OK", "", "{\"ok\":true,\"id\":7}");
	assert_int_equal(send_it(), CLASS_OK);
	assert_int_equal(out.code_by, CODE_BY_MODULE);
	assert_int_equal(out.sent.captures.len, 0);
	web_answer(web[0], "503 Oh", "", "{}");
	assert_int_equal(send_it(), CLASS_OK);
	assert_string_equal(out.provider, "b");
	assert_int_equal(out.code_by, CODE_BY_PROVIDER);
	assert_string_equal(secret_str(&out.sent.captures), "{\"id\":\"7\"}");
	assert_false(web_received(web[1], "012345"));
	/* A resend uses the captures of the same provider only. */
	assert_int_equal(send_after("b", false, "{\"id\":\"7\"}"), CLASS_OK);
	assert_true(web_received(web[1], "POST /again/7 "));
	assert_int_equal(send_after("a", false, "{\"id\":\"7\"}"), CLASS_OK);
	assert_true(web_received(web[1], "POST /send "));
	/* All providers get the same code of the helper. The failed provider's code is forgotten.
	 */
	web_answer(web[1], "503 Oh", "", "{\"id\":8}");
	assert_int_equal(send_it(), CLASS_OK);
	assert_string_equal(out.provider, "c");
	assert_int_equal(out.code_by, CODE_BY_MODULE);
	assert_int_equal(out.sent.captures.len, 0);
	assert_true(web_received(web[0], "Code 012345") && web_received(web[2], "Code 012345"));
}

/* The channel's message is sent by providers that take one. If there is none, that is an error. */
static void
a_message_needs_a_provider_that_takes_it(void **state)
{
	static const struct {
		const char *a, *b;
		bool taken;
	} rows[] = {{"ours", "theirs", true}, {"theirs", "ours", true},
	    {"answered", "theirs", true}, {"theirs", "theirs", false}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		_auto_report struct conf_report report = {.max = 4096};
		char text[1024];
		int r;

		setup(state);
		(void)snprintf(text, sizeof(text),
		    "[paths]\nprofiles = %s\n[channel sms]\nproviders = a, b\n"
		    "message = It is ${code}\n[provider a]\nprofile = %s\n"
		    "base = http://127.0.0.1:%d\n[provider b]\nprofile = %s\n"
		    "base = http://127.0.0.1:%d\n",
		    folder.path, rows[i].a, web_port(web[0]), rows[i].b, web_port(web[1]));
		r = try_conf(text, &report);
		assert_int_equal(r, rows[i].taken ? 0 : -OTP_ECONF);
		ROW(rows[i].taken == !strstr(report_text(&report), "would not be sent"), rows[i].a);
		if (rows[i].taken)
			assert_int_equal(
			    send_it(), strcmp(rows[i].a, "answered") ? CLASS_OK : CLASS_REFUSED);
		if (!strcmp(rows[i].a, "ours"))
			assert_true(web_received(web[0], "It is 012345"));
		teardown(state);
	}
}

static void
a_code_in_the_answer_is_of_that_provider(void **state)
{
	int least = 0, most = 0;

	(void)state;
	open_with("a, b, c", "theirs", "answered", "ours");
	web_answer(web[0], "503 Oh", "", "{}");
	web_answer(web[1], "200 OK", "", "{\"ok\":true,\"otp\":\"778899\"}");
	assert_int_equal(send_it(), CLASS_OK);
	assert_int_equal(out.code_by, CODE_BY_RESPONSE);
	assert_string_equal(secret_str(&out.sent.code), "778899");
	web_answer(web[1], "503 Oh", "", "{\"ok\":true,\"otp\":\"778899\"}");
	assert_int_equal(send_it(), CLASS_OK);
	assert_int_equal(out.code_by, CODE_BY_MODULE);
	assert_int_equal(out.sent.code.len, 0);
	/* The length of a code follows from the provider that sent it. */
	delivery->code_length(delivery, "sms", "a", &least, &most);
	assert_int_equal(least * 100 + most, 408);
	delivery->code_length(delivery, "sms", "c", &least, &most);
	assert_int_equal(least * 100 + most, 0);
}

/* Only a provider that makes and checks the code is asked to check it. */
static void
only_the_provider_that_has_the_code_checks_it(void **state)
{
	struct sending q = sending(&contact);

	(void)state;
	open_with("a, b", "ours", "theirs", "ours");
	assert_int_equal(delivery->verify(delivery, &q, "a", &conf->signin, &out), 0);
	assert_int_equal(out.sent.outcome.class, CLASS_REFUSED);
	assert_int_equal(all_requests(), 0);
	assert_int_equal(delivery->verify(delivery, &q, "b", &conf->signin, &out), 0);
	assert_int_equal(out.sent.outcome.class, CLASS_OK);
	assert_true(web_received(web[1], "POST /check/012345 "));
	assert_int_equal(all_requests(), 1);
}

static void
with_no_time_left_nobody_is_asked(void **state)
{
	(void)state;
	open_with("a, b", "ours", "ours", "ours");
	assert_int_equal(send_to(&contact, NULL, NULL, deadline_in(0)), CLASS_REFUSED);
	assert_true(out.nothing_sent);
	assert_string_equal(out.provider, "");
	assert_int_equal(all_requests(), 0);
}

/* Provider a accepts a connection and never answers the TLS handshake: no request is written. */
static void
open_with_a_silent_first(const char *attempt)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
	    "[otp]\nsend_timeout = 1m\nattempt_timeout = %s\n[paths]\nprofiles = %s\n[channel "
	    "sms]\n"
	    "providers = a, b\n[provider a]\nprofile = ours\nbase = https://127.0.0.1:%d\n"
	    "[provider b]\nprofile = ours\nbase = http://127.0.0.1:%d\n",
	    attempt, folder.path, web_port(web[0]), web_port(web[1]));
	open_conf(text);
	web_say(web[0], "", 0, WEB_HOLD);
}

/* A request that a deadline cuts off ends with its process, so fn runs in a child. */
static bool
holds_in_a_child(bool (*fn)(void))
{
	pid_t pid = fork_alone();
	int status;

	if (!pid) {
		(void)alarm(HANG_GUARD);
		_exit(fn() ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

static bool
the_second_takes_it(void)
{
	return send_to(&contact, NULL, NULL, deadline_in(60000)) == CLASS_OK && out.instead &&
	       !strcmp(out.provider, "b");
}

static void
silence_before_the_request_asks_the_next_provider(void **state)
{
	(void)state;
	open_with_a_silent_first("6s");
	assert_true(holds_in_a_child(the_second_takes_it));
	assert_int_equal(web_connections(web[0]), 1);
	assert_int_equal(web_requests(web[1]), 1);
}

static bool
the_second_is_not_asked(void)
{
	return send_to(&contact, NULL, NULL, deadline_in(5000)) == CLASS_REFUSED &&
	       out.nothing_sent && !strcmp(out.provider, "a");
}

/* If there was no time to ask a provider, it may be up: this does not count as an outage. */
static void
a_provider_that_was_not_asked_is_not_down(void **state)
{
	(void)state;
	/* send_timeout ends long before attempt_timeout. */
	open_with_a_silent_first("30s");
	assert_true(holds_in_a_child(the_second_is_not_asked));
	assert_int_equal(web_connections(web[0]), 1);
	assert_int_equal(web_connections(web[1]), 0);
}

/* Makes the first provider answer with this Retry-After. */
static void
rate_limit(const char *value)
{
	char header[64];

	(void)snprintf(header, sizeof(header), "Retry-After: %s\r\n", value);
	web_answer(web[0], "429 Slow", header, "{}");
	assert_int_equal(send_it(), CLASS_RATE_LIMITED);
	web_answer(web[0], "200 OK", "", "{\"ok\":true}");
}

static void
a_provider_is_not_asked_before_its_retry_after(void **state)
{
	static const struct {
		int64_t after_ms;
		long left_s;
	} rows[] = {{0, 120}, {1, 120}, {1000, 119}, {118999, 2}, {119000, 1}, {119999, 1}};
	int64_t began = wall_ms;

	(void)state;
	open_with("a, b", "ours", "ours", "ours");
	rate_limit("120");
	assert_int_equal(out.sent.outcome.retry_after, 120);
	assert_string_equal(kept.provider, "a");
	assert_string_equal(kept.address, contact.address);
	assert_int_equal(kept.until, began + 120000);
	for (size_t i = 0; i < COUNT(rows); i++) {
		wall_ms = began + rows[i].after_ms;
		assert_int_equal(send_it(), CLASS_RATE_LIMITED);
		assert_int_equal(out.sent.outcome.retry_after, rows[i].left_s);
		assert_true(out.nothing_sent);
		assert_string_equal(out.provider, "a");
	}
	/* Neither this provider nor, because of its limit, the next one was asked. */
	assert_int_equal(all_requests(), 1);
	/* Another address has no limit. */
	assert_int_equal(send_to(&other, NULL, NULL, deadline_in(10000)), CLASS_OK);
	assert_string_equal(out.provider, "a");
	wall_ms = began + 120000;
	assert_int_equal(send_it(), CLASS_OK);
	assert_string_equal(out.provider, "a");
	assert_int_equal(kept.puts, 1);
}

/* Others may have used a limit up. So a known source is refused only if no other provider sends. */
static void
for_a_known_source_the_next_provider_is_asked_at_a_rate_limit(void **state)
{
	static const struct {
		const char *first, *second;
		enum provider_class class;
		long retry_after;
	} rows[] = {
	    {"429 Slow", "200 OK", CLASS_OK, 0},
	    {"420 Calm", "200 OK", CLASS_OK, 0},
	    {"429 Slow", "429 Slow", CLASS_RATE_LIMITED, 30},
	    {"503 Oh", "429 Slow", CLASS_RATE_LIMITED, 30},
	    {"429 Slow", "503 Oh", CLASS_RATE_LIMITED, 90},
	    {"429 Slow", "402 Pay", CLASS_RATE_LIMITED, 90},
	    {"429 Slow", "400 Bad", CLASS_BAD_DESTINATION, 90},
	};
	int asked;

	(void)state;
	known = true;
	open_with("a, b", "ours", "ours", "ours");
	for (size_t i = 0; i < COUNT(rows); i++) {
		memset(&kept, 0, sizeof(kept));
		web_answer(web[0], rows[i].first, "Retry-After: 90\r\n", "{}");
		web_answer(web[1], rows[i].second, "Retry-After: 30\r\n", "{\"ok\":true}");
		if (send_it() != (int)rows[i].class ||
		    (rows[i].retry_after && out.sent.outcome.retry_after != rows[i].retry_after))
			fail_msg("row %zu: %s, %ld s", i,
			    provider_class_name(out.sent.outcome.class),
			    out.sent.outcome.retry_after);
		assert_string_equal(out.provider, "b");
	}
	/* The time is kept, and then the provider is not asked at all. */
	web_answer(web[0], "429 Slow", "Retry-After: 90\r\n", "{}");
	web_answer(web[1], "200 OK", "", "{\"ok\":true}");
	memset(&kept, 0, sizeof(kept));
	assert_int_equal(send_it(), CLASS_OK);
	assert_string_equal(kept.provider, "a");
	asked = web_requests(web[0]);
	assert_int_equal(send_it(), CLASS_OK);
	assert_int_equal(web_requests(web[0]), asked);
	/* It holds for an unknown source as well, and there it ends the call. */
	known = false;
	assert_int_equal(send_it(), CLASS_RATE_LIMITED);
}

static int spares_from; /* from this question on a code must stay */
static int spares_asked;
static char spares_identity[IDENTITY_MAX + 1]; /* of the last question */

static bool
spares(void *arg, const char *identity, const char *address)
{
	assert_ptr_equal(arg, &spares_from);
	assert_string_equal(address, contact.address);
	(void)snprintf(spares_identity, sizeof(spares_identity), "%s", identity);
	return ++spares_asked >= spares_from;
}

/*
 * The identity of an address is what the provider is told, at its host: without the country, the
 * numbers of two countries are one. Section, path and port make no difference.
 */
static void
an_address_is_what_the_provider_is_told(void **state)
{
	static const struct contact india = {.kind = CONTACT_PHONE, .address = "+919876543219"};
	static const struct contact nepal = {.kind = CONTACT_PHONE, .address = "+9779876543219"};

	(void)state;
	open_with("a, b", "newest", "newest", "ours");
	assert_int_equal(send_to(&india, NULL, NULL, deadline_in(10000)), CLASS_OK);
	assert_string_equal(out.identity, "127.0.0.1 9876543219");
	assert_int_equal(send_to(&nepal, NULL, NULL, deadline_in(10000)), CLASS_OK);
	assert_string_equal(out.identity, "127.0.0.1 9876543219");
	web_answer(web[0], "503 Oh", "", "{}");
	assert_int_equal(send_to(&nepal, NULL, NULL, deadline_in(10000)), CLASS_OK);
	assert_string_equal(out.provider, "b");
	assert_string_equal(out.identity, "127.0.0.1 9876543219");
	assert_int_equal(send_to(&other, NULL, NULL, deadline_in(10000)), CLASS_OK);
	assert_string_equal(out.identity, "127.0.0.1 9876543220");
	close_all();
	/* The request has the country beside the national number. */
	open_with("a", "abroad", "ours", "ours");
	web_answer(web[0], "200 OK", "", "{\"ok\":true}");
	assert_int_equal(send_to(&india, NULL, NULL, deadline_in(10000)), CLASS_OK);
	assert_string_equal(out.identity, "127.0.0.1 +919876543219");
	/* A code that is tied to more than the address needs no identity of the address. */
	close_all();
	open_with("a", "ours", "ours", "ours");
	assert_int_equal(send_to(&india, NULL, NULL, deadline_in(10000)), CLASS_OK);
	assert_string_equal(out.identity, "");
}

/* Where a new code would end one that must stay, nothing is sent, and it looks like a send. */
static void
a_send_that_would_end_a_code_is_pretended(void **state)
{
	struct sending q = sending(&contact);

	(void)state;
	q.spares = spares;
	q.spares_arg = &spares_from;
	open_with("a, b", "newest", "newest", "ours");
	web_answer(web[0], "200 OK", "", "{\"ok\":true}");
	web_answer(web[1], "200 OK", "", "{\"ok\":true}");
	for (int i = 0; i < 2; i++) {
		spares_from = i ? 99 : 1;
		spares_asked = 0;
		delivered_clear(&out);
		assert_int_equal(
		    delivery->send(delivery, &q, NULL, &conf->signin, deadline_in(10000), &out), 0);
		assert_int_equal(out.sent.outcome.class, CLASS_OK);
		assert_int_equal(out.pretended, i == 0);
		assert_int_equal(all_requests(), i);
		assert_string_equal(out.provider, "a");
		assert_string_equal(spares_identity, "127.0.0.1 9876543219");
	}
	/* The next provider is asked only if it would end none either. */
	web_answer(web[0], "503 Oh", "", "{}");
	spares_from = 2;
	spares_asked = 0;
	delivered_clear(&out);
	assert_int_equal(
	    delivery->send(delivery, &q, NULL, &conf->signin, deadline_in(10000), &out), 0);
	assert_true(out.pretended && out.instead);
	assert_string_equal(out.provider, "b");
	assert_int_equal(web_requests(web[1]), 0);
}

/* A provider that has a code for each challenge is asked. */
static void
codes_of_their_own_are_never_pretended(void **state)
{
	struct sending q = sending(&contact);

	(void)state;
	q.spares = spares;
	q.spares_arg = &spares_from;
	spares_from = 1;
	open_with("a", "theirs", "ours", "ours");
	web_answer(web[0], "200 OK", "", "{\"ok\":true,\"id\":\"7\"}");
	assert_int_equal(
	    delivery->send(delivery, &q, NULL, &conf->signin, deadline_in(10000), &out), 0);
	assert_false(out.pretended);
	assert_int_equal(web_requests(web[0]), 1);
}

static void
a_retry_after_is_for_one_provider(void **state)
{
	(void)state;
	open_with("a, b", "ours", "ours", "ours");
	rate_limit("60");
	/* The provider with the retry-after comes last, so the other sends the message. */
	assert_int_equal(send_after("a", true, NULL), CLASS_OK);
	assert_string_equal(out.provider, "b");
	web_answer(web[1], "503 Oh", "", "{}");
	assert_int_equal(send_after("a", true, NULL), CLASS_RATE_LIMITED);
	assert_true(out.instead);
	assert_int_equal(out.sent.outcome.retry_after, 60);
	/* The request to the other was written, and 503 does not prove that it sent nothing. */
	assert_false(out.nothing_sent);
	assert_int_equal(web_requests(web[0]), 1);
	assert_int_equal(web_requests(web[1]), 2);
}

static void
answers_that_set_a_retry_after(void **state)
{
	static const struct {
		const char *status, *header;
		int64_t retry_after_s;
	} rows[] = {
	    {"429 Slow", "Retry-After: 7\r\n", 7},
	    {"420 Calm", "Retry-After: 7\r\n", 7},
	    {"429 Slow", "Retry-After: 86400\r\n", DAY},
	    {"429 Slow", "Retry-After: 31536000\r\n", DAY},
	    {"429 Slow", "", 0},
	    {"429 Slow", "Retry-After: 0\r\n", 0},
	    {"429 Slow", "Retry-After: soon\r\n", 0},
	    {"429 Slow", "Retry-After: -5\r\n", 0},
	    {"503 Oh", "Retry-After: 7\r\n", 0},
	    {"400 Bad", "Retry-After: 7\r\n", 0},
	    {"200 OK", "Retry-After: 7\r\n", 0},
	};

	(void)state;
	open_with("a", "ours", "ours", "ours");
	for (size_t i = 0; i < COUNT(rows); i++) {
		memset(&kept, 0, sizeof(kept));
		web_answer(web[0], rows[i].status, rows[i].header, "{\"ok\":true}");
		(void)send_it();
		if (kept.puts != (rows[i].retry_after_s > 0) ||
		    (kept.puts && kept.until != wall_ms + rows[i].retry_after_s * 1000))
			fail_msg("row %zu: %d kept, until %lld", i, kept.puts,
			    (long long)(kept.until - wall_ms));
	}
}

/* A code that was sent before can be checked despite a retry-after. */
static void
a_retry_after_stops_no_check(void **state)
{
	struct sending q = sending(&contact);

	(void)state;
	open_with("a", "theirs", "ours", "ours");
	rate_limit("60");
	assert_int_equal(delivery->verify(delivery, &q, "a", &conf->signin, &out), 0);
	assert_int_equal(out.sent.outcome.class, CLASS_OK);
	/* A resend counts as a send. */
	assert_int_equal(send_after("a", false, "{\"id\":\"7\"}"), CLASS_RATE_LIMITED);
	assert_int_equal(web_requests(web[0]), 2);
	/* A retry-after of a check is not kept for sends. */
	memset(&kept, 0, sizeof(kept));
	web_answer(web[0], "429 Slow", "Retry-After: 60\r\n", "{}");
	delivered_clear(&out);
	assert_int_equal(delivery->verify(delivery, &q, "a", &conf->signin, &out), 0);
	assert_int_equal(out.sent.outcome.class, CLASS_RATE_LIMITED);
	assert_int_equal(out.sent.outcome.retry_after, 60);
	assert_int_equal(kept.puts, 0);
}

static void
a_failing_store_sends_nothing(void **state)
{
	(void)state;
	open_with("a, b", "ours", "ours", "ours");
	kept.find_error = -OTP_ESTORE;
	assert_int_equal(send_it(), CLASS_BROKEN);
	assert_true(out.nothing_sent);
	assert_int_equal(all_requests(), 0);
	/* If a retry-after cannot be kept, it still holds in this sign-in. */
	kept.find_error = 0;
	kept.put_error = -OTP_ESTORE;
	rate_limit("60");
	assert_int_equal(out.sent.outcome.retry_after, 60);
	assert_int_equal(kept.puts, 0);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(the_next_provider_is_asked_after_some_classes),
	    TEST(a_written_request_is_sent_by_no_other),
	    TEST(the_provider_that_did_not_answer_comes_last),
	    TEST(the_only_provider_is_asked_again),
	    TEST(the_provider_that_sends_decides_who_makes_the_code),
	    cmocka_unit_test(a_message_needs_a_provider_that_takes_it),
	    TEST(a_code_in_the_answer_is_of_that_provider),
	    TEST(only_the_provider_that_has_the_code_checks_it),
	    TEST(with_no_time_left_nobody_is_asked),
	    TEST(silence_before_the_request_asks_the_next_provider),
	    TEST(a_provider_that_was_not_asked_is_not_down),
	    TEST(a_provider_is_not_asked_before_its_retry_after),
	    TEST(for_a_known_source_the_next_provider_is_asked_at_a_rate_limit),
	    TEST(an_address_is_what_the_provider_is_told),
	    TEST(a_send_that_would_end_a_code_is_pretended),
	    TEST(codes_of_their_own_are_never_pretended),
	    TEST(a_retry_after_is_for_one_provider),
	    TEST(answers_that_set_a_retry_after),
	    TEST(a_retry_after_stops_no_check),
	    TEST(a_failing_store_sends_nothing),
	};

	return cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
}
