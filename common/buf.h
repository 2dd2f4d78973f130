/*
 * A byte buffer that grows up to a fixed maximum. It wipes its old memory whenever it grows, is
 * reset or is freed.
 *
 * The first error stays: every later put fails with it. So a caller may make several puts and check
 * for an error once, with buf_err() or buf_str().
 */
#ifndef OTP_BUF_H
#define OTP_BUF_H

#include <stddef.h>

struct buf {
	unsigned char *bytes; /* owned */
	size_t len;	      /* bytes in use */
	size_t cap;	      /* bytes allocated */
	size_t max;	      /* the most that len may become */
	int err;	      /* 0, or the first error */
};

/* An empty buffer for at most maximum bytes. Nothing is allocated before the first put. */
#define BUF_INIT(maximum)        \
	{                        \
		.max = (maximum) \
	}

/*
 * These four append to b: len bytes, a string without its NUL, one byte, a formatted text.
 * 0. -OTP_ETOOBIG: b would exceed its maximum. -OTP_ENOMEM: there is no memory. -OTP_EINVAL:
 * printf(3) cannot format it. After an earlier error, that error again. A put that fails appends
 * nothing.
 */
int buf_put(struct buf *b, const void *bytes, size_t len);
int buf_puts(struct buf *b, const char *s);
int buf_putc(struct buf *b, char c);
int buf_putf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* 0 if every put since the last reset succeeded, else the errors of buf_put(). */
int buf_err(const struct buf *b);
/* The content as a C string, valid until b changes; b owns it. NULL after an error. */
const char *buf_str(struct buf *b);
/* Wipes the content and clears the error. The memory and the maximum stay. */
void buf_reset(struct buf *b);
/* Wipes the content and frees the memory. b may be used again. */
void buf_free(struct buf *b);

/* A variable declared with this is freed at the end of its block. */
#define _auto_buf __attribute__((cleanup(buf_free)))

#endif
