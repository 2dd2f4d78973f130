/* Reads the requests of a profile. */
#ifndef OTP_PROFILE_REQUEST_H
#define OTP_PROFILE_REQUEST_H

#include <stddef.h>

#include "helpers/profile/profile.h"
#include "helpers/profile/reader.h"

/* Reads a member like [200, "2xx"] into out: 200, and 2 for the group. *n counts up to max. */
void reader_status(
    struct reader *rd, json_t *object, const char *key, int *out, size_t max, size_t *n);
/* Reads a member that is a request into q, which must be zeroed. Errors set rd->failed. */
void reader_request(struct reader *rd, json_t *object, const char *key, struct request *q);

#endif
