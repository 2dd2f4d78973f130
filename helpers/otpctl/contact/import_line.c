#include "helpers/otpctl/contact/import_line.h"

#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/base/account.h"
#include "helpers/conf/parse.h"
#include "helpers/contacts/phone.h"
#include "helpers/otpctl/contact/import_header.h"
#include "helpers/otpctl/contact/limit.h"

/* The answer of the name service about one name, which is looked up once. */
struct known {
	char *canonical; /* may be name itself */
	bool exists;
	int error; /* of account_lookup() */
	char name[];
};

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
		import_fault(im, line, "user", "%s",
		    *name ? "this cannot be a user's name" : "expected a user's name");
		return 0;
	}
	k = look_up(im, name);
	if (!k)
		return -OTP_ENOMEM;
	if (k->error)
		import_fault(im, line, "user", "the user could not be looked up: %s",
		    otp_strerror(k->error));
	else if (!k->exists && !im->force)
		import_fault(im, line, "user",
		    "this machine does not know this user; --force accepts such lines");
	else
		(void)snprintf(c->user, sizeof(c->user), "%s", k->canonical);
	return 0;
}

static bool
take_kind(struct import *im, int64_t line, const char *text, struct contact *c)
{
	c->kind =
	    strcasecmp(text, contact_kind_name(CONTACT_PHONE)) ? CONTACT_EMAIL : CONTACT_PHONE;
	if (!strcasecmp(text, contact_kind_name(c->kind)))
		return true;
	import_fault(im, line, "kind", "expected phone or email");
	return false;
}

/* 0 or -OTP_ENOMEM. */
static int
take_address(struct import *im, int64_t line, const char *text, struct contact *c)
{
	char limit[PATH_MAX + 64], address[CONTACT_ADDRESS_MAX + 1] = "";
	const char *why = "";
	int r;

	if (c->kind == CONTACT_PHONE) {
		r = phone_read(text, im->country, address, &why);
	} else {
		r = contact_check(c->kind, text, &why);
		(void)snprintf(address, sizeof(address), "%s", text);
	}
	if (r == -OTP_ENOMEM)
		return r;
	if (r && c->kind == CONTACT_PHONE && !*im->country && *text && !strchr(text, '+'))
		import_fault(
		    im, line, "address", "%s; --country gives one to numbers without it", why);
	else if (r)
		import_fault(im, line, "address", "%s", why);
	else if (im->conf && c->kind == CONTACT_PHONE && !conf_allows_number(im->conf, address))
		import_fault(im, line, "address",
		    "the number is outside of %s, so no code would be sent to it",
		    contact_limit(im->conf, "prefixes", limit, sizeof(limit)));
	else
		(void)snprintf(c->address, sizeof(c->address), "%s", address);
	return 0;
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
	import_fault(im, line, "preferred", "expected yes or no, or nothing");
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
		    "expected a day like 2026-11-22, or seconds since 1970, or nothing");
	else if (c->verified_at > time(NULL))
		import_fault(
		    im, line, "verified_at", "expected no time in the future (days are in UTC)");
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
		bool named = i < im->ncolumns && im->column[i] >= 0;
		const char *why =
		    strlen(f->text) != (f->len < CSV_FIELD_MAX ? f->len : CSV_FIELD_MAX)
			? "the value contains a NUL byte; save the file as CSV in UTF-8"
		    : f->len > CSV_FIELD_MAX ? "the value is too long"
		    : !text_is_utf8(f->text)
			? "the value is not UTF-8; save the file as CSV in UTF-8"
			: NULL;

		if (i < im->ncolumns && im->column[i] == FIELD_LEFT_OUT)
			continue;
		if (why)
			import_fault(
			    im, row->line, named ? import_column(im->column[i]) : "", "%s", why);
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

	for (size_t i = 0; i < im->ncolumns; i++)
		if (im->column[i] >= 0)
			field[im->column[i]] = row->field[i].text;
	if (im->kind)
		field[COL_KIND] = im->kind;
	*l = (struct contact_line){
	    .has_label = im->has[COL_LABEL],
	    .has_preferred = im->has[COL_PREFERRED],
	    .has_verified = im->has[COL_VERIFIED_AT],
	    .number = row->line,
	};
	r = take_user(im, row->line, field[COL_USER], &l->contact);
	if (!r && take_kind(im, row->line, field[COL_KIND], &l->contact))
		r = take_address(im, row->line, field[COL_ADDRESS], &l->contact);
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

int
import_revoke(struct import *im, const char *user)
{
	const struct strlist *l = &im->revoked;

	/* The lines of one user usually stand together. A name that comes again does no harm. */
	if (l->n && !strcmp(l->item[l->n - 1], user))
		return 0;
	return strlist_add(&im->revoked, user) ? 0 : -OTP_ENOMEM;
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
		import_fault(im, l->number, "address",
		    "the user has this address in line %lld already", (long long)earlier);
	else if (what == IMPORTED_TWO_PREFERRED)
		import_fault(im, l->number, "preferred",
		    "line %lld has the preferred %s of this user already; only one may be "
		    "preferred",
		    (long long)earlier, contact_kind_name(c->kind));
	else
		im->n.what[what]++;
	if (what == IMPORTED_CHANGED && l->has_verified && !c->verified_at)
		r = import_revoke(im, c->user);
	if (!r && (what == IMPORTED_NEW || what == IMPORTED_CHANGED))
		r = keep_for_log(im, what, l);
	return r;
}

/* Checks the fields that belong to no column. Returns false after a report. */
static bool
fits_header(struct import *im, const struct csv_row *row)
{
	size_t n = row->n;

	/* A spreadsheet may end a line in more commas than the first one. */
	while (n > im->ncolumns && n <= CSV_COLUMNS_MAX && !row->field[n - 1].len)
		n--;
	if (n != im->ncolumns) {
		import_fault(im, row->line, "",
		    "this line has %zu field%s, but the first line has %zu", n, n == 1 ? "" : "s",
		    im->ncolumns);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (im->column[i] != FIELD_UNNAMED || !row->field[i].len)
			continue;
		import_fault(im, row->line, "",
		    "field %zu has text, but the first line gives it no name", i + 1);
		return false;
	}
	return true;
}

/* True if the row has no address. With --kind, other rows of the file may have one. */
static bool
is_without(const struct import *im, const struct csv_row *row)
{
	for (size_t i = 0; im->kind && i < im->ncolumns; i++)
		if (im->column[i] == COL_ADDRESS)
			return !row->field[i].len;
	return false;
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
			import_header(im, row);
		/* Without its columns no line can be understood. */
		return im->n.errors ? -OTP_EINVAL : 0;
	}
	im->n.lines++;
	errors = im->n.errors;
	if (!fits_header(im, row) || !is_text(im, row))
		return 0;
	if (is_without(im, row)) {
		im->n.without++;
		return 0;
	}
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
	strlist_free(&im->revoked);
}
