#include "common/secret.h"

#include <stdlib.h>

#include "common/err.h"

int
secret_set(struct secret *s, const void *bytes, size_t len)
{
	char *copy;

	if (len > SECRET_MAX)
		return -OTP_ETOOBIG;
	copy = malloc(len + 1);
	if (!copy)
		return -OTP_ENOMEM;
	if (len)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	secret_clear(s);
	s->bytes = copy;
	s->len = len;
	return 0;
}

void
secret_clear(struct secret *s)
{
	if (s->bytes)
		explicit_bzero(s->bytes, s->len);
	free(s->bytes);
	s->bytes = NULL;
	s->len = 0;
}

const char *
secret_str(const struct secret *s)
{
	return s->bytes ? s->bytes : "";
}

void
secret_str_free(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

int
secret_str_equal(const char *a, const char *b)
{
	size_t alen = strlen(a), blen = strlen(b);
	unsigned char diff = alen != blen;

	for (size_t i = 0; i < blen; i++)
		diff |= (unsigned char)(a[alen ? i % alen : 0] ^ b[i]);
	return !diff;
}
