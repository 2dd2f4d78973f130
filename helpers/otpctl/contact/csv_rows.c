#include "helpers/otpctl/contact/csv_rows.h"

#include <csv.h>
#include <string.h>

#include "common/err.h"

enum { CHUNK = 64 * 1024, ENTRY_MAX = 64 * 1024 };

struct reader {
	struct csv_parser csv;
	struct csv_row row;
	csv_row_fn *fn;
	void *arg;
	int64_t line; /* the number of the line that is being read */
	bool in_row;
	bool after_cr;
	int result; /* what fn returned last */
};

/* libcsv calls this to grow its buffer. The limit bounds the memory, whatever the file contains. */
static void *
grow(void *old, size_t size)
{
	return size <= ENTRY_MAX ? realloc(old, size) : NULL;
}

static void
take_field(void *bytes, size_t len, void *arg)
{
	struct reader *r = arg;
	size_t kept = len < CSV_FIELD_MAX ? len : CSV_FIELD_MAX;
	struct csv_field *f;

	if (r->row.n++ >= CSV_COLUMNS_MAX)
		return;
	f = &r->row.field[r->row.n - 1];
	f->len = len;
	if (kept)
		memcpy(f->text, bytes, kept);
	f->text[kept] = '\0';
}

/* True for a row without text. A blank line, or the second half of CRLF, has no fields. */
static bool
is_empty(const struct csv_row *row)
{
	for (size_t i = 0; i < row->n; i++)
		if (i >= CSV_COLUMNS_MAX || row->field[i].len)
			return false;
	return true;
}

static void
take_row(int terminator, void *arg)
{
	struct reader *r = arg;

	(void)terminator;
	if (!is_empty(&r->row) && !r->result)
		r->result = r->fn(&r->row, r->arg);
	r->row.n = 0;
	r->in_row = false;
}

/*
 * The length of the first line of p, with its end. libcsv does not count lines, so it is given one
 * line at a time. Lines are those of an editor: an end inside quotes counts, too.
 */
static size_t
line_length(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] == '\n' || p[i] == '\r')
			return i + 1;
	return len;
}

static int
stop_at(struct csv_stop *stop, int64_t line, const char *why)
{
	*stop = (struct csv_stop){line, why};
	return -OTP_EINVAL;
}

static int
feed(struct reader *r, const char *p, size_t len, struct csv_stop *stop)
{
	while (len && !r->result) {
		size_t n = line_length(p, len);

		if (!r->in_row)
			r->row.line = r->line;
		r->in_row = true;
		if (csv_parse(&r->csv, p, n, take_field, take_row, r) != n)
			return csv_error(&r->csv) == CSV_EPARSE
				   ? stop_at(stop, r->line,
					 "a misplaced quotation mark: a field that contains one "
					 "must be quoted, and each one in it doubled")
				   : stop_at(stop, r->row.line, "a field of more than 64 KiB");
		if (p[n - 1] == '\r' || (p[n - 1] == '\n' && !r->after_cr))
			r->line++;
		r->after_cr = p[n - 1] == '\r';
		p += n;
		len -= n;
	}
	return r->result;
}

/* Skips the byte order mark of UTF-8. Refuses UTF-16, which is known by its own mark. */
static int
judge_start(const char **p, size_t *len, struct csv_stop *stop)
{
	if (*len >= 2 && (!memcmp(*p, "\xff\xfe", 2) || !memcmp(*p, "\xfe\xff", 2)))
		return stop_at(stop, 1, "this is UTF-16; save it as CSV in UTF-8");
	if (*len >= 3 && !memcmp(*p, "\xef\xbb\xbf", 3)) {
		*p += 3;
		*len -= 3;
	}
	return 0;
}

static int
read_all(struct reader *r, FILE *file, csv_progress_fn *progress, struct csv_stop *stop)
{
	static char chunk[CHUNK];
	int64_t bytes = 0;
	int e = 0;

	while (!e && !feof(file)) {
		size_t n = fread(chunk, 1, sizeof(chunk), file);
		const char *p = chunk;

		if (ferror(file))
			return -OTP_ESYS;
		if (bytes == 0)
			e = judge_start(&p, &n, stop);
		if (!e)
			e = feed(r, p, n, stop);
		bytes += p - chunk + (int64_t)n;
		progress(bytes, r->arg);
	}
	return e;
}

int
csv_rows(FILE *file, csv_row_fn *fn, csv_progress_fn *progress, void *arg, struct csv_stop *stop)
{
	static struct reader r;
	int e;

	r = (struct reader){.fn = fn, .arg = arg, .line = 1};
	if (csv_init(&r.csv, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL))
		return -OTP_ENOMEM;
	csv_set_realloc_func(&r.csv, grow);
	e = read_all(&r, file, progress, stop);
	if (!e && csv_fini(&r.csv, take_field, take_row, &r))
		e = stop_at(stop, r.row.line, "a quoted field that begins here does not end");
	csv_free(&r.csv);
	return e ? e : r.result;
}
