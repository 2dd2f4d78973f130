/*
 * The file of the store: how it is made, checked, opened and upgraded from an older schema.
 * Anything else under its name is refused (U3, C1, C16).
 */
#include "tests/unit/store_rig.h"

/* --- the file ------------------------------------------------------------------------------ */

static int
try_open(void)
{
	struct store *s = NULL;
	int r = store_sqlite_open(dir, NULL, NULL, &s);

	if (!r)
		s->ops->close(s);
	return r;
}

static void
creates_privately_and_once(void **state)
{
	char reserve[sizeof(dir) + 16];
	struct stat st;

	(void)state;
	(void)umask(0);
	assert_int_equal(store_sqlite_create(dir), 0);
	assert_int_equal(stat(db_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(store_sqlite_create(dir), -OTP_EEXIST);
	assert_int_equal(try_open(), 0);
	(void)snprintf(reserve, sizeof(reserve), "%s/store.db-wal", dir);
	assert_int_equal(stat(reserve, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	(void)snprintf(reserve, sizeof(reserve), "%s/reserve", dir);
	assert_int_equal(stat(reserve, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, STORE_RESERVE);
	assert_true(st.st_blocks * 512 >= STORE_RESERVE);
	(void)snprintf(reserve, sizeof(reserve), "%s/store.db.new", dir);
	assert_int_not_equal(stat(reserve, &st), 0);
}

static void
create_cleans_up_after_a_dead_process(void **state)
{
	char left[sizeof(dir) + 32];
	int fd;

	(void)state;
	(void)snprintf(left, sizeof(left), "%s/store.db.new", dir);
	fd = open(left, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "half", 4), 4);
	close(fd);
	assert_int_equal(store_sqlite_create(dir), 0);
	assert_int_equal(try_open(), 0);
}

static void
file_with(const char *bytes)
{
	int fd = open(db_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	close(fd);
}

static void
missing_store_is_broken_and_not_made(void **state)
{
	(void)state;
	assert_int_equal(try_open(), -OTP_ESTORE);
	assert_int_equal(access(db_path, F_OK), -1);
}

static void
empty_store_is_broken(void **state)
{
	(void)state;
	file_with("");
	assert_int_equal(try_open(), -OTP_ESTORE);
}

static void
garbage_is_broken(void **state)
{
	char page[8192];

	(void)state;
	memset(page, 'x', sizeof(page) - 1);
	page[sizeof(page) - 1] = '\0';
	file_with(page);
	assert_int_equal(try_open(), -OTP_ESTORE);
}

static void
foreign_database_is_broken(void **state)
{
	(void)state;
	script("CREATE TABLE challenge (id TEXT)");
	assert_int_equal(chmod(db_path, 0600), 0);
	assert_int_equal(try_open(), -OTP_ESTORE);
}

static void
other_schema_version_is_broken(void **state)
{
	(void)state;
	assert_int_equal(store_sqlite_create(dir), 0);
	for (int version = 0; version < 7; version++) {
		char sql[64];

		if (version == 2 || version == 3)
			continue; /* is upgraded */

		(void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", version);
		script(sql);
		assert_int_equal(try_open(), version == 4 ? 0 : -OTP_ESTORE);
	}
}

static void
links_and_fifos_are_refused(void **state)
{
	char other[sizeof(top.path) + 16];

	(void)state;
	assert_int_equal(store_sqlite_create(dir), 0);
	(void)snprintf(other, sizeof(other), "%s/other.db", top.path);
	assert_int_equal(rename(db_path, other), 0);
	assert_int_equal(symlink(other, db_path), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(store_sqlite_create(dir), -OTP_EEXIST);
	assert_int_equal(unlink(db_path), 0);
	assert_int_equal(link(other, db_path), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(unlink(db_path), 0);
	assert_int_equal(mkfifo(db_path, 0600), 0);
	(void)alarm(10);
	assert_int_equal(try_open(), -OTP_EPERM);
	(void)alarm(0);
	assert_int_equal(store_sqlite_create(dir), -OTP_EEXIST);
}

static void
planted_companions_are_refused(void **state)
{
	static const char *const suffix[] = {"-wal", "-shm"};
	char name[sizeof(db_path) + 8], victim[sizeof(top.path) + 16];
	struct stat st;

	(void)state;
	assert_int_equal(store_sqlite_create(dir), 0);
	(void)snprintf(victim, sizeof(victim), "%s/victim", top.path);
	close(open(victim, O_WRONLY | O_CREAT, 0600));
	for (size_t i = 0; i < sizeof(suffix) / sizeof(suffix[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", db_path, suffix[i]);
		(void)unlink(name);
		assert_int_equal(symlink(victim, name), 0);
		assert_int_equal(try_open(), -OTP_EPERM);
		assert_int_equal(unlink(name), 0);
		assert_int_equal(link(victim, name), 0);
		assert_int_equal(try_open(), -OTP_EPERM);
		assert_int_equal(unlink(name), 0);
		assert_int_equal(mkfifo(name, 0600), 0);
		(void)alarm(10);
		assert_int_equal(try_open(), -OTP_EPERM);
		(void)alarm(0);
		assert_int_equal(unlink(name), 0);
		assert_int_equal(stat(victim, &st), 0);
		assert_int_equal(st.st_size, 0);
	}
	assert_int_equal(try_open(), 0);
}

static void
wrong_owner_or_mode_is_refused(void **state)
{
	(void)state;
	assert_int_equal(store_sqlite_create(dir), 0);
	assert_int_equal(chmod(db_path, 0606), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(chmod(db_path, 0620), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(chmod(db_path, 0600), 0);
	assert_int_equal(chmod(dir, 0770), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(store_sqlite_create(dir), -OTP_EPERM);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(try_open(), 0);
	if (geteuid() != 0) {
		print_message("other owners: not tested, only root can give a file away\n");
		return;
	}
	assert_int_equal(chown(db_path, 65534, 65534), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(chown(db_path, 0, 0), 0);
	assert_int_equal(chown(dir, 65534, 65534), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
}

static void
linked_folder_is_refused(void **state)
{
	char real[sizeof(top.path) + 16];

	(void)state;
	assert_int_equal(store_sqlite_create(dir), 0);
	(void)snprintf(real, sizeof(real), "%s/real", top.path);
	assert_int_equal(rename(dir, real), 0);
	assert_int_equal(symlink(real, dir), 0);
	assert_int_equal(try_open(), -OTP_EPERM);
	assert_int_equal(unlink(dir), 0);
	assert_int_equal(try_open(), -OTP_ESTORE);
}

/* Links and a fifo under the name of the reserve file: what they point to must not change. */
static void
reserve_follows_no_link(void **state)
{
	char reserve[sizeof(dir) + 16], victim[sizeof(top.path) + 16];
	struct stat st;
	int fd, dirfd;

	(void)state;
	assert_int_equal(store_sqlite_create(dir), 0);
	(void)snprintf(reserve, sizeof(reserve), "%s/reserve", dir);
	(void)snprintf(victim, sizeof(victim), "%s/victim", top.path);
	fd = open(victim, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "precious", 8), 8);
	close(fd);
	dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	for (int hard = 0; hard < 2; hard++) {
		assert_int_equal(unlink(reserve), 0);
		assert_int_equal(hard ? link(victim, reserve) : symlink(victim, reserve), 0);
		assert_int_equal(try_open(), 0);
		assert_false(reserve_release(dirfd));
		assert_int_equal(stat(victim, &st), 0);
		assert_int_equal(st.st_size, 8);
	}
	assert_int_equal(unlink(reserve), 0);
	assert_int_equal(mkfifo(reserve, 0600), 0);
	(void)alarm(10);
	assert_int_equal(try_open(), 0);
	assert_false(reserve_release(dirfd));
	(void)alarm(0);
	close(dirfd);
}

static void
reserve_is_made_whole_again(void **state)
{
	char reserve[sizeof(dir) + 16];
	struct stat st;
	int dirfd;

	(void)state;
	(void)snprintf(reserve, sizeof(reserve), "%s/reserve", dir);
	dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	assert_true(reserve_release(dirfd));
	assert_int_equal(stat(reserve, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_false(reserve_release(dirfd));
	assert_int_equal(try_open(), 0);
	assert_int_equal(stat(reserve, &st), 0);
	assert_int_equal(st.st_size, STORE_RESERVE);
	close(dirfd);
}

static void
damaged_pages_never_pass_for_an_empty_store(void **state)
{
	struct challenge c;
	char junk[4096];
	struct stat st;
	int fd;

	(void)state;
	put(ID_A);
	store->ops->close(store);
	store = NULL;
	script("PRAGMA wal_checkpoint(TRUNCATE)");
	fd = open(db_path, O_WRONLY);
	assert_int_equal(fstat(fd, &st), 0);
	memset(junk, 0xee, sizeof(junk));
	for (off_t o = 4096; o < st.st_size; o += 4096)
		assert_int_equal(pwrite(fd, junk, sizeof(junk), o), (ssize_t)sizeof(junk));
	close(fd);
	assert_int_equal(store_sqlite_open(dir, NULL, NULL, &store), 0);
	assert_int_equal(find_at(0, "asha", "sshd", HOME, &c), -OTP_ESTORE);
	assert_int_equal(consume_at(0, ID_A, &asha, ""), -OTP_ESTORE);
}

/* --- from schema 1 ------------------------------------------------------------------------- */

/* Exactly as that version made it. */
static const char schema_1[] =
    "CREATE TABLE send_event ("
    " reservation INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,"
    " at_ms INTEGER NOT NULL, keep_ms INTEGER NOT NULL) STRICT;"
    "CREATE INDEX send_event_window ON send_event (kind, key, at_ms);"
    "CREATE INDEX send_event_reservation ON send_event (reservation);"
    "CREATE INDEX send_event_keep ON send_event (keep_ms);"
    "CREATE TABLE challenge ("
    " id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL CHECK (state IN ('live', 'used', 'dead')),"
    " user TEXT NOT NULL, service TEXT NOT NULL, source TEXT NOT NULL,"
    " channel TEXT NOT NULL, provider TEXT NOT NULL, address TEXT NOT NULL,"
    " mac BLOB, captures TEXT, boot_id TEXT NOT NULL, expires_boot_ms INTEGER NOT NULL,"
    " sent_ms INTEGER NOT NULL, tries INTEGER NOT NULL, reservation INTEGER NOT NULL,"
    " keep_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX challenge_owner ON challenge (user, service, source, state);"
    "CREATE INDEX challenge_address ON challenge (provider, address, state);"
    "CREATE INDEX challenge_keep ON challenge (keep_ms);"
    "CREATE TABLE budget ("
    " key TEXT NOT NULL PRIMARY KEY, failures INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
    " keep_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX budget_keep ON budget (keep_ms);"
    "CREATE TABLE known_source ("
    " user TEXT NOT NULL, source TEXT NOT NULL, seen_ms INTEGER NOT NULL,"
    " PRIMARY KEY (user, source)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE provider_credits ("
    " provider TEXT NOT NULL, channel TEXT NOT NULL, credits INTEGER NOT NULL,"
    " said_ms INTEGER NOT NULL, PRIMARY KEY (provider, channel)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE provider_session ("
    " key TEXT NOT NULL PRIMARY KEY, sealed BLOB NOT NULL, keep_ms INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID;";

/* The times are at(0), five minutes later, and a day later for messages. */
static const char rows_1[] =
    "INSERT INTO send_event VALUES"
    " (77, 'user', 'user:asha', 1000000000000, 1000086400000),"
    " (78, 'user', 'user-decoy:7', 1000000000000, 1000086400000);"
    "INSERT INTO challenge VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'live', 'asha', 'sshd',"
    " 'ssh 192.0.2.1 SHA256:abc', 'sms', 'tingting', '+9779812345678',"
    " NULL,"
    " '{\"sealed\":\"0011\"}', '11111111-2222-3333-4444-555555555555', 5300000, 1000000000000,"
    " 2, 77, 1000086400000);"
    "UPDATE challenge SET mac = CAST('the right code, sealed in 32 by' || char(0) AS BLOB);"
    "INSERT INTO challenge VALUES ('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'used', 'asha', 'sudo',"
    " 'other', 'sms', 'tingting', '+9779812345678', NULL, NULL,"
    " '11111111-2222-3333-4444-555555555555', 5300000, 1000000000000, 1, 79, 1000086400000);"
    "INSERT INTO budget VALUES ('user:asha', 3, 1000000000000, 1002592000000),"
    " ('user-decoy:7', 2, 1000000000000, 1002592000000),"
    " ('peer:a:b', 8, 1000000000000, 1002592000000),"
    " ('peer-decoy:9', 1, 1000000000000, 1002592000000),"
    " ('odd', 1, 1000000000000, 1002592000000);"
    "INSERT INTO provider_credits VALUES ('tingting', 'sms', 42, 1000000000000);"
    "INSERT INTO provider_session VALUES ('tingting', CAST('sealed token' AS BLOB),"
    " 1000086400000);";

static void
make_schema_1(void)
{
	script("PRAGMA journal_mode = WAL; PRAGMA application_id = 1869901939;"
	       "PRAGMA user_version = 1");
	assert_int_equal(chmod(db_path, 0600), 0);
	script(schema_1);
	script(rows_1);
}

static int
credits_are_42(
    const char *provider, const char *channel, int64_t credits, int64_t reported_wall_ms, void *arg)
{
	assert_string_equal(provider, "tingting");
	assert_string_equal(channel, "sms");
	assert_int_equal(credits, 42);
	assert_int_equal(reported_wall_ms, at(0).wall_ms);
	++*(int *)arg;
	return 0;
}

/* Every old count, code and token is there and works. */
static void
assert_migrated(void)
{
	const struct budget bucket = a_budget("user-decoy", "7", ""),
			    peer = a_budget("peer-user", "a:b", ""), odd = a_budget("odd", "", "");
	_auto_secret struct secret token = {0};
	struct send_count c = a_count("user", "asha", 1, DAY);
	struct store_refusal why;
	struct instant now = at(0);
	struct challenge out;
	struct trial_result tried;
	int64_t id;
	int listed = 0;

	assert_int_equal(number("PRAGMA user_version"), 4);
	assert_int_equal(locked_at(0, &asha, &tried), -OTP_ELIMIT);
	assert_int_equal(tried.until_wall_ms, at(30000).wall_ms);
	assert_int_equal(locked_at(0, &peer, &tried), -OTP_ELIMIT);
	assert_true(tried.until_wall_ms == STORE_FOREVER);
	assert_int_equal(locked_at(0, &bucket, &tried), 0);
	assert_int_equal(number("SELECT failures FROM budget WHERE kind = 'user-decoy' "
				"AND owner = '7' AND place = ''"),
	    2);
	assert_int_equal(number("SELECT failures FROM budget WHERE kind = 'odd'"), 1);
	assert_int_equal(locked_at(0, &odd, &tried), 0);
	assert_int_equal(number("SELECT failures FROM budget WHERE kind = 'peer-user-decoy' "
				"AND owner = '9'"),
	    1);
	assert_int_equal(number("SELECT count(*) FROM budget"), 5);
	assert_int_equal(reserve_at(0, &c, 1, &id, &why), -OTP_ELIMIT);
	assert_int_equal(find_at(0, "asha", "sshd", HOME, &out), 0);
	assert_string_equal(out.id, ID_A);
	assert_int_equal(out.tries, 2);
	assert_string_equal(out.captures, "{\"sealed\":\"0011\"}");
	assert_memory_equal(out.mac, right_mac, STORE_MAC_LEN);
	challenge_clear(&out);
	assert_int_equal(store->ops->challenge_used(store, ID_B), -OTP_EUSED);
	assert_int_equal(store->ops->token_get(store, &now, "tingting", &token), 0);
	assert_string_equal(secret_str(&token), "sealed token");
	assert_int_equal(store->ops->credits_each(store, credits_are_42, &listed), 0);
	assert_int_equal(listed, 1);
	/* The sign-in that was waiting during the upgrade succeeds and gives its message back. */
	assert_int_equal(try_mac_at(30000, ID_A, wrong_mac, &asha, &tried), -OTP_EWRONG);
	assert_int_equal(tried.left, 2);
	assert_int_equal(try_mac_at(95000, ID_A, right_mac, &asha, &tried), 0);
	assert_int_equal(reserve_at(95000, &c, 1, &id, &why), 0);
}

static void
a_sign_in_migrates_schema_1(void **state)
{
	(void)state;
	make_schema_1();
	assert_int_equal(store_sqlite_open(dir, NULL, NULL, &store), 0);
	assert_int_equal(number("PRAGMA user_version"), 4);
	assert_migrated();
	assert_intact();
}

static void
init_migrates_schema_1(void **state)
{
	(void)state;
	make_schema_1();
	assert_int_equal(store_sqlite_create(dir), -OTP_EEXIST);
	assert_int_equal(store_sqlite_migrate(dir), 0);
	assert_int_equal(store_sqlite_migrate(dir), 0);
	assert_int_equal(store_sqlite_open(dir, NULL, NULL, &store), 0);
	assert_migrated();
	assert_intact();
}

/* Schema 3 lacks some columns of schema 4. */
static void
make_schema_3(void)
{
	assert_int_equal(store_sqlite_create(dir), 0);
	script(
	    "INSERT INTO challenge (id, state, user, service, source, "
	    "channel, provider, address, mac, captures, boot_id, expires_boot_ms, sent_ms, tries, "
	    "reservation, lease_by, lease_boot_ms, keep_ms) VALUES "
	    "('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'live', 'asha',"
	    " 'sshd', 'ssh 192.0.2.1 SHA256:abc', 'sms', 'tingting', '+9779812345678',"
	    " CAST('the right code, sealed in 32 by' || char(0) AS BLOB), NULL,"
	    " '11111111-2222-3333-4444-555555555555', 5300000, 1000000000000, 2, 77, 0, 0,"
	    " 1000086400000);"
	    "ALTER TABLE challenge DROP COLUMN known;"
	    "ALTER TABLE challenge DROP COLUMN pretended;"
	    "DROP INDEX challenge_identity; ALTER TABLE challenge DROP COLUMN identity;"
	    "CREATE INDEX challenge_address ON challenge (provider, address, state);"
	    "PRAGMA user_version = 3");
}

/* Schemas 2 and 3 differ in the table `remembered` alone. */
static void
make_schema_2(void)
{
	make_schema_3();
	script("DROP TABLE remembered; CREATE TABLE remembered ("
	       " user TEXT NOT NULL, key TEXT NOT NULL, made_ms INTEGER NOT NULL,"
	       " PRIMARY KEY (user, key)) STRICT, WITHOUT ROWID;"
	       "CREATE INDEX remembered_made ON remembered (made_ms);"
	       "INSERT INTO remembered VALUES ('asha', 'local sudo', 1000000000000);"
	       "INSERT INTO budget VALUES ('user', 'asha', '', 3, 1000000000000, 1002592000000);"
	       "PRAGMA user_version = 2");
}

static void
assert_as_new(void)
{
	char other[sizeof(dir) + 16], sql[sizeof(other) + 512];

	assert_int_equal(store_sqlite_migrate(dir), 0);
	(void)snprintf(other, sizeof(other), "%s/old.db", top.path);
	assert_int_equal(rename(db_path, other), 0);
	assert_int_equal(store_sqlite_create(dir), 0);
	(void)snprintf(sql, sizeof(sql),
	    "ATTACH '%s' AS old; CREATE TABLE differ AS "
	    "SELECT * FROM (SELECT type, name, sql FROM main.sqlite_schema EXCEPT "
	    "SELECT type, name, sql FROM old.sqlite_schema) UNION ALL "
	    "SELECT * FROM (SELECT type, name, sql FROM old.sqlite_schema EXCEPT "
	    "SELECT type, name, sql FROM main.sqlite_schema)",
	    other);
	script(sql);
	assert_int_equal(number("SELECT count(*) FROM differ WHERE name <> 'differ'"), 0);
	assert_true(number("SELECT count(*) FROM sqlite_schema") > 15);
	assert_int_equal(unlink(db_path), 0);
	assert_int_equal(unlink(other), 0);
}

/* The schema of an upgraded store is exactly that of a new one. */
static void
migrated_and_new_are_the_same(void **state)
{
	(void)state;
	make_schema_1();
	assert_as_new();
	make_schema_2();
	assert_as_new();
	make_schema_3();
	assert_as_new();
}

/* A code that was sent before the upgrade can be used after it. */
static void
schema_3_is_migrated(void **state)
{
	struct trial_result tried;

	(void)state;
	make_schema_3();
	assert_int_equal(store_sqlite_open(dir, NULL, NULL, &store), 0);
	assert_int_equal(number("PRAGMA user_version"), 4);
	assert_int_equal(number("SELECT known + pretended FROM challenge"), 0);
	assert_int_equal(try_mac_at(0, ID_A, right_mac, &asha, &tried), 0);
	/* A helper of the older version that still runs can write. */
	script(
	    "INSERT INTO challenge (id, state, user, service, source, channel, provider, "
	    "address, boot_id, expires_boot_ms, sent_ms, tries, reservation, lease_by, "
	    "lease_boot_ms, keep_ms) VALUES ('b', 'live', 'asha', 'sshd', 's', 'sms', 'p', '+1', "
	    "'b', 1, 1, 0, 1, 0, 0, 1)");
	assert_intact();
}

/* Stores of schema 4 are in use: a table or a column is renamed only with a new schema. */
static void
schema_4_keeps_its_names(void **state)
{
	(void)state;
	assert_int_equal(store_sqlite_create(dir), 0);
	assert_int_equal(
	    number("SELECT group_concat(names, '; ') = "
		   "'budget: kind owner place failures last_ms keep_ms; "
		   "challenge: id state user service source channel provider address mac captures "
		   "boot_id expires_boot_ms sent_ms tries reservation lease_by lease_boot_ms "
		   "keep_ms known pretended identity; "
		   "known_place: user place seen_ms; "
		   "pause: address provider until_ms; "
		   "provider_credits: provider channel credits said_ms; "
		   "provider_session: key sealed keep_ms; "
		   "recovery: user id salt issued_ms; "
		   "recovery_code: issue nr hash used; "
		   "remembered: user key made_ms boot_id made_boot_ms; "
		   "sample: nr what at_ms took_ms outcome; "
		   "send_event: reservation kind owner place returns at_ms keep_ms' "
		   "FROM (SELECT t.name || ': ' || (SELECT group_concat(name, ' ') "
		   "FROM (SELECT name FROM pragma_table_info(t.name) ORDER BY cid)) AS names "
		   "FROM sqlite_schema t WHERE t.type = 'table' ORDER BY t.name)"),
	    1);
}

/* Every count stays. Remembered sign-ins end, because schema 2 did not keep their boot. */
static void
schema_2_is_migrated(void **state)
{
	struct instant now = at(0);
	struct trial_result tried;
	int64_t age;

	(void)state;
	make_schema_2();
	assert_int_equal(store_sqlite_migrate(dir), 0);
	assert_int_equal(number("PRAGMA user_version"), 4);
	assert_int_equal(store_sqlite_open(dir, NULL, NULL, &store), 0);
	assert_int_equal(locked_at(0, &asha, &tried), -OTP_ELIMIT);
	assert_int_equal(
	    store->ops->remembered_find(store, &now, "asha", "local sudo", &age), -OTP_ENOENT);
	/* A helper of the older version that still runs can write, but is not remembered. */
	script("INSERT INTO remembered (user, key, made_ms) VALUES "
	       "('asha', 'local sudo', 1000000000000) ON CONFLICT (user, key) DO UPDATE SET "
	       "made_ms = excluded.made_ms");
	assert_int_equal(
	    store->ops->remembered_find(store, &now, "asha", "local sudo", &age), -OTP_ENOENT);
	assert_intact();
}

/* Any other database stays as it is, to the byte. */
static void
only_older_stores_of_pam_otp_are_migrated(void **state)
{
	static const struct {
		const char *name, *sql;
	} row[] = {
	    {"of another program", "PRAGMA application_id = 7"},
	    {"of nobody", "PRAGMA application_id = 0"},
	    {"of a newer pam_otp", "PRAGMA user_version = 5"},
	    {"of no version", "PRAGMA user_version = 0"},
	};
	char copy[sizeof(top.path) + 16], cmd[2 * sizeof(db_path) + 64];

	(void)state;
	(void)snprintf(copy, sizeof(copy), "%s/copy", top.path);
	assert_int_equal(store_sqlite_migrate(dir), -OTP_ESTORE);
	assert_int_not_equal(access(db_path, F_OK), 0);
	for (size_t i = 0; i < COUNT(row); i++) {
		make_schema_1();
		script("PRAGMA journal_mode = DELETE");
		script(row[i].sql);
		(void)snprintf(cmd, sizeof(cmd), "cp -p '%s' '%s'", db_path, copy);
		assert_int_equal(system(cmd), 0);
		ROW(store_sqlite_migrate(dir) == -OTP_ESTORE, row[i].name);
		(void)snprintf(cmd, sizeof(cmd), "cmp '%s' '%s'", db_path, copy);
		ROW(system(cmd) == 0, row[i].name);
		assert_int_equal(unlink(db_path), 0);
	}
	make_schema_1();
	assert_int_equal(chmod(db_path, 0620), 0);
	assert_int_equal(store_sqlite_migrate(dir), -OTP_EPERM);
	assert_int_equal(number("PRAGMA user_version"), 1);
}

/* An upgrade that fails half way changes nothing and can be repeated. */
static void
failed_migration_changes_nothing(void **state)
{
	(void)state;
	make_schema_1();
	script("CREATE TABLE pause (in_the_way INTEGER)");
	assert_int_equal(store_sqlite_migrate(dir), -OTP_ESTORE);
	assert_int_equal(number("PRAGMA user_version"), 1);
	assert_int_equal(number("SELECT failures FROM budget WHERE key = 'user:asha'"), 3);
	assert_int_equal(number("SELECT count(*) FROM send_event WHERE key = 'user:asha'"), 1);
	script("DROP TABLE pause");
	assert_int_equal(store_sqlite_migrate(dir), 0);
	assert_int_equal(store_sqlite_open(dir, NULL, NULL, &store), 0);
	assert_migrated();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    NO_STORE(creates_privately_and_once),
	    NO_STORE(create_cleans_up_after_a_dead_process),
	    NO_STORE(missing_store_is_broken_and_not_made),
	    NO_STORE(empty_store_is_broken),
	    NO_STORE(garbage_is_broken),
	    NO_STORE(foreign_database_is_broken),
	    NO_STORE(other_schema_version_is_broken),
	    NO_STORE(links_and_fifos_are_refused),
	    NO_STORE(planted_companions_are_refused),
	    NO_STORE(wrong_owner_or_mode_is_refused),
	    NO_STORE(linked_folder_is_refused),
	    NO_STORE(reserve_follows_no_link),
	    WITH_STORE(reserve_is_made_whole_again),
	    WITH_STORE(damaged_pages_never_pass_for_an_empty_store),
	    NO_STORE(a_sign_in_migrates_schema_1),
	    NO_STORE(init_migrates_schema_1),
	    NO_STORE(schema_2_is_migrated),
	    NO_STORE(schema_3_is_migrated),
	    NO_STORE(schema_4_keeps_its_names),
	    NO_STORE(migrated_and_new_are_the_same),
	    NO_STORE(only_older_stores_of_pam_otp_are_migrated),
	    NO_STORE(failed_migration_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
