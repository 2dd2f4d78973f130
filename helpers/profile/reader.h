/* What every reader of a part of a profile needs: where it is, and how it reports what is wrong. */
#ifndef OTP_PROFILE_READER_H
#define OTP_PROFILE_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "helpers/profile/profile.h"

/* Where we are, and where errors go. */
struct reader {
	const char *file;
	struct conf_report *report;
	struct profile *p;
	char at[512];  /* JSON pointer of the value being read */
	bool has_code; /* is ${code} known in what is being read? */
	bool failed;
};

/* Reports an error at the place that is being read. */
void reader_fault(struct reader *rd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Steps down to a member or an item; reader_up() goes back to what was returned. */
size_t reader_down(struct reader *rd, const char *token);
size_t reader_down_index(struct reader *rd, size_t i);
void reader_up(struct reader *rd, size_t before);

/* Is it an object, and every key one of these? Reports what is not. */
bool reader_known_keys(struct reader *rd, json_t *object, const char *const *known, size_t n);
/* Copies of strings, owned by the caller; NULL after a report. */
char *reader_copy(struct reader *rd, const json_t *value);
/* A member's string, or a copy of the fallback; without one a missing member is reported. */
char *reader_string(struct reader *rd, json_t *object, const char *key, const char *fallback);
bool reader_bool(struct reader *rd, json_t *object, const char *key);
/* The index of a string in a list of words (NULLs are passed over), or -1 after a report. */
int reader_one_of(struct reader *rd, const json_t *value, const char *const *word, size_t n);

/* Is it one of vars, or of what a channel sets? */
bool reader_is_set(const struct reader *rd, const char *name);
/* Reports what is malformed in a template, and variables that do not exist here. */
void reader_template(struct reader *rd, const char *text);
/* The same for what is rendered first: of the built-in variables, those of user and contact. */
void reader_early_template(struct reader *rd, const char *text);
/* {"name": "template", "name?": "template"}; the templates are not judged yet. */
void reader_pairs(struct reader *rd, json_t *object, const char *key, struct pairs *out);
void reader_check_pairs(struct reader *rd, const char *key, const struct pairs *pairs);

#endif
