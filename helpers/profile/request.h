/* Reads the requests of a profile. */
#ifndef OTP_PROFILE_REQUEST_H
#define OTP_PROFILE_REQUEST_H

#include <stddef.h>

#include "helpers/profile/profile.h"
#include "helpers/profile/reader.h"

/* [200, "2xx"] */
void reader_status(
    struct reader *rd, json_t *object, const char *key, int *out, size_t max, size_t *n);
/* The members of a request. */
void reader_request(struct reader *rd, json_t *object, const char *key, struct request *q);

#endif
