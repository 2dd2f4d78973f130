/*
 * A provider's profile: the JSON file that describes an API, read and judged. See
 * pam_otp-provider(5). Everything in a struct profile belongs to it.
 */
#ifndef OTP_PROFILE_H
#define OTP_PROFILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/buf.h"
#include "helpers/conf.h"
#include "helpers/contacts.h"

/* What became of a request. The names are those of `fail` rules. */
enum provider_class {
	CLASS_OK,
	CLASS_WRONG_CODE,
	CLASS_EXPIRED,
	CLASS_TOO_MANY,
	CLASS_RATE_LIMITED,
	CLASS_BAD_CREDENTIALS,
	CLASS_BAD_DESTINATION,
	CLASS_NO_CREDIT,
	CLASS_ACTION_NEEDED,
	CLASS_PROVIDER_DOWN,
	CLASS_UNANSWERED, /* written, and no whole answer: it may have been carried out */
	CLASS_REFUSED,	  /* the answer fits no rule: profile or configuration are wrong */
	CLASS_BROKEN,	  /* this machine's fault: no memory, no socket */
};

const char *provider_class_name(enum provider_class c);

/* A name and a template. */
struct pair {
	char *name;
	char *value;
	bool optional; /* "name?": left out when a variable of the value is empty */
};

struct pairs {
	struct pair *item;
	size_t n;
};

struct profile_var {
	char *name;
	char *value; /* the default, a template; "" when there is none */
	bool required;
	bool secret; /* the configuration names a file: or cred: that holds it */
};

struct profile_channel {
	char *name;
	enum contact_kind needs;
	char *dest;	  /* a template of the contact's forms */
	struct pairs set; /* variables that this channel sets */
};

enum check_op { CHECK_EQ, CHECK_ABSENT_OR, CHECK_NONEMPTY, CHECK_ABSENT };

struct check {
	char *pointer;
	enum check_op op;
	json_t *value; /* of eq and absent_or: one value, or an array of those allowed */
};

/* A predicate on an answer. */
struct expect {
	int status[16]; /* 200, or 2 for "2xx"; none: any */
	size_t nstatus;
	struct check *check;
	size_t nchecks;
	bool any; /* one of the checks suffices */
};

struct fail_rule {
	struct expect when;
	enum provider_class is;
};

enum capture_from { CAPTURE_BODY, CAPTURE_HEADER, CAPTURE_COOKIE };

struct capture {
	char *name;
	enum capture_from from;
	char *where; /* pointer, header name, or cookie name */
	bool optional;
};

struct request {
	char *method;
	char *url; /* a template */
	struct pairs headers;
	struct pairs query;
	json_t *json; /* the body, its strings templates; NULL for none */
	struct expect expect;
	struct capture *capture;
	size_t ncaptures;
	struct fail_rule *fail;
	size_t nfails;
};

struct profile {
	char *file;
	char *title;
	char *message;	   /* the default text, a template; "" when there is none */
	char *placeholder; /* what ${code} becomes inside the message, or NULL */
	struct profile_var *var;
	size_t nvars;
	struct profile_channel *channel;
	size_t nchannels;
	struct request send;
};

/*
 * Finds NAME.json in the folders, in order, judges the file (owner root or `also`), applies the
 * variant if one is named, and reads it. Each error goes to *report as a line "FILE: POINTER: what
 * is wrong, what was expected". 0, -OTP_ECONF, -OTP_ENOMEM.
 */
int profile_load(const char *name, const char *variant, const struct strlist *folders, uid_t also,
    struct profile **out, struct buf *report);
void profile_free(struct profile *p);

/* NULL where there is none. */
const struct profile_channel *profile_channel(const struct profile *p, const char *name);
const struct profile_var *profile_var(const struct profile *p, const char *name);

/* Is it a name that every template knows: user, host, code, phone.national, ...? */
bool profile_is_builtin(const char *name);

#endif
