/*
 * The source of a sign-in (Q13, Q26, C24, U40): the key that a challenge is bound to, the network
 * that limits count, the known source, and the key of a remembered sign-in.
 */
#include "tests/unit/unit.h"

#include <openssl/evp.h>

#include "helpers/login/login.h"
#include "helpers/login/source.h"

#define SSH "192.0.2.7 50000 192.0.2.1 22"
static const struct source_row {
	const char *name, *rhost, *ssh, *auth, *tty, *session;
	uid_t peer;
	bool joins, publickey;
	const char *client;
} sources[] = {
    {"ssh", "192.0.2.7", SSH, "", "ssh", "7", 0, true, false, "192.0.2.7"},
    {"ssh, key", "192.0.2.7", SSH, "publickey ssh-ed25519 AAAA\n", "ssh", "7", 0, true, true,
	"192.0.2.7"},
    {"key, second", "192.0.2.7", SSH, "password\npublickey x BBBB", "ssh", "7", 0, true, true,
	"192.0.2.7"},
    {"no key line", "192.0.2.7", SSH, "hostbased publickey x\nxpublickey y\npublickeyz", "ssh", "7",
	0, true, false, "192.0.2.7"},
    {"what is no key", "192.0.2.7", SSH, "publickey ssh-ed25519\n", "ssh", "7", 0, true, false,
	"192.0.2.7"},
    {"what cannot be read", "192.0.2.7", SSH, "publickey ssh-ed25519 !!!!", "ssh", "7", 0, true,
	false, "192.0.2.7"},
    {"v6", "2001:db8::7", "", "", "ssh", "7", 0, true, false, "2001:db8::7"},
    {"mapped", "::ffff:192.0.2.7", "", "", "ssh", "7", 0, true, false, "192.0.2.7"},
    {"name", "host.example", SSH, "", "ssh", "7", 0, true, false, "192.0.2.7"},
    {"name alone", "host.example", "", "", "ssh", "7", 0, false, false, ""},
    {"name, bad", "host.example", "garbage", "", "ssh", "7", 0, false, false, ""},
    {"unknown", "0.0.0.0", SSH, "", ":0", "7", 0, false, false, ""},
    {"unknown v6", "::", SSH, "", ":0", "7", 0, false, false, ""},
    {"unknown mapped", "::ffff:0.0.0.0", SSH, "", ":0", "7", 0, false, false, ""},
    {"local", "", "", "", "/dev/tty1", "7", 0, true, false, ""},
    {"local, env", "", SSH, "", "/dev/tty1", "7", 0, true, false, ""},
    {"no session", "", "", "", "/dev/tty1", "", 0, false, false, ""},
    {"a user's host", "192.0.2.7", SSH, "", "ssh", "7", 1000, false, false, "192.0.2.7"},
};

static struct login_start
start_of(const struct source_row *row)
{
	return (struct login_start){.service = "sshd",
	    .user = "asha",
	    .rhost = row->rhost,
	    .tty = row->tty,
	    .ruser = "",
	    .ssh_connection = row->ssh,
	    .ssh_auth_info = row->auth,
	    .session = row->session,
	    .session_start = row->session,
	    .boot_id = "boot",
	    .peer = row->peer};
}

static void
sources_are_what_the_host_says(void **state)
{
	struct source a, b;

	(void)state;
	for (size_t i = 0; i < COUNT(sources); i++) {
		const struct source_row *row = &sources[i];
		struct login_start start = start_of(row);

		memset(&a, 0, sizeof(a));
		memset(&b, 0, sizeof(b));
		assert_int_equal(source_of(&start, &a), 0);
		assert_int_equal(source_of(&start, &b), 0);
		ROW(a.joins == row->joins, row->name);
		ROW(!strcmp(a.key, b.key) == row->joins, row->name);
		ROW(!strcmp(a.client, row->client), row->name);
		ROW(a.has_client == !!*row->client, row->name);
		ROW(a.publickey == row->publickey, row->name);
		for (size_t k = 0; k < i; k++) {
			struct login_start other = start_of(&sources[k]);
			bool same = !strcmp(row->client, sources[k].client) && *row->client &&
				    !row->publickey && !sources[k].publickey;

			memset(&b, 0, sizeof(b));
			assert_int_equal(source_of(&other, &b), 0);
			if (!same && strcmp(row->name, "local, env"))
				ROW(strcmp(a.key, b.key), row->name);
		}
	}
}

static void
local_sources_differ_by_each_part(void **state)
{
	struct source_row row = {"", "", "", "", "/dev/tty1", "7", 0, true, false, ""};
	struct login_start start = start_of(&row), x;
	struct source a = {.joins = false}, b = {.joins = false};

	(void)state;
	assert_int_equal(source_of(&start, &a), 0);
	x = start, x.tty = "/dev/tty2";
	assert_int_equal(source_of(&x, &b), 0);
	assert_string_not_equal(a.key, b.key);
	x = start, x.session = "8";
	assert_int_equal(source_of(&x, &b), 0);
	assert_string_not_equal(a.key, b.key);
	x = start, x.session_start = "8";
	assert_int_equal(source_of(&x, &b), 0);
	assert_string_not_equal(a.key, b.key);
	x = start, x.boot_id = "another";
	assert_int_equal(source_of(&x, &b), 0);
	assert_string_not_equal(a.key, b.key);
}

static struct source
of(struct login_start start)
{
	struct source s = {.joins = false};

	assert_int_equal(source_of(&start, &s), 0);
	return s;
}

/* A client's network is its IPv4 address, or the /64 of its IPv6 address (U40). */
static void
networks_are_what_a_client_is_limited_by(void **state)
{
	static const struct {
		const char *rhost, *ssh, *network;
	} rows[] = {
	    {"192.0.2.7", "", "192.0.2.7"},
	    {"192.0.2.8", "", "192.0.2.8"},
	    {"::ffff:192.0.2.7", "", "192.0.2.7"},
	    {"2001:db8::7", "", "2001:db8::/64"},
	    {"2001:db8::1:2:3:4", "", "2001:db8::/64"},
	    {"2001:DB8:0:0:ffff:ffff:ffff:ffff", "", "2001:db8::/64"},
	    {"2001:db8:0:1::7", "", "2001:db8:0:1::/64"},
	    {"2001:db8:1234:5678:9abc:def0:1234:5678", "", "2001:db8:1234:5678::/64"},
	    {"fe80::1%eth0", "", "fe80::/64"},
	    {"::1", "", "::/64"},
	    {"host.example", "2001:db8:9::7 50000 2001:db8::1 22", "2001:db8:9::/64"},
	    {"host.example", "192.0.2.9 50000 192.0.2.1 22", "192.0.2.9"},
	    {"host.example", "", ""},
	    {"::", "", ""},
	    {"0.0.0.0", "192.0.2.9 50000 192.0.2.1 22", ""},
	    {"", "192.0.2.9 50000 192.0.2.1 22", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct source_row row = {
		    "", rows[i].rhost, rows[i].ssh, "", "ssh", "7", 0, true, false, ""};
		struct source s = of(start_of(&row));

		ROW(!strcmp(s.network, rows[i].network), rows[i].rhost);
		ROW(s.has_client == !!*rows[i].network, rows[i].rhost);
	}
}

#define KEY  "publickey ssh-ed25519 AAAA"
#define KEY2 "publickey ssh-ed25519 BBBB"

/*
 * Each row is what is kept of one source, which may be that of the row before, or nothing. A source
 * can be known by its key, or as a terminal of this machine: others may share a network, and
 * anybody may be behind a daemon.
 */
static void
known_sources_are_network_and_key_or_a_terminal(void **state)
{
	static const struct {
		const char *rhost, *ssh, *auth, *tty, *ruser;
		uid_t peer;
		const char *begins; /* of the known source; "": there is none */
		bool same;	    /* as the row before */
		bool can_be_known;  /* else it is only seen */
	} rows[] = {
	    {"192.0.2.7", "", "", "ssh", "", 0, "net 192.0.2.7 ", false, false},
	    {"::ffff:192.0.2.7", "", "", "ssh", "", 0, "net 192.0.2.7 ", true, false},
	    {"192.0.2.7", "", "password", "/dev/pts/3", "bina", 0, "net 192.0.2.7 ", true, false},
	    {"192.0.2.8", "", "", "ssh", "", 0, "net 192.0.2.8 ", false, false},
	    {"192.0.2.8", "", KEY, "ssh", "", 0, "net 192.0.2.8 ", false, true},
	    {"192.0.2.8", "", "password\n" KEY "\n", "ssh", "", 0, "net 192.0.2.8 ", true, true},
	    {"192.0.2.8", "", KEY2, "ssh", "", 0, "net 192.0.2.8 ", false, true},
	    {"192.0.2.9", "", KEY2, "ssh", "", 0, "net 192.0.2.9 ", false, true},
	    {"2001:db8::1", "", KEY, "ssh", "", 0, "net 2001:db8::/64 ", false, true},
	    {"2001:db8::2:0:0:1", "", KEY, "ssh", "", 0, "net 2001:db8::/64 ", true, true},
	    {"2001:db8:0:1::1", "", KEY, "ssh", "", 0, "net 2001:db8:0:1::/64 ", false, true},
	    {"2001:db8:0:1::1", "", "", "ssh", "", 0, "net 2001:db8:0:1::/64 ", false, false},
	    {"", "", "", "/dev/pts/3", "asha", 0, "user asha", false, true},
	    {"", "", "", "pts/4", "asha", 0, "user asha", true, true},
	    {"", "", "", ":0", "asha", 0, "user asha", true, true},
	    {"", "192.0.2.7 5 192.0.2.1 22", KEY, "/dev/pts/4", "asha", 0, "user asha", true, true},
	    {"", "", "", "/dev/pts/4", "bina", 0, "user bina", false, true},
	    {"", "", "", "/dev/tty1", "", 0, "tty /dev/tty1", false, true},
	    {"", "", "", "tty2", "", 0, "tty tty2", false, true},
	    {"", "", "", "hvc0", "", 0, "tty hvc0", false, true},
	    /* A daemon that names no client: anybody may be behind it. */
	    {"", "", "", "", "", 0, "", false, false},
	    {"", "", "", "", "www-data", 0, "", false, false},
	    {"", "", "", "ssh", "", 0, "", false, false},
	    {"", "", "", "dovecot", "", 0, "", false, false},
	    {"", "", "", "cron", "asha", 0, "", false, false},
	    /* A host name and 0.0.0.0 are no known source. */
	    {"host.example", "", "", "ssh", "asha", 0, "", false, false},
	    {"localhost", "", "", ":0", "", 0, "", false, false},
	    {"0.0.0.0", "", "", ":0", "asha", 0, "", false, false},
	    /* A host that is not root could send anything. */
	    {"192.0.2.7", "", KEY, "ssh", "", 1000, "", false, false},
	    {"", "", "", "/dev/tty1", "asha", 1000, "", false, false},
	};
	struct source before = {.joins = false};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct login_start start = {.service = "x",
		    .user = "asha",
		    .rhost = rows[i].rhost,
		    .tty = rows[i].tty,
		    .ruser = rows[i].ruser,
		    .ssh_connection = rows[i].ssh,
		    .ssh_auth_info = rows[i].auth,
		    .session = "7",
		    .session_start = "7",
		    .boot_id = "boot",
		    .peer = rows[i].peer};
		struct source s = of(start);
		size_t len = strlen(rows[i].begins);
		char name[16];

		(void)snprintf(name, sizeof(name), "%zu", i);
		ROW(!strncmp(s.known_source, rows[i].begins, len), name);
		ROW(len || !*s.known_source, name);
		ROW(source_can_be_known(s.known_source) == rows[i].can_be_known, name);
		if (len)
			ROW(!strcmp(s.known_source, before.known_source) == rows[i].same, name);
		/* A known source does not depend on the service. */
		start.service = "y";
		ROW(!strcmp(of(start).known_source, s.known_source), name);
		before = s;
	}
}

/* If the names do not fit, the key is random, and there is no known source. */
static void
names_that_do_not_fit_make_no_known_source(void **state)
{
	static char tty[STORE_KEY_MAX + 10];
	struct source_row row = {"", "", "", "", tty, "7", 0, true, false, ""};
	struct source a, b;

	(void)state;
	memset(tty, 't', sizeof(tty) - 1);
	memcpy(tty, "/dev/", 5);
	a = of(start_of(&row));
	b = of(start_of(&row));
	assert_string_equal(a.known_source, "");
	assert_false(a.joins);
	assert_string_not_equal(a.key, b.key);
	tty[STORE_KEY_MAX - strlen("tty ")] = '\0';
	a = of(start_of(&row));
	assert_int_equal(strlen(a.known_source), STORE_KEY_MAX);
	assert_false(a.joins);
}

/*
 * Public keys and certificates, each with the fingerprint that ssh-keygen -l prints. The second is
 * a certificate of the first key, and the third is the renewed certificate.
 */
static const struct key_row {
	const char *type, *fingerprint, *base64;
} keys[] = {
    {"ssh-ed25519", "SHA256:INsSVqemPkjfm16MhI3wJ5F1ptwbiMT2pgtBVzuJ3Is",
	"AAAAC3NzaC1lZDI1NTE5AAAAIDhc+TOFmhMV0vFkFqOVI8RG4jrM478sTIPw4AENVrna"},
    {"ssh-ed25519-cert-v01@openssh.com", "SHA256:INsSVqemPkjfm16MhI3wJ5F1ptwbiMT2pgtBVzuJ3Is",
	"AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIATxDCCam5ocai1o/lRmqq2B6N4lGixoUn"
	"813iNFkAxoAAAAIDhc+TOFmhMV0vFkFqOVI8RG4jrM478sTIPw4AENVrnaAAAAAAAAAAEAAAABAAAABWZpcnN0"
	"AAAACAAAAARhc2hhAAAAAAAAAAD//////////wAAAAAAAACCAAAAFXBlcm1pdC1YMTEtZm9yd2FyZGluZwAAAA"
	"AAAAAXcGVybWl0LWFnZW50LWZvcndhcmRpbmcAAAAAAAAAFnBlcm1pdC1wb3J0LWZvcndhcmRpbmcAAAAAAAAA"
	"CnBlcm1pdC1wdHkAAAAAAAAADnBlcm1pdC11c2VyLXJjAAAAAAAAAAAAAAAzAAAAC3NzaC1lZDI1NTE5AAAAII"
	"KzRYMz8o2v0rebkj3i3GDE/nixHKjHErFpifzfsxKjAAAAUwAAAAtzc2gtZWQyNTUxOQAAAEDUHZisj8xzsMBr"
	"DTb71vGd9m81VBUXPB9zqzH7xaIbRDNh6GQR9kTBl9Be0QjZUiKoX0o+JXzjh3MXOg/BNFQH"},
    {"ssh-ed25519-cert-v01@openssh.com", "SHA256:INsSVqemPkjfm16MhI3wJ5F1ptwbiMT2pgtBVzuJ3Is",
	"AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIBlPImApUfbJ2KHLE5KdsGLOPlWINLQGWf"
	"tlzGFj4R/oAAAAIDhc+TOFmhMV0vFkFqOVI8RG4jrM478sTIPw4AENVrnaAAAAAAAAAAIAAAABAAAABnNlY29u"
	"ZAAAABAAAAAEYXNoYQAAAARyb290AAAAAAAAAAD//////////wAAAAAAAACCAAAAFXBlcm1pdC1YMTEtZm9yd2"
	"FyZGluZwAAAAAAAAAXcGVybWl0LWFnZW50LWZvcndhcmRpbmcAAAAAAAAAFnBlcm1pdC1wb3J0LWZvcndhcmRp"
	"bmcAAAAAAAAACnBlcm1pdC1wdHkAAAAAAAAADnBlcm1pdC11c2VyLXJjAAAAAAAAAAAAAAAzAAAAC3NzaC1lZD"
	"I1NTE5AAAAIIKzRYMz8o2v0rebkj3i3GDE/nixHKjHErFpifzfsxKjAAAAUwAAAAtzc2gtZWQyNTUxOQAAAEC3"
	"HuTo8rzYyET2MJ6gX18opG4JmYLoIVlciESxLoKxqv9/TP5hKDJ8HG/yfwX93h2XiLc38f9q/99UWkeBsvYH"},
    {"ssh-rsa-cert-v01@openssh.com", "SHA256:mJg0/MliehzFNS2p16ogM3CmsI2uwERVAtVPe5rU3rM",
	"AAAAHHNzaC1yc2EtY2VydC12MDFAb3BlbnNzaC5jb20AAAAgRXQSV+oUC2A/kQTxphr93HLWbX24Td57BAF4HU"
	"hhwxwAAAADAQABAAABAQCgH8Q/QziWweTgKCToNPAjrTzvSeOg6jhg4QDfV1WEorDMsAPzSBGvSy8bGuR4VtiR"
	"SRPTQmOuhHHcsI+ds2MxCaKETHnyiC3rMHgkWB+/ow6Z1Qjkij37g8bgqdmGk2w15iIOCFBgCdvHZ6CgU2wTmp"
	"wB9ojKUWDudGyF4iJ9yxffKkxhBfT2tXNwInvbib6gETaaUJyG+gDvfbCDm2/aK7BoZWXraIN0nR7V7NfPFwS9"
	"cyKQmd4kjpuj7NaTpQyf5tHxrCgbyI1rXWFJl/uCcK2u+KPj+5U2LWcQeRMePtGKUf2bdcNAJM+ZWoe/QfO332"
	"1DbrzIerHU5Oj7vpKZAAAAAAAAAAEAAAABAAAABWZpcnN0AAAACAAAAARhc2hhAAAAAAAAAAD//////////wAA"
	"AAAAAACCAAAAFXBlcm1pdC1YMTEtZm9yd2FyZGluZwAAAAAAAAAXcGVybWl0LWFnZW50LWZvcndhcmRpbmcAAA"
	"AAAAAAFnBlcm1pdC1wb3J0LWZvcndhcmRpbmcAAAAAAAAACnBlcm1pdC1wdHkAAAAAAAAADnBlcm1pdC11c2Vy"
	"LXJjAAAAAAAAAAAAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIIKzRYMz8o2v0rebkj3i3GDE/nixHKjHErFpifzfsx"
	"KjAAAAUwAAAAtzc2gtZWQyNTUxOQAAAEAIINjeGFgXOB087Bfanb0ossw/lvFG8z6SVaaAuT6Ufmw/i1gJtUnj"
	"WUkAmIWpLwAVIarUvERlFZdV9mK/wvEO"},
    {"ecdsa-sha2-nistp256-cert-v01@openssh.com",
	"SHA256:gjhZlJ4cPnn4WfEgWayydjPYWeX4gmkPC3Qc+IIPJM0",
	"AAAAKGVjZHNhLXNoYTItbmlzdHAyNTYtY2VydC12MDFAb3BlbnNzaC5jb20AAAAgL0W1IRJY31ss8FikBJoLv6"
	"5y1MUOYmiTnJUntgQNx4oAAAAIbmlzdHAyNTYAAABBBGZm8b5tO/Xx9FXyLNGDor3OhbJiWLHQyTw2pCKWUdSd"
	"LtjgCOCbNLpr1i5My4GLw6eSeEa8wYKY04wDcZDQuVEAAAAAAAAAAQAAAAEAAAAFZmlyc3QAAAAIAAAABGFzaG"
	"EAAAAAAAAAAP//////////AAAAAAAAAIIAAAAVcGVybWl0LVgxMS1mb3J3YXJkaW5nAAAAAAAAABdwZXJtaXQt"
	"YWdlbnQtZm9yd2FyZGluZwAAAAAAAAAWcGVybWl0LXBvcnQtZm9yd2FyZGluZwAAAAAAAAAKcGVybWl0LXB0eQ"
	"AAAAAAAAAOcGVybWl0LXVzZXItcmMAAAAAAAAAAAAAADMAAAALc3NoLWVkMjU1MTkAAAAggrNFgzPyja/St5uS"
	"PeLcYMT+eLEcqMcSsWmJ/N+zEqMAAABTAAAAC3NzaC1lZDI1NTE5AAAAQPfVK7ELZ7D2kFu+O/DKGchn6T9i2q"
	"C5pJmKv5p7XAioWfdw3BjP/xytd6iynQaOuThFqnJwhym6VZp46+rMaQE="},
    {"ecdsa-sha2-nistp384-cert-v01@openssh.com",
	"SHA256:63wqibFn4sfDACgtVw3jssrQjPyxeeqk/iLdQrHVtR8",
	"AAAAKGVjZHNhLXNoYTItbmlzdHAzODQtY2VydC12MDFAb3BlbnNzaC5jb20AAAAgux0E+Pn1+OCs/q96n+a7HE"
	"cyn1xTY6xA+yDPgNRQ5g4AAAAIbmlzdHAzODQAAABhBEreJr5bVjeXfwg5hZUsgPSPZpVkZS3G6NbvL2qrRzuy"
	"vEjjKZQPkEa8jSwEjCvZwxvCm1b4n1d/j09iMlwb65hJBYdRDrrA/DBl8urzXo8UoktpMyTwu8PZd4Ux4bui/Q"
	"AAAAAAAAABAAAAAQAAAAVmaXJzdAAAAAgAAAAEYXNoYQAAAAAAAAAA//////////8AAAAAAAAAggAAABVwZXJt"
	"aXQtWDExLWZvcndhcmRpbmcAAAAAAAAAF3Blcm1pdC1hZ2VudC1mb3J3YXJkaW5nAAAAAAAAABZwZXJtaXQtcG"
	"9ydC1mb3J3YXJkaW5nAAAAAAAAAApwZXJtaXQtcHR5AAAAAAAAAA5wZXJtaXQtdXNlci1yYwAAAAAAAAAAAAAA"
	"MwAAAAtzc2gtZWQyNTUxOQAAACCCs0WDM/KNr9K3m5I94txgxP54sRyoxxKxaYn837MSowAAAFMAAAALc3NoLW"
	"VkMjU1MTkAAABAG9okA4HEkEnBzyrTOYkrvHflNxgjSxJxLABd6bfBOH3HQRENKEBJsiAZrRs69EH5Nuiz0S8V"
	"36mTPyJJHkTpBg=="},
    {"ecdsa-sha2-nistp521-cert-v01@openssh.com",
	"SHA256:DCMRziH/P/W4fyUP1t+0UIakxpCkvPEpHkRGJ/kJwHs",
	"AAAAKGVjZHNhLXNoYTItbmlzdHA1MjEtY2VydC12MDFAb3BlbnNzaC5jb20AAAAgQxUL07w+a2KsRgtryh4zwd"
	"LEsr1iHuHie6DnUrz1PEsAAAAIbmlzdHA1MjEAAACFBAA+EytTQbEDOpg+OUZXkM6TPgGrJHyTkDZM8dpR174d"
	"sK4SLVFmTVAHD83dVoy2hJ1nxF0bfBujsdPt9p2YE4UO5QBUCGlMCQcOOx26voK2eavIt84pDHz+tpVURRGKp2"
	"wQvi3sjaGtTzuQRpkroEdIpeT7Fxcvu6MH2VZqJrd+eUxREAAAAAAAAAABAAAAAQAAAAVmaXJzdAAAAAgAAAAE"
	"YXNoYQAAAAAAAAAA//////////8AAAAAAAAAggAAABVwZXJtaXQtWDExLWZvcndhcmRpbmcAAAAAAAAAF3Blcm"
	"1pdC1hZ2VudC1mb3J3YXJkaW5nAAAAAAAAABZwZXJtaXQtcG9ydC1mb3J3YXJkaW5nAAAAAAAAAApwZXJtaXQt"
	"cHR5AAAAAAAAAA5wZXJtaXQtdXNlci1yYwAAAAAAAAAAAAAAMwAAAAtzc2gtZWQyNTUxOQAAACCCs0WDM/KNr9"
	"K3m5I94txgxP54sRyoxxKxaYn837MSowAAAFMAAAALc3NoLWVkMjU1MTkAAABA4qskZ129rQznTaaySxYaFGVz"
	"KYWvKZq4/BP8DtiSsD3TpGgZYt6LwTZJtxOTRgVEHRNyE2zNrgnRQ5VRiHdzDA=="},
    {"sk-ssh-ed25519-cert-v01@openssh.com", "SHA256:wuI7j824m7qoOECZCjSI0yJUneujn/LdgB34rsk+6rA",
	"AAAAI3NrLXNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIGPRWxXaOX6ZxDR1TBd10wV3qqCg+s"
	"e9XWo8PZA+SjoEAAAAIDhc+TOFmhMV0vFkFqOVI8RG4jrM478sTIPw4AENVrnaAAAABHNzaDoAAAAAAAAAAQAA"
	"AAEAAAAFZmlyc3QAAAAIAAAABGFzaGEAAAAAAAAAAP//////////AAAAAAAAAIIAAAAVcGVybWl0LVgxMS1mb3"
	"J3YXJkaW5nAAAAAAAAABdwZXJtaXQtYWdlbnQtZm9yd2FyZGluZwAAAAAAAAAWcGVybWl0LXBvcnQtZm9yd2Fy"
	"ZGluZwAAAAAAAAAKcGVybWl0LXB0eQAAAAAAAAAOcGVybWl0LXVzZXItcmMAAAAAAAAAAAAAADMAAAALc3NoLW"
	"VkMjU1MTkAAAAggrNFgzPyja/St5uSPeLcYMT+eLEcqMcSsWmJ/N+zEqMAAABTAAAAC3NzaC1lZDI1NTE5AAAA"
	"QIsSy5jOUf9e/DO/YJ/rpc5skb3LsOvRrGrarXEMhJMeyrTdkul/q6Dtu8KvJfiuhzpL0Ias+rkM2oFqdGcZPw"
	"M="},
    {"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
	"SHA256:kUsoip+cSSQfCLTXKl503V0A03cPqtdke4gHPReqlcA",
	"AAAAK3NrLWVjZHNhLXNoYTItbmlzdHAyNTYtY2VydC12MDFAb3BlbnNzaC5jb20AAAAgxGdGS0kfMVzI039s5B"
	"fmMXBwZHPC3omZJfQgZCtlqIcAAAAIbmlzdHAyNTYAAABBBGZm8b5tO/Xx9FXyLNGDor3OhbJiWLHQyTw2pCKW"
	"UdSdLtjgCOCbNLpr1i5My4GLw6eSeEa8wYKY04wDcZDQuVEAAAAEc3NoOgAAAAAAAAABAAAAAQAAAAVmaXJzdA"
	"AAAAgAAAAEYXNoYQAAAAAAAAAA//////////8AAAAAAAAAggAAABVwZXJtaXQtWDExLWZvcndhcmRpbmcAAAAA"
	"AAAAF3Blcm1pdC1hZ2VudC1mb3J3YXJkaW5nAAAAAAAAABZwZXJtaXQtcG9ydC1mb3J3YXJkaW5nAAAAAAAAAA"
	"pwZXJtaXQtcHR5AAAAAAAAAA5wZXJtaXQtdXNlci1yYwAAAAAAAAAAAAAAMwAAAAtzc2gtZWQyNTUxOQAAACCC"
	"s0WDM/KNr9K3m5I94txgxP54sRyoxxKxaYn837MSowAAAFMAAAALc3NoLWVkMjU1MTkAAABAieJ7a8GekaZ0+G"
	"PKu5RT5DCvftpP3MiH2v09adl3UXWq6MLBvEuT3aPy7nuduGThbnuj+D9HoIx7H1v+Xw1mDA=="},
};

enum { PLAIN, FIRST, RENEWED };

/* The source of a sign-in with this key. */
static struct source
with_key(const char *type, const char *base64)
{
	struct source_row row = {"", "192.0.2.7", SSH, "", "ssh", "7", 0, true, false, ""};
	char line[2048];

	assert_in_range(
	    snprintf(line, sizeof(line), "publickey %s %s\n", type, base64), 1, sizeof(line) - 1);
	row.auth = line;
	return of(start_of(&row));
}

/* The fingerprint is that of the key, whatever certificate holds it, as in sshd's log. */
static void
a_certificate_is_the_key_in_it(void **state)
{
	char remember[128];

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct source s = with_key(keys[i].type, keys[i].base64);

		(void)snprintf(
		    remember, sizeof(remember), "ssh sshd 192.0.2.7 %s", keys[i].fingerprint);
		ROW(s.publickey, keys[i].type);
		ROW(!strcmp(s.remember, remember), keys[i].type);
	}
	assert_string_not_equal(keys[FIRST].base64, keys[RENEWED].base64);
	assert_string_equal(keys[FIRST].fingerprint, keys[RENEWED].fingerprint);
	assert_string_equal(keys[FIRST].fingerprint, keys[PLAIN].fingerprint);
}

/* A sign-in is not remembered if its user could choose the key of the memory. */
static void
a_source_that_anybody_can_claim_is_not_remembered(void **state)
{
	const struct login_start local = {.service = "sudo",
	    .user = "asha",
	    .rhost = "",
	    .tty = "/dev/pts/3",
	    .ruser = "asha",
	    .ssh_connection = "",
	    .ssh_auth_info = "",
	    .session = "812",
	    .session_start = "1000",
	    .boot_id = "b"};
	struct login_start s[] = {local, local, local, local, local, local, local, local, local};
	struct login_start ssh = local;

	(void)state;
	assert_string_equal(of(local).remember, "local sudo asha /dev/pts/3 812 1000 b");
	s[0].peer = 1000;
	s[1].tty = "ssh";
	s[2].tty = ":0";
	s[3].tty = "";
	s[4].boot_id = "";
	s[5].session = "";
	/* Two sources must not share a key. */
	s[6].ruser = "asha /dev/pts/3";
	s[7].tty = "/dev/pts/3 812";
	/* A daemon, whose session all its clients share. */
	s[8].tty = "dovecot";
	for (size_t i = 0; i < COUNT(s); i++) {
		if (*of(s[i]).remember)
			fail_msg("row %zu: %s", i, of(s[i]).remember);
	}
	ssh.rhost = "192.0.2.7";
	ssh.fingerprint = "SHA256:x";
	assert_string_equal(of(ssh).remember, "ssh sudo 192.0.2.7 SHA256:x");
	ssh.peer = 1000;
	assert_string_equal(of(ssh).remember, "");
	ssh.peer = 0;
	ssh.service = "a b";
	assert_string_equal(of(ssh).remember, "");
}

static void
is_no_key(const char *type, const char *base64)
{
	struct source s = with_key(type, base64);

	ROW(!s.publickey, type);
	ROW(!*s.remember, type);
}

/* A certificate of an unknown type, or whose blob names another type than its line. */
static void
a_certificate_of_another_type_is_no_key(void **state)
{
	(void)state;
	for (size_t i = FIRST; i < COUNT(keys); i++) {
		for (size_t k = FIRST; k < COUNT(keys); k++)
			if (strcmp(keys[i].type, keys[k].type))
				is_no_key(keys[i].type, keys[k].base64);
		is_no_key("ssh-dss-cert-v01@openssh.com", keys[i].base64);
		is_no_key("ssh-ed25519-cert-v00@openssh.com", keys[i].base64);
		is_no_key("ssh-ed25519-cert-v01@example.com", keys[i].base64);
		is_no_key(keys[i].type, keys[PLAIN].base64);
	}
}

static void
encoded(const unsigned char *blob, size_t len, char *base64)
{
	(void)EVP_EncodeBlock((unsigned char *)base64, blob, (int)len);
}

static size_t
decoded(const struct key_row *row, unsigned char *blob)
{
	size_t len = strlen(row->base64);
	int bytes = EVP_DecodeBlock(blob, (const unsigned char *)row->base64, (int)len);

	assert_true(bytes > 2);
	return (size_t)bytes - strlen(row->base64 + strcspn(row->base64, "="));
}

/* A certificate that is cut off anywhere, has bytes behind it, or has one wrong byte. */
static void
a_certificate_that_is_not_whole_is_no_key(void **state)
{
	unsigned char blob[1024];
	char base64[1400];

	(void)state;
	for (size_t i = FIRST; i < COUNT(keys); i++) {
		size_t len = decoded(&keys[i], blob);

		blob[len] = 0;
		for (size_t cut = 1; cut < len; cut++) {
			encoded(blob, cut, base64);
			is_no_key(keys[i].type, base64);
		}
		encoded(blob, len + 1, base64);
		is_no_key(keys[i].type, base64);
		for (size_t at = 0; at < len; at++) {
			blob[at] ^= 0xff;
			encoded(blob, len, base64);
			(void)with_key(keys[i].type, base64);
			blob[at] ^= 0xff;
		}
		for (size_t byte = 0; byte < 4; byte++) {
			blob[byte] ^= 0xff;
			encoded(blob, len, base64);
			is_no_key(keys[i].type, base64);
			blob[byte] ^= 0xff;
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sources_are_what_the_host_says),
	    cmocka_unit_test(local_sources_differ_by_each_part),
	    cmocka_unit_test(networks_are_what_a_client_is_limited_by),
	    cmocka_unit_test(known_sources_are_network_and_key_or_a_terminal),
	    cmocka_unit_test(names_that_do_not_fit_make_no_known_source),
	    cmocka_unit_test(a_source_that_anybody_can_claim_is_not_remembered),
	    cmocka_unit_test(a_certificate_is_the_key_in_it),
	    cmocka_unit_test(a_certificate_of_another_type_is_no_key),
	    cmocka_unit_test(a_certificate_that_is_not_whole_is_no_key),
	};

	return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
