/*
 * Reads the text of one configuration file. pam_otp.conf(5), section Syntax, has the grammar.
 *
 * MUST:
 *  - A line that may mean something else than it seems to is an error, never a guess.
 *  - A key is used only if its section is certain. Below a wrong heading, keys are not used.
 *  - Every error of the file is reported, not only the first. No error repeats a value.
 */
#include <string.h>
#include <strings.h>

#include "common/err.h"
#include "common/text.h"
#include "helpers/conf/ini.h"

/* Bytes of a key or a heading. */
enum { NAME_MOST = 1023 };

struct parse {
	const char *path;
	unsigned line;
	struct conf_sections here; /* the sections of this file alone */
	/* The section in `here` that gets the keys. NULL before the first heading, and below a
	 * heading that is wrong. */
	struct conf_section *section;
	bool headed; /* there was a heading, right or wrong */
	struct conf_report *rep;
};

static void
error_here(struct parse *p, const char *what, const char *more)
{
	conf_error(p->rep, p->path, p->line, "%s%s", what, more);
}

static bool
has_control(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)s[i] < 0x20 && s[i] != '\t') || s[i] == 0x7f)
			return true;
	return false;
}

static bool
has_foreign(const char *s)
{
	while (*s && !(*s & 0x80))
		s++;
	return *s != '\0';
}

/*
 * Returns a hint for an error message. A no-break space looks like a blank, so the hint says that
 * there may be one.
 */
static const char *
hint_at_foreign(const char *line)
{
	return has_foreign(line) && text_is_utf8(line)
		   ? " (this line has a no-break space or another character outside ASCII)"
		   : "";
}

/* What is wrong with the name of a key or a heading; NULL if nothing is. */
static const char *
wrong_name(const char *s)
{
	if (has_foreign(s))
		return " must not have a no-break space or another character outside ASCII";
	if (strpbrk(s, "\t!"))
		return " must not have a tab or '!'";
	return strlen(s) > NAME_MOST ? " is longer than 1023 bytes" : NULL;
}

/* Removes blanks at the end of s. Returns the first character of s that is no blank. */
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

/* Leaves one blank between the words of s. s must not begin with a blank. */
static void
join_blanks(char *s)
{
	char *to = s;

	for (const char *from = s; *from; from++)
		if (*from != ' ' || to[-1] != ' ')
			*to++ = *from;
	*to = '\0';
}

/* Ignores case: two names that differ only in case are a mistake. */
static struct conf_section *
section_here(const struct parse *p, const char *name)
{
	for (size_t i = 0; i < p->here.n; i++)
		if (!strcasecmp(p->here.item[i].name, name))
			return &p->here.item[i];
	return NULL;
}

static const struct conf_setting *
setting_here(const struct conf_section *s, const char *key)
{
	for (size_t i = 0; i < s->nsettings; i++)
		if (!strcasecmp(s->setting[i].key, key))
			return &s->setting[i];
	return NULL;
}

static int
begin_section(struct parse *p, const char *name)
{
	p->section = section_here(p, name);
	if (p->section)
		conf_error(p->rep, p->path, p->line,
		    "[%s] stands twice in this file, first on line %u; move its keys there", name,
		    p->section->line);
	else
		p->section = conf_sections_get(&p->here, name, p->path, p->line);
	return p->section ? 0 : -OTP_ENOMEM;
}

/* Reads a line that begins with '['. */
static int
read_heading(struct parse *p, char *line)
{
	const char *hint = hint_at_foreign(line), *wrong = wrong_name(line);
	char *name = trim(line + 1), *last = name + strlen(name) - 1;

	if (*last != ']') {
		error_here(p,
		    "expected the heading of a section, [NAME] and nothing after it; a comment "
		    "needs a line of its own",
		    hint);
		return 0;
	}
	*last = '\0';
	name = trim(name);
	join_blanks(name);
	if (*name && !wrong)
		return begin_section(p, name);
	error_here(p, *name ? "the heading" : "expected the name of a section between [ and ]",
	    *name ? wrong : "");
	return 0;
}

static int
read_key(struct parse *p, char *line)
{
	const char *hint = hint_at_foreign(line), *wrong;
	const struct conf_setting *first;
	char *equal = strchr(line, '='), *key;

	if (equal)
		*equal = '\0';
	key = trim(line);
	wrong = wrong_name(key);
	first = p->section ? setting_here(p->section, key) : NULL;
	if (!equal)
		error_here(p, "expected KEY = VALUE, a [section] or a # comment", hint);
	else if (!*key)
		error_here(p, "expected KEY = VALUE; there is no key before the '='", "");
	else if (wrong)
		error_here(p, "the name of a key", wrong);
	else if (first)
		conf_error(p->rep, p->path, p->line,
		    "[%s] %s: this key stands twice in the section, first on line %u; remove one",
		    p->section->name, key, first->line);
	else if (p->section)
		return conf_setting_put(p->section, key, trim(equal + 1), p->path, p->line);
	return 0;
}

static int
read_line(struct parse *p, char *line, size_t len)
{
	const char *first = line, *wrong = NULL;

	while (*first == ' ' || *first == '\t' || (*first & 0x80))
		first++;
	/* Even a heading that is wrong ends the section before it. */
	if (*first == '[') {
		p->headed = true;
		p->section = NULL;
	}
	if (has_control(line, len))
		wrong = "this line has a control character; only tabs are allowed";
	else if (!text_is_utf8(line))
		wrong = "this line is not UTF-8";
	else if (!line[strspn(line, " \t")] || *line == '#' || *line == ';')
		return 0;
	else if (first != line && (*first == '#' || *first == ';'))
		wrong = "a comment must begin in the first column";
	else if (first != line && *first == '[')
		wrong = "the heading of a section must begin in the first column";
	else if (!p->headed)
		wrong = "this line is before the first [section]";
	if (!wrong)
		return *line == '[' ? read_heading(p, line) : read_key(p, line);
	error_here(p, wrong, hint_at_foreign(line));
	return 0;
}

/* Adds the sections of this file to those of earlier files. A later value replaces an earlier. */
static int
merge(const struct parse *p, struct conf_sections *to)
{
	int r = 0;

	for (size_t i = 0; !r && i < p->here.n; i++) {
		const struct conf_section *s = &p->here.item[i];
		struct conf_section *into = conf_sections_get(to, s->name, p->path, s->line);

		r = into ? 0 : -OTP_ENOMEM;
		for (size_t k = 0; !r && k < s->nsettings; k++)
			r = conf_setting_put(into, s->setting[k].key, s->setting[k].value, p->path,
			    s->setting[k].line);
	}
	return r;
}

int
conf_ini_parse(
    const char *path, char *text, size_t len, struct conf_sections *s, struct conf_report *rep)
{
	struct parse p = {.path = path, .rep = rep};
	char *end = text + len;
	int r = 0;

	for (char *line = text, *next; !r && line < end; line = next) {
		char *stop = memchr(line, '\n', (size_t)(end - line));

		stop = stop ? stop : end;
		next = stop + 1;
		stop -= stop > line && stop[-1] == '\r';
		*stop = '\0';
		p.line++;
		r = read_line(&p, line, (size_t)(stop - line));
	}
	if (!r)
		r = merge(&p, s);
	conf_sections_free(&p.here);
	return r;
}
