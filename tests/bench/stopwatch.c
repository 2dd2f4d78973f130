/*
 * A host that measures one pam_authenticate(3): it prints when each event happens.
 *
 *   stopwatch CONFDIR SERVICE USER [NAME=VALUE...]
 *
 * NAME is rhost, tty or ruser, or else a variable of the PAM environment. Each event is a line. NS
 * is its time in nanoseconds of CLOCK_MONOTONIC.
 *
 *   begin NS          pam_authenticate is called
 *   prompt NS TEXT    the module asks; a line of standard input answers
 *   answer NS         the answer goes to the module
 *   result NS CODE    pam_authenticate has returned
 *   cpu US            CPU time of the call and of all processes that it started, microseconds
 *
 * TEXT has blanks for newlines.
 */
#include <security/pam_appl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

static void
die(const char *what)
{
	fprintf(stderr, "stopwatch: %s\n", what);
	exit(99);
}

static long long
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000000000 + t.tv_nsec;
}

static long long
cpu_us(int who)
{
	struct rusage r;

	if (getrusage(who, &r))
		die("getrusage");
	return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000LL + r.ru_utime.tv_usec +
	       r.ru_stime.tv_usec;
}

static char *
ask(const char *text, long long at)
{
	char *answer = NULL;
	size_t room = 0;

	printf("prompt %lld ", at);
	for (; *text; text++)
		putchar(*text == '\n' ? ' ' : *text);
	putchar('\n');
	fflush(stdout);
	if (getline(&answer, &room, stdin) < 0)
		die("nobody answers");
	answer[strcspn(answer, "\n")] = '\0';
	return answer;
}

static int
converse(int n, const struct pam_message **msg, struct pam_response **resp, void *arg)
{
	long long at = now_ns();
	struct pam_response *r = calloc((size_t)n, sizeof(*r));

	(void)arg;
	if (!r)
		return PAM_BUF_ERR;
	for (int i = 0; i < n; i++)
		if (msg[i]->msg_style == PAM_PROMPT_ECHO_ON ||
		    msg[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			r[i].resp = ask(msg[i]->msg, at);
	*resp = r;
	at = now_ns();
	printf("answer %lld\n", at);
	fflush(stdout);
	return PAM_SUCCESS;
}

static void
set(pam_handle_t *pamh, const char *pair)
{
	static const struct {
		const char *name;
		int item;
	} items[] = {{"rhost=", PAM_RHOST}, {"tty=", PAM_TTY}, {"ruser=", PAM_RUSER}};

	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		size_t n = strlen(items[i].name);

		if (strncmp(pair, items[i].name, n) != 0)
			continue;
		if (pam_set_item(pamh, items[i].item, pair + n) != PAM_SUCCESS)
			die(pair);
		return;
	}
	if (pam_putenv(pamh, pair) != PAM_SUCCESS)
		die(pair);
}

int
main(int argc, char **argv)
{
	const struct pam_conv conv = {.conv = converse};
	pam_handle_t *pamh = NULL;
	long long at, cpu;
	int rc;

	if (argc < 4)
		die("usage: stopwatch CONFDIR SERVICE USER [NAME=VALUE...]");
	/* This also waits for a helper that works on after its result. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0, 0, 0))
		die("prctl");
	if (pam_start_confdir(argv[2], argv[3], &conv, argv[1], &pamh) != PAM_SUCCESS)
		die("pam_start");
	for (int i = 4; i < argc; i++)
		set(pamh, argv[i]);
	cpu = cpu_us(RUSAGE_SELF);
	printf("begin %lld\n", now_ns());
	rc = pam_authenticate(pamh, 0);
	at = now_ns();
	printf("result %lld %d\n", at, rc);
	fflush(stdout);
	cpu = cpu_us(RUSAGE_SELF) - cpu;
	while (wait(NULL) > 0)
		;
	printf("cpu %lld\n", cpu + cpu_us(RUSAGE_CHILDREN));
	pam_end(pamh, rc);
	return 0;
}
