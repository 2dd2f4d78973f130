#include "helpers/login/files.h"

#include "common/err.h"
#include "helpers/base/log.h"
#include "helpers/codes/code.h"

static int
open_host_key(const char *path, uid_t second_owner, struct secret *out)
{
	int r = host_key_read(path, second_owner, out);

	if (r)
		otp_logr(LOG_ERR, r,
		    "the host key %s cannot be used (expected at least %d random bytes, "
		    "root:" OTP_USER ", mode 0640; run: otpctl init)",
		    path, HOST_KEY_MIN);
	return r;
}

int
login_files_open(const struct conf *c, uid_t second_owner, store_wait_fn *wait, void *arg,
    struct login_files *out)
{
	int r, e;

	*out = (struct login_files){.key = "host_key"};
	r = open_host_key(c->paths.host_key, second_owner, &out->host_key);
	out->key = "contacts";
	e = contacts_sqlite_open(c->paths.contacts, second_owner, &out->contacts);
	r = r ? r : e;
	out->key = "state";
	e = store_sqlite_open(c->paths.state, wait, arg, &out->store);
	return r ? r : e;
}

void
login_files_close(struct login_files *f)
{
	if (f->store)
		f->store->ops->close(f->store);
	if (f->contacts)
		f->contacts->ops->close(f->contacts);
	secret_clear(&f->host_key);
	*f = (struct login_files){.key = ""};
}
