/*
 * otp-helper serves one sign-in and ends. It holds the provider's secrets and the store, and talks
 * to the module over one socket. It never sees a PAM handle, and it opens no file as root. The
 * start is in lockdown.c, the sign-in in helpers/login/, the messages in peer.c and common/wire.c.
 */
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/err.h"
#include "common/text.h"
#include "common/trust.h"
#include "common/wire.h"
#include "helpers/codes/code.h"
#include "helpers/conf/conf.h"
#include "helpers/provider/delivery.h"
#include "helpers/otp-helper/http_load.h"
#include "helpers/otp-helper/lockdown.h"
#include "helpers/base/log.h"
#include "helpers/login/files.h"
#include "helpers/login/login.h"
#include "helpers/otp-helper/machine.h"
#include "helpers/otp-helper/peer.h"
#include "helpers/provider/retry_after.h"
#include "helpers/provider/tokens.h"

enum {
	START_WAIT = 10000, /* ms to wait for the module's start message */
	RESULT_WAIT = 2000, /* ms to send the result */
	ALARM_SLACK = 10,   /* s after login_timeout and send_timeout until the process is killed */
	STORE_POLL = 10,    /* ms between two attempts to lock the store */
	CLEANUP_SECONDS = 5, /* for the work after the result */
	REQUEST_ID_LEN = 8,  /* random bytes; the id has two hexadecimal digits for each */
	REPORT_LINES = 8,    /* errors of a configuration that are logged */
	REPORT_MAX = 64 * 1024,
};

struct sign_in {
	struct start_context context;
	struct wire wire;
	struct frame start_frame;
	struct login_start start;
	char request_id[2 * REQUEST_ID_LEN + 1];
	struct conf *conf;
	struct login_files files;
	struct real_machine machine;
	struct stored_tokens tokens;
	struct stored_retry_after retry_after;
	struct http *http;
	struct delivery *delivery;
	struct deadline deadline;
	struct login_result result;
};

struct sign_in_opener {
	struct login_opener base; /* must be the first member */
	struct sign_in *sign_in;
};

/*
 * Called while another process holds the store's lock: waits a moment. 0 to try again; -OTP_ETIME
 * if the sign-in's time is over; -OTP_EGONE if the module has hung up.
 */
static int
wait_for_store(void *arg)
{
	struct sign_in *s = arg;
	struct pollfd p = {.fd = s->wire.fd, .events = POLLRDHUP};

	if (deadline_passed(s->deadline))
		return -OTP_ETIME;
	return poll(&p, 1, STORE_POLL) > 0 ? -OTP_EGONE : 0;
}

/*
 * Logs the first errors of a report, and all warnings as one line. The same lines come at every
 * sign-in, so there must not be many.
 */
static void
log_report(const struct conf_report *report)
{
	char text[CONF_ROW_TEXT], first[768] = "", more[64] = "";
	int errors = 0, warnings = 0;

	for (size_t i = 0; i < report->n; i++) {
		(void)conf_row_text(&report->row[i], text);
		if (report->row[i].severity == CONF_ERROR) {
			if (errors++ < REPORT_LINES)
				otp_log(LOG_ERR, "%s", text);
		} else if (!warnings++) {
			(void)text_quotable(first, sizeof(first), text);
		}
	}
	if (errors > REPORT_LINES)
		otp_log(LOG_ERR, "there are more errors; run: otpctl config check");
	if (warnings > 1)
		(void)snprintf(
		    more, sizeof(more), " (and %d more; run: otpctl config check)", warnings - 1);
	if (warnings)
		otp_log(LOG_WARNING, "event=start detail=\"%s%s\"", first, more);
}

static int
hello(struct sign_in *s)
{
	char low[8], high[8];
	const char *const field[] = {low, high};

	(void)snprintf(low, sizeof(low), "%d", WIRE_VERSION_LOW);
	(void)snprintf(high, sizeof(high), "%d", WIRE_VERSION_HIGH);
	return wire_send(&s->wire, WIRE_HELLO, field, deadline_in(START_WAIT));
}

static int
receive_start(struct sign_in *s)
{
	const char **f = s->start_frame.field;
	int r = wire_recv(&s->wire, &s->start_frame, deadline_in(START_WAIT));
	int version = r ? 0 : wire_version(f[START_VERSION]);

	if (r)
		return r;
	/* The module has chosen the version. A module from before an upgrade chooses the older. */
	if (version < WIRE_VERSION_LOW || version > WIRE_VERSION_HIGH)
		return -OTP_EPROTO;
	s->start = (struct login_start){
	    .service = f[START_SERVICE],
	    .user = f[START_USER],
	    .rhost = f[START_RHOST],
	    .tty = f[START_TTY],
	    .ruser = f[START_RUSER],
	    .ssh_connection = f[START_SSH_CONNECTION],
	    .ssh_auth_info = f[START_SSH_AUTH_INFO],
	    .session = f[START_SESSION],
	    .session_start = f[START_SESSION_START],
	    .boot_id = f[START_BOOT_ID],
	    .peer = s->context.as_caller ? 0 : s->context.peer,
	    .first_factor = strcmp(f[START_TTY], "ssh") != 0 || *f[START_SSH_AUTH_INFO] ||
			    strstr(f[START_FLAGS], "authtok"),
	};
	log_debug(strstr(f[START_FLAGS], "debug") != NULL);
	return 0;
}

/* Opens host key, contacts, store and machine. The function that fails logs the reason. */
static int
open_all(struct sign_in *s)
{
	const struct conf_signin *options = conf_signin_for(s->conf, s->start.service);
	int r;

	s->deadline = deadline_in(options->login_timeout);
	lockdown_alarm(
	    (unsigned)((options->login_timeout + options->send_timeout) / 1000) + ALARM_SLACK);
	r = login_files_open(s->conf, s->context.second_owner, wait_for_store, s, &s->files);
	return r ? r : machine_open(&s->machine);
}

/* Loads otp-http.so and the providers with their secrets, if the sign-in asks for a code. */
static int
open_delivery(struct login_opener *opener, struct delivery **out)
{
	struct sign_in *s = ((struct sign_in_opener *)opener)->sign_in;
	_auto_report struct conf_report report = {.max = REPORT_MAX};
	http_open_fn *open = NULL;
	struct provider_io io = {
	    .request_id = s->request_id,
	    .tokens = &s->tokens.base,
	    .retry_after = &s->retry_after.base,
	    .contacts = s->files.contacts,
	};
	int r = http_load(s->context.second_owner, &open);

	if (r)
		return r;
	r = open(s->wire.fd, OTP_CA_DIR, &s->http);
	if (r) {
		otp_logr(LOG_ERR, r, "libcurl cannot be started");
		return r;
	}
	io.http = s->http;
	tokens_init(&s->tokens, s->files.store, &s->files.host_key, &s->machine.clock.base);
	retry_after_init(&s->retry_after, s->files.store, &s->machine.clock.base);
	r = delivery_open(s->conf, &conf_signin_for(s->conf, s->start.service)->channels,
	    s->context.second_owner, PROVIDER_READ_SECRETS, &io, &s->delivery, &report);
	log_report(&report);
	*out = s->delivery;
	return r;
}

static void
broken(struct login_result *result, const char *reason)
{
	result->word = LOGIN_BROKEN;
	(void)snprintf(result->reason, sizeof(result->reason), "%s", reason);
}

static void
run_login(struct sign_in *s, struct login_result *result)
{
	struct wire_peer peer;
	struct sign_in_opener opener = {{open_delivery}, s};
	struct utsname host;
	struct login_ports ports = {
	    .conf = s->conf,
	    .host_key = &s->files.host_key,
	    .host = uname(&host) ? "" : host.nodename,
	    .peer = &peer.base,
	    .machine = &s->machine.base,
	    .clock = &s->machine.clock.base,
	    .contacts = s->files.contacts,
	    .store = s->files.store,
	    .opener = &opener.base,
	};

	peer_init(&peer, &s->wire, &s->delivery);
	login_run(&ports, &s->start, s->deadline, result);
}

/*
 * Logs the one line of the result. r->user is empty if the user is unknown: the name may be a
 * password that was typed too early. If the module's process is not root, the line does not repeat
 * what that process claims.
 */
static void
log_outcome(const struct sign_in *s, const struct login_result *r)
{
	char rhost[256], user[256], ruser[256], tty[64], service[256], reason[sizeof(r->reason)];
	bool trusted = s->start.peer == 0;
	/* If the sign-in broke before the user was looked up, r->service is still empty. */
	const char *service_name = *r->service || !trusted ? r->service : s->start.service;
	int priority = r->word == LOGIN_BROKEN ? LOG_ERR
		       : r->word == LOGIN_OK   ? LOG_INFO
					       : LOG_NOTICE;

	otp_log(priority,
	    "event=signin result=%s rhost=\"%s\" user=\"%s\" service=\"%s\" tty=\"%s\" "
	    "ruser=\"%s\" peer=%u channel=%s provider=%s to=\"%s\" wrong=%d reason=\"%s\" "
	    "client=\"%s\"",
	    login_word(r->word), text_quotable(rhost, sizeof(rhost), trusted ? s->start.rhost : ""),
	    text_quotable(user, sizeof(user), *r->user ? r->user : "?"),
	    text_quotable(service, sizeof(service), service_name),
	    text_quotable(tty, sizeof(tty), trusted ? s->start.tty : ""),
	    text_quotable(ruser, sizeof(ruser), trusted ? s->start.ruser : ""),
	    (unsigned)s->start.peer, r->channel, r->provider, r->masked, r->wrong,
	    text_quotable(reason, sizeof(reason), r->reason), trusted ? r->client : "");
}

static int
send_result(struct sign_in *s, const struct login_result *r)
{
	const char *const field[] = {login_word(r->word), r->reason, s->request_id};

	return wire_send(&s->wire, WIRE_RESULT, field, deadline_in(RESULT_WAIT));
}

/* Keeps how long requests took. A decoy, which sends nothing, takes a time like theirs. */
static void
keep_samples(struct sign_in *s)
{
	const struct login_result *r = &s->result;
	struct instant now;

	if (!r->nsamples)
		return;
	s->machine.clock.base.now(&s->machine.clock.base, &now);
	for (int i = 0; i < r->nsamples; i++)
		if (s->files.store->ops->sample_put(s->files.store, &now, r->sample[i].what,
			r->sample[i].took_ms, r->sample[i].outcome))
			otp_log(LOG_WARNING,
			    "event=sample detail=\"the time that a request took cannot be kept\"");
}

/* Does the work after the result. The module has the result and does not wait for this. */
static void
sign_in_close(struct sign_in *s)
{
	lockdown_release(CLEANUP_SECONDS);
	(void)close(s->wire.fd);
	keep_samples(s);
	if (s->delivery)
		delivery_cleanup(s->delivery, CLEANUP_SECONDS * 1000);
	delivery_close(s->delivery);
	http_close(s->http);
	login_files_close(&s->files);
	conf_free(s->conf);
	otp_wipe(s->start_frame);
}

static int
serve(struct sign_in *s, const char *config)
{
	_auto_report struct conf_report report = {.max = REPORT_MAX};
	int r = random_id(s->request_id, REQUEST_ID_LEN);
	int bad_conf = 0;

	log_request(s->request_id);
	if (!r)
		r = hello(s);
	/* Meanwhile the module makes its start message. */
	if (!r)
		bad_conf = conf_load(config, s->context.second_owner, &s->conf, &report);
	if (!r)
		r = receive_start(s);
	if (r) {
		otp_logr(LOG_WARNING, r, "event=start");
		return r;
	}
	log_report(&report);
	if (bad_conf)
		broken(&s->result, "the configuration is wrong; run: otpctl config check");
	else if (open_all(s))
		broken(&s->result, "the state, the contacts or the host key cannot be used");
	else
		run_login(s, &s->result);
	log_outcome(s, &s->result);
	return send_result(s, &s->result);
}

static void
usage(FILE *to)
{
	(void)fprintf(to,
	    "usage: otp-helper [--config FILE]\n"
	    "Started by pam_otp.so or a service manager with a socket as descriptor 0; see "
	    "otp-helper(8).\n");
}

/* Returns the path of the configuration, or NULL after a message, with the exit status in *status.
 */
static const char *
read_arguments(int argc, char **argv, bool *own_config, int *status)
{
	static const struct option known[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {0},
	};
	const char *config = OTP_CONFIG;
	int c;

	while ((c = getopt_long(argc, argv, "c:hV", known, NULL)) != -1) {
		if (c == 'c' && optarg[0] == '/') {
			config = optarg;
			*own_config = true;
			continue;
		}
		*status = c == 'h' || c == 'V' ? 0 : 2;
		if (c == 'V')
			(void)printf("otp-helper %s\n", OTP_VERSION);
		else
			usage(*status ? stderr : stdout);
		return NULL;
	}
	if (optind == argc)
		return config;
	usage(stderr);
	*status = 2;
	return NULL;
}

int
main(int argc, char **argv)
{
	struct sign_in s = {.start = {.service = ""}};
	bool own_config = false;
	int status = 0;
	const char *config = read_arguments(argc, argv, &own_config, &status);

	if (!config)
		return status;
	status = lockdown(&s.context, own_config);
	log_open("otp-helper", s.context.as_caller);
	if (status) {
		otp_log(LOG_ERR,
		    "event=start step=%d detail=\"this step of the start failed; see "
		    "otp-helper(8)\"",
		    status);
		return status;
	}
	wire_init(&s.wire, s.context.fd, WIRE_HELPER);
	status = serve(&s, config) ? 1 : 0;
	sign_in_close(&s);
	/* exit() would wait for the thread of a name lookup that hangs. */
	_exit(status);
}
