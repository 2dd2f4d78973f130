/*
 * The table of steps in login.c: the comment above it holds the same graph, every sign-in keeps to
 * it, and no step calls another.
 */
#include "tests/unit/login_rig.h"

#include <ctype.h>
#include <glob.h>

#include "helpers/login/internal.h"

#define SOURCE OTP_SOURCE "/helpers/login/login.c"

/* Owned by the caller. */
static char *
read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 18);
	size_t n;

	if (!f)
		fail_msg("%s cannot be opened", path);
	assert_non_null(text);
	n = fread(text, 1, (1 << 18) - 1, f);
	assert_in_range(n, 1, (1 << 18) - 2);
	assert_int_equal(fclose(f), 0);
	return text;
}

/* --- the comment --------------------------------------------------------------------------- */

/* The step of that name; STEP_END + 1 if there is none. */
static enum step
step_named(const char *name)
{
	unsigned i = 0;

	while (i <= STEP_END && strcmp(login_steps[i].name, name) != 0)
		i++;
	return (enum step)i;
}

/* A bit that no row of the table has: it marks an unknown word. */
#define UNKNOWN_BIT (1U << 31)

static unsigned
step_bit(const char *name)
{
	enum step step = step_named(name);

	return step > STEP_END ? UNKNOWN_BIT : 1U << step;
}

static unsigned
message_bit(const char *name)
{
	static const struct {
		const char *name;
		unsigned bit;
	} messages[] = {{"P", SENDS_P}, {"I", SENDS_I}, {"R", SENDS_R}};

	for (size_t i = 0; i < COUNT(messages); i++)
		if (!strcmp(messages[i].name, name))
			return messages[i].bit;
	return UNKNOWN_BIT;
}

/* Reads "A, B" or "-", and cuts the text up. A word that occurs twice counts as unknown. */
static unsigned
bits_of(char *list, unsigned (*bit)(const char *name))
{
	unsigned all = 0;
	char *rest = list;

	if (!strcmp(list, "-"))
		return 0;
	for (char *word; (word = strsep(&rest, ","));) {
		unsigned one = bit(word + strspn(word, " "));

		all |= all & one ? UNKNOWN_BIT : one;
	}
	return all;
}

/* How many rows differ, or are missing in the comment or in the table. */
static int
differences(const char *source)
{
	static const char head[] = "\n *\tstep\t\tsends\tleads to\n";
	const char *at = strstr(source, head);
	bool seen[STEP_END + 1] = {false};
	int wrong = 0;
	char row[256], name[32], sends[32], leads_to[128];

	assert_non_null(at);
	for (at += strlen(head); !strncmp(at, " *\t", 3); at += strcspn(at, "\n") + 1) {
		enum step step;

		assert_in_range(snprintf(row, sizeof(row), "%.*s", (int)strcspn(at, "\n"), at), 1,
		    sizeof(row) - 1);
		if (sscanf(row, " *\t%31[^\t]%*[\t]%31[^\t]\t%127[^\t]", name, sends, leads_to) !=
			3 ||
		    (step = step_named(name)) > STEP_END || seen[step]) {
			wrong++;
			continue;
		}
		seen[step] = true;
		wrong += bits_of(sends, message_bit) != login_steps[step].sends ||
			 bits_of(leads_to, step_bit) != login_steps[step].next;
	}
	assert_true(!strncmp(at, " */\n", 4));
	for (size_t i = 0; i < COUNT(seen); i++)
		wrong += !seen[i];
	return wrong;
}

static void
the_comment_is_the_table(void **state)
{
	char *source = read_file(SOURCE);

	(void)state;
	assert_int_equal(differences(source), 0);
	free(source);
}

/* The text with the first `from`, which must be there, replaced. Owned by the caller. */
static char *
altered(const char *source, const char *from, const char *to)
{
	const char *at = strstr(source, from);
	char *text = calloc(1, strlen(source) + strlen(to) + 1);

	if (!at)
		fail_msg("not there: %s", from);
	assert_non_null(text);
	(void)sprintf(text, "%.*s%s%s", (int)(at - source), source, to, at + strlen(from));
	return text;
}

static const struct {
	const char *name, *from, *to;
} slips[] = {
    {"an arrow less", "\tJOIN, CODE, END\n", "\tJOIN, END\n"},
    {"an arrow more", "\tSEND, CODE\n", "\tSEND, CODE, END\n"},
    {"another arrow", "\tOPEN, END\n", "\tCONTACT, END\n"},
    {"an arrow twice", "\tSEND, CODE\n", "\tSEND, SEND, CODE\n"},
    {"no such step", "\tOPEN, END\n", "\tOPEN, END, NOWHERE\n"},
    {"a message less", "SEND\t\tP, I\t", "SEND\t\tI\t"},
    {"a message more", "RESEND\t\t-\t", "RESEND\t\tP\t"},
    {"no such message", "RESEND\t\t-\t", "RESEND\t\tZ\t"},
    {"no messages", "RESEND\t\t-\t", "RESEND\t\t"},
    {"a row less", " *\tRESEND\t\t-\tSEND, CODE\n", ""},
    {"a row twice", " *\tRESEND\t\t-\tSEND, CODE\n",
	" *\tRESEND\t\t-\tSEND, CODE\n *\tRESEND\t\t-\tSEND, CODE\n"},
    {"a row of no step", " *\tEND\t", " *\tNOWHERE\t-\tEND\n *\tEND\t"},
};

static void
a_comment_that_differs_is_found(void **state)
{
	char *source = read_file(SOURCE);

	(void)state;
	for (size_t i = 0; i < COUNT(slips); i++) {
		char *text = altered(source, slips[i].from, slips[i].to);

		ROW(differences(text) > 0, slips[i].name);
		free(text);
	}
	free(source);
}

/* --- the graph ----------------------------------------------------------------------------- */

static unsigned
reached_from(unsigned steps)
{
	unsigned before;

	do {
		before = steps;
		for (unsigned i = 0; i <= STEP_END; i++)
			steps |= before & 1U << i ? login_steps[i].next : 0;
	} while (steps != before);
	return steps;
}

static void
every_step_is_reached_and_leads_to_the_end(void **state)
{
	(void)state;
	assert_int_equal(reached_from(1U << STEP_IDENTIFY), (2U << STEP_END) - 1);
	for (unsigned i = 0; i <= STEP_END; i++) {
		ROW(reached_from(1U << i) & 1U << STEP_END, login_steps[i].name);
		ROW(!login_steps[i].run == (i == STEP_END), login_steps[i].name);
	}
	assert_int_equal(login_steps[STEP_END].next, 0);
}

/* --- the sources --------------------------------------------------------------------------- */

/* Is the function called in the text? A name at the beginning of a line is its definition. */
static bool
is_called(const char *text, const char *function)
{
	size_t len = strlen(function);

	for (const char *at = text; (at = strstr(at, function)); at += len)
		if (at[len] == '(' && at > text && at[-1] != '\n' && at[-1] != '_' &&
		    !isalnum((unsigned char)at[-1]))
			return true;
	return false;
}

/* A step of the table that the text calls, or NULL. Valid until the next call. */
static const char *
step_called(const char *table, const char *text)
{
	static char function[64];

	for (const char *at = table; (at = strstr(at, "\n    ROW(")); at++)
		if (sscanf(at, "\n    ROW(%*[A-Z_], %63[a-z_],", function) == 1 &&
		    is_called(text, function))
			return function;
	return NULL;
}

static int
rows_read(const char *table)
{
	char function[64];
	int n = 0;

	for (const char *at = table; (at = strstr(at, "\n    ROW(")); at++)
		n += sscanf(at, "\n    ROW(%*[A-Z_], %63[a-z_],", function) == 1;
	return n;
}

/* A step is what comes next: no function may use it as an answer to a question. */
static bool
compares_steps(const char *text)
{
	return strstr(text, "== STEP_") || strstr(text, "!= STEP_") || strstr(text, "case STEP_");
}

static void
steps_call_no_steps(void **state)
{
	char *table = read_file(SOURCE);
	glob_t files = {0};

	(void)state;
	assert_int_equal(glob(OTP_SOURCE "/helpers/login/*.c", 0, NULL, &files), 0);
	assert_true(files.gl_pathc > STEP_END);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		char *text = read_file(files.gl_pathv[i]);
		const char *function = step_called(table, text);

		if (function)
			fail_msg("%s calls the step %s", files.gl_pathv[i], function);
		/* Only the loop over the table may compare steps. */
		ROW(!strcmp(files.gl_pathv[i], SOURCE) || !compares_steps(text), files.gl_pathv[i]);
		free(text);
	}
	globfree(&files);
	/* The test would find a call, and knows the function of every row. */
	assert_int_equal(rows_read(table), STEP_END);
	assert_string_equal(step_called(table, "\treturn login_try_code(l);"), "login_try_code");
	assert_string_equal(step_called(table, "x = !login_menu(l)"), "login_menu");
	assert_null(step_called(table, "enum step\nlogin_try_code(struct login *l)\n"));
	assert_true(compares_steps("if (next == STEP_END)"));
	free(table);
}

/* --- a step that strays -------------------------------------------------------------------- */

static enum step (*stray)(struct login *l);

enum step __wrap_login_remembered(struct login *l);
enum step
__wrap_login_remembered(struct login *l)
{
	return stray(l);
}

static enum step
leads_elsewhere(struct login *l)
{
	(void)l;
	return STEP_CODE;
}

static enum step
leads_nowhere(struct login *l)
{
	(void)l;
	return (enum step)(STEP_END + 1);
}

static enum step
leads_far_away(struct login *l)
{
	(void)l;
	return (enum step)64;
}

static enum step
lets_in_and_goes_on(struct login *l)
{
	(void)login_accept(l, PROOF_CODE);
	return STEP_SEND;
}

static enum step
shows_a_line_and_lets_in(struct login *l)
{
	login_show_line(l, "welcome");
	return login_accept(l, PROOF_CODE);
}

static enum step
asks(struct login *l)
{
	return login_ask(l, "now?") ? STEP_OPEN : STEP_END;
}

static enum step
asks_and_goes_on(struct login *l)
{
	(void)login_ask(l, "now?");
	return STEP_OPEN;
}

static enum step
has_last_words(struct login *l)
{
	login_last_words(l, "farewell");
	return login_end(l, LOGIN_LOCKED, "no reason");
}

static const struct {
	const char *name, *service;
	enum step (*run)(struct login *l);
} strays[] = {
    {"leads elsewhere", "sshd", leads_elsewhere},
    {"leads nowhere", "sshd", leads_nowhere},
    {"leads far away", "sshd", leads_far_away},
    {"lets in and goes on", "sshd", lets_in_and_goes_on},
    {"shows a line and lets in", "sudo", shows_a_line_and_lets_in},
    {"asks", "sshd", asks},
    {"asks and goes on", "sshd", asks_and_goes_on},
    {"has last words, shown", "sudo", has_last_words},
    {"has last words, asked", "sshd", has_last_words},
};

static void
a_step_that_strays_ends_as_broken(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(strays); i++) {
		stray = strays[i].run;
		rig_start(strays[i].service, "asha");
		ROW(rig_run_lines(NULL, 0) == LOGIN_BROKEN, strays[i].name);
		ROW(!strcmp(rig.result.reason,
			"internal error: the step REMEMBERED broke the table of steps"),
		    strays[i].name);
		ROW(!rig.prompts && !rig.nshown && !rig.sends, strays[i].name);
	}
}

static enum step
keeps_to_the_table(struct login *l)
{
	(void)l;
	return STEP_OPEN;
}

/* A step that replaces REMEMBERED as those above, but keeps to the table, does no harm. */
static void
a_step_that_keeps_to_the_table_goes_on(void **state)
{
	(void)state;
	stray = keeps_to_the_table;
	assert_int_equal(RUN(SAY(ENTER, ""), SAY(SENT, "@code")), LOGIN_OK);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_comment_is_the_table),
	    cmocka_unit_test(a_comment_that_differs_is_found),
	    cmocka_unit_test(every_step_is_reached_and_leads_to_the_end),
	    cmocka_unit_test(steps_call_no_steps),
	    TEST(a_step_that_strays_ends_as_broken),
	    TEST(a_step_that_keeps_to_the_table_goes_on),
	};

	return cmocka_run_group_tests_name("login_graph", tests, NULL, NULL);
}
