/*
 * otpctl init: makes what sign-ins need and never make by themselves.
 *
 * MUST:
 *  - whatever exists is kept, judged and told of, never remade, never repaired in silence;
 *  - root works only in folders that nobody but root can write to;
 *  - the state folder is the helper's user's: what is in it is made and looked at in a process that
 *    has become that user for good.
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
#include "helpers/otpctl/otpctl.h"
#include "helpers/otpctl/paths.h"
#include "helpers/otpctl/privileges.h"
#include "helpers/store/store.h"

enum { KEY_LEN = 32, KEY_MAX = 4096 };

struct init {
	const struct otpctl *ctl;
	struct otpctl_paths paths;
	uid_t owner; /* of what root makes: root, or the caller on a developer's machine */
	uid_t uid;   /* of the helper: OTP_USER, or the caller */
	gid_t gid;
	json_t *made;
	json_t *kept;
};

static void
tell(struct init *in, bool made, const char *what, const char *path)
{
	if (in->ctl->json)
		(void)json_array_append_new(made ? in->made : in->kept, json_string(path));
	else
		(void)printf("%s  %-12s %s\n", made ? "made" : "kept", what, path);
}

static int
say(const char *path, const char *why, const char *next)
{
	return otpctl_fail("%s: %s%s%s", path, why, *next ? "; " : "", next);
}

/* Who everything belongs to. An exit code. */
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
		return otpctl_fail("run it as root; on a developer's machine, with --config FILE "
				   "whose [paths] are yours");
	}
	r = account_lookup(OTP_USER, &a);
	if (r)
		return otpctl_fail(
		    "the user %s could not be looked up: %s", OTP_USER, otp_strerror(r));
	if (!a.exists || a.uid == 0 || a.gid == 0) {
		account_clear(&a);
		return otpctl_fail("there is no user '%s' without rights; make it with: useradd "
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

/* Makes one folder in a parent that was judged, with owner and mode from its birth. */
static int
make_folder(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	_auto_close int fd = -1;

	if (mkdir(path, 0700))
		return say(path, strerror(errno), "");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchown(fd, uid, gid) || fchmod(fd, mode))
		return say(path, strerror(errno), "");
	return OTPCTL_OK;
}

/*
 * The folder and all above it. Those that are missing are made: the last one for the helper's
 * group alone to enter, the others for everyone.
 */
static int
need_folder(struct init *in, const char *path)
{
	char part[PATH_MAX], culprit[PATH_MAX];
	size_t len = strlen(path);
	struct stat st;

	if (len >= sizeof(part) ||
	    trust_path(path, in->owner, culprit, sizeof(culprit)) == -OTP_EINVAL)
		return say(path, "not an absolute path", "");
	for (size_t i = 1; i <= len; i++) {
		bool last = i == len;
		int r;

		if (path[i] != '/' && !last)
			continue;
		(void)snprintf(part, sizeof(part), "%.*s", (int)i, path);
		if (trust_path(part, in->owner, culprit, sizeof(culprit)))
			return say(culprit, "not a folder that only root can write to",
			    "see: ls -ld, then chown and chmod it, or choose another place in "
			    "[paths]");
		if (!lstat(part, &st)) {
			if (!S_ISDIR(st.st_mode))
				return say(part, "not a folder", "");
			continue;
		}
		r = make_folder(part, in->owner, last ? in->gid : getegid(), last ? 0750 : 0755);
		if (r)
			return r;
		tell(in, true, "folder", part);
	}
	return OTPCTL_OK;
}

static int
need_parent(struct init *in, const char *path)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path || (size_t)(slash - path) >= sizeof(parent))
		return say(path, "not an absolute path below a folder", "");
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
				    : say(path, strerror(errno), "");
		if (!r)
			tell(in, true, "state", path);
		return r;
	}
	if (!S_ISDIR(st.st_mode) || st.st_uid != in->uid || st.st_mode & (S_IWGRP | S_IWOTH))
		return say(path, "not a folder that is the helper's user's alone to write to",
		    "give it to that user with mode 0700, or move it away and run otpctl init "
		    "again");
	tell(in, false, "state", path);
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
		return say(in->paths.host_key, "the name is too long", "");
	if (dir < 0 || flock(dir, LOCK_EX))
		return say(parent, strerror(errno), "");
	/* A dead maker's: it never became the key. */
	(void)unlinkat(dir, new_name, 0);
	/* Linked, not renamed: a key that is there is never replaced. */
	if (write_key(dir, new_name, in->owner, in->gid) || linkat(dir, new_name, dir, name, 0))
		r = say(in->paths.host_key, strerror(errno), "no key was made");
	(void)unlinkat(dir, new_name, 0);
	if (!r && fsync(dir))
		r = say(parent, strerror(errno), "");
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
			tell(in, true, "host key", path);
		if (!r && !access(in->paths.contacts, F_OK))
			(void)otpctl_fail("note: the host key was missing and is a new one; codes "
					  "on their way and whatever else the old one sealed are "
					  "void");
		return r;
	}
	if (!r && key.len < KEY_LEN)
		r = -OTP_EINVAL;
	if (r)
		return otpctl_fail("%s: %s; it must be a file of at least %d bytes, root's, mode "
				   "0640, in the group of %s; it is not made anew by itself, for "
				   "what was made with the old one would stop working",
		    path, otp_strerror(r), KEY_LEN, OTP_USER);
	tell(in, false, "host key", path);
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
		tell(in, true, "contacts", path);
		return OTPCTL_OK;
	}
	if (r != -OTP_EEXIST)
		return say(path, "could not be made", "");
	if (contacts_sqlite_open(path, in->owner, &c))
		return say(path, "is there, but is not usable", "move it away and run otpctl init");
	c->ops->close(c);
	tell(in, false, "contacts", path);
	return OTPCTL_OK;
}

/* --- the store, as the helper's user -------------------------------------------------------- */

enum as_user { AS_MADE, AS_KEPT, AS_FAILED };

/* What the helper must be able to read is tried as the helper would. */
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
		(void)otpctl_fail("%s/store.db could not be brought to this version; it is as it "
				  "was; if it is none of ours, move it away and run otpctl init",
		    in->paths.state);
		return AS_FAILED;
	}
	if (store_sqlite_open(in->paths.state, NULL, NULL, &s)) {
		(void)otpctl_fail(
		    "%s/store.db is not usable; move it away and run otpctl init", in->paths.state);
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
		return say(in->paths.state, "the path is too long", "");
	(void)otpctl_flush();
	pid = fork();
	if (pid < 0)
		return otpctl_fail("fork: %s", strerror(errno));
	if (pid == 0)
		_exit(store_as_user(in));
	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	if (got != pid || !WIFEXITED(status) ||
	    (WEXITSTATUS(status) != AS_MADE && WEXITSTATUS(status) != AS_KEPT))
		return say(path, "could not be made or used", "");
	tell(in, WEXITSTATUS(status) == AS_MADE, "store", path);
	return OTPCTL_OK;
}

/* ------------------------------------------------------------------------------------------- */

static error_t
parse_init(int key, char *arg, struct argp_state *state)
{
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	argp_error(state, "unexpected '%s'", arg);
	return 0;
}

static const struct argp init_argp = {.parser = parse_init,
    .doc = "Makes the state folder with its store, the contacts and the host key, where they are "
	   "missing. What exists is kept and checked, never remade."};

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
	_auto_json json_t *made = json_array(), *kept = json_array(), *all = NULL;
	struct init in = {.ctl = ctl, .made = made, .kept = kept};
	int r;

	if (!made || !kept)
		return otpctl_fail("no memory");
	otpctl_parse(ctl, &init_argp, "otpctl init", argc, argv, NULL);
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
