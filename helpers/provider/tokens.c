#include "helpers/provider/tokens.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "helpers/base/log.h"
#include "helpers/codes/seal.h"

enum { NAME_LEN = 2 * SHA256_DIGEST_LENGTH };

/* The name of a token in the store: a digest, because the key may have the user's name in it. */
static void
name_of(const char *key, char name[NAME_LEN + 1])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	(void)SHA256((const unsigned char *)key, strlen(key), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)sprintf(name + 2 * i, "%02x", digest[i]);
}

static int
tokens_get(struct token_cache *base, const char *key, struct secret *json)
{
	struct stored_tokens *s = (struct stored_tokens *)base;
	_auto_secret struct secret sealed = {0};
	char name[NAME_LEN + 1];
	struct instant now;
	int r;

	name_of(key, name);
	s->clock->now(s->clock, &now);
	r = s->store->ops->token_get(s->store, &now, name, &sealed);
	if (!r)
		r = unseal(s->host_key, name, secret_str(&sealed), json);
	/* A token that was encrypted with an earlier host key is useless. */
	return r == -OTP_EINVAL ? -OTP_ENOENT : r;
}

static int
tokens_put(struct token_cache *base, const char *key, const struct secret *json, int64_t ttl)
{
	struct stored_tokens *s = (struct stored_tokens *)base;
	_auto_buf struct buf sealed = BUF_INIT(2 * SECRET_MAX);
	char name[NAME_LEN + 1];
	struct instant now;
	int r;

	name_of(key, name);
	s->clock->now(s->clock, &now);
	r = seal(s->host_key, name, json, &sealed);
	if (!r && !buf_str(&sealed))
		r = buf_err(&sealed);
	return r ? r
		 : s->store->ops->token_put(
		       s->store, &now, name, buf_str(&sealed), now.wall_ms + ttl);
}

static void
tokens_drop(struct token_cache *base, const char *key)
{
	struct stored_tokens *s = (struct stored_tokens *)base;
	char name[NAME_LEN + 1];

	name_of(key, name);
	(void)s->store->ops->token_drop(s->store, name);
}

void
tokens_init(struct stored_tokens *s, struct store *store, const struct secret *host_key,
    struct clock_source *clock)
{
	*s = (struct stored_tokens){
	    .base = {.get = tokens_get, .put = tokens_put, .drop = tokens_drop},
	    .store = store,
	    .host_key = host_key,
	    .clock = clock,
	};
}
