/*
 * Contacts in real files: what an address is, how contacts are read, and a writer that replaces the
 * whole file, works one at a time and follows no links (C12, C16, C21).
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "common/err.h"
#include "helpers/contacts/contacts.h"

static struct folder folder;
static char path[sizeof(folder.path) + 16];

static int
make(void **state)
{
	(void)state;
	folder_make(&folder);
	(void)snprintf(path, sizeof(path), "%s/contacts.db", folder.path);
	return 0;
}

static int
make_db(void **state)
{
	return make(state) || contacts_sqlite_create(path, geteuid(), getegid());
}

static int
drop(void **state)
{
	(void)state;
	folder_drop(&folder);
	return 0;
}

static const char *
beside(const char *suffix)
{
	static char name[sizeof(path) + 16];

	(void)snprintf(name, sizeof(name), "%s%s", path, suffix);
	return name;
}

static struct contact
a_contact(const char *user, enum contact_kind kind, const char *address)
{
	struct contact c = {.kind = kind};

	strcpy(c.user, user);
	strcpy(c.address, address);
	return c;
}

static int
add(const char *user, enum contact_kind kind, const char *address, bool preferred)
{
	struct contact c = a_contact(user, kind, address);
	struct contacts_edit *e;
	int r = contacts_edit_begin(path, &e);

	if (r)
		return r;
	c.preferred = preferred;
	r = contacts_edit_add(e, &c);
	if (!r)
		return contacts_edit_commit(e);
	contacts_edit_abort(e);
	return r;
}

static int
try_open(void)
{
	struct contacts *c = NULL;
	int r = contacts_sqlite_open(path, geteuid(), &c);

	if (!r)
		c->ops->close(c);
	return r;
}

static int
find(const char *user, struct contact_list *out)
{
	struct contacts *c = NULL;
	int r = contacts_sqlite_open(path, geteuid(), &c);

	if (r)
		return r;
	r = c->ops->find(c, user, out);
	c->ops->close(c);
	return r;
}

static size_t
count_of(const char *user)
{
	struct contact_list l;
	size_t n;

	assert_int_equal(find(user, &l), 0);
	n = l.n;
	contact_list_free(&l);
	return n;
}

static void
script(const char *file, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* --- addresses ----------------------------------------------------------------------------- */

/* test_email.c tests e-mail addresses. */
static void
addresses_are_judged(void **state)
{
	static const struct {
		enum contact_kind kind;
		const char *address;
		int r;
	} t[] = {
	    {CONTACT_PHONE, "+9779812345678", 0},
	    {CONTACT_PHONE, "+12025550123", 0},
	    {CONTACT_PHONE, "+12345678", 0},
	    {CONTACT_PHONE, "+123456789012345", 0},
	    {CONTACT_PHONE, "+1234567", -OTP_EINVAL},
	    {CONTACT_PHONE, "+1234567890123456", -OTP_EINVAL},
	    {CONTACT_PHONE, "9779812345678", -OTP_EINVAL},
	    {CONTACT_PHONE, "+0779812345678", -OTP_EINVAL},
	    {CONTACT_PHONE, "009779812345678", -OTP_EINVAL},
	    {CONTACT_PHONE, "+977 9812345678", -OTP_EINVAL},
	    {CONTACT_PHONE, "+977-9812345678", -OTP_EINVAL},
	    {CONTACT_PHONE, "+9779812345678\n", -OTP_EINVAL},
	    {CONTACT_PHONE, "++779812345678", -OTP_EINVAL},
	    {CONTACT_PHONE, "+", -OTP_EINVAL},
	    {CONTACT_PHONE, "", -OTP_EINVAL},
	    {CONTACT_EMAIL, "asha@example.com", 0},
	    {CONTACT_EMAIL, "asha@localhost", -OTP_EINVAL},
	    {CONTACT_EMAIL, "asha", -OTP_EINVAL},
	    {CONTACT_EMAIL, "+9779812345678", -OTP_EINVAL},
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int r = contact_check(t[i].kind, t[i].address, &why);

		if (r != t[i].r)
			fail_msg("%s: %d", t[i].address, r);
		assert_int_equal(r == 0, !*why);
	}
}

/* A plus sign decides nothing: it may start both kinds of address. */
static void
an_address_alone_has_a_kind_and_a_mask(void **state)
{
	static const struct {
		const char *address;
		enum contact_kind kind;
		const char *masked;
	} t[] = {
	    {"+919876543219", CONTACT_PHONE, "+91 ******** 19"},
	    {"asha@example.com", CONTACT_EMAIL, "a***@e***.com"},
	    {"+919876543219@example.com", CONTACT_EMAIL, "+***@e***.com"},
	};
	char masked[CONTACT_ADDRESS_MAX + 1];
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(contact_check(t[i].kind, t[i].address, &why), 0);
		assert_int_equal(contact_kind_of(t[i].address), t[i].kind);
		assert_string_equal(
		    contact_masked(masked, sizeof(masked), t[i].address), t[i].masked);
	}
}

/* --- reading ------------------------------------------------------------------------------- */

static void
contacts_come_back_preferred_first_then_by_age(void **state)
{
	struct contact c = a_contact("asha", CONTACT_PHONE, "+9779812345678");
	struct contacts_edit *e;
	struct contact_list l;

	(void)state;
	strcpy(c.label, "work \xe0\xa4\x95");
	c.verified_at = 1700000000;
	assert_int_equal(contacts_edit_begin(path, &e), 0);
	assert_int_equal(contacts_edit_add(e, &c), 0);
	assert_int_equal(contacts_edit_commit(e), 0);
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000002", false), 0);
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000003", true), 0);
	assert_int_equal(add("bela", CONTACT_EMAIL, "bela@example.com", false), 0);
	assert_int_equal(find("asha", &l), 0);
	assert_int_equal(l.n, 3);
	assert_string_equal(l.item[0].address, "+9779800000003");
	assert_true(l.item[0].preferred);
	assert_string_equal(l.item[1].address, "+9779812345678");
	assert_string_equal(l.item[1].user, "asha");
	assert_string_equal(l.item[1].label, "work \xe0\xa4\x95");
	assert_int_equal(l.item[1].kind, CONTACT_PHONE);
	assert_int_equal(l.item[1].verified_at, 1700000000);
	assert_false(l.item[1].preferred);
	assert_string_equal(l.item[2].address, "+9779800000002");
	contact_list_free(&l);
	assert_int_equal(find("bela", &l), 0);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.item[0].kind, CONTACT_EMAIL);
	contact_list_free(&l);
	assert_int_equal(count_of("nobody"), 0);
	assert_int_equal(count_of("Asha"), 0);
	assert_int_equal(count_of(""), 0);
	assert_int_equal(count_of("asha' OR 1=1 --"), 0);
}

static void
only_one_of_a_kind_is_preferred(void **state)
{
	struct contact_list l;

	(void)state;
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000001", true), 0);
	assert_int_equal(add("asha", CONTACT_EMAIL, "asha@example.com", true), 0);
	assert_int_equal(add("bela", CONTACT_PHONE, "+9779800000001", true), 0);
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000002", true), 0);
	assert_int_equal(find("asha", &l), 0);
	assert_int_equal(l.n, 3);
	assert_string_equal(l.item[0].address, "asha@example.com");
	assert_string_equal(l.item[1].address, "+9779800000002");
	assert_string_equal(l.item[2].address, "+9779800000001");
	assert_false(l.item[2].preferred);
	contact_list_free(&l);
	assert_int_equal(find("bela", &l), 0);
	assert_true(l.item[0].preferred);
	contact_list_free(&l);
}

static void
reader_keeps_the_file_it_opened(void **state)
{
	struct contacts *c;
	struct contact_list l;

	(void)state;
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000001", false), 0);
	assert_int_equal(contacts_sqlite_open(path, geteuid(), &c), 0);
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000002", false), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(c->ops->find(c, "asha", &l), 0);
	assert_int_equal(l.n, 1);
	contact_list_free(&l);
	c->ops->close(c);
}

static void
reading_leaves_no_trace(void **state)
{
	struct stat before, after;

	(void)state;
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(count_of("asha"), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
	assert_int_equal(access(beside("-journal"), F_OK), -1);
	assert_int_equal(access(beside("-wal"), F_OK), -1);
	assert_int_equal(access(beside("-shm"), F_OK), -1);
}

static void
missing_file_is_an_error(void **state)
{
	struct contacts_edit *e;

	(void)state;
	assert_int_equal(try_open(), -OTP_ESTORE);
	assert_int_equal(contacts_edit_begin(path, &e), -OTP_ESTORE);
	assert_int_equal(access(path, F_OK), -1);
}

static void
empty_foreign_and_other_versions_are_errors(void **state)
{
	char page[8192];
	int fd;

	(void)state;
	fd = open(path, O_WRONLY | O_CREAT, 0640);
	assert_int_equal(try_open(), -OTP_ESTORE);
	memset(page, 'x', sizeof(page));
	assert_int_equal(write(fd, page, sizeof(page)), (ssize_t)sizeof(page));
	close(fd);
	assert_int_equal(try_open(), -OTP_ESTORE);
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000001", false), -OTP_ESTORE);
	assert_int_equal(unlink(path), 0);
	script(path, "CREATE TABLE contact (user TEXT)");
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(try_open(), -OTP_ESTORE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(contacts_sqlite_create(path, geteuid(), getegid()), 0);
	script(path, "PRAGMA user_version = 2");
	assert_int_equal(try_open(), -OTP_ESTORE);
	script(path, "PRAGMA user_version = 1");
	assert_int_equal(try_open(), 0);
	script(path, "DROP TABLE contact");
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000001", false), -OTP_ESTORE);
}

static void
cut_file_is_an_error(void **state)
{
	struct contact_list l;
	struct stat st;

	(void)state;
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000001", false), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 4096);
	assert_int_equal(truncate(path, 4096), 0);
	assert_int_equal(find("asha", &l), -OTP_ESTORE);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(find("asha", &l), -OTP_ESTORE);
}

static void
malformed_rows_are_an_error(void **state)
{
	struct contact_list l;

	(void)state;
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000001", false), 0);
	script(path,
	    "INSERT INTO contact VALUES (9, 'bela', 'phone', printf('+%0300d', 1), '', 0, 0, 0)");
	assert_int_equal(find("bela", &l), -OTP_ESTORE);
	assert_int_equal(l.n, 0);
	assert_int_equal(count_of("asha"), 1);
	script(path, "UPDATE contact SET address = CAST(x'2b3937003132' AS TEXT) WHERE id = 9");
	assert_int_equal(find("bela", &l), -OTP_ESTORE);
}

static void
views_and_triggers_in_the_file_do_not_run(void **state)
{
	struct contact_list l;

	(void)state;
	script(path, "CREATE TRIGGER t AFTER INSERT ON contact BEGIN "
		     "UPDATE contact SET address = '+19995550000'; END");
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000001", false), 0);
	assert_int_equal(find("asha", &l), 0);
	assert_string_equal(l.item[0].address, "+9779800000001");
	contact_list_free(&l);
	script(path, "DROP TRIGGER t; ALTER TABLE contact RENAME TO real;"
		     "CREATE VIEW contact AS SELECT 1 AS id, 'asha' AS user, 'phone' AS kind, "
		     "'+19995550000' AS address, '' AS label, 0 AS verified_at, 0 AS preferred");
	assert_int_equal(find("asha", &l), -OTP_ESTORE);
}

static void
links_fifos_owners_and_modes_are_judged(void **state)
{
	char real[sizeof(folder.path) + 16];

	(void)state;
	(void)snprintf(real, sizeof(real), "%s/real.db", folder.path);
	assert_int_equal(rename(path, real), 0);
	assert_int_equal(symlink(real, path), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000001", false), -OTP_EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0640), 0);
	(void)alarm(10);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000001", false), -OTP_EPERM);
	(void)alarm(0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rename(real, path), 0);
	assert_int_equal(chmod(path, 0660), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(chmod(path, 0642), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(try_open(), 0);
	if (geteuid() != 0) {
		print_message("other owners: not tested, only root can give a file away\n");
		return;
	}
	assert_int_equal(chown(path, 65534, 0), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	/* A hard link to a file of another user is still owned by that user. */
	assert_int_equal(rename(path, real), 0);
	assert_int_equal(link(real, path), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
}

/* --- writing ------------------------------------------------------------------------------- */

static void
created_once_with_its_mode(void **state)
{
	struct stat st;

	(void)state;
	(void)umask(0);
	assert_int_equal(contacts_sqlite_create(path, geteuid(), getegid()), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(contacts_sqlite_create(path, geteuid(), getegid()), -OTP_EEXIST);
	assert_int_equal(access(beside(".new"), F_OK), -1);
	assert_int_equal(count_of("asha"), 0);
}

static void
create_replaces_nothing(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(symlink("/nonexistent/x", path), 0);
	assert_int_equal(contacts_sqlite_create(path, geteuid(), getegid()), -OTP_EEXIST);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void
edit_keeps_owner_group_and_mode(void **state)
{
	struct stat st;
	gid_t group = geteuid() == 0 ? 65534 : getegid();

	(void)state;
	assert_int_equal(chown(path, (uid_t)-1, group), 0);
	assert_int_equal(chmod(path, 0440), 0);
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000001", false), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0440);
	assert_int_equal(st.st_gid, group);
	assert_int_equal(st.st_uid, geteuid());
}

static void
an_address_is_added_once(void **state)
{
	(void)state;
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000001", false), 0);
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000001", false), -OTP_EEXIST);
	assert_int_equal(add("bela", CONTACT_PHONE, "+9779800000001", false), 0);
	assert_int_equal(add("asha", CONTACT_EMAIL, "Asha@Example.com", false), 0);
	assert_int_equal(add("asha", CONTACT_EMAIL, "asha@example.com", false), -OTP_EEXIST);
	assert_int_equal(count_of("asha"), 2);
}

static void
malformed_contacts_are_not_added(void **state)
{
	struct contact c = a_contact("asha", CONTACT_PHONE, "+9779800000001");
	struct contacts_edit *e;

	(void)state;
	assert_int_equal(add("", CONTACT_PHONE, "+9779800000001", false), -OTP_EINVAL);
	assert_int_equal(add("asha", CONTACT_EMAIL, "+9779800000001", false), -OTP_EINVAL);
	assert_int_equal(add("asha", CONTACT_PHONE, "12", false), -OTP_EINVAL);
	assert_int_equal(contacts_edit_begin(path, &e), 0);
	strcpy(c.label, "red \033[31m");
	assert_int_equal(contacts_edit_add(e, &c), -OTP_EINVAL);
	contacts_edit_abort(e);
	assert_int_equal(count_of("asha"), 0);
}

static void
removes_one_or_all(void **state)
{
	struct contacts_edit *e;
	int n = -1;

	(void)state;
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000001", false), 0);
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000002", false), 0);
	assert_int_equal(add("asha", CONTACT_EMAIL, "asha@example.com", false), 0);
	assert_int_equal(add("bela", CONTACT_PHONE, "+9779800000001", false), 0);
	assert_int_equal(contacts_edit_begin(path, &e), 0);
	assert_int_equal(contacts_edit_remove(e, "asha", "+9779800000009", &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(contacts_edit_remove(e, "asha", "+9779800000001", &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(contacts_edit_commit(e), 0);
	assert_int_equal(count_of("asha"), 2);
	assert_int_equal(contacts_edit_begin(path, &e), 0);
	assert_int_equal(contacts_edit_remove(e, "asha", NULL, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(contacts_edit_commit(e), 0);
	assert_int_equal(count_of("asha"), 0);
	assert_int_equal(count_of("bela"), 1);
}

static void
aborted_edit_changes_nothing(void **state)
{
	struct contact c = a_contact("asha", CONTACT_PHONE, "+9779800000001");
	struct contacts_edit *e;

	(void)state;
	assert_int_equal(contacts_edit_begin(path, &e), 0);
	assert_int_equal(contacts_edit_add(e, &c), 0);
	contacts_edit_abort(e);
	assert_int_equal(count_of("asha"), 0);
	assert_int_equal(access(beside(".new"), F_OK), -1);
}

static int
count_one(const struct contact *c, void *arg)
{
	(void)c;
	++*(int *)arg;
	return 0;
}

static void
listing_is_ordered_and_filtered(void **state)
{
	int n = 0;

	(void)state;
	assert_int_equal(add("bela", CONTACT_PHONE, "+9779800000001", false), 0);
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000001", false), 0);
	assert_int_equal(contacts_sqlite_each(path, NULL, count_one, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(contacts_sqlite_each(path, "asha", count_one, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(contacts_sqlite_each(path, "nobody", count_one, &n), 0);
	assert_int_equal(n, 3);
}

/* C16: what links under the names of the writer point to does not change. */
static void
writer_follows_no_link(void **state)
{
	char victim[sizeof(folder.path) + 16];
	struct stat st;
	int fd;

	(void)state;
	(void)snprintf(victim, sizeof(victim), "%s/victim", folder.path);
	fd = open(victim, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "precious", 8), 8);
	close(fd);
	for (int hard = 0; hard < 2; hard++) {
		(void)unlink(beside(".new"));
		assert_int_equal(
		    hard ? link(victim, beside(".new")) : symlink(victim, beside(".new")), 0);
		assert_int_equal(
		    add("asha", CONTACT_PHONE, hard ? "+9779800000001" : "+9779800000002", false),
		    0);
		assert_int_equal(stat(victim, &st), 0);
		assert_int_equal(st.st_size, 8);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	assert_int_equal(unlink(beside(".lock")), 0);
	assert_int_equal(symlink(victim, beside(".lock")), 0);
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000003", false), -OTP_ESTORE);
	assert_int_equal(count_of("asha"), 2);
}

static void
folder_that_others_may_write_is_refused(void **state)
{
	char link_path[sizeof(folder.path) + 32];
	struct contacts_edit *e;

	(void)state;
	assert_int_equal(chmod(folder.path, 0770), 0);
	assert_int_equal(contacts_edit_begin(path, &e), -OTP_EPERM);
	assert_int_equal(chmod(folder.path, 0777), 0);
	assert_int_equal(contacts_edit_begin(path, &e), -OTP_EPERM);
	assert_int_equal(chmod(folder.path, 0700), 0);
	(void)snprintf(link_path, sizeof(link_path), "%s-link", folder.path);
	assert_int_equal(symlink(folder.path, link_path), 0);
	strcat(link_path, "/contacts.db");
	assert_int_equal(contacts_edit_begin(link_path, &e), -OTP_EPERM);
	*strrchr(link_path, '/') = '\0';
	assert_int_equal(unlink(link_path), 0);
	assert_int_equal(contacts_edit_begin("contacts.db", &e), -OTP_EINVAL);
	assert_int_equal(contacts_edit_begin("/nonexistent/contacts.db", &e), -OTP_ESTORE);
	if (geteuid() != 0) {
		print_message("other owners: not tested, only root can give a folder away\n");
		return;
	}
	assert_int_equal(chown(folder.path, 65534, 0), 0);
	assert_int_equal(contacts_edit_begin(path, &e), -OTP_EPERM);
	assert_int_equal(contacts_sqlite_create(path, 0, 0), -OTP_EPERM);
}

static void
writers_go_one_at_a_time(void **state)
{
	enum { WRITERS = 32 };
	pid_t pid[WRITERS];
	char address[32];
	int status;

	(void)state;
	for (int i = 0; i < WRITERS; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] == 0) {
			(void)snprintf(address, sizeof(address), "+97798000000%02d", i);
			_exit(-add("asha", CONTACT_PHONE, address, false));
		}
	}
	for (int i = 0; i < WRITERS; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	assert_int_equal(count_of("asha"), WRITERS);
}

static void
add_until_killed(int round)
{
	char address[32];

	for (int i = 0;; i++) {
		(void)snprintf(address, sizeof(address), "+9%05d%06d", round, i);
		if (add("asha", CONTACT_PHONE, address, false))
			_exit(1);
	}
}

static void
killed_writers_leave_a_whole_file(void **state)
{
	size_t before = 0, now;
	int status;
	pid_t pid;

	(void)state;
	srand(20261122);
	for (int round = 0; round < 20; round++) {
		const struct timespec ts = {.tv_nsec = (1 + rand() % 30) * 1000000L};

		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			add_until_killed(round);
		(void)nanosleep(&ts, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		now = count_of("asha");
		assert_true(now >= before);
		before = now;
	}
	assert_true(before > 0);
	assert_int_equal(add("bela", CONTACT_PHONE, "+9779800000001", false), 0);
}

static void
want_of_space_leaves_the_old_file(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(add("asha", CONTACT_PHONE, "+9779800000001", false), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit small = {4096, 4096};

		(void)signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &small))
			_exit(99);
		_exit(-add("asha", CONTACT_PHONE, "+9779800000002", false));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), OTP_ESTORE);
	assert_int_equal(access(beside(".new"), F_OK), -1);
	assert_int_equal(count_of("asha"), 1);
}

#define NO_FILE(f)   cmocka_unit_test_setup_teardown(f, make, drop)
#define WITH_FILE(f) cmocka_unit_test_setup_teardown(f, make_db, drop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_are_judged),
	    cmocka_unit_test(an_address_alone_has_a_kind_and_a_mask),
	    WITH_FILE(contacts_come_back_preferred_first_then_by_age),
	    WITH_FILE(only_one_of_a_kind_is_preferred),
	    WITH_FILE(reader_keeps_the_file_it_opened),
	    WITH_FILE(reading_leaves_no_trace),
	    NO_FILE(missing_file_is_an_error),
	    NO_FILE(empty_foreign_and_other_versions_are_errors),
	    WITH_FILE(cut_file_is_an_error),
	    WITH_FILE(malformed_rows_are_an_error),
	    WITH_FILE(views_and_triggers_in_the_file_do_not_run),
	    WITH_FILE(links_fifos_owners_and_modes_are_judged),
	    NO_FILE(created_once_with_its_mode),
	    NO_FILE(create_replaces_nothing),
	    WITH_FILE(edit_keeps_owner_group_and_mode),
	    WITH_FILE(an_address_is_added_once),
	    WITH_FILE(malformed_contacts_are_not_added),
	    WITH_FILE(removes_one_or_all),
	    WITH_FILE(aborted_edit_changes_nothing),
	    WITH_FILE(listing_is_ordered_and_filtered),
	    WITH_FILE(writer_follows_no_link),
	    WITH_FILE(folder_that_others_may_write_is_refused),
	    WITH_FILE(writers_go_one_at_a_time),
	    WITH_FILE(killed_writers_leave_a_whole_file),
	    WITH_FILE(want_of_space_leaves_the_old_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
