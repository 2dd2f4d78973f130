/*
 * A provider's profile: a JSON file that describes an API, see pam_otp-provider(5). A struct
 * profile owns everything in it; profile_free() frees it all. "A template" below is a text with
 * ${variables} that is not rendered yet.
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

/* How a request ended. provider_class_name() gives the names that profiles and the log use. */
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
	CLASS_UNANSWERED, /* no complete answer came: the provider may have done what was asked */
	CLASS_REFUSED,	  /* no rule knows the answer: the profile or configuration is wrong */
	CLASS_BROKEN,	  /* this machine failed: no memory, no socket */
};

const char *provider_class_name(enum provider_class c);

/* A name and a template. */
struct pair {
	char *name;
	char *value;
	bool optional; /* "name?": left out if a variable of the value is empty */
};

struct pairs {
	struct pair *item;
	size_t n;
};

struct profile_var {
	char *name;
	char *value; /* the default, a template; "" if there is none */
	bool required;
	bool secret; /* the configuration says where it is: file:/PATH or cred:NAME */
};

struct profile_channel {
	char *name;
	enum contact_kind needs;
	char *dest;	  /* template: writes the contact's address as the provider wants it */
	struct pairs set; /* variables that this channel sets */
};

enum check_op { CHECK_EQ, CHECK_ABSENT_OR, CHECK_NONEMPTY, CHECK_ABSENT, CHECK_TEXT };

struct check {
	char *pointer; /* the JSON pointer (RFC 6901) of the value to check; "" for CHECK_TEXT */
	enum check_op op;
	/*
	 * CHECK_EQ and CHECK_ABSENT_OR: one value, or an array of allowed ones. CHECK_NONEMPTY:
	 * "string", "object" or "array"; or NULL, which allows a string or a number.
	 */
	json_t *value;
	regex_t *text; /* CHECK_TEXT: an extended regular expression for the whole body */
};

/* A predicate on an answer. */
struct expect {
	int status[16]; /* 200, or 2 for "2xx" */
	size_t nstatus; /* 0: any status matches */
	struct check *check;
	size_t nchecks;
	bool any; /* true: one check must hold; false: all must */
};

struct fail_rule {
	struct expect when;
	enum provider_class is;
};

enum capture_from { CAPTURE_BODY, CAPTURE_HEADER, CAPTURE_COOKIE };

struct capture {
	char *name;
	enum capture_from from;
	char *where;   /* a JSON pointer, or the name of the header or cookie */
	bool optional; /* the value may be missing */
};

struct request {
	char *method; /* of an HTTP request */
	char *url;    /* a template */
	struct pairs headers;
	struct pairs query;
	/* Templates, for HTTP basic authentication or the mail server's login; NULL for none. */
	char *login;
	char *password;
	bool login_optional; /* "auth?": no login if a variable in it is empty */
	/* The body: at most one of these. */
	json_t *json;	   /* its strings are templates; NULL for none */
	struct pairs form; /* sent as application/x-www-form-urlencoded */
	char *text;	   /* a template; NULL for none */
	struct pairs mail; /* from, from_name, to, subject, text; sent over SMTP */
	struct expect expect;
	struct capture *capture;
	size_t ncaptures;
	struct fail_rule *fail;
	size_t nfails;
};

enum code_by {
	CODE_BY_MODULE,	  /* the helper makes and checks it */
	CODE_BY_RESPONSE, /* the provider makes it and returns it; the helper checks it */
	CODE_BY_PROVIDER, /* the provider makes and checks it */
};

enum bound_to {
	BOUND_TO_CHALLENGE, /* each challenge has a code of its own */
	BOUND_TO_ADDRESS,   /* an address has one valid code: a new one voids the older */
};

/* How the helper gets a token that other requests need, and how long it keeps the token. */
struct profile_token {
	struct request request; /* its captures are variables of all other requests */
	char *key;		/* a template: sign-ins with the same key share a token */
	int64_t ttl;		/* milliseconds that the token is kept */
	int renew_on[8];	/* statuses of a send that say that the token has expired */
	size_t nrenew_on;
};

struct profile {
	char *file;
	char *title;
	char *warning;	   /* `otpctl config check` prints it; "" for none */
	char *message;	   /* the default text, a template; "" if there is none */
	char *placeholder; /* what ${code} becomes inside the message; NULL: the code */
	enum code_by code_by;
	char *code_pointer; /* CODE_BY_RESPONSE: the JSON pointer of the code in the answer */
	char *code_echo;    /* the JSON pointer at which the answer repeats the code; or NULL */
	int code_min;	    /* how many digits a code of the provider has at least */
	int code_max;
	enum bound_to bound_to;
	struct profile_var *var;
	size_t nvars;
	struct profile_channel *channel;
	size_t nchannels;
	struct profile_token *token; /* NULL if requests need no token */
	struct request send;
	struct request *resend;	 /* NULL: send is used again */
	struct request *verify;	 /* CODE_BY_PROVIDER only, else NULL */
	struct request *cleanup; /* or NULL */
	struct request *warm;	 /* or NULL */
};

/*
 * Reads NAME.json from the first folder that has it, and applies the variant unless it is NULL.
 * Root or second_owner must own the file. Each error becomes a row of *report: the file, the JSON
 * pointer of the value, what is wrong, what was expected. The caller frees *out with
 * profile_free(). 0; -OTP_ENOENT, without a row, if no folder has the file; -OTP_ECONF if there is
 * an error; -OTP_ENOMEM.
 */
int profile_load(const char *name, const char *variant, const struct strlist *folders,
    uid_t second_owner, struct profile **out, struct conf_report *report);
void profile_free(struct profile *p);
/*
 * Writes to dst the name of the profile in these folders that a misspelt name most likely means.
 * Returns dst, or NULL if none is close.
 */
const char *profile_suggest(
    const char *name, const struct strlist *folders, char *dst, size_t size);

/* Finds the pair of this name. It is borrowed; NULL if there is none. */
const struct pair *pairs_find(const struct pairs *pairs, const char *name);
const struct profile_channel *profile_channel(const struct profile *p, const char *name);
const struct profile_var *profile_var(const struct profile *p, const char *name);

/* True if the list has this status, or its first digit, which stands for a group such as 2xx. */
bool status_listed(const int *list, size_t n, long status);

/* True for the variables of every profile: user, host, code, phone.national, attr.NAME, ... */
bool profile_is_builtin(const char *name);

#endif
