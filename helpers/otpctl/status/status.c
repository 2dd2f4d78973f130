/*
 * otpctl status: shows what sign-ins have left in the store. For a user, it shows the lock-outs and
 * limits, when they end and what the user reads. For the machine, it shows the counted messages
 * and how many messages each provider reported as left.
 */
#include "helpers/otpctl/status/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "helpers/base/json.h"
#include "helpers/otpctl/addresses.h"
#include "helpers/otpctl/options.h"
#include "helpers/otpctl/otpctl.h"
#include "helpers/otpctl/paths.h"
#include "helpers/otpctl/status/facts.h"
#include "helpers/otpctl/status/text.h"
#include "helpers/otpctl/store.h"
#include "helpers/otpctl/user.h"

static int
add_credits(
    const char *provider, const char *channel, int64_t credits, int64_t reported_wall_ms, void *arg)
{
	char reported[OTPCTL_TIME_MAX];

	return json_array_append_new(arg, json_pack("{s:s, s:s, s:I, s:s}", "provider", provider,
					      "channel", channel, "left", (json_int_t)credits,
					      "said", otpctl_time(reported_wall_ms, reported)))
		   ? -OTP_ENOMEM
		   : 0;
}

static void
print_credits(const json_t *credits)
{
	size_t i;
	json_t *row;

	if (!json_array_size(credits))
		(void)printf("No provider has reported how many messages are left.\n");
	else
		(void)printf("%-16s %-8s  %8s  %s\n", "PROVIDER", "CHANNEL", "LEFT", "REPORTED");
	json_array_foreach (credits, i, row)
		(void)printf("%-16s %-8s  %8" JSON_INTEGER_FORMAT "  %s\n",
		    json_string_value(json_object_get(row, "provider")),
		    json_string_value(json_object_get(row, "channel")),
		    json_integer_value(json_object_get(row, "left")),
		    json_string_value(json_object_get(row, "said")));
}

/* Without a configuration, the command shows no limits. */
static int
show_machine(const struct otpctl *ctl, const struct status_query *q)
{
	_auto_json json_t *credits = json_array(), *sends = NULL, *all = NULL;
	int r = q->store->ops->credits_each(q->store, add_credits, credits);

	if (!r && q->conf)
		r = status_of_host(q, &sends);
	if (r)
		return otpctl_fail("the store could not be read: %s", otp_strerror(r));
	if (ctl->json) {
		all = json_pack("{s:O, s:O?}", "credits", credits, "sends", sends);
		return otpctl_print_json(all);
	}
	print_credits(credits);
	if (sends)
		status_print_host(sends);
	return OTPCTL_OK;
}

static int
show_user(const struct otpctl *ctl, const struct status_query *q)
{
	_auto_json json_t *status = NULL;
	int r = status_of_user(q, &status);

	if (r)
		return otpctl_fail("the store could not be read: %s", otp_strerror(r));
	if (ctl->json)
		return otpctl_print_json(status);
	status_print_user(status);
	return OTPCTL_OK;
}

/*
 * Finds the user, and reads the configuration and the contacts. This comes before the store is
 * opened: to open it, a process of root becomes the helper's user.
 */
static int
prepare(const struct otpctl *ctl, const char *name, char *user, size_t size, struct conf **conf,
    struct otpctl_paths *paths, struct contact_list *list)
{
	enum otpctl_known known;
	int r = name ? otpctl_known_user(NAME_OR_TYPED, name, user, size, &known) : OTPCTL_OK;

	if (!r)
		r = otpctl_conf_load(ctl, conf);
	if (!r && name && !*conf)
		r = otpctl_fail("%s does not exist, so the limits are unknown", ctl->config);
	if (!r)
		r = otpctl_paths_of(*conf, paths);
	if (!r && name)
		r = otpctl_contacts_of(ctl, paths->contacts, user, list);
	return r;
}

int
otpctl_status(struct otpctl *ctl, int argc, char **argv)
{
	_auto_paths struct otpctl_paths paths = {0};
	_auto_conf struct conf *conf = NULL;
	struct contact_list list = {0};
	const char *name = NULL;
	const struct otpctl_syntax syntax = {
	    .name = "otpctl status",
	    .usage = "[USER]",
	    .summary = "Shows what holds for USER: wrong codes, lock-outs, messages and limits, "
		       "known sources and recovery codes. Without USER, shows the messages of this "
		       "machine, and how many each provider reported as left.",
	    .example = "otpctl status asha",
	    .argument = {{"USER", &name}},
	    .optional = 1,
	};
	char user[CONTACT_USER_MAX + 1];
	struct status_query q = {.user = user, .contacts = &list};
	int r;

	otpctl_parse(ctl, &syntax, argc, argv);
	r = prepare(ctl, name, user, sizeof(user), &conf, &paths, &list);
	if (!r)
		r = otpctl_now(&q.now);
	if (!r)
		r = otpctl_store_open(ctl, paths.state, &q.store);
	q.conf = conf;
	if (!r) {
		r = name ? show_user(ctl, &q) : show_machine(ctl, &q);
		q.store->ops->close(q.store);
	}
	contact_list_free(&list);
	return r;
}
