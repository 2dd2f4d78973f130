#include "helpers/source.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "helpers/challenge.h"
#include "helpers/login.h"
#include "helpers/rules.h"

/*
 * PAM_RHOST where it is numeric. Only where it is a name is SSH_CONNECTION asked, for a user may
 * be able to set the PAM environment; and 0.0.0.0 is what some hosts say for "unknown".
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
	if (IN6_IS_ADDR_V4MAPPED(&out->address))
		(void)inet_ntop(
		    AF_INET, &out->address.s6_addr[12], out->client, sizeof(out->client));
	else
		(void)inet_ntop(AF_INET6, &out->address, out->client, sizeof(out->client));
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

static int
fingerprint(const char *auth_info, char hex[65], bool *publickey)
{
	unsigned char digest[32];
	size_t len = 0;
	const char *line = key_line(auth_info, &len);

	hex[0] = '\0';
	*publickey = line != NULL;
	if (!line)
		return 0;
	if (!EVP_Digest(line, len, digest, NULL, EVP_sha256(), NULL))
		return -OTP_ECRYPTO;
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)sprintf(hex + 2 * i, "%02x", digest[i]);
	return 0;
}

int
source_of(const struct login_start *s, struct source *out)
{
	char key[65], unique[33];
	int r = fingerprint(s->ssh_auth_info, key, &out->publickey), n = -1;

	if (r)
		return r;
	find_client(s, out);
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
