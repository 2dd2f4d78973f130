/*
 * The text of one file through libini_config 0.6.
 *
 * MUST: what the library would pass over or misread in silence is an error with its line, before or
 * after the library sees it: keys before the first section, indented headings and comments, a
 * second heading of the same name, duplicates of any case. A key that cannot be placed for sure is
 * not taken at all.
 */
#include <errno.h>
#include <ini_configobj.h>
#include <ini_valueobj.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/err.h"
#include "common/own.h"
#include "common/text.h"
#include "helpers/conf/ini.h"

/* A heading as it was found: libini_config tells no line of a section. */
struct heading {
	char *name; /* as written, trimmed */
	unsigned line;
};

/* A file on its way through libini_config. */
struct parse {
	const char *path;
	char *text; /* NUL-terminated */
	size_t len;
	struct heading *heading;
	size_t nheadings;
	bool lost; /* a heading could not be read: whose the keys behind it are is unknown */
	struct conf_report *rep;
};

static void
parse_free(struct parse *p)
{
	for (size_t i = 0; i < p->nheadings; i++)
		free(p->heading[i].name);
	free(p->heading);
}

static const struct heading *
heading_find(const struct parse *p, const char *name)
{
	for (size_t i = 0; i < p->nheadings; i++)
		if (!strcasecmp(p->heading[i].name, name))
			return &p->heading[i];
	return NULL;
}

static int
heading_add(struct parse *p, const char *name, unsigned line)
{
	const struct heading *twin = heading_find(p, name);
	struct heading *grown = reallocarray(p->heading, p->nheadings + 1, sizeof(*grown));

	if (!grown)
		return -OTP_ENOMEM;
	p->heading = grown;
	if (twin)
		conf_error(p->rep, p->path, line,
		    "[%s] stands twice in this file, first on line %u: put its keys together", name,
		    heading_find(p, name)->line);
	grown[p->nheadings].name = strdup(name);
	grown[p->nheadings].line = line;
	if (!grown[p->nheadings].name)
		return -OTP_ENOMEM;
	p->nheadings++;
	return 0;
}

static const char *
first_control(const char *line)
{
	for (; *line; line++)
		if (((unsigned char)*line < 0x20 && *line != '\t') || *line == 0x7f)
			return line;
	return NULL;
}

static char *
trim(char *s)
{
	char *end;

	s += strspn(s, " \t");
	end = s + strlen(s);
	while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	return s;
}

/* A line that begins with '['. libini_config reports those without a name or a ']'. */
static int
judge_heading(struct parse *p, const char *line, unsigned n)
{
	_auto_free char *copy = strdup(line + 1);
	char *name;
	size_t len;

	if (!copy)
		return -OTP_ENOMEM;
	name = trim(copy);
	len = strlen(name);
	if (!len || name[len - 1] != ']' || len == 1) {
		p->lost = true;
		return 0;
	}
	name[len - 1] = '\0';
	name = trim(name);
	if (!*name) {
		p->lost = true;
		return 0;
	}
	return heading_add(p, name, n);
}

/* libini_config gives up, and tells no line, at names with these. */
static bool
key_is_readable(const char *line)
{
	size_t len = strcspn(line, "=");

	while (len && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		len--;
	return strcspn(line, "!\t") >= len;
}

/* What is wrong with a line that libini_config would read otherwise than its writer; or NULL. */
static const char *
misread(const struct parse *p, const char *line, bool *lost)
{
	const char *first = line + strspn(line, " \t");

	if (first_control(line))
		return "a control character: only tabs may stand in this file";
	if (!text_is_utf8(line))
		return "this line is not UTF-8";
	if (!*first || *line == '#' || *line == ';')
		return NULL;
	if (first != line && (*first == '#' || *first == ';'))
		return "a comment must begin in the first column";
	if (*first == '[') {
		*lost = first != line || strpbrk(line, "!\t");
		return first != line ? "the heading of a section must begin in the first column"
		       : *lost	     ? "the heading has a tab or '!' in it"
				     : NULL;
	}
	if (!p->nheadings && !p->lost)
		return "this stands before the first [section]";
	return key_is_readable(first) ? NULL : "the name of a key has a tab or '!' in it";
}

/*
 * Reads the headings and reports what the library would not. Lines at fault become comments, so
 * that the rest can still be judged.
 */
static int
judge_lines(struct parse *p)
{
	unsigned n = 0;
	int r = 0;

	for (char *line = p->text, *next; line && !r; line = next) {
		char *end = strchrnul(line, '\n');
		char was = *end;
		const char *why;
		bool lost = false;

		next = was ? end + 1 : NULL;
		*end = '\0';
		n++;
		if (end > line && end[-1] == '\r')
			end[-1] = ' ';
		why = misread(p, line, &lost);
		if (why)
			conf_error(p->rep, p->path, n, "%s", why);
		else if (*line == '[')
			r = judge_heading(p, line, n);
		if (why)
			memset(line, '#', (size_t)(end - line));
		p->lost |= lost;
		*end = was;
	}
	return r;
}

static void
comment_out(struct parse *p, unsigned line)
{
	char *at = p->text;

	while (at && --line) {
		at = strchr(at, '\n');
		at += at != NULL;
	}
	for (; at && *at && *at != '\n'; at++)
		*at = '#';
}

static void
cfgobj_free(struct ini_cfgobj **o)
{
	if (*o)
		ini_config_destroy(*o);
}

static void
cfgfile_free(struct ini_cfgfile **f)
{
	if (*f)
		ini_config_file_destroy(*f);
}

/* What the library found, in words that say what was expected; NULL for what it says well. */
static const char *
reason_of(int code)
{
	switch (code) {
	case ERR_NOEQUAL:
		return "this is neither KEY = VALUE nor a [section] nor a # comment";
	case ERR_NOCLOSESEC:
		return "expected the heading of a section, [NAME] and nothing behind it: a comment "
		       "has a line of its own";
	case ERR_NOSECTION:
		return "expected the name of a section between [ and ]";
	case ERR_NOKEY:
		return "expected KEY = VALUE: there is no key before the '='";
	case ERR_SECTIONLONG:
		return "the name of this section is too long";
	case ERR_LONGKEY:
		return "the name of this key is too long";
	default:
		return NULL;
	}
}

/* Reports the library's errors and comments their lines out. How many there were. */
static unsigned
syntax_errors(struct parse *p, struct ini_cfgobj *o)
{
	/* Asked for an empty list, ini_config_get_errors() writes behind its memory. */
	unsigned count = ini_config_error_count(o), line;
	char **text = NULL;
	int code;

	if (!count || ini_config_get_errors(o, &text))
		return 0;
	for (size_t i = 0; text[i]; i++) {
		const char *open = strchr(text[i], '('), *colon = strrchr(text[i], ':');
		const char *why;

		if (!open || sscanf(open, "(%d) on line %u", &code, &line) != 2) {
			conf_error(p->rep, p->path, 0, "%s", text[i]);
			continue;
		}
		why = reason_of(code);
		conf_error(p->rep, p->path, line, "%s", why ? why : colon ? colon + 2 : text[i]);
		comment_out(p, line);
	}
	ini_config_free_errors(text);
	return count;
}

/*
 * One run of libini_config over the text. 0 with *out, which is NULL after errors, that were
 * reported; or -OTP_ENOMEM.
 */
static int
run_library(struct parse *p, struct ini_cfgobj **out)
{
	__attribute__((cleanup(cfgfile_free))) struct ini_cfgfile *file = NULL;
	__attribute__((cleanup(cfgobj_free))) struct ini_cfgobj *o = NULL;
	int e = ini_config_file_from_mem(p->text, (uint32_t)p->len, &file);

	*out = NULL;
	if (!e)
		e = ini_config_create(&o);
	if (e == ENOMEM)
		return -OTP_ENOMEM;
	/* All values of a key are kept: that is how duplicates are told with both their lines. */
	if (!e)
		e = ini_config_parse(file, INI_STOP_ON_NONE,
		    INI_MV1S_ALLOW | INI_MV2S_ALLOW | INI_MS_MERGE,
		    INI_PARSE_NOWRAP | INI_PARSE_NO_C_COMMENTS, o);
	if (e == ENOMEM)
		return -OTP_ENOMEM;
	if (e && (!o || !syntax_errors(p, o)))
		conf_error(p->rep, p->path, 0, "not understood: %s", strerror(e));
	if (!e)
		*out = take(&o);
	return 0;
}

/* The words of a heading, parted by one blank. */
static char *
normal_name(const char *heading)
{
	char *name = strdup(heading), *to = name;

	for (const char *from = heading; name && *from; from++)
		if (*from != ' ' || (to > name && to[-1] != ' '))
			*to++ = *from;
	if (name)
		*to = '\0';
	return name;
}

/* The value of key[i] of the section: the (same names before it)th of that name. */
static struct value_obj *
value_at(struct ini_cfgobj *o, const char *section, char **key, int i, unsigned *first_line)
{
	struct value_obj *v = NULL;
	int before = 0;

	for (int j = 0; j < i; j++)
		before += !strcasecmp(key[j], key[i]);
	for (int j = 0; j <= before; j++) {
		uint32_t line = 0;

		if (ini_get_config_valueobj(
			section, key[i], o, j ? INI_GET_NEXT_VALUE : INI_GET_FIRST_VALUE, &v) ||
		    !v)
			return NULL;
		(void)value_get_line(v, &line);
		if (!j)
			*first_line = before ? line : 0;
	}
	return v;
}

/* One section of the file into s. The heading's own entry, "[", is none of the keys. */
static int
take_section(struct parse *p, struct ini_cfgobj *o, const char *raw, struct conf_sections *s)
{
	const struct heading *h = heading_find(p, raw);
	_auto_free char *name = normal_name(raw);
	struct conf_section *section =
	    name ? conf_sections_get(s, name, p->path, h ? h->line : 0) : NULL;
	int nkeys = 0, e = 0, r = 0;
	char **key = ini_get_attribute_list(o, raw, &nkeys, &e);

	if (!section || !key)
		r = -OTP_ENOMEM;
	for (int i = 0; !r && i < nkeys; i++) {
		unsigned first = 0;
		uint32_t line = 0;
		struct value_obj *v = value_at(o, raw, key, i, &first);
		const char *value = v ? ini_get_const_string_config_value(v, &e) : NULL;

		if (!value) {
			r = -OTP_ENOMEM;
			break;
		}
		(void)value_get_line(v, &line);
		if (first)
			conf_error(p->rep, p->path, line,
			    "[%s] %s: stands twice in this section, first on line %u", name, key[i],
			    first);
		else
			r = conf_setting_put(section, key[i], value, p->path, line);
	}
	if (key)
		ini_free_attribute_list(key);
	return r;
}

static int
take_sections(struct parse *p, struct ini_cfgobj *o, struct conf_sections *s)
{
	int n = 0, e = 0, r = 0;
	char **name = ini_get_section_list(o, &n, &e);

	if (!name)
		return -OTP_ENOMEM;
	for (int i = 0; !r && i < n; i++)
		r = take_section(p, o, name[i], s);
	ini_free_section_list(name);
	return r;
}

int
conf_ini_parse(
    const char *path, char *text, size_t len, struct conf_sections *s, struct conf_report *rep)
{
	__attribute__((cleanup(cfgobj_free))) struct ini_cfgobj *o = NULL;
	__attribute__((cleanup(parse_free))) struct parse p = {
	    .path = path, .text = text, .len = len, .rep = rep};
	int r = judge_lines(&p);

	if (!r)
		r = run_library(&p, &o);
	/* Again without the lines that were at fault: what else is wrong is told in the same go. */
	if (!r && !o && !p.lost)
		r = run_library(&p, &o);
	if (!r && o && !p.lost)
		r = take_sections(&p, o, s);
	return r;
}
