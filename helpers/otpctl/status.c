/*
 * otpctl status: what sign-ins have left in the store. Today: how many messages each provider said
 * are left. The store is looked at as the user who owns it, never as root.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "helpers/account.h"
#include "helpers/json.h"
#include "helpers/otpctl/otpctl.h"
#include "helpers/store.h"

static error_t
parse_nothing(int key, char *arg, struct argp_state *state)
{
	if (key == ARGP_KEY_ARG)
		argp_error(state, "no argument was expected, not '%s'", arg);
	return ARGP_ERR_UNKNOWN;
}

static const struct argp status_argp = {
    .parser = parse_nothing, .doc = "Shows how many messages each provider said are left."};

struct listing {
	json_t *json; /* NULL for a table */
	size_t n;
};

static int
list_credits(
    const char *provider, const char *channel, int64_t credits, int64_t said_wall_ms, void *arg)
{
	struct listing *l = arg;
	time_t at = (time_t)(said_wall_ms / 1000);
	char when[32] = "";
	struct tm tm;

	if (gmtime_r(&at, &tm))
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%SZ", &tm);
	if (l->json)
		return json_array_append_new(l->json,
			   json_pack("{s:s, s:s, s:I, s:s}", "provider", provider, "channel",
			       channel, "left", (json_int_t)credits, "said", when))
			   ? -OTP_ENOMEM
			   : 0;
	if (l->n++ == 0)
		(void)printf("%-16s %-8s  %8s  %s\n", "PROVIDER", "CHANNEL", "LEFT", "SAID");
	(void)printf("%-16s %-8s  %8" PRId64 "  %s\n", provider, channel, credits, when);
	return 0;
}

/* Becomes whom the store belongs to. An exit code. */
static int
become_owner(void)
{
	struct account a;

	if (geteuid() != 0)
		return OTPCTL_OK;
	if (account_lookup(OTP_USER, &a) || !a.exists || a.uid == 0)
		return otpctl_fail("there is no user " OTP_USER "; make it, then run: otpctl init");
	account_clear(&a);
	if (!otpctl_become(a.uid, a.gid))
		return otpctl_fail("cannot become " OTP_USER);
	return OTPCTL_OK;
}

int
otpctl_status(struct otpctl *ctl, int argc, char **argv)
{
	_auto_paths struct otpctl_paths paths = {0};
	_auto_json json_t *json = NULL;
	struct listing l = {0};
	struct store *s = NULL;
	int r;

	otpctl_parse(ctl, &status_argp, "otpctl status", argc, argv, NULL);
	r = otpctl_paths_load(ctl, &paths);
	if (!r)
		r = become_owner();
	if (r)
		return r;
	if (ctl->json)
		l.json = json = json_array();
	if (store_sqlite_open(paths.state, NULL, NULL, &s))
		return otpctl_fail("the store could not be read%s",
		    geteuid() == 0 || ctl->config_given ? "" : "; run it with sudo");
	r = s->ops->credits_each(s, list_credits, &l);
	s->ops->close(s);
	if (r)
		return otpctl_fail("the store could not be read: %s", otp_strerror(r));
	if (json && (json_dumpf(json, stdout, JSON_INDENT(2)) || putchar('\n') == EOF))
		return otpctl_fail("the output could not be written");
	if (!json && !l.n)
		(void)printf("No provider has said yet how many messages are left.\n");
	return OTPCTL_OK;
}
