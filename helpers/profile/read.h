/* Reads the JSON of a whole profile into its struct. */
#ifndef OTP_PROFILE_READ_H
#define OTP_PROFILE_READ_H

#include "helpers/profile/reader.h"

/* Fills rd->p, which must be zeroed. Sets rd->failed if there was an error. */
void profile_read(struct reader *rd, json_t *root);

#endif
