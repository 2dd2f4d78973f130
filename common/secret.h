/*
 * Secrets: bytes that are wiped when they go, and that no printf takes.
 */
#ifndef OTP_SECRET_H
#define OTP_SECRET_H

#include <stddef.h>
#include <string.h>

/* Wipes a struct or a scalar in place. Refuses pointers and arrays at compile time. */
#define otp_wipe(obj)                                                                         \
	do {                                                                                  \
		_Static_assert(__builtin_classify_type(obj) != 5, "otp_wipe wants a struct"); \
		explicit_bzero(&(obj), sizeof(obj));                                          \
	} while (0)
/* Wipes an array in place. Refuses a pointer at compile time: its size is not the array's. */
#define otp_wipe_array(a)                                                                         \
	do {                                                                                      \
		_Static_assert(!__builtin_types_compatible_p(__typeof__(a), __typeof__(&(a)[0])), \
		    "otp_wipe_array wants an array");                                             \
		explicit_bzero((a), sizeof(a));                                                   \
	} while (0)

/* Owns its bytes; NUL follows them, for C interfaces. Zeroed is empty. */
struct secret {
	char *bytes;
	size_t len;
};

enum { SECRET_MAX = 16 * 1024 };

/* Replaces what s holds by a copy. 0, -OTP_ETOOBIG (over SECRET_MAX) or -OTP_ENOMEM. */
int secret_set(struct secret *s, const void *bytes, size_t len);
/* Wipes and empties. */
void secret_clear(struct secret *s);
/* The bytes as a C string, never NULL; s keeps them. */
const char *secret_str(const struct secret *s);

/* Wipes and frees a C string; NULL is fine. */
void secret_str_free(char *s);
/* Equal content? The time depends on the length of b alone. */
int secret_str_equal(const char *a, const char *b);

#define _auto_secret __attribute__((cleanup(secret_clear)))

#endif
