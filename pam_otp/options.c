#include "pam_otp/options.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "common/err.h"
#include "common/trust.h"

static int
set_once(const char **slot, const char *value)
{
	if (*slot || !*value)
		return -OTP_ECONF;
	*slot = value;
	return 0;
}

static int
set_socket(struct options *o, const char *value)
{
	return set_once(&o->socket, value);
}

static int
set_helper(struct options *o, const char *value)
{
	return set_once(&o->helper, value);
}

static int
set_config(struct options *o, const char *value)
{
	return set_once(&o->config, value);
}

static int
set_timeout(struct options *o, const char *value)
{
	size_t len = strspn(value, "0123456789");
	int n = 0;

	if (o->timeout_s || value[len] || len < 2 || len > 3 || value[0] == '0')
		return -OTP_ECONF;
	for (size_t i = 0; i < len; i++)
		n = n * 10 + (value[i] - '0');
	if (n < OPTIONS_TIMEOUT_LEAST || n > OPTIONS_TIMEOUT_MOST)
		return -OTP_ECONF;
	o->timeout_s = n;
	return 0;
}

static int
set_debug(struct options *o, const char *value)
{
	if (o->debug || *value)
		return -OTP_ECONF;
	o->debug = true;
	return 0;
}

/* Anything that is not in this table is an error. */
static const struct {
	const char *name; /* up to and with its '=' when it takes a value */
	int (*set)(struct options *o, const char *value);
} arguments[] = {
    {"socket=", set_socket},
    {"helper=", set_helper},
    {"config=", set_config},
    {"timeout=", set_timeout},
    {"debug", set_debug},
};

static int
set_argument(struct options *o, const char *text, char *why, size_t size)
{
	for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		size_t len = strlen(arguments[i].name);

		if (strncmp(text, arguments[i].name, len) != 0)
			continue;
		if (!arguments[i].set(o, text + len))
			return 0;
		(void)snprintf(
		    why, size, "module argument is out of range or given twice: %s", text);
		return -OTP_ECONF;
	}
	(void)snprintf(why, size, "unknown module argument: %s", text);
	return -OTP_ECONF;
}

/* Which arguments may stand together, and in whose host. */
static int
judge_together(const struct options *o, uid_t euid, char *why, size_t size)
{
	const char *wrong = NULL;

	if (o->socket && (o->helper || o->config))
		wrong = "socket= does not go together with helper= or config=";
	else if (euid != 0 && !o->helper != !o->config)
		wrong = "a program that is not root needs both helper= and config=";
	else if (o->socket && strlen(o->socket) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		wrong = "socket= is too long for a socket's name";
	if (!wrong)
		return 0;
	(void)snprintf(why, size, "module arguments: %s", wrong);
	return -OTP_ECONF;
}

/* Whoever may write a path's folders may decide who signs in. */
static int
judge_path(const char *name, const char *path, uid_t euid, char *why, size_t size)
{
	char culprit[256];
	int r = path ? trust_path(path, euid, culprit, sizeof(culprit)) : 0;

	if (!r)
		return 0;
	(void)snprintf(why, size, "module argument %s %s: %s", name,
	    r == -OTP_EINVAL ? "is no absolute, plain path" : "is not in trusted hands", culprit);
	return -OTP_ECONF;
}

int
options_parse(struct options *o, int argc, const char **argv, uid_t euid, char *why, size_t size)
{
	int r = 0;

	*o = (struct options){0};
	for (int i = 0; !r && i < argc; i++)
		r = set_argument(o, argv[i], why, size);
	if (!r)
		r = judge_together(o, euid, why, size);
	if (!r)
		r = judge_path("socket=", o->socket, euid, why, size);
	if (!r)
		r = judge_path("helper=", o->helper, euid, why, size);
	if (!r)
		r = judge_path("config=", o->config, euid, why, size);
	if (!o->timeout_s)
		o->timeout_s = OPTIONS_TIMEOUT;
	return r;
}
