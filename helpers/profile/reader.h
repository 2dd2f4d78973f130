/* What all readers of a profile share: the position in the JSON, and how errors are reported. */
#ifndef OTP_PROFILE_READER_H
#define OTP_PROFILE_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "helpers/profile/profile.h"

struct reader {
	const char *file; /* borrowed: for errors */
	struct conf_report *report;
	struct profile *p;
	char at[512];  /* the JSON pointer of the value that is being read */
	bool has_code; /* may the request that is being read use ${code}? */
	bool optional; /* may the template that is being read use a variable without a value? */
	bool failed;   /* an error was reported */
};

/* Reports an error in the value at rd->at. */
void reader_fault(struct reader *rd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * The first two move rd->at to a member or an item. reader_up() moves it back; `before` is what
 * they have returned.
 */
size_t reader_down(struct reader *rd, const char *token);
size_t reader_down_index(struct reader *rd, size_t i);
void reader_up(struct reader *rd, size_t before);

/* True if the value is an object with known keys only. Otherwise reports what is wrong. */
bool reader_known_keys(struct reader *rd, json_t *object, const char *const *known, size_t n);
/* Returns a copy of a string, which the caller frees; NULL after a report. */
char *reader_copy(struct reader *rd, const json_t *value);
/*
 * Returns a copy of a string that is a member, as reader_copy() does. If the member is missing,
 * returns a copy of the fallback. If the fallback is NULL too, reports the missing member and
 * returns NULL.
 */
char *reader_string(struct reader *rd, json_t *object, const char *key, const char *fallback);
/* Reads true or false; a missing member is false. Anything else is reported, and false. */
bool reader_bool(struct reader *rd, json_t *object, const char *key);
/* Returns the index of a string in a list of words, or -1 after a report. NULL words are skipped.
 */
int reader_one_of(struct reader *rd, const json_t *value, const char *const *word, size_t n);

/* True for a variable of `vars`, or of the `set` of any channel. */
bool reader_is_set(const struct reader *rd, const char *name);
/* Reports a malformed template, and variables in it that have no value at this point. */
void reader_template(struct reader *rd, const char *text);
/*
 * Does the same as reader_template() for the templates that are rendered first: the defaults in
 * `vars` and the `dest` of a channel. These may use the built-in variables except dest, message and
 * code.
 */
void reader_early_template(struct reader *rd, const char *text);
/* Reads {"name": "template", "name?": "template"}; reader_check_pairs() checks the templates. */
void reader_pairs(struct reader *rd, json_t *object, const char *key, struct pairs *out);
void reader_check_pairs(struct reader *rd, const char *key, const struct pairs *pairs);
/*
 * Reports names of headers that no header can have, that stand twice, or that only pam_otp sets;
 * has_auth: the request has a login, so that Authorization is one of these.
 */
void reader_check_headers(struct reader *rd, const struct pairs *headers, bool has_auth);
/* Reports names of query or form pairs that would need an encoding. */
void reader_check_query(struct reader *rd, const char *key, const struct pairs *pairs);
/* Reports a name of a channel or variable that the configuration could never use. */
void reader_check_name(struct reader *rd, const char *name, const char *what);

#endif
