/* Recovery codes: their form, how they are read, and what is stored (S11). */
#include "tests/unit/unit.h"

#include "common/err.h"
#include "helpers/codes/recovery.h"

static const char good[] = "7k2m9xqd4hvtw3np";

static void
what_begins_like_a_recovery_code_is_never_another_answer(void **state)
{
	static const char *const are[] = {
	    "rc-7k2m-9xqd-4hvt-w3np", "rc7k2m9xqd4hvtw3np", "RC-7K2M", " \t rC 7k2m", "rc", "rc-",
	    "rc\xff\xfe", "\xef\xbd\x92\xef\xbd\x83\xef\xbc\x8d\xef\xbc\x97", /* full-width: rc-7 */
	    "\xe3\x80\x80\xef\xbc\xb2\xef\xbc\xa3\xe3\x83\xbc",		      /* blank, RC, dash */
	};
	static const char *const are_not[] = {
	    "",
	    " ",
	    "r",
	    "R",
	    "r c",
	    "r-c",
	    "c",
	    "o",
	    "cr-7k2m",
	    "123456",
	    "-rc-7k2m",
	    "xrc-7k2m-9xqd-4hvt-w3np",
	    "\xef\xbd\x92",
	    "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x93\xef\xbc\x94\xef\xbc\x95\xef\xbc\x96",
	    "\xef",
	    "\xef\xbd",
	    "r\xef\xbd",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(are); i++)
		ROW(recovery_is(are[i]), are[i]);
	for (size_t i = 0; i < COUNT(are_not); i++) {
		_auto_secret struct secret out = {0};

		ROW(!recovery_is(are_not[i]), are_not[i]);
		ROW(recovery_read(are_not[i], &out) == -OTP_EINVAL, are_not[i]);
	}
}

static void
a_code_is_read_however_it_is_typed(void **state)
{
	static const char *const typed[] = {
	    "rc-7k2m-9xqd-4hvt-w3np",
	    "rc7k2m9xqd4hvtw3np",
	    "  RC 7K2M 9XQD 4HVT W3NP \t",
	    "Rc--7k2m9-xqd4hvt w3np-",
	    "rc\xe2\x80\x93"
	    "7k2m\xe2\x80\x94"
	    "9xqd\xe2\x88\x92"
	    "4hvt\xc2\xa0"
	    "w3np",
	    /* full-width, as an input method types it */
	    "\xef\xbd\x92\xef\xbd\x83\xe3\x83\xbc\xef\xbc\x97\xef\xbd\x8b\xef\xbc\x92\xef\xbd\x8d"
	    "\xe3\x80\x80\xef\xbc\x99\xef\xbc\xb8\xef\xbc\xb1\xef\xbc\xa4\xef\xbc\x8d"
	    "4hvt\xef\xbd\xb0w3np",
	    "\033[200~rc-7k2m-9xqd-4hvt-w3np\033[201~",
	    "\u200er\u2066c-7k2m-9xqd-4hvt-w3np\u2069\u200e",
	    "rc-7k2m-9xqd-4hvt-w3np\r",
	    "rc-\u0667k\u0968m-9xqd-4hvt-w3np",
	};
	static const struct {
		const char *typed, *means;
	} folded[] = {
	    {"rc-oOiI-lL00-1111-0000", "0011110011110000"},
	    {"rc-abcd-efgh-jkmn-pqrs", "abcdefghjkmnpqrs"},
	    {"rc-tvwx-yz01-2345-6789", "tvwxyz0123456789"},
	    /* Only the first "rc" is the prefix. */
	    {"rc-rcrc-rcrc-rcrc-rcrc", "rcrcrcrcrcrcrcrc"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(typed); i++) {
		_auto_secret struct secret out = {0};

		ROW(recovery_is(typed[i]), typed[i]);
		ROW(recovery_read(typed[i], &out) == 0, typed[i]);
		assert_string_equal(secret_str(&out), good);
	}
	for (size_t i = 0; i < COUNT(folded); i++) {
		_auto_secret struct secret out = {0};

		ROW(recovery_read(folded[i].typed, &out) == 0, folded[i].typed);
		assert_string_equal(secret_str(&out), folded[i].means);
	}
}

static void
what_is_not_exactly_one_code_is_refused(void **state)
{
	static const char *const bad[] = {
	    "rc",
	    "rc-",
	    "rc-7k2m-9xqd-4hvt-w3n",
	    "rc-7k2m-9xqd-4hvt-w3npp",
	    "rc-7k2m-9xqd-4hvt-w3np 7",
	    "rc-rc-7k2m-9xqd-4hvt-w3np",
	    "rc-7k2m-9xqd-4hvt-w3nu",
	    "rc-7k2m-9xqd-4hvt-w3n_",
	    "rc-7k2m-9xqd-4hvt-w3n\n",
	    "rc-7k2m-9xqd-4hvt-w3np\001",
	    "rc-7k2m-9xqd-4hvt-w3n\xff",
	    "rc-7k2m-9xqd-4hvt-w3n\xef",
	    "rc-7k2m-9xqd-4hvt-w3n\xef\xbd",
	    "rc-7k2m-9xqd-4hvt-w3n\xc3\xa9",
	    "rc-7k2m-9xqd-4hvt-w3n\xef\xbd\x9f",
	    "7k2m-9xqd-4hvt-w3np",
	    "rcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrcrc",
	};
	char cut[] = "rc-7k2m-9xqd-4hvt-w3np";

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		_auto_secret struct secret out = {0};

		assert_int_equal(secret_set(&out, "old", 3), 0);
		ROW(recovery_read(bad[i], &out) == -OTP_EINVAL, bad[i]);
		assert_string_equal(secret_str(&out), "");
	}
	/* A part of a right code is not a code. */
	for (size_t len = strlen(cut); len-- > 0;) {
		_auto_secret struct secret out = {0};

		cut[len] = '\0';
		ROW(recovery_read(cut, &out) == -OTP_EINVAL, cut);
	}
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Each character of the alphabet is equally frequent at each position; no two codes are alike. */
static void
codes_are_random_and_have_one_shape(void **state)
{
	enum { CODES = 4096 };
	static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
	static unsigned seen[RECOVERY_SYMBOLS][sizeof(alphabet) - 1];
	static char codes[CODES][RECOVERY_SYMBOLS + 1];
	int n = rounds(CODES);

	(void)state;
	for (int i = 0; i < n; i++) {
		_auto_secret struct secret shown = {0}, read = {0};

		assert_int_equal(recovery_make(&shown), 0);
		assert_int_equal(shown.len, 22);
		assert_memory_equal(shown.bytes, "rc-", 3);
		assert_true(
		    shown.bytes[7] == '-' && shown.bytes[12] == '-' && shown.bytes[17] == '-');
		assert_true(recovery_is(secret_str(&shown)));
		assert_int_equal(recovery_read(secret_str(&shown), &read), 0);
		memcpy(codes[i], secret_str(&read), sizeof(codes[i]));
		for (size_t k = 0; k < RECOVERY_SYMBOLS; k++) {
			const char *p = strchr(alphabet, codes[i][k]);

			assert_non_null(p);
			seen[k][p - alphabet]++;
		}
	}
	qsort(codes, (size_t)n, sizeof(codes[0]), by_text);
	for (int i = 1; i < n; i++)
		assert_string_not_equal(codes[i - 1], codes[i]);
	if (n < CODES)
		return;
	/* 128 are expected, and the standard deviation is 11. Eight times that is not chance. */
	for (size_t k = 0; k < RECOVERY_SYMBOLS; k++)
		for (size_t s = 0; s < sizeof(alphabet) - 1; s++)
			assert_in_range(seen[k][s], 128 - 88, 128 + 88);
}

/* Python's hashlib.scrypt() and "openssl kdf" give the same hash. */
static void
the_hash_is_scrypt_of_the_canonical_form(void **state)
{
	static const unsigned char want[RECOVERY_HASH_LEN] = {0x15, 0x1e, 0xa3, 0x86, 0x9b, 0x53,
	    0x11, 0x66, 0xaa, 0xb7, 0x1e, 0x3c, 0x5e, 0x77, 0x3b, 0x23, 0xad, 0xa4, 0x9a, 0x34,
	    0xd8, 0xa8, 0x5a, 0x5a, 0xa7, 0x55, 0xa1, 0x65, 0xc0, 0x04, 0x59, 0xb0};
	unsigned char salt[RECOVERY_SALT_LEN], hash[RECOVERY_HASH_LEN];
	_auto_secret struct secret code = {0};

	(void)state;
	for (unsigned char i = 0; i < sizeof(salt); i++)
		salt[i] = i;
	assert_int_equal(recovery_read("RC 7K2M 9XQD 4HVT W3NP", &code), 0);
	assert_int_equal(recovery_hash(&code, salt, hash), 0);
	assert_memory_equal(hash, want, sizeof(want));
	/* Another salt or another code has another hash. */
	salt[RECOVERY_SALT_LEN - 1] ^= 1;
	assert_int_equal(recovery_hash(&code, salt, hash), 0);
	assert_memory_not_equal(hash, want, sizeof(want));
	salt[RECOVERY_SALT_LEN - 1] ^= 1;
	assert_int_equal(recovery_read("rc-7k2m-9xqd-4hvt-w3nq", &code), 0);
	assert_int_equal(recovery_hash(&code, salt, hash), 0);
	assert_memory_not_equal(hash, want, sizeof(want));
}

static void
what_is_not_canonical_is_not_hashed(void **state)
{
	static const char *const bad[] = {"", "7k2m9xqd4hvtw3n", "7k2m9xqd4hvtw3npp",
	    "7K2M9XQD4HVTW3NP", "7k2m9xqd4hvtw3nu", "rc7k2m9xqd4hvtw-"};
	static const unsigned char none[RECOVERY_HASH_LEN];
	unsigned char salt[RECOVERY_SALT_LEN] = {0}, hash[RECOVERY_HASH_LEN];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		_auto_secret struct secret code = {0};

		memset(hash, 0xff, sizeof(hash));
		assert_int_equal(secret_set(&code, bad[i], strlen(bad[i])), 0);
		ROW(recovery_hash(&code, salt, hash) == -OTP_EINVAL, bad[i]);
		assert_memory_equal(hash, none, sizeof(none));
	}
}

static void
salts_differ(void **state)
{
	unsigned char a[RECOVERY_SALT_LEN], b[RECOVERY_SALT_LEN];

	(void)state;
	assert_int_equal(recovery_salt(a), 0);
	assert_int_equal(recovery_salt(b), 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_begins_like_a_recovery_code_is_never_another_answer),
	    cmocka_unit_test(a_code_is_read_however_it_is_typed),
	    cmocka_unit_test(what_is_not_exactly_one_code_is_refused),
	    cmocka_unit_test(codes_are_random_and_have_one_shape),
	    cmocka_unit_test(the_hash_is_scrypt_of_the_canonical_form),
	    cmocka_unit_test(what_is_not_canonical_is_not_hashed),
	    cmocka_unit_test(salts_differ),
	};

	return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
