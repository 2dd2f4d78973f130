/*
 * A provider's profile: the JSON file that describes an API, read and judged. See
 * pam_otp-provider(5). Everything in a struct profile belongs to it.
 */
#ifndef OTP_PROFILE_H
#define OTP_PROFILE_H

#include <jansson.h>
#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "helpers/conf/conf.h"
#include "helpers/contacts/contacts.h"

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

enum check_op { CHECK_EQ, CHECK_ABSENT_OR, CHECK_NONEMPTY, CHECK_ABSENT, CHECK_TEXT };

struct check {
	char *pointer; /* of text: "" */
	enum check_op op;
	/*
	 * Of eq and absent_or: one value, or an array of those allowed. Of nonempty: "string",
	 * "object" or "array", or nothing for a string or a number.
	 */
	json_t *value;
	regex_t *text; /* of text: an extended regular expression for the body as it came */
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
	char *method; /* not of a mail */
	char *url;    /* a template */
	struct pairs headers;
	struct pairs query;
	/* Templates: login and password of basic authentication; NULL for none. */
	char *login;
	char *password;
	bool login_optional; /* "auth?" */
	/* The body: at most one of these. */
	json_t *json;	   /* its strings are templates; NULL for none */
	struct pairs form; /* urlencoded pairs */
	char *text;	   /* a template; NULL for none */
	struct pairs mail; /* from, from_name, to, subject, text; it goes over SMTP */
	struct expect expect;
	struct capture *capture;
	size_t ncaptures;
	struct fail_rule *fail;
	size_t nfails;
};

enum code_by {
	CODE_BY_MODULE,	  /* made and checked here */
	CODE_BY_RESPONSE, /* the answer to the send tells it; checked here */
	CODE_BY_PROVIDER, /* made and checked there */
};

enum bound_to {
	BOUND_TO_CHALLENGE, /* our challenge, or an id that was captured */
	BOUND_TO_ADDRESS,   /* whoever can call the API shares it: one live code an address */
};

/* A token that is obtained by a request and kept. */
struct profile_token {
	struct request request; /* its captures are variables of every other request */
	char *key;		/* a template: who shares the token */
	int64_t ttl;		/* milliseconds that it is kept */
	int renew_on[8];	/* statuses of a send that mean "obtain a new one" */
	size_t nrenew_on;
};

struct profile {
	char *file;
	char *title;
	char *warning;	   /* what `config check` says of the chosen variant; "" for nothing */
	char *message;	   /* the default text, a template; "" when there is none */
	char *placeholder; /* what ${code} becomes inside the message, or NULL */
	enum code_by code_by;
	char *code_pointer; /* of CODE_BY_RESPONSE */
	char *code_echo;    /* where the answer repeats our code, or NULL */
	int code_min;	    /* digits of a code that is not made here */
	int code_max;
	enum bound_to bound_to;
	struct profile_var *var;
	size_t nvars;
	struct profile_channel *channel;
	size_t nchannels;
	struct profile_token *session; /* or NULL, as the requests below */
	struct request send;
	struct request *resend;
	struct request *verify; /* of CODE_BY_PROVIDER */
	struct request *cleanup;
	struct request *warm;
};

/*
 * Finds NAME.json in the folders, in order, judges the file (owner root or `also`), applies the
 * variant if one is named, and reads it. Each error becomes a row of *report with the file:
 * "POINTER: what is wrong, what was expected". 0, -OTP_ECONF, -OTP_ENOMEM.
 */
int profile_load(const char *name, const char *variant, const struct strlist *folders,
    uid_t second_owner, struct profile **out, struct conf_report *report);
void profile_free(struct profile *p);

/* NULL where there is none. */
const struct pair *pairs_find(const struct pairs *pairs, const char *name);
const struct profile_channel *profile_channel(const struct profile *p, const char *name);
const struct profile_var *profile_var(const struct profile *p, const char *name);

/* The spelling of "one of these statuses, or classes like 2xx". */
bool status_listed(const int *list, size_t n, long status);

/* Is it a name that every template knows: user, host, code, phone.national, ...? */
bool profile_is_builtin(const char *name);

#endif
