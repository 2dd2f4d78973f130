/*
 * Ownership in the declaration: a variable declared with one of these owns what it holds from the
 * line it is initialised on, and never holds a borrowed reference. Hand over with take().
 */
#ifndef OTP_OWN_H
#define OTP_OWN_H

#include <stdlib.h>
#include <unistd.h>

static inline void
own_free(void *p)
{
	free(*(void **)p);
}

static inline void
own_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

#define _auto_free  __attribute__((cleanup(own_free)))
#define _auto_close __attribute__((cleanup(own_close)))

/* The value of an owned pointer, which is NULL afterwards. */
#define take(pp)                                           \
	({                                                 \
		__typeof__(pp) take_pp_ = (pp);            \
		__typeof__(*take_pp_) take_p_ = *take_pp_; \
		*take_pp_ = NULL;                          \
		take_p_;                                   \
	})

static inline int
take_fd(int *fd)
{
	int n = *fd;
	*fd = -1;
	return n;
}

#endif
