/*
 * Profiles: the shipped ones load. Each error is reported with the file, the position in it, and
 * what was expected (U12, C8). Each wrong profile is a variant (RFC 7396) of one right profile.
 */
#include "tests/unit/unit.h"

#include "common/err.h"
#include "helpers/base/json.h"
#include "helpers/profile/profile.h"
#include "tests/unit/report.h"

enum { REPORT_MAX = 16 * 1024 };

static struct folder folder;
static char *folders_item[2];
static struct strlist folders = {folders_item, 1};

static const char right[] =
    "{\"profile\": 1, \"name\": \"x\", \"title\": \"X\","
    " \"vars\": {\"base\": \"https://x.example\", \"token\": {\"required\": true, \"secret\": "
    "true},"
    "  \"name\": {\"default\": \"d\"}},"
    " \"channels\": {\"sms\": {\"needs\": \"phone\", \"dest\": \"${phone.digits}\","
    "   \"set\": {\"mode\": \"text\"}}, \"email\": {\"needs\": \"email\", \"set\": {\"mode\": "
    "\"mail\"}}},"
    " \"code\": {\"by\": \"module\", \"placeholder\": \"{otp}\"}, \"bound_to\": \"challenge\","
    " \"message\": \"Code ${code}\","
    " \"send\": {\"method\": \"POST\", \"url\": \"${base}/send\","
    "   \"headers\": {\"Authorization\": \"Bearer ${token}\", \"X?\": \"${name}\"},"
    "   \"query\": {\"m\": \"${mode}\"},"
    "   \"json\": {\"to\": \"${dest}\", \"l\": [\"${message}\", {\"n\": \"${code:number}\"}]},"
    "   \"expect\": {\"status\": [\"2xx\", 302], \"all\": [[\"/ok\", \"eq\", true],"
    "     [\"/id\", \"nonempty\"], [\"/error\", \"absent\"], [\"/e\", \"absent_or\", [1, null]]]},"
    "   \"capture\": {\"id\": \"/id\", \"h\": {\"header\": \"X-Id\", \"optional\": true},"
    "     \"c\": {\"cookie\": \"qt\"}, \"p\": {\"ptr\": \"/a\"}},"
    "   \"fail\": [{\"status\": [429], \"is\": \"rate_limited\"},"
    "     {\"any\": [[\"/code\", \"eq\", \"E1\"]], \"is\": \"bad_destination\"}]},"
    " \"variants\": {\"v\": %s}}";

static int
setup(void **state)
{
	(void)state;
	folder_make(&folder);
	folders_item[0] = folder.path;
	folders.n = 1;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	folder_drop(&folder);
	return 0;
}

/* Loads the right profile, changed by a patch. */
static int
load(const char *patch, struct profile **out, struct conf_report *report)
{
	char text[8192];

	*out = NULL;
	assert_in_range(snprintf(text, sizeof(text), right, patch), 1, sizeof(text) - 1);
	folder_write(&folder, "x.json", text, 0644);
	return profile_load("x", "v", &folders, geteuid(), out, report);
}

static void
a_right_profile_is_read_completely(void **state)
{
	_auto_report struct conf_report report = {.max = REPORT_MAX};
	struct profile *p;
	const struct request *q;

	(void)state;
	assert_int_equal(load("{}", &p, &report), 0);
	assert_string_equal(report_text(&report), "");
	q = &p->send;
	assert_string_equal(p->title, "X");
	assert_string_equal(p->placeholder, "{otp}");
	assert_int_equal(p->nvars, 3);
	assert_true(profile_var(p, "token")->required && profile_var(p, "token")->secret);
	assert_string_equal(profile_var(p, "name")->value, "d");
	assert_null(profile_var(p, "nobody"));
	assert_int_equal(profile_channel(p, "sms")->needs, CONTACT_PHONE);
	assert_string_equal(profile_channel(p, "email")->dest, "${email}");
	assert_null(profile_channel(p, "voice"));
	assert_string_equal(q->method, "POST");
	assert_true(q->headers.item[1].optional);
	assert_string_equal(q->headers.item[1].name, "X");
	assert_int_equal(q->expect.nstatus, 2);
	assert_int_equal(q->expect.status[0], 2);
	assert_int_equal(q->expect.status[1], 302);
	assert_int_equal(q->expect.nchecks, 4);
	assert_false(q->expect.any);
	assert_int_equal(q->ncaptures, 4);
	assert_int_equal(q->nfails, 2);
	assert_true(q->fail[1].when.any);
	assert_int_equal(q->fail[1].is, CLASS_BAD_DESTINATION);
	profile_free(p);
	profile_free(NULL);
}

/* A patch for a send by mail: its URL, the members of its mail, and more members of the send. */
#define MAIL(url, mail, more)                                                                \
	"{\"send\": {\"method\": null, \"headers\": null, \"query\": null, \"json\": null, " \
	"\"capture\": null, \"url\": \"" url "\", \"mail\": {" mail "}" more "}}"
#define FROM_TO	  "\"from\": \"a@b\", \"to\": \"${dest}\""
#define LETTER	  FROM_TO ", \"subject\": \"s\", \"text\": \"${message}\""
#define NO_CHECKS ", \"expect\": {\"all\": null}, \"fail\": null"
#define TAKEN	  "this is a variable already; an answer must not replace it"

static const struct fault {
	const char *patch, *at, *message;
} faults[] = {
    {"{\"profile\": 2}", "/profile", "expected 1"},
    {"{\"profile\": \"1\"}", "/profile", "expected 1"},
    {"{\"profile\": null}", "/profile", "expected 1"},
    {"{\"name\": null}", "/name", "missing"},
    {"{\"name\": 7}", "/name", "expected a string"},
    {"{\"sent\": {}}", "/sent", "did you mean \"send\"?"},
    {"{\"verify\": {}}", "/verify/method", "expected one of"},
    {"{\"verify\": {}}", "/", "verify is required with a code by \"provider\""},
    {"{\"cleanup\": {}}", "/", "cleanup is allowed only with verify"},
    {"{\"resend\": 1}", "/resend", "expected an object"},
    {"{\"warm\": {\"url\": \"http://x\"}}", "/warm/url", "https://"},
    {"{\"warm\": {\"url\": \"https://x/${code}\"}}", "/warm/url",
	"${code} has no value at this point"},
    {"{\"session\": []}", "/session", "expected an object"},
    {"{\"session\": {}}", "/session/request", "expected an object"},
    {"{\"session\": {\"ttl\": 0}}", "/session/ttl", "expected a number of seconds"},
    {"{\"session\": {\"ttl\": 99999999}}", "/session/ttl", "expected a number of seconds"},
    {"{\"session\": {\"renew_on\": 401}}", "/session/renew_on", "expected an array"},
    {"{\"session\": {\"key\": \"${nobody}\"}}", "/session/key", "${nobody}"},
    {"{\"session\": {\"token\": 1}}", "/session/token", "unknown key"},
    {"{\"vars\": {\"a\": \"${base}\"}}", "/vars/a", "${base} has no value at this point"},
    {"{\"vars\": {\"a\": \"${user\"}}", "/vars/a", "not closed"},
    {"{\"vars\": {\"a\": {\"default\": \"${code}\"}}}", "/vars/a",
	"${code} has no value at this point"},
    {"{\"channels\": {\"sms\": {\"dest\": \"${base}\"}}}", "/channels/sms",
	"${base} has no value at this point"},
    {"{\"channels\": {\"sms\": {\"set\": {\"code\": \"1\"}}}}", "/channels/sms",
	"${code} is a built-in"},
    {"{\"code\": {\"by\": \"response\"}}", "/code", "ptr is required with"},
    {"{\"code\": {\"ptr\": \"/otp\"}}", "/code", "ptr is required with"},
    {"{\"code\": {\"by\": \"response\", \"ptr\": \"otp\"}}", "/code/ptr", "begins with '/'"},
    {"{\"code\": {\"by\": \"provider\", \"echo\": \"/otp\"}}", "/code",
	"echo is allowed only with"},
    {"{\"code\": {\"by\": \"provider\"}}", "/send/json/l/1/n",
	"${code} has no value at this point"},
    {"{\"code\": {\"length\": 3}}", "/code/length", "from 4 to 12"},
    {"{\"code\": {\"length\": [8, 4]}}", "/code/length", "from 4 to 12"},
    {"{\"code\": {\"length\": [4, 8, 9]}}", "/code/length", "[least, most]"},
    {"{\"code\": {\"length\": \"6\"}}", "/code/length", "a number of digits"},
    {"{\"send\": {\"form\": {\"a\": \"b\"}}}", "/send",
	"expected at most one of json, form, text and mail"},
    {"{\"send\": {\"mail\": {" LETTER "}}}", "/send",
	"expected at most one of json, form, text and mail"},
    {MAIL("https://x", LETTER, NO_CHECKS), "/send/url", "smtp:// or smtps://"},
    {MAIL("lmtp://x", LETTER, NO_CHECKS), "/send/url", "smtp:// or smtps://"},
    {MAIL("", LETTER, NO_CHECKS), "/send/url", "smtp:// or smtps://"},
    {MAIL("smtp://${email}", LETTER, NO_CHECKS), "/send/url", "is not allowed in a host name"},
    {MAIL("smtps://${token}/x", LETTER, NO_CHECKS), "/send/url", "is not allowed in a host name"},
    {MAIL("smtp://x", FROM_TO ", \"subject\": \"s\"", NO_CHECKS), "/send/mail/text", "missing"},
    {MAIL("smtp://x", FROM_TO, NO_CHECKS), "/send/mail/subject", "missing"},
    {MAIL("smtp://x", "\"to\": \"a@b\"", NO_CHECKS), "/send/mail/from", "missing"},
    {MAIL("smtp://x", "", NO_CHECKS), "/send/mail/to", "missing"},
    {MAIL("smtp://x", LETTER ", \"cc\": \"a@b\"", NO_CHECKS), "/send/mail/cc", "unknown key"},
    {MAIL("smtp://x", LETTER ", \"to?\": \"a@b\"", NO_CHECKS), "/send/mail/to?", "unknown key"},
    {MAIL("smtp://x", LETTER ", \"from_name\": 1", NO_CHECKS), "/send/mail/from_name",
	"expected a string"},
    {MAIL("smtp://x", LETTER ", \"from_name\": \"${nobody}\"", NO_CHECKS), "/send/mail/from_name",
	"${nobody}"},
    {MAIL("smtp://x", LETTER ", \"from_name\": \"a\", \"from_name?\": \"a\"", NO_CHECKS),
	"/send/mail", "not both"},
    {MAIL("smtp://x", LETTER, ""), "/send", "only a status, and no body to check"},
    {MAIL("smtp://x", LETTER, ", \"expect\": {\"all\": null}"), "/send", "no body to check"},
    {"{\"send\": {\"json\": null, \"mail\": {" LETTER "}}}", "/send",
	"method is not allowed with mail"},
    {"{\"send\": {\"json\": null, \"mail\": {" LETTER "}}}", "/send",
	"headers is not allowed with mail"},
    {"{\"send\": {\"json\": null, \"mail\": {" LETTER "}}}", "/send",
	"query is not allowed with mail"},
    {"{\"send\": {\"json\": null, \"mail\": {" LETTER "}}}", "/send",
	"capture is not allowed with mail"},
    {"{\"send\": {\"json\": null, \"mail\": 1}}", "/send/mail", "expected an object"},
    {"{\"warm\": {\"url\": \"smtp://x\", \"mail\": {" LETTER "}}}", "/warm",
	"only in send and resend"},
    {"{\"code\": {\"echo\": \"/otp\"}, \"resend\": {\"url\": \"smtp://x\", \"mail\": {" LETTER
     "}, \"expect\": {\"status\": [250]}}}",
	"/resend", "without echo"},
    {"{\"send\": {\"url\": \"smtp://x\"}}", "/send/url", "https://"},
    {"{\"send\": {\"auth\": 1}}", "/send/auth", "expected an object"},
    {"{\"send\": {\"auth\": {}}}", "/send/auth", "[login, password]"},
    {"{\"send\": {\"auth?\": {\"basic\": [\"a\"]}}}", "/send/auth?", "[login, password]"},
    {"{\"send\": {\"auth\": {\"basic\": [\"a\", \"b\", \"c\"]}}}", "/send/auth",
	"[login, password]"},
    {"{\"send\": {\"auth\": {\"basic\": [\"a\", 1]}}}", "/send/auth", "expected a string"},
    {"{\"send\": {\"auth\": {\"basic\": [\"a\", \"${nobody}\"]}}}", "/send/auth", "${nobody}"},
    {"{\"send\": {\"auth\": {\"bearer\": \"a\"}}}", "/send/auth/bearer", "unknown key"},
    {"{\"send\": {\"auth\": {\"basic\": [\"a\", \"b\"]}, \"auth?\": {\"basic\": [\"a\", \"b\"]}}}",
	"/send/auth", "not both"},
    {"{\"send\": {\"json\": null, \"form\": []}}", "/send/form", "expected an object"},
    {"{\"send\": {\"json\": null, \"text\": 1}}", "/send/text", "expected a string"},
    {"{\"send\": {\"expect\": {\"all\": [[\"\", \"text\", \"(\"]]}}}", "/send/expect/all/0",
	"regular expression"},
    {"{\"send\": {\"expect\": {\"all\": [[\"\", \"text\"]]}}}", "/send/expect/all/0",
	"regular expression"},
    {"{\"send\": {\"capture\": {\"a\": \"id\"}}}", "/send/capture/a", "begins with '/'"},
    {"{\"send\": {\"capture\": {\"a\": {\"ptr\": \"id\"}}}}", "/send/capture/a", "begins with '/'"},
    {"{\"send\": {\"capture\": {\"code\": \"/id\"}}}", "/send/capture/code", "built-in"},
    {"{\"send\": {\"capture\": {\"base\": \"/id\"}}}", "/send/capture/base", TAKEN},
    {"{\"send\": {\"capture\": {\"token\": {\"header\": \"T\"}}}}", "/send/capture/token", TAKEN},
    {"{\"send\": {\"capture\": {\"name\": {\"cookie\": \"n\", \"optional\": true}}}}",
	"/send/capture/name", TAKEN},
    {"{\"send\": {\"capture\": {\"mode\": \"/id\"}}}", "/send/capture/mode", TAKEN},
    {"{\"resend\": {\"capture\": {\"base\": \"/id\"}}}", "/resend/capture/base", TAKEN},
    {"{\"verify\": {\"capture\": {\"base\": \"/id\"}}}", "/verify/capture/base", TAKEN},
    {"{\"session\": {\"request\": {\"capture\": {\"base\": \"/id\"}}}}",
	"/session/request/capture/base", TAKEN},
    {"{\"vars\": []}", "/vars", "expected an object"},
    {"{\"vars\": {\"a\": 1}}", "/vars/a", "expected an object"},
    {"{\"vars\": {\"a\": {\"requird\": true}}}", "/vars/a/requird", "did you mean \"required\"?"},
    {"{\"vars\": {\"a\": {\"required\": 1}}}", "/vars/a/required", "expected true or false"},
    {"{\"vars\": {\"a\": {\"secret\": \"yes\"}}}", "/vars/a/secret", "expected true or false"},
    {"{\"vars\": {\"a\": {\"secret\": true, \"default\": \"x\"}}}", "/vars/a",
	"a secret must not have a default"},
    {"{\"vars\": {\"code\": \"123456\"}}", "/vars/code", "built-in"},
    {"{\"vars\": {\"phone.national\": \"\"}}", "/vars/phone.national", "built-in"},
    {"{\"vars\": {\"token\": null}}", "/send/headers/Authorization", "${token} is not a variable"},
    {"{\"channels\": null}", "/channels", "expected an object with at least"},
    {"{\"channels\": {\"sms\": null, \"email\": null}}", "/channels", "at least one channel"},
    {"{\"channels\": {\"sms\": 1}}", "/channels/sms", "expected an object"},
    {"{\"channels\": {\"sms\": {\"needs\": null}}}", "/channels/sms/needs",
	"expected one of: phone, email"},
    {"{\"channels\": {\"sms\": {\"needs\": \"fax\"}}}", "/channels/sms/needs", "expected one of"},
    {"{\"channels\": {\"sms\": {\"to\": \"x\"}}}", "/channels/sms/to", "unknown key"},
    {"{\"channels\": {\"sms\": {\"dest\": \"${nobody}\"}}}", "/channels/sms",
	"${nobody} has no value at this point"},
    {"{\"channels\": {\"sms\": {\"dest\": 7}}}", "/channels/sms/dest", "expected a string"},
    {"{\"channels\": {\"sms\": {\"set\": []}}}", "/channels/sms/set", "expected an object"},
    {"{\"channels\": {\"sms\": {\"set\": {\"a\": 1}}}}", "/channels/sms/set/a",
	"expected a string"},
    {"{\"channels\": {\"sms\": {\"set\": {\"a\": \"${nobody}\"}}}}", "/channels/sms/set/a",
	"${nobody}"},
    {"{\"code\": null}", "/code", "expected an object"},
    {"{\"code\": {\"by\": \"provider\"}}", "/", "verify is required with a code by"},
    {"{\"code\": {\"by\": null}}", "/code/by", "expected one of: module, response, provider"},
    {"{\"code\": {\"lenght\": 6}}", "/code/lenght", "did you mean \"length\"?"},
    {"{\"code\": {\"placeholder\": \"\"}}", "/code", "placeholder: expected text"},
    {"{\"code\": {\"placeholder\": 1}}", "/code/placeholder", "expected a string"},
    {"{\"bound_to\": null}", "/bound_to", "expected one of: challenge, address"},
    {"{\"bound_to\": \"id\"}", "/bound_to", "expected one of"},
    {"{\"message\": \"${nobody}\"}", "/message", "${nobody}"},
    {"{\"message\": \"Code ${code\"}", "/message", "not closed"},
    {"{\"message\": \"Code ${}\"}", "/message", "a variable is ${name}"},
    {"{\"message\": \"Code ${code:hex}\"}", "/message", "number or bool"},
    {"{\"send\": null}", "/send", "expected an object"},
    {"{\"send\": {\"body\": 1}}", "/send/body", "unknown key"},
    {"{\"send\": {\"method\": null}}", "/send/method", "expected one of: POST, GET, PUT"},
    {"{\"send\": {\"method\": \"DELETE\"}}", "/send/method", "expected one of"},
    {"{\"send\": {\"method\": \"post\"}}", "/send/method", "expected one of"},
    {"{\"send\": {\"url\": null}}", "/send/url", "missing"},
    {"{\"send\": {\"url\": \"http://x.example/\"}}", "/send/url", "https://"},
    {"{\"send\": {\"url\": \"x.example/\"}}", "/send/url", "https://"},
    {"{\"send\": {\"url\": \"\"}}", "/send/url", "https://"},
    {"{\"send\": {\"url\": \"$${base}/\"}}", "/send/url", "https://"},
    {"{\"send\": {\"url\": \"${base}/${nobody}\"}}", "/send/url", "${nobody}"},
    {"{\"send\": {\"headers\": [\"A: b\"]}}", "/send/headers", "expected an object"},
    {"{\"send\": {\"headers\": {\"X\": 1}}}", "/send/headers/X", "expected a string"},
    {"{\"send\": {\"headers\": {\"\": \"x\"}}}", "/send/headers/",
	"expected a name that is not empty"},
    {"{\"send\": {\"query\": {\"q\": \"${nobody}\"}}}", "/send/query/q", "${nobody}"},
    {"{\"send\": {\"json\": {\"a\": [0, \"${nobody}\"]}}}", "/send/json/a/1", "${nobody}"},
    {"{\"send\": {\"json\": \"${code\"}}", "/send/json", "not closed"},
    {"{\"send\": {\"expect\": null}}", "/send/expect", "expected an object"},
    {"{\"send\": {\"expect\": {\"status\": null, \"all\": null}}}", "/send/expect",
	"every answer would match"},
    {"{\"send\": {\"expect\": {\"status\": [], \"all\": []}}}", "/send/expect",
	"every answer would match"},
    {"{\"send\": {\"expect\": {\"status\": null, \"all\": null, \"any\": []}}}", "/send/expect",
	"every answer would match"},
    {"{\"send\": {\"expect\": {\"text\": \"OK\"}}}", "/send/expect/text", "unknown key"},
    {"{\"send\": {\"expect\": {\"any\": []}}}", "/send/expect", "not both"},
    {"{\"send\": {\"expect\": {\"status\": 200}}}", "/send/expect/status", "expected an array"},
    {"{\"send\": {\"expect\": {\"status\": [\"200\"]}}}", "/send/expect/status/0", "like 200"},
    {"{\"send\": {\"expect\": {\"status\": [200, \"6xx\"]}}}", "/send/expect/status/1", "2xx"},
    {"{\"send\": {\"expect\": {\"status\": [2]}}}", "/send/expect/status/0", "like 200"},
    {"{\"send\": {\"expect\": {\"status\": [600]}}}", "/send/expect/status/0", "like 200"},
    {"{\"send\": {\"expect\": {\"status\": [200.5]}}}", "/send/expect/status/0", "like 200"},
    {"{\"send\": {\"expect\": {\"status\": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}}}",
	"/send/expect/status", "at most 16"},
    {"{\"send\": {\"expect\": {\"all\": {}}}}", "/send/expect/all", "expected an array"},
    {"{\"send\": {\"expect\": {\"all\": [\"/ok\"]}}}", "/send/expect/all/0", "expected [pointer"},
    {"{\"send\": {\"expect\": {\"all\": [[\"/ok\"]]}}}", "/send/expect/all/0", "expected [pointer"},
    {"{\"send\": {\"expect\": {\"all\": [[\"/ok\", \"is\", 1]]}}}", "/send/expect/all/0",
	"expected one of: eq, absent_or, nonempty, absent"},
    {"{\"send\": {\"expect\": {\"all\": [[\"ok\", \"eq\", 1]]}}}", "/send/expect/all/0",
	"begins with '/'"},
    {"{\"send\": {\"expect\": {\"all\": [[1, \"eq\", 1]]}}}", "/send/expect/all/0",
	"expected a string"},
    {"{\"send\": {\"expect\": {\"all\": [[\"/ok\", \"eq\"]]}}}", "/send/expect/all/0",
	"take a value"},
    {"{\"send\": {\"expect\": {\"all\": [[\"/ok\", \"nonempty\", 1]]}}}", "/send/expect/all/0",
	"expected one of: string, object, array"},
    {"{\"send\": {\"expect\": {\"all\": [[\"/ok\", \"eq\", 1, 2]]}}}", "/send/expect/all/0",
	"expected [pointer"},
    {"{\"send\": {\"capture\": []}}", "/send/capture", "expected an object"},
    {"{\"send\": {\"capture\": {\"a\": 1}}}", "/send/capture/a", "expected an object"},
    {"{\"send\": {\"capture\": {\"a\": {}}}}", "/send/capture/a", "one of ptr, header and cookie"},
    {"{\"send\": {\"capture\": {\"a\": {\"ptr\": \"/a\", \"header\": \"A\"}}}}", "/send/capture/a",
	"one of ptr"},
    {"{\"send\": {\"capture\": {\"a\": {\"heder\": \"A\"}}}}", "/send/capture/a/heder",
	"did you mean \"header\"?"},
    {"{\"send\": {\"capture\": {\"a\": {\"ptr\": 1}}}}", "/send/capture/a/ptr",
	"expected a string"},
    {"{\"send\": {\"fail\": {}}}", "/send/fail", "expected an array"},
    {"{\"send\": {\"fail\": [1]}}", "/send/fail/0", "expected an object"},
    {"{\"send\": {\"fail\": [{\"status\": [400]}]}}", "/send/fail/0/is", "expected one of"},
    {"{\"send\": {\"fail\": [{\"status\": [400], \"is\": \"ok\"}]}}", "/send/fail/0/is",
	"wrong_code, expired, too_many"},
    {"{\"send\": {\"fail\": [{\"status\": [400], \"is\": \"unanswered\"}]}}", "/send/fail/0/is",
	"expected one of"},
    {"{\"send\": {\"fail\": [{\"is\": \"expired\"}]}}", "/send/fail/0", "every answer would match"},
    {"{\"send\": {\"fail\": [{\"when\": 1, \"is\": \"expired\"}]}}", "/send/fail/0/when",
	"unknown key"},
};

static void
every_error_is_reported_with_its_position(void **state)
{
	int missing = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		const struct fault *f = &faults[i];
		_auto_report struct conf_report report = {.max = REPORT_MAX};
		char line[512];
		struct profile *p;
		int r = load(f->patch, &p, &report);
		const char *text = report_text(&report), *at;

		if (r != -OTP_ECONF || p)
			fail_msg("%s: %d", f->patch, r);
		(void)snprintf(line, sizeof(line), "%s/x.json: %s: ", folder.path, f->at);
		at = strstr(text, line);
		while (at && !memmem(at, strcspn(at, "\n"), f->message, strlen(f->message)))
			at = strstr(at + 1, line);
		if (!at)
			print_error(
			    "%s: expected \"%s%s\" in:\n%s", f->patch, line, f->message, text);
		missing += !at;
	}
	assert_int_equal(missing, 0);
}

static void
a_mail_is_read_completely(void **state)
{
	static const char *const rows[] = {
	    MAIL("smtp://x", LETTER, NO_CHECKS),
	    MAIL("smtps://x/${host}", LETTER ", \"from_name?\": \"${name}\"", NO_CHECKS),
	    MAIL("${base}/${host}", LETTER ", \"from_name\": \"X\"",
		NO_CHECKS ", \"auth?\": {\"basic\": [\"${name}\", \"${token}\"]}"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_auto_report struct conf_report report = {.max = REPORT_MAX};
		struct profile *p;

		if (load(rows[i], &p, &report))
			fail_msg("%s", report_text(&report));
		assert_string_equal(pairs_find(&p->send.mail, "to")->value, "${dest}");
		assert_null(pairs_find(&p->send.mail, "cc"));
		ROW(!pairs_find(&p->send.mail, "from_name") == !i, rows[i]);
		ROW(i != 1 || pairs_find(&p->send.mail, "from_name")->optional, rows[i]);
		ROW(!p->send.login == (i != 2) && p->send.login_optional == (i == 2), rows[i]);
		assert_null(p->send.method);
		profile_free(p);
	}
}

/* Neither an answer nor the user can choose the host to which a code is sent.
 */
static void
only_settings_can_name_a_host(void **state)
{
	static const struct {
		const char *url,
		    *name; /* of the variable that is refused; NULL: the URL is right */
	} rows[] = {
	    {"${base}", NULL},
	    {"${base}/send/${dest}?m=${message}#${code}", NULL},
	    {"${base}.example:${name}/${token}", NULL},
	    {"https://${name}.example/${dest}", NULL},
	    {"https://x.example/${token}/${code}", NULL},
	    {"https://x.example?to=${dest}", NULL},
	    {"https://x.example#${dest}", NULL},
	    {"https://x.example/$${dest}", NULL},
	    {"${dest}/", "dest"},
	    {"${phone}/", "phone"},
	    {"${mode}/", "mode"},
	    {"${code}/", "code"},
	    {"${token}/", "token"},
	    {"${id}/", "id"},
	    {"${h}", "h"},
	    {"${dest:number}/", "dest"},
	    {"${base}${dest}/", "dest"},
	    {"${base}.${id}/", "id"},
	    {"${base}:${code}?x", "code"},
	    {"${base}.${token}#x", "token"},
	    {"${base}.x${user}", "user"},
	    {"https://${dest}/", "dest"},
	    {"https://${token}/", "token"},
	    {"https://${id}.example/send", "id"},
	    {"https://${name}.${code}.example?x", "code"},
	    {"https://x.example${dest}", "dest"},
	    {"https://x.example:${mode}/", "mode"},
	    {"https://x.example${c:number}#", "c"},
	};
	char patch[256], message[128];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_auto_report struct conf_report report = {.max = REPORT_MAX};
		struct profile *p;
		int r;

		(void)snprintf(patch, sizeof(patch), "{\"send\": {\"url\": \"%s\"}}", rows[i].url);
		(void)snprintf(message, sizeof(message),
		    "/send/url: ${%s} is not allowed in a host name; expected a variable of vars "
		    "that is "
		    "not secret\n",
		    rows[i].name ? rows[i].name : "");
		r = load(patch, &p, &report);
		ROW(r == (rows[i].name ? -OTP_ECONF : 0), rows[i].url);
		ROW(!rows[i].name || strstr(report_text(&report), message), rows[i].url);
		profile_free(p);
	}
}

static void
all_errors_of_a_file_are_reported(void **state)
{
	_auto_report struct conf_report report = {.max = REPORT_MAX};
	struct profile *p;

	(void)state;
	assert_int_equal(
	    load("{\"profile\": 2, \"bound_to\": 1, \"send\": {\"method\": 1}}", &p, &report),
	    -OTP_ECONF);
	assert_non_null(strstr(report_text(&report), "/profile: "));
	assert_non_null(strstr(report_text(&report), "/bound_to: "));
	assert_non_null(strstr(report_text(&report), "/send/method: "));
}

/* A variant is chosen by name. It can change every member, even the list of variants. */
static void
variants_are_chosen_by_name(void **state)
{
	static const struct {
		const char *patch, *variant;
		int r;
	} rows[] = {
	    {"{\"send\": {\"method\": \"GET\"}}", "v", 0},
	    {"{\"send\": {\"method\": \"GET\"}}", NULL, 0},
	    {"{\"send\": {\"method\": \"GET\"}}", "w", -OTP_ECONF},
	    {"{\"send\": {\"method\": \"GET\"}}", "", -OTP_ECONF},
	    {"{\"variants\": null}", "v", 0},
	    {"{\"variants\": {\"v\": null}}", "v", 0},
	    {"{\"variants\": {\"v\": {\"title\": \"y\"}}}", "v", 0},
	    {"7", "v", -OTP_ECONF},
	    {"[]", "v", -OTP_ECONF},
	    {"null", "v", -OTP_ECONF},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_auto_report struct conf_report report = {.max = REPORT_MAX};
		struct profile *p = NULL;
		char text[8192];

		assert_true(snprintf(text, sizeof(text), right, rows[i].patch) > 0);
		folder_write(&folder, "x.json", text, 0644);
		ROW(profile_load("x", rows[i].variant, &folders, geteuid(), &p, &report) ==
			rows[i].r,
		    rows[i].patch);
		if (p && i < 2)
			assert_string_equal(p->send.method, i ? "POST" : "GET");
		if (p)
			profile_free(p);
		else
			assert_true(report.n > 0);
	}
}

static void
files_are_judged_and_searched_in_order(void **state)
{
	_auto_report struct conf_report report = {.max = REPORT_MAX};
	struct profile *p = NULL;
	char text[8192], first[320];

	(void)state;
	(void)snprintf(first, sizeof(first), "%s/first", folder.path);
	assert_int_equal(mkdir(first, 0755), 0);
	folders_item[0] = first;
	folders_item[1] = folder.path;
	folders.n = 2;
	assert_int_equal(profile_load("x", NULL, &folders, geteuid(), &p, &report), -OTP_ENOENT);
	assert_int_equal(report.n, 0);
	assert_true(snprintf(text, sizeof(text), right, "{}") > 0);
	folder_write(&folder, "x.json", text, 0644);
	assert_int_equal(profile_load("x", NULL, &folders, geteuid(), &p, &report), 0);
	profile_free(p);
	/* The first file that is found decides, even if it is wrong. */
	folder_write(&folder, "first/x.json", text, 0666);
	assert_int_equal(profile_load("x", NULL, &folders, geteuid(), &p, &report), -OTP_ECONF);
	assert_non_null(strstr(report_text(&report), "first/x.json: wrong owner, mode"));
	folder_write(&folder, "first/x.json", "{\"profile\": 1,", 0644);
	assert_int_equal(profile_load("x", NULL, &folders, geteuid(), &p, &report), -OTP_ECONF);
	assert_non_null(strstr(report_text(&report), "first/x.json: line 1"));
	folder_write(&folder, "first/x.json", "[]", 0644);
	assert_int_equal(profile_load("x", NULL, &folders, geteuid(), &p, &report), -OTP_ECONF);
	folder_write(&folder, "first/x.json", "", 0644);
	assert_int_equal(profile_load("x", NULL, &folders, geteuid(), &p, &report), -OTP_ECONF);
}

/* Copies a shipped profile, because the mode of a file in the source folder may be wrong. */
static void
copy_shipped(const char *name)
{
	static char text[65536];
	char path[512];
	size_t len;
	FILE *f;

	assert_in_range(snprintf(path, sizeof(path), "%s/etc/providers/%s.json", OTP_SOURCE, name),
	    1, sizeof(path) - 1);
	f = fopen(path, "re");
	assert_non_null(f);
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = '\0';
	(void)fclose(f);
	assert_in_range(snprintf(path, sizeof(path), "%.64s.json", name), 1, 80);
	folder_write(&folder, path, text, 0644);
}

static void
the_shipped_profiles_load(void **state)
{
	static const struct {
		const char *name, *variant;
		enum code_by code_by;
	} rows[] = {
	    {"tingting", NULL, CODE_BY_MODULE},
	    {"tingting", "generated", CODE_BY_RESPONSE},
	    {"crego", NULL, CODE_BY_PROVIDER},
	    {"crego", "value", CODE_BY_PROVIDER},
	    {"crego", "both", CODE_BY_PROVIDER},
	    {"crego", "message-only", CODE_BY_PROVIDER},
	    {"bridgekeeper", NULL, CODE_BY_PROVIDER},
	    {"bridgekeeper", "logged-in", CODE_BY_PROVIDER},
	    {"bridgekeeper", "tfa", CODE_BY_PROVIDER},
	    {"kgen", NULL, CODE_BY_PROVIDER},
	    {"kgen", "string", CODE_BY_PROVIDER},
	    {"kgen", "attribute", CODE_BY_PROVIDER},
	    {"smtp", NULL, CODE_BY_MODULE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_auto_report struct conf_report report = {.max = REPORT_MAX};
		struct profile *p = NULL;

		copy_shipped(rows[i].name);
		if (profile_load(rows[i].name, rows[i].variant, &folders, geteuid(), &p, &report))
			fail_msg("%s", report_text(&report));
		assert_string_equal(report_text(&report), "");
		assert_int_equal(p->code_by, rows[i].code_by);
		/* A check by status alone would accept too many answers as a right code. */
		if (p->verify)
			assert_true(p->verify->expect.nchecks > 0 && !p->verify->expect.any);
		profile_free(p);
	}
}

static void
class_names_differ(void **state)
{
	(void)state;
	for (int c = CLASS_OK; c <= CLASS_BROKEN; c++)
		for (int d = CLASS_OK; d < c; d++)
			assert_string_not_equal(provider_class_name((enum provider_class)c),
			    provider_class_name((enum provider_class)d));
	assert_true(profile_is_builtin("code"));
	assert_true(profile_is_builtin("phone.national"));
	assert_false(profile_is_builtin("Code"));
	assert_false(profile_is_builtin(""));
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_right_profile_is_read_completely),
	    TEST(every_error_is_reported_with_its_position),
	    TEST(a_mail_is_read_completely),
	    TEST(only_settings_can_name_a_host),
	    TEST(all_errors_of_a_file_are_reported),
	    TEST(variants_are_chosen_by_name),
	    TEST(files_are_judged_and_searched_in_order),
	    TEST(the_shipped_profiles_load),
	    TEST(class_names_differ),
	};

	return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
