/*
 * otpctl contact verify: sends a code to an address and asks for it. A send worker sends the code
 * and checks it, see prove.c. The parent, which runs as root, asks for the code and marks the
 * address as verified.
 *
 * MUST:
 *  - the parent marks only the address to which the code was sent;
 *  - the parent marks the address only after the send worker has sent WORKER_PROVED.
 */
#include "helpers/otpctl/contact/verify.h"

#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "common/text.h"
#include "helpers/base/json.h"
#include "helpers/otpctl/addresses.h"
#include "helpers/otpctl/audit.h"
#include "helpers/otpctl/contact/limit.h"
#include "helpers/otpctl/contact/prove.h"
#include "helpers/otpctl/options.h"
#include "helpers/otpctl/paths.h"
#include "helpers/otpctl/privileges.h"
#include "helpers/otpctl/user.h"

struct wish {
	const char *user;
	const char *address;
	const char *channel;
	bool code_stdin;
};

/* --- the parent ------------------------------------------------------------------------------ */

/* Prints the question on standard error and reads the answer. False if standard input ends. */
static bool
put_question(const char *question, char *answer, size_t size)
{
	char line[WORKER_TEXT_MAX + 1], clean[WORKER_TEXT_MAX + 1];
	const char *last = strrchr(question, '\n');

	if (last) {
		(void)snprintf(line, sizeof(line), "%.*s", (int)(last - question), question);
		(void)fprintf(stderr, "%s\n", text_clean(clean, sizeof(clean), line));
	}
	(void)fputs(text_clean(clean, sizeof(clean), last ? last + 1 : question), stderr);
	if (!fgets(answer, (int)size, stdin)) {
		(void)fputc('\n', stderr);
		return false;
	}
	answer[strcspn(answer, "\r\n")] = '\0';
	return true;
}

/*
 * Asks the person each question that the send worker sends, until the send worker ends. True if the
 * right code was given.
 */
static bool
converse(struct send_worker_run *run)
{
	/* The buffer of standard input: it holds the code, and is wiped. */
	static char room[BUFSIZ];
	struct send_worker_message m;
	char answer[WORKER_TEXT_MAX + 1];
	bool proved = false, goes_on = true;

	(void)setvbuf(stdin, room, _IOLBF, sizeof(room));
	while (goes_on && !send_worker_receive(run->fd, &m)) {
		goes_on = m.kind == WORKER_QUESTION;
		proved = m.kind == WORKER_PROVED;
		if (!goes_on)
			break;
		if (!put_question(m.text, answer, sizeof(answer))) {
			(void)otpctl_fail("no code was given; nothing was marked");
			break;
		}
		goes_on = !send_worker_send(run->fd, WORKER_ANSWER, 0, answer);
	}
	otp_wipe_array(answer);
	otp_wipe_array(room);
	__fpurge(stdin);
	return proved;
}

/* Marks the contact as verified now. Returns the exit code. */
static int
mark(const char *path, struct contact *c)
{
	_auto_hold struct audit_hold hold = {.holds = false};
	struct contacts_edit *e = NULL;
	int r;

	c->verified_at = time(NULL);
	if (contacts_edit_begin(path, &e))
		return otpctl_fail("the code was right, but nothing was marked");
	r = contacts_edit_verified(e, c, c->verified_at);
	if (r) {
		contacts_edit_abort(e);
		return r == -OTP_ENOENT ? otpctl_fail("the code was right, but %s lost that "
						      "address meanwhile; nothing was marked",
					      c->user)
					: otpctl_fail("the code was right, but nothing was marked");
	}
	if (audit_hold(&hold) || contacts_edit_commit(e))
		return otpctl_fail("the code was right, but nothing was marked");
	audit_contact("contact_verify", c, "result=ok");
	return OTPCTL_OK;
}

static int
report_verified(const struct otpctl *ctl, const struct contact *c)
{
	char masked[64];

	(void)contact_shown(c, false, masked, sizeof(masked));
	if (ctl->json) {
		_auto_json json_t *j = json_pack("{s:s, s:s, s:s, s:I}", "user", c->user, "kind",
		    contact_kind_name(c->kind), "address", masked, "verified_at",
		    (json_int_t)c->verified_at);

		return otpctl_print_json(j);
	}
	(void)printf("verified: %s of %s, %s\n", contact_kind_name(c->kind), c->user, masked);
	return OTPCTL_OK;
}

static int
list_choices(const char *user, const struct contact_list *l)
{
	char masked[64];

	(void)otpctl_fail("%s has several addresses; name one of them whole, see: otpctl contact "
			  "list %s --full",
	    user, user);
	for (size_t i = 0; i < l->n; i++)
		(void)fprintf(stderr, "  %s  %s\n", contact_kind_name(l->item[i].kind),
		    contact_shown(&l->item[i], false, masked, sizeof(masked)));
	return OTPCTL_USAGE;
}

/*
 * Finds the contact to verify: the named address, or the only one, or the preferred one if exactly
 * one is preferred. Returns the exit code.
 */
static int
choose(const struct contact_list *l, const char *user, const char *address, struct contact *out)
{
	const struct contact *found = l->n == 1 && !address ? &l->item[0] : NULL;
	size_t preferred = 0;

	if (!l->n) {
		(void)otpctl_fail("%s has no contact; add one with: otpctl contact add %s --phone "
				  "+NUMBER",
		    user, user);
		return OTPCTL_NONE;
	}
	for (size_t i = 0; i < l->n; i++) {
		preferred += !address && l->item[i].preferred;
		if (address ? !strcasecmp(l->item[i].address, address)
			    : l->item[i].preferred && preferred == 1)
			found = &l->item[i];
	}
	if (!address && (preferred > 1 || !found))
		return list_choices(user, l);
	if (!found) {
		(void)otpctl_fail(
		    "%s has no such contact; see: otpctl contact list %s --full", user, user);
		return OTPCTL_NONE;
	}
	*out = *found;
	return OTPCTL_OK;
}

static int
may_be_sent_to(const struct conf *conf, const struct contact *c, const char *channel)
{
	char limit[512];

	if (c->kind == CONTACT_PHONE && !conf_allows_number(conf, c->address))
		return otpctl_fail("nothing was sent: the number is outside of %s",
		    contact_limit(conf, "prefixes", limit, sizeof(limit)));
	if (channel && !conf_channel(conf, channel)) {
		(void)otpctl_fail("there is no [channel %s]; see: otpctl config show", channel);
		return OTPCTL_USAGE;
	}
	return OTPCTL_OK;
}

static int
verify(const struct otpctl *ctl, const struct conf *conf, const struct wish *w, struct contact *c)
{
	char *name = (char *)w->channel;
	const struct strlist one = {.item = &name, .n = 1};
	struct contact_proof k = {.user = c->user, .contact = c, .channel = w->channel};
	struct send_worker_run run;
	bool proved;
	int r = may_be_sent_to(conf, c, w->channel);

	(void)contact_shown(c, false, k.masked, sizeof(k.masked));
	if (!r)
		r = send_worker_start(ctl, conf,
		    w->channel ? &one : &conf_signin_for(conf, CONTACT_SERVICE)->channels,
		    contact_prove, &k, &run);
	if (r)
		return r;
	proved = converse(&run);
	r = proved ? mark(conf->paths.contacts, c) : OTPCTL_FAILED;
	(void)send_worker_end(&run);
	if (!r)
		return report_verified(ctl, c);
	audit_contact("contact_verify", c, "result=failed");
	return r;
}

static void
parse_verify(struct otpctl *ctl, int argc, char **argv, struct wish *w)
{
	const struct otpctl_option options[] = {
	    {"channel", "NAME", "Send the code by this channel", .string = &w->channel},
	    {"code-stdin", NULL, "Read the code from standard input even if it is no terminal",
		.flag = &w->code_stdin},
	    {0},
	};
	const struct otpctl_syntax syntax = {
	    .name = "otpctl contact verify",
	    .usage = "USER [ADDRESS]",
	    .summary = "Sends a code to an address of USER and asks for it. If the code is right, "
		       "marks the address as verified. Without ADDRESS, takes the only address of "
		       "the user, or the preferred one.",
	    .example = "otpctl contact verify asha",
	    .argument = {{"USER", &w->user}, {"ADDRESS", &w->address}},
	    .optional = 1,
	    .options = options,
	};

	otpctl_parse(ctl, &syntax, argc, argv);
	if (!w->code_stdin && !isatty(STDIN_FILENO))
		otpctl_misuse(&syntax, "standard input is no terminal: give --code-stdin");
}

int
contact_verify(struct otpctl *ctl, int argc, char **argv)
{
	_auto_conf struct conf *conf = NULL;
	struct contact_list list = {0};
	struct contact c;
	struct wish w = {0};
	char user[CONTACT_USER_MAX + 1];
	enum otpctl_known known;
	int r;

	parse_verify(ctl, argc, argv, &w);
	if (!otpctl_may_write(ctl))
		return OTPCTL_FAILED;
	r = otpctl_canonical(NAME_LOOKED_UP, w.user, user, sizeof(user), &known);
	if (!r)
		r = otpctl_conf_load(ctl, &conf);
	if (!r && !conf)
		r = otpctl_fail("no code can be sent: there is no configuration %s", ctl->config);
	if (!r)
		r = otpctl_contacts_of(ctl, conf->paths.contacts, user, &list);
	if (!r && !list.n && known == USER_UNKNOWN)
		r = otpctl_unknown_user(user);
	if (!r)
		r = choose(&list, user, w.address, &c);
	contact_list_free(&list);
	return r ? r : verify(ctl, conf, &w, &c);
}
