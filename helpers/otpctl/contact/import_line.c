#include "helpers/otpctl/contact/import_line.h"

#include <limits.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/base/account.h"
#include "helpers/otpctl/contact/limit.h"

enum { WHY_MAX = 512 };

static const char *const column_names[COLUMNS] = {
    "user", "kind", "address", "label", "preferred", "verified_at"};

/* The answer of the name service about one name, which is looked up once. */
struct known {
	char *canonical; /* may be name itself */
	bool exists;
	int error; /* of account_lookup() */
	char name[];
};

/* --- errors ---------------------------------------------------------------------------------- */

void
import_clear_progress(struct import *im)
{
	if (im->step >= 0)
		(void)fputs("\r\033[K", stderr);
	im->step = -1;
}

void
import_fault(struct import *im, int64_t line, const char *column, const char *fmt, ...)
{
	char why[WHY_MAX], clean[WHY_MAX];
	json_t *j;
	va_list ap;

	if (im->n.errors++ >= IMPORT_ERRORS_SHOWN)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	text_clean(clean, sizeof(clean), why);
	import_clear_progress(im);
	(void)otpctl_fail(
	    "%s:%lld: %s%s%s", im->shown, (long long)line, column, *column ? ": " : "", clean);
	j = json_pack("{s:I, s:s?, s:s}", "line", (json_int_t)line, "column",
	    *column ? column : NULL, "error", clean);
	(void)json_array_append_new(im->errors, j);
}

/* --- the first line -------------------------------------------------------------------------- */

static int
which_column(const char *name)
{
	for (int i = 0; i < COLUMNS; i++)
		if (!strcasecmp(column_names[i], name))
			return i;
	return -1;
}

static void
wrong_column(struct import *im, const struct csv_row *row, const char *name)
{
	const char *near = conf_suggest(name, column_names, COLUMNS);
	const char *parting = row->n == 1 ? strpbrk(name, ";\t") : NULL;

	if (parting)
		import_fault(im, row->line, "", "columns must be separated by commas, not by %s",
		    *parting == '\t' ? "a tab" : "';'");
	else
		import_fault(im, row->line, "",
		    "there is no column '%.64s'%s%s%s; there are user, kind, address, label, "
		    "preferred, verified_at",
		    name, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static void
read_header(struct import *im, const struct csv_row *row)
{
	im->ncolumns = row->n;
	for (size_t i = 0; i < row->n && i < CSV_COLUMNS_MAX; i++) {
		const char *name = row->field[i].text;
		int c = im->column[i] = which_column(name);

		if (c < 0)
			wrong_column(im, row, name);
		else if (im->has[c])
			import_fault(im, row->line, column_names[c], "this column appears twice");
		else
			im->has[c] = true;
	}
	for (int c = COL_USER; !im->n.errors && c <= COL_ADDRESS; c++)
		if (!im->has[c])
			import_fault(im, row->line, "",
			    "the first line names the columns, and %s is missing", column_names[c]);
}

/* --- fields ---------------------------------------------------------------------------------- */

static int
compare_known(const void *a, const void *b)
{
	return strcmp(((const struct known *)a)->name, ((const struct known *)b)->name);
}

static void
free_known(void *p)
{
	struct known *k = p;

	if (k->canonical != k->name)
		free(k->canonical);
	free(k);
}

static int
ask(struct known *k)
{
	struct account a;
	int r = account_lookup(k->name, &a);

	k->error = r;
	k->exists = !r && a.exists;
	/* Most names are canonical and a file may have a million: they share the memory of name. */
	k->canonical = !k->exists || !strcmp(a.name, k->name) ? k->name : strdup(a.name);
	account_clear(&a);
	return k->canonical ? 0 : -OTP_ENOMEM;
}

/* Looks up a name, unless an earlier line has done so. NULL without memory. */
static const struct known *
look_up(struct import *im, const char *name)
{
	struct known *k;
	struct known **found;

	if (im->last && !strcmp(im->last->name, name))
		return im->last;
	k = calloc(1, sizeof(*k) + strlen(name) + 1);
	if (!k)
		return NULL;
	strcpy(k->name, name);
	k->canonical = k->name;
	found = tsearch(k, &im->known, compare_known);
	if (!found || *found != k)
		free(k);
	else if (ask(k))
		return NULL;
	im->last = found ? *found : NULL;
	return im->last;
}

static int
take_user(struct import *im, int64_t line, const char *name, struct contact *c)
{
	const struct known *k;
	char clean[CONTACT_USER_MAX + 1];

	if (!*name || strcmp(text_clean(clean, sizeof(clean), name), name)) {
		import_fault(im, line, "user", "'%.64s' cannot be a user's name", name);
		return 0;
	}
	k = look_up(im, name);
	if (!k)
		return -OTP_ENOMEM;
	if (k->error)
		import_fault(im, line, "user", "the user '%s' could not be looked up: %s", name,
		    otp_strerror(k->error));
	else if (!k->exists && !im->force)
		import_fault(im, line, "user",
		    "this machine knows no user '%s'; --force accepts such lines", name);
	else
		(void)snprintf(c->user, sizeof(c->user), "%s", k->canonical);
	return 0;
}

static bool
take_kind(struct import *im, int64_t line, const char *text, struct contact *c)
{
	c->kind = strcmp(text, contact_kind_name(CONTACT_PHONE)) ? CONTACT_EMAIL : CONTACT_PHONE;
	if (!strcmp(text, contact_kind_name(c->kind)))
		return true;
	import_fault(im, line, "kind", "'%.64s' is neither phone nor email", text);
	return false;
}

static void
take_address(struct import *im, int64_t line, const char *text, struct contact *c)
{
	char limit[PATH_MAX + 64];
	const char *why;

	if (contact_check(c->kind, text, &why))
		import_fault(im, line, "address", "'%.64s': %s", text, why);
	else if (im->conf && c->kind == CONTACT_PHONE && !conf_allows_number(im->conf, text))
		import_fault(im, line, "address",
		    "%s is outside of %s, so no code would be sent to it", text,
		    contact_limit(im->conf, "prefixes", limit, sizeof(limit)));
	else
		(void)snprintf(c->address, sizeof(c->address), "%s", text);
}

static void
take_label(struct import *im, int64_t line, const char *text, struct contact *c)
{
	if (strcmp(text_clean(c->label, sizeof(c->label), text), text))
		import_fault(im, line, "label",
		    "a label has at most %d bytes and no control characters", CONTACT_LABEL_MAX);
}

static void
take_preferred(struct import *im, int64_t line, const char *text, struct contact *c)
{
	static const char *const yes[] = {"yes", "true", "1"}, *const no[] = {
								   "", "no", "false", "0"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		if (!strcasecmp(text, yes[i])) {
			c->preferred = true;
			return;
		}
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		if (!strcasecmp(text, no[i]))
			return;
	import_fault(im, line, "preferred", "'%.64s' is neither yes nor no", text);
}

/* Reads a day in UTC, as contact list prints it, or seconds, as with --json. -1 for neither. */
static int64_t
read_time(const char *text)
{
	struct tm tm = {0};
	size_t digits = strspn(text, "0123456789");
	int day;
	time_t t;

	if (!text[digits] && digits <= 12)
		return strtoll(text, NULL, 10);
	if (strlen(text) != strlen("YYYY-MM-DD") || !strptime(text, "%Y-%m-%d", &tm))
		return -1;
	day = tm.tm_mday;
	t = timegm(&tm);
	/* strptime() accepts the 30th of February; timegm() moves it to March. */
	return day == tm.tm_mday && t > 0 ? t : -1;
}

static void
take_verified_at(struct import *im, int64_t line, const char *text, struct contact *c)
{
	c->verified_at = read_time(text);
	if (c->verified_at < 0)
		import_fault(im, line, "verified_at",
		    "'%.64s' is neither a day like 2026-11-22, nor seconds since 1970, nor empty",
		    text);
	else if (c->verified_at > time(NULL))
		import_fault(
		    im, line, "verified_at", "'%.64s' is in the future (days are in UTC)", text);
}

/* --- lines ----------------------------------------------------------------------------------- */

/* True if all fields are text in UTF-8; reports those that are not. */
static bool
is_text(struct import *im, const struct csv_row *row)
{
	bool ok = true;

	/* In the first line one such error is enough: the file is no CSV in UTF-8. */
	for (size_t i = 0; i < row->n && i < CSV_COLUMNS_MAX && (ok || im->ncolumns); i++) {
		const struct csv_field *f = &row->field[i];
		const char *why =
		    strlen(f->text) != (f->len < CSV_FIELD_MAX ? f->len : CSV_FIELD_MAX)
			? "the value contains a NUL byte; save the file as CSV in UTF-8"
		    : f->len > CSV_FIELD_MAX ? "the value is too long"
		    : !text_is_utf8(f->text)
			? "the value is not UTF-8; save the file as CSV in UTF-8"
			: NULL;

		if (why)
			import_fault(im, row->line,
			    !im->ncolumns || im->column[i] < 0 ? "" : column_names[im->column[i]],
			    "%s", why);
		ok &= !why;
	}
	return ok;
}

/* Checks the fields and copies them to l. Wrong ones are reported and counted. 0 or -OTP_ENOMEM. */
static int
read_fields(struct import *im, const struct csv_row *row, struct contact_line *l)
{
	const char *field[COLUMNS] = {"", "", "", "", "", ""};
	int r;

	for (size_t i = 0; i < row->n; i++)
		field[im->column[i]] = row->field[i].text;
	*l = (struct contact_line){
	    .has_label = im->has[COL_LABEL],
	    .has_preferred = im->has[COL_PREFERRED],
	    .has_verified = im->has[COL_VERIFIED_AT],
	    .number = row->line,
	};
	r = take_user(im, row->line, field[COL_USER], &l->contact);
	if (take_kind(im, row->line, field[COL_KIND], &l->contact))
		take_address(im, row->line, field[COL_ADDRESS], &l->contact);
	take_label(im, row->line, field[COL_LABEL], &l->contact);
	take_preferred(im, row->line, field[COL_PREFERRED], &l->contact);
	take_verified_at(im, row->line, field[COL_VERIFIED_AT], &l->contact);
	return r;
}

static int
keep_for_log(struct import *im, enum imported what, const struct contact_line *l)
{
	if (im->dry_run)
		return 0;
	if (!im->logged)
		im->logged = calloc(IMPORT_LOGGED, sizeof(*im->logged));
	if (!im->logged)
		return -OTP_ENOMEM;
	if (im->nlogged < IMPORT_LOGGED)
		im->logged[im->nlogged++] = (struct import_logged){
		    what, what == IMPORTED_NEW || l->has_verified, l->contact};
	return 0;
}

static int
put_line(struct import *im, const struct contact_line *l)
{
	const struct contact *c = &l->contact;
	enum imported what;
	int64_t earlier;
	int r = contacts_edit_import(
	    im->edit, l, im->replace ? IMPORT_REPLACE : IMPORT_ADD, &what, &earlier);

	if (r)
		return r;
	if (what == IMPORTED_TWICE)
		import_fault(im, l->number, "address", "%s has %s in line %lld already", c->user,
		    c->address, (long long)earlier);
	else if (what == IMPORTED_TWO_PREFERRED)
		import_fault(im, l->number, "preferred",
		    "line %lld has the preferred %s of %s already; only one may be preferred",
		    (long long)earlier, contact_kind_name(c->kind), c->user);
	else
		im->n.what[what]++;
	return what == IMPORTED_NEW || what == IMPORTED_CHANGED ? keep_for_log(im, what, l) : 0;
}

int
import_row(const struct csv_row *row, void *arg)
{
	struct import *im = arg;
	struct contact_line l;
	int64_t errors;
	int r;

	if (!im->ncolumns) {
		if (is_text(im, row))
			read_header(im, row);
		/* Without its columns no line can be understood. */
		return im->n.errors ? -OTP_EINVAL : 0;
	}
	im->n.lines++;
	errors = im->n.errors;
	if (row->n != im->ncolumns) {
		import_fault(im, row->line, "",
		    "this line has %zu field%s, but the first line has %zu", row->n,
		    row->n == 1 ? "" : "s", im->ncolumns);
		return 0;
	}
	if (!is_text(im, row))
		return 0;
	r = read_fields(im, row, &l);
	return r || im->n.errors > errors ? r : put_line(im, &l);
}

void
import_forget(struct import *im)
{
	tdestroy(im->known, free_known);
	im->known = NULL;
	im->last = NULL;
	free(im->logged);
	im->logged = NULL;
}
