/* Files that decide are judged first: kinds, owners, modes, links, paths (C16, C21, U49). */
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <time.h>

#include "common/err.h"
#include "common/trust.h"

enum { MAX = 64 };

static struct folder folder;

static int
setup(void **state)
{
	(void)state;
	folder_make(&folder);
	folder_write(&folder, "good", "content\n", 0640);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	folder_drop(&folder);
	return 0;
}

static int
judge(const char *name, enum trust_secrecy secrecy)
{
	_auto_secret struct secret s = {0};
	struct timespec before, after;
	int r;

	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	r = trust_read(folder_at(&folder, name), geteuid(), secrecy, MAX, &s);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(after.tv_sec - before.tv_sec < 5);
	if (r)
		assert_null(s.bytes);
	return r;
}

static void
a_good_file_is_read_whole(void **state)
{
	_auto_secret struct secret s = {0};
	char exact[MAX + 1];

	(void)state;
	assert_int_equal(
	    trust_read(folder_at(&folder, "good"), geteuid(), TRUST_SECRET, MAX, &s), 0);
	assert_int_equal(s.len, 8);
	assert_string_equal(secret_str(&s), "content\n");
	memset(exact, 'x', MAX);
	exact[MAX] = '\0';
	folder_write(&folder, "exact", exact, 0600);
	assert_int_equal(judge("exact", TRUST_SECRET), 0);
	folder_write(&folder, "empty", "", 0600);
	assert_int_equal(judge("empty", TRUST_SECRET), 0);
}

static void
modes_are_judged(void **state)
{
	static const struct {
		mode_t mode;
		int as_public, as_secret;
	} rows[] = {
	    {0600, 0, 0},
	    {0400, 0, 0},
	    {0640, 0, 0},
	    {0440, 0, 0},
	    {0644, 0, -OTP_EPERM},
	    {0604, 0, -OTP_EPERM},
	    {0660, -OTP_EPERM, -OTP_EPERM},
	    {0620, -OTP_EPERM, -OTP_EPERM},
	    {0602, -OTP_EPERM, -OTP_EPERM},
	    {0666, -OTP_EPERM, -OTP_EPERM},
	    {0777, -OTP_EPERM, -OTP_EPERM},
	    {01666, -OTP_EPERM, -OTP_EPERM},
	};
	char name[16];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)snprintf(name, sizeof(name), "%o", (unsigned)rows[i].mode);
		folder_write(&folder, name, "x", rows[i].mode);
		ROW(judge(name, TRUST_PUBLIC) == rows[i].as_public, name);
		ROW(judge(name, TRUST_SECRET) == rows[i].as_secret, name);
	}
}

static void
what_is_no_regular_file_is_refused(void **state)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(mkdir(folder_at(&folder, "dir"), 0700), 0);
	assert_int_equal(judge("dir", TRUST_PUBLIC), -OTP_EPERM);
	assert_int_equal(mkfifo(folder_at(&folder, "fifo"), 0600), 0);
	assert_int_equal(judge("fifo", TRUST_PUBLIC), -OTP_EPERM);
	assert_int_equal(symlink("good", folder_at(&folder, "link")), 0);
	assert_int_equal(judge("link", TRUST_PUBLIC), -OTP_EPERM);
	assert_int_equal(symlink("nowhere", folder_at(&folder, "dangling")), 0);
	assert_int_equal(judge("dangling", TRUST_PUBLIC), -OTP_EPERM);
	assert_int_equal(judge("missing", TRUST_PUBLIC), -OTP_ENOENT);
	assert_true(strlen(folder_at(&folder, "socket")) < sizeof(sun.sun_path));
	strcpy(sun.sun_path, folder.file);
	assert_int_equal(bind(s, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_true(judge("socket", TRUST_PUBLIC) < 0);
	assert_int_equal(close(s), 0);
	assert_true(judge("good/below", TRUST_PUBLIC) < 0);
}

static void
what_is_too_big_is_refused(void **state)
{
	char over[MAX + 2];
	int fd;

	(void)state;
	memset(over, 'x', MAX + 1);
	over[MAX + 1] = '\0';
	folder_write(&folder, "over", over, 0600);
	assert_int_equal(judge("over", TRUST_PUBLIC), -OTP_ETOOBIG);
	fd = open(folder_write(&folder, "huge", "", 0600), O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(judge("huge", TRUST_PUBLIC), -OTP_ETOOBIG);
}

static void
a_refusal_leaves_the_old_content(void **state)
{
	_auto_secret struct secret s = {0};

	(void)state;
	assert_int_equal(secret_set(&s, "old", 3), 0);
	assert_int_equal(
	    trust_read(folder_at(&folder, "missing"), geteuid(), TRUST_PUBLIC, MAX, &s),
	    -OTP_ENOENT);
	assert_string_equal(secret_str(&s), "old");
}

/* Only root can make files of other owners, and device nodes. */
static void
foreign_owners_and_devices_are_refused(void **state)
{
	enum { FRIEND = 64001, STRANGER = 64002 };
	_auto_secret struct secret s = {0};
	char culprit[512];

	(void)state;
	if (geteuid()) {
		print_message("skipped: needs root to make files of other owners\n");
		skip();
	}
	assert_int_equal(chown(folder_write(&folder, "theirs", "x", 0600), STRANGER, 0), 0);
	assert_int_equal(judge("theirs", TRUST_PUBLIC), -OTP_EPERM);
	assert_int_equal(trust_path(folder.file, FRIEND, culprit, sizeof(culprit)), -OTP_EPERM);
	assert_int_equal(chown(folder_write(&folder, "friend", "x", 0600), FRIEND, 0), 0);
	assert_int_equal(judge("friend", TRUST_PUBLIC), -OTP_EPERM);
	assert_int_equal(trust_read(folder.file, FRIEND, TRUST_SECRET, MAX, &s), 0);
	assert_int_equal(trust_path(folder.file, FRIEND, culprit, sizeof(culprit)), 0);
	assert_int_equal(mkdir(folder_at(&folder, "theirdir"), 0755), 0);
	assert_int_equal(chown(folder.file, STRANGER, 0), 0);
	folder_write(&folder, "theirdir/rootfile", "x", 0600);
	assert_int_equal(trust_path(folder.file, FRIEND, culprit, sizeof(culprit)), -OTP_EPERM);
	assert_string_equal(strrchr(culprit, '/'), "/theirdir");
	assert_int_equal(trust_read("/dev/null", 0, TRUST_PUBLIC, MAX, &s), -OTP_EPERM);
	assert_int_equal(trust_read("/dev/zero", 0, TRUST_PUBLIC, MAX, &s), -OTP_EPERM);
}

static void
paths_must_be_normal(void **state)
{
	static const char *const bad[] = {"", "relative", "./x", "../x", "//x", "/x//y", "/x/", "/",
	    "/.", "/..", "/x/.", "/x/..", "/x/./y", "/x/../y", "/etc/../etc/passwd"};
	static const char *const good[] = {"/.hidden", "/..two", "/x.", "/etc"};
	char culprit[64];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		ROW(trust_path(bad[i], 0, culprit, sizeof(culprit)) == -OTP_EINVAL, bad[i]);
	for (size_t i = 0; i < COUNT(good); i++)
		ROW(trust_path(good[i], 0, culprit, sizeof(culprit)) != -OTP_EINVAL, good[i]);
}

/* name below the folder, judged as a path; the culprit must be `blamed` below it. */
static void
path_is(const char *name, int want, const char *blamed)
{
	char culprit[512], path[512];

	(void)snprintf(path, sizeof(path), "%s", folder_at(&folder, name));
	if (trust_path(path, geteuid(), culprit, sizeof(culprit)) != want)
		fail_msg("%s", name);
	if (want && strcmp(culprit, folder_at(&folder, blamed)))
		fail_msg("%s: blamed %s", name, culprit);
}

static void
every_component_is_judged(void **state)
{
	(void)state;
	assert_int_equal(mkdir(folder_at(&folder, "a"), 0755), 0);
	assert_int_equal(mkdir(folder_at(&folder, "a/b"), 0755), 0);
	folder_write(&folder, "a/b/file", "x", 0644);
	path_is("a/b/file", 0, "");
	path_is("a/b/missing", 0, "");
	path_is("a/missing/file", -OTP_ESYS, "a/missing");
	path_is("good/file", -OTP_EPERM, "good");
	assert_int_equal(chmod(folder_at(&folder, "a"), 0775), 0);
	path_is("a/b/file", -OTP_EPERM, "a");
	assert_int_equal(chmod(folder_at(&folder, "a"), 0757), 0);
	path_is("a/b/file", -OTP_EPERM, "a");
	assert_int_equal(chmod(folder_at(&folder, "a"), 0755), 0);
	folder_write(&folder, "a/b/file", "x", 0664);
	path_is("a/b/file", -OTP_EPERM, "a/b/file");
	folder_write(&folder, "a/b/file", "x", 0646);
	path_is("a/b/file", -OTP_EPERM, "a/b/file");
	assert_int_equal(symlink("b", folder_at(&folder, "a/link")), 0);
	path_is("a/link/file", -OTP_EPERM, "a/link");
	path_is("a/link", -OTP_EPERM, "a/link");
}

/* A sticky folder is fine only where root owns it, for its owner may replace what is in it. */
static void
sticky_folders_must_be_roots(void **state)
{
	(void)state;
	assert_int_equal(mkdir(folder_at(&folder, "sticky"), 0700), 0);
	assert_int_equal(chmod(folder.file, 01777), 0);
	folder_write(&folder, "sticky/file", "x", 0600);
	path_is("sticky/file", geteuid() ? -OTP_EPERM : 0, "sticky");
	if (!geteuid()) {
		char culprit[512];

		assert_int_equal(chown(folder_at(&folder, "sticky"), 64001, 0), 0);
		assert_int_equal(
		    trust_path(folder_at(&folder, "sticky/file"), 64001, culprit, sizeof(culprit)),
		    -OTP_EPERM);
	}
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_good_file_is_read_whole),
	    TEST(modes_are_judged),
	    TEST(what_is_no_regular_file_is_refused),
	    TEST(what_is_too_big_is_refused),
	    TEST(a_refusal_leaves_the_old_content),
	    TEST(foreign_owners_and_devices_are_refused),
	    TEST(paths_must_be_normal),
	    TEST(every_component_is_judged),
	    TEST(sticky_folders_must_be_roots),
	};

	return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
