/* Codes, what users type for them, and the HMAC that proves them (C33, S3, U39); accounts. */
#include "tests/unit/unit.h"

#include <openssl/rand.h>
#include <pwd.h>
#include <sys/wait.h>

#include "common/err.h"
#include "helpers/base/account.h"
#include "helpers/codes/code.h"

static const struct secret key = {(char *)"0123456789abcdef0123456789abcdef", 32};
static const struct secret other_key = {(char *)"0123456789abcdef0123456789abcdeX", 32};

/* The generator of OpenSSL, or the bytes that a test sets; after the last of these it fails. */
static const unsigned char *made;
static size_t left;

int __real_RAND_priv_bytes(unsigned char *buf, int num);
int __wrap_RAND_priv_bytes(unsigned char *buf, int num);

int
__wrap_RAND_priv_bytes(unsigned char *buf, int num)
{
	if (!made)
		return __real_RAND_priv_bytes(buf, num);
	if (num < 0 || left < (size_t)num)
		return 0;
	memcpy(buf, made, (size_t)num);
	made += num;
	left -= (size_t)num;
	return 1;
}

/* Digits come from the generator and from nothing else, such as the time of day. */
static void
every_digit_is_the_generators(void **state)
{
	static const unsigned char bytes[] = {255, 3, 14, 250, 25, 36, 47, 249};
	_auto_secret struct secret code = {0};
	int r;

	(void)state;
	made = bytes;
	left = sizeof(bytes);
	r = code_make(6, &code);
	assert_int_equal(left, 0);
	made = bytes;
	left = 3;
	assert_int_equal(r, 0);
	assert_string_equal(secret_str(&code), "345679");
	secret_clear(&code);
	r = code_make(6, &code);
	made = NULL;
	assert_int_equal(r, -OTP_ECRYPTO);
	assert_int_equal(code.len, 0);
}

/* The chi-squared of ten equal counts: 9 degrees of freedom, p < 0.000001 at 45. */
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
	    {"123456\n", 6, 6, "123456"},
	    {"123456\r", 6, 6, "123456"},
	    {"\033[200~123 456\033[201~", 6, 6, "123456"},
	    {"+123456", 6, 6, NULL},
	    {"123.456", 6, 6, NULL},
	    {"0x1234", 6, 6, NULL},
	    {"\u0661\u0662\u0663\u0664\u0665\u0666", 6, 6, "123456"},
	    {"\u06f0\u06f1\u06f2\u06f7\u06f8\u06f9", 6, 6, "012789"},
	    {"\u0966\u0967\u0968\u096d\u096e\u096f", 6, 6, "012789"},
	    {"\u09e6\u09e7\u09e8\u09ed\u09ee\u09ef", 6, 6, "012789"},
	    {"\u0ae6\u0ae7\u0ae8\u0aed\u0aee\u0aef", 6, 6, "012789"},
	    {"\u0be6\u0be7\u0be8\u0bed\u0bee\u0bef", 6, 6, "012789"},
	    {"\uff10\uff11\uff12\uff17\uff18\uff19", 6, 6, "012789"},
	    {"\uff11\uff12\uff13\uff0d\uff14\uff15\uff16", 6, 6, "123456"},
	    {"\uff11\uff12\uff13\u30fc\uff14\uff15\uff16", 6, 6, "123456"},
	    {"\uff11\uff12\uff13\uff70\uff14\uff15\uff16", 6, 6, "123456"},
	    {"\uff11\uff12\uff13\u3000\uff14\uff15\uff16", 6, 6, "123456"},
	    {"1\u09682\uff133\u0664", 6, 6, "122334"},
	    {"\u00a0123\u00a0456", 6, 6, "123456"},
	    {"123\u202f456", 6, 6, "123456"},
	    {"12\u201034\u201156", 6, 6, "123456"},
	    {"12\u201234\u201356", 6, 6, "123456"},
	    {"12\u201434\u201556", 6, 6, "123456"},
	    {"123\u2212456\u00ad", 6, 6, "123456"},
	    {"\uff11\uff12\uff13\uff14\uff15", 6, 6, NULL},
	    {"\uff11\uff12\uff13\uff14\uff15\uff16\uff17", 6, 6, NULL},
	    {"12345\u00b2", 6, 6, NULL},
	    {"12345\u2460", 6, 6, NULL},
	    {"12345\u066a", 6, 6, NULL},
	    {"12345\u065f", 6, 6, NULL},
	    {"12345\uff1a", 6, 6, NULL},
	    {"12345\uff0f", 6, 6, NULL},
	    {"123\u200b456", 6, 6, "123456"},
	    {"123\u2016456", 6, 6, NULL},
	    {"\u202e123456", 6, 6, "123456"},
	    {"12345\U0001d7d6", 6, 6, "123458"},
	    {"12345\xff", 6, 6, NULL},
	    {"12345\xef\xbc", 6, 6, NULL},
	    {"12345\xf0", 6, 6, NULL},
	    {"12345\xef\xbc\x41", 6, 6, NULL},
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

/* True if the challenge was sealed with this code. */
static bool
opens(const struct challenge *c, const struct secret *host_key, const char *code)
{
	unsigned char mac[STORE_MAC_LEN];

	assert_int_equal(challenge_mac(c, host_key, code, mac), 0);
	return c->has_mac && !memcmp(mac, c->mac, sizeof(mac));
}

static void
the_proof_binds_everything(void **state)
{
	struct challenge c = a_challenge(), x;

	(void)state;
	assert_false(opens(&c, &key, "123456"));
	assert_int_equal(challenge_seal(&c, &key, "123456"), 0);
	assert_true(opens(&c, &key, "123456"));
	assert_false(opens(&c, &key, "123457"));
	assert_false(opens(&c, &key, ""));
	assert_false(opens(&c, &key, "1234560"));
	assert_false(opens(&c, &other_key, "123456"));
	x = c, x.id[0] = '1';
	assert_false(opens(&x, &key, "123456"));
	x = c, strcpy(x.user, "ash");
	assert_false(opens(&x, &key, "123456"));
	x = c, strcpy(x.service, "sudo");
	assert_false(opens(&x, &key, "123456"));
	x = c, strcpy(x.user, "ashas"), strcpy(x.service, "shd");
	assert_false(opens(&x, &key, "123456"));
	x = c, strcpy(x.service, "sshd1"), strcpy(x.user, "asha");
	assert_false(opens(&x, &key, "23456"));
	/* The HMAC does not depend on the address and on the number of tries. */
	x = c, x.tries = 3, strcpy(x.channel, "email");
	assert_true(opens(&x, &key, "123456"));
}

static void
no_code_matches_the_seal_of_a_decoy(void **state)
{
	struct challenge c = a_challenge(), d = a_challenge();
	char code[16];

	(void)state;
	assert_int_equal(challenge_seal_nothing(&c), 0);
	assert_int_equal(challenge_seal_nothing(&d), 0);
	assert_true(c.has_mac);
	assert_memory_not_equal(c.mac, d.mac, STORE_MAC_LEN);
	for (int i = 0; i < 1000000; i += 977) {
		(void)snprintf(code, sizeof(code), "%06d", i);
		assert_false(opens(&c, &key, code));
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
	    cmocka_unit_test(every_digit_is_the_generators),
	    cmocka_unit_test(every_digit_is_equally_likely),
	    cmocka_unit_test(codes_have_six_to_ten_digits),
	    cmocka_unit_test(a_forked_child_makes_other_codes),
	    cmocka_unit_test(answers_are_normalised),
	    cmocka_unit_test(the_proof_binds_everything),
	    cmocka_unit_test(no_code_matches_the_seal_of_a_decoy),
	    cmocka_unit_test(ids_and_keyed_numbers),
	    cmocka_unit_test(accounts_come_from_the_name_service),
	};

	return cmocka_run_group_tests_name("challenge", tests, NULL, NULL);
}
