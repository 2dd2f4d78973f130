#include "helpers/login/source.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "helpers/base/hosts.h"
#include "helpers/codes/code.h"
#include "helpers/login/login.h"
#include "helpers/rules/rules.h"

/*
 * Sets the client's address from PAM_RHOST. SSH_CONNECTION is used only if PAM_RHOST is a name,
 * because a user may be able to set the PAM environment. Some hosts send 0.0.0.0 for an unknown
 * address: that is no address.
 */
static void
find_client(const struct login_start *s, struct source *out)
{
	static const struct in6_addr unspecified_v4 = {
	    .s6_addr = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}};
	char first[64];
	size_t n = strcspn(s->ssh_connection, " ");

	if (!rules_address(s->rhost, &out->address)) {
		if (!*s->rhost || n >= sizeof(first))
			return;
		(void)snprintf(first, sizeof(first), "%.*s", (int)n, s->ssh_connection);
		if (!rules_address(first, &out->address))
			return;
	}
	if (IN6_IS_ADDR_UNSPECIFIED(&out->address) ||
	    !memcmp(&out->address, &unspecified_v4, sizeof(unspecified_v4)))
		return;
	out->has_client = true;
	if (IN6_IS_ADDR_V4MAPPED(&out->address)) {
		(void)inet_ntop(
		    AF_INET, &out->address.s6_addr[12], out->client, sizeof(out->client));
		(void)snprintf(out->network, sizeof(out->network), "%s", out->client);
	} else {
		struct in6_addr net = out->address;

		/* A client that has one address of a /64 usually can use all of them. */
		memset(&net.s6_addr[8], 0, 8);
		(void)inet_ntop(AF_INET6, &out->address, out->client, sizeof(out->client));
		(void)inet_ntop(AF_INET6, &net, out->network, sizeof(out->network) - 3);
		(void)strcat(out->network, "/64");
	}
}

/* The line of SSH_AUTH_INFO_0 that names the accepted key: "publickey ALGORITHM BASE64". */
static const char *
key_line(const char *auth_info, size_t *len)
{
	for (const char *line = auth_info; *line;) {
		size_t n = strcspn(line, "\n");

		if (!strncmp(line, "publickey ", 10)) {
			*len = n;
			return line;
		}
		line += n + (line[n] == '\n');
	}
	return NULL;
}

/* The rest of an SSH blob that is still to be read. */
struct reader {
	const unsigned char *at;
	size_t left;
};

static bool
skip_bytes(struct reader *r, size_t len)
{
	if (len > r->left)
		return false;
	r->at += len;
	r->left -= len;
	return true;
}

/* Skips a string of the SSH protocol (RFC 4251, section 5): its length in four bytes, and its
 * bytes. */
static bool
skip_string(struct reader *r)
{
	const unsigned char *n = r->at;

	return skip_bytes(r, 4) &&
	       skip_bytes(r, (size_t)n[0] << 24 | n[1] << 16 | n[2] << 8 | n[3]);
}

/* Skips a string, which must be the type. */
static bool
skip_type(struct reader *r, const char *type)
{
	const unsigned char *string = r->at;
	size_t len = strlen(type);

	return skip_string(r) && (size_t)(r->at - string) == 4 + len &&
	       !memcmp(string + 4, type, len);
}

/*
 * Skips the rest of a certificate behind its key, from the serial number to the signature: see
 * PROTOCOL.certkeys of OpenSSH. False if the blob has another form.
 */
static bool
skip_signed_fields(struct reader *r)
{
	return skip_bytes(r, 8 + 4) && skip_string(r) && skip_string(r) && skip_bytes(r, 8 + 8) &&
	       skip_string(r) && skip_string(r) && skip_string(r) && skip_string(r) &&
	       skip_string(r) && !r->left;
}

static const struct certificate {
	const char *type, *plain; /* the types of the certificate and of its key */
	int fields;		  /* how many strings the key has behind its type */
} certificates[] = {
    {"ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519", 1},
    {"ssh-rsa-cert-v01@openssh.com", "ssh-rsa", 2},
    {"ecdsa-sha2-nistp256-cert-v01@openssh.com", "ecdsa-sha2-nistp256", 2},
    {"ecdsa-sha2-nistp384-cert-v01@openssh.com", "ecdsa-sha2-nistp384", 2},
    {"ecdsa-sha2-nistp521-cert-v01@openssh.com", "ecdsa-sha2-nistp521", 2},
    {"sk-ssh-ed25519-cert-v01@openssh.com", "sk-ssh-ed25519@openssh.com", 2},
    {"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com", 3},
};

/* Replaces the certificate in the blob by its key, which is shorter. 0 or -OTP_EINVAL. */
static int
certified_key(const struct certificate *c, unsigned char *blob, size_t *size)
{
	struct reader r = {.at = blob, .left = *size};
	size_t type_len = strlen(c->plain), len;
	const unsigned char *key;

	if (!skip_type(&r, c->type) || !skip_string(&r)) /* the nonce */
		return -OTP_EINVAL;
	key = r.at;
	for (int i = 0; i < c->fields; i++)
		if (!skip_string(&r))
			return -OTP_EINVAL;
	len = (size_t)(r.at - key);
	if (!skip_signed_fields(&r))
		return -OTP_EINVAL;
	memmove(blob + 4 + type_len, key, len);
	memcpy(blob, (const unsigned char[]){0, 0, 0, (unsigned char)type_len}, 4);
	memcpy(blob + 4, c->plain, type_len);
	*size = 4 + type_len + len;
	return 0;
}

/*
 * Replaces a certificate in the blob by its key, and leaves a plain key as it is. A certificate is
 * renewed from time to time, but its key stays, and sshd logs the fingerprint of the key. 0, or
 * -OTP_EINVAL for an unknown type of certificate: where its key is in the blob is unknown.
 */
static int
plain_key(const char *type, size_t type_len, unsigned char *blob, size_t *size)
{
	for (size_t i = 0; i < sizeof(certificates) / sizeof(*certificates); i++)
		if (strlen(certificates[i].type) == type_len &&
		    !memcmp(certificates[i].type, type, type_len))
			return certified_key(&certificates[i], blob, size);
	return memmem(type, type_len, "-cert-", 6) ? -OTP_EINVAL : 0;
}

enum { FINGERPRINT_SIZE = 7 + 44 + 1 }; /* "SHA256:", base64 of 32 bytes, NUL */

/*
 * Writes the fingerprint of the line "publickey ALGORITHM BASE64" as OpenSSH does. For a
 * certificate it is the fingerprint of its key. 0, -OTP_EINVAL (not a key), -OTP_ENOMEM or
 * -OTP_ECRYPTO.
 */
static int
hash_key(const char *line, size_t len, char fp[FINGERPRINT_SIZE])
{
	const char *end = line + len, *base64 = memchr(line + 10, ' ', len - 10);
	unsigned char digest[32], *blob;
	size_t n = base64 ? (size_t)(end - ++base64) : 0, pad = 0, size;
	int bytes, r = -OTP_EINVAL;

	while (n && base64[n - 1] == ' ')
		n--;
	while (pad < 2 && pad < n && base64[n - 1 - pad] == '=')
		pad++;
	blob = malloc(n / 4 * 3 + 1);
	if (!blob)
		return -OTP_ENOMEM;
	bytes = n ? EVP_DecodeBlock(blob, (const unsigned char *)base64, (int)n) : -1;
	size = bytes > (int)pad ? (size_t)bytes - pad : 0;
	if (size)
		r = plain_key(line + 10, (size_t)(base64 - 1 - (line + 10)), blob, &size);
	if (!r) {
		r = EVP_Digest(blob, size, digest, NULL, EVP_sha256(), NULL) ? 0 : -OTP_ECRYPTO;
		memcpy(fp, "SHA256:", 8);
		(void)EVP_EncodeBlock((unsigned char *)fp + 7, digest, sizeof(digest));
		fp[strcspn(fp, "=")] = '\0';
	}
	free(blob);
	return r;
}

/*
 * Sets the fingerprint of the accepted key, or "" if there is none that can be read. 0, -OTP_ENOMEM
 * or -OTP_ECRYPTO.
 */
static int
fingerprint(const char *auth_info, char fp[FINGERPRINT_SIZE], bool *publickey)
{
	size_t len = 0;
	const char *line = key_line(auth_info, &len);
	int r = line ? hash_key(line, len, fp) : -OTP_EINVAL;

	*publickey = !r;
	if (r)
		fp[0] = '\0';
	return r == -OTP_EINVAL ? 0 : r;
}

/*
 * True for the name of a terminal device. Daemons give a word of their own as PAM_TTY, such as
 * "ssh", "cron" or "dovecot": behind that word is whoever reaches the daemon.
 */
static bool
is_terminal(const char *tty)
{
	static const char *const begins[] = {"/dev/", "pts/", "tty", "console", "hvc"};

	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++)
		if (!strncmp(tty, begins[i], strlen(begins[i])))
			return true;
	return false;
}

static void
find_remember(const struct login_start *s, const char *key, struct source *out)
{
	/* Blanks separate the fields. With a blank inside a field, two sources could share a key.
	 */
	bool plain =
	    !strpbrk(s->service, " \t") && !strpbrk(s->ruser, " \t") && !strpbrk(s->tty, " \t");
	int n = -1;

	if (s->peer || !plain)
		n = -1;
	else if (out->has_client && *key)
		n = snprintf(out->remember, sizeof(out->remember), "ssh %s %s %s", s->service,
		    out->client, key);
	else if (!*s->rhost && is_terminal(s->tty) && *s->session && *s->session_start &&
		 *s->boot_id)
		n = snprintf(out->remember, sizeof(out->remember), "local %s %s %s %s %s %s",
		    host_family(s->service), *s->ruser ? s->ruser : "-", s->tty, s->session,
		    s->session_start, s->boot_id);
	if (n < 0 || (size_t)n >= sizeof(out->remember))
		out->remember[0] = '\0';
}

bool
source_can_be_known(const char *known_source)
{
	const char *key = strrchr(known_source, ' ');

	return *known_source && (strncmp(known_source, "net ", 4) != 0 || (key && key[1]));
}

static void
find_known_source(const struct login_start *s, const char *key, struct source *out)
{
	/* A display is a terminal for this: a person sits there, whichever session it is. */
	bool here = !*s->rhost && (is_terminal(s->tty) || *s->tty == ':');
	int n = -1;

	if (s->peer)
		n = -1;
	else if (out->has_client)
		n = snprintf(
		    out->known_source, sizeof(out->known_source), "net %s %s", out->network, key);
	else if (here && *s->ruser)
		n = snprintf(out->known_source, sizeof(out->known_source), "user %s", s->ruser);
	else if (here)
		n = snprintf(out->known_source, sizeof(out->known_source), "tty %s", s->tty);
	if (n < 0 || (size_t)n >= sizeof(out->known_source))
		out->known_source[0] = '\0';
}

int
source_of(const struct login_start *s, struct source *out)
{
	char key[FINGERPRINT_SIZE], unique[33];
	int r, n = -1;

	*out = (struct source){.joins = false};
	r = fingerprint(s->ssh_auth_info, key, &out->publickey);
	if (r)
		return r;
	if (s->fingerprint) {
		(void)snprintf(key, sizeof(key), "%s", s->fingerprint);
		out->publickey = true;
	}
	find_client(s, out);
	find_known_source(s, key, out);
	find_remember(s, key, out);
	out->joins = true;
	if (s->peer)
		n = -1;
	else if (out->has_client)
		n = snprintf(out->key, sizeof(out->key), "net %s %s", out->client, key);
	else if (!*s->rhost && *s->session && *s->session_start)
		n = snprintf(out->key, sizeof(out->key), "tty %s %s %s %s", s->tty, s->session,
		    s->session_start, s->boot_id);
	if (n >= 0 && (size_t)n < sizeof(out->key))
		return 0;
	out->joins = false;
	r = random_id(unique, 16);
	(void)snprintf(out->key, sizeof(out->key), "once %s", r ? "" : unique);
	return r;
}
