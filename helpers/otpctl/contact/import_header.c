#include "helpers/otpctl/contact/import_header.h"

#include <string.h>
#include <strings.h>

static const char *const column_names[COLUMNS] = {
    "user", "kind", "address", "label", "preferred", "verified_at"};

const char *
import_column(enum column c)
{
	return column_names[c];
}

const char *
import_map(void *to, const char *argument)
{
	struct import *im = to;
	const char *equal = strchr(argument, '=');

	for (int c = 0; equal && equal[1] && c < COLUMNS; c++) {
		if (strlen(column_names[c]) != (size_t)(equal - argument) ||
		    strncmp(column_names[c], argument, (size_t)(equal - argument)) != 0)
			continue;
		if (im->header[c])
			return "this column has two names";
		im->header[c] = equal + 1;
		im->mapped = true;
		return NULL;
	}
	return "expected COLUMN=NAME, where COLUMN is user, kind, address, label, preferred or "
	       "verified_at, and NAME stands in the first line of the file";
}

static int
which_column(const struct import *im, const char *name)
{
	for (int c = 0; c < COLUMNS; c++)
		if (!strcasecmp(im->header[c] ? im->header[c] : column_names[c], name))
			return c;
	return !*name ? FIELD_UNNAMED : FIELD_LEFT_OUT;
}

/* Reports a name that is no column. It is not repeated: the file may be no list of contacts. */
static void
wrong_column(struct import *im, const struct csv_row *row, size_t i)
{
	const char *name = row->field[i].text;
	const char *near = conf_suggest(name, column_names, COLUMNS);
	const char *separator = row->n == 1 ? strpbrk(name, ";\t") : NULL;

	if (separator)
		import_fault(im, row->line, "", "columns must be separated by commas, not by %s",
		    *separator == '\t' ? "a tab" : "';'");
	else
		import_fault(im, row->line, "",
		    "field %zu of this line names no column%s%s%s; there are user, kind, address, "
		    "label, preferred, verified_at; with --column, others are left out",
		    i + 1, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* Reports the columns that are missing. */
static void
check_columns(struct import *im, const struct csv_row *row)
{
	for (int c = 0; c < COLUMNS; c++) {
		bool needed = c <= COL_ADDRESS && !(c == COL_KIND && im->kind);

		if (im->has[c] || (!needed && !im->header[c]))
			continue;
		if (im->header[c])
			import_fault(im, row->line, "",
			    "the first line has no column '%s', which --column names",
			    im->header[c]);
		else
			import_fault(im, row->line, "",
			    "the first line names the columns, and %s is missing; if it has "
			    "another name there, use: --column %s=NAME%s",
			    column_names[c], column_names[c],
			    c == COL_KIND ? ", or --kind phone" : "");
	}
	if (im->has[COL_KIND] && im->kind)
		import_fault(im, row->line, "kind", "the file has this column; leave --kind out");
}

void
import_header(struct import *im, const struct csv_row *row)
{
	im->ncolumns = row->n;
	if (row->n > CSV_COLUMNS_MAX)
		import_fault(im, row->line, "", "a file has at most %d columns", CSV_COLUMNS_MAX);
	for (size_t i = 0; i < row->n && i < CSV_COLUMNS_MAX; i++) {
		int c = im->column[i] = which_column(im, row->field[i].text);

		if (c == FIELD_LEFT_OUT && !im->mapped)
			wrong_column(im, row, i);
		else if (c >= 0 && im->has[c])
			import_fault(im, row->line, column_names[c], "this column appears twice");
		else if (c >= 0)
			im->has[c] = true;
	}
	if (!im->n.errors)
		check_columns(im, row);
}
