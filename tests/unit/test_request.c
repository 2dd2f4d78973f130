/*
 * A profile's request and its answer: predicates with every JSON type, classes, captures, and
 * answers of unexpected types, which match nothing (C8, C35, C36).
 */
#include "tests/unit/unit.h"

#include <sys/resource.h>

#include "common/err.h"
#include "helpers/http/curl.h"
#include "helpers/base/json.h"
#include "helpers/provider/request.h"
#include "tests/unit/web_rig.h"
#include "tests/unit/report.h"

static struct folder folder;
static struct web *web;
static struct http *http;
static struct bindings bindings;
static const struct http_route direct;

static int
setup(void **state)
{
	(void)state;
	folder_make(&folder);
	web = web_start();
	bindings_init(&bindings);
	assert_int_equal(bindings_set(&bindings, "base", web_url(web, "")), 0);
	assert_int_equal(bindings_set(&bindings, "code", "012345"), 0);
	assert_int_equal(bindings_set(&bindings, "dest", "9876543219"), 0);
	assert_int_equal(bindings_set(&bindings, "message", "Say \"${code}\"\n"), 0);
	assert_int_equal(bindings_set(&bindings, "empty", ""), 0);
	assert_int_equal(bindings_set(&bindings, "flag", "true"), 0);
	return curl_http_open(-1, "/etc/ssl/certs", &http);
}

static int
teardown(void **state)
{
	(void)state;
	http_close(http);
	bindings_clear(&bindings);
	web_stop(web);
	folder_drop(&folder);
	return 0;
}

/* Loads a profile whose "send" has these members besides method and url. */
static struct profile *
profile_with(const char *name, const char *send)
{
	char *path[] = {folder.path}, text[4096], file[64];
	struct strlist folders = {path, 1};
	_auto_report struct conf_report report = {.max = 4096};
	struct profile *p = NULL;

	assert_in_range(snprintf(text, sizeof(text),
			    "{\"profile\": 1, \"name\": \"x\", \"vars\": {\"base\": \"\","
			    "\"empty\": \"\", \"flag\": \"\"}, \"channels\": {\"sms\":"
			    "{\"needs\": \"phone\"}}, \"code\": {\"by\": \"module\"},"
			    "\"bound_to\": \"challenge\", \"message\": \"Code ${code}\","
			    "\"send\": {\"method\": \"POST\", \"url\": \"${base}/s\", %s}}",
			    send),
	    1, sizeof(text) - 1);
	(void)snprintf(file, sizeof(file), "%s.json", name);
	folder_write(&folder, file, text, 0644);
	if (profile_load(name, NULL, &folders, geteuid(), &p, &report))
		fail_msg("%s", report_text(&report));
	return p;
}

static struct outcome
make_for(enum request_purpose purpose, const char *send)
{
	struct profile *p = profile_with("x", send);
	struct outcome o = {.class = CLASS_OK};

	assert_int_equal(
	    request_make(&p->send, purpose, &bindings, http, &direct, deadline_in(5000), &o), 0);
	profile_free(p);
	return o;
}

/* The profile is read before the descriptors are used up. */
static void
request_without_descriptors(const struct rlimit *none, const struct rlimit *was, struct outcome *o)
{
	struct profile *p = profile_with("x", "\"expect\": {\"status\": [200]}");
	int r;

	assert_int_equal(setrlimit(RLIMIT_NOFILE, none), 0);
	r = request_make(&p->send, REQUEST_SEND, &bindings, http, &direct, deadline_in(5000), o);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, was), 0);
	assert_int_equal(r, 0);
	profile_free(p);
}

static struct outcome
make(const char *send)
{
	return make_for(REQUEST_SEND, send);
}

/* True if the predicate matches this body; NULL is an answer without one. */
static bool
holds(const struct profile *p, long status, const char *body)
{
	_auto_json json_t *json = NULL;
	char why[64];

	if (body)
		(void)json_read(body, strlen(body), &json, why, sizeof(why));
	return expect_holds(
	    &p->send.expect, &(struct reply){.status = status, .json = json, .text = body});
}

/* Whether each predicate matches a member "v" with each value: '1' yes, '0' no. */
static void
predicates_are_strict_about_types(void **state)
{
	static const char *const values[] = {NULL, "null", "true", "false", "0", "1", "1.0", "\"\"",
	    "\"1\"", "\"true\"", "[]", "[1]", "{}", "{\"a\":1}", "-1", "[[1]]"};
	static const struct {
		const char *check, *holds;
	} rows[] = {
	    /*                                                     - n t f 0 1 1.0 "" "1" ... */
	    {"[\"/v\", \"eq\", true]", "0010000000000000"},
	    {"[\"/v\", \"eq\", false]", "0001000000000000"},
	    {"[\"/v\", \"eq\", null]", "0100000000000000"},
	    {"[\"/v\", \"eq\", 1]", "0000010000000000"},
	    {"[\"/v\", \"eq\", \"1\"]", "0000000010000000"},
	    {"[\"/v\", \"eq\", \"true\"]", "0000000001000000"},
	    {"[\"/v\", \"eq\", [1, \"1\"]]", "0000010010000000"},
	    {"[\"/v\", \"eq\", []]", "0000000000000000"},
	    {"[\"/v\", \"eq\", {\"a\": 1}]", "0000000000000100"},
	    {"[\"/v\", \"absent_or\", 1]", "1000010000000000"},
	    {"[\"/v\", \"absent_or\", [null, false]]", "1101000000000000"},
	    {"[\"/v\", \"absent\"]", "1000000000000000"},
	    {"[\"/v\", \"nonempty\"]", "0000111011000010"},
	    {"[\"/v\", \"nonempty\", \"string\"]", "0000000011000000"},
	    {"[\"/v\", \"nonempty\", \"object\"]", "0000000000000100"},
	    {"[\"/v\", \"nonempty\", \"array\"]", "0000000000010001"},
	    {"[\"/v/a\", \"eq\", 1]", "0000000000000100"},
	    {"[\"/v/0\", \"nonempty\"]", "0000000000010000"},
	    {"[\"/v/a\", \"absent\"]", "1111111111111011"},
	};
	char send[256], body[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct profile *p;

		(void)snprintf(send, sizeof(send), "\"expect\": {\"all\": [%s]}", rows[i].check);
		p = profile_with("x", send);
		for (size_t k = 0; k < COUNT(values); k++) {
			(void)snprintf(
			    body, sizeof(body), values[k] ? "{\"v\":%s}" : "{}", values[k]);
			if (holds(p, 200, body) != (rows[i].holds[k] == '1'))
				fail_msg("%s of %s", rows[i].check, body);
		}
		/* An answer that is not JSON matches nothing. */
		ROW(!holds(p, 200, NULL) && !holds(p, 200, "v"), rows[i].check);
		profile_free(p);
	}
}

/* Predicates on an object, with every other type of body. */
static void
bodies_of_other_types_match_nothing(void **state)
{
	static const char *const bodies[] = {"null", "true", "1", "\"ok\"", "[]", "[{\"ok\":true}]",
	    "{}", "{\"ok\":{}}", "{\"ok\":[true]}", "{\"Ok\":true}"};
	struct profile *p = profile_with("x", "\"expect\": {\"all\": [[\"/ok\", \"eq\", true]]}");

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++)
		ROW(!holds(p, 200, bodies[i]), bodies[i]);
	profile_free(p);
}

static void
statuses_all_and_any(void **state)
{
	static const struct {
		const char *expect, *body;
		long status;
		bool holds;
	} rows[] = {
	    {"\"status\": [200]", NULL, 200, true},
	    {"\"status\": [200]", NULL, 201, false},
	    {"\"status\": [\"2xx\"]", NULL, 299, true},
	    {"\"status\": [\"2xx\"]", NULL, 300, false},
	    {"\"status\": [\"2xx\"]", NULL, 0, false},
	    {"\"status\": [\"2xx\"]", NULL, 2, false},
	    {"\"status\": [400, \"5xx\"]", NULL, 503, true},
	    {"\"status\": [200], \"all\": [[\"/a\", \"absent\"]]", NULL, 200, false},
	    {"\"status\": [200], \"all\": [[\"/a\", \"absent\"]]", "{}", 200, true},
	    {"\"status\": [200], \"all\": [[\"/a\", \"absent\"]]", "{}", 201, false},
	    {"\"all\": [[\"/a\", \"eq\", 1], [\"/b\", \"eq\", 1]]", "{\"a\":1}", 500, false},
	    {"\"any\": [[\"/a\", \"eq\", 1], [\"/b\", \"eq\", 1]]", "{\"a\":1}", 500, true},
	    {"\"any\": [[\"/a\", \"eq\", 1], [\"/b\", \"eq\", 1]]", "{}", 500, false},
	    {"\"status\": [200], \"any\": []", "{}", 200, false},
	    {"\"status\": [200], \"all\": []", NULL, 200, true},
	    {"\"all\": [[\"\", \"text\", \"^OK [0-9]+$\"]]", "OK 12", 200, true},
	    {"\"all\": [[\"\", \"text\", \"^OK [0-9]+$\"]]", "NOT OK 12", 200, false},
	    {"\"all\": [[\"\", \"text\", \"^OK\"]]", NULL, 200, false},
	    {"\"any\": [[\"\", \"text\", \"^OK\"], [\"/ok\", \"absent\"]]", "no", 200, false},
	};
	char send[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct profile *p;

		(void)snprintf(send, sizeof(send), "\"expect\": {%s}", rows[i].expect);
		p = profile_with("x", send);
		if (holds(p, rows[i].status, rows[i].body) != rows[i].holds)
			fail_msg("row %zu, {%s}", i, rows[i].expect);
		profile_free(p);
	}
}

static void
values_are_escaped_for_their_place(void **state)
{
	struct outcome o;
	char *last;

	(void)state;
	web_answer(web, "200 OK", "", "{\"ok\":true}");
	o = make(
	    "\"headers\": {\"X-Code\": \"${code}\", \"X-No?\": \"${empty}\"},"
	    "\"query\": {\"m\": \"${message}\", \"n?\": \"${empty}\", \"o\": \"${dest}\"},"
	    "\"json\": {\"a\": \"${message}\", \"n\": \"${code:number}\","
	    "  \"b\": [\"${flag:bool}\", 7, null, {\"gone?\": \"x${empty}\", \"s?\": \"${code}\"}],"
	    "  \"t?\": \"${empty:number}\", \"{otp}\": \"{otp}$${code}\"},"
	    "\"expect\": {\"status\": [200], \"all\": [[\"/ok\", \"eq\", true]]}");
	assert_int_equal(o.class, CLASS_OK);
	assert_true(o.written);
	last = web_last(web);
	assert_ptr_equal(
	    strstr(last, "POST /s?m=Say%20%22%24%7Bcode%7D%22%0A&o=9876543219 HTTP/1.1\r\n"), last);
	assert_non_null(strstr(last, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(last, "\r\nX-Code: 012345\r\n"));
	assert_null(strstr(last, "X-No"));
	assert_non_null(
	    strstr(last, "\r\n\r\n{\"a\":\"Say \\\"${code}\\\"\\n\",\"n\":12345,"
			 "\"b\":[true,7,null,{\"s\":\"012345\"}],\"{otp}\":\"{otp}${code}\"}"));
	free(last);
}

static void
malformed_values_are_not_sent(void **state)
{
	static const char *const sends[] = {
	    "\"json\": {\"n\": \"${dest:bool}\"}, \"expect\": {\"status\": [200]}",
	    "\"json\": {\"n\": \"${flag:number}\"}, \"expect\": {\"status\": [200]}",
	    "\"json\": {\"n\": \"${empty:number}\"}, \"expect\": {\"status\": [200]}",
	    "\"json\": {\"n\": \"${empty:bool}\"}, \"expect\": {\"status\": [200]}",
	    "\"headers\": {\"X\": \"${message}\"}, \"expect\": {\"status\": [200]}",
	    "\"json\": {\"user\": \"${user}\"}, \"expect\": {\"status\": [200]}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(sends); i++) {
		struct outcome o = make(sends[i]);

		ROW(o.class == CLASS_REFUSED && !o.written && !o.outage, sends[i]);
	}
	assert_int_equal(web_requests(web), 0);
}

#define RULES                                                                         \
	"\"expect\": {\"status\": [\"2xx\"], \"all\": [[\"/ok\", \"eq\", true]]},"    \
	"\"fail\": [{\"status\": [400], \"all\": [[\"/e\", \"eq\", \"no\"]],"         \
	"  \"is\": \"bad_destination\"}, {\"status\": [400], \"is\": \"no_credit\"}," \
	"  {\"any\": [[\"/e\", \"eq\", \"down\"]], \"is\": \"provider_down\"},"       \
	"  {\"status\": [409], \"is\": \"too_many\"}, {\"status\": [409], \"is\": \"expired\"}]"

static void
answers_have_classes(void **state)
{
	static const struct {
		const char *status, *headers, *body;
		enum provider_class class;
		bool outage;
		long retry_after;
	} rows[] = {
	    {"200 OK", "", "{\"ok\":true}", CLASS_OK, false, 0},
	    {"200 OK", "", "{\"ok\":false}", CLASS_REFUSED, false, 0},
	    {"200 OK", "", "{\"ok\":\"true\"}", CLASS_REFUSED, false, 0},
	    {"200 OK", "", "", CLASS_UNANSWERED, false, 0},
	    {"200 OK", "", "<html>", CLASS_UNANSWERED, false, 0},
	    {"200 OK", "", "{\"ok\":true}{}", CLASS_UNANSWERED, false, 0},
	    {"200 OK", "", "{\"ok\":false,\"ok\":true}", CLASS_UNANSWERED, false, 0},
	    {"302 Found", "Location: https://x.example/\r\n", "", CLASS_UNANSWERED, false, 0},
	    {"400 Bad", "", "{\"e\":\"no\"}", CLASS_BAD_DESTINATION, false, 0},
	    {"400 Bad", "", "{\"e\":\"NO\"}", CLASS_NO_CREDIT, true, 0},
	    {"400 Bad", "", "no JSON", CLASS_NO_CREDIT, true, 0},
	    {"401 Who", "", "{}", CLASS_BAD_CREDENTIALS, true, 0},
	    {"402 Pay", "", "{}", CLASS_NO_CREDIT, true, 0},
	    {"403 No", "", "{}", CLASS_REFUSED, false, 0},
	    {"404 None", "", "{}", CLASS_REFUSED, false, 0},
	    {"408 Late", "", "{}", CLASS_UNANSWERED, false, 0},
	    {"409 Again", "", "{}", CLASS_TOO_MANY, false, 0},
	    {"422 What", "", "{}", CLASS_REFUSED, false, 0},
	    {"418 Tea", "", "{}", CLASS_REFUSED, false, 0},
	    {"425 Early", "", "{}", CLASS_UNANSWERED, false, 0},
	    {"422 What", "", "{\"e\":\"down\"}", CLASS_PROVIDER_DOWN, false, 0},
	    {"429 Slow", "Retry-After: 17\r\n", "{}", CLASS_RATE_LIMITED, false, 17},
	    {"500 Oh", "", "{\"ok\":true}", CLASS_PROVIDER_DOWN, true, 0},
	    {"503 Oh", "Retry-After: 9\r\n", "<html>", CLASS_PROVIDER_DOWN, true, 9},
	    {"503 Oh", "", "{\"e\":\"down\"}", CLASS_PROVIDER_DOWN, true, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct outcome o;

		web_answer(web, rows[i].status, rows[i].headers, rows[i].body);
		o = make(RULES);
		if (o.class != rows[i].class || o.outage != rows[i].outage ||
		    o.retry_after != rows[i].retry_after || o.status != atol(rows[i].status))
			fail_msg("row %zu, %s %s: %s%s", i, rows[i].status, rows[i].body,
			    provider_class_name(o.class), o.outage ? ", outage" : "");
		assert_true(o.written);
		assert_null(strstr(o.detail, "012345"));
	}
}

/* The check of a code: an answer that expect does not match is wrong, and a body that is not JSON
 * is neither right nor wrong. */
static void
checks_have_classes_of_their_own(void **state)
{
	static const struct {
		const char *status, *body;
		enum provider_class class;
	} rows[] = {
	    {"200 OK", "{\"ok\":true}", CLASS_OK},
	    {"200 OK", "{\"ok\":1}", CLASS_WRONG_CODE},
	    {"200 OK", "{}", CLASS_WRONG_CODE},
	    {"200 OK", "{\"ok\":true,\"ok\":true}", CLASS_PROVIDER_DOWN},
	    {"200 OK", "", CLASS_PROVIDER_DOWN},
	    {"200 OK", "OK", CLASS_PROVIDER_DOWN},
	    {"201 Made", "{\"ok\":true}", CLASS_WRONG_CODE},
	    {"302 Found", "{\"ok\":true}", CLASS_REFUSED},
	    {"400 Bad", "", CLASS_WRONG_CODE},
	    {"401 Who", "{\"ok\":true}", CLASS_BAD_CREDENTIALS},
	    {"403 No", "", CLASS_BAD_CREDENTIALS},
	    {"404 None", "", CLASS_EXPIRED},
	    {"410 Gone", "", CLASS_EXPIRED},
	    {"422 What", "", CLASS_WRONG_CODE},
	    {"429 Slow", "", CLASS_RATE_LIMITED},
	    {"500 Oh", "{\"ok\":true}", CLASS_PROVIDER_DOWN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct outcome o;

		web_answer(web, rows[i].status, "", rows[i].body);
		o = make_for(REQUEST_VERIFY, "\"expect\": {\"status\": [200], \"all\":"
					     "[[\"/ok\", \"eq\", true]]}");
		if (o.class != rows[i].class)
			fail_msg("row %zu: %s", i, provider_class_name(o.class));
	}
}

static void
bodies_are_of_three_kinds(void **state)
{
	static const struct {
		const char *send, *type, *body;
	} rows[] = {
	    {"\"form\": {\"a\": \"${message}\", \"b?\": \"${empty}\", \"c\": \"${code}\"}",
		"application/x-www-form-urlencoded",
		"\r\n\r\na=Say%20%22%24%7Bcode%7D%22%0A&c=012345"},
	    {"\"text\": \"code ${code}\"", "text/plain; charset=utf-8", "\r\n\r\ncode 012345"},
	    {"\"json\": \"${code}\"", "application/json", "\r\n\r\n\"012345\""},
	};
	char send[256], type[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *last;

		(void)snprintf(
		    send, sizeof(send), "%s, \"expect\": {\"status\": [200]}", rows[i].send);
		assert_int_equal(make(send).class, CLASS_OK);
		last = web_last(web);
		(void)snprintf(type, sizeof(type), "\r\nContent-Type: %s\r\n", rows[i].type);
		ROW(strstr(last, type), rows[i].type);
		assert_string_equal(strstr(last, "\r\n\r\n"), rows[i].body);
		free(last);
	}
}

static void
a_login_is_basic_authentication(void **state)
{
	static const struct {
		const char *auth;
		bool said;
	} rows[] = {
	    {"\"auth\": {\"basic\": [\"${dest}\", \"${code}\"]}", true},
	    {"\"auth?\": {\"basic\": [\"${dest}\", \"${code}\"]}", true},
	    {"\"auth?\": {\"basic\": [\"${dest}\", \"${empty}\"]}", false},
	    {"\"auth?\": {\"basic\": [\"${empty}\", \"${code}\"]}", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char send[256], *last;

		(void)snprintf(
		    send, sizeof(send), "%s, \"expect\": {\"status\": [200]}", rows[i].auth);
		assert_int_equal(make(send).class, CLASS_OK);
		last = web_last(web);
		/* 9876543219:012345 */
		ROW(!strstr(last, "\r\nAuthorization: Basic OTg3NjU0MzIxOTowMTIzNDU=\r\n") ==
			!rows[i].said,
		    rows[i].auth);
		ROW(!strstr(last, "Authorization:") == !rows[i].said, rows[i].auth);
		free(last);
	}
}

static void
no_answer_is_unanswered_or_down(void **state)
{
	static const char *const odd[] = {
	    "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"ok\":true}",
	    "HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n{\"ok\":true}",
	    "HTTP/1.1 200 OK\r\nX: y", "SSH-2.0-OpenSSH_9.2\r\n", "{\"ok\":true}"};
	struct outcome o;
	char base[64];

	(void)state;
	web_say(web, "", 0, WEB_CLOSE);
	o = make(RULES);
	assert_int_equal(o.class, CLASS_UNANSWERED);
	assert_true(o.written && !o.outage);
	/* No complete answer came, but the request was written. */
	for (size_t i = 0; i < COUNT(odd); i++) {
		web_say(web, odd[i], strlen(odd[i]), WEB_CLOSE);
		o = make(RULES);
		ROW(o.class == CLASS_UNANSWERED && o.written && !o.outage, odd[i]);
	}
	(void)snprintf(base, sizeof(base), "http://127.0.0.1:%d", web_dead_port());
	assert_int_equal(bindings_set(&bindings, "base", base), 0);
	o = make(RULES);
	assert_int_equal(o.class, CLASS_PROVIDER_DOWN);
	assert_true(!o.written && o.outage);
	assert_int_equal(bindings_set(&bindings, "base", "http://192.0.2.1"), 0);
	o = make(RULES);
	assert_int_equal(o.class, CLASS_REFUSED);
	assert_true(!o.written && !o.outage);
}

/* A user can use up resources of this machine: that is no outage of the provider. */
static void
a_fault_of_this_machine_is_no_outage(void **state)
{
	struct rlimit was, none;
	struct outcome o;

	(void)state;
	assert_int_equal(make("\"expect\": {\"status\": [200]}").class, CLASS_OK);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = (struct rlimit){0, was.rlim_max};
	http_close(http);
	assert_int_equal(curl_http_open(-1, "/etc/ssl/certs", &http), 0);
	request_without_descriptors(&none, &was, &o);
	assert_int_equal(o.class, CLASS_BROKEN);
	assert_true(!o.written && !o.outage);
	assert_int_equal(web_requests(web), 1);
	assert_int_equal(make("\"expect\": {\"status\": [200]}").class, CLASS_OK);
}

static void
captures_are_kept_as_text(void **state)
{
	struct outcome o;

	(void)state;
	web_answer(web, "200 OK", "X-Id: h7\r\nSet-Cookie: qt=c7; Path=/\r\n",
	    "{\"id\":7,\"deep\":[{\"x\":\"${code}\"}],\"flag\":true,\"null\":null}");
	o = make("\"expect\": {\"status\": [200]}, \"capture\": {\"id\": \"/id\","
		 "\"x\": {\"ptr\": \"/deep/0/x\"}, \"f\": \"/flag\", \"h\": {\"header\": \"x-id\"},"
		 "\"c\": {\"cookie\": \"qt\"}, \"o\": {\"ptr\": \"/no\", \"optional\": true}}");
	assert_int_equal(o.class, CLASS_OK);
	assert_string_equal(bindings.values.get(&bindings.values, "id"), "7");
	assert_string_equal(bindings.values.get(&bindings.values, "x"), "${code}");
	assert_string_equal(bindings.values.get(&bindings.values, "f"), "true");
	assert_string_equal(bindings.values.get(&bindings.values, "h"), "h7");
	assert_string_equal(bindings.values.get(&bindings.values, "c"), "c7");
	assert_null(bindings.values.get(&bindings.values, "o"));
	for (size_t i = 0; i < 3; i++) {
		static const char *const missing[] = {
		    "\"/no\"", "\"/null\"", "{\"cookie\": \"q\"}"};
		char send[128];

		(void)snprintf(send, sizeof(send),
		    "\"expect\": {\"status\": [200]}, \"capture\": {\"a\": %s}", missing[i]);
		o = make(send);
		ROW(o.class != CLASS_OK && !o.outage && o.written, missing[i]);
	}
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(predicates_are_strict_about_types),
	    TEST(bodies_of_other_types_match_nothing),
	    TEST(statuses_all_and_any),
	    TEST(values_are_escaped_for_their_place),
	    TEST(malformed_values_are_not_sent),
	    TEST(answers_have_classes),
	    TEST(checks_have_classes_of_their_own),
	    TEST(bodies_are_of_three_kinds),
	    TEST(a_login_is_basic_authentication),
	    TEST(no_answer_is_unanswered_or_down),
	    TEST(a_fault_of_this_machine_is_no_outage),
	    TEST(captures_are_kept_as_text),
	};

	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
