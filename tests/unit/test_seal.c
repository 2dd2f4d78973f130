/* Secrets that are stored encrypted, bound to the host key and to a context; tokens in a store. */
#include "tests/unit/unit.h"

#include "common/err.h"
#include "helpers/codes/seal.h"
#include "helpers/provider/tokens.h"

static const struct secret key = {(char *)"0123456789abcdef0123456789abcdef", 32};
static const struct secret other_key = {(char *)"X123456789abcdef0123456789abcdef", 32};

static void
what_is_sealed_opens_with_key_and_context_alone(void **state)
{
	static const char *const texts[] = {
	    "", "x", "{\"id\":\"7\"}", "a longer text than one block"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		_auto_buf struct buf a = BUF_INIT(4096), b = BUF_INIT(4096);
		_auto_secret struct secret plain = {0}, back = {0};

		assert_int_equal(secret_set(&plain, texts[i], strlen(texts[i])), 0);
		assert_int_equal(seal(&key, "context", &plain, &a), 0);
		assert_int_equal(seal(&key, "context", &plain, &b), 0);
		assert_string_not_equal(buf_str(&a), buf_str(&b));
		if (*texts[i])
			assert_null(strstr(buf_str(&a), texts[i]));
		assert_int_equal(unseal(&key, "context", buf_str(&a), &back), 0);
		assert_string_equal(secret_str(&back), texts[i]);
		assert_int_equal(unseal(&other_key, "context", buf_str(&a), &back), -OTP_EINVAL);
		assert_int_equal(unseal(&key, "Context", buf_str(&a), &back), -OTP_EINVAL);
		assert_int_equal(unseal(&key, "", buf_str(&a), &back), -OTP_EINVAL);
	}
}

static void
every_changed_byte_is_noticed(void **state)
{
	_auto_buf struct buf sealed = BUF_INIT(4096);
	_auto_secret struct secret plain = {0}, back = {0};

	(void)state;
	assert_int_equal(secret_set(&plain, "token", 5), 0);
	assert_int_equal(seal(&key, "c", &plain, &sealed), 0);
	assert_non_null(buf_str(&sealed));
	for (size_t i = 0; i < sealed.len; i++) {
		unsigned char was = sealed.bytes[i];

		sealed.bytes[i] = was == '0' ? '1' : '0';
		assert_int_equal(unseal(&key, "c", buf_str(&sealed), &back), -OTP_EINVAL);
		sealed.bytes[i] = was;
	}
	for (size_t len = sealed.len; len-- > 0;) {
		sealed.bytes[len] = '\0';
		assert_int_equal(unseal(&key, "c", (const char *)sealed.bytes, &back), -OTP_EINVAL);
	}
	assert_int_equal(unseal(&key, "c", "no hexadecimal text", &back), -OTP_EINVAL);
	assert_string_equal(secret_str(&back), "");
}

static void
what_is_too_big_is_refused(void **state)
{
	_auto_buf struct buf sealed = BUF_INIT(2 * SECRET_MAX), small = BUF_INIT(16);
	_auto_secret struct secret plain = {0}, back = {0};
	static char text[SECRET_MAX];
	char *long_text;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(secret_set(&plain, text, sizeof(text)), 0);
	assert_int_equal(seal(&key, "c", &plain, &sealed), -OTP_ETOOBIG);
	assert_int_equal(secret_set(&plain, text, sizeof(text) - 28), 0);
	assert_int_equal(seal(&key, "c", &plain, &sealed), 0);
	assert_int_equal(unseal(&key, "c", buf_str(&sealed), &back), 0);
	assert_int_equal(back.len, sizeof(text) - 28);
	assert_int_equal(seal(&key, "c", &plain, &small), -OTP_ETOOBIG);
	long_text = calloc(1, 4 * SECRET_MAX);
	assert_non_null(long_text);
	memset(long_text, 'a', 4 * SECRET_MAX - 1);
	assert_int_equal(unseal(&key, "c", long_text, &back), -OTP_EINVAL);
	free(long_text);
}

static struct instant clock_now = {.wall_ms = 1781524800000, .boot_ms = 5000, .boot_id = "b"};

static void
now(struct clock_source *c, struct instant *out)
{
	(void)c;
	*out = clock_now;
}

static int
token_is(struct stored_tokens *s, const char *name, const char *want)
{
	_auto_secret struct secret json = {0};
	int r = s->base.get(&s->base, name, &json);

	if (!r)
		assert_string_equal(secret_str(&json), want);
	return r;
}

static void
tokens_are_kept_in_the_store_for_their_time(void **state)
{
	struct clock_source clock = {.now = now};
	struct stored_tokens s, foreign;
	_auto_secret struct secret json = {0};
	struct store *store = NULL;
	struct folder folder;
	char dir[512];

	(void)state;
	folder_make(&folder);
	(void)snprintf(dir, sizeof(dir), "%s", folder_at(&folder, "state"));
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(store_sqlite_create(dir), 0);
	assert_int_equal(store_sqlite_open(dir, NULL, NULL, &store), 0);
	tokens_init(&s, store, &key, &clock);
	tokens_init(&foreign, store, &other_key, &clock);
	assert_int_equal(secret_set(&json, "{\"jwt\":\"one\"}", 13), 0);
	assert_int_equal(token_is(&s, "kgen asha", ""), -OTP_ENOENT);
	assert_int_equal(s.base.put(&s.base, "kgen asha", &json, 60000), 0);
	assert_int_equal(token_is(&s, "kgen asha", "{\"jwt\":\"one\"}"), 0);
	assert_int_equal(token_is(&s, "kgen bina", ""), -OTP_ENOENT);
	/* A token that was sealed under another host key is not found. */
	assert_int_equal(token_is(&foreign, "kgen asha", ""), -OTP_ENOENT);
	assert_int_equal(secret_set(&json, "{\"jwt\":\"two\"}", 13), 0);
	assert_int_equal(s.base.put(&s.base, "kgen asha", &json, 60000), 0);
	assert_int_equal(token_is(&s, "kgen asha", "{\"jwt\":\"two\"}"), 0);
	clock_now.wall_ms += 59999;
	assert_int_equal(token_is(&s, "kgen asha", "{\"jwt\":\"two\"}"), 0);
	clock_now.wall_ms += 1;
	assert_int_equal(token_is(&s, "kgen asha", ""), -OTP_ENOENT);
	assert_int_equal(s.base.put(&s.base, "kgen asha", &json, 60000), 0);
	s.base.drop(&s.base, "kgen asha");
	assert_int_equal(token_is(&s, "kgen asha", ""), -OTP_ENOENT);
	store->ops->close(store);
	folder_drop(&folder);
}

/* A store that keeps one token and shows what it got. */
static struct {
	char name[128];
	char sealed[1024];
	int64_t until;
	int error;
} spied;

static int
spy_get(struct store *s, const struct instant *t, const char *name, struct secret *sealed)
{
	(void)s, (void)t;
	(void)snprintf(spied.name, sizeof(spied.name), "%s", name);
	return spied.error ? spied.error : secret_set(sealed, spied.sealed, strlen(spied.sealed));
}

static int
spy_put(
    struct store *s, const struct instant *t, const char *name, const char *sealed, int64_t until)
{
	(void)s, (void)t;
	(void)snprintf(spied.name, sizeof(spied.name), "%s", name);
	(void)snprintf(spied.sealed, sizeof(spied.sealed), "%s", sealed);
	spied.until = until;
	return spied.error;
}

static int
spy_drop(struct store *s, const char *name)
{
	(void)s;
	(void)snprintf(spied.name, sizeof(spied.name), "%s", name);
	return spied.error;
}

/* The store learns neither the token nor its owner, and cannot give it to another user. */
static void
a_store_of_tokens_learns_nothing(void **state)
{
	static const struct store_ops ops = {
	    .token_get = spy_get, .token_put = spy_put, .token_drop = spy_drop};
	struct clock_source clock = {.now = now};
	struct store store = {&ops};
	_auto_secret struct secret json = {0};
	struct stored_tokens s;
	char name[128];

	(void)state;
	tokens_init(&s, &store, &key, &clock);
	assert_int_equal(secret_set(&json, "{\"jwt\":\"one\"}", 13), 0);
	assert_int_equal(s.base.put(&s.base, "kgen asha", &json, 60000), 0);
	assert_int_equal(strspn(spied.name, "0123456789abcdef"), 64);
	assert_int_equal(strlen(spied.name), 64);
	assert_null(strstr(spied.sealed, "jwt"));
	assert_int_equal(spied.until, clock_now.wall_ms + 60000);
	(void)snprintf(name, sizeof(name), "%s", spied.name);
	assert_int_equal(token_is(&s, "kgen asha", "{\"jwt\":\"one\"}"), 0);
	assert_string_equal(spied.name, name);
	/* The token of one user does not open for another. */
	assert_int_equal(token_is(&s, "kgen bina", ""), -OTP_ENOENT);
	assert_string_not_equal(spied.name, name);
	s.base.drop(&s.base, "kgen asha");
	assert_string_equal(spied.name, name);
	(void)snprintf(spied.sealed, sizeof(spied.sealed), "no sealed text");
	assert_int_equal(token_is(&s, "kgen asha", ""), -OTP_ENOENT);
	spied.error = -OTP_ESTORE;
	assert_int_equal(token_is(&s, "kgen asha", ""), -OTP_ESTORE);
	assert_int_equal(s.base.put(&s.base, "kgen asha", &json, 60000), -OTP_ESTORE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_sealed_opens_with_key_and_context_alone),
	    cmocka_unit_test(every_changed_byte_is_noticed),
	    cmocka_unit_test(what_is_too_big_is_refused),
	    cmocka_unit_test(tokens_are_kept_in_the_store_for_their_time),
	    cmocka_unit_test(a_store_of_tokens_learns_nothing),
	};

	return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
