/*
 * A growing byte buffer that takes its maximum at birth and is wiped at growth and at death.
 * The first failure sticks: puts may be chained and the result asked once, from buf_err().
 */
#ifndef OTP_BUF_H
#define OTP_BUF_H

#include <stddef.h>

struct buf {
	unsigned char *bytes;
	size_t len;
	size_t cap;
	size_t max;
	int err;
};

#define BUF_INIT(maximum)        \
	{                        \
		.max = (maximum) \
	}

/* Each: 0, -OTP_ETOOBIG or -OTP_ENOMEM, or the error before it. */
int buf_put(struct buf *b, const void *bytes, size_t len);
int buf_puts(struct buf *b, const char *s);
int buf_putc(struct buf *b, char c);
int buf_putf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int buf_err(const struct buf *b);
/* The content as a C string (a NUL is kept behind it); NULL after an error. b keeps it. */
const char *buf_str(struct buf *b);
/* Drops the content and a sticky error, wiping; keeps the maximum. */
void buf_reset(struct buf *b);
/* Wipes and frees. */
void buf_free(struct buf *b);

#define _auto_buf __attribute__((cleanup(buf_free)))

#endif
