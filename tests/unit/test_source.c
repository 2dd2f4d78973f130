/*
 * Where a sign-in comes from (Q13, Q26, C24, U40): what a challenge is bound to, what a client is
 * limited by, and where a user is known.
 */
#include "tests/unit/unit.h"

#include "helpers/login.h"
#include "helpers/source.h"

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

/* A client is its IPv4 address, or the /64 that its IPv6 address is in (U40). */
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

/* Each row is one place, the same as that of the row before or not: or none. */
static void
places_are_network_and_key_or_who_calls(void **state)
{
	static const struct {
		const char *rhost, *ssh, *auth, *tty, *ruser;
		uid_t peer;
		const char *begins; /* "" for no place */
		bool same;	    /* as the row before */
	} rows[] = {
	    {"192.0.2.7", "", "", "ssh", "", 0, "net 192.0.2.7 ", false},
	    {"::ffff:192.0.2.7", "", "", "ssh", "", 0, "net 192.0.2.7 ", true},
	    {"192.0.2.7", "", "password", "/dev/pts/3", "bina", 0, "net 192.0.2.7 ", true},
	    {"192.0.2.8", "", "", "ssh", "", 0, "net 192.0.2.8 ", false},
	    {"192.0.2.8", "", KEY, "ssh", "", 0, "net 192.0.2.8 ", false},
	    {"192.0.2.8", "", "password\n" KEY "\n", "ssh", "", 0, "net 192.0.2.8 ", true},
	    {"192.0.2.8", "", KEY2, "ssh", "", 0, "net 192.0.2.8 ", false},
	    {"192.0.2.9", "", KEY2, "ssh", "", 0, "net 192.0.2.9 ", false},
	    {"2001:db8::1", "", KEY, "ssh", "", 0, "net 2001:db8::/64 ", false},
	    {"2001:db8::2:0:0:1", "", KEY, "ssh", "", 0, "net 2001:db8::/64 ", true},
	    {"2001:db8:0:1::1", "", KEY, "ssh", "", 0, "net 2001:db8:0:1::/64 ", false},
	    {"", "", "", "/dev/pts/3", "asha", 0, "user asha", false},
	    {"", "", "", "/dev/pts/4", "asha", 0, "user asha", true},
	    {"", "192.0.2.7 5 192.0.2.1 22", KEY, "/dev/pts/4", "asha", 0, "user asha", true},
	    {"", "", "", "/dev/pts/4", "bina", 0, "user bina", false},
	    {"", "", "", "/dev/tty1", "", 0, "tty /dev/tty1", false},
	    {"", "", "", "/dev/tty2", "", 0, "tty /dev/tty2", false},
	    {"", "", "", "", "", 0, "", false},
	    /* A name is nobody, and so is what a host makes up. */
	    {"host.example", "", "", "ssh", "asha", 0, "", false},
	    {"localhost", "", "", ":0", "", 0, "", false},
	    {"0.0.0.0", "", "", ":0", "asha", 0, "", false},
	    /* Nothing that a host of a user says is believed. */
	    {"192.0.2.7", "", KEY, "ssh", "", 1000, "", false},
	    {"", "", "", "/dev/tty1", "asha", 1000, "", false},
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
		ROW(!strncmp(s.place, rows[i].begins, len), name);
		ROW(len || !*s.place, name);
		if (len)
			ROW(!strcmp(s.place, before.place) == rows[i].same, name);
		/* The service is no part of it: who signed in by ssh may come for mail. */
		start.service = "y";
		ROW(!strcmp(of(start).place, s.place), name);
		before = s;
	}
}

/* What does not fit makes no key that two could share, and no place at all. */
static void
names_that_do_not_fit_make_no_place(void **state)
{
	static char tty[STORE_KEY_MAX + 10];
	struct source_row row = {"", "", "", "", tty, "7", 0, true, false, ""};
	struct source a, b;

	(void)state;
	memset(tty, 't', sizeof(tty) - 1);
	a = of(start_of(&row));
	b = of(start_of(&row));
	assert_string_equal(a.place, "");
	assert_false(a.joins);
	assert_string_not_equal(a.key, b.key);
	tty[STORE_KEY_MAX - strlen("tty ")] = '\0';
	a = of(start_of(&row));
	assert_int_equal(strlen(a.place), STORE_KEY_MAX);
	assert_false(a.joins);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sources_are_what_the_host_says),
	    cmocka_unit_test(local_sources_differ_by_each_part),
	    cmocka_unit_test(networks_are_what_a_client_is_limited_by),
	    cmocka_unit_test(places_are_network_and_key_or_who_calls),
	    cmocka_unit_test(names_that_do_not_fit_make_no_place),
	};

	return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
