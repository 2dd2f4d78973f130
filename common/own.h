/*
 * Ownership in declarations. A variable declared with _auto_free or _auto_close owns its value from
 * its initialisation on: at the end of its block the memory is freed, the descriptor closed. Such a
 * variable never holds a borrowed value. take() and take_fd() move the value to another owner.
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

/* Moves the value out of an owning pointer variable, and sets the variable to NULL. */
#define take(pp)                                           \
	({                                                 \
		__typeof__(pp) take_pp_ = (pp);            \
		__typeof__(*take_pp_) take_p_ = *take_pp_; \
		*take_pp_ = NULL;                          \
		take_p_;                                   \
	})

/* Returns the descriptor of an owning variable, and sets the variable to -1. */
static inline int
take_fd(int *fd)
{
	int n = *fd;
	*fd = -1;
	return n;
}

#endif
