#include "common/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

enum { BUF_FIRST = 128 };

/* Makes room for more bytes, and for the NUL that buf_str() writes behind them. */
static int
buf_reserve(struct buf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST;
	unsigned char *grown;

	if (b->err)
		return b->err;
	if (more > b->max || b->len > b->max - more)
		return b->err = -OTP_ETOOBIG;
	while (cap < b->len + more + 1)
		cap *= 2;
	if (cap == b->cap)
		return 0;
	grown = malloc(cap);
	if (!grown)
		return b->err = -OTP_ENOMEM;
	if (b->bytes) {
		memcpy(grown, b->bytes, b->len);
		explicit_bzero(b->bytes, b->cap);
		free(b->bytes);
	}
	b->bytes = grown;
	b->cap = cap;
	return 0;
}

int
buf_put(struct buf *b, const void *bytes, size_t len)
{
	int r = buf_reserve(b, len);

	if (r)
		return r;
	if (len)
		memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
	return 0;
}

int
buf_puts(struct buf *b, const char *s)
{
	return buf_put(b, s, strlen(s));
}

int
buf_putc(struct buf *b, char c)
{
	return buf_put(b, &c, 1);
}

int
buf_putf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n, r;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return b->err = b->err ? b->err : -OTP_EINVAL;
	r = buf_reserve(b, (size_t)n);
	if (r)
		return r;
	va_start(ap, fmt);
	(void)vsnprintf((char *)b->bytes + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

int
buf_err(const struct buf *b)
{
	return b->err;
}

const char *
buf_str(struct buf *b)
{
	if (buf_reserve(b, 0))
		return NULL;
	b->bytes[b->len] = '\0';
	return (const char *)b->bytes;
}

void
buf_reset(struct buf *b)
{
	if (b->bytes)
		explicit_bzero(b->bytes, b->cap);
	b->len = 0;
	b->err = 0;
}

void
buf_free(struct buf *b)
{
	buf_reset(b);
	free(b->bytes);
	b->bytes = NULL;
	b->cap = 0;
}
