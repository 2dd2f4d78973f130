/* Reads a profile's JSON into its struct. */
#ifndef OTP_PROFILE_READ_H
#define OTP_PROFILE_READ_H

#include "helpers/profile/reader.h"

/* Reads the whole profile; rd->failed tells whether it was right. */
void profile_read(struct reader *rd, json_t *root);

#endif
