/*
 * otpctl init: makes what sign-ins need and never make by themselves.
 *
 * MUST:
 *  - What exists is kept, checked and reported. It is never replaced and never repaired; only a
 *    store of an older version is converted.
 *  - Root works only in folders that only root can write to.
 *  - The state folder belongs to the helper's user. Only a process that has become that user for
 *    good makes or opens the files in it.
 */
#include "helpers/otpctl/init.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "common/trust.h"
#include "helpers/base/account.h"
#include "helpers/contacts/contacts.h"
#include "helpers/base/json.h"
#include "helpers/otpctl/options.h"
#include "helpers/otpctl/otpctl.h"
#include "helpers/otpctl/paths.h"
#include "helpers/otpctl/privileges.h"
#include "helpers/store/store.h"

enum { KEY_LEN = 32, KEY_MAX = 4096 };

struct init {
	const struct otpctl *ctl;
	struct otpctl_paths paths;
	uid_t owner; /* of all but the state folder: root, or the caller with --config */
	uid_t uid;   /* of the state folder: the helper's user, or the caller with --config */
	gid_t gid;
	json_t *made;
	json_t *kept;
};

static void
report(struct init *in, bool made, const char *what, const char *path)
{
	if (in->ctl->json)
		(void)json_array_append_new(made ? in->made : in->kept, json_string(path));
	else
		(void)printf("%s  %-12s %s\n", made ? "made" : "kept", what, path);
}

static int
fail(const char *path, const char *why, const char *next)
{
	return otpctl_fail("%s: %s%s%s", path, why, *next ? "; " : "", next);
}

/* Decides who will own everything. Returns OTPCTL_OK or OTPCTL_FAILED, as the functions below. */
static int
choose_owner(struct init *in)
{
	struct account a;
	int r;

	in->owner = geteuid();
	in->uid = geteuid();
	in->gid = getegid();
	if (geteuid() != 0) {
		if (in->ctl->config_given)
			return OTPCTL_OK;
		return otpctl_fail("run it as root; on a developer's machine, add --config FILE "
				   "with [paths] of your own");
	}
	r = account_lookup(OTP_USER, &a);
	if (r)
		return otpctl_fail(
		    "the user %s could not be looked up: %s", OTP_USER, otp_strerror(r));
	if (!a.exists || a.uid == 0 || a.gid == 0) {
		account_clear(&a);
		return otpctl_fail("there is no user '%s' apart from root; create it with: useradd "
				   "--system --user-group --home-dir /nonexistent --no-create-home "
				   "--shell /usr/sbin/nologin %s",
		    OTP_USER, OTP_USER);
	}
	in->uid = a.uid;
	in->gid = a.gid;
	account_clear(&a);
	return OTPCTL_OK;
}

/* --- folders ------------------------------------------------------------------------------- */

/* Makes one folder in a checked parent. Nobody else can use it before its owner is right. */
static int
make_folder(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	_auto_close int fd = -1;

	if (mkdir(path, 0700))
		return fail(path, strerror(errno), "");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchown(fd, uid, gid) || fchmod(fd, mode))
		return fail(path, strerror(errno), "");
	return OTPCTL_OK;
}

/*
 * Checks the folder and all folders above it, and makes those that are missing. The last one is for
 * the helper's group alone to enter, the others are for everyone.
 */
static int
need_folder(struct init *in, const char *path)
{
	char part[PATH_MAX], culprit[PATH_MAX];
	size_t len = strlen(path);
	struct stat st;

	if (len >= sizeof(part) ||
	    trust_path(path, in->owner, culprit, sizeof(culprit)) == -OTP_EINVAL)
		return fail(path, "not an absolute path", "");
	for (size_t i = 1; i <= len; i++) {
		bool last = i == len;
		int r;

		if (path[i] != '/' && !last)
			continue;
		(void)snprintf(part, sizeof(part), "%.*s", (int)i, path);
		if (trust_path(part, in->owner, culprit, sizeof(culprit)))
			return fail(culprit, "not a folder that only root can write to",
			    "use chown and chmod, or choose another folder in [paths]");
		if (!lstat(part, &st)) {
			if (!S_ISDIR(st.st_mode))
				return fail(part, "not a folder", "");
			continue;
		}
		r = make_folder(part, in->owner, last ? in->gid : getegid(), last ? 0750 : 0755);
		if (r)
			return r;
		report(in, true, "folder", part);
	}
	return OTPCTL_OK;
}

static int
need_parent(struct init *in, const char *path)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path || (size_t)(slash - path) >= sizeof(parent))
		return fail(path, "not an absolute path below a folder", "");
	(void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
	return need_folder(in, parent);
}

static int
need_state_folder(struct init *in)
{
	const char *path = in->paths.state;
	struct stat st;
	int r = need_parent(in, path);

	if (r)
		return r;
	if (lstat(path, &st)) {
		r = errno == ENOENT ? make_folder(path, in->uid, in->gid, 0700)
				    : fail(path, strerror(errno), "");
		if (!r)
			report(in, true, "state", path);
		return r;
	}
	if (!S_ISDIR(st.st_mode) || st.st_uid != in->uid || st.st_mode & (S_IWGRP | S_IWOTH))
		return fail(path,
		    "not a folder of the helper's user that only that user can write to",
		    "give it to that user with mode 0700, or move it away and run otpctl init "
		    "again");
	report(in, false, "state", path);
	return OTPCTL_OK;
}

/* --- the host key -------------------------------------------------------------------------- */

static int
write_key(int dir, const char *name, uid_t uid, gid_t gid)
{
	_auto_close int fd =
	    openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	unsigned char key[KEY_LEN];
	int r = -OTP_ESYS;

	if (fd >= 0 && getrandom(key, sizeof(key), 0) == sizeof(key) &&
	    write(fd, key, sizeof(key)) == sizeof(key) && !fchown(fd, uid, gid) &&
	    !fchmod(fd, 0640) && !fsync(fd))
		r = 0;
	otp_wipe_array(key);
	return r;
}

static int
make_key(struct init *in, const char *parent, const char *name)
{
	_auto_close int dir = open(parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char new_name[NAME_MAX + 1];
	int r = 0;

	if (snprintf(new_name, sizeof(new_name), "%s.new", name) >= (int)sizeof(new_name))
		return fail(in->paths.host_key, "the name is too long", "");
	if (dir < 0 || flock(dir, LOCK_EX))
		return fail(parent, strerror(errno), "");
	/* If an earlier run was killed, its file is still here. It never became the key. */
	(void)unlinkat(dir, new_name, 0);
	/* linkat(2), because it never replaces an existing key, as a rename would. */
	if (write_key(dir, new_name, in->owner, in->gid) || linkat(dir, new_name, dir, name, 0))
		r = fail(in->paths.host_key, strerror(errno), "no host key was made");
	(void)unlinkat(dir, new_name, 0);
	if (!r && fsync(dir))
		r = fail(parent, strerror(errno), "");
	return r;
}

static int
need_key(struct init *in)
{
	const char *path = in->paths.host_key, *slash = strrchr(path, '/');
	_auto_secret struct secret key = {0};
	char parent[PATH_MAX];
	int r = need_parent(in, path);

	if (r)
		return r;
	(void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
	r = trust_read(path, in->owner, TRUST_SECRET, KEY_MAX, &key);
	if (r == -OTP_ENOENT) {
		r = make_key(in, parent, slash + 1);
		if (!r)
			report(in, true, "host key", path);
		if (!r && !access(in->paths.contacts, F_OK))
			(void)otpctl_fail("note: the host key was missing, so a new one was made; "
					  "unexpired codes and all else that the old key sealed "
					  "are void");
		return r;
	}
	if (!r && key.len < KEY_LEN)
		r = -OTP_EINVAL;
	if (r)
		return otpctl_fail(
		    "%s: %s; the host key must be a file of at least %d bytes, owned "
		    "by root, mode 0640, in the group of %s; it is not replaced, "
		    "because all that it sealed would become void",
		    path, otp_strerror(r), KEY_LEN, OTP_USER);
	report(in, false, "host key", path);
	return OTPCTL_OK;
}

/* --- contacts ------------------------------------------------------------------------------ */

static int
need_contacts(struct init *in)
{
	const char *path = in->paths.contacts;
	struct contacts *c = NULL;
	int r = need_parent(in, path);

	if (r)
		return r;
	r = contacts_sqlite_create(path, in->owner, in->gid);
	if (!r) {
		report(in, true, "contacts", path);
		return OTPCTL_OK;
	}
	if (r != -OTP_EEXIST)
		return fail(path, "could not be made", "");
	if (contacts_sqlite_open(path, in->owner, &c))
		return fail(
		    path, "exists, but is not usable", "move it away and run otpctl init again");
	c->ops->close(c);
	report(in, false, "contacts", path);
	return OTPCTL_OK;
}

/* --- the store, as the helper's user -------------------------------------------------------- */

enum as_user { AS_MADE, AS_KEPT, AS_FAILED };

/* True if this process, which has become the helper's user, can read what the helper reads. */
static bool
can_read(const struct init *in)
{
	_auto_secret struct secret key = {0};
	struct contacts *c = NULL;
	uid_t second_owner = in->owner ? in->owner : 0;

	if (trust_read(in->paths.host_key, second_owner, TRUST_SECRET, KEY_MAX, &key)) {
		(void)otpctl_fail(
		    "%s: the helper's user cannot read it; run: chgrp %s, chmod 0640, "
		    "and let the group enter its folder (chmod 0750)",
		    in->paths.host_key, OTP_USER);
		return false;
	}
	if (contacts_sqlite_open(in->paths.contacts, second_owner, &c)) {
		(void)otpctl_fail(
		    "%s: the helper's user cannot read it; run: chgrp %s, chmod 0640, "
		    "and let the group enter its folder (chmod 0750)",
		    in->paths.contacts, OTP_USER);
		return false;
	}
	c->ops->close(c);
	return true;
}

static enum as_user
store_as_user(const struct init *in)
{
	struct store *s = NULL;
	int r;

	(void)umask(077);
	if (!otpctl_become(in->uid, in->gid) || chdir("/")) {
		(void)otpctl_fail("could not become the user %s: %s", OTP_USER, strerror(errno));
		return AS_FAILED;
	}
	r = store_sqlite_create(in->paths.state);
	if (r && r != -OTP_EEXIST)
		return AS_FAILED;
	if (r && store_sqlite_migrate(in->paths.state)) {
		(void)otpctl_fail("%s/store.db could not be converted to this version and is "
				  "unchanged; if it is no store of pam_otp, move it away and run "
				  "otpctl init again",
		    in->paths.state);
		return AS_FAILED;
	}
	if (store_sqlite_open(in->paths.state, NULL, NULL, &s)) {
		(void)otpctl_fail(
		    "%s/store.db is not usable; move it away and run otpctl init again",
		    in->paths.state);
		return AS_FAILED;
	}
	s->ops->close(s);
	if (!can_read(in))
		return AS_FAILED;
	return r ? AS_KEPT : AS_MADE;
}

static int
need_store(struct init *in)
{
	char path[PATH_MAX];
	int status;
	pid_t pid, got;

	if (snprintf(path, sizeof(path), "%s/store.db", in->paths.state) >= (int)sizeof(path))
		return fail(in->paths.state, "the path is too long", "");
	(void)otpctl_flush();
	pid = fork();
	if (pid < 0)
		return otpctl_fail(
		    "the process that makes the store did not start: %s", strerror(errno));
	if (pid == 0)
		_exit(store_as_user(in));
	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	if (got != pid || !WIFEXITED(status) ||
	    (WEXITSTATUS(status) != AS_MADE && WEXITSTATUS(status) != AS_KEPT))
		return fail(path, "could not be made or used", "");
	report(in, WEXITSTATUS(status) == AS_MADE, "store", path);
	return OTPCTL_OK;
}

/* ------------------------------------------------------------------------------------------- */

static int
run_steps(struct init *in)
{
	int r = choose_owner(in);

	if (!r)
		r = otpctl_paths_load(in->ctl, &in->paths);
	(void)umask(022);
	if (!r)
		r = need_key(in);
	if (!r)
		r = need_contacts(in);
	if (!r)
		r = need_state_folder(in);
	return r ? r : need_store(in);
}

int
otpctl_init(struct otpctl *ctl, int argc, char **argv)
{
	const struct otpctl_syntax syntax = {
	    .name = "otpctl init",
	    .usage = "",
	    .summary = "Makes the host key, the contacts, the state folder and the store in it, if "
		       "they are missing. What exists is checked and kept.",
	    .example = "otpctl init",
	};
	_auto_json json_t *made = json_array(), *kept = json_array(), *all = NULL;
	struct init in = {.ctl = ctl, .made = made, .kept = kept};
	int r;

	if (!made || !kept)
		return otpctl_fail("no memory");
	otpctl_parse(ctl, &syntax, argc, argv);
	r = run_steps(&in);
	otpctl_paths_clear(&in.paths);
	if (!ctl->json)
		return r;
	all = json_pack("{s:O, s:O, s:b}", "made", made, "kept", kept, "ok", r == OTPCTL_OK);
	if (!all || json_dumpf(all, stdout, JSON_INDENT(2)))
		return otpctl_fail("no memory");
	(void)putchar('\n');
	return r;
}
