/*
 * Templates, bindings and JSON: a value is inserted once, escaped for its place, and is never read
 * as a template itself; JSON is read strictly (C17, C35, C36).
 */
#include "tests/unit/unit.h"

#include "common/err.h"
#include "helpers/template/bindings.h"
#include "helpers/base/json.h"
#include "helpers/template/template.h"

/* Values that try to break out of their place. */
static void
bind_all(struct bindings *b)
{
	static const struct {
		const char *name, *value;
	} values[] = {
	    {"base", "https://api.example"},
	    {"host", "api.example:8443"},
	    {"code", "012345"},
	    {"empty", ""},
	    {"dots", ".."},
	    {"dot", "."},
	    {"up", "/../x"},
	    {"query", "a&b=c?d#e"},
	    {"self", "${code}"},
	    {"quote", "\"}{'\\"},
	    {"crlf", "x\r\nEvil: 1"},
	    {"newline", "a\nb"},
	    {"encoded", "%0d%0a%2e%2e"},
	    {"space", "a b+c"},
	    {"utf8", "\xe0\xa4\xa8"},
	    {"at", "evil@host"},
	    {"phone.national", "9876543219"},
	};

	bindings_init(b);
	for (size_t i = 0; i < COUNT(values); i++)
		assert_int_equal(bindings_set(b, values[i].name, values[i].value), 0);
}

static void
values_stay_in_their_place(void **state)
{
	static const struct {
		const char *text;
		enum template_place place;
		int r;
		const char *out;
	} rows[] = {
	    {"", PLACE_TEXT, 0, ""},
	    {"{otp} $OTP ##OTP## {{1}} $ $$ $}", PLACE_TEXT, 0, "{otp} $OTP ##OTP## {{1}} $ $$ $}"},
	    {"Code ${code}.", PLACE_TEXT, 0, "Code 012345."},
	    {"${code}${code}", PLACE_TEXT, 0, "012345012345"},
	    {"${phone.national}", PLACE_TEXT, 0, "9876543219"},
	    {"$${code}", PLACE_TEXT, 0, "${code}"},
	    {"$${${code}}", PLACE_TEXT, 0, "${012345}"},
	    {"$$${code}", PLACE_TEXT, 0, "$${code}"},
	    {"${code}$${", PLACE_TEXT, 0, "012345${"},
	    {"${self}", PLACE_TEXT, 0, "${code}"},
	    {"${quote}${newline}${crlf}", PLACE_TEXT, 0, "\"}{'\\a\nbx\r\nEvil: 1"},
	    {"${nobody}", PLACE_TEXT, -OTP_ENOENT, NULL},
	    {"${}", PLACE_TEXT, -OTP_EINVAL, NULL},
	    {"${code", PLACE_TEXT, -OTP_EINVAL, NULL},
	    {"${", PLACE_TEXT, -OTP_EINVAL, NULL},
	    {"${co de}", PLACE_TEXT, -OTP_EINVAL, NULL},
	    {"${code:hex}", PLACE_TEXT, -OTP_EINVAL, NULL},
	    {"${code:}", PLACE_TEXT, -OTP_EINVAL, NULL},
	    {"${code:number", PLACE_TEXT, -OTP_EINVAL, NULL},
	    {"${:number}", PLACE_TEXT, -OTP_EINVAL, NULL},
	    {"Bearer ${code}", PLACE_HEADER, 0, "Bearer 012345"},
	    {"${self}", PLACE_HEADER, 0, "${code}"},
	    {"${encoded}", PLACE_HEADER, 0, "%0d%0a%2e%2e"},
	    {"${crlf}", PLACE_HEADER, -OTP_EINVAL, NULL},
	    {"${newline}", PLACE_HEADER, -OTP_EINVAL, NULL},
	    {"${query}", PLACE_QUERY, 0, "a%26b%3Dc%3Fd%23e"},
	    {"${crlf}", PLACE_QUERY, 0, "x%0D%0AEvil%3A%201"},
	    {"${encoded}", PLACE_QUERY, 0, "%250d%250a%252e%252e"},
	    {"${space}", PLACE_QUERY, 0, "a%20b%2Bc"},
	    {"${utf8}", PLACE_QUERY, 0, "%E0%A4%A8"},
	    {"${self}", PLACE_QUERY, 0, "%24%7Bcode%7D"},
	    {"${empty}", PLACE_QUERY, 0, ""},
	    {"-._~az09AZ", PLACE_QUERY, 0, "-._~az09AZ"},
	    {"${base}/v1/${code}", PLACE_URL, 0, "https://api.example/v1/012345"},
	    {"https://x.example/${up}", PLACE_URL, 0, "https://x.example/%2F..%2Fx"},
	    {"https://x.example/${query}", PLACE_URL, 0, "https://x.example/a%26b%3Dc%3Fd%23e"},
	    {"https://x.example/${crlf}", PLACE_URL, 0, "https://x.example/x%0D%0AEvil%3A%201"},
	    {"https://x.example/${dots}", PLACE_URL, -OTP_EINVAL, NULL},
	    {"https://x.example/${dot}/x", PLACE_URL, -OTP_EINVAL, NULL},
	    {"https://x.example/${empty}", PLACE_URL, -OTP_EINVAL, NULL},
	    {"${base}/${empty}/x", PLACE_URL, -OTP_EINVAL, NULL},
	    {"https://x.example/?a=${empty}", PLACE_URL, 0, "https://x.example/?a="},
	    {"https://x.example/?a=${dots}", PLACE_URL, 0, "https://x.example/?a=.."},
	    {"https://x.example?a=${query}", PLACE_URL, 0, "https://x.example?a=a%26b%3Dc%3Fd%23e"},
	    {"https://${host}/x", PLACE_URL, 0, "https://api.example:8443/x"},
	    {"https://${at}/x", PLACE_URL, -OTP_EINVAL, NULL},
	    {"https://${up}/x", PLACE_URL, -OTP_EINVAL, NULL},
	    {"https://${query}/x", PLACE_URL, -OTP_EINVAL, NULL},
	    {"https://${empty}/x", PLACE_URL, -OTP_EINVAL, NULL},
	    {"${base}${at}", PLACE_URL, -OTP_EINVAL, NULL},
	    {"${crlf}", PLACE_URL, -OTP_EINVAL, NULL},
	    {"x${base}", PLACE_URL, -OTP_EINVAL, NULL},
	    {"${empty}${base}/x", PLACE_URL, 0, "https://api.example/x"},
	};
	struct bindings b;

	(void)state;
	bind_all(&b);
	for (size_t i = 0; i < COUNT(rows); i++) {
		_auto_buf struct buf out = BUF_INIT(256);
		int r = template_render(rows[i].text, rows[i].place, &b.values, &out);

		if (r != rows[i].r)
			fail_msg("row %zu, \"%s\": %d", i, rows[i].text, r);
		if (!r)
			assert_string_equal(buf_str(&out), rows[i].out);
	}
	bindings_clear(&b);
}

/* If the base address has a query, what follows is a part of this query. */
static void
a_base_with_a_query_escapes_what_follows(void **state)
{
	_auto_buf struct buf out = BUF_INIT(256);
	struct bindings b;

	(void)state;
	bind_all(&b);
	assert_int_equal(bindings_set(&b, "base", "https://api.example/?to="), 0);
	assert_int_equal(template_render("${base}${query}", PLACE_URL, &b.values, &out), 0);
	assert_string_equal(buf_str(&out), "https://api.example/?to=a%26b%3Dc%3Fd%23e");
	bindings_clear(&b);
}

static void
rendering_keeps_its_bound(void **state)
{
	struct bindings b;

	(void)state;
	bind_all(&b);
	for (size_t max = 0; max < 14; max++) {
		_auto_buf struct buf out = BUF_INIT(max);

		assert_int_equal(template_render("Code ${code}.!", PLACE_TEXT, &b.values, &out),
		    max < 13 ? -OTP_ETOOBIG : 0);
	}
	bindings_clear(&b);
}

struct seen {
	char text[256];
	int stop_at;
};

static int
note(const char *name, const char *conversion, void *arg)
{
	struct seen *s = arg;

	(void)snprintf(s->text + strlen(s->text), sizeof(s->text) - strlen(s->text), "%s:%s ", name,
	    conversion);
	return --s->stop_at ? 0 : 7;
}

static void
scan_calls_in_order_and_stops(void **state)
{
	struct seen all = {.stop_at = 100}, two = {.stop_at = 2}, bad = {.stop_at = 100};
	const char *text = "$${x}${a}${b.c:number} ${d:bool}", *why = NULL;

	(void)state;
	assert_int_equal(template_scan(text, note, &all, &why), 0);
	assert_string_equal(all.text, "a: b.c:number d:bool ");
	assert_int_equal(template_scan(text, note, &two, &why), 7);
	assert_string_equal(two.text, "a: b.c:number ");
	assert_int_equal(template_scan("${a} ${b", note, &bad, &why), -OTP_EINVAL);
	assert_non_null(strstr(why, "not closed"));
}

static void
names_have_a_bound(void **state)
{
	char text[TEMPLATE_NAME_MAX + 8] = "${";
	struct seen s = {.stop_at = 100};
	const char *why = NULL;

	(void)state;
	memset(text + 2, 'n', TEMPLATE_NAME_MAX - 1);
	text[TEMPLATE_NAME_MAX + 1] = '}';
	assert_int_equal(template_scan(text, note, &s, &why), 0);
	text[TEMPLATE_NAME_MAX + 1] = 'n';
	text[TEMPLATE_NAME_MAX + 2] = '}';
	assert_int_equal(template_scan(text, note, &s, &why), -OTP_EINVAL);
}

static void
emptiness_of_any_variable_counts(void **state)
{
	static const struct {
		const char *text;
		bool empty;
	} rows[] = {{"", false}, {"plain", false}, {"${code}", false}, {"${empty}", true},
	    {"${code}${empty}", true}, {"x${nobody}", true}, {"$${empty}", false},
	    {"${empty:number}", true}};
	struct bindings b;

	(void)state;
	bind_all(&b);
	for (size_t i = 0; i < COUNT(rows); i++)
		ROW(template_uses_empty(rows[i].text, &b.values) == rows[i].empty, rows[i].text);
	bindings_clear(&b);
}

static void
typed_is_the_whole_text_only(void **state)
{
	static const char *const no[] = {"", "${code}", " ${code:number}", "${code:number} ",
	    "${code:number}${code:number}", "${code:hex}", "$${code:number}", "${code:number"};
	char name[TEMPLATE_NAME_MAX];
	const char *conversion = NULL;

	(void)state;
	assert_true(template_typed("${code:number}", name, sizeof(name), &conversion));
	assert_string_equal(name, "code");
	assert_string_equal(conversion, "number");
	assert_true(template_typed("${a.b:bool}", name, sizeof(name), &conversion));
	assert_string_equal(conversion, "bool");
	for (size_t i = 0; i < COUNT(no); i++)
		ROW(!template_typed(no[i], name, sizeof(name), &conversion), no[i]);
}

static void
bindings_replace_bound_and_never_rescan(void **state)
{
	struct bindings b;
	char name[16];

	(void)state;
	bindings_init(&b);
	assert_null(b.values.get(&b.values, "a"));
	assert_int_equal(bindings_set(&b, "a", "1"), 0);
	assert_int_equal(bindings_set(&b, "a", "${a}"), 0);
	assert_int_equal(bindings_render(&b, "c", "<${a}>"), 0);
	assert_string_equal(b.values.get(&b.values, "c"), "<${a}>");
	assert_int_equal(bindings_render(&b, "d", "${c}"), 0);
	assert_string_equal(b.values.get(&b.values, "d"), "<${a}>");
	assert_int_equal(bindings_render(&b, "e", "${nobody}"), -OTP_ENOENT);
	assert_null(b.values.get(&b.values, "e"));
	assert_int_equal(bindings_setf(&b, "f", "%s-%d", "x", 7), 0);
	assert_string_equal(b.values.get(&b.values, "f"), "x-7");
	assert_int_equal(bindings_setf(&b, "f", "%300d", 7), -OTP_ETOOBIG);
	for (int i = 0; b.n < BINDINGS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(bindings_set(&b, name, "x"), 0);
	}
	assert_int_equal(bindings_set(&b, "one.more", "x"), -OTP_ETOOBIG);
	assert_int_equal(bindings_set(&b, "a", "still"), 0);
	bindings_clear(&b);
	assert_null(b.values.get(&b.values, "a"));
}

static int
read_text(const char *text, json_t **out)
{
	char why[128];

	*out = NULL;
	return json_read(text, strlen(text), out, why, sizeof(why));
}

static void
nest(char *text, int depth, const char *open, const char *close, const char *leaf)
{
	*text = '\0';
	for (int i = 0; i < depth; i++)
		strcat(text, open);
	strcat(text, leaf);
	for (int i = 0; i < depth; i++)
		strcat(text, close);
}

static void
json_is_read_strictly(void **state)
{
	static const char *const good[] = {
	    "{}", "[]", "1", "\"x\"", "true", "null", " {\"a\": [1, 2.5, \"\\u00e9\"]} \n"};
	static const char *const bad[] = {"", " ", "{", "{} {}", "{}x", "{\"a\":1,\"a\":2}",
	    "{\"a\":{\"b\":1,\"b\":1}}", "\"\\u0000\"", "\"\xff\"", "{a:1}", "[1,]", "01", "'x'",
	    "NaN", "99999999999999999999", "<html>", "\"\\ud800\""};
	char text[1024];
	json_t *j;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		ROW(!read_text(good[i], &j), good[i]);
		json_decref(j);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		ROW(read_text(bad[i], &j) == -OTP_EINVAL && !j, bad[i]);
	assert_int_equal(json_read("{}\0{}", 5, &j, text, sizeof(text)), -OTP_EINVAL);
	for (int depth = 30; depth < 40; depth++) {
		nest(text, depth, "[", "]", "1");
		assert_int_equal(read_text(text, &j), depth <= JSON_DEPTH_MAX ? 0 : -OTP_EINVAL);
		json_decref(j);
		nest(text, depth, "{\"a\":", "}", "1");
		assert_int_equal(read_text(text, &j), depth <= JSON_DEPTH_MAX ? 0 : -OTP_EINVAL);
		json_decref(j);
	}
}

static void
depth_bombs_are_refused(void **state)
{
	enum { DEEP = 100000 };
	char *text = malloc(DEEP), why[64];
	json_t *j = NULL;

	(void)state;
	memset(text, '[', DEEP);
	assert_int_equal(json_read(text, DEEP, &j, why, sizeof(why)), -OTP_EINVAL);
	free(text);
}

/* An error does not quote the text, which may have a code in it (U38). */
static void
json_errors_quote_nothing(void **state)
{
	char why[128];
	json_t *j = NULL;

	(void)state;
	assert_int_equal(
	    json_read("{\"code\": 123456 oops}", 21, &j, why, sizeof(why)), -OTP_EINVAL);
	assert_null(strstr(why, "123456"));
	assert_null(strstr(why, "oops"));
	assert_non_null(strstr(why, "line 1"));
}

static void
pointers_are_rfc_6901(void **state)
{
	static const struct {
		const char *pointer, *want; /* NULL: there is no such value */
	} rows[] = {{"/a/b", "1"}, {"/list/0", "\"x\""}, {"/list/1/y", "true"}, {"/", "5"},
	    {"/s~1l", "2"}, {"/t~0d", "3"}, {"/~01", "4"}, {"/a", "{\"b\":1}"}, {"/list/2", NULL},
	    {"/list/00", NULL}, {"/list/-", NULL}, {"/list/-1", NULL}, {"/list/", NULL},
	    {"/list/99999999999999999999", NULL}, {"/a/b/c", NULL}, {"/str/0", NULL},
	    {"/a/missing", NULL}, {"a", NULL}, {"/t~2d", NULL}, {"/t~", NULL}, {"/null/x", NULL},
	    {"/null", "null"}};
	json_t *j;

	(void)state;
	assert_int_equal(read_text("{\"a\":{\"b\":1},\"list\":[\"x\",{\"y\":true}],\"\":5,"
				   "\"s/l\":2,\"t~d\":3,\"~1\":4,\"str\":\"s\",\"null\":null}",
			     &j),
	    0);
	assert_ptr_equal(json_at(j, ""), j);
	assert_null(json_at(NULL, "/a"));
	for (size_t i = 0; i < COUNT(rows); i++) {
		json_t *at = json_at(j, rows[i].pointer);
		_auto_buf struct buf b = BUF_INIT(64);

		ROW(!at == !rows[i].want, rows[i].pointer);
		if (!at)
			continue;
		assert_int_equal(json_write(at, &b), 0);
		assert_string_equal(buf_str(&b), rows[i].want);
	}
	json_decref(j);
}

static void
scalars_become_text(void **state)
{
	static const struct {
		const char *json, *text;
	} rows[] = {{"\"s\"", "s"}, {"12", "12"}, {"-9223372036854775808", "-9223372036854775808"},
	    {"true", "true"}, {"false", "false"}, {"2.5", "2.5"}, {"null", NULL}, {"{}", NULL},
	    {"[]", NULL}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_auto_buf struct buf b = BUF_INIT(64);
		json_t *j;

		assert_int_equal(read_text(rows[i].json, &j), 0);
		ROW(json_scalar(j, &b) == (rows[i].text ? 0 : -OTP_EINVAL), rows[i].json);
		if (rows[i].text)
			assert_string_equal(buf_str(&b), rows[i].text);
		json_decref(j);
	}
	{
		_auto_buf struct buf b = BUF_INIT(64);

		assert_int_equal(json_scalar(NULL, &b), -OTP_EINVAL);
	}
}

/* The examples of RFC 7396, appendix A, whose target is an object. */
static void
merge_patches_are_rfc_7396(void **state)
{
	static const struct {
		const char *target, *patch, *result;
	} rows[] = {
	    {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
	    {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
	    {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
	    {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
	    {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
	    {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
	    {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
	    {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
	    {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
	    {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
	    {"{\"a\":1}", "{\"a\":{\"b\":{\"c\":2}}}", "{\"a\":{\"b\":{\"c\":2}}}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		json_t *target, *patch, *result;

		assert_int_equal(read_text(rows[i].target, &target), 0);
		assert_int_equal(read_text(rows[i].patch, &patch), 0);
		assert_int_equal(read_text(rows[i].result, &result), 0);
		assert_int_equal(json_merge_patch(target, patch), 0);
		ROW(json_equal(target, result), rows[i].patch);
		json_decref(target);
		json_decref(patch);
		json_decref(result);
	}
}

static void
writing_keeps_its_bound(void **state)
{
	_auto_buf struct buf small = BUF_INIT(4), big = BUF_INIT(64);
	json_t *j = json_pack("{s:s}", "key", "\"}\n");

	(void)state;
	assert_int_equal(json_write(j, &small), -OTP_ETOOBIG);
	assert_int_equal(json_write(j, &big), 0);
	assert_string_equal(buf_str(&big), "{\"key\":\"\\\"}\\n\"}");
	json_decref(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_stay_in_their_place),
	    cmocka_unit_test(a_base_with_a_query_escapes_what_follows),
	    cmocka_unit_test(rendering_keeps_its_bound),
	    cmocka_unit_test(scan_calls_in_order_and_stops),
	    cmocka_unit_test(names_have_a_bound),
	    cmocka_unit_test(emptiness_of_any_variable_counts),
	    cmocka_unit_test(typed_is_the_whole_text_only),
	    cmocka_unit_test(bindings_replace_bound_and_never_rescan),
	    cmocka_unit_test(json_is_read_strictly),
	    cmocka_unit_test(depth_bombs_are_refused),
	    cmocka_unit_test(json_errors_quote_nothing),
	    cmocka_unit_test(pointers_are_rfc_6901),
	    cmocka_unit_test(scalars_become_text),
	    cmocka_unit_test(merge_patches_are_rfc_7396),
	    cmocka_unit_test(writing_keeps_its_bound),
	};

	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
