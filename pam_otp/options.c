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

/* All arguments that exist. */
static const struct {
	const char *name; /* including its '=' if it takes a value */
	int (*set)(struct options *o, const char *value);
	const char *expected;
} arguments[] = {
    {"socket=", set_socket, "a path"},
    {"helper=", set_helper, "a path"},
    {"config=", set_config, "a path"},
    {"timeout=", set_timeout, "10 to 600 seconds"},
    {"debug", set_debug, "no value"},
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
		(void)snprintf(why, size, "module argument %s: expected %s, and only once", text,
		    arguments[i].expected);
		return -OTP_ECONF;
	}
	(void)snprintf(why, size, "unknown module argument: %s", text);
	return -OTP_ECONF;
}

/* Checks the arguments together: some exclude each other, and a host that is not root needs two. */
static int
check_together(const struct options *o, uid_t euid, char *why, size_t size)
{
	const char *wrong = NULL;

	if (o->socket && (o->helper || o->config))
		wrong = "socket= cannot be combined with helper= or config=";
	else if (euid != 0 && !o->helper != !o->config)
		wrong = "a program that does not run as root needs both helper= and config=";
	else if (o->socket && strlen(o->socket) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		wrong = "the path of socket= is too long for a socket";
	if (!wrong)
		return 0;
	(void)snprintf(why, size, "module arguments: %s", wrong);
	return -OTP_ECONF;
}

/*
 * Checks the directories of the path, too. A user who can write to one of them could replace the
 * file, and so decide who signs in.
 */
static int
check_path(const char *name, const char *path, uid_t euid, char *why, size_t size)
{
	char culprit[256];
	int r = path ? trust_path(path, euid, culprit, sizeof(culprit)) : 0;

	if (!r)
		return 0;
	if (r == -OTP_ESYS)
		(void)snprintf(
		    why, size, "module argument %s: cannot look up %s: %m", name, culprit);
	else if (r == -OTP_EINVAL)
		(void)snprintf(why, size,
		    "module argument %s: expected an absolute path without //, /./, /../ or a "
		    "slash at its end: %s",
		    name, culprit);
	else
		(void)snprintf(why, size,
		    "module argument %s: %s must be no symbolic link, belong to root or to this "
		    "program's user, and be writable by its owner alone",
		    name, culprit);
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
		r = check_together(o, euid, why, size);
	if (!r)
		r = check_path("socket=", o->socket, euid, why, size);
	if (!r)
		r = check_path("helper=", o->helper, euid, why, size);
	if (!r)
		r = check_path("config=", o->config, euid, why, size);
	if (!o->timeout_s)
		o->timeout_s = OPTIONS_TIMEOUT;
	return r;
}
