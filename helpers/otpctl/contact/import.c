/*
 * otpctl contact import: adds all contacts of a file, or none.
 *
 * MUST:
 *  - every line is checked as an address that is added by hand, and every wrong one is reported;
 *  - nothing is written unless all lines are right.
 */
#include "helpers/otpctl/contact/import.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "common/text.h"
#include "helpers/contacts/phone.h"
#include "helpers/otpctl/audit.h"
#include "helpers/otpctl/contact/import_header.h"
#include "helpers/otpctl/contact/import_line.h"
#include "helpers/otpctl/options.h"
#include "helpers/otpctl/paths.h"
#include "helpers/otpctl/privileges.h"
#include "helpers/otpctl/revoked.h"

static void
show_progress(int64_t bytes, void *arg)
{
	struct import *im = arg;
	int step = im->size ? (int)(100 * bytes / im->size) : (int)(bytes >> 20);

	if (!im->shows || step == im->step || (im->size && step > 100))
		return;
	im->step = step;
	(void)fprintf(stderr, "\rreading %s: %d %s", im->shown, step, im->size ? "%" : "MiB");
}

/* --- the file -------------------------------------------------------------------------------- */

/* Puts all lines of the file into the edit. Returns the exit code. */
static int
read_file(struct import *im, FILE *file)
{
	struct csv_stop stop = {0};
	int r = csv_rows(file, import_row, show_progress, im, &stop);

	if (r == -OTP_ESYS)
		return otpctl_fail("%s: %s", im->shown, strerror(errno));
	if (r == -OTP_EINVAL && stop.line)
		import_fault(im, stop.line, "", "%s; the rest of the file was not read", stop.why);
	else if (r && (r != -OTP_EINVAL || !im->n.errors))
		return otpctl_fail("nothing was imported: %s", otp_strerror(r));
	else if (!r && !im->ncolumns)
		import_fault(im, 1, "", "the file is empty; its first line names the columns");
	if (!im->n.errors && im->replace && contacts_edit_import_rest(im->edit, &im->n.removed))
		return otpctl_fail("nothing was imported: addresses that are not in the file could "
				   "not be removed");
	return OTPCTL_OK;
}

static FILE *
open_file(struct import *im)
{
	FILE *file = strcmp(im->file, "-") ? fopen(im->file, "re") : stdin;
	struct stat st;
	int error = !file || fstat(fileno(file), &st) ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;

	if (error) {
		(void)otpctl_fail("%s: %s", im->shown, strerror(error));
		if (file && file != stdin)
			(void)fclose(file);
		return NULL;
	}
	im->shows = isatty(STDERR_FILENO) && !isatty(fileno(file));
	if (S_ISREG(st.st_mode))
		im->size = st.st_size;
	return file;
}

static int
add_old(const struct contact *c, enum contact_fate fate, void *arg)
{
	return fate == CONTACT_JOINED ? 0 : import_revoke(arg, c->user);
}

/* Writes the edit, if all lines are right and it changes something. Returns the exit code. */
static int
finish_edit(struct import *im, struct notices *n)
{
	struct contacts_edit *e = take(&im->edit);
	bool changes = im->n.what[IMPORTED_NEW] || im->n.what[IMPORTED_CHANGED] || im->n.removed;
	int r = OTPCTL_OK;

	if (im->n.errors > IMPORT_ERRORS_SHOWN)
		(void)otpctl_fail("and %lld more", (long long)(im->n.errors - IMPORT_ERRORS_SHOWN));
	if (im->n.errors)
		r = otpctl_fail("nothing was imported: %lld error%s in %s", (long long)im->n.errors,
		    im->n.errors == 1 ? "" : "s", im->shown);
	if (!r)
		r = notices_collect(e, n);
	if (!r && contacts_edit_old(e, add_old, im))
		r = otpctl_fail("nothing was imported: no memory");
	if (r || im->dry_run || !changes) {
		contacts_edit_abort(e);
		return r;
	}
	return contacts_edit_commit(e) ? otpctl_fail("nothing was imported") : OTPCTL_OK;
}

static int
print_summary(const struct import *im, const struct notices *n, bool done)
{
	const struct import_counts *c = &im->n;
	const char *would = im->dry_run ? "would be " : "";
	json_t *j;

	if (im->ctl->json) {
		_auto_json json_t *all = NULL;

		j = im->dry_run || !done ? json_array() : notices_json(n);
		all = json_pack("{s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O, s:I, s:o}",
		    "imported", done && !im->dry_run, "dry_run", (int)im->dry_run, "lines",
		    (json_int_t)c->lines, "without_address", (json_int_t)c->without, "added",
		    (json_int_t)c->what[IMPORTED_NEW], "unchanged",
		    (json_int_t)c->what[IMPORTED_SAME], "changed",
		    (json_int_t)c->what[IMPORTED_CHANGED], "removed", (json_int_t)c->removed,
		    "old_addresses", (json_int_t)n->old, "errors", im->errors, "more_errors",
		    (json_int_t)(c->errors > IMPORT_ERRORS_SHOWN ? c->errors - IMPORT_ERRORS_SHOWN
								 : 0),
		    "notices", j);
		return otpctl_print_json(all);
	}
	if (!done)
		return OTPCTL_OK;
	(void)printf("%lld line%s: %lld %sadded, %lld unchanged, %lld %schanged, %lld %sremoved\n",
	    (long long)c->lines, c->lines == 1 ? "" : "s", (long long)c->what[IMPORTED_NEW], would,
	    (long long)c->what[IMPORTED_SAME], (long long)c->what[IMPORTED_CHANGED], would,
	    (long long)c->removed, would);
	if (c->without)
		(void)printf("%lld line%s without an address left out\n", (long long)c->without,
		    c->without == 1 ? "" : "s");
	if (im->dry_run && n->old && im->notice != NOTICE_NO)
		(void)printf("%zu old address%s would get a notice%s\n", n->old,
		    n->old == 1 ? "" : "es",
		    im->notice == NOTICE_UNSAID && n->old > NOTICES_UNASKED
			? "; for so many, give --notice or --no-notice"
			: "");
	return OTPCTL_OK;
}

static void
log_import(const struct import *im)
{
	char file[256];

	for (size_t i = 0; i < im->nlogged; i++) {
		const struct import_logged *l = &im->logged[i];

		audit_contact(l->what == IMPORTED_NEW ? "contact_add" : "contact_change",
		    &l->contact,
		    !l->says_verified	     ? ""
		    : l->contact.verified_at ? "verified=yes"
					     : "verified=no");
	}
	audit("contact_import", "added=%lld changed=%lld removed=%lld unchanged=%lld file=\"%s\"",
	    (long long)im->n.what[IMPORTED_NEW], (long long)im->n.what[IMPORTED_CHANGED],
	    (long long)im->n.removed, (long long)im->n.what[IMPORTED_SAME],
	    text_quotable(file, sizeof(file), im->shown));
}

/* Imports the file into the contacts at path. Returns the exit code. */
static int
import(struct import *im, const char *path, const char *state)
{
	/* A dry run notifies nobody; it prints how many notices there would be. */
	_auto_notices struct notices n = {.wish = im->dry_run ? NOTICE_NO : im->notice};
	FILE *file = open_file(im);
	int r, forgot = OTPCTL_OK;

	if (!file)
		return OTPCTL_FAILED;
	r = contacts_edit_begin(path, &im->edit) ? otpctl_fail("nothing was imported") : OTPCTL_OK;
	if (!r)
		r = read_file(im, file);
	import_clear_progress(im);
	if (file != stdin)
		(void)fclose(file);
	if (r) {
		if (im->edit)
			contacts_edit_abort(im->edit);
		return r;
	}
	r = finish_edit(im, &n);
	if (!r && !im->dry_run)
		forgot = otpctl_forget_remembered(im->ctl, state, &im->revoked);
	if (!r && !im->dry_run) {
		log_import(im);
		notices_settled(&n);
	}
	if (!im->ctl->json)
		(void)print_summary(im, &n, !r);
	if (!r && !im->dry_run)
		notices_send(im->ctl, im->conf, &n);
	if (im->ctl->json && print_summary(im, &n, !r))
		return OTPCTL_FAILED;
	return r ? r : forgot;
}

/* --------------------------------------------------------------------------------------------- */

static const char *
take_country(void *to, const char *argument)
{
	const char *code = argument + (*argument == '+');

	*(const char **)to = code;
	return phone_is_country(code) ? NULL
				      : "expected the calling code of a country, such as 977";
}

static const char *
take_kind(void *to, const char *argument)
{
	*(const char **)to = argument;
	return strcmp(argument, contact_kind_name(CONTACT_PHONE)) &&
		       strcmp(argument, contact_kind_name(CONTACT_EMAIL))
		   ? "expected phone or email"
		   : NULL;
}

static void
parse_import(struct otpctl *ctl, int argc, char **argv, struct import *im)
{
	const struct otpctl_option options[] = {
	    {"replace", NULL,
		"Make the contacts of each user in the file equal to those in the file, and remove "
		"their others",
		.flag = &im->replace},
	    {"dry-run", NULL, "Check the file and say what would be done; write and send nothing",
		.flag = &im->dry_run},
	    {"country", "CODE",
		"The calling code of numbers that have none, such as 977; a leading 0 is dropped",
		.take = take_country, .to = &im->country},
	    {"kind", "KIND", "What the addresses of a file without that column are: phone or email",
		.take = take_kind, .to = &im->kind},
	    {"column", "COLUMN=NAME",
		"The file calls the column NAME, as in user=Login; other columns are left out",
		.take = import_map, .to = im},
	    {"force", NULL, "Accept users whom this machine does not know", .flag = &im->force},
	    notice_option(&im->notice, NOTICE_YES),
	    notice_option(&im->notice, NOTICE_NO),
	    {0},
	};
	const struct otpctl_syntax syntax = {
	    .name = "otpctl contact import",
	    .usage = "FILE|-",
	    .summary =
		"Adds the contacts of a CSV file: all of them or none. The first line names the "
		"columns: user, kind and address; optional are label, preferred and verified_at.",
	    .example = "otpctl contact import people.csv --country 977 --dry-run",
	    .argument = {{"FILE", &im->file}},
	    .options = options,
	};

	otpctl_parse(ctl, &syntax, argc, argv);
}

int
contact_import(struct otpctl *ctl, int argc, char **argv)
{
	_auto_paths struct otpctl_paths paths = {0};
	_auto_conf struct conf *conf = NULL;
	_auto_json json_t *errors = json_array();
	struct import im = {.ctl = ctl, .errors = errors, .step = -1, .country = ""};
	int r;

	parse_import(ctl, argc, argv, &im);
	if (!otpctl_may_write(ctl))
		return OTPCTL_FAILED;
	im.shown = strcmp(im.file, "-") ? im.file : "standard input";
	r = errors ? otpctl_conf_load(ctl, &conf) : otpctl_fail("no memory");
	if (!r)
		r = otpctl_paths_of(conf, &paths);
	im.conf = conf;
	if (!r)
		r = import(&im, paths.contacts, paths.state);
	import_forget(&im);
	return r;
}
