/*
 * Secrets: bytes that are wiped before their memory is freed. They have a type of their own, so
 * that no printf() takes one by mistake.
 */
#ifndef OTP_SECRET_H
#define OTP_SECRET_H

#include <stddef.h>
#include <string.h>

/* Wipes a struct or a scalar. A pointer or an array is an error at compile time. */
#define otp_wipe(obj)                                                                         \
	do {                                                                                  \
		_Static_assert(__builtin_classify_type(obj) != 5, "otp_wipe wants a struct"); \
		explicit_bzero(&(obj), sizeof(obj));                                          \
	} while (0)
/* Wipes an array. A pointer is an error at compile time: its size is not that of the array. */
#define otp_wipe_array(a)                                                                         \
	do {                                                                                      \
		_Static_assert(!__builtin_types_compatible_p(__typeof__(a), __typeof__(&(a)[0])), \
		    "otp_wipe_array wants an array");                                             \
		explicit_bzero((a), sizeof(a));                                                   \
	} while (0)

/* Owns len bytes and a NUL behind them, for C interfaces. A zeroed struct is an empty secret. */
struct secret {
	char *bytes;
	size_t len;
};

enum { SECRET_MAX = 16 * 1024 }; /* bytes, without the NUL */

/*
 * Replaces the content of s by a copy of len bytes, and wipes the old content.
 * 0. -OTP_ETOOBIG: len is over SECRET_MAX. -OTP_ENOMEM. After an error s is unchanged.
 */
int secret_set(struct secret *s, const void *bytes, size_t len);
/* Wipes and frees the content; s is empty afterwards. */
void secret_clear(struct secret *s);
/* The content as a C string, never NULL; s owns it. */
const char *secret_str(const struct secret *s);

/* Wipes and frees a C string. s may be NULL. */
void secret_str_free(char *s);
/* Returns 1 if a equals b, else 0. The time that it takes depends on the length of b alone. */
int secret_str_equal(const char *a, const char *b);

/* A variable declared with this is wiped and freed at the end of its block. */
#define _auto_secret __attribute__((cleanup(secret_clear)))

#endif
