/*
 * otpctl recovery: issues and revokes recovery codes, for the day on which no message comes.
 *
 * MUST:
 *  - Codes are shown once, on standard output. They are in no log, no file and no argument.
 *  - The hashes of the codes are on disk before the first code is shown.
 *  - If not all codes could be printed, all are revoked, because nobody knows who has seen which.
 */
#include "helpers/otpctl/recovery.h"

#include <errno.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/err.h"
#include "common/secret.h"
#include "common/text.h"
#include "helpers/codes/code.h"
#include "helpers/base/json.h"
#include "helpers/otpctl/audit.h"
#include "helpers/otpctl/options.h"
#include "helpers/otpctl/otpctl.h"
#include "helpers/otpctl/paths.h"
#include "helpers/otpctl/store.h"
#include "helpers/otpctl/user.h"
#include "helpers/codes/recovery.h"

enum { FIELD_WIDTH = 63, OUTPUT_MAX = 8192 };

struct issue {
	const char *user;
	char host[256];
	struct recovery stored;
	struct secret code[RECOVERY_CODES];
};

static void
issue_clear(struct issue *i)
{
	for (size_t n = 0; n < RECOVERY_CODES; n++)
		secret_clear(&i->code[n]);
	otp_wipe(i->stored);
}

#define _auto_issue __attribute__((cleanup(issue_clear)))

static bool
may_write(const struct otpctl *ctl)
{
	if (geteuid() == 0 || ctl->config_given)
		return true;
	(void)otpctl_fail("only root may issue and revoke recovery codes; run it with sudo");
	return false;
}

static void
audit_codes(const char *event, const char *user)
{
	char quoted[CONTACT_USER_MAX + 1];

	audit(event, "user=\"%s\"", text_quotable(quoted, sizeof(quoted), user));
}

/* --- issue ---------------------------------------------------------------------------------- */

static int
make_one(struct issue *i, int n)
{
	_auto_secret struct secret canonical = {0};
	int r = recovery_make(&i->code[n]);

	if (!r)
		r = recovery_read(secret_str(&i->code[n]), &canonical);
	return r ? r : recovery_hash(&canonical, i->stored.salt, i->stored.hash[n]);
}

static int
make_codes(struct issue *i, const struct instant *now)
{
	int r = random_id(i->stored.id, STORE_ID_LEN / 2);

	if (!r)
		r = recovery_salt(i->stored.salt);
	for (int n = 0; !r && n < RECOVERY_CODES; n++)
		r = make_one(i, n);
	i->stored.n = RECOVERY_CODES;
	i->stored.issued_wall_ms = now->wall_ms;
	return r ? otpctl_fail("no codes were made: %s", otp_strerror(r)) : OTPCTL_OK;
}

/* Prints a value, which may be longer than a line, in as many lines as it needs. */
static void
print_field(const char *name, const char *value)
{
	char clean[512], part[FIELD_WIDTH + 1];
	const char *left = text_clean(clean, sizeof(clean), value);

	do {
		text_clean(part, sizeof(part), left);
		(void)printf("%-6s  %s\n", name, part);
		left += strlen(part);
		name = "";
	} while (*left);
}

static void
print_sheet(const struct issue *i)
{
	static const char advice[] =
	    "\nHOW TO USE THEM\n"
	    "  Where you are asked for a verification code and none can reach you,\n"
	    "  type one of these in its place. Capital letters, missing dashes and\n"
	    "  blanks do not matter. Each code signs in once: tick its box.\n"
	    "  Ask for a new sheet before the last one is used.\n"
	    "\nWHERE TO KEEP THEM\n"
	    "  On paper, in a place that you can lock, apart from your phone and\n"
	    "  your password. Not as a photo, and not in a file or a mail.\n"
	    "  If this sheet is lost or was seen, tell your administrator at once.\n"
	    "\n  This sheet replaces all older ones: tear them up.\n";
	char time[OTPCTL_TIME_MAX];

	(void)printf("RECOVERY CODES FOR SIGNING IN\n\n");
	print_field("Host", i->host);
	print_field("User", i->user);
	print_field("Issued", otpctl_time(i->stored.issued_wall_ms, time));
	(void)putchar('\n');
	for (int n = 0; n < RECOVERY_CODES; n++)
		(void)printf("  [ ]  %2d.  %s\n", n + 1, secret_str(&i->code[n]));
	(void)fputs(advice, stdout);
}

static void
print_list(const struct issue *i)
{
	(void)printf("Recovery codes of %s on %s. Each signs in once; all older ones are void.\n",
	    i->user, i->host);
	for (int n = 0; n < RECOVERY_CODES; n++)
		(void)printf("%s\n", secret_str(&i->code[n]));
}

/*
 * Does not build a JSON object of the codes, because jansson would leave them in memory that is not
 * wiped. A code needs no escaping.
 */
static void
print_codes_json(const struct issue *i)
{
	char time[OTPCTL_TIME_MAX];
	_auto_json json_t *head = json_pack("{s:s, s:s, s:s}", "user", i->user, "host", i->host,
	    "issued", otpctl_time(i->stored.issued_wall_ms, time));

	(void)printf("{\n  ");
	(void)json_dumpf(head, stdout, JSON_EMBED);
	(void)printf(",\n  \"codes\": [");
	for (int n = 0; n < RECOVERY_CODES; n++)
		(void)printf("%s\n    \"%s\"", n ? "," : "", secret_str(&i->code[n]));
	(void)printf("\n  ]\n}\n");
}

/* Prints the codes. False, with errno set, if not all of the text was written. */
static bool
print_codes(const struct otpctl *ctl, bool sheet, const struct issue *i)
{
	static char room[OUTPUT_MAX];
	bool ok;

	/* The buffer is our own, so that it can be wiped. */
	(void)setvbuf(stdout, room, _IOFBF, sizeof(room));
	if (ctl->json)
		print_codes_json(i);
	else if (sheet)
		print_sheet(i);
	else
		print_list(i);
	ok = !fflush(stdout) && !ferror(stdout);
	otp_wipe_array(room);
	return ok;
}

/* Revokes codes of which not all could be printed. Returns OTPCTL_FAILED. */
static int
revoke_unprinted(struct store *s, const struct issue *i, int error)
{
	_auto_hold struct audit_hold hold = {.holds = false};
	int r = audit_hold(&hold);

	if (!r)
		r = s->ops->recovery_drop(s, i->user);
	if (!r)
		audit_codes("recovery_revoke", i->user);
	/* Empties the buffer, so that nothing, such as audit_release(), writes the rest of it. */
	__fpurge(stdout);
	clearerr(stdout);
	audit_release(&hold);
	if (r)
		return otpctl_fail("the codes could not be printed (%s) and could not be revoked; "
				   "run: otpctl recovery revoke %s",
		    strerror(error), i->user);
	return otpctl_fail("the codes could not be printed (%s): they were revoked, and all older "
			   "ones are void; run otpctl recovery issue %s again",
	    strerror(error), i->user);
}

/*
 * Stores the codes and logs this, before they are printed. Once they are stored, they let the user
 * in, even if the program is killed.
 */
static int
issue(struct store *s, const struct instant *now, const struct issue *i)
{
	_auto_hold struct audit_hold hold = {.holds = false};
	int r = audit_hold(&hold);

	if (r)
		return r;
	r = s->ops->recovery_put(s, now, i->user, &i->stored);
	if (r)
		return otpctl_fail(
		    "no codes were issued, and the older ones are unchanged: %s", otp_strerror(r));
	audit_codes("recovery_issue", i->user);
	/* No code was shown yet. No codes are better than ten that nobody has seen. */
	if (audit_interrupted() && !s->ops->recovery_drop(s, i->user)) {
		audit_codes("recovery_revoke", i->user);
		return otpctl_fail("interrupted: the codes were revoked, and all older ones are "
				   "void; run otpctl recovery issue %s again",
		    i->user);
	}
	return OTPCTL_OK;
}

static int
issue_and_print(const struct otpctl *ctl, bool sheet, struct store *s, struct issue *i)
{
	struct instant now;
	int r = otpctl_now(&now);

	if (!r)
		r = make_codes(i, &now);
	if (!r)
		r = issue(s, &now, i);
	if (r)
		return r;
	return print_codes(ctl, sheet, i) ? OTPCTL_OK : revoke_unprinted(s, i, errno);
}

static int
recovery_issue(struct otpctl *ctl, int argc, char **argv)
{
	_auto_paths struct otpctl_paths paths = {0};
	const char *name = NULL;
	bool sheet = false;
	const struct otpctl_option options[] = {
	    {"sheet", NULL, "Print a sheet to keep instead of a list", .flag = &sheet},
	    {0},
	};
	const struct otpctl_syntax syntax = {
	    .name = "otpctl recovery issue",
	    .usage = "USER",
	    .summary = "Makes ten recovery codes for USER and prints them once. Each signs in "
		       "once, without a message. All earlier recovery codes of USER become void.",
	    .example = "otpctl recovery issue asha --sheet | lp",
	    .argument = {{"USER", &name}},
	    .options = options,
	};
	_auto_issue struct issue i = {0};
	struct store *s = NULL;
	struct utsname host;
	enum otpctl_known known;
	char user[CONTACT_USER_MAX + 1];
	int r;

	otpctl_parse(ctl, &syntax, argc, argv);
	if (sheet && ctl->json)
		otpctl_misuse(&syntax, "--sheet and --json exclude each other");
	if (!may_write(ctl))
		return OTPCTL_FAILED;
	r = otpctl_known_user(NAME_LOOKED_UP, name, user, sizeof(user), &known);
	if (!r)
		r = otpctl_paths_load(ctl, &paths);
	if (!r)
		r = otpctl_store_open(ctl, paths.state, &s);
	if (r)
		return r;
	/* Another process of the same user must not read the codes in memory. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	i.user = user;
	(void)text_clean(i.host, sizeof(i.host), uname(&host) ? "" : host.nodename);
	r = issue_and_print(ctl, sheet, s, &i);
	s->ops->close(s);
	if (r)
		return r;
	if (isatty(STDOUT_FILENO))
		(void)fprintf(stderr, "otpctl: note: this terminal may keep the codes above; clear "
				      "the terminal and its scroll-back\n");
	return OTPCTL_OK;
}

/* --- revoke --------------------------------------------------------------------------------- */

static int
print_revoked(const struct otpctl *ctl, const char *user)
{
	_auto_json json_t *j = NULL;

	if (ctl->json) {
		j = json_pack("{s:s, s:b}", "user", user, "revoked", 1);
		return otpctl_print_json(j);
	}
	(void)printf("revoked: all recovery codes of %s\n", user);
	return OTPCTL_OK;
}

static int
recovery_revoke(struct otpctl *ctl, int argc, char **argv)
{
	_auto_paths struct otpctl_paths paths = {0};
	_auto_hold struct audit_hold hold = {.holds = false};
	const char *name = NULL;
	const struct otpctl_syntax syntax = {
	    .name = "otpctl recovery revoke",
	    .usage = "USER",
	    .summary = "Makes all recovery codes of USER void.",
	    .example = "otpctl recovery revoke asha",
	    .argument = {{"USER", &name}},
	};
	struct store *s = NULL;
	char user[CONTACT_USER_MAX + 1];
	enum otpctl_known known;
	int r;

	otpctl_parse(ctl, &syntax, argc, argv);
	if (!may_write(ctl))
		return OTPCTL_FAILED;
	r = otpctl_canonical(NAME_OR_TYPED, name, user, sizeof(user), &known);
	if (!r)
		r = otpctl_paths_load(ctl, &paths);
	if (!r)
		r = otpctl_store_open(ctl, paths.state, &s);
	if (r)
		return r;
	r = audit_hold(&hold);
	if (!r)
		r = s->ops->recovery_drop(s, user);
	if (!r)
		audit_codes("recovery_revoke", user);
	audit_release(&hold);
	s->ops->close(s);
	if (r == -OTP_ENOENT && known == USER_AS_TYPED)
		return otpctl_nothing_typed(user);
	if (r == -OTP_ENOENT) {
		(void)otpctl_fail("%s has no recovery codes", user);
		return OTPCTL_NONE;
	}
	if (r)
		return otpctl_fail("nothing was revoked: %s", otp_strerror(r));
	return print_revoked(ctl, user);
}

static const struct otpctl_command recovery_commands[] = {
    {"issue", "make ten new codes for a user and print them once", recovery_issue},
    {"revoke", "make all recovery codes of a user void", recovery_revoke},
    {0},
};

static const struct otpctl_syntax recovery_syntax = {
    .name = "otpctl recovery",
    .usage = "COMMAND [ARGUMENT...]",
    .summary = "Issues and revokes recovery codes, for the day on which no message comes.",
    .example = "otpctl recovery issue asha",
    .commands = recovery_commands,
};

int
otpctl_recovery(struct otpctl *ctl, int argc, char **argv)
{
	return otpctl_dispatch(ctl, &recovery_syntax, argc, argv);
}
