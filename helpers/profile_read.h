/* Reading a profile's JSON into its struct: profile_read.c, for profile.c. */
#ifndef OTP_PROFILE_READ_H
#define OTP_PROFILE_READ_H

#include <stdbool.h>

#include "helpers/profile.h"

/* Where we are, and where errors go. */
struct reader {
	const char *file;
	struct buf *report;
	struct profile *p;
	char at[512]; /* JSON pointer of the value being read */
	bool failed;
};

/* Reports an error at the place that is being read. */
void reader_fault(struct reader *rd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Reads the whole profile; rd->failed tells whether it was right. */
void profile_read(struct reader *rd, json_t *root);

#endif
