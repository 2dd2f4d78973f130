#include "helpers/otpctl/otpctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/own.h"
#include "common/text.h"
#include "helpers/conf/conf.h"

enum {
	OPT_CONFIG = 0x100,
	OPT_JSON,
	REPORT_MAX = 64 * 1024,
	MESSAGE_MAX = 1024,
	COMMANDS_MAX = 32,
	HELP_AND_FAIL = ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC | ARGP_HELP_EXIT_ERR,
};

int
otpctl_fail(const char *fmt, ...)
{
	char text[MESSAGE_MAX], clean[MESSAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "otpctl: %s\n", text_clean(clean, sizeof(clean), text));
	return OTPCTL_FAILED;
}

static const struct argp_option global_options[] = {
    {.name = "config", .key = OPT_CONFIG, .arg = "FILE", .doc = "Read FILE instead of " OTP_CONFIG},
    {.name = "json", .key = OPT_JSON, .doc = "Print JSON instead of text"},
    {0},
};

static error_t
parse_global(int key, char *arg, struct argp_state *state)
{
	struct otpctl *ctl = state->input;

	switch (key) {
	case OPT_CONFIG:
		if (arg[0] != '/')
			argp_error(state, "--config wants an absolute path, not '%s'", arg);
		ctl->config = arg;
		ctl->config_given = true;
		ctl->second_owner = geteuid();
		return 0;
	case OPT_JSON:
		ctl->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp global_argp = {.options = global_options, .parser = parse_global};

/* A command's own argp and the global one, side by side. */
struct pair {
	struct otpctl *ctl;
	void *input;
};

static error_t
parse_pair(int key, char *arg, struct argp_state *state)
{
	struct pair *p = state->input;

	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = p->input;
	state->child_inputs[1] = p->ctl;
	return 0;
}

void
otpctl_parse(struct otpctl *ctl, const struct argp *argp, const char *name, int argc, char **argv,
    void *input)
{
	const struct argp_child children[] = {
	    {.argp = argp}, {.argp = &global_argp, .header = "Global options:", .group = 0}, {0}};
	const struct argp both = {.parser = parse_pair, .children = children};
	struct pair pair = {.ctl = ctl, .input = input};
	/* getopt names the program by argv[0]; it does not write to it. */
	char *own_name = strdup(name);

	if (!own_name)
		exit(otpctl_fail("no memory"));
	argv[0] = own_name;
	if (argp_parse(&both, argc, argv, 0, NULL, &pair))
		exit(OTPCTL_USAGE);
	free(own_name);
}

error_t
otpctl_parse_user(int key, char *arg, struct argp_state *state)
{
	struct otpctl_user *u = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (u->name)
			argp_error(state, "one user at a time, not also '%s'", arg);
		u->name = arg;
		return 0;
	case ARGP_KEY_END:
		if (!u->name && !u->optional)
			argp_error(state, "whose? Name the user");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Of standard output, the first; stdio keeps that there was one, not which. */
static int output_error;

int
otpctl_flush(void)
{
	int r = fflush(stdout);

	if (r && !output_error)
		output_error = errno;
	return r;
}

int
otpctl_print_json(const json_t *j)
{
	if (!j || json_dumpf(j, stdout, JSON_INDENT(2)) || putchar('\n') == EOF || otpctl_flush())
		return otpctl_fail("the output could not be written");
	return OTPCTL_OK;
}

struct group {
	struct otpctl *ctl;
	const struct otpctl_command *command;
	size_t n;
	int at; /* argv[at] names the command; 0 when none does */
};

static error_t
parse_group(int key, char *arg, struct argp_state *state)
{
	struct group *g = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = g->ctl;
		return 0;
	case ARGP_KEY_ARG:
		/* The rest is the command's. */
		g->at = state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_state_help(state, stderr, HELP_AND_FAIL);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The list of commands, behind the options; argp frees it. */
static char *
list_commands(int key, const char *text, void *input)
{
	const struct group *g = input;
	_auto_buf struct buf b = BUF_INIT(REPORT_MAX);

	if (key != ARGP_KEY_HELP_POST_DOC || !g)
		return (char *)text;
	(void)buf_puts(&b, "Commands:\n");
	for (size_t i = 0; i < g->n; i++)
		(void)buf_putf(&b, "  %-10s %s\n", g->command[i].name, g->command[i].summary);
	return buf_err(&b) ? NULL : strdup(buf_str(&b));
}

static int
unknown_command(const char *name, const struct group *g, const char *word)
{
	const char *names[COMMANDS_MAX], *close;
	size_t n = g->n < COMMANDS_MAX ? g->n : COMMANDS_MAX;

	for (size_t i = 0; i < n; i++)
		names[i] = g->command[i].name;
	close = conf_suggest(word, names, n);
	if (close)
		(void)otpctl_fail("there is no '%s %s'; did you mean '%s'?", name, word, close);
	else
		(void)otpctl_fail("there is no '%s %s'; see: %s --help", name, word, name);
	return OTPCTL_USAGE;
}

int
otpctl_dispatch(struct otpctl *ctl, const char *name, const char *doc,
    const struct otpctl_command *command, size_t n, int argc, char **argv)
{
	_auto_free char *own_name = strdup(name), *own_doc = NULL;
	const struct argp_child children[] = {{.argp = &global_argp}, {0}};
	struct group g = {.ctl = ctl, .command = command, .n = n};
	struct argp argp = {.parser = parse_group,
	    .args_doc = "COMMAND [ARGUMENT...]",
	    .children = children,
	    .help_filter = list_commands};

	/* The part behind \v is where list_commands() is asked. */
	if (!own_name || asprintf(&own_doc, "%s\v ", doc) < 0)
		return otpctl_fail("no memory");
	argp.doc = own_doc;
	argv[0] = own_name;
	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &g) || !g.at)
		return OTPCTL_USAGE;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(command[i].name, argv[g.at]))
			return command[i].run(ctl, argc - g.at, argv + g.at);
	return unknown_command(name, &g, argv[g.at]);
}

int
otpctl_end_output(int r)
{
	if (!otpctl_flush() && !ferror(stdout))
		return r;
	return otpctl_fail("standard output: %s",
	    output_error ? strerror(output_error) : "not all of it could be written");
}
