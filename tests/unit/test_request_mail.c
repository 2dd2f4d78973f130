/*
 * A profile's mail and the server's reply: classes by the stage that was refused, logins, and
 * malformed values (C8, C19).
 */
#include "tests/unit/unit.h"

#include "common/err.h"
#include "helpers/http/curl.h"
#include "helpers/provider/request.h"
#include "tests/unit/mail_rig.h"
#include "tests/unit/report.h"

static struct folder folder;
static struct post *post;
static struct http *http;
static struct bindings bindings;
static const struct http_route direct;

static int
setup(void **state)
{
	(void)state;
	folder_make(&folder);
	post = post_start();
	bindings_init(&bindings);
	assert_int_equal(
	    bindings_setf(&bindings, "server", "smtp://127.0.0.1:%d", post_port(post)), 0);
	assert_int_equal(bindings_set(&bindings, "host", "box.example"), 0);
	assert_int_equal(bindings_set(&bindings, "user", "asha"), 0);
	assert_int_equal(bindings_set(&bindings, "dest", "asha@mail.example"), 0);
	assert_int_equal(bindings_set(&bindings, "phone.digits", "9779800000019"), 0);
	assert_int_equal(bindings_set(&bindings, "message", "Code ${code}: 012345\n"), 0);
	assert_int_equal(bindings_set(&bindings, "name", ""), 0);
	assert_int_equal(bindings_set(&bindings, "login", ""), 0);
	assert_int_equal(bindings_set(&bindings, "password", ""), 0);
	return curl_http_open(-1, "/etc/ssl/certs", &http);
}

static int
teardown(void **state)
{
	(void)state;
	http_close(http);
	bindings_clear(&bindings);
	post_stop(post);
	folder_drop(&folder);
	return 0;
}

#define TO(to)                                                                              \
	"\"mail\": {\"from\": \"root@${host}\", \"from_name?\": \"${name}\", \"to\": \"" to \
	"\", \"subject\": \"Sign-in to ${host}\", \"text\": \"${message}\"}"
#define EXPECT ", \"expect\": {\"status\": [250]}"
#define LOGIN  ", \"auth?\": {\"basic\": [\"${login}\", \"${password}\"]}"

static struct outcome
make(const char *send)
{
	char *path[] = {folder.path}, text[4096];
	struct strlist folders = {path, 1};
	_auto_report struct conf_report report = {.max = 4096};
	struct outcome o = {.class = CLASS_OK};
	struct profile *p = NULL;

	assert_in_range(
	    snprintf(text, sizeof(text),
		"{\"profile\": 1, \"name\": \"x\", \"vars\": {\"server\": \"\", \"name\": \"\","
		"\"login\": \"\", \"password\": {\"secret\": true}},"
		"\"channels\": {\"email\": {\"needs\": \"email\"}},"
		"\"code\": {\"by\": \"module\"}, \"bound_to\": \"challenge\","
		"\"message\": \"Code ${code}\","
		"\"send\": {\"url\": \"${server}/${host}\", %s}}",
		send),
	    1, sizeof(text) - 1);
	folder_write(&folder, "x.json", text, 0644);
	if (profile_load("x", NULL, &folders, geteuid(), &p, &report))
		fail_msg("%s", report_text(&report));
	assert_int_equal(
	    request_make(&p->send, REQUEST_SEND, &bindings, http, &direct, deadline_in(5000), &o),
	    0);
	profile_free(p);
	return o;
}

static void
values_go_to_their_places(void **state)
{
	struct outcome o = make(TO("${dest}") EXPECT LOGIN);

	(void)state;
	assert_int_equal(o.class, CLASS_OK);
	assert_int_equal(o.status, 250);
	assert_true(o.written);
	assert_string_equal(o.detail, "");
	assert_true(post_received(post, "EHLO box.example\r\nMAIL FROM:<root@box.example>\r\n"
					"RCPT TO:<asha@mail.example>\r\n"));
	assert_true(post_received(post, "\r\nFrom: <root@box.example>\r\n"));
	assert_true(post_received(post, "\r\nSubject: Sign-in to box.example\r\n"));
	/* A value is not a template. */
	assert_true(post_received(post, "\r\n\r\nCode ${code}: 012345\r\n"));
	assert_false(post_received(post, "AUTH"));
	post_reset(post);
	assert_int_equal(bindings_set(&bindings, "name", "Example"), 0);
	assert_int_equal(make(TO("${phone.digits}@sms.example") EXPECT).class, CLASS_OK);
	assert_true(post_received(post, "RCPT TO:<9779800000019@sms.example>\r\n"));
	assert_true(post_received(post, "\r\nFrom: \"Example\" <root@box.example>\r\n"));
}

/* A login needs both values. The secret is in the dialog only. */
static void
a_login_is_left_out_when_part_of_it_is_missing(void **state)
{
	static const struct {
		const char *login, *password;
		bool used;
	} rows[] = {{"", "p", false}, {"u", "", false}, {"u", "p", true}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct outcome o;

		assert_int_equal(bindings_set(&bindings, "login", rows[i].login), 0);
		assert_int_equal(bindings_set(&bindings, "password", rows[i].password), 0);
		o = make(TO("${dest}") EXPECT LOGIN);
		assert_int_equal(o.class, CLASS_OK);
		assert_int_equal(post_received(post, "AUTH PLAIN\r\nAHUAcA==\r\n"), rows[i].used);
		post_reset(post);
	}
	post_say(post, TURN_EHLO, "250 mail.example\r\n", WEB_KEEP);
	assert_int_equal(make(TO("${dest}") EXPECT LOGIN).class, CLASS_BAD_CREDENTIALS);
	assert_true(make(TO("${dest}") EXPECT LOGIN).outage);
	assert_false(post_received(post, "MAIL"));
}

/* Classes decide who is asked next. A failure that the user may cause is no outage. */
static void
replies_have_classes(void **state)
{
	static const struct {
		enum turn turn;
		const char *reply;
		enum provider_class class;
		bool outage, written;
	} rows[] = {
	    {TURN_GREETING, "421 no\r\n", CLASS_PROVIDER_DOWN, true, false},
	    {TURN_GREETING, "554 no\r\n", CLASS_PROVIDER_DOWN, true, false},
	    {TURN_GREETING, "what\r\n", CLASS_PROVIDER_DOWN, true, false},
	    {TURN_MAIL, "421 no\r\n", CLASS_PROVIDER_DOWN, false, false},
	    {TURN_MAIL, "451 no\r\n", CLASS_PROVIDER_DOWN, false, false},
	    {TURN_MAIL, "530 log in\r\n", CLASS_BAD_CREDENTIALS, true, false},
	    {TURN_MAIL, "534 no\r\n", CLASS_BAD_CREDENTIALS, true, false},
	    {TURN_MAIL, "535 no\r\n", CLASS_BAD_CREDENTIALS, true, false},
	    {TURN_MAIL, "538 no\r\n", CLASS_BAD_CREDENTIALS, true, false},
	    {TURN_MAIL, "550 no\r\n", CLASS_REFUSED, false, false},
	    {TURN_MAIL, "553 no\r\n", CLASS_REFUSED, false, false},
	    {TURN_RCPT, "450 busy\r\n", CLASS_PROVIDER_DOWN, false, false},
	    {TURN_RCPT, "451 greylisted\r\n", CLASS_PROVIDER_DOWN, false, false},
	    {TURN_RCPT, "452 full\r\n", CLASS_PROVIDER_DOWN, false, false},
	    {TURN_RCPT, "530 log in\r\n", CLASS_BAD_CREDENTIALS, true, false},
	    {TURN_RCPT, "550 nobody\r\n", CLASS_BAD_DESTINATION, false, false},
	    {TURN_RCPT, "551 moved\r\n", CLASS_BAD_DESTINATION, false, false},
	    {TURN_RCPT, "552 full\r\n", CLASS_NO_CREDIT, true, false},
	    {TURN_RCPT, "553 what\r\n", CLASS_BAD_DESTINATION, false, false},
	    {TURN_RCPT, "554 no relay\r\n", CLASS_BAD_DESTINATION, false, false},
	    {TURN_MAIL, "", CLASS_PROVIDER_DOWN, true, false},
	    {TURN_RCPT, "", CLASS_PROVIDER_DOWN, false, false},
	    {TURN_DATA, "451 no\r\n", CLASS_PROVIDER_DOWN, false, false},
	    {TURN_DATA, "554 no\r\n", CLASS_BAD_DESTINATION, false, false},
	    {TURN_DATA, "250 taken\r\n", CLASS_PROVIDER_DOWN, false, false},
	    {TURN_TEXT, "452 full\r\n", CLASS_PROVIDER_DOWN, false, true},
	    {TURN_TEXT, "554 spam\r\n", CLASS_BAD_DESTINATION, false, true},
	    {TURN_TEXT, "251 taken\r\n", CLASS_UNANSWERED, false, true},
	    {TURN_TEXT, "", CLASS_UNANSWERED, false, true},
	};
	static const char rule[] = ", \"fail\": [{\"status\": [552], \"is\": \"no_credit\"}]";

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char send[512];
		struct outcome o;

		(void)snprintf(send, sizeof(send), "%s%s", TO("${dest}") EXPECT, rule);
		post_say(post, rows[i].turn, rows[i].reply, *rows[i].reply ? WEB_KEEP : WEB_CLOSE);
		o = make(send);
		if (o.class != rows[i].class || o.outage != rows[i].outage ||
		    o.written != rows[i].written || !*o.detail)
			fail_msg("row %zu, %s: %s%s%s, %s", i, rows[i].reply,
			    provider_class_name(o.class), o.outage ? ", outage" : "",
			    o.written ? ", written" : "", o.detail);
		assert_true(o.status == atol(rows[i].reply) || !o.status);
		post_reset(post);
	}
}

/* Only a status that `expect` has is a success. */
static void
only_an_expected_status_is_a_success(void **state)
{
	struct outcome o = make(TO("${dest}") ", \"expect\": {\"status\": [251]}");

	(void)state;
	assert_int_equal(o.class, CLASS_PROVIDER_DOWN);
	assert_int_equal(o.status, 250);
	assert_false(o.outage);
}

static void
malformed_values_are_not_sent(void **state)
{
	static const struct {
		const char *name, *value;
	} rows[] = {{"dest", "a@b\r\nRCPT TO:<c@d>"}, {"dest", "a@b, c@d"}, {"dest", ""},
	    {"host", "a\nb"}, {"host", ""}, {"host", "box>\r\n"}, {"host", "a b"},
	    {"name", "x\r\nBcc: c@d"}, {"message", "\xff"}, {"login", "a\nb"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct outcome o;

		assert_int_equal(bindings_set(&bindings, "dest", "asha@mail.example"), 0);
		assert_int_equal(bindings_set(&bindings, "host", "box.example"), 0);
		assert_int_equal(bindings_set(&bindings, "name", ""), 0);
		assert_int_equal(bindings_set(&bindings, "message", "text"), 0);
		assert_int_equal(bindings_set(&bindings, "password", "p"), 0);
		assert_int_equal(bindings_set(&bindings, rows[i].name, rows[i].value), 0);
		o = make(TO("${dest}") EXPECT LOGIN);
		ROW(o.class == CLASS_REFUSED && !o.written && !o.outage && *o.detail, rows[i].name);
	}
	assert_int_equal(post_connections(post), 0);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(values_go_to_their_places),
	    TEST(a_login_is_left_out_when_part_of_it_is_missing),
	    TEST(replies_have_classes),
	    TEST(only_an_expected_status_is_a_success),
	    TEST(malformed_values_are_not_sent),
	};

	return cmocka_run_group_tests_name("request_mail", tests, NULL, NULL);
}
