#include "helpers/otpctl/send_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "common/trust.h"
#include "helpers/base/account.h"
#include "helpers/codes/code.h"
#include "helpers/http/curl.h"
#include "helpers/base/log.h"
#include "helpers/otpctl/audit.h"
#include "helpers/otpctl/privileges.h"
#include "helpers/otpctl/store.h"

enum { REPORT_MAX = 64 * 1024, CLEANUP_MS = 5000 };

/* --- messages ------------------------------------------------------------------------------- */

int
send_worker_send(int fd, enum send_worker_kind kind, int n, const char *text)
{
	struct send_worker_message m = {.kind = kind, .n = n};
	ssize_t sent;

	(void)snprintf(m.text, sizeof(m.text), "%s", text);
	do
		sent = send(fd, &m, sizeof(m), MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	otp_wipe(m);
	return sent == sizeof(m) ? 0 : -OTP_EGONE;
}

int
send_worker_receive(int fd, struct send_worker_message *out)
{
	ssize_t n;

	do
		n = recv(fd, out, sizeof(*out), MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return -OTP_EGONE;
	if (n != sizeof(*out) || out->text[WORKER_TEXT_MAX])
		return -OTP_EPROTO;
	return 0;
}

/* --- the child ------------------------------------------------------------------------------ */

static void
clock_now(struct clock_source *c, struct instant *out)
{
	(void)c;
	/* Without a boot id, the store neither keeps nor finds a challenge. */
	(void)otpctl_now(out);
}

struct instant
send_worker_now(struct send_worker *c)
{
	struct instant now;

	c->clock.now(&c->clock, &now);
	return now;
}

const char *
send_worker_channel(const struct send_worker *c, enum contact_kind kind)
{
	for (size_t i = 0; i < c->channels->n; i++) {
		enum contact_kind needs;

		if (!c->delivery->needs(c->delivery, c->channels->item[i], &needs) && needs == kind)
			return c->channels->item[i];
	}
	return NULL;
}

static void
print_report(const struct conf_report *report)
{
	char text[CONF_ROW_TEXT];

	for (size_t i = 0; i < report->n; i++)
		(void)otpctl_fail("%s", conf_row_text(&report->row[i], text));
}

static int
open_host_key(struct send_worker *c, uid_t second_owner)
{
	const char *path = c->conf->paths.host_key;

	if (!host_key_read(path, second_owner, &c->host_key))
		return OTPCTL_OK;
	return otpctl_fail("%s: the host key cannot be used; run: otpctl init", path);
}

static int
open_delivery(struct send_worker *c, uid_t second_owner)
{
	_auto_report struct conf_report report = {.max = REPORT_MAX};
	struct provider_io io = {
	    .request_id = audit_id(),
	    .tokens = &c->tokens.base,
	    .retry_after = &c->retry_after.base,
	    .contacts = c->contacts,
	};
	int r;

	tokens_init(&c->tokens, c->store, &c->host_key, &c->clock);
	retry_after_init(&c->retry_after, c->store, &c->clock);
	if (curl_http_open(c->fd, OTP_CA_DIR, &c->http))
		return otpctl_fail(
		    "the HTTP library did not start: no memory, or the TLS library failed");
	io.http = c->http;
	r = delivery_open(
	    c->conf, c->channels, second_owner, PROVIDER_READ_SECRETS, &io, &c->delivery, &report);
	if (!r)
		return OTPCTL_OK;
	print_report(&report);
	return otpctl_fail("the providers cannot be used; run: otpctl config check");
}

/* Returns OTPCTL_OK or OTPCTL_FAILED, as the functions before it. */
static int
open_all(struct send_worker *c, const struct otpctl *ctl)
{
	struct utsname host;
	int r = open_host_key(c, ctl->second_owner);

	c->clock.now = clock_now;
	(void)snprintf(c->host, sizeof(c->host), "%s", uname(&host) ? "" : host.nodename);
	if (!r && contacts_sqlite_open(c->conf->paths.contacts, ctl->second_owner, &c->contacts))
		r = otpctl_fail(
		    "%s: the contacts cannot be read; run: otpctl init", c->conf->paths.contacts);
	if (!r && store_sqlite_open(c->conf->paths.state, NULL, NULL, &c->store))
		r = otpctl_fail(
		    "the store in %s cannot be opened; run: otpctl init", c->conf->paths.state);
	return r ? r : open_delivery(c, ctl->second_owner);
}

static void
close_all(struct send_worker *c)
{
	/*
	 * The socket is closed first: the parent reads end-of-file and does not wait for the
	 * clean-up.
	 */
	own_close(&c->fd);
	if (c->delivery)
		delivery_cleanup(c->delivery, CLEANUP_MS);
	delivery_close(c->delivery);
	http_close(c->http);
	if (c->store)
		c->store->ops->close(c->store);
	if (c->contacts)
		c->contacts->ops->close(c->contacts);
	secret_clear(&c->host_key);
}

/*
 * Gives up what the caller had open and set, except standard error and the socket `own`. Becomes
 * the helper's user. Makes the kernel kill this process when the parent ends.
 */
static bool
leave_caller(int own, pid_t parent, const struct account *helper)
{
	const struct rlimit no_core = {0, 0};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return false;
	if (clearenv() || setsid() < 0 || chdir("/") || setrlimit(RLIMIT_CORE, &no_core))
		return false;
	if ((own > 3 && close_range(3, (unsigned)own - 1, 0)) ||
	    close_range((unsigned)own + 1, ~0U, 0))
		return false;
	(void)umask(077);
	if (helper->exists && !otpctl_become(helper->uid, helper->gid))
		return false;
	/* These come after the change of identity, because it clears both. */
	return !prctl(PR_SET_PDEATHSIG, SIGKILL) && !prctl(PR_SET_DUMPABLE, 0) &&
	       getppid() == parent;
}

static int
child(struct send_worker *c, const struct otpctl *ctl, pid_t parent, const struct account *helper,
    send_worker_fn *fn, void *arg)
{
	int r;

	if (!leave_caller(c->fd, parent, helper))
		return otpctl_fail(
		    "the process that sends messages could not become the user " OTP_USER ": %s",
		    strerror(errno));
	/* The log alone gets the answers of providers; fn prints what they mean. */
	log_open("otpctl", false);
	log_request(audit_id());
	r = open_all(c, ctl);
	if (!r)
		r = fn(c, arg);
	close_all(c);
	return r;
}

/* --- the parent ------------------------------------------------------------------------------ */

/* The user that the child becomes. If the parent is not root, the child keeps its user. */
static int
find_helper(struct account *out)
{
	*out = (struct account){.exists = false};
	if (geteuid() != 0)
		return OTPCTL_OK;
	if (!otpctl_helper_user(out))
		return otpctl_fail("there is no user " OTP_USER "; make it, then run: otpctl init");
	return OTPCTL_OK;
}

int
send_worker_start(const struct otpctl *ctl, const struct conf *conf, const struct strlist *channels,
    send_worker_fn *fn, void *arg, struct send_worker_run *run)
{
	struct send_worker c = {
	    .conf = conf, .options = conf_signin_for(conf, "otpctl"), .channels = channels};
	struct account helper;
	pid_t parent = getpid();
	int fd[2], r = find_helper(&helper);

	*run = (struct send_worker_run){.pid = -1, .fd = -1};
	if (r)
		return r;
	if (!*audit_id())
		return otpctl_fail("the kernel gave no random number");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd))
		return otpctl_fail(
		    "no socket to the process that sends messages: %s", strerror(errno));
	(void)otpctl_flush();
	run->pid = fork();
	if (run->pid < 0) {
		(void)close(fd[0]);
		(void)close(fd[1]);
		return otpctl_fail(
		    "the process that sends messages did not start: %s", strerror(errno));
	}
	if (run->pid == 0) {
		(void)close(fd[0]);
		c.fd = fd[1];
		/*
		 * _exit() runs no exit handlers: one of them would wait for a hanging name lookup.
		 */
		_exit(child(&c, ctl, parent, &helper, fn, arg));
	}
	(void)close(fd[1]);
	run->fd = fd[0];
	return OTPCTL_OK;
}

int
send_worker_end(struct send_worker_run *run)
{
	int status;
	pid_t got;

	own_close(&run->fd);
	run->fd = -1;
	if (run->pid < 0)
		return OTPCTL_FAILED;
	do
		got = waitpid(run->pid, &status, 0);
	while (got < 0 && errno == EINTR);
	run->pid = -1;
	if (got > 0 && WIFSIGNALED(status))
		return otpctl_fail(
		    "the process that sends messages was killed by signal %d", WTERMSIG(status));
	return got > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : OTPCTL_FAILED;
}
