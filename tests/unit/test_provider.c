/*
 * Providers with a server on loopback: secrets, settings, tokens, checks, clean-up. A request is
 * made once, and a check that was written counts (C8, C29, U38).
 */
#include "tests/unit/unit.h"

#include "common/err.h"
#include "helpers/provider/delivery.h"
#include "helpers/http/curl.h"
#include "tests/unit/web_rig.h"
#include "tests/unit/report.h"

static struct folder folder;
static struct web *web, *second;
static struct conf *conf;
static struct delivery *delivery;
static struct http *http;
static struct delivered out;
static char kept[256]; /* the cached token */
static int drops;
static const char *attribute;

static int
cache_get(struct token_cache *c, const char *key, struct secret *json)
{
	(void)c;
	return !strcmp(key, "a asha") && *kept ? secret_set(json, kept, strlen(kept)) : -OTP_ENOENT;
}

static int
cache_put(struct token_cache *c, const char *key, const struct secret *json, int64_t ttl)
{
	(void)c;
	assert_int_equal(ttl, 60000);
	if (!strcmp(key, "a asha"))
		(void)snprintf(kept, sizeof(kept), "%s", secret_str(json));
	return 0;
}

static void
cache_drop(struct token_cache *c, const char *key)
{
	(void)c, (void)key;
	drops++;
	*kept = '\0';
}

static int
attributes(struct contacts *c, const char *user, const char *provider, attribute_fn *fn, void *arg)
{
	(void)c, (void)provider;
	assert_string_equal(user, "asha");
	return attribute ? fn("id", attribute, arg) : 0;
}

/* No Retry-After is kept here; test_delivery.c tests that. */
static int
no_pause(struct retry_after_book *b, const char *provider, const char *address, int64_t *left_ms)
{
	(void)b, (void)provider, (void)address, (void)left_ms;
	return -OTP_ENOENT;
}

static const struct contacts_ops contacts_ops = {.attributes = attributes};
static struct contacts contacts = {&contacts_ops};
static struct token_cache cache = {.get = cache_get, .put = cache_put, .drop = cache_drop};
static struct retry_after_book retry_after = {.left = no_pause};

static int
setup(void **state)
{
	(void)state;
	folder_make(&folder);
	web = web_start();
	second = web_start();
	*kept = '\0';
	drops = 0;
	attribute = NULL;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	delivered_clear(&out);
	delivery_close(delivery);
	delivery = NULL;
	http_close(http);
	http = NULL;
	conf_free(conf);
	conf = NULL;
	web_stop(web);
	web_stop(second);
	folder_drop(&folder);
	return 0;
}

#define CODE_OURS                                                                         \
	"\"message\": \"Code ${code}\", \"code\": {\"by\": \"module\", \"placeholder\": " \
	"\"{otp}\"},"
#define CODE_THERE "\"code\": {\"by\": \"provider\", \"length\": [4, 8]},"
#define EXPECT	   "\"expect\": {\"status\": [\"2xx\"], \"all\": [[\"/ok\", \"eq\", true]]}"
#define POST(path) "\"method\": \"POST\", \"url\": \"${base}" path "\", "
#define SEND                                                                          \
	"\"send\": {" POST(                                                           \
	    "/send") "\"json\": {\"to\": \"${dest}\", \"m\": \"${message}\"}," EXPECT \
		     ", \"fail\": [{\"status\": [400], \"is\": \"bad_destination\"}]}"

/* Opens the channel with the providers a and b, whose profile has these members. */
static int
open_with(const char *members, const char *settings, struct conf_report *report)
{
	struct provider_io io = {
	    .tokens = &cache, .retry_after = &retry_after, .contacts = &contacts};
	char text[4096];

	assert_in_range(snprintf(text, sizeof(text),
			    "{\"profile\": 1, \"name\": \"x\", \"vars\": {\"base\": \"\","
			    "\"token\": {\"secret\": true}, \"company\": \"\"},"
			    "\"channels\": {\"sms\": {\"needs\": \"phone\","
			    "\"dest\": \"${phone.national}\"}}, \"bound_to\": \"address\","
			    "%s}",
			    members),
	    1, sizeof(text) - 1);
	folder_write(&folder, "x.json", text, 0644);
	assert_in_range(snprintf(text, sizeof(text),
			    "[paths]\nprofiles = %s\n[channel sms]\nproviders = a, b\n"
			    "[provider a]\nprofile = x\nbase = http://127.0.0.1:%d\n%s\n"
			    "[provider b]\nprofile = x\nbase = http://127.0.0.1:%d\n",
			    folder.path, web_port(web), settings, web_port(second)),
	    1, sizeof(text) - 1);
	folder_write(&folder, "pam_otp.conf", text, 0644);
	if (conf_load(folder.file, geteuid(), &conf, report))
		fail_msg("%s", report_text(report));
	assert_int_equal(curl_http_open(-1, "/etc/ssl/certs", &http), 0);
	io.http = http;
	return delivery_open(
	    conf, &conf->signin.channels, geteuid(), PROVIDER_READ_SECRETS, &io, &delivery, report);
}

static void
must_open(const char *members, const char *settings)
{
	_auto_report struct conf_report report = {.max = 4096};

	if (open_with(members, settings, &report))
		fail_msg("%s", report_text(&report));
}

static const struct contact contact = {.kind = CONTACT_PHONE, .address = "+919876543219"};

static struct sending
sending(const char *code, const char *captures)
{
	return (struct sending){.user = "asha",
	    .host = "h",
	    .service = "sshd",
	    .channel = "sms",
	    .contact = &contact,
	    .code = code,
	    .code_length = 6,
	    .ttl = 300000,
	    .captures = captures};
}

static int
send_it(const char *captures)
{
	struct sending q = sending("012345", captures);
	struct last_send last = {.provider = "a"};

	delivered_clear(&out);
	assert_int_equal(delivery->send(delivery, &q, captures ? &last : NULL, &conf->signin,
			     deadline_in(conf->signin.send_timeout), &out),
	    0);
	return (int)out.sent.outcome.class;
}

static int
check_it(const char *code, const char *captures)
{
	struct sending q = sending(code, captures);

	delivered_clear(&out);
	assert_int_equal(delivery->verify(delivery, &q, "a", &conf->signin, &out), 0);
	return (int)out.sent.outcome.class;
}

static void
the_message_has_the_placeholder(void **state)
{
	(void)state;
	must_open(CODE_OURS "\"send\": {" POST("/s") "\"json\": {\"m\": \"${message}\","
						     "\"otp\": \"${code}\"}," EXPECT "}",
	    "");
	web_answer(web, "200 OK", "", "{\"ok\":true}");
	assert_int_equal(send_it(NULL), CLASS_OK);
	assert_true(web_received(web, "{\"m\":\"Code {otp}\",\"otp\":\"012345\"}"));
	assert_int_equal(out.code_by, CODE_BY_MODULE);
	assert_int_equal(out.bound_to, BOUND_TO_ADDRESS);
	/* The helper checks this code itself, so no provider is asked. */
	assert_int_equal(check_it("012345", NULL), CLASS_REFUSED);
	assert_int_equal(web_requests(web), 1);
}

static void
settings_are_checked(void **state)
{
	static const struct {
		const char *setting, *message;
	} rows[] = {
	    {"tokn = file:/x", "did you mean \"token\"?"},
	    {"token = abcdef", "a secret must not stand in the configuration"},
	    {"token = file:relative", "a secret must not stand in the configuration"},
	    {"token = file:/nonexistent", "the file cannot be read"},
	    {"token = cred:x", "cred: works only if systemd starts the helper"},
	    {"company = ${token}", "only built-in variables can be used in a setting"},
	    {"company = ${user", "not closed"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		_auto_report struct conf_report report = {.max = 4096};

		setup(state);
		ROW(open_with(CODE_OURS SEND, rows[i].setting, &report) == -OTP_ECONF,
		    rows[i].setting);
		if (!strstr(report_text(&report), rows[i].message))
			fail_msg("%s: %s", rows[i].setting, report_text(&report));
		assert_null(strstr(report_text(&report), "abcdef"));
		assert_null(delivery);
		teardown(state);
	}
}

/* A secret is one line of a file that others cannot read. It is not a template. */
static void
secrets_come_from_files(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		bool ok;
	} rows[] = {{"t${code}k\n", 0640, true}, {"token", 0600, true}, {"token\n", 0644, false},
	    {"token\n", 0660, false}, {"", 0600, false}, {"\n", 0600, false},
	    {"a\nb\n", 0600, false}, {"a\r\n", 0600, false}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		_auto_report struct conf_report report = {.max = 4096};
		char setting[512];
		int r;

		setup(state);
		web_answer(web, "200 OK", "", "{\"ok\":true}");
		(void)snprintf(setting, sizeof(setting), "token = file:%s",
		    folder_write(&folder, "token", rows[i].text, rows[i].mode));
		r = open_with(CODE_OURS
		    "\"send\": {" POST("/s") "\"headers\":"
					     "{\"Authorization\": \"Bearer ${token}\"}," EXPECT "}",
		    setting, &report);
		assert_int_equal(r, rows[i].ok ? 0 : -OTP_ECONF);
		if (rows[i].ok && !i) {
			assert_int_equal(send_it(NULL), CLASS_OK);
			assert_true(web_received(web, "\r\nAuthorization: Bearer t${code}k\r\n"));
		}
		teardown(state);
	}
}

#define SESSION                                                                                \
	"\"session\": {\"request\": {" POST(                                                   \
	    "/session") "\"json\": {\"u\": \"${user}\"},"                                      \
			"\"expect\": {\"status\": [200], \"all\": [[\"/t\", \"nonempty\", "    \
			"\"string\"]]},"                                                       \
			"\"capture\": {\"jwt\": \"/t\"}}, \"key\": \"${user}\", \"ttl\": 60, " \
			"\"renew_on\": [401]},"
#define WITH_JWT(path) POST(path) "\"headers\": {\"J\": \"${jwt}\"}, "

static void
a_token_is_kept_and_renewed_once(void **state)
{
	(void)state;
	must_open(CODE_OURS SESSION "\"send\": {" WITH_JWT("/send") EXPECT "}", "");
	web_answer(web, "200 OK", "", "{\"t\":\"one\",\"ok\":true}");
	assert_int_equal(send_it(NULL), CLASS_OK);
	assert_int_equal(web_requests(web), 2);
	assert_true(web_received(web, "\r\nJ: one\r\n"));
	assert_string_equal(kept, "{\"jwt\":\"one\"}");
	strcpy(kept, "{\"jwt\":\"two\"}");
	assert_int_equal(send_it(NULL), CLASS_OK);
	assert_int_equal(web_requests(web), 3);
	assert_true(web_received(web, "\r\nJ: two\r\n"));
	/* The token has expired: it is renewed once, and then the next provider is asked. */
	web_answer(web, "401 Who", "", "{\"t\":\"three\"}");
	web_answer(second, "500 Oh", "", "{}");
	(void)send_it(NULL);
	assert_int_equal(drops, 1);
	assert_int_equal(web_requests(web), 5);
	assert_int_equal(web_requests(second), 1);
}

static void
without_a_token_nothing_was_sent(void **state)
{
	(void)state;
	must_open(CODE_OURS SESSION "\"send\": {" WITH_JWT("/send") EXPECT "}", "");
	web_say(web, "", 0, WEB_CLOSE);
	web_say(second, "", 0, WEB_CLOSE);
	assert_int_equal(send_it(NULL), CLASS_PROVIDER_DOWN);
	assert_true(out.nothing_sent);
	web_answer(web, "200 OK", "", "{\"ok\":true}");
	assert_int_equal(send_it(NULL), CLASS_REFUSED);
	assert_true(out.nothing_sent);
	assert_false(web_received(web, "/send"));
}

#define VERIFY(more) \
	"\"verify\": {" POST("/check") "\"json\": {\"c\": \"${code}\"}, " EXPECT more "}"

/* C29: a code that reached the provider counts as a try, whatever the answer was. */
static void
a_check_that_was_written_counts(void **state)
{
	static const struct {
		const char *status, *body;
		enum provider_class class;
	} rows[] = {
	    {"200 OK", "{\"ok\":true}", CLASS_OK},
	    {"200 OK", "{\"ok\":false}", CLASS_WRONG_CODE},
	    {"401 Who", "{}", CLASS_BAD_CREDENTIALS},
	    {"402 Pay", "{}", CLASS_NO_CREDIT},
	    {"403 No", "{}", CLASS_BAD_CREDENTIALS},
	    {"404 None", "{}", CLASS_EXPIRED},
	    {"429 Slow", "{}", CLASS_RATE_LIMITED},
	    {"500 Oh", "{}", CLASS_PROVIDER_DOWN},
	};

	(void)state;
	must_open(CODE_THERE SEND "," VERIFY(""), "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		web_answer(web, rows[i].status, "", rows[i].body);
		ROW(check_it("1234", NULL) == (int)rows[i].class, rows[i].status);
		ROW(!out.nothing_sent, rows[i].status);
	}
	web_say(web, "", 0, WEB_CLOSE);
	assert_int_equal(check_it("1234", NULL), CLASS_UNANSWERED);
	assert_false(out.nothing_sent);
	/* Each check was one request, to this provider only. */
	assert_int_equal(web_requests(web) + web_requests(second), COUNT(rows) + 1);
}

static void
a_check_is_never_repeated(void **state)
{
	static const char *const others[] = {"400 Bad", "403 No", "404 None", "500 Oh"};

	(void)state;
	must_open(CODE_THERE SESSION SEND ",\"verify\": {" WITH_JWT("/check") EXPECT "}", "");
	strcpy(kept, "{\"jwt\":\"old\"}");
	web_answer(web, "401 Who", "", "{\"t\":\"new\"}");
	assert_int_equal(check_it("1234", NULL), CLASS_BAD_CREDENTIALS);
	assert_false(out.nothing_sent);
	assert_int_equal(web_requests(web), 1);
	assert_true(web_received(web, "POST /check "));
	/* The token may have expired: the next request obtains a new one. */
	assert_int_equal(drops, 1);
	assert_string_equal(kept, "");
	web_answer(web, "200 OK", "", "{\"ok\":true,\"t\":\"new\"}");
	assert_int_equal(check_it("1234", NULL), CLASS_OK);
	assert_int_equal(web_requests(web), 3);
	assert_true(web_received(web, "\r\nJ: new\r\n"));
	assert_string_equal(kept, "{\"jwt\":\"new\"}");
	/* After any other answer the token is kept: a wrong code does not cause a new login. */
	for (size_t i = 0; i < COUNT(others); i++) {
		web_answer(web, others[i], "", "{\"ok\":false}");
		ROW(check_it("1234", NULL) != CLASS_OK, others[i]);
		ROW(drops == 1 && !strcmp(kept, "{\"jwt\":\"new\"}"), others[i]);
		ROW(web_requests(web) == 4 + (int)i, others[i]);
	}
}

/* If the key is empty, different users would share one token. */
static void
a_token_without_a_key_is_refused(void **state)
{
	(void)state;
	must_open(CODE_THERE
	    "\"session\": {\"request\": {" POST(
		"/session") "\"expect\": {\"status\": [200]},"
			    "\"capture\": {\"jwt\": \"/t\"}}, \"key\": \"${email}\", \"ttl\": 60,"
			    "\"renew_on\": [401]}," SEND ",\"verify\": {" WITH_JWT("/check") EXPECT
	    "}",
	    "");
	web_answer(web, "200 OK", "", "{\"ok\":true,\"t\":\"one\"}");
	strcpy(kept, "{\"jwt\":\"of another user\"}");
	assert_int_equal(send_it(NULL), CLASS_REFUSED);
	assert_true(out.nothing_sent);
	assert_int_equal(check_it("1234", NULL), CLASS_REFUSED);
	assert_true(out.nothing_sent);
	assert_int_equal(web_requests(web) + web_requests(second), 0);
	assert_int_equal(drops, 0);
}

/* warm() before a prompt makes the helper connect while the user reads the prompt. */
static void
warming_waits_for_the_prompt(void **state)
{
	(void)state;
	must_open(CODE_OURS "\"warm\": {\"method\": \"GET\", \"url\": \"${base}/warm\","
			    "\"expect\": {\"status\": [200]}}," SEND,
	    "");
	web_answer(web, "200 OK", "", "{\"ok\":true}");
	delivery->warm(delivery, "sms");
	usleep(50000);
	assert_int_equal(web_connections(web), 0);
	delivery_idle(delivery, deadline_in(300));
	assert_int_equal(web_requests(web), 1);
	assert_true(web_received(web, "GET /warm HTTP/1.1\r\n"));
	assert_int_equal(web_connections(second), 0);
	/* There is one warm request for each prompt, and the send uses its connection. */
	delivery_idle(delivery, deadline_in(50));
	assert_int_equal(web_requests(web), 1);
	assert_int_equal(send_it(NULL), CLASS_OK);
	assert_int_equal(web_requests(web), 2);
	assert_int_equal(web_connections(web), 1);
	delivery->warm(delivery, "fax");
	delivery_idle(delivery, deadline_in(50));
	assert_int_equal(web_requests(web), 2);
}

/* The resend, the check and the clean-up use what the send captured. */
static void
captures_go_from_request_to_request(void **state)
{
	int least = 0, most = 0;

	(void)state;
	must_open(CODE_THERE "\"send\": {" POST("/send") EXPECT
	    ", \"capture\": {\"id\": \"/id\"}},"
	    "\"resend\": {" POST("/again/${id}") EXPECT ", \"capture\": {\"id\": \"/id\"}},"
							"\"verify\": {" POST("/check/${id}/${code}")
							    EXPECT
	    ", \"capture\": {\"s\": {\"cookie\": \"s\"}}},"
	    "\"cleanup\": {" POST("/out/${s}") EXPECT "}",
	    "");
	delivery->code_length(delivery, "sms", "", &least, &most);
	assert_int_equal(least * 100 + most, 408);
	web_answer(web, "200 OK", "", "{\"ok\":true,\"id\":7}");
	assert_int_equal(send_it(NULL), CLASS_OK);
	assert_true(web_received(web, "POST /send "));
	assert_string_equal(secret_str(&out.sent.captures), "{\"id\":\"7\"}");
	assert_int_equal(send_it("{\"id\":\"7\"}"), CLASS_OK);
	assert_true(web_received(web, "POST /again/7 "));
	web_answer(web, "200 OK", "Set-Cookie: s=x/../y\r\n", "{\"ok\":true}");
	assert_int_equal(check_it("1234", "{\"id\":\"7\"}"), CLASS_OK);
	assert_true(web_received(web, "POST /check/7/1234 "));
	delivery_cleanup(delivery, 2000);
	assert_true(web_received(web, "POST /out/x%2F..%2Fy "));
	/* Without the captures the request cannot be made. */
	assert_int_equal(check_it("1234", NULL), CLASS_REFUSED);
	assert_true(out.nothing_sent);
	assert_int_equal(check_it("1234", "[7]"), CLASS_REFUSED);
	assert_int_equal(check_it("1234", "{\"id\":{}}"), CLASS_BROKEN);
}

static void
a_code_in_the_answer_must_be_digits(void **state)
{
	static const struct {
		const char *body;
		bool ok;
	} rows[] = {{"{\"ok\":true,\"otp\":\"123456\"}", true},
	    {"{\"ok\":true,\"otp\":123456}", true}, {"{\"ok\":true}", false},
	    {"{\"ok\":true,\"otp\":null}", false}, {"{\"ok\":true,\"otp\":\"123\"}", false},
	    {"{\"ok\":true,\"otp\":\"1234567890123\"}", false},
	    {"{\"ok\":true,\"otp\":\"12345a\"}", false}, {"{\"ok\":true,\"otp\":-12345}", false},
	    {"{\"ok\":true,\"otp\":1.5}", false}, {"{\"ok\":true,\"otp\":{}}", false}};

	(void)state;
	must_open("\"message\": \"${code}\", \"code\": {\"by\": \"response\", \"ptr\": \"/otp\"}, "
		  "\"send\": {" POST("/s") EXPECT "}",
	    "");
	web_answer(second, "500 Oh", "", "{}");
	for (size_t i = 0; i < COUNT(rows); i++) {
		web_answer(web, "200 OK", "", rows[i].body);
		ROW((send_it(NULL) == CLASS_OK) == rows[i].ok, rows[i].body);
		assert_string_equal(secret_str(&out.sent.code), rows[i].ok ? "123456" : "");
		assert_int_equal(out.sent.captures.len, 0);
		assert_false(out.nothing_sent);
	}
}

static void
attributes_of_a_user_are_known(void **state)
{
	(void)state;
	must_open(CODE_OURS "\"send\": {" POST("/${attr.id}") EXPECT "}", "");
	web_answer(web, "200 OK", "", "{\"ok\":true}");
	attribute = "a/b";
	assert_int_equal(send_it(NULL), CLASS_OK);
	assert_true(web_received(web, "POST /a%2Fb "));
	attribute = NULL;
	assert_int_equal(send_it(NULL), CLASS_REFUSED);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(settings_are_checked),
	    cmocka_unit_test(secrets_come_from_files),
	    TEST(the_message_has_the_placeholder),
	    TEST(a_token_is_kept_and_renewed_once),
	    TEST(without_a_token_nothing_was_sent),
	    TEST(a_check_that_was_written_counts),
	    TEST(a_check_is_never_repeated),
	    TEST(a_token_without_a_key_is_refused),
	    TEST(warming_waits_for_the_prompt),
	    TEST(captures_go_from_request_to_request),
	    TEST(a_code_in_the_answer_must_be_digits),
	    TEST(attributes_of_a_user_are_known),
	};

	return cmocka_run_group_tests_name("provider", tests, NULL, NULL);
}
