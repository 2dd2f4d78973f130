/* Codes and their proof (C33, S3), where a sign-in comes from (Q13, Q26), what a person reads. */
#include "tests/unit/unit.h"

#include <pwd.h>
#include <sys/wait.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/account.h"
#include "helpers/challenge.h"
#include "helpers/login.h"
#include "helpers/prompts.h"
#include "helpers/source.h"

static const struct secret key = {(char *)"0123456789abcdef0123456789abcdef", 32};
static const struct secret other_key = {(char *)"0123456789abcdef0123456789abcdeX", 32};

/* Ten counts that should be alike: 9 degrees of freedom, p < 0.000001 at 45. */
static void
counts_are_even(const long n[10], long all)
{
	double expected = (double)all / 10, chi = 0;

	for (int d = 0; d < 10; d++)
		chi += ((double)n[d] - expected) * ((double)n[d] - expected) / expected;
	if (chi > 45)
		fail_msg("chi-square %f", chi);
}

static void
every_digit_is_equally_likely(void **state)
{
	enum { DIGITS = 6 };
	const int codes = rounds(100000);
	long all[10] = {0}, at[DIGITS][10] = {{0}}, pair[10] = {0};

	(void)state;
	for (int i = 0; i < codes; i++) {
		_auto_secret struct secret code = {0};

		assert_int_equal(code_make(DIGITS, &code), 0);
		assert_int_equal(code.len, DIGITS);
		for (int k = 0; k < DIGITS; k++) {
			int d = code.bytes[k] - '0';

			assert_in_range(d, 0, 9);
			all[d]++;
			at[k][d]++;
		}
		pair[(code.bytes[0] - code.bytes[1] + 10) % 10]++;
	}
	counts_are_even(all, codes * DIGITS);
	counts_are_even(pair, codes);
	for (int k = 0; k < DIGITS; k++)
		counts_are_even(at[k], codes);
}

static void
codes_have_six_to_ten_digits(void **state)
{
	(void)state;
	for (int digits = -1; digits < 14; digits++) {
		_auto_secret struct secret code = {0};
		bool ok = digits >= 6 && digits <= 10;

		assert_int_equal(code_make(digits, &code), ok ? 0 : -OTP_EINVAL);
		assert_int_equal(code.len, ok ? digits : 0);
		assert_int_equal(strspn(secret_str(&code), "0123456789"), code.len);
	}
}

/* Ten codes of ten digits, as one text. */
static void
make_many(char text[101])
{
	for (int i = 0; i < 10; i++) {
		_auto_secret struct secret code = {0};

		assert_int_equal(code_make(10, &code), 0);
		memcpy(text + 10 * i, code.bytes, 10);
	}
	text[100] = '\0';
}

static void
a_forked_child_makes_other_codes(void **state)
{
	char mine[101], first[101], second[101];
	int fd[2], status;

	(void)state;
	make_many(mine); /* the generator is seeded before the fork */
	for (int child = 0; child < 2; child++) {
		pid_t pid;

		assert_int_equal(pipe(fd), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (!pid) {
			make_many(mine);
			_exit(write(fd[1], mine, 101) == 101 ? 0 : 1);
		}
		assert_int_equal(read(fd[0], child ? second : first, 101), 101);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		close(fd[0]);
		close(fd[1]);
	}
	make_many(mine);
	assert_string_not_equal(mine, first);
	assert_string_not_equal(mine, second);
	assert_string_not_equal(first, second);
}

static void
answers_are_normalised(void **state)
{
	static const struct {
		const char *typed;
		int least, most;
		const char *code; /* NULL: malformed */
	} rows[] = {
	    {"123456", 6, 6, "123456"},
	    {" 123456 ", 6, 6, "123456"},
	    {"\t123456\t", 6, 6, "123456"},
	    {"123 456", 6, 6, "123456"},
	    {"123-456", 6, 6, "123456"},
	    {"1-2 3--4  5\t6", 6, 6, "123456"},
	    {"-123456-", 6, 6, "123456"},
	    {"000000", 6, 6, "000000"},
	    {"1234567", 7, 7, "1234567"},
	    {"1234567890", 10, 10, "1234567890"},
	    {"12345", 6, 6, NULL},
	    {"1234567", 6, 6, NULL},
	    {"123456 7", 6, 6, NULL},
	    {"12345678901", 10, 10, NULL},
	    {"", 6, 6, NULL},
	    {"   ", 6, 6, NULL},
	    {"------", 6, 6, NULL},
	    {"12345a", 6, 6, NULL},
	    {"123456\n", 6, 6, NULL},
	    {"123456\r", 6, 6, NULL},
	    {"+123456", 6, 6, NULL},
	    {"123.456", 6, 6, NULL},
	    {"0x1234", 6, 6, NULL},
	    {"\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4\xd9\xa5\xd9\xa6", 6, 6, NULL},
	    {"\xef\xbc\x91\xef\xbc\x92\xef\xbc\x93\xef\xbc\x94\xef\xbc\x95\xef\xbc\x96", 6, 6,
		NULL},
	    {"\b\n\r\177INCORRECT", 6, 6, NULL},
	    {"1234", 4, 8, "1234"},
	    {"12345678", 4, 8, "12345678"},
	    {"123", 4, 8, NULL},
	    {"123456789", 4, 8, NULL},
	    {"", 0, 8, ""},
	    {"1234567890123456", 4, 99, "1234567890123456"},
	    {"12345678901234567", 4, 99, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_auto_secret struct secret code = {0};

		assert_int_equal(secret_set(&code, "old", 3), 0);
		ROW(code_read(rows[i].typed, rows[i].least, rows[i].most, &code) ==
			(rows[i].code ? 0 : -OTP_EINVAL),
		    rows[i].typed);
		assert_string_equal(secret_str(&code), rows[i].code ? rows[i].code : "");
	}
}

static struct challenge
a_challenge(void)
{
	struct challenge c = {.has_mac = false};

	strcpy(c.id, "00112233445566778899aabbccddeeff");
	strcpy(c.user, "asha");
	strcpy(c.service, "sshd");
	return c;
}

static void
the_proof_binds_everything(void **state)
{
	struct challenge c = a_challenge(), x;

	(void)state;
	assert_int_equal(challenge_open(&c, &key, "123456"), -OTP_EINVAL);
	assert_int_equal(challenge_seal(&c, &key, "123456"), 0);
	assert_int_equal(challenge_open(&c, &key, "123456"), 0);
	assert_int_equal(challenge_open(&c, &key, "123457"), -OTP_EINVAL);
	assert_int_equal(challenge_open(&c, &key, ""), -OTP_EINVAL);
	assert_int_equal(challenge_open(&c, &key, "1234560"), -OTP_EINVAL);
	assert_int_equal(challenge_open(&c, &other_key, "123456"), -OTP_EINVAL);
	x = c, x.id[0] = '1';
	assert_int_equal(challenge_open(&x, &key, "123456"), -OTP_EINVAL);
	x = c, strcpy(x.user, "ash");
	assert_int_equal(challenge_open(&x, &key, "123456"), -OTP_EINVAL);
	x = c, strcpy(x.service, "sudo");
	assert_int_equal(challenge_open(&x, &key, "123456"), -OTP_EINVAL);
	x = c, strcpy(x.user, "ashas"), strcpy(x.service, "shd");
	assert_int_equal(challenge_open(&x, &key, "123456"), -OTP_EINVAL);
	x = c, x.has_mac = false;
	assert_int_equal(challenge_open(&x, &key, "123456"), -OTP_EINVAL);
	for (size_t i = 0; i < STORE_MAC_LEN; i++) {
		x = c, x.mac[i] ^= 1;
		assert_int_equal(challenge_open(&x, &key, "123456"), -OTP_EINVAL);
	}
}

static void
a_decoys_seal_opens_to_no_code(void **state)
{
	struct challenge c = a_challenge(), d = a_challenge();
	char code[16];

	(void)state;
	assert_int_equal(challenge_seal_nothing(&c), 0);
	assert_int_equal(challenge_seal_nothing(&d), 0);
	assert_memory_not_equal(c.mac, d.mac, STORE_MAC_LEN);
	for (int i = 0; i < 1000000; i += 977) {
		(void)snprintf(code, sizeof(code), "%06d", i);
		assert_int_equal(challenge_open(&c, &key, code), -OTP_EINVAL);
	}
}

static void
ids_and_keyed_numbers(void **state)
{
	uint64_t a, b;
	char id[33], again[33];

	(void)state;
	assert_int_equal(random_id(id, 16), 0);
	assert_int_equal(random_id(again, 16), 0);
	assert_int_equal(strspn(id, "0123456789abcdef"), 32);
	assert_string_not_equal(id, again);
	assert_int_equal(keyed_number(&key, "p", "text", &a), 0);
	assert_int_equal(keyed_number(&key, "p", "text", &b), 0);
	assert_true(a == b);
	assert_int_equal(keyed_number(&key, "q", "text", &b), 0);
	assert_true(a != b);
	assert_int_equal(keyed_number(&other_key, "p", "text", &b), 0);
	assert_true(a != b);
	assert_int_equal(keyed_number(&key, "pt", "ext", &b), 0);
	assert_true(a != b);
}

#define SSH "192.0.2.7 50000 192.0.2.1 22"
static const struct source_row {
	const char *name, *rhost, *ssh, *auth, *tty, *session;
	uid_t peer;
	bool joins, publickey;
	const char *client;
} sources[] = {
    {"ssh", "192.0.2.7", SSH, "", "ssh", "7", 0, true, false, "192.0.2.7"},
    {"ssh, key", "192.0.2.7", SSH, "publickey ssh-ed25519 AAAA\n", "ssh", "7", 0, true, true,
	"192.0.2.7"},
    {"key, second", "192.0.2.7", SSH, "password\npublickey x y", "ssh", "7", 0, true, true,
	"192.0.2.7"},
    {"no key line", "192.0.2.7", SSH, "hostbased publickey x\nxpublickey y\npublickeyz", "ssh", "7",
	0, true, false, "192.0.2.7"},
    {"v6", "2001:db8::7", "", "", "ssh", "7", 0, true, false, "2001:db8::7"},
    {"mapped", "::ffff:192.0.2.7", "", "", "ssh", "7", 0, true, false, "192.0.2.7"},
    {"name", "host.example", SSH, "", "ssh", "7", 0, true, false, "192.0.2.7"},
    {"name alone", "host.example", "", "", "ssh", "7", 0, false, false, ""},
    {"name, bad", "host.example", "garbage", "", "ssh", "7", 0, false, false, ""},
    {"unknown", "0.0.0.0", SSH, "", ":0", "7", 0, false, false, ""},
    {"unknown v6", "::", SSH, "", ":0", "7", 0, false, false, ""},
    {"unknown mapped", "::ffff:0.0.0.0", SSH, "", ":0", "7", 0, false, false, ""},
    {"local", "", "", "", "/dev/tty1", "7", 0, true, false, ""},
    {"local, env", "", SSH, "", "/dev/tty1", "7", 0, true, false, ""},
    {"no session", "", "", "", "/dev/tty1", "", 0, false, false, ""},
    {"a user's host", "192.0.2.7", SSH, "", "ssh", "7", 1000, false, false, "192.0.2.7"},
};

static struct login_start
start_of(const struct source_row *row)
{
	return (struct login_start){.service = "sshd",
	    .user = "asha",
	    .rhost = row->rhost,
	    .tty = row->tty,
	    .ruser = "",
	    .ssh_connection = row->ssh,
	    .ssh_auth_info = row->auth,
	    .session = row->session,
	    .session_start = row->session,
	    .boot_id = "boot",
	    .peer = row->peer};
}

static void
sources_are_what_the_host_says(void **state)
{
	struct source a, b;

	(void)state;
	for (size_t i = 0; i < COUNT(sources); i++) {
		const struct source_row *row = &sources[i];
		struct login_start start = start_of(row);

		memset(&a, 0, sizeof(a));
		memset(&b, 0, sizeof(b));
		assert_int_equal(source_of(&start, &a), 0);
		assert_int_equal(source_of(&start, &b), 0);
		ROW(a.joins == row->joins, row->name);
		ROW(!strcmp(a.key, b.key) == row->joins, row->name);
		ROW(!strcmp(a.client, row->client), row->name);
		ROW(a.has_client == !!*row->client, row->name);
		ROW(a.publickey == row->publickey, row->name);
		for (size_t k = 0; k < i; k++) {
			struct login_start other = start_of(&sources[k]);
			bool same = !strcmp(row->client, sources[k].client) && *row->client &&
				    !row->publickey && !sources[k].publickey;

			memset(&b, 0, sizeof(b));
			assert_int_equal(source_of(&other, &b), 0);
			if (!same && strcmp(row->name, "local, env"))
				ROW(strcmp(a.key, b.key), row->name);
		}
	}
}

static void
local_sources_differ_by_each_part(void **state)
{
	struct source_row row = {"", "", "", "", "/dev/tty1", "7", 0, true, false, ""};
	struct login_start start = start_of(&row), x;
	struct source a = {.joins = false}, b = {.joins = false};

	(void)state;
	assert_int_equal(source_of(&start, &a), 0);
	x = start, x.tty = "/dev/tty2";
	assert_int_equal(source_of(&x, &b), 0);
	assert_string_not_equal(a.key, b.key);
	x = start, x.session = "8";
	assert_int_equal(source_of(&x, &b), 0);
	assert_string_not_equal(a.key, b.key);
	x = start, x.session_start = "8";
	assert_int_equal(source_of(&x, &b), 0);
	assert_string_not_equal(a.key, b.key);
	x = start, x.boot_id = "another";
	assert_int_equal(source_of(&x, &b), 0);
	assert_string_not_equal(a.key, b.key);
}

/* Every prompt fits, ends as a prompt does, and is no "Password:" that a host would replace. */
static void
prompts_fit_whatever_is_in_them(void **state)
{
	char long_name[64], text[WIRE_PROMPT_MAX + 1];
	static const int64_t times[] = {INT64_MIN, -1, 0, 1, 59000, 300000, INT64_MAX / 2};

	(void)state;
	memset(long_name, 'M', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	for (int note = NOTE_SENT; note <= NOTE_ENDED; note++)
		for (size_t i = 0; i < COUNT(times); i++) {
			struct prompt_facts f = {
			    long_name, long_name, times[i], 3, times[i], 4, 10};

			prompt_code(text, (enum note)note, &f);
			assert_true(strlen(text) <= WIRE_PROMPT_MAX);
			assert_non_null(strstr(text, "Verification code (r = resend): "));
			assert_int_equal(text[strlen(text) - 1], ' ');
			prompt_ask_first(text, &f);
			assert_int_equal(text[strlen(text) - 1], ' ');
			assert_null(strstr(text, "Password:"));
			prompt_locked(text, times[i]);
			assert_true(strlen(text) > 20);
			prompt_limit(text, times[i]);
			assert_true(strlen(text) > 20);
		}
}

static void
prompts_read_well(void **state)
{
	struct prompt_facts f = {"sms", "+91 ******** 19", 300000, 2, 20001, 6, 6};
	char text[WIRE_PROMPT_MAX + 1];

	(void)state;
	prompt_ask_first(text, &f);
	assert_string_equal(
	    text, "Press Enter to have a verification code sent by SMS to +91 ******** 19: ");
	prompt_code(text, NOTE_SENT, &f);
	assert_string_equal(text,
	    "A verification code was sent by SMS to +91 ******** 19. It ends in 5 minutes.\n"
	    "Verification code (r = resend): ");
	prompt_code(text, NOTE_WRONG, &f);
	assert_string_equal(text, "Wrong code, 2 tries left.\nVerification code (r = resend): ");
	f.tries = 1;
	prompt_code(text, NOTE_WRONG, &f);
	assert_string_equal(text, "Wrong code, 1 try left.\nVerification code (r = resend): ");
	prompt_code(text, NOTE_WAIT, &f);
	assert_string_equal(
	    text, "A new code can be sent in 21 seconds.\nVerification code (r = resend): ");
	prompt_code(text, NOTE_MALFORMED, &f);
	assert_string_equal(
	    text, "A code has 6 digits, 1 try left.\nVerification code (r = resend): ");
	f.least = 4;
	prompt_code(text, NOTE_MALFORMED, &f);
	assert_non_null(strstr(text, "A code has 4 to 6 digits, 1 try left.\n"));
	prompt_code(text, NOTE_EMPTY, &f);
	assert_string_equal(text, "Verification code (r = resend): ");
	prompt_locked(text, 3600000);
	assert_string_equal(text, "Too many wrong codes. Try again in 60 minutes.");
	prompt_limit(text, 0);
	assert_string_equal(text, "Too many verification codes were sent. Try again later.");
}

static void
accounts_come_from_the_name_service(void **state)
{
	struct passwd *me = getpwuid(geteuid());
	struct account a;

	(void)state;
	assert_int_equal(account_lookup("", &a), 0);
	assert_false(a.exists);
	assert_int_equal(account_lookup("no-such-user-at-all", &a), 0);
	assert_false(a.exists);
	if (!me) {
		print_message("skipped: the user that runs the tests has no name\n");
		skip();
	}
	assert_int_equal(account_lookup(me->pw_name, &a), 0);
	assert_true(a.exists);
	assert_int_equal(a.uid, geteuid());
	assert_string_equal(a.name, me->pw_name);
	assert_int_equal(account_groups(&a), 0);
	assert_true(a.ngroups >= 1);
	account_clear(&a);
	assert_null(a.group);
	account_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_digit_is_equally_likely),
	    cmocka_unit_test(codes_have_six_to_ten_digits),
	    cmocka_unit_test(a_forked_child_makes_other_codes),
	    cmocka_unit_test(answers_are_normalised),
	    cmocka_unit_test(the_proof_binds_everything),
	    cmocka_unit_test(a_decoys_seal_opens_to_no_code),
	    cmocka_unit_test(ids_and_keyed_numbers),
	    cmocka_unit_test(sources_are_what_the_host_says),
	    cmocka_unit_test(local_sources_differ_by_each_part),
	    cmocka_unit_test(prompts_fit_whatever_is_in_them),
	    cmocka_unit_test(prompts_read_well),
	    cmocka_unit_test(accounts_come_from_the_name_service),
	};

	return cmocka_run_group_tests_name("challenge", tests, NULL, NULL);
}
