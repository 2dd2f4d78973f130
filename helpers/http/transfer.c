/*
 * MUST:
 *  - A request goes over https, or over http to a literal loopback address. The certificate and its
 *    names are always checked.
 *  - A mail goes over TLS, either from the first byte or after STARTTLS, unless the server is a
 *    literal loopback address.
 *  - No transfer uses the environment, follows a redirect, keeps cookies, reads .netrc or is tried
 *    a second time.
 */
#include "helpers/http/transfer.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/err.h"
#include "helpers/http/failure.h"
#include "helpers/http/peer.h"
#include "helpers/http/url.h"

/* The options that are numbers, with their reasons. */
static const struct {
	CURLoption option;
	long value;
} numbers[] = {
    {CURLOPT_NOSIGNAL, 1},		 /* no SIGALRM, no SIGPIPE handler */
    {CURLOPT_QUICK_EXIT, 1},		 /* do not wait for a hung name lookup at the clean-up */
    {CURLOPT_FOLLOWLOCATION, 0},	 /* a redirect would send the code to another server */
    {CURLOPT_NETRC, CURL_NETRC_IGNORED}, /* only the configuration has credentials */
    {CURLOPT_SSL_VERIFYPEER, 1},	 /* no option of pam_otp turns this off */
    {CURLOPT_SSL_VERIFYHOST, 2},	 /* nor this */
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2}, /* 1.2 and later */
    {CURLOPT_SSL_SESSIONID_CACHE, 0},		   /* a short process: no session to resume */
    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1}, /* one request gains nothing from HTTP/2 */
    {CURLOPT_HTTP09_ALLOWED, 0},		   /* an answer must have a status line */
    {CURLOPT_DISALLOW_USERNAME_IN_URL, 1},	   /* readers misread "user@host" in a URL */
    {CURLOPT_PATH_AS_IS, 1},			   /* the path is sent as the profile has it */
    {CURLOPT_TCP_NODELAY, 1},			   /* send a small request at once */
    {CURLOPT_NOPROGRESS, 1},			   /* no progress meter */
    {CURLOPT_EXPECT_100_TIMEOUT_MS, 0},		   /* send the body at once after the head */
};

static const struct {
	CURLoption option;
	const char *value;
} strings[] = {
    {CURLOPT_CAINFO, NULL}, /* reading the bundle takes 16 ms; the folder takes none */
    {CURLOPT_NOPROXY, ""},  /* use the proxy for every host: ignore no_proxy */
    {CURLOPT_USERAGENT, "pam_otp"},
    {CURLOPT_ACCEPT_ENCODING, NULL}, /* no compression: it could hide a huge answer */
    {CURLOPT_COOKIEFILE, NULL},	     /* no cookie engine */
};

/*
 * Checks the URL, and copies scheme and host into t. *starttls becomes true if a mail must begin
 * TLS by STARTTLS. 0, or -OTP_EINVAL if the URL is not allowed; the answer has the reason then.
 */
static int
url_check(const struct http_request *q, const struct http_route *route, struct transfer *t,
    bool *starttls)
{
	struct url url;
	const char *why = url_read(q->url, url_use_of(q->mail, route->proxy), &url);

	if (!why && q->mail && route->proxy)
		why = "a mail cannot be sent through a proxy";
	t->answer->failure = why ? why : "";
	if (why)
		return -OTP_EINVAL;
	*starttls = q->mail && !strcmp(url.scheme, "smtp") && !url.loopback;
	(void)snprintf(t->host, sizeof(t->host), "%s", url.host);
	(void)snprintf(t->scheme, sizeof(t->scheme), "%s", url.scheme);
	return 0;
}

static size_t
on_body(char *bytes, size_t one, size_t len, void *arg)
{
	struct transfer *t = arg;

	(void)one;
	t->overflow = buf_put(&t->answer->body, bytes, len);
	return t->overflow ? 0 : len;
}

/* True for a Content-Length that is too large: then the body is not read at all. */
static bool
too_long(const char *line, size_t len)
{
	static const char name[] = "Content-Length:";
	size_t at = sizeof(name) - 1, value = 0;

	if (len < at || strncasecmp(line, name, at))
		return false;
	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	for (; at < len && line[at] >= '0' && line[at] <= '9' && value <= HTTP_BODY_MAX; at++)
		value = value * 10 + (size_t)(line[at] - '0');
	return value > HTTP_BODY_MAX;
}

static size_t
on_header(char *line, size_t one, size_t len, void *arg)
{
	struct transfer *t = arg;
	size_t text = len;

	(void)one;
	t->head_total += len;
	if (t->head_total > HTTP_HEAD_MAX || too_long(line, len)) {
		t->overflow = -OTP_ETOOBIG;
		return 0;
	}
	/* A status line begins a new answer: the headers of an interim one (1xx) are dropped. */
	if (len >= 5 && !strncmp(line, "HTTP/", 5))
		buf_reset(&t->answer->head);
	else if (t->head_ended)
		return len; /* a trailer after the body: ignored */
	while (text && (line[text - 1] == '\n' || line[text - 1] == '\r'))
		text--;
	t->head_ended = !text;
	buf_put(&t->answer->head, line, text);
	t->overflow = buf_putc(&t->answer->head, '\n');
	return t->overflow ? 0 : len;
}

/* libcurl calls this before it writes the request. */
static int
on_request(void *arg, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
	struct transfer *t = arg;

	(void)remote_ip, (void)local_ip, (void)remote_port, (void)local_port;
	/* If a kept connection broke, libcurl would make the request a second time. */
	if (t->answer->written)
		return CURL_PREREQFUNC_ABORT;
	t->answer->written = true;
	return CURL_PREREQFUNC_OK;
}

/*
 * libcurl also accepts a certificate with the name in its subject only. This makes OpenSSL require
 * the name in the alternative names (RFC 6125).
 */
static CURLcode
on_tls(CURL *e, void *ctx, void *arg)
{
	const struct transfer *t = arg;
	X509_VERIFY_PARAM *p = SSL_CTX_get0_param(ctx);

	(void)e;
	X509_VERIFY_PARAM_set_hostflags(
	    p, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_ip_asc(p, t->host) || X509_VERIFY_PARAM_set1_host(p, t->host, 0))
		return CURLE_OK;
	return CURLE_SSL_CERTPROBLEM;
}

/* Sets the trusted certificates: the system's folder, and the provider's own file or folder. */
static CURLcode
set_trust(CURL *e, const char *ca_dir, const char *ca, struct transfer *t)
{
	struct stat st;
	bool folder = ca && !stat(ca, &st) && S_ISDIR(st.st_mode);
	int n = snprintf(
	    t->ca_path, sizeof(t->ca_path), "%s%s%s", ca_dir, folder ? ":" : "", folder ? ca : "");
	CURLcode c;

	if (n < 0 || (size_t)n >= sizeof(t->ca_path))
		return CURLE_OUT_OF_MEMORY;
	c = curl_easy_setopt(e, CURLOPT_CAPATH, t->ca_path);
	if (!c && ca && !folder)
		c = curl_easy_setopt(e, CURLOPT_CAINFO, ca);
	return c;
}

static CURLcode
set_fixed(CURL *e)
{
	CURLcode c = CURLE_OK;

	for (size_t i = 0; !c && i < sizeof(numbers) / sizeof(*numbers); i++)
		c = curl_easy_setopt(e, numbers[i].option, numbers[i].value);
	for (size_t i = 0; !c && i < sizeof(strings) / sizeof(*strings); i++)
		c = curl_easy_setopt(e, strings[i].option, strings[i].value);
	return c;
}

static CURLcode
set_callbacks(CURL *e, struct transfer *t)
{
	CURLcode c = curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);

	c = c ? c : curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	c = c ? c : curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	c = c ? c : curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	c = c ? c : curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_request);
	c = c ? c : curl_easy_setopt(e, CURLOPT_PREREQDATA, t);
	c = c ? c : curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, transfer_socket);
	c = c ? c : curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t);
	c = c ? c : curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_tls);
	c = c ? c : curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, t);
	c = c ? c : curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->error);
	return c;
}

static CURLcode
set_login(CURL *e, const struct http_request *q)
{
	CURLcode c = curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);

	c = c ? c : curl_easy_setopt(e, CURLOPT_USERNAME, q->login);
	return c ? c : curl_easy_setopt(e, CURLOPT_PASSWORD, q->password);
}

/* Sets URL, proxy and login, for HTTP and mail. */
static CURLcode
set_address(
    CURL *e, const struct http_request *q, const struct http_route *route, const struct transfer *t)
{
	CURLcode c = curl_easy_setopt(e, CURLOPT_URL, q->url);

	c = c ? c : curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, t->scheme);
	c = c ? c : curl_easy_setopt(e, CURLOPT_PROXY, route->proxy ? route->proxy : "");
	return c || !q->login ? c : set_login(e, q);
}

static CURLcode
set_body(CURL *e, const struct http_request *q)
{
	CURLcode c = curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, q->method);

	/* Sets a body even if it is empty, so that the request has "Content-Length: 0". */
	if (!c && strcmp(q->method, "GET")) {
		c = curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)q->body_len);
		c = c ? c : curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, q->body ? q->body : "");
	}
	return c;
}

static int
add_headers(CURL *e, const struct http_request *q, const char *request_id, struct curl_slist **list)
{
	char id[64];
	/*
	 * Headers that libcurl must not add. Expect makes it wait for the server before a large
	 * body. Content-Type is last, because it is unwanted only if there is no body.
	 */
	static const char *const unwanted[] = {"Expect:", "Content-Type:"};
	struct curl_slist *l;

	for (size_t i = 0; i < q->nheaders; i++) {
		l = curl_slist_append(*list, q->header[i]);
		if (!l)
			return -OTP_ENOMEM;
		*list = l;
	}
	(void)snprintf(id, sizeof(id), "X-Request-ID: %s", request_id ? request_id : "");
	l = request_id ? curl_slist_append(*list, id) : *list;
	if (request_id && !l)
		return -OTP_ENOMEM;
	*list = l;
	for (size_t i = 0; i < sizeof(unwanted) / sizeof(*unwanted) - (q->body ? 1 : 0); i++) {
		l = curl_slist_append(*list, unwanted[i]);
		if (!l)
			return -OTP_ENOMEM;
		*list = l;
	}
	return curl_easy_setopt(e, CURLOPT_HTTPHEADER, *list) ? -OTP_ENOMEM : 0;
}

static int
set_request(
    CURL *e, const struct http_request *q, const char *request_id, struct curl_slist **headers)
{
	return set_body(e, q) ? -OTP_ENOMEM : add_headers(e, q, request_id, headers);
}

void
transfer_free(struct transfer *t)
{
	if (!t)
		return;
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	mail_free(&t->dialog);
	http_answer_clear(&t->own);
	free(t);
}

int
transfer_judge(CURLcode code, const struct transfer *t, struct http_answer *a)
{
	long status = 0, retry = 0;
	curl_off_t wait = 0;

	if (t->is_mail)
		return mail_judge(code, t, a);
	a->failure = curl_easy_strerror(code);
	if (t->overflow)
		return t->overflow;
	if (code)
		return transfer_judge_failure(code, t, a);
	/* libcurl accepts a head that was cut off. */
	if (!t->head_ended)
		return -OTP_ENET;
	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (!curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &wait) && wait > 0)
		retry = wait > 86400 ? 86400 : (long)wait;
	a->status = status;
	a->retry_after = retry;
	a->failure = "";
	return 0;
}

int
transfer_new(const struct http_request *q, const struct http_route *route, int peer,
    const char *ca_dir, struct deadline dl, struct http_answer *a, struct transfer **out)
{
	struct transfer *t = calloc(1, sizeof(*t));
	const char *part;
	bool starttls;
	int r;

	if (!t)
		return -OTP_ENOMEM;
	http_answer_clear(&t->own);
	t->answer = a ? a : &t->own;
	t->is_mail = q->mail != NULL;
	r = url_check(q, route, t, &starttls);
	if (!r && t->is_mail && http_mail_wrong(q->mail, &part)) {
		t->answer->failure =
		    "an address is malformed, or the mail has a character that is not allowed";
		r = -OTP_EINVAL;
	}
	if (!r) {
		t->easy = curl_easy_init();
		r = !t->easy || set_fixed(t->easy) || set_callbacks(t->easy, t) ||
			    set_address(t->easy, q, route, t) ||
			    set_trust(t->easy, ca_dir, route->ca, t)
			? -OTP_ENOMEM
		    : t->is_mail ? mail_set(q, route->request_id, starttls, peer, dl, t)
				 : set_request(t->easy, q, route->request_id, &t->headers);
	}
	if (r)
		transfer_free(t);
	else
		*out = t;
	return r;
}
