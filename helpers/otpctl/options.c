#include "helpers/otpctl/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"
#include "helpers/conf/conf.h"
#include "helpers/conf/parse.h"

enum {
	ROWS_MAX = 16,
	COMMANDS_MAX = 32,
	WORD_SIZE = 128,
	TEXT_SIZE = 1024,
	HELP_WIDTH = 79,
	HELP_COLUMN = 29,    /* where the text about an option begins */
	FIRST_VALUE = 0x100, /* getopt_long() returns this for row 0; it is no character */
};

/* One command line while it is read. */
struct line {
	const struct otpctl_syntax *syntax;
	struct otpctl_option global[3]; /* --config, --json and an empty row */
	struct otpctl_option row[ROWS_MAX];
	struct option known[ROWS_MAX + 1]; /* one for each row; the last one stays empty */
	size_t n;
	bool no_more_options; /* "--" was read */
};

void
otpctl_misuse(const struct otpctl_syntax *s, const char *fmt, ...)
{
	char text[TEXT_SIZE], clean[TEXT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "%s: %s\nSee: %s --help\n", s->name,
	    text_clean(clean, sizeof(clean), text), s->name);
	exit(OTPCTL_USAGE);
}

/* --- help ------------------------------------------------------------------------------------ */

/* Prints text from this column on. Further lines are indented. */
static void
print_text(FILE *to, size_t column, size_t indent, const char *text)
{
	for (size_t used = column, len; *text; text += len + strspn(text + len, " ")) {
		len = strcspn(text, " ");
		if (used > indent && used + 1 + len > HELP_WIDTH) {
			(void)fprintf(to, "\n%*s", (int)indent, "");
			used = indent;
		}
		used += (size_t)fprintf(to, "%s%.*s", used > indent ? " " : "", (int)len, text);
	}
	(void)fputc('\n', to);
}

static void
print_rows(FILE *to, const char *heading, const struct otpctl_option *row)
{
	if (!row || !row->name)
		return;
	(void)fprintf(to, "\n%s:\n", heading);
	for (; row->name; row++) {
		int used = fprintf(to, "      --%s%s%s", row->name, row->argument ? "=" : "",
		    row->argument ? row->argument : "");

		(void)fprintf(to, "%*s", used < HELP_COLUMN ? HELP_COLUMN - used : 1, "");
		print_text(to, HELP_COLUMN, HELP_COLUMN, row->help);
	}
}

static void
print_help(FILE *to, const struct line *l)
{
	const struct otpctl_syntax *s = l->syntax;
	const char *options = *s->usage ? "[OPTION...] " : "[OPTION...]";
	int used = fprintf(to, "Usage: %s %s", s->name, options);

	print_text(to, (size_t)used, (size_t)used, s->usage);
	print_text(to, 0, 0, s->summary);
	if (s->commands)
		(void)fprintf(to, "\nCommands:\n");
	for (const struct otpctl_command *c = s->commands; c && c->name; c++)
		(void)fprintf(to, "  %-10s %s\n", c->name, c->summary);
	print_rows(to, "Options", s->options);
	print_rows(to, "Global options", l->global);
	(void)fprintf(to,
	    "  -h, --help                 Print this help\n"
	    "  -V, --version              Print the version\n"
	    "\nExample:\n  %s\n\nSee also: otpctl(8)\n",
	    s->example);
}

static _Noreturn void
exit_with_help(const struct line *l)
{
	print_help(stdout, l);
	exit(otpctl_end_output(OTPCTL_OK));
}

/* --- options --------------------------------------------------------------------------------- */

static const char *
take_config(void *to, const char *argument)
{
	struct otpctl *ctl = to;

	if (argument[0] != '/')
		return "expected an absolute path";
	ctl->config = argument;
	ctl->config_given = true;
	ctl->second_owner = geteuid();
	return NULL;
}

const char *
otpctl_take_service(void *to, const char *argument)
{
	if (!conf_is_service(argument))
		return "expected the name of a PAM service, like sshd";
	*(const char **)to = argument;
	return NULL;
}

static void
add_row(struct line *l, const struct otpctl_option *row, int value)
{
	if (l->n == ROWS_MAX)
		abort();
	l->row[l->n] = *row;
	l->known[l->n++] = (struct option){
	    row->name, row->argument ? required_argument : no_argument, NULL, value};
}

static void
add_rows(struct line *l, const struct otpctl_option *row)
{
	for (; row && row->name; row++)
		add_row(l, row, FIRST_VALUE + (int)l->n);
}

static struct line
begin_line(struct otpctl *ctl, const struct otpctl_syntax *s)
{
	struct line l = {
	    .syntax = s,
	    .global = {{"config", "FILE", "Read FILE instead of " OTP_CONFIG, .take = take_config,
			   .to = ctl},
		{"json", NULL, "Print JSON instead of text", .flag = &ctl->json}},
	};

	add_rows(&l, s->options);
	add_rows(&l, l.global);
	add_row(&l, &(struct otpctl_option){.name = "help"}, 'h');
	add_row(&l, &(struct otpctl_option){.name = "version"}, 'V');
	optind = 0; /* resets what getopt_long() knows of an earlier command line */
	opterr = 0;
	return l;
}

/* Refuses a long option that is unknown, or an abbreviation of several. */
static _Noreturn void
refuse_word(const struct line *l, const char *word)
{
	const char *names[ROWS_MAX], *close;
	char list[TEXT_SIZE] = "", name[WORD_SIZE];
	size_t len = strcspn(word, "="), used = 0, matches = 0;

	(void)snprintf(name, sizeof(name), "%.*s", (int)(len < WORD_SIZE ? len : WORD_SIZE), word);
	for (size_t i = 0; i < l->n; i++) {
		names[i] = l->known[i].name;
		if (strncmp(names[i], name, strlen(name)) != 0 || used >= sizeof(list))
			continue;
		used += (size_t)snprintf(
		    list + used, sizeof(list) - used, "%s--%s", matches++ ? " or " : "", names[i]);
	}
	if (matches > 1)
		otpctl_misuse(
		    l->syntax, "the option --%s is ambiguous; did you mean %s?", name, list);
	close = conf_suggest(name, names, l->n);
	if (close)
		otpctl_misuse(
		    l->syntax, "there is no option --%s; did you mean --%s?", name, close);
	otpctl_misuse(l->syntax, "there is no option --%s", name);
}

/* Refuses the option for which getopt_long() returned c; word is the argument that it read last. */
static _Noreturn void
refuse_option(const struct line *l, int c, const char *word)
{
	if (!optopt)
		refuse_word(l, word + strlen("--"));
	for (size_t i = 0; i < l->n; i++) {
		const struct option *o = &l->known[i];

		if (o->val != optopt)
			continue;
		if (c == ':')
			otpctl_misuse(l->syntax, "--%s needs an argument: --%s=%s", o->name,
			    o->name, l->row[i].argument);
		otpctl_misuse(l->syntax, "--%s takes no argument", o->name);
	}
	otpctl_misuse(l->syntax, "there is no option -%c", optopt);
}

static void
take_option(const struct line *l, int c, const char *word)
{
	const struct otpctl_option *row;
	const char *error = NULL;

	/* -? cannot be in the table, because '?' is what getopt_long() returns for errors. */
	if (c == 'h' || (c == '?' && optopt == '?'))
		exit_with_help(l);
	if (c == 'V') {
		(void)puts("otpctl (pam_otp) " OTP_VERSION);
		exit(otpctl_end_output(OTPCTL_OK));
	}
	if (c < FIRST_VALUE)
		refuse_option(l, c, word);
	row = &l->row[c - FIRST_VALUE];
	if (row->flag)
		*row->flag = true;
	else if (row->string)
		*row->string = optarg;
	else
		error = row->take(row->to, optarg);
	if (error && row->argument)
		otpctl_misuse(l->syntax, "--%s '%s': %s", row->name, optarg, error);
	if (error)
		otpctl_misuse(l->syntax, "--%s: %s", row->name, error);
}

/*
 * Takes the options up to the next argument, and returns that, or NULL at the end. The "+" makes
 * getopt_long() stop at each argument: so neither POSIXLY_CORRECT nor the C library decides whether
 * options may follow arguments.
 */
static char *
next_argument(struct line *l, int argc, char **argv)
{
	while (!l->no_more_options) {
		int before = optind ? optind : 1, c;

		optopt = 0;
		c = getopt_long(argc, argv, "+:hV", l->known, NULL);
		if (c == -1) {
			l->no_more_options = optind > before && !strcmp(argv[optind - 1], "--");
			break;
		}
		take_option(l, c, argv[optind - 1]);
	}
	return optind < argc ? argv[optind++] : NULL;
}

/* --- commands -------------------------------------------------------------------------------- */

void
otpctl_parse(struct otpctl *ctl, const struct otpctl_syntax *s, int argc, char **argv)
{
	struct line l = begin_line(ctl, s);
	const struct otpctl_argument *a = s->argument;
	int missing = -s->optional;

	for (const char *word; (word = next_argument(&l, argc, argv)); a++) {
		if (!a->name)
			otpctl_misuse(s, "unexpected argument '%s': expected %s", word,
			    *s->usage ? s->usage : "none");
		*a->value = word;
	}
	for (const struct otpctl_argument *rest = a; rest->name; rest++)
		missing++;
	if (missing > 0)
		otpctl_misuse(s, "%s is missing: expected %s", a->name, s->usage);
}

static int
unknown_command(const struct otpctl_syntax *s, const char *word)
{
	const char *names[COMMANDS_MAX], *close;
	size_t n = 0;

	for (; n < COMMANDS_MAX && s->commands[n].name; n++)
		names[n] = s->commands[n].name;
	close = conf_suggest(word, names, n);
	if (close)
		(void)otpctl_fail("there is no '%s %s'; did you mean '%s'?", s->name, word, close);
	else
		(void)otpctl_fail("there is no '%s %s'; see: %s --help", s->name, word, s->name);
	return OTPCTL_USAGE;
}

/* Turns "help WORD..." into "WORD... --help". */
static void
turn_into_option(int argc, char **argv)
{
	static char option[] = "--help";

	for (int i = 0; i + 1 < argc; i++)
		argv[i] = argv[i + 1];
	argv[argc - 1] = option;
}

int
otpctl_dispatch(struct otpctl *ctl, const struct otpctl_syntax *s, int argc, char **argv)
{
	struct line l = begin_line(ctl, s);
	const char *word = next_argument(&l, argc, argv);
	int at = optind - 1;

	if (!word) {
		print_help(stderr, &l);
		return OTPCTL_USAGE;
	}
	if (!strcmp(word, "help")) {
		turn_into_option(argc - at, argv + at);
		return otpctl_dispatch(ctl, s, argc, argv);
	}
	for (const struct otpctl_command *c = s->commands; c->name; c++)
		if (!strcmp(c->name, word))
			return c->run(ctl, argc - at, argv + at);
	return unknown_command(s, word);
}
